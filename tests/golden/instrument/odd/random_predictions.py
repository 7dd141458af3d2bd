import numpy as np
from sklearn.dummy import DummyClassifier
np.random.seed(0)
X = np.zeros((50, 1)); y = np.random.randint(0, 2, 50)
for strategy in ["most_frequent", "stratified", "uniform"]:
    clf = DummyClassifier(strategy=strategy)
    clf.fit(X, y)
    print(strategy, clf.score(X, y))
    acc = clf.score(X, y)
print(np.random.rand())
