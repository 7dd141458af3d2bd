import sys
from sklearn.svm import SVC

clf = SVC()
clf.fit(X, y)
print "accuracy:", clf.score(X, y)
