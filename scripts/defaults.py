#!/usr/bin/env python3
"""Compares the defaults of `mfnet train` with those of scikit-learn's networks, on tables of many kinds.

usage: scripts/defaults.py [--seeds 4] [--mfnet target/release/mfnet] [--options "--hidden 100; --epochs 300"]

Each table is drawn or comes with scikit-learn, and is split 3 : 1 by each seed, classes stratified. scikit-learn gets one-hot
categories, a StandardScaler of the inputs and one of numeric targets, and MLPClassifier() or MLPRegressor(); mfnet gets the
CSV files. The scores are accuracy or R2 on the test rows. Needs scikit-learn and pandas; with MFNET_DATA_DIR, California
Housing is among the tables.
"""

import argparse
import gzip
import io
import json
import os
import subprocess
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn import datasets
from sklearn.compose import TransformedTargetRegressor, make_column_selector, make_column_transformer
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler


def frame(inputs, target):
    """Columns x0, x1, ... and target."""
    table = pd.DataFrame(np.asarray(inputs, float), columns=[f"x{i}" for i in range(np.shape(inputs)[1])])
    table["target"] = target
    return table


def classes(numbers):
    return [f"c{number}" for number in numbers]


def churn(rows, seed):
    """Customers who leave: numbers and categories, and much chance."""
    r = np.random.default_rng(seed)
    months = r.integers(1, 73, rows)
    price = r.normal(70, 30, rows).clip(18, 120).round(2)
    contract = r.choice(["monthly", "yearly", "two years"], rows, p=[0.55, 0.25, 0.2])
    payment = r.choice(["card", "check", "transfer"], rows)
    support = r.choice(["yes", "no", "basic"], rows)
    calls = r.poisson(1.5, rows)
    z = -1 - 0.04 * months + 0.02 * price + 0.4 * calls
    z = z + (contract == "monthly") * 1.2 + (payment == "check") * 0.5 - (support == "yes") * 0.6
    table = pd.DataFrame(
        {"months": months, "price": price, "contract": contract, "payment": payment, "support": support, "calls": calls}
    )
    table["target"] = np.where(r.random(rows) < 1 / (1 + np.exp(-z)), "left", "stayed")
    return table


def prices(rows, seed):
    """Prices of houses: products of numbers and categories, with noise of 12 %."""
    r = np.random.default_rng(seed)
    area = r.lognormal(4.5, 0.4, rows).round(1)
    rooms = (area / 25 + r.normal(0, 0.6, rows)).round().clip(1, 9)
    town = r.choice(list("ABCDEFGH"), rows)
    year = r.integers(1900, 2024, rows)
    state = r.choice(["new", "good", "old"], rows)
    by_town = dict(zip("ABCDEFGH", np.linspace(1500, 5200, 8)))
    price = area * np.array([by_town[name] for name in town])
    price = price * (1 + 0.3 * (state == "new") - 0.2 * (state == "old")) * (1 + (year - 1960) / 800)
    table = pd.DataFrame({"area": area, "rooms": rooms, "town": town, "year": year, "state": state})
    table["target"] = (price * r.lognormal(0, 0.12, rows)).round()
    return table


def housing(rows):
    """Rows of California Housing; none where the file is not at hand."""
    path = Path(os.environ.get("MFNET_DATA_DIR", ".")) / "california_housing" / "cal_housing.data.gz"
    if not path.exists():
        return []
    numbers = np.loadtxt(io.BytesIO(gzip.decompress(path.read_bytes())), delimiter=",")
    numbers = numbers[np.random.default_rng(0).permutation(len(numbers))[:rows]]
    return [("housing", False, frame(numbers[:, :8], numbers[:, 8]))]


