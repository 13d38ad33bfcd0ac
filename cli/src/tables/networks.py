"""Runs one job of `mfnet tables` in PyTorch, scikit-learn or JAX, and prints one line of JSON.

`mfnet tables --peers` runs it: the job is a JSON object in the only argument, and the samples are arrays on the
standard input, one behind the other: inputs and targets to train on, inputs and targets to test with. Everything is
in memory before the clock starts. An epoch is a fresh permutation of the samples and one step for each batch; what
comes first warms up and is not counted. `seconds` are those of each epoch or evaluation, `loss` and `accuracy` those
of the test samples at the end.
"""

import json
import math
import os
import sys
import time
import warnings

import numpy as np


def read(arrays, dtype):
    """The arrays: pixels as numbers from 0 to 1, labels as whole numbers, all others in the precision of the job."""
    for array in arrays:
        kind, shape = np.dtype(array["type"]), array["shape"]
        data = sys.stdin.buffer.read(kind.itemsize * math.prod(shape))
        values = np.frombuffer(data, kind).reshape(shape)
        if kind.kind == "u" and kind.itemsize > 1:
            yield values.astype(np.int64)
        else:
            yield values.astype(dtype) / dtype(255) if kind.kind == "u" else values.astype(dtype)


class Torch:
    """Tensors in memory, batches by index, fused optimizers, He initialisation with the bias counted as an input."""

    # Portions of an evaluation that are tried.
    PORTIONS = [250, 500, 1000, 2000, 5000, 10_000]

    def __init__(self, job, sizes, train, test):
        import torch

        self.torch, self.job, self.sizes = torch, job, sizes
        torch.set_num_threads(job["threads"])
        torch.manual_seed(job["seed"])
        self.train, self.test = [tuple(map(torch.from_numpy, part)) for part in (train, test)]
        self.classes = self.test[1].dtype == torch.int64
        self.reset()
        self.portion = self.PORTIONS[-1]
        if job["work"] == "evaluate":
            self.portion = min(self.PORTIONS, key=self.least)

    def least(self, portion):
        self.portion = portion
        return min(timed(self.evaluate) for _ in range(4))

    def reset(self):
        nn, optim = self.torch.nn, self.torch.optim
        modules = []
        for inputs, outputs in zip(self.sizes, self.sizes[1:]):
            linear = nn.Linear(inputs, outputs, dtype=self.train[0].dtype)
            nn.init.normal_(linear.weight, std=math.sqrt(2 / (inputs + 1)))
            nn.init.zeros_(linear.bias)
            modules += [linear, {"relu": nn.ReLU, "tanh": nn.Tanh}[self.job["activation"]]()]
        self.model = nn.Sequential(*modules[:-1])
        optimizer = {"sgd": optim.SGD, "adam": optim.Adam}[self.job["optimizer"]]
        self.optimizer = optimizer(self.model.parameters(), lr=self.job["learning_rate"], fused=True)

    def loss(self, prediction, target):
        """The sum over the samples."""
        functional = self.torch.nn.functional
        loss = functional.cross_entropy if self.classes else functional.mse_loss
        return loss(prediction, target, reduction="sum")

    def epoch(self):
        inputs, targets = self.train
        whole = self.job["batch_size"] >= len(inputs)
        for batch in self.torch.randperm(len(inputs)).split(self.job["batch_size"]):
            x, y = self.train if whole else (inputs.index_select(0, batch), targets.index_select(0, batch))
            self.optimizer.zero_grad(set_to_none=True)
            loss = self.loss(self.model(x), y)
            (loss / len(x) if self.job["mean"] else loss).backward()
            self.optimizer.step()

    def evaluate(self):
        with self.torch.inference_mode():
            loss, hits = 0.0, 0
            for x, y in zip(*(part.split(self.portion) for part in self.test)):
                prediction = self.model(x)
                loss += self.loss(prediction, y).item()
                if self.classes:
                    hits += (prediction.argmax(dim=1) == y).sum().item()
        samples = len(self.test[0])
        return loss / samples, hits / samples if self.classes else None


class Sklearn:
    """MLPClassifier or MLPRegressor, with their own initialisation; an epoch is a `partial_fit`."""

    def __init__(self, job, sizes, train, test):
        self.job, self.sizes, self.train, self.test = job, sizes, train, test
        self.classes = test[1].dtype == np.int64
        self.labels = range(sizes[-1]) if self.classes else None
        if not self.classes and sizes[-1] == 1:
            self.train, self.test = [(inputs, targets.ravel()) for inputs, targets in (train, test)]
        self.reset()

    def reset(self):
        from sklearn.neural_network import MLPClassifier, MLPRegressor

        job = self.job
        # Its gradients are means, whatever was asked for.
        rate = job["learning_rate"] * (1 if job["mean"] else job["batch_size"])
        self.model = (MLPClassifier if self.classes else MLPRegressor)(
            hidden_layer_sizes=job["hidden"],
            activation=job["activation"],
            solver=job["optimizer"],
            alpha=0.0,
            batch_size=min(job["batch_size"], len(self.train[0])),
            learning_rate_init=rate,
            momentum=0.0,
            nesterovs_momentum=False,
            random_state=job["seed"] % 2**32,
        )

    def epoch(self):
        if self.classes:
            self.model.partial_fit(*self.train, classes=self.labels)
        else:
            self.model.partial_fit(*self.train)

    def evaluate(self):
        inputs, targets = self.test
        if not self.classes:
            error = self.model.predict(inputs) - targets
            return float(np.square(error).sum() / len(inputs)), None
        probabilities = self.model.predict_proba(inputs)
        own = probabilities[np.arange(len(inputs)), targets]
        loss = -np.log(np.maximum(own, np.finfo(own.dtype).tiny)).mean()
        return float(loss), float((probabilities.argmax(axis=1) == targets).mean())


