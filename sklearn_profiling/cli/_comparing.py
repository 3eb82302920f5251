"""Commands that cross-validate systems: demo, compare."""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sklearn_profiling.cli._reading import (
    jobs_of,
    load_users,
    net_parameters,
    print_read,
    segmenter_of,
)

_GROUPS = ("all", "table3", "aux-lstm", "images")
_WITH_STYLE = {"SVM", "ME", "Meta-Learning"}
"""Systems with stylometric features, which need a tagger of parts of speech."""


def run_demo(options: argparse.Namespace) -> None:
    """Compare the systems of MMLUP's paper, or of images, on synthetic users."""
    if options.images:
        _demo_with_images(options)
        return
    options.systems = ["table3"]
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
        comparison = _run_comparison(options, users)
    _print_table(comparison, users, best=made.bayes_accuracy)


def _demo_with_images(options: argparse.Namespace) -> None:
    """Compare the systems that read images on users with images of digits."""
    from sklearn_profiling.datasets import make_image_users

    options.systems = ["images"]
    users = make_image_users(
        options.users,
        with_text=True,
        missing_labels=0.1,
        missing_images=0.05,
        missing_text=0.05,
        random_state=options.seed,
    )
    print("Synthetic users with images of digits:")
    print_read(users, labelled=True)
    comparison = _run_comparison(options, users)
    _print_table(comparison, users, best=users.bayes_accuracy)


def run_compare(options: argparse.Namespace) -> None:
    """Compare systems on the user's own data."""
    _choose_tasks(options)
    users = load_users(options)
    _check_main_task(options, users)
    comparison = _run_comparison(options, users)
    reference = _reference(options, comparison.systems)
    if options.main_task is None or options.metric is not None:
        metric = options.metric or "accuracy"
        _print_table(comparison, users, metric, reference=reference, test=options.test)
    else:
        _print_table(comparison, users, reference=reference, test=options.test)
        print()
        print("macro precision, recall and F = 2PR / (P + R), mean over the folds")
        print(comparison.prf_to_string(reference=reference, method=options.test))
    if options.out is not None:
        comparison.scores.to_csv(options.out, index=False)
        print(f"scores per fold: {options.out}")


def _choose_tasks(options: argparse.Namespace) -> None:
    """Set the tasks to read from the main and auxiliary tasks."""
    from sklearn_profiling.exceptions import TargetError

    if options.aux_task is None:
        return
    if options.main_task is None or options.tasks is not None:
        msg = (
            "--aux-task goes with --main-task and without --tasks: the main task and "
            "its auxiliary tasks are all that is compared"
        )
        raise TargetError(msg)
    if options.main_task in options.aux_task:
        msg = f"--aux-task: {options.main_task!r} is the main task itself"
        raise TargetError(msg)
    options.tasks = [options.main_task, *options.aux_task]


def _check_main_task(options: argparse.Namespace, users: Any) -> None:
    from sklearn_profiling.exceptions import TargetError

    if options.main_task is not None and options.main_task not in users.target:
        msg = f"--main-task: {options.main_task!r} is not one of {list(users.target)}"
        raise TargetError(msg)


def _run_comparison(options: argparse.Namespace, users: Any) -> Any:
    """Cross-validate the systems, which share a temporary cache."""
    from sklearn_profiling.evaluation import MultiTaskStratifiedKFold, compare

    with tempfile.TemporaryDirectory(prefix="sklearn-profiling-") as cache:
        systems = make_systems(options, users, cache)
        # Refuse a wrong name now and not after the last fit.
        _reference(options, list(systems))
        folds = MultiTaskStratifiedKFold(options.folds, random_state=options.seed)
        return compare(
            systems,
            users.data,
            users.target,
            cv=folds,
            n_jobs=jobs_of(options),
            verbose=1,
            results_folder=options.results,
        )


def _reference(options: argparse.Namespace, systems: Sequence[str]) -> str | None:
    """Find the system that the others are tested against."""
    if options.reference is not None:
        return find_system(options.reference, systems)
    # The question of the Aux-LSTM paper: does another task help the LSTM?
    asked = options.main_task is not None and "LSTM" in systems
    return "LSTM" if asked and len(systems) > 1 else None


def find_system(part: str, names: Sequence[str]) -> str:
    """Find the only system that a name or part of a name matches."""
    from sklearn_profiling.exceptions import SourceError

    found = _match_names(part, names)
    if len(found) != 1:
        problem = f"matches {found}" if found else "matches none"
        msg = f"--reference: {part!r} {problem}; name one of {list(names)}"
        raise SourceError(msg)
    return found[0]


