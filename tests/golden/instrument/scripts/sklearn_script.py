import joblib
import pandas as pd
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import accuracy_score, classification_report, f1_score, roc_auc_score
from sklearn.model_selection import train_test_split

# load data
data = load_breast_cancer(as_frame=True)
df = pd.concat([data.data, data.target.rename("label")], axis=1)
X = df.drop(columns="label")
y = df["label"]

X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.25, random_state=42)

# train the model
model = RandomForestClassifier(n_estimators=40, max_depth=4, random_state=42)
model.fit(X_train, y_train)

# evaluate
y_pred = model.predict(X_test)
accuracy = accuracy_score(y_test, y_pred)
f1 = f1_score(y_test, y_pred)
print("Accuracy:", accuracy)
print("F1:", f1)
print("AUC:", roc_auc_score(y_test, model.predict_proba(X_test)[:, 1]))
print(classification_report(y_test, y_pred))

joblib.dump(model, "model.joblib")
