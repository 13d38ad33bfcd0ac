"""Ctrl-C ends a training with KeyboardInterrupt, and leaves an estimator that predicts."""

import os
import signal
import threading
import time

import numpy as np
import pytest

from mfnet import MLPClassifier


def test_control_c():
    random = np.random.RandomState(1)
    X, y = random.randn(20_000, 100), random.randint(0, 10, 20_000)
    classifier = MLPClassifier((500,), max_iter=10_000, tol=0, n_iter_no_change=np.inf, random_state=1)
    timer = threading.Timer(1.5, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    start = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        classifier.fit(X, y)
    assert time.monotonic() - start < 10
    timer.join()
    assert classifier.predict(X[:5]).shape == (5,)
    assert classifier.n_iter_ < 10_000
    assert classifier.partial_fit(X[:100], y[:100]).score(X, y) >= 0
