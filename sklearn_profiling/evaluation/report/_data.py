"""What the data of a report hold, and what may make its scores look too good."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pandas as pd

from sklearn_profiling._label_kinds import sorted_classes
from sklearn_profiling.containers import SocialGraph
from sklearn_profiling.evaluation._pairs import members
from sklearn_profiling.evaluation.duplicates import near_duplicates, rows_of_shared_text
from sklearn_profiling.evaluation.splits import Fold
from sklearn_profiling.sources._column_kinds import column_kinds
from sklearn_profiling.sources._image_cells import is_null

__all__ = ["quality_of", "sources_of", "summary_of"]


def summary_of(y: pd.DataFrame) -> pd.DataFrame:
    """Count for each task labelled users, missing labels and classes."""
    rows = {}
    for task in y:
        cells = [cell for cell in y[task] if cell is not None]
        counts = Counter(label for cell in cells for label in members(cell))
        # Ties go to the first in sorted order.
        order = sorted_classes(list(counts), str(task)).tolist()
        first = max(order, key=lambda label: counts[label], default=None)
        rows[task] = {
            "n_labelled": len(cells),
            "n_missing": len(y) - len(cells),
            "n_classes": len(counts),
            "most_frequent": first,
            "its_share": counts[first] / len(cells) if cells else np.nan,
        }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("task")


def sources_of(X: pd.DataFrame, ids: list[Any], pipeline: Any) -> pd.DataFrame:
    """Count for each column, and the network, users with something and without."""
    X = X.set_axis([str(name) for name in X], axis=1)
    rows = {}
    for name, (kind, reason) in column_kinds(X, None, {}).items():
        n_items = np.array([_n_items(cell) for cell in X[name]], dtype=float)
        holds = reason if kind == "drop" else kind
        rows[name] = {"holds": holds, **_counted(n_items)}
        if not _has_lists(X[name]):
            rows[name] |= dict.fromkeys(("median", "most"), np.nan)
    for graph in _graphs_of(pipeline):
        places = graph.index_of(ids)
        degrees = np.diff(graph.to_undirected().adjacency.indptr)
        n_links = np.where(places >= 0, degrees[places], 0).astype(float)
        rows["(network)"] = {"holds": "links", **_counted(n_links)}
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("source")


def quality_of(
    X: pd.DataFrame, y: pd.DataFrame, folds: list[Fold], seed: int
) -> pd.DataFrame:
    """Count users whom a reader of scores should know of, with what to do."""
    tested = {row for fold in folds for row in fold.test.tolist()}
    unlabelled = y.isna().all(axis=1).to_numpy()
    n_tested = int(unlabelled[sorted(tested)].sum())
    where = f"{n_tested} of them tested, unscored" if n_tested else "in training only"
    found = [
        ("users", len(X), ""),
        (
            "users without any label",
            int(unlabelled.sum()),
            where if unlabelled.any() else "",
        ),
        ("users who were tested", len(tested), "by a model that had not seen them"),
    ]
    if "messages" in X:
        groups = near_duplicates(X, random_state=seed)
        copies = np.bincount(groups)[groups] > 1
        leaks, across = len(rows_of_shared_text(X, folds)), _across(groups, folds)
        of_groups = len(set(groups[copies].tolist()))
        advice = "give groups=near_duplicates(X) to keep copies on one side of a fold"
        found += [
            ("near duplicates", int(copies.sum()), f"in {of_groups} groups of users"),
            (
                "tested users whose messages are in training",
                leaks,
                f"leakage: {advice}" if leaks else "no leakage of this kind",
            ),
            (
                "near duplicates across training and test",
                across,
                "scores may look better than they are" if across else "",
            ),
        ]
    table = pd.DataFrame(found, columns=["finding", "n_users", "note"])
    return table.set_index("finding")


def _across(groups: Any, folds: list[Fold]) -> int:
    """Count tested users with a near duplicate in the training part."""
    return sum(
        int(np.isin(groups[fold.test], groups[fold.train]).sum()) for fold in folds
    )


def _n_items(cell: Any) -> int:
    """Count what stands in a cell; nulls, blank text and empty lists are nothing."""
    if isinstance(cell, list | tuple) or (
        isinstance(cell, np.ndarray) and cell.ndim > 0
    ):
        return sum(_holds_something(each) for each in cell)
    return int(_holds_something(cell))


def _holds_something(item: Any) -> bool:
    return bool(item.strip()) if isinstance(item, str) else not is_null(item)


def _has_lists(column: pd.Series[Any]) -> bool:
    return any(isinstance(cell, list | tuple | np.ndarray) for cell in column)


def _counted(n_items: Any) -> dict[str, Any]:
    """Count users with something and without; median and most of those with."""
    some = n_items[n_items > 0]
    return {
        "n_users": len(some),
        "n_missing": len(n_items) - len(some),
        "median": float(np.median(some)) if len(some) else np.nan,
        "most": float(some.max()) if len(some) else np.nan,
    }


def _graphs_of(pipeline: Any) -> list[SocialGraph]:
    """Find the network that a system reads, by its parameters."""
    given = pipeline.get_params(deep=True).values()
    found = {id(each): each for each in given if isinstance(each, SocialGraph)}
    return list(found.values())[:1]
