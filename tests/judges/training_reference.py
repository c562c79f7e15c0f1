"""Steps of optimisers, learning rates and losses, as PyTorch and Keras compute them.

Needs torch and keras (see requirements-training.txt). Writes tests/judges/training_reference.json:

    KERAS_BACKEND=torch python tests/judges/training_reference.py tests/judges/training_reference.json
"""

import json
import sys
import types

import keras
import torch
import torch.nn.functional as F

WEIGHT = [[0.5, -1.0], [0.25, 2.0], [-0.75, 0.1]]
BIAS = [0.3, -0.2]
# What the loss pulls each output towards, and from where.
INPUTS = [[1.0, -0.5, 0.25], [0.0, 2.0, -1.0]]
WANTED = [[0.5, 1.0], [-1.0, 0.0]]
RATES = [0.1, 0.1, 0.05, 0.05, 0.02]


def optimiser(recipe, parameters):
    decay = recipe["weight_decay"]
    momentum = recipe.get("momentum")
    name = recipe["optimizer"]
    if name == "adamw":
        return torch.optim.AdamW(parameters, weight_decay=decay)
    if name == "adam":
        return torch.optim.Adam(parameters, weight_decay=decay)
    if name == "sgd":
        momentum = 0.9 if momentum is None else momentum
        return torch.optim.SGD(parameters, lr=0.1, momentum=momentum, weight_decay=decay, nesterov=recipe.get("nesterov", False))
    return torch.optim.RMSprop(parameters, alpha=recipe.get("rho", 0.99), momentum=momentum or 0.0, weight_decay=decay)


def steps(recipe):
    weight = torch.tensor(WEIGHT, requires_grad=True)
    bias = torch.tensor(BIAS, requires_grad=True)
    optimizer = optimiser(recipe, [weight, bias])
    after = []
    for rate in RATES:
        for group in optimizer.param_groups:
            group["lr"] = rate
        optimizer.zero_grad()
        loss = ((torch.tensor(INPUTS) @ weight + bias - torch.tensor(WANTED)) ** 2).sum()
        loss.backward()
        optimizer.step()
        after.append([value.item() for value in torch.cat([weight.flatten(), bias]).detach()])
    return {"recipe": recipe, "after": after}


def schedule(recipe, n_epochs, steps_per_epoch, make, by_step=False):
    """Rates of every step. PyTorch's schedulers are asked after every epoch, or every step."""
    parameter = torch.nn.Parameter(torch.zeros(1, dtype=torch.float64))
    optimizer = torch.optim.SGD([parameter], lr=recipe["learning_rate"])
    scheduler = make(optimizer, n_epochs * steps_per_epoch)
    rates = []
    for _ in range(n_epochs):
        for _ in range(steps_per_epoch):
            rates.append(optimizer.param_groups[0]["lr"])
            optimizer.step()
            if by_step and len(rates) < n_epochs * steps_per_epoch:
                scheduler.step()
        if not by_step:
            scheduler.step()
    return {"recipe": recipe, "steps_per_epoch": steps_per_epoch, "losses": [0.0] * n_epochs, "rates": rates}


def one_cycle(peak, **settings):
    return lambda optimizer, n: torch.optim.lr_scheduler.OneCycleLR(
        optimizer, peak, total_steps=n, cycle_momentum=False, **settings
    )


def plateau(recipe, losses):
    """Keras' own callback, told losses."""
    settings = {key: value for key, value in recipe["schedule"].items() if key not in ("kind", "monitor")}
    callback = keras.callbacks.ReduceLROnPlateau(monitor="val_loss", mode="min", **settings)
    optimizer = keras.optimizers.SGD(recipe["learning_rate"])
    callback.set_model(types.SimpleNamespace(optimizer=optimizer))
    callback.on_train_begin()
    rates = []
    for epoch, loss in enumerate(losses):
        rates.append(float(optimizer.learning_rate))
        callback.on_epoch_end(epoch, {"val_loss": loss})
    return {"recipe": recipe, "steps_per_epoch": 1, "losses": losses, "rates": rates}


