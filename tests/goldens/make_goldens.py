"""Trains small networks in PyTorch and writes down what came out, for Rust to come to the same.

    python make_goldens.py        (PyTorch 2.15, f64, CPU; writes *.txt next to itself)

Weights and data come from formulas, so that no file has to carry them; tests/common/mod.rs has the same formulas.
"""

import math
from functools import partial
from pathlib import Path

import torch
from torch import nn
from torch.optim import SGD, Adam, AdamW, lr_scheduler

STEPS_PER_EPOCH, EPOCHS = 5, 4
SAMPLES, BATCH = 18, 4  # batches of 4, 4, 4, 4 and 2


def wave(rows, columns, scale, step, phase):
    """scale * sin(step * index + phase), row by row."""
    values = [scale * math.sin(step * index + phase) for index in range(rows * columns)]
    return torch.tensor(values, dtype=torch.float64).reshape(rows, columns)


def order(epoch):
    """A permutation of the samples."""
    return [(7 * index + 5 * epoch) % SAMPLES for index in range(SAMPLES)]


def network(sizes, activations):
    """Linear layers with weights [bias | W] = wave(outputs, inputs + 1, 0.8, 0.7, layer); layers count from 1."""
    modules = []
    for layer, (inputs, outputs, activation) in enumerate(zip(sizes, sizes[1:], activations), start=1):
        linear = nn.Linear(inputs, outputs, dtype=torch.float64)
        weights = wave(outputs, inputs + 1, 0.8, 0.7, layer)
        with torch.no_grad():
            linear.bias.copy_(weights[:, 0])
            linear.weight.copy_(weights[:, 1:])
        modules += [linear] + ([activation()] if activation else [])
    return nn.Sequential(*modules)


def clip(parameters, limit):
    """Shortens gradients to the limit; returns whether it had to.

    `clip_grad_norm_` adds 1e-6 to the norm it divides by. We divide by the norm itself and check that PyTorch's own
    function differs by that little only.
    """
    gradients = [parameter.grad for parameter in parameters]
    norm = nn.utils.get_total_norm(gradients)
    scale = min(1.0, limit / norm.item())

    copies = [nn.Parameter(parameter.detach().clone()) for parameter in parameters]
    for copy, gradient in zip(copies, gradients):
        copy.grad = gradient.clone()
    nn.utils.clip_grad_norm_(copies, limit)
    for copy, gradient in zip(copies, gradients):
        gradient.mul_(scale)
        torch.testing.assert_close(copy.grad, gradient, rtol=2e-6 / limit, atol=0.0)
    return scale < 1.0


def without_bias_decay(optimizer, linears, weight_decay):
    """An optimizer in which the weights decay and the biases do not."""
    groups = [
        dict(params=[linear.weight for linear in linears], weight_decay=weight_decay),
        dict(params=[linear.bias for linear in linears], weight_decay=0.0),
    ]
    return optimizer(groups)


def train(name, sizes, activations, loss, rate, per_tensor=None, total=None, optimizer=None, decay=0.0, schedule=None):
    """Trains, with plain SGD by default; writes each step's loss (before the step) and the weights at the end.

    A schedule goes on after each epoch, with the mean of the epoch's losses where it looks at losses.
    """
    model = network(sizes, activations)
    linears = [module for module in model if isinstance(module, nn.Linear)]
    inputs = wave(SAMPLES, sizes[0], 1.5, 0.9, 0.2)
    if sizes[-1] == 3:
        targets = torch.tensor([(7 * index // 3) % 3 for index in range(SAMPLES)])
    else:
        targets = wave(SAMPLES, sizes[-1], 1.0, 0.5, 1.0)
    if optimizer:
        optimizer = without_bias_decay(partial(optimizer, lr=rate), linears, decay)
    else:
        optimizer = SGD(model.parameters(), lr=rate)
    scheduler = schedule(optimizer) if schedule else None

    losses, clipped, rates = [], [], []
    for epoch in range(EPOCHS):
        rates.append(optimizer.param_groups[0]["lr"])
        for batch in torch.tensor(order(epoch)).split(BATCH):
            optimizer.zero_grad()
            value = loss(model(inputs[batch]), targets[batch])
            value.backward()
            if per_tensor:  # a tensor is [bias | W]
                clipped += [clip([linear.bias, linear.weight], per_tensor) for linear in linears]
            if total:
                clipped.append(clip(list(model.parameters()), total))
            optimizer.step()
            losses.append(value.item())
        if isinstance(scheduler, lr_scheduler.ReduceLROnPlateau):
            scheduler.step(sum(losses[-STEPS_PER_EPOCH:]) / STEPS_PER_EPOCH)
        elif scheduler:
            scheduler.step()
    assert len(losses) == EPOCHS * STEPS_PER_EPOCH
    assert not clipped or any(clipped) and not all(clipped), f"{name}: the limit must bite now and then"

    def line(key, values):
        return " ".join([key] + [repr(value) for value in values]) + "\n"

    with open(Path(__file__).with_name(f"{name}.txt"), "w") as file:
        file.write(line("losses", losses))
        for linear in linears:
            weights = torch.cat([linear.bias[:, None], linear.weight], dim=1)
            file.write(line("weights", weights.flatten().tolist()))
    assert not scheduler or 1 < len(set(rates)), f"{name}: the rate must change"
    print(f"{name}: loss {losses[0]:.4f} -> {losses[-1]:.4f}, clipped {sum(clipped)} of {len(clipped)}, rates {rates}")


def mse(prediction, target):
    """The report's: summed over the outputs, averaged over the samples."""
    return (prediction - target).square().sum(dim=1).mean()


classifier = dict(sizes=[5, 7, 4, 3], activations=[nn.ReLU, nn.Tanh, None])
regressor = dict(sizes=[4, 6, 2], activations=[nn.Sigmoid, None])
mean, total = nn.CrossEntropyLoss(), nn.CrossEntropyLoss(reduction="sum")

train("cross_entropy_mean", **classifier, loss=mean, rate=0.5)
train("cross_entropy_sum", **classifier, loss=total, rate=0.1)
train("mse_mean", **regressor, loss=mse, rate=0.1)
train("clip_global", **classifier, loss=mean, rate=0.5, total=1.0)
train("clip_per_tensor", **classifier, loss=mean, rate=0.5, per_tensor=0.6)



def optimized(name, optimizer, rate=0.05, **others):
    train(name, **classifier, loss=mean, rate=rate, optimizer=optimizer, **others)


swift = partial(SGD, momentum=0.9)
nesterov = partial(swift, nesterov=True)
optimized("momentum", swift)
optimized("nesterov", nesterov)
optimized("nesterov_decay_clip", nesterov, decay=0.05, total=0.8)
optimized("sgd_decay", SGD, rate=0.5, decay=0.05)
optimized("adam", Adam)
optimized("adam_decay", partial(Adam, betas=(0.8, 0.95), eps=1e-4), decay=0.05)
optimized("adamw", AdamW, decay=0.2)
train("adamw_mse", **regressor, loss=mse, rate=0.02, optimizer=AdamW, decay=0.01)

step = partial(lr_scheduler.StepLR, step_size=2, gamma=0.3)
cosine = partial(lr_scheduler.CosineAnnealingLR, T_max=EPOCHS, eta_min=0.01)
plateau = partial(lr_scheduler.ReduceLROnPlateau, factor=0.3, patience=0, threshold=0.1, min_lr=0.1)
for name, schedule in [("step", step), ("cosine", cosine), ("plateau", plateau)]:
    train(name, **classifier, loss=mean, rate=0.5, schedule=schedule)
