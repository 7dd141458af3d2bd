from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score
from sklearn.tree import DecisionTreeClassifier

X, y = load_iris(return_X_y=True)
first = LogisticRegression(max_iter=300)
second = DecisionTreeClassifier()
third = DecisionTreeClassifier(max_depth=2)
first.fit(X, y)
acc = accuracy_score(y, first.predict(X))
print("first", acc)
second.fit(X, y)
third.fit(X, y)
acc = accuracy_score(y, second.predict(X))
print("second", acc)
acc = accuracy_score(y, third.predict(X))
print("third", acc)
