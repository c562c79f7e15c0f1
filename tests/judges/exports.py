"""Judges a folder of exports with the tools people load them with.

    python exports.py EXPORTS_DIR [--blobs DIR --img2dataset PROGRAM --snapset PROGRAM]
        [--torchvision PYTHON] [--all [--without NAME]]

EXPORTS_DIR is `data/NAME/exports`; what is not in it is not judged. Every judge sees the export as
it is, which it must take, and a broken copy, which it must refuse. Nothing asks the network: what
is fetched again comes from a server on loopback that serves DIR, `data/NAME/blobs`. Judges whose
tool is not installed, or whose export is not there, are named as skipped; with --all that is a
fault, but for the one --without names. The last line says the verdict; exit code 0 means that every judge that sat gave the right
answer twice.
"""

import argparse
import csv
import hashlib
import importlib.util
import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import threading
import time
import zipfile
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

os.environ.update(
    HF_HUB_OFFLINE="1", HF_DATASETS_OFFLINE="1", HF_DATASETS_DISABLE_PROGRESS_BARS="1", HF_HUB_DISABLE_TELEMETRY="1",
    KERAS_BACKEND="jax", TF_CPP_MIN_LOG_LEVEL="3", NO_ALBUMENTATIONS_UPDATE="1",
)
HERE = Path(__file__).resolve().parent
PARTS = {"train": "train", "val": "validation", "test": "test"}  # ours -> Hugging Face's


class Rejected(Exception):
    """The export does not pass; the text says why."""


def expect(found, wanted, what):
    if found != wanted:
        raise Rejected(f"{what}: {found!r} instead of {wanted!r}")


def table(path):
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def classes_of(rows):
    return sorted({row["label"] for row in rows})


def counts(rows, key=lambda row: row["split"]):
    return dict(Counter(key(row) for row in rows))


# --- checksums ---------------------------------------------------------------------------------


def checksums(export, _):
    """`CHECKSUMS.sha256` lists every other file, and each is what it says."""
    listed = {}
    for line in (export / "CHECKSUMS.sha256").read_text(encoding="utf-8").splitlines():
        digest, _, name = line.partition("  ")
        listed[name] = digest
    there = {path.relative_to(export).as_posix() for path in export.rglob("*") if path.is_file()}
    expect(set(listed), there - {"CHECKSUMS.sha256"}, "files")
    for name, digest in listed.items():
        expect(sha256((export / name).read_bytes()), digest, name)
    for paper in ("DATASHEET.md", "LICENSE.md", "README.md", "ATTRIBUTION.csv"):
        if paper not in listed:
            raise Rejected(f"there is no {paper}")
    return f"{len(listed)} files"


def alter_a_byte(name):
    def break_it(export):
        path = next(iter(sorted(export.glob(name))))
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 1
        path.write_bytes(data)

    return break_it


def lists(export, _):
    """The lists name the pictures of each part, and even the classes out as the table says."""
    rows = table(export / "pictures.csv")
    lines = {path.stem: path.read_text(encoding="utf-8").splitlines() for path in export.glob("*.txt")}
    for part in PARTS:
        expect(lines[part], [row["path"] for row in rows if row["split"] == part], f"{part}.txt")
    taught = [row for row in rows if row["split"] == "train"]
    n = counts(taught, lambda row: row["label"])
    for name, column, size in (("train-over", "times_over", max(n.values())), ("train-under", "times_under", min(n.values()))):
        expect(Counter(lines[name]), Counter({row["path"]: int(row[column]) for row in taught if int(row[column])}), name)
        by_class = Counter(path.split("/")[1] for path in lines[name])
        expect(dict(by_class), dict.fromkeys(n, size), f"classes of {name}")
    for row in taught:
        weight = len(taught) / (len(n) * n[row["label"]])
        if abs(float(row["sample_weight"]) - weight) > 1e-6:
            raise Rejected(f"{row['path']} weighs {row['sample_weight']} instead of {weight}")
    return f"{len(rows)} pictures, {len(lines['train-over'])} of {len(taught)} names after repeating"


