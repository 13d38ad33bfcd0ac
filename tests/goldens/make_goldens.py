"""Trains small networks in PyTorch and writes down what came out, for Rust to come to the same.

    python make_goldens.py        (PyTorch 2.15, f64, CPU; writes *.txt next to itself)

Weights and data come from formulas, so that no file has to carry them; tests/numbers/goldens.rs has the same formulas.
"""

import math
from functools import partial
from pathlib import Path

import torch
from torch import nn
from torch.optim import SGD, Adam, AdamW, RMSprop, lr_scheduler

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


def train(
    name, sizes, activations, loss, rate, per_tensor=None, total=None, optimizer=None, decay=0.0, schedule=None, answers=False
):
    """Trains, with plain SGD by default; writes each step's loss (before the step) and the weights at the end.

    With answers, targets are 1 where those of the regression are above 0.3, and 0 elsewhere.
    A schedule goes on after each epoch, with the mean of the epoch's losses where it looks at losses.
    """
    model = network(sizes, activations)
    linears = [module for module in model if isinstance(module, nn.Linear)]
    inputs = wave(SAMPLES, sizes[0], 1.5, 0.9, 0.2)
    if sizes[-1] == 3:
        targets = torch.tensor([(7 * index // 3) % 3 for index in range(SAMPLES)])
    else:
        targets = wave(SAMPLES, sizes[-1], 1.0, 0.5, 1.0)
    if answers:
        targets = (targets > 0.3).double()
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


def train_weighted(name, sizes, activations, losses_of, rate):
    """Takes steps on all samples, each loss times the weight of its sample: the weights 3 i mod 5, scaled to a mean of 1.

    Writes each step's loss (before the step) and the weights of the network at the end.
    """
    model = network(sizes, activations)
    linears = [module for module in model if isinstance(module, nn.Linear)]
    inputs = wave(SAMPLES, sizes[0], 1.5, 0.9, 0.2)
    if sizes[-1] == 3:
        targets = torch.tensor([(7 * index // 3) % 3 for index in range(SAMPLES)])
    else:
        targets = wave(SAMPLES, sizes[-1], 1.0, 0.5, 1.0)
    weights = torch.tensor([float(3 * index % 5) for index in range(SAMPLES)], dtype=torch.float64)
    weights /= weights.mean()
    optimizer = SGD(model.parameters(), lr=rate)
    values = []
    for _ in range(20):
        optimizer.zero_grad()
        value = (weights * losses_of(model(inputs), targets)).mean()
        value.backward()
        optimizer.step()
        values.append(value.item())
    with open(Path(__file__).with_name(f"{name}.txt"), "w") as file:
        file.write(" ".join(["losses"] + [repr(value) for value in values]) + "\n")
        for linear in linears:
            tensor = torch.cat([linear.bias[:, None], linear.weight], dim=1)
            file.write(" ".join(["weights"] + [repr(value) for value in tensor.flatten().tolist()]) + "\n")
    print(f"{name}: loss {values[0]:.4f} -> {values[-1]:.4f}")


def over_outputs(loss):
    """A loss of PyTorch's, which is the mean over the outputs too, summed over them."""
    return lambda prediction, target: loss(prediction, target) * target.shape[1]


classifier = dict(sizes=[5, 7, 4, 3], activations=[nn.ReLU, nn.Tanh, None])
regressor = dict(sizes=[4, 6, 2], activations=[nn.Sigmoid, None])
mean, total = nn.CrossEntropyLoss(), nn.CrossEntropyLoss(reduction="sum")

train("cross_entropy_mean", **classifier, loss=mean, rate=0.5)
train("cross_entropy_sum", **classifier, loss=total, rate=0.1)
train("mse_mean", **regressor, loss=mse, rate=0.1)
train("mae", **regressor, loss=over_outputs(nn.L1Loss()), rate=0.1)
train("mae_sum", **regressor, loss=nn.L1Loss(reduction="sum"), rate=0.05)
train("huber", **regressor, loss=over_outputs(nn.HuberLoss(delta=0.4)), rate=0.2)
train("huber_sum", **regressor, loss=nn.HuberLoss(reduction="sum"), rate=0.05)
weighted = nn.BCEWithLogitsLoss(reduction="sum", pos_weight=torch.tensor([2.5, 0.5], dtype=torch.float64))
train("bce", **regressor, loss=over_outputs(nn.BCEWithLogitsLoss()), rate=0.5, answers=True)
train("bce_sum_weighted", **regressor, loss=weighted, rate=0.1, answers=True)
train("clip_global", **classifier, loss=mean, rate=0.5, total=1.0)
train("clip_per_tensor", **classifier, loss=mean, rate=0.5, per_tensor=0.6)



def weighted_cross_entropy(output, target):
    """The cross-entropy of each sample times the weight of its class; PyTorch's own mean divides by the weights' sum."""
    classes = torch.tensor([0.5, 2.0, 1.0], dtype=torch.float64)
    return classes[target] * nn.functional.cross_entropy(output, target, reduction="none")


train_weighted("weighted_cross_entropy", **classifier, losses_of=weighted_cross_entropy, rate=0.5)
train_weighted("weighted_mse", **regressor, losses_of=lambda output, target: (output - target).square().sum(dim=1), rate=0.1)


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
optimized("rmsprop", RMSprop, rate=0.01)
optimized("rmsprop_momentum", partial(RMSprop, alpha=0.9, eps=1e-4, momentum=0.8), rate=0.005, decay=0.05, total=0.8)
train("adamw_mse", **regressor, loss=mse, rate=0.02, optimizer=AdamW, decay=0.01)

step = partial(lr_scheduler.StepLR, step_size=2, gamma=0.3)
cosine = partial(lr_scheduler.CosineAnnealingLR, T_max=EPOCHS, eta_min=0.01)
plateau = partial(lr_scheduler.ReduceLROnPlateau, factor=0.3, patience=0, threshold=0.1, min_lr=0.1)
for name, schedule in [("step", step), ("cosine", cosine), ("plateau", plateau)]:
    train(name, **classifier, loss=mean, rate=0.5, schedule=schedule)


def fill(model):
    """Gives parameter k the values 0.5 sin(0.7 i + k), and a batch normalisation's gamma 1 more."""
    gammas = [module.weight for module in model if isinstance(module, nn.BatchNorm1d)]
    with torch.no_grad():
        for index, parameter in enumerate(model.parameters()):
            parameter.copy_(wave(1, parameter.numel(), 0.5, 0.7, index).reshape(parameter.shape))
            if any(parameter is gamma for gamma in gammas):
                parameter.add_(1)


def follow(name, model, features, loss, rate):
    """Trains two epochs; writes the first step's gradients, each step's loss, and at the end all tensors and what the
    model predicts of all samples."""
    model.double()
    fill(model)
    inputs = wave(SAMPLES, features, 1.5, 0.9, 0.2)
    targets = torch.tensor([(7 * index // 3) % 3 for index in range(SAMPLES)])
    optimizer = SGD(model.parameters(), lr=rate)
    lines, losses = {}, []
    for epoch in range(2):
        for batch in torch.tensor(order(epoch)).split(BATCH):
            optimizer.zero_grad()
            value = loss(model(inputs[batch]), targets[batch])
            value.backward()
            if not losses:
                lines |= {f"gradient.{key}": parameter.grad.clone() for key, parameter in model.named_parameters()}
            optimizer.step()
            losses.append(value.item())
    lines["losses"] = torch.tensor(losses, dtype=torch.float64)
    lines |= model.state_dict()
    with torch.no_grad():
        lines["predictions"] = model.eval()(inputs)
    with open(Path(__file__).with_name(f"{name}.txt"), "w") as file:
        for key, values in lines.items():
            file.write(" ".join([key] + [repr(value) for value in values.flatten().tolist()]) + "\n")
    print(f"{name}: loss {losses[0]:.4f} -> {losses[-1]:.4f}")


def log_probability(probabilities, targets):
    """The cross-entropy of probabilities."""
    return nn.functional.nll_loss(probabilities.log(), targets)


normalised = nn.Sequential(
    nn.Linear(5, 7), nn.BatchNorm1d(7), nn.ReLU(), nn.Linear(7, 4), nn.Tanh(), nn.BatchNorm1d(4), nn.Linear(4, 3)
)
follow("batch_norm", normalised, 5, mean, 0.5)
first = nn.Sequential(nn.BatchNorm1d(5), nn.Linear(5, 3), nn.BatchNorm1d(3))
follow("batch_norm_first", first, 5, mean, 0.5)
follow("softmax", nn.Sequential(nn.Linear(5, 7), nn.ReLU(), nn.Linear(7, 3), nn.Softmax(dim=1)), 5, log_probability, 0.5)
hidden = nn.Sequential(nn.Linear(5, 7), nn.Softmax(dim=1), nn.Linear(7, 3))
follow("softmax_hidden", hidden, 5, mean, 0.5)
smooth = nn.Sequential(
    nn.Linear(5, 7),
    nn.ELU(0.3),
    nn.Linear(7, 6),
    nn.GELU(),
    nn.Linear(6, 5),
    nn.SiLU(),
    nn.BatchNorm1d(5),
    nn.GELU(),
    nn.Linear(5, 4),
    nn.Softplus(),
    nn.Linear(4, 3),
)
follow("smooth", smooth, 5, mean, 0.5)
leaky = nn.Sequential(nn.Linear(5, 7), nn.LeakyReLU(0.2), nn.Linear(7, 3), nn.LeakyReLU())
follow("leaky_relu", leaky, 5, nn.CrossEntropyLoss(label_smoothing=0.1), 0.5)
convolved = nn.Sequential(
    nn.Unflatten(1, (2, 6, 5)),
    nn.Conv2d(2, 3, (3, 2), stride=(2, 1), padding=(1, 0)),
    nn.ReLU(),
    nn.Conv2d(3, 4, 2, padding=1),
    nn.Tanh(),
    nn.Flatten(),
    nn.Linear(4 * 4 * 5, 3),
)
follow("conv2d", convolved, 60, mean, 0.1)
cube = nn.Sequential(
    nn.Unflatten(1, (3, 4, 4)),
    nn.Conv2d(3, 5, 3, padding=1),
    nn.ReLU(),
    nn.Conv2d(5, 1, 3, padding=1),
    nn.Flatten(),
    nn.BatchNorm1d(16),
    nn.Linear(16, 3),
)
follow("conv2d_cube", cube, 48, mean, 0.1)
