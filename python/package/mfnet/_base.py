"""The part that the classifier and the regressor share: training, weights and files."""

import copy
import os
import sys
import warnings
from numbers import Real

import numpy as np
from scipy.sparse import issparse
from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.utils import check_array, check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from ._mfnet import Data, Network
from ._parameters import ACTIVATIONS, check_parameters, hidden_sizes

STOCHASTIC_SOLVERS = ("sgd", "adam")


def set_parameters(estimator, arguments):
    """Sets the arguments of a constructor as attributes, and nothing else, as scikit-learn wants it."""
    for name, value in arguments.items():
        if name not in ("self", "__class__"):
            setattr(estimator, name, value)


def is_stochastic(estimator):
    """Whether an estimator has `partial_fit`."""
    if estimator.solver not in STOCHASTIC_SOLVERS:
        raise AttributeError(f"partial_fit needs the solver 'sgd' or 'adam', not {estimator.solver!r}")
    return True


def check_memory(sizes):
    """Refuses layers whose weights are larger than the memory, before the system ends the process for them."""
    weights = sum((inputs + 1) * units for inputs, units in zip(sizes, sizes[1:]))
    try:
        memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        # Not known on this system.
        return
    # Those of the network and the initial ones, in double precision.
    if 2 * 8 * weights > memory:
        raise MemoryError(f"the layers {sizes} have {weights:,} weights, more than there is memory for")


