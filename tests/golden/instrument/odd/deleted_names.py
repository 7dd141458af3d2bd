from sklearn.datasets import load_iris
from sklearn.svm import SVC
from sklearn.metrics import accuracy_score
X, y = load_iris(return_X_y=True)
LR = 0.1; C = 2.0
clf = SVC(C=C); clf.fit(X, y); pred = clf.predict(X)
acc = accuracy_score(y, pred); del pred
print("acc:", acc); del acc
acc = "good"
print(acc)
