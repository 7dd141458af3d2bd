import pickle

import lightgbm as lgb
import numpy as np
from sklearn.datasets import load_diabetes
from sklearn.metrics import mean_absolute_error
from sklearn.model_selection import train_test_split

MODEL_PATH = "lgbm.pkl"


def train(X_train, y_train, X_valid, y_valid, learning_rate=0.1, num_leaves=15):
    params = dict(objective="regression", metric="l2", learning_rate=learning_rate, num_leaves=num_leaves,
                  verbosity=-1, num_threads=1)
    train_set = lgb.Dataset(X_train, y_train)
    valid_set = lgb.Dataset(X_valid, y_valid, reference=train_set)
    evals = {}
    booster = lgb.train(params, train_set, num_boost_round=20, valid_sets=[valid_set], valid_names=["valid"],
                        callbacks=[lgb.record_evaluation(evals)])
    with open(MODEL_PATH, "wb") as f:
        pickle.dump(booster, f)
    return booster


if __name__ == '__main__':
    X, y = load_diabetes(return_X_y=True)
    X_tr, X_te, y_tr, y_te = train_test_split(X, y, random_state=0)
    booster = train(X_tr, y_tr, X_te, y_te)
    pred = booster.predict(X_te)
    mae = mean_absolute_error(y_te, pred)
    rmse = np.sqrt(np.mean((y_te - pred) ** 2))
    print('MAE', mae)
    print('RMSE', rmse)
