"""Console script `churn-train = churn.train:main`."""

import argparse
from pathlib import Path

import joblib
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score

from .data import load


def evaluate(model, X, y):
    return accuracy_score(y, model.predict(X))


def build_parser():
    parser = argparse.ArgumentParser("churn-train")
    parser.add_argument("--C", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("churn.joblib"))
    return parser


def main(argv=None):
    args = build_parser().parse_args(argv)
    X_train, X_test, y_train, y_test = load(args.seed)
    model = LogisticRegression(C=args.C, max_iter=1000).fit(X_train, y_train)
    train_acc = evaluate(model, X_train, y_train)
    test_acc = evaluate(model, X_test, y_test)
    print("train accuracy", train_acc)
    print("test accuracy", test_acc)
    joblib.dump(model, args.out)
    return 0
