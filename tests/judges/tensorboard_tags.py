"""Reads event files with TensorBoard itself and prints what it finds there, as JSON.

    python3 tests/judges/tensorboard_tags.py <folder of runs>

Needs the packages of requirements-answers.txt. `EventAccumulator` reads each run, and a TensorBoard
on the loopback is asked what its HPARAMS tab shows. Both verify the checksums of every record.
"""

import json
import pathlib
import sys
import time
import urllib.request

from tensorboard import default, program
from tensorboard.backend.event_processing import event_accumulator, event_file_loader
from tensorboard.util import tensor_util


def run_of(folder):
    found = event_accumulator.EventAccumulator(str(folder), size_guidance={"images": 0, "tensors": 0})
    found.Reload()
    tags = found.Tags()
    text = {}
    for tag in tags["tensors"]:
        if found.SummaryMetadata(tag).plugin_data.plugin_name == "text":
            values = [tensor_util.make_ndarray(it.tensor_proto) for it in found.Tensors(tag)]
            text[tag] = [value.ravel()[0].decode() for value in values]
    return {
        "scalars": {tag: [[it.step, it.wall_time, it.value] for it in found.Scalars(tag)] for tag in tags["scalars"]},
        "images": {tag: [[it.step, it.width, it.height] for it in found.Images(tag)] for tag in tags["images"]},
        "histograms": {tag: [[it.step, it.histogram_value.num] for it in found.Histograms(tag)] for tag in tags["histograms"]},
        "text": text,
        "plugins": sorted(tags["tensors"]),
    }


def n_events(path):
    """Counts the events; a broken checksum ends the count with an error."""
    return sum(1 for _ in event_file_loader.RawEventFileLoader(str(path)).Load())


def ask(url, path, body=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url + path, data, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def hparams(folder):
    board = program.TensorBoard(default.get_plugins())
    board.configure(argv=["tensorboard", "--logdir", str(folder), "--port", "0", "--load_fast=false"])
    url = board.launch()
    wanted = {path.parent for path in folder.rglob("events.out.tfevents.*")}
    for _ in range(100):
        if len(ask(url, "data/runs")) == len(wanted):
            break
        time.sleep(0.1)
    experiment = ask(url, "data/plugin/hparams/experiment", {"experimentName": ""})
    query = {
        "experimentName": "",
        "allowedStatuses": ["STATUS_UNKNOWN", "STATUS_SUCCESS", "STATUS_FAILURE", "STATUS_RUNNING"],
        "colParams": [{"metric": it["name"]} for it in experiment["metricInfos"]],
        "startIndex": 0,
        "sliceSize": 100,
    }
    groups = ask(url, "data/plugin/hparams/session_groups", query)
    return {"experiment": experiment, "session_groups": groups}


def main():
    folder = pathlib.Path(sys.argv[1])
    files = sorted(folder.rglob("events.out.tfevents.*"))
    answer = {
        "events": {str(path.relative_to(folder)): n_events(path) for path in files},
        "runs": {str(path.parent.relative_to(folder)): run_of(path.parent) for path in files},
        "hparams": hparams(folder),
    }
    print(json.dumps(answer, indent=1))


if __name__ == "__main__":
    main()
