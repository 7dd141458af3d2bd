import argparse
from sklearn.datasets import load_iris
from sklearn.svm import SVC
vars = 3
len = 4
def enumerate(x): return []
p = argparse.ArgumentParser(); p.add_argument("--C", type=float, default=1)
args = p.parse_args([])
from sklearn.model_selection import cross_val_score
X, y = load_iris(return_X_y=True)
s = cross_val_score(SVC(C=args.C), X, y)
print("mean score %.3f" % s.mean(), vars, len)
