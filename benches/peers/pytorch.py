"""Times the benchmark jobs in PyTorch, written as fast as plain PyTorch code gets, and prints one line of JSON.

    python pytorch.py --job mnist-network --data-dir DIR [--precision f64] [--batch-size 128] [--epochs 5]

DIR holds mnist/ (the four IDX files) and california_housing/ (cal_housing.data), gzipped or not. Everything is in
memory before the clock starts. An epoch is a fresh permutation of the samples and one step of plain SGD for each
batch; a first epoch on a copy of the network warms up and is not counted. `evaluate` times the loss and the accuracy
of an untrained network on the 10,000 test digits instead, in portions of the size that turns out fastest. Loss (mean)
and accuracy are those of the test split after the last epoch.

`mfnet tables --peers` runs this script.
"""

import argparse
import copy
import gzip
import json
import math
import os
import time
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

SIZES = {
    "housing-linear": [8, 1],
    "housing-network": [8, 512, 1],
    "mnist-linear": [784, 10],
    "mnist-network": [784, 512, 10],
    "evaluate": [784, 512, 10],
}


# Portions that `evaluate` tries; the last is the whole test set.
PORTIONS = [250, 500, 1000, 2000, 5000, 10_000]


def read(path):
    """What the file holds, gzipped (.gz) or not."""
    gzipped = path.with_name(path.name + ".gz")
    return gzip.decompress(gzipped.read_bytes()) if gzipped.exists() else path.read_bytes()


def read_idx(path):
    data = read(path)
    dimensions = data[3]
    shape = np.frombuffer(data, ">u4", dimensions, offset=4)
    return np.frombuffer(data, np.uint8, offset=4 + 4 * dimensions).reshape(shape)


def mnist(folder, dtype):
    """((inputs, labels) to train, the same to test); pixels from 0 to 1."""

    def part(name):
        images = read_idx(folder / f"{name}-images-idx3-ubyte").reshape(-1, 784)
        labels = read_idx(folder / f"{name}-labels-idx1-ubyte")
        return torch.tensor(images, dtype=dtype) / 255, torch.tensor(labels, dtype=torch.long)

    return part("train"), part("t10k")


def housing(folder, dtype, seed):
    """((inputs, targets) to train, the same to test); 80 % and 20 %, z-scored by what the training split shows."""
    rows = read(folder / "cal_housing.data").decode().splitlines()
    longitude, latitude, age, rooms, bedrooms, population, households, income, value = np.loadtxt(
        rows, delimiter=","
    ).T
    features = [income, age, rooms / households, bedrooms / households, population, population / households]
    table = np.column_stack(features + [latitude, longitude, value / 100_000])
    table = table[np.random.default_rng(seed).permutation(len(table))]
    cut = len(table) * 4 // 5
    table = (table - table[:cut].mean(axis=0)) / table[:cut].std(axis=0)
    table = torch.tensor(table, dtype=dtype)
    inputs, targets = table[:, :-1].contiguous(), table[:, -1:].contiguous()
    return (inputs[:cut], targets[:cut]), (inputs[cut:], targets[cut:])


def network(sizes, dtype):
    """Linear layers with ReLUs between; He initialisation with the bias counted as an input, biases 0."""
    modules = []
    for inputs, outputs in zip(sizes, sizes[1:]):
        linear = nn.Linear(inputs, outputs, dtype=dtype)
        nn.init.normal_(linear.weight, std=math.sqrt(2 / (inputs + 1)))
        nn.init.zeros_(linear.bias)
        modules += [linear, nn.ReLU()]
    return nn.Sequential(*modules[:-1])


def train_epoch(model, optimizer, loss, inputs, targets, batch_size):
    for batch in torch.randperm(len(inputs)).split(batch_size):
        optimizer.zero_grad(set_to_none=True)
        loss(model(inputs.index_select(0, batch)), targets.index_select(0, batch)).backward()
        optimizer.step()


@torch.inference_mode()
def evaluate(model, loss, inputs, targets, batch_size):
    """Mean loss over the samples, and accuracy, or None for a regression."""
    total, hits = torch.zeros((), dtype=inputs.dtype), torch.zeros((), dtype=torch.long)
    for batch_inputs, batch_targets in zip(inputs.split(batch_size), targets.split(batch_size)):
        prediction = model(batch_inputs)
        total += loss(prediction, batch_targets, reduction="sum")
        if targets.dtype == torch.long:
            hits += (prediction.argmax(dim=1) == batch_targets).sum()
    accuracy = hits.item() / len(inputs) if targets.dtype == torch.long else None
    return total.item() / len(inputs), accuracy


def fastest_portion(model, loss, inputs, targets):
    """The portion in which the test set is evaluated fastest, by the best of three tries each."""

    def least(portion):
        times = []
        for _ in range(4):
            start = time.perf_counter()
            evaluate(model, loss, inputs, targets, portion)
            times.append(time.perf_counter() - start)
        return min(times[1:])

    return min(PORTIONS, key=least)


def available_threads():
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--job", choices=SIZES, required=True)
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--precision", choices=["f32", "f64"], default="f32")
    parser.add_argument("--batch-size", type=int, default=1024)
    parser.add_argument("--epochs", type=int, default=10, help="how many epochs, or evaluations, are timed")
    parser.add_argument("--threads", type=int, default=available_threads(), help="default: all cores")
    parser.add_argument("--learning-rate", type=float, default=0.001)
    parser.add_argument("--reduction", choices=["mean", "sum"], help="default: sum; for housing mean, and no other")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    if options.reduction == "sum" and options.job.startswith("housing"):
        parser.error("with --reduction sum, the housing jobs diverge at any usual learning rate")
    return options


def main():
    options = arguments()
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    dtype = {"f32": torch.float32, "f64": torch.float64}[options.precision]

    if options.job.startswith("housing"):
        train, test = housing(options.data_dir / "california_housing", dtype, options.seed)
        # With its one output, PyTorch's mean over outputs is the sum over outputs.
        loss, reduction = F.mse_loss, "mean"
    else:
        train, test = mnist(options.data_dir / "mnist", dtype)
        loss, reduction = F.cross_entropy, options.reduction or "sum"

    model = network(SIZES[options.job], dtype)
    batch_size = options.batch_size
    if options.job == "evaluate":
        batch_size = fastest_portion(model, loss, *test)

    def epoch(model):
        if options.job == "evaluate":
            return lambda: evaluate(model, loss, *test, batch_size)
        optimizer = torch.optim.SGD(model.parameters(), lr=options.learning_rate, fused=True)
        batch_loss = lambda prediction, target: loss(prediction, target, reduction=reduction)
        return lambda: train_epoch(model, optimizer, batch_loss, *train, batch_size)

    epoch(copy.deepcopy(model))()
    run, seconds = epoch(model), []
    for _ in range(options.epochs):
        start = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - start)

    test_loss, accuracy = evaluate(model, loss, *test, batch_size)
    result = {
        "job": options.job,
        "precision": options.precision,
        "batch_size": batch_size,
        "torch": torch.__version__,
        "threads": options.threads,
        "epoch_seconds": seconds,
        "loss": test_loss,
        "accuracy": accuracy,
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