def lose_a_line(export):
    path = export / "train-over.txt"
    path.write_text("".join(path.read_text(encoding="utf-8").splitlines(True)[1:]), encoding="utf-8")


# --- Croissant ---------------------------------------------------------------------------------


def croissant(export, scratch):
    """`mlcroissant` finds no fault and loads every record of every set from the files."""
    import mlcroissant as mlc

    os.environ["CROISSANT_CACHE"] = str(scratch / "croissant")
    mlc_cache(scratch)
    rows = table(export / "manifest.csv")
    about = json.loads((export / "croissant.json").read_text(encoding="ascii"))
    for key in ("description", "license", "name", "version"):
        if not about.get(key):
            raise Rejected(f"{key} is missing")
    ids = [node["@id"] for key in ("distribution", "recordSet") for node in about[key]]
    expect(len(ids), len(set(ids)), "distinct ids")
    dataset = mlc.Dataset(jsonld=export / "croissant.json")
    if dataset.metadata.issues.errors:
        raise Rejected(str(dataset.metadata.issues.errors))
    n = 0
    pictures = Counter()
    for record_set in dataset.metadata.record_sets:
        records = list(dataset.records(record_set.uuid))
        n += len(records)
        name = record_set.uuid
        part = name.split("-")[0]
        if name == "manifest":
            expect(len(records), len(rows), "rows of the manifest")
        elif part in PARTS:
            for record in records:
                record[f"{name}/image"].load()
                pictures[part, label_of(record[f"{name}/label"], classes_of(rows))] += 1
    expect(dict(pictures), counts(rows, lambda row: (row["split"], row["label"])), "pictures")
    return f"{n} records of {len(dataset.metadata.record_sets)} sets"


def mlc_cache(scratch):
    from etils import epath
    from mlcroissant._src.core import constants

    for name in ("CROISSANT_CACHE", "DOWNLOAD_PATH", "EXTRACT_PATH"):
        if hasattr(constants, name):
            setattr(constants, name, epath.Path(scratch / "croissant" / name))


def label_of(value, classes):
    return value.decode() if isinstance(value, bytes) else classes[value]


# --- Hugging Face ------------------------------------------------------------------------------


def huggingface(export, scratch):
    """`datasets.load_dataset` reads the Parquet files with our types and every picture whole."""
    from datasets import ClassLabel, Image, Value, load_dataset

    rows = table(export / "manifest.csv")
    parts = load_dataset(str(export), cache_dir=str(scratch / "cache"))
    by_digest = {row["sha256"]: row for row in rows}
    expect({name: len(part) for name, part in parts.items()},
           {PARTS[name]: n for name, n in counts(rows).items()}, "parts")
    for name, part in parts.items():
        expect(part.features["label"], ClassLabel(names=classes_of(rows)), "label")
        expect(part.features["image"], Image(), "image")
        for column in rows[0]:
            if column not in ("label", "split"):
                kind = part.features[column]
                if kind not in (Value("string"), Value("int64")):
                    raise Rejected(f"{column} is {kind}")
        for record in part.cast_column("image", Image(decode=False)):
            row = by_digest[record["sha256"]]
            expect(sha256(record["image"]["bytes"]), row["sha256"], f"bytes of {row['file_name']}")
            expect(PARTS[row["split"]], name, f"part of {row['file_name']}")
            expect(part.features["label"].int2str(record["label"]), row["label"], row["file_name"])
            expect(record["permalink"] or "", row["permalink"], f"permalink of {row['file_name']}")
            expect(record["created_utc"], int(row["created_utc"]) if row["created_utc"] else None, "created_utc")
        for record in part:
            record["image"].load()
    return f"{len(rows)} pictures, {len(parts['train'].features)} columns"


