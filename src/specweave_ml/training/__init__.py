"""Training helpers: wrap it once, everything is recorded. All on the public handle of `tracking`, nothing deeper.

What they share

    recorded.py             an experiment that is kept; what could not be recorded is said, never raised
    estimators.py           estimators as scikit-learn means them
    given.py, scoring.py    what the caller gives, looked at before training; what is measured
    folds.py, fit.py        splits as data; one fit on one of them
    framework.py            classes of ours that are of a framework's class as well
    workers.py, progress.py many fits at once, and a line that says how far they are

What people call

    search.py               every combination of params a trial (with trials.py and resuming.py)
    cross_validation.py     every fold
    comparing.py            several models on the same rows
    autotrack.py            a decorator around training code (with calls.py and results.py)
    pipeline.py             stages with dependencies
    boosting.py             every round of XGBoost and LightGBM
    optuna_study.py         every trial of an Optuna study
    neighbours.py           experiments on model classes, and baselines: names that neighbouring skills call
    sklearn_model.py, torch_model.py    two more: an estimator, a PyTorch model
    keras.py                a callback of Keras 3
    event_files.py          the same, with event files of TensorBoard
    lightning.py            a logger of Lightning
    transformers.py         a callback of Hugging Face Transformers
"""
