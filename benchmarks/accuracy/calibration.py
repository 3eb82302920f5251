"""How far the recommended system's probabilities can be believed, on held-out users.

DATA is what ``sklearn-profiling compare`` reads, or "synthetic:1000". Of each fold: the
expected calibration error and the log loss before and after temperature scaling, the
error that right probabilities would have by chance (labels drawn from those after
scaling: the mean and the 95 % quantile of 1,000 draws, since few users in a bin are
never exactly as often right as expected), and the accuracy of the four fifths of whom
the system is most sure. Then the coverage of
prediction sets over 20 splits of each fold's test users into held-out and new ones.

    python benchmarks/accuracy/calibration.py poets/ --folds 5

Every fold, then means over the folds; ``least`` and ``most`` are single splits of the
sets.
"""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np
import pandas as pd
from real_users import read

from sklearn_profiling.evaluation import (
    MultiTaskStratifiedKFold,
    calibration_report,
    prediction_set_report,
    prediction_sets,
    risk_coverage,
)
from sklearn_profiling.evaluation._probabilities import labelled_probabilities
from sklearn_profiling.evaluation.calibration import bins_of
from sklearn_profiling.pipelines import make_profiler

N_SPLITS = 20
N_DRAWS = 1000


def chance(y: pd.DataFrame, likely: Any, classes: Any) -> pd.DataFrame:
    """Tabulate the calibration error of labels drawn from the probabilities."""
    rng = np.random.default_rng(0)
    rows = {}
    for found in labelled_probabilities(y, likely, classes):
        sure = found.likely.max(axis=1)
        errors = []
        for _ in range(N_DRAWS):
            bins = bins_of(sure, (rng.random(len(sure)) < sure).astype(float), 10)
            gaps = (bins["confidence"] - bins["accuracy"]).abs()
            errors.append((bins["n"] * gaps).sum() / len(sure))
        rows[found.task] = {
            "users": len(sure),
            "ece by chance": np.mean(errors),
            "at most": np.quantile(errors, 0.95),
        }
    return pd.DataFrame.from_dict(rows, orient="index")


def calibrations(y: pd.DataFrame, before: Any, after: Any, classes: Any) -> Any:
    """Tabulate calibration before and after, and accuracy with abstention."""
    bare = calibration_report(y, before, classes)
    scaled = calibration_report(y, after, classes)
    sure = risk_coverage(y, after, classes, coverages=[0.8])["accuracy"]
    return pd.DataFrame(
        {
            "ece before": bare["ece"],
            "ece after": scaled["ece"],
            **chance(y, after, classes),
            "log loss before": bare["log_loss"],
            "log loss after": scaled["log_loss"],
            "accuracy": scaled["accuracy"],
            "accuracy of 0.8": sure.droplevel("coverage"),
        }
    )


def coverages(y: pd.DataFrame, likely: Any, classes: Any, method: Any) -> Any:
    """Tabulate coverage and size of sets, one row a task and split."""
    rows = []
    for seed in range(N_SPLITS):
        drawn = np.random.default_rng(seed).permutation(len(y))
        held_out, new = np.array_split(drawn, 2)
        sets = prediction_sets(
            [each[new] for each in likely],
            classes,
            y.iloc[held_out],
            [each[held_out] for each in likely],
            coverage=0.9,
            method=method,
            random_state=seed,
        )
        rows.append(prediction_set_report(y.iloc[new], sets)[["coverage", "size"]])
    return pd.concat(rows)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", metavar="DATA")
    parser.add_argument("--tasks", nargs="+")
    parser.add_argument("--splits", type=int, default=5)
    parser.add_argument("--folds", type=int, default=1, help="of the splits")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    users = read(given.data, given.tasks)
    folds = MultiTaskStratifiedKFold(given.splits, random_state=given.seed)
    tables, sets = [], {"lac": [], "aps": []}
    parts = list(folds.split(users.data, users.target))[: given.folds]
    for train, test in parts:
        model = make_profiler(users.graph, random_state=given.seed)
        model.fit(users.data.iloc[train], users.target.iloc[train])
        sources = model[:-1].transform(users.data.iloc[test])
        scaled, y = model[-1], users.target.iloc[test]
        before = scaled.estimator_.predict_proba(sources)
        after = scaled.predict_proba(sources)
        tables.append(calibrations(y, before, after, scaled.classes_))
        for method, rows in sets.items():
            rows.append(coverages(y, after, scaled.classes_, method))
    whole = pd.concat(tables, names=["fold", "task"], keys=range(len(tables)))
    print(whole.round(3).to_string())
    print(whole.groupby("task", sort=False).mean().round(3).to_string())
    for method, rows in sets.items():
        found = pd.concat(rows).groupby("task", sort=False)
        table = found.mean()
        table["least"] = found["coverage"].min()
        table["most"] = found["coverage"].max()
        print(f"\nsets by {method}, promised 0.9")
        print(table.round(3).to_string(), flush=True)


if __name__ == "__main__":
    main()
