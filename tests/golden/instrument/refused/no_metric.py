import joblib
from sklearn.datasets import load_iris
from sklearn.metrics import classification_report
from sklearn.svm import SVC

X, y = load_iris(return_X_y=True)
model = SVC().fit(X, y)
print(classification_report(y, model.predict(X)))
