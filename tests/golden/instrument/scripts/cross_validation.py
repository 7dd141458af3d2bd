# Compare nothing, just see how stable one model is.
import numpy as np
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

N_SPLITS = 4
RANDOM_STATE = 1

X, y = load_digits(n_class=4, return_X_y=True)
clf = make_pipeline(StandardScaler(), LogisticRegression(C=0.5, max_iter=200))

scores = cross_val_score(clf, X, y, cv=N_SPLITS, scoring="f1_macro")
print("f1 per fold:", scores)
print("f1: {:.4f} +/- {:.4f}".format(scores.mean(), scores.std()))

# the same by hand, for accuracy
cv = StratifiedKFold(n_splits=N_SPLITS, shuffle=True, random_state=RANDOM_STATE)
accs = []
for fold, (train_idx, test_idx) in enumerate(cv.split(X, y)):
    clf.fit(X[train_idx], y[train_idx])
    acc = accuracy_score(y[test_idx], clf.predict(X[test_idx]))
    accs.append(acc)
    print(f"fold {fold}: {acc:.4f}")
print("mean accuracy:", np.mean(accs))
