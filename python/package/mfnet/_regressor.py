"""The regressor."""

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import column_or_1d, validate_data

from ._base import BaseMLP, inputs, is_stochastic, matrix_of_numbers, set_parameters
from ._mfnet import Data
from ._parameters import COMMON_PARAMETERS


class MLPRegressor(RegressorMixin, BaseMLP):
    __doc__ = f"""Multi-layer perceptron for numbers, with the parameters, defaults and attributes of
    `sklearn.neural_network.MLPRegressor`. The parameters from `dropout` on are not in scikit-learn.

    Parameters
    ----------
    loss : {{'squared_error', 'poisson'}}, default='squared_error'
        Half of the squared error; or half of the Poisson deviance, of targets of at least 0 and with the exponential function
        after the last layer.
    {COMMON_PARAMETERS}
    """

    def __init__(
        self,
        loss="squared_error",
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
    def partial_fit(self, X, y, sample_weight=None):
        """Trains for one epoch on these samples; returns the estimator."""
        return self._fit(X, y, sample_weight, incremental=True)

    def predict(self, X):
        """The predicted targets: one for each sample, or samples x outputs."""
        predictions = self._predictions(X)
        return predictions.ravel() if predictions.shape[1] == 1 else predictions

    def _validate_targets(self, X, y, _classes, _incremental, reset):
        X, y = validate_data(
            self,
            X,
            y,
            accept_sparse=("csr", "csc"),
            multi_output=True,
            y_numeric=True,
            dtype=(np.float64, np.float32),
            reset=reset,
        )
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        if self.loss == "poisson" and np.any(y < 0):
            raise ValueError("the loss 'poisson' needs targets of at least 0")
        outputs = 1 if y.ndim == 1 else y.shape[1]
        if not reset and outputs != self.n_outputs_:
            raise ValueError(f"y has {outputs} outputs, and the network of the earlier fit has {self.n_outputs_}")
        return X, y

    def _outputs(self, targets):
        return 1 if targets.ndim == 1 else targets.shape[1]

    def _kind(self, _targets):
        return "counts" if self.loss == "poisson" else "numbers"

    def _strata(self, _targets):
        return None

    def _data(self, X, targets, weights, precision):
        return Data(inputs(X), matrix_of_numbers(targets, precision), precision, weights=weights)

    def _take_names(self, spec, names):
        if spec["kind"] != "numbers":
            raise ValueError("the file holds a classification: load it with MLPClassifier")

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
