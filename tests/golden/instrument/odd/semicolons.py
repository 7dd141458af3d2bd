import numpy as np; from sklearn.linear_model import LinearRegression
from sklearn.metrics import r2_score; import sys
rng = np.random.default_rng(0); X = rng.normal(size=(50, 2)); y = X @ [1, 2]
m = LinearRegression(); m.fit(X, y); p = m.predict(X)
r2 = r2_score(y, p); print("r2", r2)
if r2 > 0.5: score = m.score(X, y); print(score)
