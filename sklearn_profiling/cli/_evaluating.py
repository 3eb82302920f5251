"""The competition's own test: evaluate, on the folders of SMP CUP 2016."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import Any

from sklearn_profiling.cli._checks import check_options
from sklearn_profiling.cli._model_files import train
from sklearn_profiling.cli._printing import describe, tell, write_file, write_frame
from sklearn_profiling.cli._systems import check_systems, choose_systems

RANKING = {
    "HLT_HITSZ": 0.73516,
    "DUTIR_TONE": 0.73129,
    "MMLUP": 0.71540,
    "Luhongyu": 0.70540,
    "Neptune": 0.69992,
    "Cappuccino": 0.69532,
    "tobel": 0.68831,
    "clclc": 0.68831,
}
"""Scores on the competition's test users (Zhu et al. 2019, Table 4)."""

_TRAIN, *_SCORED = "train", "valid", "test"


def run_evaluate(options: argparse.Namespace) -> int:
    """Train on the training users, and score the valid and test users."""
    check_options(options)
    check_systems(options)
    users = {part: _load(options, part) for part in _parts(options.path)}
    for part, found in users.items():
        tell(options, f"{part}:", *describe(found, labelled=True))
    _check_apart(options.path, users)
    users[_TRAIN].graph = _joined([found.graph for found in users.values()])
    table = _scores(options, users)
    if options.out is not None:
        write_file(table, "csv", options.out, safe=options.safe_csv)
    if options.format != "table":
        write_frame(table, options.format, sys.stdout, safe=options.safe_csv)
        return 0
    _print(table)
    return 0


def _parts(path: Path) -> list[str]:
    """Name the parts that the folder holds, the training users first."""
    from sklearn_profiling.exceptions import DataFormatError

    found = [part for part in (_TRAIN, *_SCORED) if (path / part).is_dir()]
    if _TRAIN not in found or len(found) == 1:
        held = ", ".join(sorted(each.name for each in path.iterdir())) or "nothing"
        reason = (
            "evaluate reads the folders train and valid or test, each in the format "
            f"of SMP CUP 2016; it holds: {held:.200}"
        )
        raise DataFormatError(path, None, reason)
    return found


def _load(options: argparse.Namespace, part: str) -> Any:
    """Read a part; of those that are scored, the users in ``labels.txt``."""
    from sklearn_profiling.datasets import load_smpcup2016

    return load_smpcup2016(
        options.path / part,
        users="content" if part == _TRAIN else "labeled",
        encoding=options.encoding,
        on_bad_lines=options.on_bad_lines,
        on_unknown_links=options.on_unknown_links,
        max_bytes=options.max_bytes,
        follow_links=options.follow_links,
    )


def _check_apart(path: Path, users: dict[str, Any]) -> None:
    """Refuse scored users whose labels the training users hold."""
    from sklearn_profiling.exceptions import DataFormatError

    train_users = users[_TRAIN]
    labelled = train_users.target.notna().any(axis=1)
    known = set(train_users.data["user_id"][labelled])
    for part in _SCORED:
        ids = [] if part not in users else users[part].data["user_id"]
        twice = [user_id for user_id in ids if user_id in known]
        if twice:
            reason = (
                f"{len(twice)} users have a label in {_TRAIN} too, so their score "
                f"would say nothing; the first is {twice[0]!r:.60}"
            )
            raise DataFormatError(path / part, None, reason)


def _joined(graphs: list[Any]) -> Any:
    """Join the networks; a link of several weighs as much as where it weighs most."""
    import numpy as np
    from scipy import sparse

    from sklearn_profiling.containers import SocialGraph

    graphs = [graph for graph in graphs if graph is not None]
    if not graphs:
        return None
    ids = list(dict.fromkeys(name for graph in graphs for name in graph.ids))
    rows = {name: row for row, name in enumerate(ids)}
    joined = sparse.csr_array((len(ids), len(ids)), dtype=np.float32)
    for graph in graphs:
        arcs = graph.adjacency.tocoo()
        own = np.array([rows[name] for name in graph.ids])
        places = (own[arcs.row], own[arcs.col])
        arcs = sparse.csr_array((arcs.data, places), shape=joined.shape)
        joined = joined.maximum(arcs)
    return SocialGraph(joined, ids, directed=False)


def _scores(options: argparse.Namespace, users: dict[str, Any]) -> Any:
    """Return a row a system and scored part: accuracy per task, and the score."""
    import pandas as pd

    from sklearn_profiling.evaluation.metrics import (
        SMPCUP_WEIGHTS,
        accuracy_per_task,
        smpcup_score,
    )

    rows = []
    with tempfile.TemporaryDirectory(prefix="sklearn-profiling-") as cache:
        for name, system in choose_systems(options, users[_TRAIN], cache).items():
            tell(options, f"training {name}")
            train(name, system, users[_TRAIN])
            for part in _SCORED:
                if part not in users:
                    continue
                target = users[part].target
                labels = pd.DataFrame(
                    system.predict(users[part].data), columns=target.columns
                )
                rows.append(
                    {
                        "system": name,
                        "part": part,
                        "n_users": len(target),
                        **accuracy_per_task(target, labels)[list(SMPCUP_WEIGHTS)],
                        "score": smpcup_score(target, labels),
                    }
                )
    return pd.DataFrame(rows)


def _print(table: Any) -> None:
    """Print the scores, and those of the last part among the published ones."""
    import pandas as pd

    from sklearn_profiling.evaluation.metrics import SMPCUP_WEIGHTS

    shown = table.set_index(["part", "system"]).sort_index(
        level=0, sort_remaining=False
    )
    print()
    print("accuracy, and the competition's score")
    print(shown.round(4).to_string())
    weights = " + ".join(f"{share} {task}" for task, share in SMPCUP_WEIGHTS.items())
    print(f"score = {weights}")
    last = table["part"].iloc[-1]
    ours = table[table["part"] == last].set_index("system")["score"]
    both = pd.concat([pd.Series(RANKING), ours.rename(lambda name: f"here: {name}")])
    print()
    print(f"{last} among the published scores on the competition's test users")
    for name, score in both.sort_values(ascending=False, kind="stable").items():
        print(f"  {score:.5f}  {name}")
