"""Logits and gradients of published networks, as PyTorch computes them.

Needs torch, torchvision and timm (see requirements-torch.txt). Weights and pictures are drawn from
a generator that starts from the name of a tensor, so the Rust tests draw the same numbers and no
weights are carried. A gradient jumps where a value passes zero before a ReLU, or two values under a
window of pooling change places, and single precision may decide either otherwise: pictures are taken
for which no such value matters. Writes tests/judges/model_reference.json:

    python tests/judges/model_reference.py tests/judges/model_reference.json
"""

import copy
import json
import math
import sys

import numpy
import timm
import torch
import torch.nn.functional as F
import torchvision
from torch import nn

STEP = 0x9E3779B97F4A7C15
MASK = (1 << 64) - 1


def start(name):
    """FNV-1a of the name."""
    state = 0xCBF29CE484222325
    for byte in name.encode():
        state = ((state ^ byte) * 0x100000001B3) & MASK
    return state


def drawn(name, n):
    """Numbers from -1 to 1: SplitMix64, the upper 24 bits of each."""
    numpy.seterr(over="ignore")
    steps = numpy.arange(1, n + 1, dtype=numpy.uint64) * numpy.uint64(STEP)
    z = steps + numpy.uint64(start(name))
    z = (z ^ (z >> numpy.uint64(30))) * numpy.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> numpy.uint64(27))) * numpy.uint64(0x94D049BB133111EB)
    z = z ^ (z >> numpy.uint64(31))
    return ((z >> numpy.uint64(40)).astype(numpy.float32) / 8388608.0 - 1.0).astype(numpy.float32)


def value_of(name, shape):
    """Weights as large as keeps the values of a deep network near one."""
    x = drawn(name, math.prod(shape))
    if len(shape) > 1:
        x = x * numpy.float32(math.sqrt(6.0 / math.prod(shape[1:])))
    elif name.endswith("running_var"):
        x = x * numpy.float32(0.25) + numpy.float32(1.0)
    elif name.endswith("weight"):
        x = x * numpy.float32(0.25) + numpy.float32(0.75)
    else:
        x = x * numpy.float32(0.25)
    return torch.from_numpy(x.astype(numpy.float32).reshape(shape))


def fill(model):
    state = model.state_dict()
    new = {
        name: tensor if name.endswith("num_batches_tracked") else value_of(name, tensor.shape)
        for name, tensor in state.items()
    }
    model.load_state_dict(new)
    for part in list(model.modules()):
        if isinstance(part, nn.Dropout):
            part.p = 0.0
    return model