def card(export, _):
    """`DatasetCard` reads the head of the README."""
    from huggingface_hub import DatasetCard

    data = DatasetCard.load(export / "README.md").data.to_dict()
    expect(data["task_categories"], ["image-classification"], "task")
    names = [feature["name"] for feature in data["dataset_info"]["features"]]
    expect(names[:2], ["image", "label"], "features")
    if not data.get("license"):
        raise Rejected("no licence")
    return f"{len(data)} keys"


def spoil_the_card(export):
    path = export / "README.md"
    path.write_text(path.read_text(encoding="utf-8").replace("pretty_name: \"", "pretty_name: \"\"", 1), encoding="utf-8")


def imagefolder_of_datasets(export, scratch):
    """`imagefolder` of `datasets` finds parts and classes by the folders."""
    from datasets import ClassLabel, load_dataset

    rows = table(export / "manifest.csv")
    parts = load_dataset("imagefolder", data_dir=str(export), cache_dir=str(scratch / "cache"))
    expect({name: len(part) for name, part in parts.items()},
           {PARTS[name]: n for name, n in counts(rows).items()}, "parts")
    for name, part in parts.items():
        expect(part.features["label"], ClassLabel(names=classes_of(rows)), "label")
        found = Counter(part.features["label"].int2str(label) for label in part["label"])
        wanted = Counter(row["label"] for row in rows if PARTS[row["split"]] == name)
        expect(found, wanted, f"classes of {name}")
    return f"{len(rows)} pictures"


# --- torchvision, Keras ------------------------------------------------------------------------


def imagefolder_of_torchvision(python):
    def judge(export, _):
        """`imagefolder.py` beside this file: ImageFolder opens every picture, classes agree."""
        done = subprocess.run([python, HERE / "imagefolder.py", export], capture_output=True, text=True)
        if done.returncode:
            raise Rejected(done.stdout.strip() or done.stderr.strip().splitlines()[-1])
        return done.stdout.strip()

    return judge


def rename_a_class(export):
    folder = sorted(path for path in (export / "val").iterdir() if path.is_dir())[0]
    folder.rename(folder.with_name("zz-other"))


def keras_directory(export, _):
    """`image_dataset_from_directory` finds the classes and every picture."""
    import keras

    rows = table(export / "manifest.csv")
    for part in sorted(counts(rows)):
        dataset = keras.utils.image_dataset_from_directory(
            export / part, image_size=(64, 64), shuffle=False, verbose=False, batch_size=8, **keras_format())
        expect(list(dataset.class_names), classes_of(rows), f"classes of {part}")
        n = sum(len(labels) for _, labels in dataset)
        expect(n, counts(rows)[part], f"pictures of {part}")
    return f"{len(rows)} pictures with Keras {keras.__version__}"


def keras_format():
    return {} if importlib.util.find_spec("tensorflow") else {"format": "grain"}


# --- WebDataset --------------------------------------------------------------------------------


def webdataset(export, scratch):
    """`webdataset` pairs every picture with class and provenance; so does Hugging Face."""
    import webdataset as wds

    rows = table(export / "manifest.csv")
    classes = (export / "classes.txt").read_text(encoding="utf-8").split()
    expect(classes, classes_of(rows), "classes")
    by_digest = {row["sha256"]: row for row in rows}
    n = Counter()
    for part in counts(rows):
        archives = sorted(str(path) for path in export.glob(f"{part}-*.tar"))
        for sample in wds.WebDataset(archives, shardshuffle=False):
            picture = next(sample[ending] for ending in ("jpg", "png", "webp") if ending in sample)
            told = json.loads(sample["json"])
            row = by_digest[sha256(picture)]
            expect(classes[int(sample["cls"])], row["label"], sample["__key__"])
            expect((told["file_name"], told["split"]), (row["file_name"], part), sample["__key__"])
            n[part] += 1
        for archive in archives:
            with tarfile.open(archive) as tar:
                if any((member.mtime, member.uid, member.uname) != (0, 0, "") for member in tar):
                    raise Rejected(f"{archive} has dates or owners")
        for decoded in wds.WebDataset(archives, shardshuffle=False).decode("pil").to_tuple("jpg;png;webp", "cls"):
            expect(decoded[0].mode, "RGB", "mode")
    expect(dict(n), counts(rows), "pictures")
    if importlib.util.find_spec("datasets"):
        from datasets import load_dataset

        files = {part: [str(path) for path in sorted(export.glob(f"{part}-*.tar"))] for part in counts(rows)}
        parts = load_dataset("webdataset", data_files=files, cache_dir=str(scratch / "cache"))
        expect({name: len(part) for name, part in parts.items()}, counts(rows), "pictures for datasets")
    return f"{len(rows)} pictures"


