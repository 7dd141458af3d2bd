import numpy as np
from sklearn.linear_model import SGDClassifier
rng = np.random.default_rng(0)
X = rng.normal(size=(200, 4)); y = (X[:, 0] + X[:, 1] > 0).astype(int)
clf = SGDClassifier(random_state=0, loss="log_loss", learning_rate="constant", eta0=0.01)
for epoch in range(5):
    for start in range(0, 200, 50):
        clf.partial_fit(X[start:start + 50], y[start:start + 50], classes=[0, 1])
    acc = clf.score(X, y)
    print("Epoch", epoch + 1, "accuracy", acc)
