"""Splits a folder of classes as people do with other tools: 70 % train, 15 % val, 15 % test, one seed."""
import pathlib, shutil, sys

tool, root, listing, out = sys.argv[1:]
root, out = pathlib.Path(root), pathlib.Path(out)
rows = [line.split(" ") for line in open(listing).read().splitlines()]
SEED = 1337


def split_folders():
    import splitfolders
    splitfolders.ratio(str(root), output=str(out), seed=SEED, ratio=(0.7, 0.15, 0.15))


def copy(sides):
    for (name, label, _), side in zip(rows, sides):
        folder = out / side / label
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(root / label / name, folder / name)


def stratified_group_k_fold():
    from sklearn.model_selection import StratifiedGroupKFold
    folds = StratifiedGroupKFold(n_splits=7, shuffle=True, random_state=SEED)
    sides = ["train"] * len(rows)
    names = ["test", "val"]
    for side, (_, chosen) in zip(names, folds.split(rows, [row[1] for row in rows], [row[2] for row in rows])):
        for at in chosen:
            sides[at] = side
    copy(sides)


def group_shuffle_split():
    from sklearn.model_selection import GroupShuffleSplit
    groups = [row[2] for row in rows]
    rest, test = next(GroupShuffleSplit(1, test_size=0.15, random_state=SEED).split(rows, groups=groups))
    inner = GroupShuffleSplit(1, test_size=0.15 / 0.85, random_state=SEED)
    _, val = next(inner.split(rest, groups=[groups[at] for at in rest]))
    sides = ["train"] * len(rows)
    for at in test:
        sides[at] = "test"
    for at in val:
        sides[rest[at]] = "val"
    copy(sides)


{"split-folders": split_folders, "StratifiedGroupKFold": stratified_group_k_fold,
 "GroupShuffleSplit": group_shuffle_split}[tool]()