class BaseMLP(BaseEstimator):
    """A multi-layer perceptron. Its subclasses know targets, outputs and scores."""

    # A function of the number of an epoch, from 1, and of samples, which returns the order of the samples: for tests that
    # compare with a training elsewhere.
    _batch_order = None

    # --- Interface of scikit-learn -------------------------------------------------------------------------------------

    @property
    def coefs_(self):
        """The weights of each layer, inputs x outputs: copies that cannot be written to. Assign a list to change them."""
        return self._fitted_network("coefs_").weights()[0]

    @coefs_.setter
    def coefs_(self, coefs):
        self._set_weights(coefs, self.intercepts_)

    @property
    def intercepts_(self):
        """The biases of each layer: copies that cannot be written to. Assign a list to change them."""
        return self._fitted_network("intercepts_").weights()[1]

    @intercepts_.setter
    def intercepts_(self, intercepts):
        self._set_weights(self.coefs_, intercepts)

    def _fitted_network(self, attribute):
        network = self.__dict__.get("_network")
        if network is None:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {attribute!r}: it is not fitted")
        return network

    def _set_weights(self, coefs, intercepts):
        in_double = [[np.asarray(array, dtype=np.float64) for array in arrays] for arrays in (coefs, intercepts)]
        self._network.set_weights(*in_double)

    def __sklearn_is_fitted__(self):
        return "_network" in self.__dict__

    # --- Training ------------------------------------------------------------------------------------------------------

    def _fit(self, X, y, sample_weight, validation_data=None, classes=None, incremental=False):
        check_parameters(self)
        hidden = hidden_sizes(self)
        if incremental and self.early_stopping:
            raise ValueError("partial_fit does not support early_stopping=True")
        first = not self.__sklearn_is_fitted__() or not (self.warm_start or incremental)
        if first:
            # After an error, the estimator is not fitted, rather than with a network of other data.
            self.__dict__.pop("_network", None)
        X, targets = self._validate_targets(X, y, classes, incremental, reset=first)
        if first:
            self.n_outputs_ = self._outputs(targets)
        weights = self._sample_weights(sample_weight, X, targets)
        random = check_random_state(self.random_state)
        if first:
            network = self._new_network(X, targets, hidden, random)
        else:
            network = self._network
            if network.spec["hidden"] != hidden or network.spec["activation"] != ACTIVATIONS[self.activation]:
                raise ValueError("the network of the earlier fit has other layers: set warm_start=False to start anew")

        precision = network.spec["precision"]
        if self.solver == "lbfgs" and validation_data is not None:
            raise ValueError("validation_data is scored after each epoch: it needs the solver 'adam' or 'sgd'")
        validation = self._validation_samples(validation_data, precision)
        if self.early_stopping and validation is None:
            X, targets, weights, validation = self._split(X, targets, weights, random, precision)
        data = self._data(X, targets, weights, precision)
        # A network from a file has no training to continue.
        if first or not incremental or not network.progress()["epochs"]:
            network.start(self._settings(len(data), random))
        if first:
            self._network = network
            self._set_layers()
        before = len(network.progress()["losses"])
        try:
            self._train(network, data, validation, incremental)
            if self.early_stopping:
                network.restore_best()
        except BaseException as error:
            # After an interruption, the weights are those of the last batch. After an error, they are of no use.
            if first and not isinstance(error, KeyboardInterrupt):
                del self._network
            raise
        finally:
            if self.__sklearn_is_fitted__():
                self._set_progress(network.progress(), before)
        return self

    def _new_network(self, X, targets, hidden, random):
        """A network with scikit-learn's initial weights: Glorot's, drawn in the same order."""
        precision = self.precision
        if precision == "auto":
            precision = X.dtype.name
        outputs = self.n_outputs_
        spec = {
            "inputs": X.shape[1],
            "hidden": hidden,
            "outputs": outputs,
            "activation": ACTIVATIONS[self.activation],
            "kind": self._kind(targets),
            "precision": precision,
            "dropout": float(self.dropout),
            "batch_norm": bool(self.batch_norm),
            # From a copy: the weights are drawn as if there were no dropout.
            "seed": int(copy.deepcopy(random).randint(np.iinfo(np.int32).max)) if self.dropout > 0 else 0,
        }
        sizes = [X.shape[1], *hidden, outputs]
        check_memory(sizes)
        network = Network(spec)
        factor = 2.0 if self.activation == "logistic" else 6.0
        coefs, intercepts = [], []
        for inputs, units in zip(sizes, sizes[1:]):
            bound = np.sqrt(factor / (inputs + units))
            coefs.append(random.uniform(-bound, bound, (inputs, units)))
            intercepts.append(random.uniform(-bound, bound, units))
        network.set_weights(coefs, intercepts)
        return network

    def _settings(self, samples, random):
        if self.batch_size != "auto" and self.batch_size > samples:
            warnings.warn(
                "Got `batch_size` less than 1 or larger than sample size. It is going to be clipped", stacklevel=4
            )
        return {
            "solver": "adamw" if self.weight_decay > 0 else self.solver,
            "alpha": float(self.alpha),
            "weight_decay": float(self.weight_decay),
            # A training on fewer samples has a single batch.
            "batch_size": 200 if self.batch_size == "auto" else int(self.batch_size),
            # Adam's rate is constant, as scikit-learn's is.
            "schedule": self.learning_rate if self.solver == "sgd" else "constant",
            "learning_rate": float(self.learning_rate_init),
            "power": float(self.power_t),
            "momentum": float(self.momentum),
            "nesterov": bool(self.nesterovs_momentum),
            "betas": [float(self.beta_1), float(self.beta_2)],
            "epsilon": float(self.epsilon),
            "clip_norm": None if self.clip_norm is None else float(self.clip_norm),
            "shuffle": bool(self.shuffle) and self._batch_order is None,
            "seed": int(random.randint(np.iinfo(np.int32).max)),
            "tolerance": float(self.tol),
            "patience": float(self.n_iter_no_change),
            "early_stopping": bool(self.early_stopping),
            "evaluations": int(self.max_fun),
        }

    def _sample_weights(self, sample_weight, X, targets):
        if sample_weight is None:
            return None
        if isinstance(sample_weight, Real):
            sample_weight = np.full(X.shape[0], sample_weight, dtype=np.float64)
        weights = check_array(sample_weight, ensure_2d=False, dtype=np.float64, input_name="sample_weight")
        if weights.ndim != 1:
            raise ValueError("Sample weights must be 1D array or scalar")
        if weights.shape[0] != X.shape[0]:
            raise ValueError(f"sample_weight.shape == {weights.shape}, expected {(X.shape[0],)}!")
        if not weights.any():
            raise ValueError("Sample weights must not all be zero")
        return np.ascontiguousarray(weights)

    def _split(self, X, targets, weights, random, precision):
        """Parts the validation samples from the training samples, as scikit-learn does."""
        arrays = [X, targets] if weights is None else [X, targets, weights]
        parts = train_test_split(
            *arrays, random_state=random, test_size=self.validation_fraction, stratify=self._strata(targets)
        )
        X, X_validation, targets, targets_validation, *rest = parts
        if X_validation.shape[0] < 2:
            raise ValueError(
                "The validation set is too small. Increase 'validation_fraction' or the size of your dataset."
            )
        weights, weights_validation = rest if rest else (None, None)
        return X, targets, weights, self._data(X_validation, targets_validation, weights_validation, precision)

    def _validation_samples(self, validation_data, precision):
        if validation_data is None:
            return None
        if not isinstance(validation_data, (tuple, list)) or len(validation_data) not in (2, 3):
            raise ValueError("validation_data must be (X, y) or (X, y, sample_weight)")
        X, y, *weights = validation_data
        X, targets = self._validate_targets(X, y, None, True, reset=False)
        weights = self._sample_weights(weights[0] if weights else None, X, targets)
        return self._data(X, targets, weights, precision)

    def _train(self, network, data, validation, incremental):
        epochs = 1 if incremental else self.max_iter
        callbacks = self.callbacks or []
        callbacks = [callbacks] if callable(callbacks) else callbacks
        # L-BFGS would forget the curvature of the loss after each call.
        each = self.solver != "lbfgs" and bool(callbacks or self.verbose or self._batch_order is not None)
        before, trained = len(network.progress()["losses"]), 0
        ended = False
        while trained < epochs and not ended:
            batches = data
            if self._batch_order is not None:
                batches = data.select(self._batch_order(trained + 1, len(data)))
            ended = network.train(batches, 1 if each else epochs, validation=validation, threads=self._threads())
            progress = network.progress()
            trained = len(progress["losses"]) - before
            if self.verbose and progress["losses"]:
                self._report(progress, trained, validation is not None, ended)
            if callbacks:
                self._set_progress(progress, before)
                # All of them are called, and any of them may end the training.
                ended = any([callback(self) is True for callback in callbacks]) or ended
        if not (ended or incremental):
            method = "lbfgs" if self.solver == "lbfgs" else "Stochastic Optimizer"
            warnings.warn(
                f"{method}: Maximum iterations ({self.max_iter}) "
                "reached and the optimization hasn't converged yet.",
                ConvergenceWarning,
                stacklevel=4,
            )

    def _report(self, progress, epoch, validates, converged):
        print(f"Iteration {epoch}, loss = {progress['losses'][-1]:.8f}")
        if validates:
            print(f"Validation score: {progress['scores'][-1]:f}")
        if converged and self.solver != "lbfgs":
            value = "Validation score" if self.early_stopping else "Training loss"
            epochs = self.n_iter_no_change
            print(f"{value} did not improve more than tol={self.tol:f} for {epochs} consecutive epochs. Stopping.")
        sys.stdout.flush()

    def _threads(self):
        return None if self.threads is None else int(self.threads)

    def _set_layers(self):
        spec = self._network.spec
        self.n_layers_ = len(spec["hidden"]) + 2
        self.out_activation_ = {"numbers": "identity", "counts": "exp", "answers": "logistic", "classes": "softmax"}[
            spec["kind"]
        ]

    def _set_progress(self, progress, before):
        """Sets the attributes of a training; `before` is the number of epochs of earlier calls of `fit`."""
        self.n_iter_ = len(progress["losses"]) - before
        self.loss_curve_ = progress["losses"]
        if self.loss_curve_:
            self.loss_ = self.loss_curve_[-1]
        self.t_ = progress["samples_seen"]
        validates = bool(progress["scores"])
        self.validation_scores_ = progress["scores"] if validates else None
        self.best_validation_score_ = progress["best_score"] if self.early_stopping else None
        self.best_loss_ = None if self.early_stopping else progress["best_loss"]

    # --- Files ---------------------------------------------------------------------------------------------------------

    def save(self, path):
        """Saves the network as a model file of the command `mfnet`, which PyTorch reads too (safetensors).

        Parameters, losses and the state of the training are not in it: pickle the estimator to keep them.
        """
        check_is_fitted(self)
        self._network.save(os.fspath(path), **self._names())

    def to_onnx(self, path):
        """Saves the network as an ONNX file, for predictions with other programs."""
        check_is_fitted(self)
        self._network.to_onnx(os.fspath(path), **self._names())

    @classmethod
    def load(cls, path, **parameters):
        """Returns an estimator with the network of a model file, and with these parameters.

        Names of classes that are whole numbers, other numbers or booleans become such. The file may be that of another
        program if its network is one that this package builds, and takes its inputs as they are.
        """
        network, names = Network.load(os.fspath(path))
        spec = network.spec
        activation = next(name for name, known in ACTIVATIONS.items() if known == spec["activation"])
        own = {"hidden_layer_sizes": tuple(spec["hidden"]), "activation": activation, "batch_norm": spec["batch_norm"]}
        estimator = cls(**own | parameters)
        estimator._take_names(spec, names)
        estimator.n_features_in_ = spec["inputs"]
        if names["feature_names"]:
            estimator.feature_names_in_ = np.array(names["feature_names"], dtype=object)
        estimator.n_outputs_ = spec["outputs"]
        estimator._network = network
        estimator._set_layers()
        estimator._set_progress(network.progress(), 0)
        return estimator

    def _names(self):
        return {"feature_names": list(getattr(self, "feature_names_in_", []))}

    # --- Predictions ---------------------------------------------------------------------------------------------------

    def _predictions(self, X):
        check_is_fitted(self)
        X = validate_data(self, X, accept_sparse=("csr", "csc"), dtype=(np.float64, np.float32), reset=False)
        return self._network.predict(inputs(X), threads=self._threads())

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags


def inputs(X):
    """The samples as the Rust part takes them: a matrix, or the parts of a CSR matrix."""
    if not issparse(X):
        return X
    X = X.tocsr()
    if not X.has_canonical_format:
        X = X.copy()
        X.sum_duplicates()
    indices = (array.astype(np.int64, copy=False) for array in (X.indptr, X.indices))
    return (X.shape[1], *indices, X.data)


def matrix_of_numbers(values, precision):
    """The values as a matrix, one row for each sample."""
    values = np.asarray(values, dtype=precision)
    return values.reshape(-1, 1) if values.ndim == 1 else values