def tables():
    """Name, whether the targets are classes, and rows."""
    for name, load in [
        ("iris", datasets.load_iris),
        ("wine", datasets.load_wine),
        ("breast cancer", datasets.load_breast_cancer),
        ("digits 8x8", datasets.load_digits),
    ]:
        yield name, True, frame(load().data, classes(load().target))
    drawn = datasets.make_classification
    for name, (inputs, target) in {
        "moons": datasets.make_moons(1000, noise=0.25, random_state=1),
        "hastie": datasets.make_hastie_10_2(4000, random_state=1),
        "four classes": drawn(2000, 20, n_informative=10, n_classes=4, random_state=1),
        "rare fraud": drawn(6000, 15, n_informative=8, weights=[0.97], random_state=2),
        "wide": drawn(300, 400, n_informative=20, random_state=3),
        "long": drawn(30000, 12, n_informative=9, n_classes=3, n_clusters_per_class=3, random_state=4),
    }.items():
        yield name, True, frame(inputs, classes(target.astype(int)))
    inputs = np.random.default_rng(5).uniform(-2, 2, (3000, 2))
    yield "checkers", True, frame(inputs, classes(np.floor(inputs).astype(int).sum(axis=1) % 2))
    yield "churn", True, churn(4000, 6)
    diabetes = datasets.load_diabetes()
    yield "diabetes", False, frame(diabetes.data, diabetes.target)
    for name, (inputs, target) in {
        "friedman 1": datasets.make_friedman1(1000, noise=1, random_state=1),
        "friedman 2": datasets.make_friedman2(1000, noise=30, random_state=1),
        "friedman 3": datasets.make_friedman3(1500, noise=0.1, random_state=1),
        "linear": datasets.make_regression(500, 20, noise=20, random_state=1),
        "sparse": datasets.make_sparse_uncorrelated(800, 30, random_state=1),
    }.items():
        yield name, False, frame(inputs, target)
    r = np.random.default_rng(7)
    inputs = r.uniform(-3, 3, (600, 1))
    yield "sine", False, frame(inputs, np.sin(3 * inputs[:, 0]) + r.normal(0, 0.1, 600))
    yield "prices", False, prices(4000, 8)
    yield from housing(8000)


def theirs(is_classes, train, test, seed):
    """Score and seconds of scikit-learn's defaults."""
    prepared = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore", sparse_output=False), make_column_selector(dtype_include=object)),
        (StandardScaler(), make_column_selector(dtype_include="number")),
    )
    if is_classes:
        network = MLPClassifier(random_state=seed)
    else:
        network = TransformedTargetRegressor(MLPRegressor(random_state=seed), transformer=StandardScaler())
    model = make_pipeline(prepared, network)
    start = time.perf_counter()
    model.fit(train.drop(columns="target"), train["target"])
    seconds = time.perf_counter() - start
    return model.score(test.drop(columns="target"), test["target"]), seconds


def ours(mfnet, options, files, seed):
    """Score and seconds of `mfnet train`, reading included."""
    command = [mfnet, "train", files[0], "--test", files[1], "--seed", str(seed), "--quiet", "--json"]
    start = time.perf_counter()
    result = subprocess.run([*command, *options.split()], check=True, capture_output=True, text=True)
    seconds = time.perf_counter() - start
    scores = json.loads(result.stdout)["final"]["test"]
    return scores.get("accuracy") or scores["targets"][0]["r2"], seconds


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=4)
    parser.add_argument("--mfnet", default="target/release/mfnet")
    parser.add_argument("--options", default="", help="sets of options to compare, with semicolons between them")
    arguments = parser.parse_args()
    warnings.filterwarnings("ignore")
    choices = arguments.options.split(";")
    print("| table | rows x columns | scikit-learn | seconds |" + " mfnet | seconds | difference |" * len(choices))
    print("|---|---|---:|---:|" + "---:|---:|---:|" * len(choices))
    differences = []
    with tempfile.TemporaryDirectory() as folder:
        for name, is_classes, table in tables():
            rows = []
            for seed in range(arguments.seeds):
                stratify = table["target"] if is_classes else None
                parts = train_test_split(table, test_size=0.25, random_state=seed, stratify=stratify)
                files = [f"{folder}/{part}.csv" for part in ("train", "test")]
                for part, file in zip(parts, files):
                    part.to_csv(file, index=False)
                row = theirs(is_classes, *parts, seed)
                for options in choices:
                    row += ours(arguments.mfnet, options, files, seed)
                rows.append(row)
            means = np.mean(rows, axis=0)
            difference = means[2::2] - means[0]
            differences.append(difference)
            shape = f"{len(table)} x {table.shape[1] - 1}"
            cells = "".join(f" {means[2 + 2 * i]:.4f} | {means[3 + 2 * i]:.2f} | {d:+.4f} |" for i, d in enumerate(difference))
            print(f"| {name} | {shape} | {means[0]:.4f} | {means[1]:.2f} |{cells}", flush=True)
    for name, value in [("mean", np.mean(differences, axis=0)), ("least", np.min(differences, axis=0))]:
        print(f"| {name} | | | |" + "".join(f" | | {number:+.4f} |" for number in value))


if __name__ == "__main__":
    main()
