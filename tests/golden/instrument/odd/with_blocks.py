import contextlib, io, warnings
from sklearn.datasets import load_wine
from sklearn.neural_network import MLPClassifier
X, y = load_wine(return_X_y=True)
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    net = MLPClassifier(hidden_layer_sizes=(4,), max_iter=20,
                        random_state=0)
    with contextlib.suppress(ValueError):
        net.fit(X, y)
        final_loss = net.loss_
        train_acc = net.score(X, y)
    try:
        acc2 = net.score(X, y)
    except Exception:
        acc2 = None
print("train acc: {:.3f}".format(train_acc))
print(acc2)
