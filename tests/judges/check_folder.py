"""Judges what `snapset check` says of an image folder against an independent look at it.

    python check_folder.py SNAPSET FOLDER [--split]

FOLDER holds class folders, in splits or not. With --split it holds class folders only, and what is
judged is a copy in train, val and test, drawn by digests, in which every tenth picture lies in
another split again: with the same bytes, coded anew by Pillow, or a twelfth cut off each side.

Equal bytes (hashlib), sizes and formats (Pillow) and the numbers of pictures must agree with what
`check` says; it must find every planted pair. Near pairs found by imagededup's PHash, between splits
or classes, are set beside those of `check`, as pairs of contents: of files of equal bytes `check`
names one. Each pair that only one of them has is named with the distance of the hashes and the mean difference of levels at 64x64, so that a person can judge. Exit
code 0 means that all that must agree does. Needs imagededup, numpy and Pillow.
"""

import argparse
import contextlib
import hashlib
import json
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from itertools import combinations
from pathlib import Path

import numpy as np
from PIL import Image

SPLITS = ("train", "val", "test")
FORMATS = {".jpg": "JPEG", ".jpeg": "JPEG", ".png": "PNG", ".gif": "GIF", ".webp": "WEBP", ".bmp": "BMP", ".tif": "TIFF"}