class Same(nn.Module):
    """TensorFlow's SAME padding before a part that pads nothing."""

    def __init__(self, kernel, stride, value):
        super().__init__()
        self.kernel, self.stride, self.value = kernel, stride, value

    def forward(self, x):
        sides = []
        for size in (x.shape[3], x.shape[2]):
            covered = (math.ceil(size / self.stride) - 1) * self.stride + self.kernel
            added = max(covered - size, 0)
            sides += [added // 2, added - added // 2]
        return F.pad(x, sides, value=self.value)


def pair(n_in, n, kernel):
    def conv(a):
        return nn.Conv2d(a, n, kernel, padding="same")
    return conv(n_in), conv(n)


class Peetznet(nn.Module):
    """The recipe's two branches, with the names of ours."""

    def __init__(self, side, branches, n_classes):
        super().__init__()
        self.names = [name for name, _ in branches]
        for name, pairs in branches:
            n_in, blocks = 3, nn.ModuleDict()
            for at, (kernel, n) in enumerate(pairs, 1):
                one, two = pair(n_in, n, kernel)
                blocks[str(at)] = nn.ModuleDict({"conv1": one, "conv2": two})
                n_in = n
            setattr(self, name, blocks)
        self.dense1 = nn.Linear(len(branches) * n_in * (side // 8) ** 2, 1024)
        self.dense2 = nn.Linear(1024, 1024)
        self.output = nn.Linear(1024, n_classes)

    def forward(self, x):
        parts = []
        for name in self.names:
            y = x
            for block in getattr(self, name).values():
                y = F.relu(block["conv2"](F.relu(block["conv1"](y))))
                y = F.max_pool2d(y, 2)
            parts.append(y)
        y = torch.cat(parts, 1).flatten(1)
        return self.output(F.relu(self.dense2(F.relu(self.dense1(y)))))


class Plain(nn.Module):
    """Convolutions with pooling, hidden layers, and one to the classes."""

    def __init__(self, side, channels, padding, hidden, n_classes):
        super().__init__()
        self.channels, self.hidden = channels, hidden
        n_in = 3
        for at, n in enumerate(channels, 1):
            setattr(self, f"conv{at}", nn.Conv2d(n_in, n, 3, padding=padding))
            n_in, side = n, (side - 2 + 2 * padding) // 2
        n_in *= side * side
        for at, n in enumerate(hidden, 1):
            setattr(self, f"dense{at}", nn.Linear(n_in, n))
            n_in = n
        self.output = nn.Linear(n_in, n_classes)

    def forward(self, x):
        for at in range(1, len(self.channels) + 1):
            x = F.max_pool2d(F.relu(getattr(self, f"conv{at}")(x)), 2)
        x = x.flatten(1)
        for at in range(1, len(self.hidden) + 1):
            x = F.relu(getattr(self, f"dense{at}")(x))
        return self.output(x)


def vgg_16():
    """Without the pooling to 7×7, which does nothing at 224 pixels and has no place in ours."""
    model = torchvision.models.vgg16(num_classes=5)
    model.avgpool = nn.Identity()
    model.classifier = nn.Sequential(nn.Linear(512 * 4, 32), nn.ReLU(), nn.Dropout(), nn.Linear(32, 5))
    return model


def keras_xception():
    """Keras pads its pooling behind first and adds 1e-3 to the variance."""
    model = timm.create_model("legacy_xception", num_classes=5)
    for part in list(model.modules()):
        if isinstance(part, nn.BatchNorm2d):
            part.eps = 1e-3
        if isinstance(part, nn.Sequential):
            for at, layer in enumerate(list(part)):
                if isinstance(layer, nn.MaxPool2d):
                    part[at] = nn.Sequential(Same(3, 2, -math.inf), nn.MaxPool2d(3, 2))
    return model


def tensorflow_mobilenet():
    model = torchvision.models.mobilenet_v2(num_classes=5)

    def padded(part):
        for name, layer in list(part.named_children()):
            if isinstance(layer, nn.Conv2d) and layer.stride == (2, 2):
                layer.padding = (0, 0)
                layer.register_forward_pre_hook(lambda _, x: (Same(3, 2, 0.0)(x[0]),))
            else:
                padded(layer)

    padded(model)
    return model


def inception():
    model = torchvision.models.inception_v3(
        num_classes=5, aux_logits=False, transform_input=False, init_weights=False
    )
    return model


A, B = [(5, 64), (4, 128), (3, 256)], [(3, 64), (4, 128), (3, 256)]
NETWORKS = {
    "mobilenet-v2": (64, lambda: torchvision.models.mobilenet_v2(num_classes=5)),
    "mobilenet-v2 same": (64, tensorflow_mobilenet),
    "resnet-18": (64, lambda: torchvision.models.resnet18(num_classes=5)),
    "resnet-50": (64, lambda: torchvision.models.resnet50(num_classes=5)),
    "vgg-16": (64, vgg_16),
    "inception-v3": (107, inception),
    "xception": (64, lambda: timm.create_model("legacy_xception", num_classes=5)),
    "xception same": (64, keras_xception),
    "peetznet": (24, lambda: Peetznet(24, [("branch_a", A), ("branch_b", B)], 5)),
    "vgg-style": (24, lambda: Peetznet(24, [("blocks", [(4, 64), (4, 128), (4, 256)])], 5)),
    "keras-cnn": (34, lambda: Plain(34, [32, 32, 64], 0, [64], 5)),
    "keras-cnn-regularised": (34, lambda: Plain(34, [32, 32, 64], 0, [64, 64], 5)),
    "first-model": (36, lambda: Plain(36, [16, 32, 64], 1, [128], 5)),
    "second-model": (36, lambda: Plain(36, [16, 32, 64], 1, [128], 5)),
}


def rounded(values):
    return [float(f"{float(value):.7g}") for value in values]


def gradients_of(model, logits):
    """The loss, and of three weights the gradient's norm and three of its numbers."""
    model.zero_grad()
    loss = F.cross_entropy(logits, torch.tensor([0, 1, 2]))
    loss.backward()
    weights = [(n, p.grad) for n, p in model.named_parameters() if p.dim() > 1]
    gradients = {}
    for n, gradient in (weights[0], weights[len(weights) // 2], weights[-1]):
        flat = gradient.flatten()
        picked = [0, len(flat) // 2, len(flat) - 1]
        gradients[n] = {"norm": rounded([flat.norm()])[0], "entries": rounded(flat[picked])}
    return rounded([loss.detach()])[0], gradients


class Kinks:
    """How far the values of a network in use are from where a slope changes, and what it does with
    one of them moved to the other side."""

    def __init__(self, nudged=None):
        self.heights, self.nudged = [], nudged

    def __enter__(self):
        self.own = {name: getattr(F, name) for name in ("relu", "hardtanh", "max_pool2d")}
        F.relu, F.hardtanh, F.max_pool2d = self.relu, self.hardtanh, self.max_pool2d
        return self

    def __exit__(self, *_):
        for name, function in self.own.items():
            setattr(F, name, function)

    def see(self, x, heights, places=None):
        """`heights` are to be kept, each that of one value of x, or of the value at its place."""
        step = torch.zeros(x.numel(), dtype=x.dtype)
        if self.nudged and self.nudged[0] == len(self.heights):
            at = self.nudged[1]
            by = -2 * heights.flatten()[at]
            step[at if places is None else places[at]] = by
        self.heights.append(heights.detach().clone().flatten())
        return x + step.view_as(x)

    def relu(self, x, inplace=False):
        return torch.relu(self.see(x, x))

    def hardtanh(self, x, low=-1.0, high=1.0, inplace=False):
        x = self.see(x, x - low)
        return self.see(x, x - high).clamp(low, high)

    def max_pool2d(self, x, kernel_size, stride=None, padding=0, *rest, **named):
        def windows(maps, beyond):
            maps = F.pad(maps.detach(), [padding] * 4, value=beyond)
            maps = maps.reshape(-1, 1, *maps.shape[2:])
            rows = F.unfold(maps, kernel_size, stride=stride or kernel_size)
            return rows.transpose(1, 2).flatten(0, 1)

        best, which = windows(x, -1e30).topk(2, 1)
        places = torch.arange(x.numel(), dtype=torch.float64).view_as(x)
        places = windows(places, 0.0).gather(1, which[:, 1:]).flatten().long()
        x = self.see(x, best[:, 1] - best[:, 0], places)
        return self.own["max_pool2d"](x, kernel_size, stride, padding, *rest, **named)


def compared(model, x, nudged=None):
    """What the tests compare of the gradients, each as a share of what it is judged by."""
    with Kinks(nudged):
        _, gradients = gradients_of(model, model(x))
    largest = {n: p.grad.abs().max().item() for n, p in model.named_parameters() if n in gradients}
    norms = {n: g["norm"] for n, g in gradients.items()}
    return norms, [e / largest[n] for n, g in gradients.items() for e in g["entries"]]


def matters(model, x, nudged, plain):
    (norms, entries), (old_norms, old_entries) = compared(model, x, nudged), plain
    moved = [abs(norms[n] / old - 1) for n, old in old_norms.items()]
    return max(moved + [abs(a - b) for a, b in zip(entries, old_entries)]) > HARMLESS


# Half of what the tests allow.
HARMLESS = 5e-5

# How far other sums may be off, in units of what PyTorch's own are off by. VGG's are the longest,
# and nothing normalises them.
REACH, REACH_OF_VGG = 2, 3.5


def pictures(model, side, times):
    """The first pictures for which no value matters that single precision may put on the other
    side: one nearer than so many times what PyTorch's own are off by in that place."""
    single = copy.deepcopy(model).float()
    for at in range(100):
        name = f"pictures {at}" if at else "pictures"
        x = torch.from_numpy(drawn(name, 3 * 3 * side * side).reshape(3, 3, side, side))
        with torch.no_grad(), Kinks() as exact:
            model(x.double())
        with torch.no_grad(), Kinks() as rough:
            single(x)
        near = []
        for place, (a, b) in enumerate(zip(exact.heights, rough.heights)):
            reach = times * (a - b)[a > -1e20].square().mean().sqrt()
            near += [(place, i.item()) for i in ((a != 0) & (a.abs() < reach)).nonzero()[:, 0]]
        print(len(near), end=" ", file=sys.stderr, flush=True)
        plain = compared(model, x.double())
        if not any(matters(model, x.double(), it, plain) for it in near):
            print(name, file=sys.stderr)
            return name, x.double()
    sys.exit("no pictures without a value that matters")


def main():
    torch.set_num_threads(2)
    cases = []
    for name, (side, make) in NETWORKS.items():
        torch.manual_seed(0)
        # Twice the digits, so that what differs is ours.
        model = fill(make()).double().eval()
        print(name, end=": ", file=sys.stderr)
        drawn_as, x = pictures(model, side, REACH_OF_VGG if name == "vgg-16" else REACH)
        logits = model(x)
        frozen, gradients = gradients_of(model, logits)
        learned_logits = model.train()(x)
        loss, learned = gradients_of(model, learned_logits)
        cases.append({
            "network": name,
            "side_px": side,
            "pictures": drawn_as,
            "logits": [rounded(row) for row in logits.detach()],
            "losses": [frozen, loss],
            "gradients": [gradients, learned],
            "n_parameters": sum(p.numel() for p in model.parameters()),
        })
    versions = {"torch": torch.__version__, "torchvision": torchvision.__version__, "timm": timm.__version__}
    lines = ",\n".join(json.dumps(case) for case in cases)
    with open(sys.argv[1], "w", encoding="utf-8") as file:
        file.write(f'{{"versions": {json.dumps(versions)}, "cases": [\n{lines}\n]}}\n')


if __name__ == "__main__":
    main()