def losses():
    generator = torch.Generator().manual_seed(5)
    logits = torch.randn(6, 3, generator=generator, dtype=torch.float64) * 2
    truths = [0, 2, 1, 1, 0, 2]
    partners = [3, 0, 4, 5, 2, 1]
    cases = []
    for weights, smoothing, share in [
        ([1.0, 1.0, 1.0], 0.0, 1.0),
        ([1.0, 1.0, 1.0], 0.1, 1.0),
        ([0.5, 2.0, 1.0], 0.1, 1.0),
        ([1.0, 1.0, 1.0], 0.0, 0.7),
        ([0.5, 2.0, 1.0], 0.1, 0.35),
    ]:
        x = logits.clone().requires_grad_()
        a = torch.tensor(truths)
        b = a[torch.tensor(partners)]
        entropy = lambda of: F.cross_entropy(x, of, torch.tensor(weights, dtype=torch.float64), label_smoothing=smoothing)
        # As in the authors' own program of mixup.
        loss = share * entropy(a) + (1 - share) * entropy(b)
        loss.backward()
        cases.append({"weights": weights, "smoothing": smoothing, "share": share, "loss": loss.item(), "gradient": x.grad.flatten().tolist()})
    return {"logits": logits.flatten().tolist(), "truths": truths, "partners": partners, "cases": cases}


def main(path):
    sgd = {"optimizer": "sgd", "weight_decay": 0.0}
    optimisers = [
        {"optimizer": "adamw", "weight_decay": 0.01},
        {"optimizer": "adamw", "weight_decay": 0.3},
        {"optimizer": "adam", "weight_decay": 0.0},
        {"optimizer": "adam", "weight_decay": 0.1},
        sgd,
        {**sgd, "momentum": 0.0},
        {**sgd, "momentum": 0.8, "nesterov": True, "weight_decay": 0.1},
        {"optimizer": "sgd", "weight_decay": 0.1},
        {"optimizer": "rmsprop", "weight_decay": 0.0},
        {"optimizer": "rmsprop", "rho": 0.9, "weight_decay": 0.1},
        {"optimizer": "rmsprop", "rho": 0.9, "momentum": 0.9, "weight_decay": 0.0},
    ]
    named = lambda kind, **settings: {"learning_rate": 0.02, "schedule": {"kind": kind, **settings}}
    lr = torch.optim.lr_scheduler
    cycle = {"pct_start": 0.45, "div_factor": 10.0, "final_div_factor": 100.0}
    falling = [0.9, 0.8, 0.80001, 0.8, 0.79, 0.79, 0.7901, 0.79, 0.8, 0.7, 0.7, 0.7, 0.7, 0.7, 0.7, 0.7, 0.7, 0.7]
    schedules = [
        schedule({"learning_rate": 0.02, "schedule": "constant"}, 3, 2, lambda it, _: lr.ConstantLR(it, 1.0)),
        schedule(named("step", step_size=3, gamma=0.5), 10, 2, lambda it, _: lr.StepLR(it, 3, 0.5)),
        schedule(named("step", step_size=1, gamma=0.1), 4, 3, lambda it, _: lr.StepLR(it, 1, 0.1)),
        schedule(named("exponential", gamma=0.9), 12, 2, lambda it, _: lr.ExponentialLR(it, 0.9)),
        schedule(named("one-cycle"), 10, 7, one_cycle(0.02), by_step=True),
        schedule(named("one-cycle", **cycle), 5, 4, one_cycle(0.02, **cycle), by_step=True),
        plateau(named("reduce-on-plateau", factor=0.5, patience=2, min_delta=0.0001, cooldown=0, min_lr=0.0), falling),
        plateau(named("reduce-on-plateau", factor=0.2, patience=3, min_delta=0.02, cooldown=2, min_lr=0.0), falling),
        plateau(named("reduce-on-plateau", factor=0.1, patience=1, min_delta=0.0, cooldown=1, min_lr=0.001), falling),
    ]
    content = {
        "weight": WEIGHT,
        "bias": BIAS,
        "inputs": INPUTS,
        "wanted": WANTED,
        "rates": RATES,
        "optimizers": [steps(recipe) for recipe in optimisers],
        "schedules": schedules,
        "losses": losses(),
    }
    with open(path, "w") as file:
        json.dump(content, file)
        file.write("\n")


main(sys.argv[1])
