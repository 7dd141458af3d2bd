import functools, time
from sklearn.datasets import load_iris
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.metrics import f1_score

def timed(fn):
    @functools.wraps(fn)
    def inner(*args, **kwargs):
        t0 = time.perf_counter()
        out = fn(*args, **kwargs)
        elapsed = time.perf_counter() - t0
        return out
    return inner

@timed
def train(params):
    X, y = load_iris(return_X_y=True)
    model = ExtraTreesClassifier(**params)
    model.fit(X, y)
    return {"f1": f1_score(y, model.predict(X), average="macro"), "n": len(y)}

PARAMS = {
    "n_estimators": 7,
    "random_state": 3,
}
metrics = train(PARAMS)
for k, v in metrics.items():
    print(k, v)
