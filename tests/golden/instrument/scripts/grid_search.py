from sklearn.datasets import load_wine
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

SEED = 7

X, y = load_wine(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=SEED, stratify=y)

pipe = Pipeline([("scaler", StandardScaler()), ("svc", SVC())])
param_grid = {
    "svc__C": [0.1, 1, 10],
    "svc__kernel": ["linear", "rbf"],
}

search = GridSearchCV(pipe, param_grid, cv=3, scoring="accuracy")
search.fit(X_train, y_train)

print("Best params:", search.best_params_)
print("Best CV score: %.4f" % search.best_score_)
print("Test score: %.4f" % search.score(X_test, y_test))
