import sys
from sklearn.datasets import load_iris
from sklearn.svm import SVC
from sklearn.linear_model import LogisticRegression
X, y = load_iris(return_X_y=True)
match (sys.argv[1:] or ["svc"]):
    case ["svc"]:
        model = SVC(C=2)
    case ["lr"]:
        model = LogisticRegression()
    case _:
        sys.exit("unknown")
model.fit(X, y)
print(f'score: {model.score(X, y):.3f}')
