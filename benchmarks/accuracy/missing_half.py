"""What it costs the recommended system and the linear baselines to miss half.

Each DATA is a path to users with messages and links, or "synthetic:1000". On the same
folds, every system is trained on all that there is; on half of the training labels of
each task, drawn at random; and on users of whom half have no messages and the others
no links, in training and test.

    python benchmarks/accuracy/missing_half.py synthetic:1000 poets/ --folds 3

One table a data set: accuracy of each task and their average, and how far it is below
the same system's on everything.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from real_users import read

from sklearn_profiling.baselines import (
    make_link_baseline,
    make_svm_baseline,
    make_tfidf_baseline,
)
from sklearn_profiling.evaluation import MultiTaskStratifiedKFold
from sklearn_profiling.pipelines import make_profiler
from sklearn_profiling.sources import choose_segmenter
from sklearn_profiling.sources.text.segmentation import with_punctuation

CONDITIONS = ("everything", "half of the labels", "half of the sources")


def make_systems(messages: pd.Series, graph: Any, seed: int) -> dict[str, Any]:
    """Make the recommended system, whole and of text alone, and the baselines."""
    words = with_punctuation(choose_segmenter(messages))
    return {
        "Profiler": make_profiler(graph, random_state=seed),
        "Profiler (text alone)": make_profiler(
            columns={"user_id": "drop"}, random_state=seed
        ),
        "TF-IDF + ridge": make_tfidf_baseline(segmenter=words),
        "SVM": make_svm_baseline(segmenter=words, random_state=seed),
        "Links + ridge": make_link_baseline(graph),
    }


def without_half(users: Any, seed: int) -> tuple[pd.DataFrame, Any]:
    """Take the messages of half of the users, and the links of the others."""
    drawn = np.random.default_rng(seed).permutation(len(users.data))
    silent, alone = np.array_split(drawn, 2)
    data = users.data.copy()
    data["messages"] = data["messages"].astype(object)
    data.iloc[silent, data.columns.get_loc("messages")] = None
    lonely = data["user_id"].iloc[alone]
    return data, users.graph.subgraph(np.setdiff1d(users.graph.ids, lonely))


def without_labels(target: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Take half of the labels of each task."""
    kept = target.astype(object)
    generator = np.random.default_rng(seed)
    for task in kept:
        known = np.flatnonzero(kept[task].notna())
        lost = generator.choice(known, len(known) // 2, replace=False)
        kept.iloc[lost, kept.columns.get_loc(task)] = None
    return kept


def accuracies(
    users: Any, condition: str, *, n_splits: int, n_folds: int, seed: int
) -> list[dict[str, Any]]:
    """Return one row a system and fold: the accuracy of each task."""
    data, graph = users.data, users.graph
    if condition == "half of the sources":
        data, graph = without_half(users, seed)
    folds = MultiTaskStratifiedKFold(n_splits, random_state=seed)
    rows = []
    for fold, (train, test) in enumerate(folds.split(users.data, users.target)):
        if fold == n_folds:
            break
        y, truth = users.target.iloc[train], users.target.iloc[test]
        if condition == "half of the labels":
            y = without_labels(y, seed)
        systems = make_systems(users.data["messages"], graph, seed)
        for name, system in systems.items():
            found = system.fit(data.iloc[train], y).predict(data.iloc[test])
            right = pd.DataFrame(found, index=truth.index, columns=truth.columns)
            known = truth.notna()
            scores = ((right == truth) & known).sum() / known.sum()
            rows.append({"system": name, "condition": condition, **scores})
    return rows


def main() -> None:
    """Print a table for each data set."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", nargs="+", metavar="DATA")
    parser.add_argument("--tasks", nargs="+")
    parser.add_argument("--splits", type=int, default=5)
    parser.add_argument("--folds", type=int, default=5, help="of the splits")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    for name in given.data:
        users = read(name, given.tasks)
        rows = [
            row
            for condition in CONDITIONS
            for row in accuracies(
                users,
                condition,
                n_splits=given.splits,
                n_folds=given.folds,
                seed=given.seed,
            )
        ]
        table = pd.DataFrame(rows).groupby(["system", "condition"], sort=False).mean()
        table["average"] = table.mean(axis=1)
        whole = table["average"].xs(CONDITIONS[0], level="condition")
        table["loss"] = whole.reindex(table.index, level="system") - table["average"]
        print(f"\n{Path(name).name}: {len(users.data)} users, {given.folds} folds")
        print(table.round(3).to_string(), flush=True)


if __name__ == "__main__":
    main()