class Jax:
    """One compiled function for a step, the parameters handed over to it and back; weights as PyTorch's here."""

    def __init__(self, job, sizes, train, test):
        os.environ["JAX_PLATFORMS"] = "cpu"
        import jax
        import jax.numpy as jnp

        jax.config.update("jax_enable_x64", job["precision"] == "f64")
        self.jax, self.jnp, self.job, self.sizes = jax, jnp, job, sizes
        self.train, self.test = [tuple(map(jnp.asarray, part)) for part in (train, test)]
        self.classes = test[1].dtype == np.int64
        self.random = np.random.default_rng(job["seed"])
        activation = {"relu": jax.nn.relu, "tanh": jnp.tanh}[job["activation"]]

        def forward(weights, x):
            for matrix, bias in weights[:-1]:
                x = activation(x @ matrix + bias)
            matrix, bias = weights[-1]
            return x @ matrix + bias

        def loss_of(weights, x, y):
            """The sum over the samples, and the predictions."""
            prediction = forward(weights, x)
            if not self.classes:
                return jnp.square(prediction - y).sum(), prediction
            logs = jax.nn.log_softmax(prediction)
            return -jnp.take_along_axis(logs, y[:, None], axis=1).sum(), prediction

        def step(state, batch, inputs, targets):
            weights, first, second, steps = state
            x, y = inputs[batch], targets[batch]
            share = 1 / len(batch) if job["mean"] else 1.0
            gradient = jax.grad(lambda weights: share * loss_of(weights, x, y)[0])(weights)
            each, rate = jax.tree.map, job["learning_rate"]
            if job["optimizer"] == "sgd":
                return each(lambda w, g: w - rate * g, weights, gradient), first, second, steps
            steps = steps + 1
            first = each(lambda m, g: 0.9 * m + 0.1 * g, first, gradient)
            second = each(lambda v, g: 0.999 * v + 0.001 * g * g, second, gradient)
            rate, root = rate / (1 - 0.9**steps), jnp.sqrt(1 - 0.999**steps)
            weights = each(lambda w, m, v: w - rate * m / (jnp.sqrt(v) / root + 1e-8), weights, first, second)
            return weights, first, second, steps

        def evaluation(weights, x, y):
            loss, prediction = loss_of(weights, x, y)
            hits = (prediction.argmax(axis=1) == y).mean() if self.classes else jnp.nan
            return loss / len(x), hits

        self.step = jax.jit(step, donate_argnums=0)
        self.evaluation = jax.jit(evaluation)
        self.reset()

    def reset(self):
        dtype = self.train[0].dtype

        def weights(deviation):
            layers = zip(self.sizes, self.sizes[1:])
            return [
                (self.jnp.asarray(deviation(n) * self.random.standard_normal((n, k)), dtype), self.jnp.zeros(k, dtype))
                for n, k in layers
            ]

        zeros = lambda: weights(lambda _: 0.0)
        self.state = weights(lambda n: math.sqrt(2 / (n + 1))), zeros(), zeros(), self.jnp.zeros((), dtype)

    def epoch(self):
        order, size = self.random.permutation(len(self.train[0])), self.job["batch_size"]
        for start in range(0, len(order), size):
            self.state = self.step(self.state, order[start : start + size], *self.train)
        self.jax.block_until_ready(self.state)

    def evaluate(self):
        loss, accuracy = map(float, self.evaluation(self.state[0], *self.test))
        return loss, accuracy if self.classes else None


def timed(work):
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def main():
    job = json.loads(sys.argv[1])
    warnings.simplefilter("ignore")
    # JAX has as many threads as there are cores for it.
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: job["threads"]])
    dtype = {"f32": np.float32, "f64": np.float64}[job["precision"]]
    arrays = list(read(job["arrays"], dtype))
    classes = arrays[1].dtype == np.int64
    outputs = int(arrays[1].max()) + 1 if classes else arrays[1].shape[1]
    sizes = [arrays[0].shape[1], *job["hidden"], outputs]
    peer = {"PyTorch": Torch, "sklearn": Sklearn, "JAX": Jax}[job["peer"]](job, sizes, arrays[:2], arrays[2:])

    peer.epoch()
    loss, accuracy = peer.evaluate()
    seconds = []
    if job["work"] == "reach":
        peer.reset()
        while len(seconds) < job["count"] and (not seconds or accuracy < job["accuracy"]):
            seconds.append(timed(peer.epoch))
            loss, accuracy = peer.evaluate()
    elif job["work"] == "evaluate":
        seconds = [timed(peer.evaluate) for _ in range(job["count"])]
    else:
        seconds = [timed(peer.epoch) for _ in range(job["count"])]
        loss, accuracy = peer.evaluate()
    print(json.dumps({"seconds": seconds, "loss": loss, "accuracy": accuracy}))


if __name__ == "__main__":
    main()
