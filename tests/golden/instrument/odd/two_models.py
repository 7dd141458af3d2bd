from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.tree import DecisionTreeClassifier
from sklearn.metrics import accuracy_score
X, y = load_iris(return_X_y=True)

# logistic regression
clf = LogisticRegression(max_iter=300)
clf.fit(X, y)
acc = accuracy_score(y, clf.predict(X))
print("LR", acc)

# tree
clf = DecisionTreeClassifier(max_depth=2)
clf.fit(X, y)
acc = accuracy_score(y, clf.predict(X))
print("tree", acc)
