#!/usr/bin/env python3
"""Compares the scores of mfnet's Python package with scikit-learn's on 15 data sets, with default settings.

For each data set: the mean score of test samples over five splits and seeds, of both; the spread of scikit-learn's over the seeds;
and the mean difference with its standard error. Needs the package: pip install ./python
"""

import warnings

import numpy as np
from sklearn import datasets, neural_network
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

import mfnet

SEEDS = 5
fixed = {"random_state": 0}
CLASSES = {
    "iris": datasets.load_iris(return_X_y=True),
    "wine": datasets.load_wine(return_X_y=True),
    "breast cancer": datasets.load_breast_cancer(return_X_y=True),
    "digits": datasets.load_digits(return_X_y=True),
    "moons": datasets.make_moons(600, noise=0.3, **fixed),
    "circles": datasets.make_circles(600, noise=0.2, factor=0.6, **fixed),
    "two classes": datasets.make_classification(1000, 20, **fixed),
    "five classes": datasets.make_classification(1000, 20, n_informative=8, n_classes=5, **fixed),
    "blobs": datasets.make_blobs(600, 8, centers=6, cluster_std=6, **fixed),
    "hastie": datasets.make_hastie_10_2(1000, **fixed),
}
NUMBERS = {
    "diabetes": datasets.load_diabetes(return_X_y=True),
    "friedman 1": datasets.make_friedman1(800, noise=1, **fixed),
    "friedman 2": datasets.make_friedman2(800, noise=50, **fixed),
    "friedman 3": datasets.make_friedman3(800, noise=0.1, **fixed),
    "linear": datasets.make_regression(800, 20, noise=20, **fixed),
}


def scores(estimator, X, y):
    """The score of each seed, with inputs scaled by the training samples."""
    for seed in range(SEEDS):
        train, test, train_targets, test_targets = train_test_split(X, y, random_state=seed)
        scaler = StandardScaler().fit(train)
        fitted = estimator(random_state=seed).fit(scaler.transform(train), train_targets)
        yield fitted.score(scaler.transform(test), test_targets)


warnings.simplefilter("ignore")
print(f"{'data set':14} {'scikit-learn':>12} {'mfnet':>8} {'spread':>8} {'difference':>10}")
for name, (X, y) in (CLASSES | NUMBERS).items():
    kind = "MLPClassifier" if name in CLASSES else "MLPRegressor"
    if name in NUMBERS:
        y = (y - y.mean()) / y.std()
    theirs, ours = (np.array(list(scores(getattr(package, kind), X, y))) for package in (neural_network, mfnet))
    error = np.std(ours - theirs) / SEEDS**0.5
    print(
        f"{name:14} {theirs.mean():12.4f} {ours.mean():8.4f} {theirs.std():8.4f} "
        f"{np.mean(ours - theirs):+10.4f} +- {error:.4f}"
    )
