from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.neighbors import KNeighborsClassifier

X, y = load_iris(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.5, random_state=0)

models = {
    "logreg": LogisticRegression(max_iter=500),
    "knn": KNeighborsClassifier(n_neighbors=5),
    "forest": RandomForestClassifier(n_estimators=20, random_state=0),
}

best_name, best_score = None, 0.0
for name, model in models.items():
    model.fit(X_train, y_train)
    train_score = model.score(X_train, y_train)
    test_score = model.score(X_test, y_test)
    print(f"{name:10s} train {train_score:.3f} test {test_score:.3f}")
    if test_score > best_score:
        best_name, best_score = name, test_score
print("best:", best_name)
