"""Class activation maps, as PyTorch's gradients give them.

Needs what model_reference.py beside it needs, whose networks, weights and pictures are taken.
Writes tests/judges/cam_reference.json:

    python tests/judges/cam_reference.py tests/judges/cam_reference.json

For each network it gives what every cell of the last feature maps says for a class, nothing cut
off: features weighed by the last layer (cam), each cell with its part of a mean and with the
maxima found in it, or by the mean of their gradient (grad-cam), or pixels weighed by their gradient
(saliency); once for the most probable class of each picture, once for class 3.
"""

import json
import sys

import torch
import torch.nn.functional as F
from torch import nn

from model_reference import NETWORKS, drawn, fill, rounded


class SmallCnn(nn.Module):
    """Four blocks, then mean and maximum of every feature, with the names of ours."""

    def __init__(self):
        super().__init__()
        self.blocks = nn.ModuleList()
        n_in = 3
        for n in (8, 24, 48, 96):
            conv = nn.Conv2d(n_in, n, 3, padding=1, bias=False)
            self.blocks.append(nn.ModuleDict({"conv": conv, "norm": nn.BatchNorm2d(n)}))
            n_in = n
        self.output = nn.Linear(2 * n_in, 5)

    def forward(self, x):
        for at, block in enumerate(self.blocks):
            x = F.max_pool2d(x, 2) if at else x
            x = F.relu(block["norm"](block["conv"](x)))
        x = torch.cat([x.mean((2, 3)), F.adaptive_max_pool2d(x, 1).flatten(1)], 1)
        return self.output(x)


class Linear(nn.Module):
    def __init__(self):
        super().__init__()
        self.output = nn.Linear(3 * 6 * 6, 5)

    def forward(self, x):
        return self.output(x.flatten(1))


def relu(n):
    """The n-th answer of ReLU, counted from 0."""
    return lambda model, x: recorded("relu", n, model, x)


def joined(model, x):
    return recorded("cat", 0, model, x)


def part(name):
    """What a part of the network gives."""

    def run(model, x):
        kept = []
        hook = model.get_submodule(name).register_forward_hook(lambda *it: kept.append(it[2]))
        logits = model(x)
        hook.remove()
        return logits, kept[0]

    return run


def recorded(function, n, model, x):
    owner = F if function == "relu" else torch
    plain, kept = getattr(owner, function), []

    def keep(*arguments, **named):
        kept.append(plain(*arguments, **named))
        return kept[-1]

    setattr(owner, function, keep)
    logits = model(x)
    setattr(owner, function, plain)
    return logits, kept[n]


def itself(model, x):
    return model(x), x


# Where the last maps lie, and what the features there are weighed by.
CASES = [
    ("mobilenet-v2", 64, None, part("features"), "cam"),
    ("resnet-18", 96, None, part("layer4"), "cam"),
    ("vgg-16", 64, None, part("features.29"), "grad-cam"),
    ("peetznet", 24, None, joined, "grad-cam"),
    ("keras-cnn", 34, None, relu(2), "grad-cam"),
    ("first-model", 36, None, relu(2), "grad-cam"),
    ("small-cnn", 32, SmallCnn, relu(3), "cam"),
    ("linear", 6, Linear, itself, "saliency"),
]


def evidence(model, x, run, method, asked):
    x = x.clone().requires_grad_()
    logits, maps = run(model, x)
    classes = logits.argmax(1) if asked is None else torch.full((len(x),), asked)
    gradient = torch.autograd.grad(logits.gather(1, classes[:, None]).sum(), maps)[0]
    if method == "cam":
        layers = [it for it in model.modules() if isinstance(it, nn.Linear)]
        weights = layers[-1].weight[classes][:, :, None, None]
        n = maps.shape[1]
        of_mean, of_maximum = weights[:, :n], weights[:, n:]
        weights = of_mean / (maps.shape[2] * maps.shape[3])
        if of_maximum.shape[1]:
            at = maps.flatten(2).argmax(2, keepdim=True)
            found_in = torch.zeros_like(maps.flatten(2)).scatter(2, at, 1.0).reshape(maps.shape)
            weights = weights + of_maximum * found_in
    elif method == "grad-cam":
        weights = gradient.mean((2, 3), keepdim=True)
    else:
        weights = gradient
    found = (maps * weights).sum(1)
    return {
        "asked": asked,
        "classes": classes.tolist(),
        "height": found.shape[1],
        "width": found.shape[2],
        "evidence": rounded(found.detach().flatten()),
    }


def main():
    torch.set_num_threads(2)
    cases = []
    for name, side, make, run, method in CASES:
        # Twice the digits, so that what differs is ours.
        model = fill((make or NETWORKS[name][1])()).double().eval()
        x = torch.from_numpy(drawn("pictures", 3 * 3 * side * side).reshape(3, 3, side, side)).double()
        maps = [evidence(model, x, run, method, asked) for asked in (None, 3)]
        cases.append({"network": name, "side_px": side, "method": method, "maps": maps})
    lines = ",\n".join(json.dumps(case) for case in cases)
    with open(sys.argv[1], "w", encoding="utf-8") as file:
        file.write(f'{{"versions": {{"torch": "{torch.__version__}"}}, "cases": [\n{lines}\n]}}\n')


main()
