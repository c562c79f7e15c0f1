"""What cleanlab says of the out-of-fold probabilities that `snapset suspects --json` was made of.

    suspects.py SUSPECTS.json [WRONG.txt]

Fails unless the pictures it doubts by confident learning are those we doubt. With WRONG.txt, the ids
of the pictures whose labels are known to be wrong, a line each, the average precision of both
rankings is told, and ours may not be lower.

Needs what requirements-suspects.txt names.
"""

import json
import sys

import numpy as np
from cleanlab.filter import find_label_issues
from cleanlab.rank import get_label_quality_scores
from sklearn.metrics import average_precision_score

told = json.load(open(sys.argv[1]))
assert told["schema"] == "snapset.suspects.v1", told["schema"]
said = told["said"]
given = np.array([told["classes"].index(it["given"]) for it in said])
probabilities = np.array([it["probabilities"] for it in said], dtype=float)
probabilities /= probabilities.sum(axis=1, keepdims=True)

theirs = find_label_issues(given, probabilities, filter_by="confident_learning")
theirs = {it["picture"] for it, is_doubted in zip(said, theirs) if is_doubted}
ours = {it["picture"] for it in told["suspects"]}
print(f"{len(ours)} doubted by us, {len(theirs)} by cleanlab, {len(ours & theirs)} by both")
ok = ours == theirs

if 2 < len(sys.argv):
    wrong = set(open(sys.argv[2]).read().split())
    is_wrong = np.array([it["picture"] in wrong for it in said])
    assert is_wrong.any(), "none of the wrong pictures is in the dataset"
    ranked = average_precision_score(is_wrong, [-it["confidence"] for it in said])
    scores = get_label_quality_scores(given, probabilities)
    reference = average_precision_score(is_wrong, -scores)
    found = sum(it["picture"] in wrong for it in told["suspects"])
    print(f"{is_wrong.sum()} wrong, {found} of them among our suspects")
    print(f"average precision: ours {ranked:.4f}, cleanlab's {reference:.4f}")
    ok = ok and reference - 1e-9 <= ranked

sys.exit(0 if ok else 1)