def split_copy(source, to):
    """Copies class folders into splits and plants pairs; returns the pairs with how they were made."""
    planted = {}
    paths = sorted(path for path in source.glob("*/*") if path.suffix.lower() in FORMATS)
    for number, path in enumerate(paths):
        data = path.read_bytes()
        draw = hashlib.sha256(data).digest()[0] % 20
        split = "train" if draw < 14 else "val" if draw < 17 else "test"
        name = f"{split}/{path.parent.name}/{path.name}"
        write(to / name, data)
        if number % 10:
            continue
        other = "train" if split == "test" else "test"
        how = ("same", "coded", "cut")[number // 10 % 3]
        copy = f"{other}/{path.parent.name}/{path.stem}-{how}.jpg"
        if how == "same":
            write(to / copy, data)
        else:
            with Image.open(path) as opened:
                picture = opened.convert("RGB")
            width, height = picture.size
            if how == "cut":
                picture = picture.crop((width // 12, height // 12, width - width // 12, height - height // 12))
            (to / copy).parent.mkdir(parents=True, exist_ok=True)
            picture.save(to / copy, quality=70 if how == "coded" else 92)
        planted[frozenset((name, copy))] = how
    return planted


def write(path, data):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


class Folder:
    """What this script sees itself."""

    def __init__(self, root):
        self.root = root
        has_splits = any((root / split).is_dir() for split in SPLITS)
        self.parts = {}  # path -> (split, class)
        for path in sorted(path for path in root.rglob("*") if path.is_file() and path.suffix.lower() in FORMATS):
            names = path.relative_to(root).parts
            if len(names) > (2 if has_splits else 1):
                self.parts["/".join(names)] = (names[0], names[1]) if has_splits else ("", names[0])
        self.size, self.format, self.digest = {}, {}, {}
        for name in self.parts:
            data = (root / name).read_bytes()
            self.digest[name] = hashlib.sha256(data).hexdigest()
            with contextlib.suppress(Exception), Image.open(root / name) as picture:
                picture.load()
                self.size[name], self.format[name] = picture.size, picture.format

    def counts(self):
        counts = defaultdict(Counter)
        for name in self.size:
            split, label = self.parts[name]
            counts[split][label] += 1
        return {split: dict(labels) for split, labels in counts.items()}

    def equal(self):
        """Returns the groups of equal bytes by what is said of them."""
        groups = defaultdict(list)
        for name in self.size:
            groups[self.digest[name]].append(name)
        found = {"exact_leak": set(), "label_conflict": set(), "repeated": set()}
        for names in (names for names in groups.values() if len(names) > 1):
            splits, labels = ({self.parts[name][at] for name in names} for at in (0, 1))
            if len(splits) > 1:
                found["exact_leak"].add(frozenset(names))
            if len(labels) > 1:
                found["label_conflict"].add(frozenset(names))
            if len(splits) == len(labels) == 1:
                found["repeated"].add(frozenset(names))
        return found

    def odd_sizes(self):
        """Returns the sizes of those unlike nine of ten."""
        counts = Counter(self.size.values())
        usual, n = max(counts.items(), key=lambda it: it[1], default=(None, 0))
        if n * 100 < len(self.size) * 90:
            return {}
        return {name: size for name, size in self.size.items() if size != usual}

    def misnamed(self):
        return {name for name, kind in self.format.items() if kind not in (FORMATS[Path(name).suffix.lower()], "MPO")}

    def near(self):
        """Returns pairs imagededup finds between splits or classes, of unlike bytes, with their distance."""
        with contextlib.redirect_stdout(sys.stderr):
            from imagededup.methods import PHash

            search = PHash(verbose=False)
            hashes = {name: search.encode_image(image_file=self.root / name) for name in self.size}
            found = search.find_duplicates(encoding_map=hashes, max_distance_threshold=10, scores=True)
        pairs = {}
        for one, others in found.items():
            for other, distance in others:
                if self.parts[one] != self.parts[other] and self.digest[one] != self.digest[other]:
                    pairs[frozenset((one, other))] = distance
        return pairs

    def difference(self, pair):
        """Returns the mean difference of grey levels, of 255, at 64x64."""
        def levels(name):
            with Image.open(self.root / name) as picture:
                return np.asarray(picture.convert("L").resize((64, 64), Image.Resampling.BOX), dtype=float)
        one, other = (levels(name) for name in pair)
        return float(np.abs(one - other).mean())


def judge(program, root, planted):
    done = subprocess.run([program, "check", str(root), "--json"], capture_output=True, text=True)
    if done.returncode not in (0, 12):
        sys.exit(f"{program} ended with {done.returncode}: {done.stderr[-300:]}")
    audit = json.loads(done.stdout)
    by_kind = defaultdict(list)
    for finding in audit["findings"]:
        by_kind[finding["kind"]].append(finding)
    folder = Folder(root)
    faults = []

    def agree(what, found, wanted):
        same = found == wanted
        n = len(wanted) if hasattr(wanted, "__len__") else wanted
        print(f"{'ok' if same else 'DIFFERS'} {what}: {n}")
        if not same:
            faults.append(what)
            print(f"   only check: {sorted(map(str, set(found) - set(wanted)))[:5]}")
            print(f"   only here:  {sorted(map(str, set(wanted) - set(found)))[:5]}")

    n_by_class = {split: {label: n for label, n in labels.items() if n} for split, labels in audit["pictures"].items()}
    agree("pictures by split and class", n_by_class, folder.counts())
    equal = folder.equal()
    of_equal_bytes = lambda it: len({folder.digest[path] for path in it["paths"]}) == 1
    for kind, wanted in equal.items():
        agree(f"{kind}, equal bytes", {frozenset(it["paths"]) for it in by_kind[kind] if of_equal_bytes(it)}, wanted)
    odd = {it["path"]: (it["width_px"], it["height_px"]) for it in by_kind["odd_size"]}
    agree("odd sizes", odd, folder.odd_sizes())
    agree("misnamed", {it["path"] for it in by_kind["mislabelled"]}, folder.misnamed())
    agree("broken", {it["path"] for it in by_kind["broken"]}, set(folder.parts) - set(folder.size))

    ours = {frozenset((it["a"], it["b"])) for it in by_kind["near_leak"]}
    ours |= {frozenset(it["paths"]) for it in by_kind["label_conflict"] if not of_equal_bytes(it)}
    contents = lambda pair: frozenset(folder.digest[name] for name in pair)
    theirs = folder.near()
    ours = {contents(pair): pair for pair in ours}
    distance = {contents(pair): distance for pair, distance in theirs.items()}
    theirs = {contents(pair): pair for pair in theirs}
    equal_bytes = {frozenset(pair) for names in equal["exact_leak"] for pair in combinations(sorted(names), 2)}
    for how in sorted(set(planted.values())):
        pairs = {pair for pair, it in planted.items() if it == how}
        missed = {pair for pair in pairs if pair not in equal_bytes and contents(pair) not in ours}
        by_peer = sum(how == "same" or contents(pair) in theirs for pair in pairs)
        print(f"{'MISSED' if missed else 'ok'} planted, {how}: {len(pairs - missed)} of {len(pairs)}; imagededup {by_peer}")
        faults.extend(sorted(map(sorted, missed)))
    print(f"near pairs: {len(ours)} by check, {len(theirs)} by imagededup, {len(set(ours) & set(theirs))} by both")
    known = {contents(pair) for pair in planted}
    for side, some, others in (("check", ours, theirs), ("imagededup", theirs, ours)):
        for content, pair in sorted(some.items(), key=lambda it: sorted(it[1])):
            if content in others or content in known:
                continue
            told = f"distance {distance[content]}, " if content in distance else ""
            print(f"   only {side}: {' = '.join(sorted(pair))} ({told}levels differ by {folder.difference(pair):.1f})")
    return faults


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("snapset")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--split", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        root, planted = options.folder.resolve(), {}
        if options.split:
            root = Path(scratch)
            planted = split_copy(options.folder, root)
        faults = judge(options.snapset, root, planted)
    print(f"REJECTED: {len(faults)} differ" if faults else "OK")
    sys.exit(bool(faults))


if __name__ == "__main__":
    main()
