"""Times the steps of benches/convolution.rs in PyTorch, and prints a table in the same form.

    python convolution.py [--threads 2] [--epochs 20]

Inputs are random numbers: what a convolution takes does not depend on them. Everything is in memory before the clock
starts; a step is a gather of 128 samples by a fresh permutation, forward, back and plain SGD.
"""

import argparse
import os
import statistics
import time

import torch
from torch import nn
from torch.nn import functional as F

BATCH, SAMPLES = 128, 1280


def networks():
    """As in the bench."""
    image = nn.Unflatten(1, (1, 28, 28))

    def conv(inputs, outputs, stride=1):
        return nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1)

    return {
        "conv 8": [image, conv(1, 8), nn.ReLU(), nn.Flatten(), nn.Linear(8 * 784, 10)],
        "conv 8-16": [
            image, conv(1, 8), nn.ReLU(), conv(8, 16, 2), nn.ReLU(), nn.Flatten(), nn.Linear(16 * 196, 10)
        ],
        "dense 512": [nn.Linear(784, 512), nn.ReLU(), nn.Linear(512, 10)],
        "dense 512, batch norm": [nn.Linear(784, 512), nn.BatchNorm1d(512), nn.ReLU(), nn.Linear(512, 10)],
    }


def epoch(model, optimizer, inputs, labels):
    for batch in torch.randperm(SAMPLES).split(BATCH):
        optimizer.zero_grad(set_to_none=True)
        F.cross_entropy(model(inputs.index_select(0, batch)), labels.index_select(0, batch)).backward()
        optimizer.step()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--epochs", type=int, default=20)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(7)
    print(f"ms per step of {BATCH} samples, {options.threads} threads, PyTorch {torch.__version__}")
    for precision, dtype in [("f32", torch.float32), ("f64", torch.float64)]:
        inputs, labels = torch.rand(SAMPLES, 784, dtype=dtype), torch.randint(10, (SAMPLES,))
        for name, modules in networks().items():
            model = nn.Sequential(*modules).to(dtype)
            optimizer = torch.optim.SGD(model.parameters(), lr=0.01, fused=True)
            epoch(model, optimizer, inputs, labels)
            times = []
            for _ in range(options.epochs):
                start = time.perf_counter()
                epoch(model, optimizer, inputs, labels)
                times.append(time.perf_counter() - start)
            step = 1e3 * statistics.median(times) * BATCH / SAMPLES
            print(f"{precision:<4}{name:<24}{step:>10.3f}")


if __name__ == "__main__":
    main()
