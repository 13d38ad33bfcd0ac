"""The classifier."""

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import check_classification_targets, type_of_target, unique_labels
from sklearn.utils.validation import column_or_1d, validate_data

from ._base import BaseMLP, inputs, is_stochastic, matrix_of_numbers, set_parameters
from ._mfnet import Data
from ._parameters import COMMON_PARAMETERS


class MLPClassifier(ClassifierMixin, BaseMLP):
    __doc__ = f"""Multi-layer perceptron for classes, with the parameters, defaults and attributes of
    `sklearn.neural_network.MLPClassifier`. The parameters from `dropout` on are not in scikit-learn.

    Targets are classes, or an indicator matrix of several labels for a sample.

    Parameters
    ----------
    class_weight : dict, 'balanced' or None, default=None
        The weight of each class, by which the weights of its samples are multiplied.
    {COMMON_PARAMETERS}
    """

    def __init__(
        self,
        hidden_layer_sizes=(100,),
        activation="relu",
        *,
        solver="adam",
        alpha=0.0001,
        batch_size="auto",
        learning_rate="constant",
        learning_rate_init=0.001,
        power_t=0.5,
        max_iter=200,
        shuffle=True,
        random_state=None,
        tol=1e-4,
        verbose=False,
        warm_start=False,
        momentum=0.9,
        nesterovs_momentum=True,
        early_stopping=False,
        validation_fraction=0.1,
        beta_1=0.9,
        beta_2=0.999,
        epsilon=1e-8,
        n_iter_no_change=10,
        max_fun=15000,
        dropout=0.0,
        batch_norm=False,
        weight_decay=0.0,
        class_weight=None,
        clip_norm=None,
        precision="auto",
        threads=None,
        callbacks=None,
    ):
        set_parameters(self, locals())

    def fit(self, X, y, sample_weight=None, validation_data=None):
        """Trains the network; returns the estimator.

        `validation_data`, (X, y) or (X, y, sample_weight), is scored after each epoch, and takes the place of the part that
        early stopping parts from the training samples.
        """
        return self._fit(X, y, sample_weight, validation_data)

    @available_if(is_stochastic)
    def partial_fit(self, X, y, sample_weight=None, classes=None):
        """Trains for one epoch on these samples; returns the estimator.

        The first call needs `classes`, those of all calls.
        """
        return self._fit(X, y, sample_weight, classes=classes, incremental=True)

    def predict(self, X):
        """The predicted class of each sample, or its labels as a row of an indicator matrix."""
        probabilities = self._predictions(X)
        if self._is_multilabel:
            return (probabilities > 0.5).astype(int)
        if self.n_outputs_ == 1:
            # A single class has the place 0 only.
            places = np.minimum(probabilities.ravel() > 0.5, len(self.classes_) - 1)
        else:
            places = np.argmax(probabilities, axis=1)
        return self.classes_[places.astype(int)]

    def predict_proba(self, X):
        """The probability of each class in the order of `classes_`, or of each label: samples x classes."""
        probabilities = self._predictions(X)
        if self.n_outputs_ == 1:
            return np.hstack([1 - probabilities, probabilities])
        return probabilities

    def predict_log_proba(self, X):
        """The logarithm of `predict_proba`."""
        with np.errstate(divide="ignore"):
            return np.log(self.predict_proba(X))

    def _validate_targets(self, X, y, classes, incremental, reset):
        X, y = validate_data(
            self,
            X,
            y,
            accept_sparse=("csr", "csc"),
            multi_output=True,
            dtype=(np.float64, np.float32),
            reset=reset,
        )
        if hasattr(y, "toarray"):
            y = y.toarray()
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        check_classification_targets(y)
        kind = type_of_target(y)
        if kind == "multiclass-multioutput":
            raise ValueError("Multioutput target data is not supported: y must be classes, or an indicator matrix")
        is_multilabel = kind == "multilabel-indicator"
        if reset:
            self._is_multilabel = is_multilabel
            if is_multilabel:
                self.classes_ = np.arange(y.shape[1])
            elif incremental and classes is None:
                raise ValueError("classes must be passed on the first call to partial_fit.")
            else:
                self.classes_ = unique_labels(y if classes is None else classes)
        elif classes is not None and not np.array_equal(self.classes_, unique_labels(classes)):
            raise ValueError(
                f"`classes={classes!r}` is not the same as on last call to partial_fit, was: {self.classes_!r}"
            )
        if is_multilabel != self._is_multilabel or (is_multilabel and y.shape[1] != len(self.classes_)):
            raise ValueError("y has other labels than in the previous call to fit")
        if is_multilabel:
            return X, (y != 0).astype(np.float64)
        found = np.unique(y)
        if not np.isin(found, self.classes_).all():
            raise ValueError(
                f"`y` has classes not in `self.classes_`. `self.classes_` has {self.classes_}. 'y' has {found}."
            )
        if not reset and not incremental and self.warm_start and len(found) != len(self.classes_):
            raise ValueError(
                "warm_start can only be used where `y` has the same classes as in the previous call to fit. "
                f"Previously got {self.classes_}, `y` has {found}"
            )
        return X, np.searchsorted(self.classes_, y)

    def _sample_weights(self, sample_weight, X, targets):
        weights = super()._sample_weights(sample_weight, X, targets)
        if self.class_weight is None:
            return weights
        if self._is_multilabel:
            raise ValueError("class_weight is for classes, and y is an indicator matrix: use sample_weight")
        by_class = compute_sample_weight(self.class_weight, self.classes_[targets])
        return by_class if weights is None else weights * by_class

    def _outputs(self, targets):
        return 1 if not self._is_multilabel and len(self.classes_) <= 2 else len(self.classes_)

    def _kind(self, _targets):
        return "answers" if self._is_multilabel or len(self.classes_) <= 2 else "classes"

    def _strata(self, targets):
        # Of two classes only, as scikit-learn does it, so that both have the same validation samples.
        return targets if self.n_outputs_ == 1 else None

    def _data(self, X, targets, weights, precision):
        if self._kind(targets) == "classes":
            labels = targets.astype(np.uint32)
            return Data(inputs(X), labels, precision, classes=len(self.classes_), weights=weights)
        return Data(inputs(X), matrix_of_numbers(targets, precision), precision, weights=weights)

    def _names(self):
        classes = [str(label) for label in self.classes_]
        if self._kind(None) == "classes":
            return super()._names() | {"labels": classes}
        answers = [["0", "1"]] * self.n_outputs_ if self._is_multilabel else [classes]
        if any(len(pair) < 2 for pair in answers):
            raise ValueError("a model file has at least two classes, and this classifier has one")
        return super()._names() | {"answers": answers}

    def _take_names(self, spec, names):
        if spec["kind"] not in ("answers", "classes"):
            raise ValueError("the file holds a regression: load it with MLPRegressor")
        self._is_multilabel = spec["kind"] == "answers" and spec["outputs"] > 1
        if self._is_multilabel:
            self.classes_ = np.arange(spec["outputs"])
        else:
            self.classes_ = as_classes(names["labels"] or names["answers"][0])

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags


def as_classes(texts):
    """The classes of these names: whole numbers, other numbers or booleans if all names are such, otherwise the texts."""
    for kind in (int, float, {"False": False, "True": True}.__getitem__):
        try:
            return np.array([kind(text) for text in texts])
        except (ValueError, KeyError):
            continue
    return np.array(texts)
