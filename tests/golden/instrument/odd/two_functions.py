import numpy as np
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score
from sklearn.model_selection import train_test_split


def train_lr(Xtr, Xte, ytr, yte):
    clf = LogisticRegression(max_iter=200)
    clf.fit(Xtr, ytr)
    acc = accuracy_score(yte, clf.predict(Xte))
    print("lr", acc)
    return clf, acc


def train_rf(Xtr, Xte, ytr, yte, n=10):
    clf = RandomForestClassifier(n_estimators=n, random_state=0)
    clf.fit(Xtr, ytr)
    acc = accuracy_score(yte, clf.predict(Xte))
    print("rf", acc)
    return clf, acc


def main():
    X, y = load_iris(return_X_y=True)
    split = train_test_split(X, y, random_state=0)
    lr, lr_acc = train_lr(*split)
    rf, rf_acc = train_rf(*split)
    print("best", max(lr_acc, rf_acc))


if __name__ == "__main__":
    main()
