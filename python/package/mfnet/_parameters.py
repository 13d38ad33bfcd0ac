"""The valid values of the estimators' parameters."""

import math
from numbers import Integral, Real

# The names of scikit-learn, and those of the library.
ACTIVATIONS = {
    "identity": "identity",
    "logistic": "sigmoid",
    "tanh": "tanh",
    "relu": "relu",
    "elu": "elu",
    "gelu": "gelu",
    "leaky-relu": "leaky-relu",
    "silu": "silu",
    "softplus": "softplus",
}


class InvalidParameterError(ValueError, TypeError):
    """A parameter of an estimator has a value that it does not take."""


def is_real(value):
    return isinstance(value, Real) and not isinstance(value, bool) and not math.isnan(value)


def is_integer(value):
    return isinstance(value, Integral) and not isinstance(value, bool)


def is_boolean(value):
    # NumPy's booleans are neither bool nor Integral.
    return isinstance(value, bool) or type(value).__name__ in ("bool", "bool_")


def one_of(*names):
    def fits(value):
        return isinstance(value, str) and value in names

    return fits, "one of " + ", ".join(repr(name) for name in names)


def at_least(least, kind=is_real):
    noun = "a whole number" if kind is is_integer else "a finite number"
    return lambda value: kind(value) and least <= value < math.inf, f"{noun} of at least {least}"


ABOVE_0 = (lambda value: is_real(value) and 0 < value < math.inf, "a finite number above 0")
PART = (lambda value: is_real(value) and 0 <= value < 1, "a number of at least 0 and below 1")
BOOLEAN = (is_boolean, "True or False")
COUNT = at_least(1, is_integer)

# For each parameter a predicate, and the words for the values that it accepts.
RULES = {
    "activation": one_of(*ACTIVATIONS),
    "solver": one_of("lbfgs", "sgd", "adam"),
    "alpha": at_least(0),
    "batch_size": (
        lambda value: (isinstance(value, str) and value == "auto") or COUNT[0](value),
        "'auto' or a whole number of at least 1",
    ),
    "learning_rate": one_of("constant", "invscaling", "adaptive"),
    "learning_rate_init": ABOVE_0,
    "power_t": at_least(0),
    "max_iter": COUNT,
    "loss": one_of("squared_error", "poisson"),
    "shuffle": BOOLEAN,
    "tol": at_least(0),
    "verbose": (lambda value: is_boolean(value) or at_least(0, is_integer)[0](value), "a boolean or a whole number"),
    "warm_start": BOOLEAN,
    "momentum": PART,
    "nesterovs_momentum": BOOLEAN,
    "early_stopping": BOOLEAN,
    "validation_fraction": PART,
    "beta_1": PART,
    "beta_2": PART,
    "epsilon": ABOVE_0,
    "n_iter_no_change": (
        lambda value: COUNT[0](value) or (isinstance(value, float) and value == math.inf),
        "a whole number of at least 1, or infinity",
    ),
    "max_fun": COUNT,
    "dropout": PART,
    "batch_norm": BOOLEAN,
    "weight_decay": at_least(0),
    "clip_norm": (lambda value: value is None or ABOVE_0[0](value), "None or a finite number above 0"),
    "precision": one_of("auto", "float32", "float64"),
    "threads": (lambda value: value is None or COUNT[0](value), "None or a whole number of at least 1"),
    "callbacks": (
        lambda value: value is None or callable(value) or is_list_of_callables(value),
        "None, a function, or a list of functions",
    ),
}


def is_list_of_callables(value):
    return isinstance(value, (list, tuple)) and all(callable(function) for function in value)


def check_parameters(estimator):
    """Refuses parameters that an estimator does not take, and combinations that contradict each other."""
    values = estimator.get_params(deep=False)
    for name, value in values.items():
        fits, expected = RULES.get(name, (None, None))
        if fits is not None and not fits(value):
            raise InvalidParameterError(
                f"The {name!r} parameter of {type(estimator).__name__} must be {expected}. Got {value!r} instead."
            )
    if values["solver"] == "lbfgs":
        for name in ("callbacks", "clip_norm", "early_stopping", "dropout", "batch_norm"):
            if values[name]:
                raise ValueError(f"{name} needs the solver 'adam' or 'sgd': lbfgs has no steps on parts of the samples")
    if values["weight_decay"] > 0:
        if values["solver"] != "adam":
            raise ValueError("weight_decay is that of AdamW: it needs solver='adam'")
        if values["alpha"] > 0:
            raise ValueError("weight_decay takes the place of alpha: set alpha=0 to use it")


