import xgboost as xgb
from sklearn.datasets import load_breast_cancer
from sklearn.metrics import log_loss, roc_auc_score
from sklearn.model_selection import train_test_split

X, y = load_breast_cancer(return_X_y=True)
X_train, X_val, y_train, y_val = train_test_split(X, y, test_size=0.2, random_state=13)

dtrain = xgb.DMatrix(X_train, label=y_train)
dval = xgb.DMatrix(X_val, label=y_val)

params = {
    "objective": "binary:logistic",
    "eval_metric": ["logloss", "auc"],
    "max_depth": 3,
    "eta": 0.2,
    "seed": 13,
    "nthread": 1,
}
num_rounds = 15

results = {}
bst = xgb.train(
    params,
    dtrain,
    num_boost_round=num_rounds,
    evals=[(dtrain, "train"), (dval, "val")],
    evals_result=results,
    verbose_eval=5,
)

preds = bst.predict(dval)
auc = roc_auc_score(y_val, preds)
print(f"val auc {auc:.5f}, logloss {log_loss(y_val, preds):.5f}")
bst.save_model("xgb.json")
