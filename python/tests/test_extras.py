"""The parameters and methods that scikit-learn does not have."""

import warnings

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning

from mfnet import MLPClassifier, MLPRegressor

warnings.simplefilter("ignore", ConvergenceWarning)


@pytest.fixture(scope="module")
def digits():
    X, y = load_digits(return_X_y=True)
    return X / 16, y


@pytest.mark.parametrize(
    "parameters",
    [
        {"dropout": 0.2},
        {"batch_norm": True},
        {"weight_decay": 0.01, "alpha": 0},
        {"clip_norm": 0.1},
        {"precision": "float32"},
        {"batch_norm": True, "batch_size": 1796},
        *({"activation": name} for name in ("elu", "gelu", "leaky-relu", "silu", "softplus")),
    ],
)
def test_each_has_an_effect_and_learns(digits, parameters):
    fits = [MLPClassifier((64,), max_iter=20, random_state=1, **extra).fit(*digits) for extra in ({}, parameters)]
    assert fits[0].loss_ != fits[1].loss_
    rate = {"learning_rate_init": 0.01} if "batch_size" in parameters else {}
    assert fits[1].set_params(max_iter=60, **rate).fit(*digits).score(*digits) > 0.95


def test_class_weights_are_sample_weights(digits):
    X, y = digits
    weighted = MLPClassifier((16,), max_iter=5, random_state=1, class_weight={0: 5.0}).fit(X, y)
    sample_weight = np.where(y == 0, 5.0, 1.0)
    twin = MLPClassifier((16,), max_iter=5, random_state=1).fit(X, y, sample_weight)
    np.testing.assert_array_equal(weighted.coefs_[0], twin.coefs_[0])
    balanced = MLPClassifier((16,), max_iter=5, random_state=1, class_weight="balanced").fit(X, y)
    assert balanced.loss_ != twin.loss_


def test_validation_data(digits):
    X, y = digits
    scores = []
    classifier = MLPClassifier(
        (32,), max_iter=8, random_state=1, callbacks=[lambda estimator: scores.append(estimator.score(X[1000:], y[1000:]))]
    )
    classifier.fit(X[:1000], y[:1000], validation_data=(X[1000:], y[1000:]))
    np.testing.assert_allclose(classifier.validation_scores_, scores)
    classifier.set_params(early_stopping=True, callbacks=None, max_iter=300, n_iter_no_change=3)
    classifier.fit(X[:1000], y[:1000], validation_data=(X[1000:], y[1000:]))
    assert classifier.n_iter_ < 300
    assert classifier.score(X[1000:], y[1000:]) == pytest.approx(classifier.best_validation_score_)
    with pytest.raises(ValueError, match="validation_data"):
        classifier.fit(X, y, validation_data=X)
    with pytest.raises(ValueError):
        classifier.fit(X, y, validation_data=(X[:, :3], y))


def test_callbacks_end_a_training(digits):
    classifier = MLPClassifier((8,), callbacks=lambda estimator: estimator.n_iter_ == 3).fit(*digits)
    assert classifier.n_iter_ == len(classifier.loss_curve_) == 3
    first = MLPRegressor(hidden_layer_sizes=(8,), callbacks=[lambda estimator: None, lambda estimator: True]).fit(*digits)
    assert first.n_iter_ == 1


@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_model_files(digits, precision, tmp_path):
    X, y = digits
    path = tmp_path / "model.safetensors"
    parameters = {"hidden_layer_sizes": (12,), "max_iter": 3, "random_state": 1, "precision": precision}
    for estimator, targets in (
        (MLPClassifier(**parameters, batch_norm=True, dropout=0.1, activation="gelu"), y),
        (MLPClassifier(**parameters), np.array(["ten"] + [f"of {digit}" for digit in y[1:]])),
        (MLPClassifier(**parameters, activation="logistic"), y > 4),
        (MLPClassifier(**parameters), (y[:, None] > [2, 5]).astype(int)),
        (MLPRegressor(**parameters, activation="identity"), y.astype(float)),
        (MLPRegressor(**parameters, activation="tanh"), np.stack([y, -y], axis=1)),
    ):
        estimator.fit(X, targets).save(path)
        loaded = type(estimator).load(path, random_state=5)
        assert (loaded.random_state, loaded.hidden_layer_sizes) == (5, (12,))
        np.testing.assert_array_equal(loaded.predict(X), estimator.predict(X))
        assert loaded.predict(X).dtype == estimator.predict(X).dtype
        loaded.partial_fit(X, targets).save(path)
        other = MLPRegressor if isinstance(estimator, MLPClassifier) else MLPClassifier
        with pytest.raises(ValueError, match="load it with"):
            other.load(path)


def test_onnx_files(digits, tmp_path):
    classifier = MLPClassifier((12,), max_iter=3).fit(*digits)
    classifier.to_onnx(tmp_path / "model.onnx")
    assert (tmp_path / "model.onnx").stat().st_size > 4 * 12 * 64


def test_files_that_are_refused(digits, tmp_path):
    X, y = digits
    with pytest.raises(OSError):
        MLPClassifier.load(tmp_path / "missing")
    path = tmp_path / "model"
    path.write_bytes(b"no model")
    with pytest.raises(ValueError):
        MLPClassifier.load(path)
    counts = MLPRegressor(loss="poisson", hidden_layer_sizes=(3,), max_iter=2).fit(X, y)
    with pytest.raises(ValueError, match="poisson"):
        counts.save(path)
    with pytest.raises(ValueError, match="two classes"):
        MLPClassifier((3,), max_iter=2).fit(X, np.zeros(len(X))).save(path)
    with pytest.raises(OSError):
        MLPClassifier((3,), max_iter=2).fit(X, y).save(tmp_path / "no" / "folder")


def test_verbose(digits, capsys):
    MLPClassifier((8,), max_iter=2, verbose=True, early_stopping=True).fit(*digits)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("Iteration 1, loss = ") and lines[1].startswith("Validation score: ")
    assert len(lines) == 4
