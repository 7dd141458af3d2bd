from sklearn.datasets import load_iris
from sklearn.svm import SVC
from sklearn.metrics import precision_recall_fscore_support, confusion_matrix, f1_score
X, y = load_iris(return_X_y=True)
results = {}
clf = SVC(kernel="linear", C=1)
clf.fit(X, y)
pred = clf.predict(X)
results["f1_each"] = f1_score(y, pred, average=None)
results["f1"] = f1_score(y, pred, average="macro")
p, r, f, s = precision_recall_fscore_support(y, pred, average="macro")
cm = confusion_matrix(y, pred)
score = f1_score(y, pred, average=None)
accuracy = (pred == y).mean()
print(results, p, r, f, cm.sum(), score, accuracy)
print("precision", f"{p:.2f}", f"recall={r:.2f}")
