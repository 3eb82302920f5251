"""Commands that cross-validate systems: demo, compare."""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from typing import Any

from sklearn_profiling.cli._reading import (
    jobs_of,
    load_users,
    net_parameters,
    print_read,
    segmenter_of,
)


def run_demo(options: argparse.Namespace) -> None:
    """Compare all systems on synthetic users, read back from files."""
    from sklearn_profiling.datasets import (
        dump_smpcup2016,
        load_smpcup2016,
        make_user_profiles,
    )

    made = make_user_profiles(
        options.users,
        signal_rate=0.3,
        missing_labels=0.1,
        missing_text=0.05,
        missing_network=0.05,
        random_state=options.seed,
    )
    with tempfile.TemporaryDirectory(prefix="sklearn-profiling-") as folder:
        dump_smpcup2016(made, folder)
        users = load_smpcup2016(folder)
        print("Synthetic users, written as SMP CUP 2016 files and read back:")
        print_read(users, labelled=True)
        comparison = _run_comparison(options, users, names=None)
    _print_table(comparison, users, "accuracy", made.bayes_accuracy)


def run_compare(options: argparse.Namespace) -> None:
    """Compare systems on one's own users."""
    users = load_users(options)
    comparison = _run_comparison(options, users, names=options.systems)
    _print_table(comparison, users, options.metric)
    if options.out is not None:
        comparison.scores.to_csv(options.out, index=False)
        print(f"scores by fold: {options.out}")


def _run_comparison(
    options: argparse.Namespace, users: Any, *, names: Sequence[str] | None
) -> Any:
    """Cross-validate the systems, sharing what they prepare in a temporary folder."""
    from sklearn_profiling.evaluation import MultiTaskStratifiedKFold, compare
    from sklearn_profiling.exceptions import SourceError
    from sklearn_profiling.systems import make_table3_systems

    with tempfile.TemporaryDirectory(prefix="sklearn-profiling-") as cache:
        systems = make_table3_systems(
            users.graph,
            segmenter=segmenter_of(options, users),
            memory=cache,
            random_state=options.seed,
            **net_parameters(options),
        )
        if names:
            chosen = {
                name: system
                for name, system in systems.items()
                if any(part.lower() in name.lower() for part in names)
            }
            if not chosen:
                msg = f"--systems: {list(names)} is part of none of {list(systems)}"
                raise SourceError(msg)
            systems = chosen
        folds = MultiTaskStratifiedKFold(options.folds, random_state=options.seed)
        return compare(
            systems,
            users.data,
            users.target,
            cv=folds,
            n_jobs=jobs_of(options),
            verbose=1,
        )


def _weights(users: Any) -> dict[str, float] | None:
    """Take the competition's weights where its three tasks are there, and no other."""
    from sklearn_profiling.evaluation import smpcup_scorer

    weights: dict[str, float] = dict(smpcup_scorer().weights or {})
    return weights if set(users.target) == set(weights) else None


def _print_table(
    comparison: Any, users: Any, metric: str, best: dict[str, float] | None = None
) -> None:
    weights = _weights(users)
    print()
    print(f"{metric}, mean ± standard deviation over the folds")
    print(comparison.to_string(metric, weights=weights))
    if best is not None:
        tasks = comparison.tasks
        shares = weights or dict.fromkeys(tasks, 1 / len(tasks))
        average = sum(shares[task] * best[task] for task in tasks)
        values = ", ".join(f"{task} {best[task]:.3f}" for task in tasks)
        print(f"Best possible (Bayes): {values}, average {average:.3f}")
    if weights is not None:
        shown = " + ".join(f"{share} {task}" for task, share in weights.items())
        print(f"average = {shown}")
