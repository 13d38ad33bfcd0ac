"""The Rust part of the package."""

from typing import Any, TypedDict

import numpy as np
from numpy.typing import NDArray

class Spec(TypedDict):
    inputs: int
    hidden: list[int]
    outputs: int
    activation: str
    kind: str
    precision: str
    dropout: float
    batch_norm: bool
    seed: int

class Progress(TypedDict):
    losses: list[float]
    scores: list[float]
    best_loss: float
    best_score: float
    bad_epochs: int
    samples_seen: int
    epochs: int

# A matrix, or the number of features and the arrays indptr, indices and data of a CSR matrix.
Inputs = NDArray[Any] | tuple[int, NDArray[np.int64], NDArray[np.int64], NDArray[Any]]

class Data:
    def __new__(
        cls,
        inputs: Inputs,
        targets: NDArray[Any],
        precision: str,
        *,
        classes: int | None = None,
        weights: NDArray[np.float64] | None = None,
    ) -> Data: ...
    def select(self, indices: list[int]) -> Data: ...
    def __len__(self) -> int: ...

class Network:
    def __new__(cls, spec: Spec) -> Network: ...
    @property
    def spec(self) -> Spec: ...
    def weights(self) -> tuple[list[NDArray[Any]], list[NDArray[Any]]]: ...
    def set_weights(self, coefs: list[NDArray[np.float64]], intercepts: list[NDArray[np.float64]]) -> None: ...
    def start(self, settings: dict[str, Any]) -> None: ...
    def train(
        self, data: Data, epochs: int, *, validation: Data | None = None, threads: int | None = None
    ) -> bool: ...
    def restore_best(self) -> None: ...
    def progress(self) -> Progress: ...
    def predict(self, inputs: Inputs, *, threads: int | None = None) -> NDArray[Any]: ...

    def save(
        self,
        path: str,
        *,
        feature_names: list[str] = ...,
        labels: list[str] = ...,
        answers: list[list[str]] = ...,
    ) -> None: ...
    def to_onnx(
        self,
        path: str,
        *,
        feature_names: list[str] = ...,
        labels: list[str] = ...,
        answers: list[list[str]] = ...,
    ) -> None: ...
    @staticmethod
    def load(path: str) -> tuple[Network, dict[str, Any]]: ...

def default_threads() -> int: ...