def make_systems(options: argparse.Namespace, users: Any, cache: str) -> dict[str, Any]:
    """Make the chosen systems, which share the folder `cache`."""
    segmenter = segmenter_of(options, users)
    groups: dict[str, dict[str, Any]] = {
        "table3": _table3_systems(options, users, segmenter, cache)
    }
    if hasattr(options, "dimensions"):
        groups = {
            "aux-lstm": aux_lstm_systems(options, list(users.target), segmenter, cache),
            **groups,
        }
    if "images" in users.data:
        groups["images"] = _image_systems(options, segmenter, cache)
    # The majority class is a system of every paper and compared once.
    made = {name: system for group in groups.values() for name, system in group.items()}
    chosen = options.systems or ["table3" if options.main_task is None else "all"]
    names = {name for part in chosen for name in _named(part, groups, made)}
    if names & _WITH_STYLE and "part_of_speech" not in segmenter.get_params():
        print(
            f"stylometric features: none, {type(segmenter).__name__} does not tag "
            "parts of speech (--segmenter jieba does)"
        )
    return {name: system for name, system in made.items() if name in names}


def _named(
    part: str, groups: Mapping[str, Mapping[str, Any]], made: Mapping[str, Any]
) -> list[str]:
    """Find the systems of a group, or those that a part of a name matches."""
    from sklearn_profiling.exceptions import SourceError

    if part == "all":
        return list(made)
    if part in groups:
        return list(groups[part])
    found = _match_names(part, made)
    if not found:
        msg = f"--systems: {part!r} matches none of {[*_GROUPS, *made]}"
        raise SourceError(msg)
    return found


def _match_names(part: str, names: Iterable[str]) -> list[str]:
    """Find the system of that name, or else those whose names contain it."""
    names = list(names)
    same = [name for name in names if name.lower() == part.lower()]
    return same or [name for name in names if part.lower() in name.lower()]


def _table3_systems(
    options: argparse.Namespace, users: Any, segmenter: Any, cache: str
) -> dict[str, Any]:
    """Make the systems of the MMLUP paper."""
    from sklearn_profiling.pipelines import make_table3_systems

    return make_table3_systems(
        users.graph,
        segmenter=segmenter,
        memory=cache,
        random_state=options.seed,
        **net_parameters(options),
    )


def _image_systems(
    options: argparse.Namespace, segmenter: Any, cache: str
) -> dict[str, Any]:
    """Make the systems that read images, in the sizes of the options."""
    from sklearn_profiling.pipelines import make_image_systems
    from sklearn_profiling.sources import ImageBagTransformer

    side = options.image_size
    shared = net_parameters(options)
    filters = shared.pop("n_filters")
    return make_image_systems(
        images=ImageBagTransformer(
            size=(side, side), on_bad_images="skip", memory=cache
        ),
        segmenter=segmenter,
        n_filters=(options.image_filters, options.image_filters),
        text_parameters={
            "n_filters": filters,
            "kernel_sizes": shared.pop("kernel_sizes"),
        },
        text_column="messages",
        memory=cache,
        random_state=options.seed,
        **shared,
    )


def aux_lstm_systems(
    options: argparse.Namespace, tasks: Sequence[str], segmenter: Any, cache: str
) -> dict[str, Any]:
    """Make the systems of the Aux-LSTM paper, in the sizes of the options."""
    from sklearn_profiling.pipelines import make_aux_lstm_systems

    shared = net_parameters(options)
    for name in ("n_filters", "kernel_sizes"):
        del shared[name]
    return make_aux_lstm_systems(
        tasks,
        main_task=options.main_task,
        segmenter=segmenter,
        n_dimensions=options.dimensions,
        lstm_parameters={
            "n_hidden": options.hidden,
            "n_dense": options.hidden,
            "level": options.level,
            "max_words": options.max_words,
            "max_epochs": options.lstm_epochs,
        },
        cnn_parameters={"n_nodes": options.nodes},
        memory=cache,
        random_state=options.seed,
        **shared,
    )


def _print_table(
    comparison: Any,
    users: Any,
    metric: str = "accuracy",
    *,
    best: dict[str, float] | None = None,
    reference: str | None = None,
    test: Any = "corrected",
) -> None:
    weights = _weights(users)
    print()
    print(f"{metric}, mean ± standard deviation over the folds")
    print(
        comparison.to_string(metric, weights=weights, reference=reference, method=test)
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
