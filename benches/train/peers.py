"""The same work in PyTorch: peers.py TASK ARGUMENTS…; prints one line of figures, or of JSON."""
import json, os, re, struct, sys, time

task, arguments = sys.argv[1], sys.argv[2:]
since = time.perf_counter()
try:
    import numpy, torch
    from torch import nn
    from torch.nn import functional
except ImportError as error:
    sys.exit(f"missing: {error.name}")
torch.set_num_threads(2)
torch.manual_seed(1)


def median(values):
    return sorted(values)[len(values) // 2]


def peak_mb():
    return int(re.search(r"VmHWM:\s+(\d+)", open("/proc/self/status").read())[1]) / 1024


class Same(nn.Module):
    """A convolution padded as TensorFlow does, with ReLU6 or without."""

    def __init__(self, n_in, n_out, kernel=1, stride=1, groups=1, bounded=True):
        super().__init__()
        self.conv = nn.Conv2d(n_in, n_out, kernel, stride, groups=groups)
        self.kernel, self.stride, self.bounded = kernel, stride, bounded

    def forward(self, x):
        if 1 < self.kernel:
            add = [max((-(-side // self.stride) - 1) * self.stride + self.kernel - side, 0) for side in (x.shape[3], x.shape[2])]
            x = functional.pad(x, (add[0] // 2, add[0] - add[0] // 2, add[1] // 2, add[1] - add[1] // 2))
        x = self.conv(x)
        return functional.relu6(x, inplace=True) if self.bounded else x


class Block(nn.Module):
    def __init__(self, n_in, n_out, stride, factor):
        super().__init__()
        wide = n_in * factor
        layers = [Same(n_in, wide)] if factor != 1 else []
        layers += [Same(wide, wide, 3, stride, wide), Same(wide, n_out, bounded=False)]
        self.layers, self.adds = nn.Sequential(*layers), stride == 1 and n_in == n_out

    def forward(self, x):
        return x + self.layers(x) if self.adds else self.layers(x)


def mobilenet_v2():
    """MobileNetV2 with its normalisation folded into the convolutions, up to the pooled features."""
    layers, n = [Same(3, 32, 3, 2)], 32
    for factor, n_out, repeats, stride in [(1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)]:
        for place in range(repeats):
            layers.append(Block(n, n_out, stride if place == 0 else 1, factor))
            n = n_out
    return nn.Sequential(*layers, Same(320, 1280), nn.AdaptiveAvgPool2d(1), nn.Flatten())


def load(net, path):
    """Fills the convolutions, in order, from a safetensors file."""
    with open(path, "rb") as file:
        length = struct.unpack("<Q", file.read(8))[0]
        header = json.loads(file.read(length))
        body = file.read()
    header.pop("__metadata__", None)
    kinds = {"F16": numpy.float16, "F32": numpy.float32}

    def tensor(entry):
        start, end = entry["data_offsets"]
        values = numpy.frombuffer(body[start:end], kinds[entry["dtype"]]).astype(numpy.float32)
        return torch.from_numpy(values).reshape(entry["shape"])

    # The layers are numbered as they are run: conv00, dw01, conv02, …
    named = {int(re.search(r"\d+", name)[0]): name.split(".")[0] for name in header}
    own = net.state_dict()
    for place, name in enumerate(own):
        own[name] = tensor(header[f"{named[place // 2]}.{name.rsplit('.', 1)[1]}"])
    net.load_state_dict(own)


def small_cnn(n_classes):
    class Small(nn.Module):
        def __init__(self):
            super().__init__()
            layers, n = [], 3
            for place, n_out in enumerate([8, 24, 48, 96]):
                layers += [nn.MaxPool2d(2)] if place else []
                layers += [nn.Conv2d(n, n_out, 3, padding=1, bias=False), nn.BatchNorm2d(n_out), nn.ReLU(inplace=True)]
                n = n_out
            self.maps, self.hide, self.output = nn.Sequential(*layers), nn.Dropout(0.2), nn.Linear(2 * n, n_classes)

        def forward(self, x):
            maps = self.maps(x)
            return self.output(self.hide(torch.cat([maps.mean((2, 3)), maps.amax((2, 3))], 1)))
    return Small()


def steps(side, batch, n_steps):
    net = small_cnn(2).train()
    optimizer = torch.optim.AdamW(net.parameters(), lr=0.005, weight_decay=0.01)
    lossy = nn.CrossEntropyLoss(label_smoothing=0.05)
    pictures = torch.randint(0, 256, (8 * batch, 3, side, side), dtype=torch.uint8)
    truths = torch.arange(8 * batch) % 2
    times = []
    for step in range(n_steps):
        begun, start = time.perf_counter(), step % 8 * batch
        x = (pictures[start:start + batch].float() / 255 - 0.5) / 0.25
        optimizer.zero_grad()
        loss = lossy(net(x), truths[start:start + batch])
        loss.backward()
        optimizer.step()
        loss.item()
        times.append(time.perf_counter() - begun)
    print(median(times[n_steps // 10:]), peak_mb())


def forward(batch, n_batches):
    net = nn.Sequential(mobilenet_v2(), nn.Linear(1280, 2)).eval()
    pictures = torch.randint(0, 256, (batch, 3, 224, 224), dtype=torch.uint8)
    times = []
    with torch.inference_mode():
        for _ in range(n_batches + 2):
            begun = time.perf_counter()
            net(pictures.float() / 127.5 - 1)
            times.append(time.perf_counter() - begun)
    print(median(times[2:]), peak_mb())


def even(picture):
    return torch.from_numpy(numpy.asarray(picture.convert("RGB"))).permute(2, 0, 1).float() / 127.5 - 1


def transfer(dataset, weights, n_epochs, wanted):
    """Trains the head of a frozen network on pictures altered anew in every epoch."""
    from torchvision import datasets, transforms
    usual = transforms.Compose([
        transforms.RandomResizedCrop(224, (0.8, 1)), transforms.RandomHorizontalFlip(),
        transforms.RandomRotation(10), transforms.ColorJitter(0.1, 0.1, 0.1), even])
    plain = transforms.Compose([transforms.Resize(224), transforms.CenterCrop(224), even])
    loader = lambda part, change, shuffle: torch.utils.data.DataLoader(
        datasets.ImageFolder(os.path.join(dataset, part), change), 32, shuffle=shuffle, num_workers=2)
    train, test = loader("train", usual, True), loader("test", plain, False)
    body = mobilenet_v2()
    load(body, weights)
    body.eval().requires_grad_(False)
    head = nn.Sequential(nn.Dropout(0.2), nn.Linear(1280, len(train.dataset.classes)))
    optimizer, lossy = torch.optim.Adam(head.parameters(), 0.001), nn.CrossEntropyLoss()
    reached, best, at_best = float("nan"), 0, 0
    for _ in range(n_epochs):
        head.train()
        for x, truth in train:
            optimizer.zero_grad()
            lossy(head(body(x)), truth).backward()
            optimizer.step()
        head.eval()
        with torch.inference_mode():
            right = sum((head(body(x)).argmax(1) == truth).sum().item() for x, truth in test)
        accuracy, now = right / len(test.dataset), time.perf_counter() - since
        if reached != reached and wanted <= accuracy:
            reached = now
        if best < accuracy:
            best, at_best = accuracy, now
    print(reached, at_best, best, accuracy)


class Photographs(torch.utils.data.Dataset):
    def __init__(self, paths):
        from torchvision import transforms
        self.paths = paths
        self.change = transforms.Compose([transforms.Resize(256), transforms.CenterCrop(256), transforms.Resize(224), even])

    def __len__(self):
        return len(self.paths)

    def __getitem__(self, place):
        from PIL import Image
        return self.change(Image.open(self.paths[place]))


def predict(folder, n_workers):
    paths = sorted(os.path.join(folder, name) for name in os.listdir(folder))
    net = nn.Sequential(mobilenet_v2(), nn.Linear(1280, 2)).eval()
    begun = time.perf_counter()
    n = 0
    with torch.inference_mode():
        for x in torch.utils.data.DataLoader(Photographs(paths), 32, num_workers=n_workers):
            n += len(net(x).softmax(1))
    print(time.perf_counter() - begun, n, peak_mb())


{
    "steps": lambda: steps(*map(int, arguments)),
    "forward": lambda: forward(*map(int, arguments)),
    "transfer": lambda: transfer(arguments[0], arguments[1], int(arguments[2]), float(arguments[3])),
    "predict": lambda: predict(arguments[0], int(arguments[1])),
}[task]()
