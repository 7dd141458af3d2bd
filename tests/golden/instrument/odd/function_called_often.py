import sys
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.tree import DecisionTreeClassifier
from sklearn.model_selection import train_test_split

def evaluate_model(name, model, X, y):
    Xa, Xb, ya, yb = train_test_split(X, y, random_state=0)
    model.fit(Xa, ya)
    acc = model.score(Xb, yb)
    print(name, "accuracy:", round(acc, 3))
    if acc < 0.5:
        return None
    return acc

def main():
    X, y = load_iris(return_X_y=True)
    evaluate_model("lr", LogisticRegression(max_iter=300), X, y)
    evaluate_model("dt", DecisionTreeClassifier(max_depth=2), X, y)
    return 0

if __name__ == "__main__":
    sys.exit(main())
