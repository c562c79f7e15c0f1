"""Judges scores and calibration: writes what scikit-learn, SciPy and NumPy say of fixed answers.

    python3 tests/judges/answers_reference.py > tests/judges/answers_reference.json

Needs the packages of requirements-answers.txt. `cargo test scores calibration` compares with the
file. Probabilities are whole multiples of 2^-20, so that single precision holds them exactly.
"""

import json
import warnings

import numpy as np
from scipy.optimize import brentq
from scipy.special import log_softmax, softmax
from sklearn import metrics

warnings.filterwarnings("ignore")
GRAIN = 1 << 20
RESAMPLES = 2_000


def none_or(value):
    return None if value is None or np.isnan(value) else float(value)


def rounded(probabilities, grain=GRAIN):
    """Rounds to multiples of 1 / grain; the largest takes what is left over."""
    counts = np.floor(probabilities * grain)
    rows = np.arange(len(counts))
    counts[rows, counts.argmax(1)] += grain - counts.sum(1)
    return counts / grain


def expected_calibration_error(truths, probabilities, n_bins=15):
    """As in the code published with Guo et al. (2017)."""
    sure, right = probabilities.max(1), probabilities.argmax(1) == truths
    edges = np.arange(n_bins + 1) / n_bins
    error = 0.0
    for low, high in zip(edges, edges[1:]):
        inside = (low < sure) & (sure <= high)
        if inside.any():
            error += abs(right[inside].mean() - sure[inside].mean()) * inside.mean()
    return error


def one_vs_rest(truths, probabilities, k):
    is_class, rank = truths == k, probabilities[:, k]
    has_both = is_class.any() and not is_class.all()
    found = {
        "auc": none_or(metrics.roc_auc_score(is_class, rank)) if has_both else None,
        "average_precision": float(metrics.average_precision_score(is_class, rank)) if is_class.any() else None,
        "roc": None,
        "precision_recall": None,
    }
    if has_both:
        false, true, _ = metrics.roc_curve(is_class, rank, drop_intermediate=False)
        found["roc"] = np.stack([false, true], 1).tolist()
    if is_class.any():
        precision, recall, thresholds = metrics.precision_recall_curve(is_class, rank)
        found["precision_recall"] = np.stack([recall, precision], 1)[::-1].tolist()
    return found


def averages(truths, said, average, present):
    three = metrics.precision_recall_fscore_support(truths, said, labels=present, average=average, zero_division=0)
    return [float(value) for value in three[:3]]


def scored(name, truths, probabilities, is_tied):
    n_classes = probabilities.shape[1]
    labels, said = np.arange(n_classes), probabilities.argmax(1)
    present = np.unique(truths)
    classes = [one_vs_rest(truths, probabilities, k) for k in labels]
    is_whole = len(present) == n_classes
    case = {
        "name": name,
        "truths": truths.tolist(),
        "probabilities": probabilities.tolist(),
        "accuracy": metrics.accuracy_score(truths, said),
        "balanced_accuracy": metrics.balanced_accuracy_score(truths, said),
        "macro": averages(truths, said, "macro", present),
        "weighted": averages(truths, said, "weighted", present),
        "macro_auc": float(np.mean([it["auc"] for it in classes])) if is_whole else None,
        "macro_average_precision": float(np.mean([it["average_precision"] for it in classes])) if is_whole else None,
        "log_loss": metrics.log_loss(truths, probabilities, labels=labels),
        "brier": metrics.brier_score_loss(truths, probabilities, labels=labels),
        "calibration_error": expected_calibration_error(truths, probabilities),
        "top_3": None,
        "classes": classes,
    }
    if is_whole and n_classes == 2:
        assert np.isclose(case["macro_auc"], metrics.roc_auc_score(truths, probabilities[:, 1]))
    elif is_whole:
        assert np.isclose(case["macro_auc"], metrics.roc_auc_score(truths, probabilities, multi_class="ovr"))
    # Of equal probabilities scikit-learn takes the last classes first, the reverse of argmax.
    if n_classes > 3 and not is_tied:
        case["top_3"] = metrics.top_k_accuracy_score(truths, probabilities, k=3, labels=labels)
    return case


