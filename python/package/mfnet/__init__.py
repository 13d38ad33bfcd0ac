"""scikit-learn's multi-layer perceptrons, trained by the Rust library mfnet on all cores of the CPU."""

from importlib.metadata import version

from ._classifier import MLPClassifier
from ._mfnet import default_threads
from ._regressor import MLPRegressor

__version__ = version("mfnet")
__all__ = ["MLPClassifier", "MLPRegressor", "default_threads"]
