#!/usr/bin/env python
# -*- coding: utf-8 -*-
"""Predict diabetes progression with gradient boosting.

    python argparse_main.py --max-depth 3
"""

from __future__ import annotations

import argparse
import logging
import sys

import numpy as np
from sklearn.datasets import load_diabetes
from sklearn.ensemble import GradientBoostingRegressor
from sklearn.metrics import mean_squared_error, r2_score
from sklearn.model_selection import train_test_split

log = logging.getLogger(__name__)


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--learning-rate", type=float, default=0.1)
    parser.add_argument("--max-depth", type=int, default=3)
    parser.add_argument("--n-estimators", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


def load_data(seed: int):
    X, y = load_diabetes(return_X_y=True)
    return train_test_split(X, y, test_size=0.2, random_state=seed)


def main() -> int:
    args = parse_args()
    logging.basicConfig(level=logging.INFO)

    X_train, X_test, y_train, y_test = load_data(args.seed)
    model = GradientBoostingRegressor(
        learning_rate=args.learning_rate,
        max_depth=args.max_depth,
        n_estimators=args.n_estimators,
        random_state=args.seed,
    )
    model.fit(X_train, y_train)

    predictions = model.predict(X_test)
    rmse = np.sqrt(mean_squared_error(y_test, predictions))
    r2 = r2_score(y_test, predictions)
    print(f"RMSE: {rmse:.3f}  R2: {r2:.3f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
