"""Judges a dataset folder with torchvision, as people load it.

    python imagefolder.py DIR

DIR holds train/, val/ and test/, or the archives of them, which are unpacked to a temporary
folder. Prints classes and counts; exit code 0 means that all parts have the same classes in the
same order and every picture opens.
"""

import json
import sys
import tempfile
import zipfile
from collections import Counter
from pathlib import Path

from torchvision.datasets import ImageFolder


def parts(root, scratch):
    """The folders of train, val and test, unpacked if need be; a missing part is left out."""
    for name in ("train", "val", "test"):
        if (root / name).is_dir():
            yield name, root / name
        elif (root / f"{name}.zip").is_file():
            zipfile.ZipFile(root / f"{name}.zip").extractall(scratch / name)
            yield name, scratch / name


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    root = Path(sys.argv[1])
    with tempfile.TemporaryDirectory() as scratch:
        found = {}
        classes = set()
        for name, folder in parts(root, Path(scratch)):
            dataset = ImageFolder(folder, allow_empty=True)
            sizes = Counter()
            for path, _ in dataset.samples:
                try:
                    picture = dataset.loader(path)
                except (OSError, SyntaxError, ValueError) as error:
                    print(f"REJECTED: {name}/{Path(path).relative_to(folder)}: {type(error).__name__}")
                    sys.exit(1)
                sizes["x".join(map(str, picture.size))] += 1
            counts = Counter(dataset.classes[target] for target in dataset.targets)
            found[name] = {"counts": dict(sorted(counts.items())), "sizes": dict(sizes)}
            classes.add(tuple(dataset.classes))
    if "train" not in found or not found["train"]["counts"]:
        print("REJECTED: there is nothing to train on")
        sys.exit(1)
    if len(classes) != 1:
        print(f"REJECTED: the parts have different classes: {sorted(classes)}")
        sys.exit(1)
    print("OK " + json.dumps({"classes": list(classes.pop()), **found}))


if __name__ == "__main__":
    main()
