"""Wrong input ends in an exception of Python, never in a crash, and leaves the estimator usable."""

import warnings

import numpy as np
import pytest
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning

from mfnet import MLPClassifier, MLPRegressor
from mfnet._mfnet import Data, Network

warnings.simplefilter("ignore", ConvergenceWarning)

X = np.random.RandomState(1).randn(40, 4)
Y = (X[:, 0] > 0).astype(int)


LBFGS_HAS_NOT = {"callbacks": print, "clip_norm": 1.0, "early_stopping": True, "dropout": 0.1, "batch_norm": True}


def small(**parameters):
    return MLPClassifier(**({"hidden_layer_sizes": (5,), "max_iter": 5, "random_state": 1} | parameters))


@pytest.mark.parametrize(
    "inputs, targets",
    [
        (np.where(X > 2, np.nan, X), Y),
        (np.where(X > 1, np.inf, X), Y),
        (X[:0], Y[:0]),
        (X[:, :0], Y),
        (X[0], Y),
        (X[:, :, None], Y),
        (X, Y[:-1]),
        (X, None),
        (X, X[:, 0]),
        (X, np.stack([Y, 2 * Y], axis=1)),
        (X.astype(complex), Y),
        (np.full((40, 4), None), Y),
        (np.full((40, 4), "1x", dtype=object), Y),
        ([["a", "b"]] * 40, Y),
        ("text", Y),
        (None, Y),
    ],
)
def test_data(inputs, targets):
    classifier = small()
    with pytest.raises((ValueError, TypeError)):
        classifier.fit(inputs, targets)
    assert classifier.fit(X, Y).predict(X).shape == (40,)


@pytest.mark.parametrize(
    "weights", [-np.ones(40), np.full(40, np.nan), np.zeros(40), np.ones(39), np.ones((40, 2)), "text", np.full(40, 1e308)]
)
@pytest.mark.parametrize("estimator", [small(), MLPRegressor(hidden_layer_sizes=(5,), max_iter=5)])
def test_weights(estimator, weights):
    with pytest.raises((ValueError, TypeError)):
        estimator.fit(X, Y, sample_weight=weights)


@pytest.mark.parametrize(
    "parameters",
    [
        {"hidden_layer_sizes": (0,)},
        {"hidden_layer_sizes": (-3,)},
        {"hidden_layer_sizes": (2.5,)},
        {"hidden_layer_sizes": "5"},
        {"hidden_layer_sizes": (2**62,)},
        {"hidden_layer_sizes": (10**11,)},
        {"hidden_layer_sizes": (2**40, 2**40)},
        {"hidden_layer_sizes": (10**30,)},
        {"activation": "softmax"},
        {"activation": 3},
        {"solver": "newton"},
        {"alpha": -1},
        {"alpha": np.nan},
        {"batch_size": 0},
        {"batch_size": "all"},
        {"learning_rate": "fast"},
        {"learning_rate_init": 0},
        {"learning_rate_init": np.inf},
        {"power_t": -1, "learning_rate": "invscaling", "solver": "sgd"},
        {"max_iter": 0},
        {"max_iter": 2.5},
        {"shuffle": "yes"},
        {"random_state": "seed"},
        {"tol": -1},
        {"momentum": 2, "solver": "sgd"},
        {"validation_fraction": 1, "early_stopping": True},
        {"validation_fraction": 0.01, "early_stopping": True},
        {"beta_1": 1},
        {"epsilon": 0},
        {"n_iter_no_change": 0},
        {"dropout": 1},
        {"batch_norm": "yes"},
        {"weight_decay": 0.1},
        {"weight_decay": 0.1, "alpha": 0, "solver": "sgd"},
        {"class_weight": "heavy"},
        {"clip_norm": 0},
        {"precision": "float16"},
        {"threads": 0},
        {"threads": 10**6},
        {"callbacks": 7},
        *({"solver": "lbfgs", name: value} for name, value in LBFGS_HAS_NOT.items()),
    ],
)
def test_parameters(parameters):
    classifier = small(**parameters)
    with pytest.raises((ValueError, TypeError, MemoryError)):
        classifier.fit(X, Y)
    with pytest.raises(Exception, match="not fitted"):
        classifier.predict(X)


def test_sparse_matrices():
    rows = sparse.random(40, 4, density=0.3, format="csr", random_state=1)
    classifier = small().fit(rows, Y)
    odd = rows.copy()
    odd.data[0] = np.nan
    for inputs in (odd, rows[:, :2], rows[:0], sparse.csr_matrix((40, 0))):
        with pytest.raises(ValueError):
            classifier.predict(inputs)
    for inputs in (odd, rows[:0], sparse.csr_matrix((40, 0)), rows[:30]):
        with pytest.raises(ValueError):
            small().fit(inputs, Y)
    twice = sparse.csr_matrix((np.ones(80), np.zeros(80, dtype=int), np.arange(0, 81, 2)), shape=(40, 4))
    np.testing.assert_array_equal(classifier.predict(twice), classifier.predict(twice.toarray()))
    for parts in ((4,), (4, None, None, None), (4, np.array([0, 9]), np.array([0]), np.array([1.0])), (-1, 0, 0, 0)):
        with pytest.raises((TypeError, ValueError, OverflowError)):
            classifier._network.predict(parts)


