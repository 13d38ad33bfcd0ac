"""From the same initial weights and batches, losses and weights follow scikit-learn's."""

import warnings

import numpy as np
import pytest
from scipy import sparse
from sklearn import neural_network
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import shuffle

import mfnet

SEED = 3
EPOCHS = 20


@pytest.fixture(autouse=True)
def without_convergence_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        yield


def samples(count=90, features=5, seed=1):
    random = np.random.RandomState(seed)
    return random.randn(count, features), random


def classes(count):
    X, random = samples()
    y = np.argmax(X[:, :count] + 0.3 * random.randn(len(X), count), axis=1)
    return X, np.array(["red", "green", "blue"])[y]


def labels():
    X, random = samples()
    return X, (X[:, :3] + 0.3 * random.randn(len(X), 3) > 0).astype(int)


def numbers(targets):
    X, random = samples()
    y = np.tanh(X[:, :targets]) + 0.1 * random.randn(len(X), targets)
    return X, y[:, 0] if targets == 1 else y


class Order:
    """scikit-learn's order of the samples in each epoch, which it draws after the initial weights."""

    def __init__(self, estimator, X, outputs):
        self.random = np.random.RandomState(SEED)
        sizes = [X.shape[1], *estimator.hidden_layer_sizes, outputs]
        for inputs, units in zip(sizes, sizes[1:]):
            self.random.uniform(size=(inputs, units))
            self.random.uniform(size=units)
        self.indices = np.arange(len(X))

    def __call__(self, epoch, count):
        assert count == len(self.indices)
        self.indices = shuffle(self.indices, random_state=self.random)
        return self.indices.tolist()


def both(name, X, y, fit=None, ordered=True, **parameters):
    """The estimators of scikit-learn and of mfnet, trained alike for 20 epochs."""
    parameters = {
        "hidden_layer_sizes": (7, 4),
        "batch_size": 32,
        "random_state": SEED,
        "max_iter": EPOCHS,
        "tol": 0,
        "n_iter_no_change": np.inf,
    } | parameters
    theirs = getattr(neural_network, name)(**parameters).fit(X, y, **(fit or {}))
    ours = getattr(mfnet, name)(**parameters)
    if ordered:
        ours._batch_order = Order(ours, X, theirs.n_outputs_)
    ours.fit(X, y, **(fit or {}))
    return theirs, ours


def assert_agreement(theirs, ours, X, tolerance=1e-8):
    close = {"rtol": tolerance, "atol": tolerance}
    assert ours.n_iter_ == theirs.n_iter_
    np.testing.assert_allclose(ours.loss_curve_, theirs.loss_curve_, **close)
    for own, other in zip(ours.coefs_ + ours.intercepts_, theirs.coefs_ + theirs.intercepts_):
        assert own.dtype == other.dtype
        np.testing.assert_allclose(own, other, **close)
    if hasattr(theirs, "classes_"):
        np.testing.assert_array_equal(ours.classes_, theirs.classes_)
        np.testing.assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), **close)
        np.testing.assert_array_equal(ours.predict(X), theirs.predict(X))
    else:
        np.testing.assert_allclose(ours.predict(X), theirs.predict(X), **close)
    for attribute in ("t_", "n_layers_", "n_outputs_", "out_activation_", "n_features_in_"):
        assert getattr(ours, attribute) == getattr(theirs, attribute)
    for attribute in ("loss_", "best_loss_", "best_validation_score_"):
        assert getattr(ours, attribute) == pytest.approx(getattr(theirs, attribute), abs=tolerance)


SOLVERS = {
    "adam": {"solver": "adam", "learning_rate_init": 0.01},
    "adam with other betas": {"solver": "adam", "beta_1": 0.7, "beta_2": 0.95, "epsilon": 1e-4},
    "sgd": {"solver": "sgd", "momentum": 0, "learning_rate_init": 0.1},
    "momentum": {"solver": "sgd", "nesterovs_momentum": False, "learning_rate_init": 0.05},
    "nesterov": {"solver": "sgd", "learning_rate_init": 0.05},
    "invscaling": {"solver": "sgd", "learning_rate": "invscaling", "learning_rate_init": 0.5},
    "strong penalty": {"solver": "sgd", "alpha": 3.0, "learning_rate_init": 0.05},
    "adam without penalty": {"solver": "adam", "alpha": 0.0},
}


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("activation", ["identity", "logistic", "tanh", "relu"])
def test_solvers_and_activations(solver, activation):
    X, y = classes(3)
    assert_agreement(*both("MLPClassifier", X, y, activation=activation, **SOLVERS[solver]), X)


@pytest.mark.parametrize("solver", ["adam", "nesterov"])
def test_targets(solver):
    for X, y in (classes(2), labels()):
        assert_agreement(*both("MLPClassifier", X, y, **SOLVERS[solver]), X)
    for X, y in (numbers(1), numbers(2)):
        assert_agreement(*both("MLPRegressor", X, y, **SOLVERS[solver]), X)
    X, y = numbers(1)
    assert_agreement(*both("MLPRegressor", X, np.round(np.exp(y)), loss="poisson", **SOLVERS[solver]), X)


