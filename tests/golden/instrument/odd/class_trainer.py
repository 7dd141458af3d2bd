import dataclasses
import numpy as np


@dataclasses.dataclass
class Config:
    lr: float = 0.1
    epochs: int = 5
    l2: float = 0.0


class Trainer:
    """Plain numpy logistic regression."""

    def __init__(self, cfg):
        self.cfg = cfg
        self.w = np.zeros(3)
        self.history = []

    def step(self, X, y):
        p = 1 / (1 + np.exp(-X @ self.w))
        grad = X.T @ (p - y) / len(y)
        self.w -= self.cfg.lr * grad
        return float(-np.mean(y * np.log(p + 1e-9) + (1 - y) * np.log(1 - p + 1e-9)))

    def train(self, X, y):
        for epoch in range(self.cfg.epochs):
            loss = self.step(X, y)
            self.history.append(loss)
            print(f"[{epoch}] loss={loss:.4f}")

    def accuracy(self, X, y):
        return float(np.mean((X @ self.w > 0) == y))


if __name__ == "__main__":
    cfg = Config(lr=0.5)
    rng = np.random.default_rng(1)
    X = rng.normal(size=(100, 3))
    y = (X[:, 0] > 0).astype(float)
    trainer = Trainer(cfg)
    trainer.train(X, y)
    print("final accuracy:", trainer.accuracy(X, y))