def lose_a_class(export):
    """Writes one archive again without the first `.cls` in it."""
    path = sorted(export.glob("train-*.tar"))[0]
    with tarfile.open(path) as old:
        members = [(member, old.extractfile(member).read()) for member in old]
    lost = next(member for member, _ in members if member.name.endswith(".cls"))
    with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as new:
        for member, data in members:
            if member is not lost:
                new.addfile(member, io.BytesIO(data))


# --- Frictionless, Kaggle ----------------------------------------------------------------------


def frictionless(export, _):
    """`frictionless validate` reads every table by its types."""
    import frictionless as tool

    package = next(export / name for name in ("datapackage.json", "dataset-metadata.json") if (export / name).is_file())
    report = tool.validate(str(package))
    if not report.valid:
        raise Rejected(str(report.flatten(["title", "fieldName", "note"])[:3]))
    return f"{report.stats['tasks']} resources"


def spoil_a_number(export):
    path = next(export / name for name in ("hydrate.csv", "manifest.csv") if (export / name).is_file())
    rows = table(path)
    rows[0]["gallery_index"] = "first"
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys(), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def kaggle(action, *more):
    """`kaggle_standin.py` beside this file: Kaggle's own tool uploads every byte."""

    def judge(export, scratch):
        done = subprocess.run([sys.executable, HERE / "kaggle_standin.py", export, action, scratch / "arrived", *more],
                              capture_output=True, text=True)
        if done.returncode:
            raise Rejected((done.stdout.strip() or done.stderr.strip()).splitlines()[-1])
        return done.stdout.strip()

    return judge


def describe_what_is_not_there(export):
    path = export / "dataset-metadata.json"
    about = json.loads(path.read_text(encoding="ascii"))
    about["resources"].append({"path": "more.zip", "name": "more", "description": "Not there."})
    path.write_text(json.dumps(about), encoding="ascii")


# --- fetching again ----------------------------------------------------------------------------


class Blobs(BaseHTTPRequestHandler):
    """Serves fetched files by their BLAKE3 digest."""

    def do_GET(self):
        name = self.path.strip("/").removesuffix(".jpg")
        path = self.server.root / name[:2] / name
        if not (name.isalnum() and path.is_file()):
            self.send_error(404)
            return
        data = path.read_bytes()
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        pass


