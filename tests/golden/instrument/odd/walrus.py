from sklearn.datasets import load_iris
from sklearn.svm import SVC
from sklearn.model_selection import train_test_split
X, y = load_iris(return_X_y=True)
Xa, Xb, ya, yb = train_test_split(X, y, random_state=0)
exp = 3
if (score := SVC(C=exp).fit(Xa, ya).score(Xb, yb)) > 0.9:
    print("good", score)
else:
    print("bad", score)