def hidden_sizes(estimator):
    """The number of units of each hidden layer."""
    sizes = estimator.hidden_layer_sizes
    sizes = list(sizes) if hasattr(sizes, "__iter__") and not isinstance(sizes, str) else [sizes]
    if not all(is_integer(size) for size in sizes):
        raise InvalidParameterError(f"hidden_layer_sizes must be whole numbers, got {sizes}.")
    if any(size <= 0 for size in sizes):
        raise ValueError(f"hidden_layer_sizes must be > 0, got {sizes}.")
    return [int(size) for size in sizes]


# The part of the documentation that the estimators share.
COMMON_PARAMETERS = """hidden_layer_sizes : array-like of int, default=(100,)
        The number of units of each hidden layer; empty for a linear model.
    activation : str, default='relu'
        The function of the hidden layers: 'identity', 'logistic', 'tanh', 'relu', and besides 'elu', 'gelu', 'leaky-relu', 'silu',
        'softplus'.
    solver : {'lbfgs', 'sgd', 'adam'}, default='adam'
        The optimizer. 'lbfgs' takes all samples in each step, and finds its own step length: for small networks and few samples.
    alpha : float, default=0.0001
        The L2 penalty: alpha/2 |W|^2 over the number of samples of a batch.
    batch_size : int or 'auto', default='auto'
        The number of samples of a batch; 'auto' is 200.
    learning_rate : {'constant', 'invscaling', 'adaptive'}, default='constant'
        The schedule of 'sgd': constant, divided by the number of samples seen to the power of `power_t`, or divided by 5 where the
        training would end.
    learning_rate_init : float, default=0.001
        The initial learning rate.
    power_t : float, default=0.5
        The power of 'invscaling'.
    max_iter : int, default=200
        The largest number of epochs.
    shuffle : bool, default=True
        Whether samples are shuffled before each epoch.
    random_state : int, RandomState instance, default=None
        The seed of initial weights (the same as scikit-learn's), validation samples, shuffles and dropout.
    tol : float, default=1e-4
        The improvement of the loss, or of the score, that counts.
    verbose : bool, default=False
        Whether the loss of each epoch is printed.
    warm_start : bool, default=False
        Whether `fit` starts from the weights of the last one.
    momentum : float, default=0.9
        The momentum of 'sgd'.
    nesterovs_momentum : bool, default=True
        Whether it is Nesterov's.
    early_stopping : bool, default=False
        Whether the training ends when the score of validation samples no longer improves; the best weights are kept.
    validation_fraction : float, default=0.1
        The part of the samples that early stopping validates on.
    beta_1, beta_2 : float, default=0.9 and 0.999
        The decay rates of Adam's means.
    epsilon : float, default=1e-8
        Adam's epsilon.
    n_iter_no_change : int, default=10
        The number of epochs without improvement that are tolerated.
    max_fun : int, default=15000
        The number of evaluations of the loss after which 'lbfgs' ends.
    dropout : float, default=0.0
        The probability with which an output of a hidden layer is dropped in training.
    batch_norm : bool, default=False
        Whether outputs of hidden layers are normalised over the batch.
    weight_decay : float, default=0.0
        The decoupled weight decay of AdamW; it needs alpha=0.
    clip_norm : float or None, default=None
        The limit of the norm of all gradients together.
    precision : {'auto', 'float32', 'float64'}, default='auto'
        The type that the network computes in; 'auto' is that of X.
    threads : int or None, default=None
        The number of threads; None is `mfnet.default_threads()`. It does not change the result.
    callbacks : function, list of functions or None, default=None
        Each is called with the estimator after each epoch, and ends the training by returning True."""