def test_adaptive_rates():
    X, y = numbers(1)
    parameters = {"learning_rate": "adaptive", "learning_rate_init": 0.1, "tol": 0.05, "n_iter_no_change": 1}
    theirs, ours = both("MLPRegressor", X, y, solver="sgd", max_iter=60, **parameters)
    assert theirs.n_iter_ < 60, "the rate fell until the end"
    assert_agreement(theirs, ours, X)


@pytest.mark.parametrize("activation", ["identity", "logistic", "tanh", "relu"])
def test_lbfgs(activation):
    X, y = numbers(2)
    parameters = {"solver": "lbfgs", "activation": activation, "tol": 1e-8, "alpha": 0.01}
    weights = np.linspace(0, 2, len(X))
    for fit in ({}, {"sample_weight": weights}):
        theirs, ours = both("MLPRegressor", X, y, fit, ordered=False, **parameters)
        assert ours.n_iter_ == theirs.n_iter_
        assert ours.loss_ == pytest.approx(theirs.loss_, rel=1e-8)
        for own, other in zip(ours.coefs_ + ours.intercepts_, theirs.coefs_ + theirs.intercepts_):
            np.testing.assert_allclose(own, other, rtol=1e-6, atol=1e-8)
    X, y = classes(3)
    theirs, ours = both("MLPClassifier", X, y, ordered=False, **parameters)
    assert ours.n_iter_ == theirs.n_iter_
    np.testing.assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), rtol=1e-6, atol=1e-8)


def test_sparse_samples():
    X, y = classes(3)
    X[np.random.RandomState(2).rand(*X.shape) < 0.7] = 0
    for kind in (sparse.csr_matrix, sparse.csc_matrix, sparse.csr_array, sparse.coo_matrix):
        theirs, ours = both("MLPClassifier", kind(X), y, ordered=False, shuffle=False)
        assert_agreement(theirs, ours, kind(X))
        np.testing.assert_allclose(ours.predict_proba(X), ours.predict_proba(kind(X)), rtol=1e-12)
    parameters = {"early_stopping": True, "shuffle": False}
    assert_agreement(*both("MLPClassifier", sparse.csr_matrix(X), y, ordered=False, **parameters), X)


@pytest.mark.parametrize("name", ["MLPClassifier", "MLPRegressor"])
def test_sample_weights(name):
    X, y = classes(3) if name == "MLPClassifier" else numbers(1)
    weights = np.random.RandomState(5).uniform(0, 3, len(X))
    weights[::7] = 0
    assert_agreement(*both(name, X, y, {"sample_weight": weights}), X)


@pytest.mark.parametrize("name", ["MLPClassifier", "MLPRegressor"])
def test_early_stopping(name):
    for X, y in (classes(2), classes(3), labels()) if name == "MLPClassifier" else (numbers(1), numbers(2)):
        for weights in (None, np.linspace(0.5, 2, len(X))):
            parameters = {"early_stopping": True, "shuffle": False, "tol": 1e-3, "n_iter_no_change": 3}
            fit = {"sample_weight": weights}
            theirs, ours = both(name, X, y, fit, ordered=False, max_iter=50, **parameters)
            assert_agreement(theirs, ours, X)
            np.testing.assert_allclose(ours.validation_scores_, theirs.validation_scores_, rtol=1e-8)


def test_the_end_by_tolerance():
    X, y = classes(3)
    parameters = {"shuffle": False, "tol": 5e-3, "n_iter_no_change": 4, "learning_rate_init": 0.01}
    theirs, ours = both("MLPClassifier", X, y, ordered=False, max_iter=500, **parameters)
    assert theirs.n_iter_ < 500
    assert_agreement(theirs, ours, X, tolerance=1e-6)


def test_warm_starts_and_partial_fits():
    X, y = classes(3)
    parameters = {"hidden_layer_sizes": (7, 4), "batch_size": 32, "random_state": SEED, "shuffle": False, "max_iter": 5}
    pair = [package.MLPClassifier(warm_start=True, **parameters) for package in (neural_network, mfnet)]
    for estimator in pair:
        estimator.fit(X, y).fit(X, y)
    assert_agreement(*pair, X)
    pair = [package.MLPClassifier(**parameters) for package in (neural_network, mfnet)]
    for estimator in pair:
        for part in (slice(0, 50), slice(50, 90), slice(0, 90)):
            estimator.partial_fit(X[part], y[part], classes=["blue", "green", "red"])
    assert_agreement(*pair, X)


def test_single_precision():
    X, y = classes(3)
    theirs, ours = both("MLPClassifier", X.astype(np.float32), y)
    assert ours.coefs_[0].dtype == np.float32
    assert_agreement(theirs, ours, X.astype(np.float32), tolerance=1e-4)


def test_no_hidden_layer():
    X, y = numbers(1)
    assert_agreement(*both("MLPRegressor", X, y, hidden_layer_sizes=()), X)


def test_the_same_defaults():
    for name in ("MLPClassifier", "MLPRegressor"):
        theirs, ours = (getattr(package, name)().get_params() for package in (neural_network, mfnet))
        assert {name: ours[name] for name in theirs} == theirs
