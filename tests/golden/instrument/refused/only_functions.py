from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score
from sklearn.svm import SVC


def fit_svm(X, y):
    model = SVC().fit(X, y)
    svm_accuracy = accuracy_score(y, model.predict(X))
    return model, svm_accuracy


def fit_logistic(X, y):
    model = LogisticRegression().fit(X, y)
    logistic_accuracy = accuracy_score(y, model.predict(X))
    return model, logistic_accuracy
