from sklearn.datasets import load_iris
from sklearn.tree import DecisionTreeClassifier
from sklearn.metrics import *

def main():
	X, y = load_iris(return_X_y=True)
	for depth in (1, 2, 3):
		clf = DecisionTreeClassifier(max_depth=depth)
		clf.fit(X, y)
		acc = accuracy_score(y, clf.predict(X))
		print("depth", depth, "acc %.3f" % acc)

main()
