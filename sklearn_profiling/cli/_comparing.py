"""Commands that cross-validate systems: demo, compare."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import Any

from sklearn_profiling.cli._caching import cache_of, fit_through_cache
from sklearn_profiling.cli._checks import check_options
from sklearn_profiling.cli._model_files import save_model
from sklearn_profiling.cli._printing import (
    describe,
    show_users,
    tell,
    terminal_width,
    write_file,
    write_frame,
)
from sklearn_profiling.cli._reading import jobs_of, load_users
from sklearn_profiling.cli._systems import (
    check_systems,
    choose_system,
    choose_systems,
    find_system,
)


def run_demo(options: argparse.Namespace) -> int:
    """Compare the systems of MMLUP's paper, or of images, on synthetic users."""
    check_options(options)
    users = _make_image_users(options) if options.images else _make_users(options)
    tell(options, *describe(users, labelled=True))
    comparison = _run_comparison(options, users)
    _print_result(options, comparison, users, best=users.bayes_accuracy)
    return int(len(comparison.failures) > 0)


def _make_users(options: argparse.Namespace) -> Any:
    """Make users with text and network, by way of the files of SMP CUP 2016."""
    from sklearn_profiling._processes import temporary_folder
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
    with temporary_folder() as folder:
        dump_smpcup2016(made, folder)
        users = load_smpcup2016(folder)
    tell(options, "Synthetic users, written as SMP CUP 2016 files and read back:")
    users.bayes_accuracy = made.bayes_accuracy
    return users


def _make_image_users(options: argparse.Namespace) -> Any:
    """Make users with images of digits and text."""
    from sklearn_profiling.datasets import make_image_users

    options.systems = ["images"]
    tell(options, "Synthetic users with images of digits:")
    return make_image_users(
        options.users,
        with_text=True,
        missing_labels=0.1,
        missing_images=0.05,
        missing_text=0.05,
        random_state=options.seed,
    )


def run_compare(options: argparse.Namespace) -> int:
    """Compare systems on the user's own data."""
    check_options(options)
    check_systems(options)
    users = load_users(options)
    if options.show:
        show_users(users)
        return 0
    comparison = _run_comparison(options, users)
    if options.out is not None:  # before the output, which may end in a closed pipe
        write_file(comparison.scores, "csv", options.out, safe=options.safe_csv)
    _print_result(
        options,
        comparison,
        users,
        reference=_reference(options, comparison.systems),
        test=options.test,
    )
    if options.out is not None:
        tell(options, f"scores per fold: {options.out}")
    if options.model is not None:
        _train_best(options, comparison, users)
    return int(len(comparison.failures) > 0)


def _train_best(options: argparse.Namespace, comparison: Any, users: Any) -> None:
    """Train the best system on all users and write it to a file."""
    from sklearn_profiling.evaluation.metrics import LOWER_IS_BETTER

    metric = options.metric or "accuracy"
    average = comparison.table(metric, weights=_weights(users))["average"].dropna()
    if average.empty:
        tell(options, "no model is written, since every system failed")
        return
    best = average.idxmin() if metric in LOWER_IS_BETTER else average.idxmax()
    # without the folder of the comparison's cache, which is gone when it is used
    again = argparse.Namespace(**{**vars(options), "system": best, "quiet": True})
    name, system = choose_system(again, users)
    tell(options, f"best on average, trained on all users: {name}")
    fit_through_cache(system, options.cache)
    save_model(options, users, name, system)


def _run_comparison(options: argparse.Namespace, users: Any) -> Any:
    """Cross-validate the systems, which share a cache: ``--cache``, or a temporary."""
    from sklearn_profiling.evaluation import MultiTaskStratifiedKFold, compare
    from sklearn_profiling.evaluation.metrics import METRICS

    metric = getattr(options, "metric", None)
    further = [] if metric is None or metric in METRICS else [str(metric)]

    with cache_of(options) as cache:
        systems = choose_systems(options, users, cache)
        # Refuse a wrong name now and not after the last fit.
        _reference(options, list(systems))
        folds = MultiTaskStratifiedKFold(options.folds, random_state=options.seed)
        return compare(
            systems,
            users.data,
            users.target,
            cv=folds,
            metrics=[*METRICS, *further],
            n_jobs=jobs_of(options),
            verbose=int(not options.quiet),
            results_folder=options.results,
        )


def _reference(options: argparse.Namespace, systems: Sequence[str]) -> str | None:
    """Find the system that the others are tested against."""
    if getattr(options, "reference", None) is not None:
        return find_system(options.reference, systems, "--reference")
    # The question of the Aux-LSTM paper: does another task help the LSTM?
    lstm = "LSTM, paper" if options.preset == "paper" else "LSTM"
    asked = options.main_task is not None and lstm in systems
    return lstm if asked and len(systems) > 1 else None


def _print_result(
    options: argparse.Namespace, comparison: Any, users: Any, **marks: Any
) -> None:
    """Print the comparison in the format of the options."""
    metric = getattr(options, "metric", None)
    weights = _weights(users)
    if options.format != "table":
        table = _tidy(comparison, weights)
        if metric is not None:
            table = table[table["metric"] == metric]
        write_frame(table, options.format, sys.stdout, safe=options.safe_csv)
        return
    best = marks.pop("best", None)
    _print_table(comparison, weights, metric or "accuracy", best=best, **marks)
    if options.main_task is not None and metric is None:
        print()
        print("macro precision, recall and F = 2PR / (P + R), mean over the folds")
        print(
            comparison.prf_to_string(
                reference=marks["reference"],
                method=marks["test"],
                width=terminal_width(),
            )
        )


def _tidy(comparison: Any, weights: dict[str, float] | None) -> Any:
    """List each system, metric and task with the mean and deviation over the folds."""
    import pandas as pd

    parts = []
    for metric in dict.fromkeys(comparison.scores["metric"]):
        columns = {
            # unstack keeps the gaps of a failed system, which stack may drop
            name: comparison.table(metric, weights=weights, spread=spread).T.unstack()
            for name, spread in (("mean", False), ("std", True))
        }
        part = pd.DataFrame(columns).rename_axis(["system", "task"]).reset_index()
        parts.append(part.assign(metric=metric))
    errors = comparison.failures.groupby("system")["error"].first()
    table = pd.concat(parts, ignore_index=True)
    table["error"] = table["system"].map(errors)
    return table[["system", "task", "metric", "mean", "std", "error"]]


def _print_table(
    comparison: Any,
    weights: dict[str, float] | None,
    metric: str,
    *,
    best: dict[str, float] | None = None,
    reference: str | None = None,
    test: Any = "corrected",
) -> None:
    print()
    print(f"{metric}, mean ± standard deviation over the folds")
    print(
        comparison.to_string(
            metric,
            weights=weights,
            reference=reference,
            method=test,
            width=terminal_width(),
        )
    )
    if best is not None:
        tasks = comparison.tasks
        shares = weights or dict.fromkeys(tasks, 1 / len(tasks))
        average = sum(shares[task] * best[task] for task in tasks)
        values = ", ".join(f"{task} {best[task]:.3f}" for task in tasks)
        print(f"Best possible (Bayes): {values}, average {average:.3f}")
    if weights is not None:
        shown = " + ".join(f"{share} {task}" for task, share in weights.items())
        print(f"average = {shown}")


def _weights(users: Any) -> dict[str, float] | None:
    """Return the weights of SMP CUP 2016 if the tasks are exactly its three."""
    from sklearn_profiling.evaluation import smpcup_scorer

    weights: dict[str, float] = dict(smpcup_scorer().weights or {})
    return weights if set(users.target) == set(weights) else None
