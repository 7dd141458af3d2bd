from scipy.stats import randint
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import RandomizedSearchCV

X, y = load_iris(return_X_y=True)
search = RandomizedSearchCV(
    RandomForestClassifier(random_state=0),
    {"n_estimators": randint(3, 9), "max_depth": [1, 2, 3]},
    n_iter=3, cv=3, random_state=0,
    scoring={"acc": "accuracy", "f1": "f1_macro"}, refit="acc",
).fit(X, y)
best = search.best_estimator_
print(search.best_params_, search.best_score_)