def served(rows, blobs, listed):
    """Writes the list again with addresses on loopback; returns the server behind them."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Blobs)
    server.root = blobs
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with open(listed, "w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        for row in rows:
            writer.writerow({**row, "url": f"http://127.0.0.1:{server.server_address[1]}/{row['blake3']}.jpg"})
    return server


def fetch_again(program, blobs):
    """`img2dataset` fetches the list from loopback and checks every digest."""

    def judge(export, scratch):
        rows = table(export / "hydrate.csv")
        listed = scratch / "listed.csv"
        server = served(rows, blobs, listed)
        out = scratch / "fetched"
        arguments = ["--url_list", listed, "--input_format", "csv", "--output_folder", out, "--output_format", "files",
                     "--resize_mode", "no", "--verify_hash", '["sha256","sha256"]', "--enable_wandb", "False",
                     "--save_additional_columns", '["label","split","file_name"]', "--processes_count", "1",
                     "--thread_count", "4", "--retries", "0"]
        done = subprocess.run([program, *map(str, arguments)], capture_output=True, text=True)
        server.shutdown()
        told = [json.loads(path.read_text()) for path in out.rglob("*.json") if not path.name.endswith("_stats.json")]
        ends = Counter(record["status"] if record["status"] == "success" else record["error_message"] for record in told)
        if done.returncode or ends != {"success": len(rows)}:
            raise Rejected(f"{dict(ends)} of {len(rows)} {done.stderr.strip()[-300:] if not told else ''}")
        return f"{len(rows)} pictures fetched and verified"

    return judge


def rebuild(program, blobs, exports):
    """`snapset` itself fetches the list by the pipeline beside it: every picture in its part again,
    with the bytes a manifest of the same dataset tells."""
    manifests = sorted(exports.glob("*/manifest.csv"))
    prepared = {row["file_name"]: row["sha256"] for row in (table(manifests[0]) if manifests else [])}

    def judge(export, scratch):
        rows = table(export / "hydrate.csv")
        pipeline = next(export.glob("*.toml"))
        server = served(rows, blobs, export / "hydrate.csv")
        text = pipeline.read_text(encoding="utf-8")
        hosts = f'[fetch]\nprivate_hosts = ["127.0.0.1:{server.server_address[1]}"]\n'
        pipeline.write_text(text.replace("[fetch]\n", hosts), encoding="utf-8")
        done = subprocess.run([program, "run", pipeline.name, "--data", scratch / "again"], cwd=export,
                              capture_output=True, text=True)
        server.shutdown()
        if done.returncode:
            raise Rejected(f"{program} ended with {done.returncode}: {done.stderr.strip()[-300:]}")
        dataset = scratch / "again" / pipeline.stem / "dataset"
        found = {path.relative_to(dataset).as_posix(): sha256(path.read_bytes()) for path in dataset.glob("*/*/*")}
        wanted = {row["file_name"] for row in rows}
        if set(found) != wanted:
            missing = len(wanted - set(found))
            raise Rejected(f"{missing} pictures are missing, {len(set(found) - wanted)} are others")
        if prepared:
            changed = sum(prepared[name] != digest for name, digest in found.items())
            expect(changed, 0, "pictures prepared in another way")
        return f"{len(found)} pictures, each in its part with the same bytes"

    return judge


def lose_the_lock(export):
    next(export.glob("*.lock")).unlink()


def lose_the_settings(export):
    """Prepares the pictures as ever, but for their side."""
    path = next(export.glob("*.toml"))
    lines = path.read_text(encoding="utf-8").splitlines(True)
    path.write_text("".join("size = 48\n" if line.startswith("size = ") else line for line in lines), encoding="utf-8")


def spoil_a_digest(export):
    path = export / "hydrate.csv"
    rows = table(path)
    path.write_text(path.read_text(encoding="utf-8").replace(rows[0]["sha256"], "0" * 64), encoding="utf-8")


# --- all of them -------------------------------------------------------------------------------


def judges(options):
    """(name, export, tool it needs, judge, what breaks a copy)"""
    all_exports = ("kaggle", "kaggle-dirs", "folder", "huggingface", "webdataset", "hydrate", "csv", "lists")
    for name in all_exports:
        yield f"checksums {name}", name, None, checksums, alter_a_byte("ATTRIBUTION.csv")
    yield "lists", "lists", None, lists, lose_a_line
    yield "mlcroissant kaggle", "kaggle", "mlcroissant", croissant, alter_a_byte("manifest.csv")
    yield "mlcroissant huggingface", "huggingface", "mlcroissant", croissant, alter_a_byte("data/train-*.parquet")
    yield "datasets parquet", "huggingface", "datasets", huggingface, alter_a_byte("data/train-*.parquet")
    yield "card", "huggingface", "huggingface_hub", card, spoil_the_card
    yield "datasets imagefolder", "folder", "datasets", imagefolder_of_datasets, rename_a_class
    looking = None if options.torchvision else "--torchvision"
    yield "torchvision", "folder", looking, imagefolder_of_torchvision(options.torchvision), rename_a_class
    yield "keras", "folder", "keras", keras_directory, rename_a_class
    yield "webdataset", "webdataset", "webdataset", webdataset, lose_a_class
    for name in ("csv", "hydrate", "kaggle", "kaggle-dirs"):
        yield f"frictionless {name}", name, "frictionless", frictionless, spoil_a_number
    yield "kaggle create", "kaggle", "kaggle", kaggle("create"), describe_what_is_not_there
    yield "kaggle version", "kaggle", "kaggle", kaggle("version"), describe_what_is_not_there
    yield "kaggle create, folders", "kaggle-dirs", "kaggle", kaggle("create", "zip"), describe_what_is_not_there
    given = options.blobs is not None
    fetching = "--img2dataset and --blobs" if not (options.img2dataset and given) else None
    yield "img2dataset", "hydrate", fetching, fetch_again(options.img2dataset, options.blobs), spoil_a_digest
    making = "--snapset and --blobs" if not (options.snapset and given) else None
    for name, break_it in (("part", lose_the_lock), ("digest", spoil_a_digest), ("settings", lose_the_settings)):
        yield f"snapset {name}", "hydrate", making, rebuild(options.snapset, options.blobs, options.exports), break_it


def sit(name, export, judge, break_it):
    """Shows a judge the export and a broken copy; returns whether both answers were right."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as scratch:
        scratch = Path(scratch)
        (scratch / "good").mkdir()
        (scratch / "bad").mkdir()
        copy = scratch / "good" / export.name
        shutil.copytree(export, copy)  # Tools leave files beside what they read.
        try:
            said = judge(copy, scratch / "good")
        except Exception as error:
            print(f"REJECTED {name}: {type(error).__name__}: {str(error)[:500]}")
            return False
        broken = scratch / "bad" / export.name
        shutil.copytree(export, broken)
        break_it(broken)
        try:
            taken = judge(broken, scratch / "bad")
        except Exception as error:
            reason = " ".join(str(error).split())[:90]
            print(f"ok {name}: {said}; {time.monotonic() - began:.1f} s; refuses a broken one: {type(error).__name__}: {reason}")
            return True
        print(f"BLIND {name}: takes a broken export as well: {taken}")
        return False


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("exports", type=Path)
    parser.add_argument("--blobs", type=Path)
    parser.add_argument("--img2dataset")
    parser.add_argument("--snapset")
    parser.add_argument("--torchvision", metavar="PYTHON", help="a Python that has torchvision")
    parser.add_argument("--all", action="store_true", help="a judge that cannot sit is a fault")
    parser.add_argument("--without", metavar="NAME", help="the one judge that need not sit all the same")
    parser.add_argument("--only", default="", help="judges whose name begins so")
    options = parser.parse_args()
    options.blobs = options.blobs and options.blobs.resolve()
    good, bad, skipped = [], [], []
    for name, folder, tool, judge, break_it in judges(options):
        export = options.exports.resolve() / folder
        if not name.startswith(options.only):
            continue
        if not export.is_dir():
            skipped.append(f"{name} (not exported)")
        elif tool and tool.startswith("--"):
            skipped.append(f"{name} ({tool} not given)")
        elif tool and importlib.util.find_spec(tool) is None:
            skipped.append(f"{name} ({tool} is not installed)")
        else:
            (good if sit(name, export, judge, break_it) else bad).append(name)
        sys.stdout.flush()
    for name in skipped:
        print(f"skipped {name}")
    missed = [name for name in skipped if name.split(" (")[0] != options.without]
    verdict = "REJECTED" if bad or not good or (options.all and missed) else "OK"
    print(f"{verdict}: {len(good)} judges agree, {len(bad)} do not, {len(skipped)} were skipped")
    sys.exit(verdict != "OK")


if __name__ == "__main__":
    main()
