"""Trains small networks in scikit-learn and writes down the results, for Rust to follow.

    python make_scikit_learn_goldens.py        (scikit-learn 1.9, f64; writes scikit_learn.txt next to itself)

Weights and data come from the formulas of make_goldens.py, and batches are in the order of the samples;
tests/numbers/follows_scikit_learn.rs has the same ones. A case is a line with its name and four more: the number of epochs or
iterations, the loss of each epoch (of L-BFGS: of the last iteration), and the weights of each of the three layers at the end,
[bias, W] row by row.
"""

import math
import warnings
from pathlib import Path

import numpy as np
from sklearn.neural_network import MLPClassifier, MLPRegressor

SAMPLES, BATCH, EPOCHS, ALPHA = 18, 4, 20, 0.3  # batches of 4, 4, 4, 4 and 2
FEATURES, HIDDEN = 5, (4, 3)


def wave(rows, columns, scale, step, phase):
    """scale * sin(step * index + phase), row by row."""
    values = [scale * math.sin(step * index + phase) for index in range(rows * columns)]
    return np.array(values).reshape(rows, columns)


def starting_from_waves(base):
    """The estimator with weights [bias | W] = wave(outputs, inputs + 1, 0.8, 0.7, layer); layers count from 1."""

    class Estimator(base):
        def _init_coef(self, fan_in, fan_out, dtype):
            self.layer = getattr(self, "layer", 0) + 1
            weights = wave(fan_out, fan_in + 1, 0.8, 0.7, self.layer)
            return weights[:, 1:].T.copy(), weights[:, 0].copy()

    return Estimator


INPUTS = wave(SAMPLES, FEATURES, 1.5, 0.9, 0.2)
CLASSES = np.array([(7 * index // 3) % 3 for index in range(SAMPLES)])
NUMBERS = wave(SAMPLES, 1, 1.0, 0.5, 1.0)[:, 0]
TASKS = {
    "classes": (MLPClassifier, CLASSES),
    "answers": (MLPClassifier, (NUMBERS > 0.3).astype(int)),
    "numbers": (MLPRegressor, NUMBERS),
}
SGD = dict(solver="sgd", learning_rate_init=0.05)
SOLVERS = {
    "sgd": dict(SGD, momentum=0.0),
    "momentum": dict(SGD, nesterovs_momentum=False),
    "nesterov": SGD,
    "adam": dict(solver="adam", learning_rate_init=0.01),
}


def train(file, name, task, **options):
    base, targets = TASKS[task]
    options = dict(dict(batch_size=BATCH, max_iter=EPOCHS, n_iter_no_change=10**6, alpha=ALPHA), **options)
    if options["solver"] == "lbfgs":
        del options["batch_size"], options["n_iter_no_change"]
    model = starting_from_waves(base)(hidden_layer_sizes=HIDDEN, shuffle=False, **options)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(INPUTS, targets)
    losses = getattr(model, "loss_curve_", [model.loss_])
    file.write(f"case {name}\nepochs {model.n_iter_}\n")
    file.write(" ".join(["losses"] + [repr(float(loss)) for loss in losses]) + "\n")
    for weights, bias in zip(model.coefs_, model.intercepts_):
        rows = np.column_stack([bias, weights.T]).ravel()
        file.write(" ".join(["weights"] + [repr(float(value)) for value in rows]) + "\n")


with open(Path(__file__).with_name("scikit_learn.txt"), "w") as file:
    for task in ["classes", "answers", "numbers"]:
        for activation in ["identity", "logistic", "tanh", "relu"]:
            train(file, f"{task} {activation} nesterov", task, activation=activation, **SOLVERS["nesterov"])
        for solver in ["sgd", "momentum", "adam"]:
            train(file, f"{task} tanh {solver}", task, activation="tanh", **SOLVERS[solver])
        for iterations in [3, 20]:
            options = dict(solver="lbfgs", activation="tanh", max_iter=iterations, tol=1e-12)
            train(file, f"{task} tanh lbfgs {iterations}", task, **options)
    long = dict(solver="lbfgs", activation="tanh", max_iter=2000, tol=1e-6, alpha=0.1)
    train(file, "long classes", "classes", **long)
    train(file, "long numbers", "numbers", **long)
    tanh = dict(activation="tanh", **SOLVERS["nesterov"])
    train(file, "inverse scaling", "numbers", learning_rate="invscaling", power_t=0.3, **tanh)
    stops = dict(tanh, max_iter=2000, tol=1e-3, n_iter_no_change=3)
    train(file, "tolerance", "numbers", **stops)
    train(file, "adaptive", "numbers", learning_rate="adaptive", **stops)