def test_predictions_of_other_features():
    classifier = small().fit(X, Y)
    for inputs in (X[:, :3], np.hstack([X, X]), X[0], np.full((2, 4), np.nan), None, "text"):
        with pytest.raises((ValueError, TypeError)):
            classifier.predict(inputs)


def test_a_refit_with_other_features_and_classes():
    classifier = small().fit(X, Y).fit(X[:, :2], np.repeat(["a", "b", "c", "d"], 10))
    assert classifier.n_features_in_ == 2 and classifier.predict_proba(X[:, :2]).shape == (40, 4)
    with pytest.raises(ValueError):
        classifier.partial_fit(X, np.repeat(["a", "b", "c", "d"], 10))
    with pytest.raises(ValueError, match="classes"):
        classifier.partial_fit(X[:, :2], np.repeat(["a", "e"], 20))
    warm = small(warm_start=True).fit(X, Y)
    for targets, inputs in ((Y, X[:, :2]), (np.repeat([0, 1, 2, 3], 10), X)):
        with pytest.raises(ValueError):
            warm.fit(inputs, targets)
    with pytest.raises(ValueError, match="other layers"):
        warm.set_params(hidden_layer_sizes=(6,)).fit(X, Y)


def test_a_failed_refit_leaves_no_network_of_other_classes():
    classifier = small().fit(X, Y)
    with pytest.raises(ValueError):
        classifier.fit(X, np.repeat(["a", "b", "c", "d"], 10), sample_weight=-np.ones(40))
    with pytest.raises(Exception, match="not fitted"):
        classifier.predict(X)


def test_a_callback_that_raises():
    def callback(estimator):
        raise RuntimeError("out of ink")

    classifier = small(callbacks=callback)
    with pytest.raises(RuntimeError, match="out of ink"):
        classifier.fit(X, Y)
    assert classifier.set_params(callbacks=None).fit(X, Y).predict(X).shape == (40,)


def test_a_callback_that_uses_the_estimator():
    seen = []
    classifier = small(callbacks=lambda estimator: seen.append(estimator.score(X, Y)))
    classifier.fit(X, Y)
    assert len(seen) == 5


def test_numbers_beyond_the_range():
    with pytest.raises(ValueError, match="non-finite"):
        MLPRegressor(hidden_layer_sizes=(5,), solver="sgd", learning_rate_init=1e30).fit(X, 1e30 * Y)
    with pytest.raises(ValueError):
        small(precision="float32").fit(1e300 * X, Y)


def test_counts_are_not_negative():
    with pytest.raises(ValueError, match="at least 0"):
        MLPRegressor(loss="poisson").fit(X, X[:, 0])


def test_the_rust_part():
    spec = {
        "inputs": 4,
        "hidden": [3],
        "outputs": 1,
        "activation": "relu",
        "kind": "answers",
        "precision": "float64",
        "dropout": 0.0,
        "batch_norm": False,
        "seed": 0,
    }
    for change in (
        {"inputs": 0},
        {"inputs": -1},
        {"hidden": [0]},
        {"outputs": 2**63},
        {"activation": "none"},
        {"kind": ""},
        {"precision": ""},
        {"dropout": 2.0},
    ):
        with pytest.raises((ValueError, TypeError)):
            Network(spec | change)
    with pytest.raises((TypeError, KeyError, ValueError)):
        Network({})
    network = Network(spec)
    data = Data(X, Y.astype(float).reshape(-1, 1), "float64")
    with pytest.raises(ValueError, match="no settings"):
        network.train(data, 1)
    with pytest.raises(ValueError, match="features"):
        network.predict(X[:, :2])
    for inputs in (None, "text", X.astype(int), X[0], [[1.0]]):
        with pytest.raises(TypeError):
            network.predict(inputs)
    for coefs, intercepts in (([], []), ([X], [X[0]]), (network.weights()[0], [])):
        with pytest.raises(ValueError):
            network.set_weights(coefs, intercepts)
    for state in ({}, {"settings": None, "progress": {}, "tensors": [], "best": None, "optimizer": None}):
        with pytest.raises((ValueError, KeyError, TypeError)):
            network.__setstate__(state)
    with pytest.raises(ValueError):
        data.select([40])
    with pytest.raises(ValueError):
        data.select([])
    with pytest.raises(ValueError):
        Data(X, np.zeros(40, dtype=np.uint32) + 3, "float64", classes=2)