def bootstrap(case, rng):
    """Percentiles of stratified resamples: macro F1, macro AUC, calibration error."""
    truths, probabilities = np.array(case["truths"]), np.array(case["probabilities"])
    strata = [np.flatnonzero(truths == k) for k in np.unique(truths)]
    n_classes = probabilities.shape[1]
    found = []
    for _ in range(RESAMPLES):
        drawn = np.concatenate([rng.choice(stratum, len(stratum)) for stratum in strata])
        t, p = truths[drawn], probabilities[drawn]
        said = p.argmax(1)
        f1 = np.mean([2 * ((t == k) & (said == k)).sum() / ((t == k).sum() + (said == k).sum()) for k in range(n_classes)])
        auc = np.mean([metrics.roc_auc_score(t == k, p[:, k]) for k in range(n_classes)])
        found.append([f1, auc, expected_calibration_error(t, p)])
    return np.percentile(found, [2.5, 97.5], axis=0).T.tolist()


def calibrated(name, truths, logits):
    n = len(truths)
    rows = np.arange(n)

    def loss(inverse):
        return -log_softmax(logits * inverse, axis=1)[rows, truths].mean()

    def slope(inverse):
        return ((softmax(logits * inverse, axis=1) * logits).sum(1) - logits[rows, truths]).mean()

    inverse = brentq(slope, 0.05, 20, xtol=1e-15, rtol=1e-15)
    probabilities = softmax(logits * inverse, axis=1)
    sure, right = probabilities.max(1), logits.argmax(1) == truths
    kth = int(np.floor((right.sum() + 1) * 0.05 + 1e-9))
    return {
        "name": name,
        "truths": truths.tolist(),
        "logits": logits.tolist(),
        "temperature": 1 / inverse,
        "loss_before": loss(1.0),
        "loss_after": loss(inverse),
        "threshold": float(np.sort(sure[right])[kth - 1]) if kth else None,
    }


def drawn(rng, n, n_classes, skill, classes=None):
    truths = rng.choice(n_classes if classes is None else classes, n)
    logits = rng.normal(size=(n, n_classes)) + skill * np.eye(n_classes)[truths]
    return truths, logits


def main():
    rng = np.random.default_rng(20261121)
    cases = []
    for name, n, k, skill, grain, classes in [
        ("two classes", 60, 2, 1.5, GRAIN, None),
        ("two classes with ties", 48, 2, 1.0, 8, None),
        ("five classes", 80, 5, 2.0, GRAIN, None),
        ("five classes with ties", 50, 5, 1.5, 16, None),
        ("five classes, one absent", 40, 5, 1.5, GRAIN, [0, 1, 3, 4]),
        ("one class only", 12, 2, 0.5, GRAIN, [1]),
        ("three pictures", 3, 2, 0.0, 64, None),
    ]:
        truths, logits = drawn(rng, n, k, skill, classes)
        cases.append(scored(name, truths, rounded(softmax(logits, axis=1), grain), grain != GRAIN))
    truths = np.array([0, 1, 0, 1, 1, 0])
    cases.append(scored("all equal", truths, np.full((6, 2), 0.5), True))
    cases.append(scored("all right", truths, np.eye(2)[truths] * 0.5 + 0.25, True))
    cases.append(scored("all wrong", truths, np.eye(2)[1 - truths] * 0.5 + 0.25, True))
    validations = []
    for name, n, k, skill, scale in [
        ("too sure", 60, 2, 1.0, 3.0),
        ("not sure enough", 80, 5, 3.0, 0.3),
        ("few right", 15, 3, 0.8, 1.0),
    ]:
        truths, logits = drawn(rng, n, k, skill)
        validations.append(calibrated(name, truths, np.round(logits * scale * 1024) / 1024))
    answer = {
        "scores": cases,
        "bootstrap_of_five_classes": bootstrap(cases[2], rng),
        "calibration": validations,
    }
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
