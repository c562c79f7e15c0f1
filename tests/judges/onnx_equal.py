"""Asks exported networks in another runtime and compares with our own answers.

Needs onnx and onnxruntime (see requirements-onnx.txt):

    SNAPSET_ONNX=/tmp/onnx cargo test every_network_can_be_written
    python tests/judges/onnx_equal.py /tmp/onnx
"""

import json
import sys
from pathlib import Path

import numpy
import onnx
import onnxruntime

worst = 0.0
files = sorted(Path(sys.argv[1]).glob("*.onnx"))
for path in files:
    onnx.checker.check_model(str(path), full_check=True)
    case = json.loads(path.with_suffix(".json").read_text())
    side = case["side_px"]
    pictures = numpy.array(case["pictures"], numpy.float32).reshape(3, 3, side, side)
    logits = numpy.array(case["logits"], numpy.float32).reshape(3, -1)
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    found, probabilities = session.run(["logits", "probabilities"], {"pictures": pictures})
    # A batch of another size, as the first axis is free.
    one = session.run(["logits"], {"pictures": pictures[1:2]})[0]
    scale = numpy.abs(logits).max()
    expected = numpy.exp(logits - logits.max(1, keepdims=True))
    expected /= expected.sum(1, keepdims=True)
    off = max(numpy.abs(found - logits).max() / scale, numpy.abs(one - logits[1:2]).max() / scale,
              numpy.abs(probabilities - expected).max())
    classes = json.loads(session.get_modelmeta().custom_metadata_map["classes"])
    assert classes == ["ant", 'bee "queen"', "wasp"], classes
    print(f"{path.stem:32} logits up to {scale:9.3f}, off by {off:.1e}")
    worst = max(worst, float(off))
assert files and worst < 1e-4, worst
print(f"{len(files)} networks, none off by more than {worst:.1e}")
