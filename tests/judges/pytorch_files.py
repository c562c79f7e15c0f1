"""Writes the same two tensors in the ways PyTorch and its users save weights.

Needs torch (see requirements-torch.txt). The files lie in tests/judges/pytorch and are read by
the tests of src/model/weights.rs:

    python tests/judges/pytorch_files.py tests/judges/pytorch
"""

import sys
from pathlib import Path

import torch

folder = Path(sys.argv[1])
weight = torch.arange(6.0).reshape(2, 3)
state = {"output.weight": weight, "output.bias": torch.tensor([0.5, -0.5])}

torch.save(state, folder / "plain.pth")
torch.save(state, folder / "legacy.pth", _use_new_zipfile_serialization=False)
torch.save({name: value.half() for name, value in state.items()}, folder / "half.pth")
parallel = {f"module.{name}": value for name, value in state.items()}
# A turned view: the numbers lie in the file column by column.
parallel["module.output.weight"] = weight.t().contiguous().t()
momentum = {"state": {0: {"exp_avg": torch.ones(2, 3)}}}
torch.save({"epoch": 3, "state_dict": parallel, "optimizer": momentum}, folder / "checkpoint.pth")
