"""Tables 1, 3 and 4 of the MMLUP paper on any users.

Each DATA is a table or folder of records, or "synthetic:300". Table 1 counts users,
links, texts and labels; Table 3 has Text-CNN, MMLUP and its ablations in both presets;
Table 4 the competition's score where users have its three tasks. Each seed has its own
folds and its own initial parameters. Sizes that differ from the presets are
said beside the rows:

    python benchmarks/accuracy/mmlup_tables.py synthetic:300 --folds 1 --record
    python benchmarks/accuracy/mmlup_tables.py poets/ --tasks dynasty era occupation

Users without a task "region" have no regional dictionary with the paper's preset. On
the competition's own folders ``sklearn-profiling evaluate FOLDER --systems table3``
trains and tests as it did.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from published import BY_KEY
from real_users import read
from results import record_counts, record_scores

from sklearn_profiling.evaluation import MultiTaskStratifiedKFold, compare
from sklearn_profiling.evaluation.metrics import SMPCUP_WEIGHTS
from sklearn_profiling.pipelines import make_table3_systems
from sklearn_profiling.sources import choose_segmenter

SIZES = ("max_epochs", "n_filters", "kernel_sizes")


def counts(users: Any, name: str) -> dict[str, dict[str, float]]:
    """Count as Table 1 does."""
    return {
        name: {
            "users": len(users.data),
            "edges": 0 if users.graph is None else users.graph.n_edges,
            "with content": int(users.data["messages"].map(bool).sum()),
            "with label": int(users.target.notna().any(axis=1).sum()),
        }
    }


def systems_of(users: Any, given: argparse.Namespace, seed: int, memory: str) -> Any:
    """Make the rows of the presets that were asked for."""
    sizes = {name: getattr(given, name) for name in SIZES}
    sizes = {name: value for name, value in sizes.items() if value is not None}
    systems: dict[str, Any] = {}
    for preset in given.presets:
        without_region = preset == "paper" and "region" not in users.target
        systems |= make_table3_systems(
            users.graph,
            preset=preset,
            segmenter=choose_segmenter(users.data["messages"]),
            keywords="drop" if without_region else None,
            memory=memory,
            random_state=seed,
            **sizes,
        )
    return {
        name: system
        for name, system in systems.items()
        if not given.only or any(part in name for part in given.only)
    }


def with_score(scores: pd.DataFrame) -> pd.DataFrame:
    """Add the competition's score of each system and fold as a further task."""
    if not set(SMPCUP_WEIGHTS) <= set(scores["task"]):
        return scores
    weights = scores["task"].map(SMPCUP_WEIGHTS)
    parts = scores.assign(value=scores["value"] * weights)[weights.notna()]
    keys = [name for name in scores if name not in {"task", "value", "n_labelled"}]
    total = parts.groupby(keys, sort=False, dropna=False)["value"].sum().reset_index()
    return pd.concat([scores, total.assign(task="score")], ignore_index=True)


def setting_of(given: argparse.Namespace) -> str:
    """Say the folds and the sizes that differ from the presets."""
    said = [f"{given.folds} of 5 folds"]
    said += [f"{n}={getattr(given, n)}" for n in SIZES if getattr(given, n) is not None]
    return ", ".join(said)


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the tables of each data set, and write their rows with ``--record``."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", nargs="+", metavar="DATA")
    parser.add_argument("--tasks", nargs="+")
    parser.add_argument("--sample", type=int, help="users to draw; all by default")
    parser.add_argument("--presets", nargs="+", default=["paper", "default"])
    parser.add_argument("--folds", type=int, default=5, help="of five, to run")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--only", nargs="+", metavar="PART", help="of names of systems")
    parser.add_argument("--epochs", type=int, dest="max_epochs")
    parser.add_argument("--filters", type=int, dest="n_filters")
    parser.add_argument("--kernel-sizes", type=int, nargs="+")
    parser.add_argument("--results", type=Path, help="folder of finished folds")
    parser.add_argument("--record", action="store_true", help="write the rows")
    given = parser.parse_args(arguments)
    for data in given.data:
        users = read(data, given.tasks)
        name = Path(data).name
        if given.record:
            record_counts(BY_KEY["mmlup_table_1"], counts(users, name), data=name)
        X, y = users.data, users.target
        if given.sample is not None:
            drawn = X.sample(given.sample, random_state=0).index
            X, y = X.loc[drawn], y.loc[drawn]
            name = f"{name}, {given.sample} of the users"
        for seed in range(given.seeds):
            folds = MultiTaskStratifiedKFold(5, random_state=seed)
            with tempfile.TemporaryDirectory(prefix="sklearn-profiling-") as memory:
                found = compare(
                    systems_of(users, given, seed, memory),
                    X,
                    y,
                    cv=list(folds.split(X, y))[: given.folds],
                    metrics="accuracy",
                    verbose=1,
                    results_folder=given.results,
                )
            print(f"\n{name}, seed {seed}, {setting_of(given)}")
            print(found.to_string("accuracy"))
            if not given.record:
                continue
            scores = with_score(found.scores)
            said = {"data": name, "setting": setting_of(given), "seed": seed}
            named = {"accuracy": "accuracy"}
            record_scores(BY_KEY["mmlup_table_3"], scores, named, **said)
            score = scores[scores["task"] == "score"]
            if len(score):
                record_scores(BY_KEY["mmlup_table_4"], score, named, **said)


if __name__ == "__main__":
    main()
