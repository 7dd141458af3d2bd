from sklearn.datasets import make_classification
from sklearn.model_selection import train_test_split


def load(seed):
    X, y = make_classification(n_samples=400, n_features=12, random_state=seed)
    return train_test_split(X, y, test_size=0.3, random_state=seed)
