# evaluate helper printing, called twice
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, f1_score
from sklearn.model_selection import train_test_split
X, y = load_iris(return_X_y=True)
Xa, Xb, ya, yb = train_test_split(X, y, random_state=0)
def report(split, model, X, y):
    pred = model.predict(X)
    acc = accuracy_score(y, pred)
    f1 = f1_score(y, pred, average="macro")
    print(f"{split}: acc={acc:.3f} f1={f1:.3f}")
model = LogisticRegression(max_iter=500)
model.fit(Xa, ya)
report("train", model, Xa, ya)
report("test", model, Xb, yb)
