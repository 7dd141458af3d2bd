import argparse

import numpy as np


def make_data(n, rng):
    X = rng.normal(size=(n, 3))
    return X, X @ np.array([1.0, -2.0, 0.5])


def validate(w, X, y):
    residual = X @ w - y
    val_loss = float((residual ** 2).mean())
    print("  val loss {:.5f}".format(val_loss))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--lr", type=float, default=0.1)
    parser.add_argument("--epochs", type=int, default=4)
    args = parser.parse_args()

    rng = np.random.default_rng(0)
    X, y = make_data(200, rng)
    X_val, y_val = make_data(50, rng)
    w = np.zeros(3)
    for epoch in range(args.epochs):
        gradient = 2 * X.T @ (X @ w - y) / len(y)
        w -= args.lr * gradient
        loss = float(np.mean((X @ w - y) ** 2))
        print(f"Epoch {epoch + 1}/{args.epochs} loss {loss:.5f}")
        validate(w, X_val, y_val)


if __name__ == "__main__":
    main()
