"""The command line ``sklearn-profiling``: demo, compare, fit, predict."""

from __future__ import annotations

import argparse
import sys
import tempfile
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

__all__: list[str] = []

_DESCRIPTION = """\
Predict several attributes of social-media users from what they write and whom they
know. PATH is a folder in the format of SMP CUP 2016 (labels.txt, status.txt,
links.txt), a folder with users.jsonl[.gz] and links.tsv, or one file of users (JSON
lines or Parquet)."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    arguments : sequence of str, default=None
        Arguments; None takes those of the process.

    Returns
    -------
    int
        0 on success, 2 for an error that the user can mend, 130 after an interrupt.
    """
    options = _parser().parse_args(arguments)
    # Imported here, so that --help answers at once.
    from sklearn_profiling.exceptions import ProfilingError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("default")
            options.run(options)
    except (ProfilingError, OSError) as error:
        print(f"sklearn-profiling: error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("sklearn-profiling: interrupted", file=sys.stderr)
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("sklearn-profiling", description=_DESCRIPTION)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    demo = commands.add_parser(
        "demo", help="compare all systems on synthetic users, about two minutes"
    )
    demo.add_argument(
        "--users", type=_positive, default=600, help="number of users (600)"
    )
    demo.add_argument("--folds", type=_folds, default=3, help="number of folds (3)")
    _add_common(demo, max_epochs=25, filters=16, batch_size=25)
    demo.set_defaults(run=_demo)

    compare = commands.add_parser(
        "compare", help="cross-validate all systems on your users"
    )
    _add_data(compare)
    compare.add_argument("--folds", type=_folds, default=5, help="number of folds (5)")
    compare.add_argument(
        "--systems",
        nargs="+",
        metavar="NAME",
        help="systems to compare, by any part of their names; all by default",
    )
    compare.add_argument(
        "--metric",
        default="accuracy",
        choices=["accuracy", "macro_f1", "macro_precision", "macro_recall"],
        help="what to print (accuracy)",
    )
    compare.add_argument("--out", type=Path, help="CSV file for the scores by fold")
    _add_common(compare, max_epochs=15, filters=32, batch_size=50)
    compare.set_defaults(run=_compare)

    fit = commands.add_parser("fit", help="train MMLUP on all labelled users")
    _add_data(fit)
    fit.add_argument("--model", type=Path, required=True, help="file to write")
    _add_common(fit, max_epochs=20, filters=64, batch_size=50)
    fit.set_defaults(run=_fit)

    predict = commands.add_parser("predict", help="predict users with a trained model")
    predict.add_argument(
        "model",
        type=Path,
        help="file written by fit; loading runs code in it, so take only your own",
    )
    _add_data(predict, tasks=False)
    predict.add_argument("--out", type=Path, required=True, help="CSV file to write")
    predict.set_defaults(run=_predict)
    return parser


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        msg = f"must be at least 1; got {number}"
        raise argparse.ArgumentTypeError(msg)
    return number


def _folds(text: str) -> int:
    number = int(text)
    if number < 2:
        msg = f"must be at least 2; got {number}"
        raise argparse.ArgumentTypeError(msg)
    return number


def _add_data(parser: argparse.ArgumentParser, *, tasks: bool = True) -> None:
    parser.add_argument("path", type=Path, metavar="PATH", help="users")
    parser.add_argument("--links", type=Path, help="links file, for records")
    if tasks:
        parser.add_argument(
            "--tasks", nargs="+", metavar="TASK", help="attributes; all by default"
        )
    parser.add_argument(
        "--encoding", default="utf-8", help="of text files (utf-8); gb18030 is usual"
    )
    parser.add_argument(
        "--on-bad-lines",
        choices=["error", "skip"],
        default="error",
        help="stop at a bad line, or skip and count it (error)",
    )
    parser.add_argument(
        "--on-unknown-links",
        choices=["error", "add", "drop"],
        default="add",
        help="what to do with links of ids that are no users (add)",
    )


def _add_common(
    parser: argparse.ArgumentParser, *, max_epochs: int, filters: int, batch_size: int
) -> None:
    parser.add_argument("--seed", type=int, default=0, help="random seed (0)")
    parser.add_argument(
        "--segmenter",
        choices=["auto", "jieba", "character"],
        default="auto",
        help="words, characters, or characters where jieba finds hardly else (auto)",
    )
    parser.add_argument(
        "--max-epochs",
        type=_positive,
        default=max_epochs,
        help=f"passes over the users ({max_epochs})",
    )
    parser.add_argument(
        "--batch-size",
        type=_positive,
        default=batch_size,
        help=f"users in a batch ({batch_size}; the paper has 50)",
    )
    parser.add_argument(
        "--filters",
        type=_positive,
        default=filters,
        help=f"feature maps of each filter width ({filters}; the paper has 64)",
    )
    parser.add_argument(
        "--kernel-sizes",
        type=_positive,
        nargs="+",
        default=[1, 3],
        metavar="WIDTH",
        help="filter widths, odd (1 3; the paper has 1 3 5 7 9)",
    )
    parser.add_argument(
        "--dtype",
        choices=["float32", "bfloat16", "float64"],
        default="float32",
        help="precision of the nets (float32)",
    )
    parser.add_argument("--device", default="cpu", help="torch device (cpu)")
    parser.add_argument(
        "--jobs", type=int, default=None, help="fits at a time (one a core)"
    )


def _load(options: argparse.Namespace, *, labelled: bool = True) -> Any:
    """Read users in either format and say what was read."""
    from sklearn_profiling.datasets import load_records, load_smpcup2016
    from sklearn_profiling.exceptions import TargetError

    path: Path = options.path
    tasks = tuple(options.tasks) if getattr(options, "tasks", None) else None
    choices = {
        "encoding": options.encoding,
        "on_bad_lines": options.on_bad_lines,
        "on_unknown_links": options.on_unknown_links,
    }
    if path.is_dir() and any(path.glob("*status.txt*")):
        wanted = (tasks or ("gender", "age", "region")) if labelled else ()
        users = load_smpcup2016(path, tasks=wanted, **choices)
    else:
        links = {} if options.links is None else {"links": options.links}
        users = load_records(path, tasks=tasks, **links, **choices)
    if labelled and users.target.shape[1] == 0:
        msg = f"{path}: no task found; name the columns of labels with --tasks"
        raise TargetError(msg)
    _print_read(users, labelled=labelled)
    return users


def _print_read(users: Any, *, labelled: bool) -> None:
    network = "no network"
    if users.graph is not None:
        linked = int((users.graph.index_of(users.data["user_id"]) >= 0).sum())
        network = f"{linked} of them in a network of {users.graph.n_edges} links"
    silent = int((users.data["messages"].str.len() == 0).sum())
    print(f"{len(users.data)} users, {silent} of them without text, {network}")
    if labelled:
        for task in users.target:
            labels = users.target[task].dropna()
            print(
                f"  {task}: {len(labels)} labelled, {labels.nunique()} classes, "
                f"{len(users.target) - len(labels)} missing"
            )
    for name, read in users.report.get("files", {}).items():
        for reason, count in read.get("skipped", {}).items():
            print(f"  {name}: {count} lines skipped: {reason}")


def _choose_segmenter(options: argparse.Namespace, users: Any) -> Any:
    from sklearn_profiling.sources import CharacterSegmenter, JiebaSegmenter
    from sklearn_profiling.systems import choose_segmenter

    if options.segmenter == "auto":
        chosen = choose_segmenter(users.data["messages"])
        print(f"segmenter: {type(chosen).__name__} (--segmenter to change)")
        return chosen
    return (
        CharacterSegmenter() if options.segmenter == "character" else JiebaSegmenter()
    )


def _net_parameters(options: argparse.Namespace) -> dict[str, Any]:
    return {
        "max_epochs": options.max_epochs,
        "batch_size": options.batch_size,
        "n_filters": options.filters,
        "kernel_sizes": tuple(options.kernel_sizes),
        "dtype": options.dtype,
        "device": options.device,
    }


def _jobs(options: argparse.Namespace) -> int:
    import joblib

    return joblib.cpu_count() if options.jobs is None else int(options.jobs)


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
            segmenter=_choose_segmenter(options, users),
            memory=cache,
            random_state=options.seed,
            **_net_parameters(options),
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
            n_jobs=_jobs(options),
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


def _demo(options: argparse.Namespace) -> None:
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
        _print_read(users, labelled=True)
        comparison = _run_comparison(options, users, names=None)
    _print_table(comparison, users, "accuracy", made.bayes_accuracy)


def _compare(options: argparse.Namespace) -> None:
    users = _load(options)
    comparison = _run_comparison(options, users, names=options.systems)
    _print_table(comparison, users, options.metric)
    if options.out is not None:
        comparison.scores.to_csv(options.out, index=False)
        print(f"scores by fold: {options.out}")


def _fit(options: argparse.Namespace) -> None:
    import joblib

    from sklearn_profiling import __version__
    from sklearn_profiling.estimators import MMLUPClassifier
    from sklearn_profiling.pipelines import make_mmlup

    users = _load(options)
    classifier = MMLUPClassifier(
        random_state=options.seed, verbose=1, **_net_parameters(options)
    )
    model = make_mmlup(
        users.graph,
        segmenter=_choose_segmenter(options, users),
        classifier=classifier,
        random_state=options.seed,
    )
    model.fit(users.data, users.target)
    options.model.parent.mkdir(parents=True, exist_ok=True)
    joblib.dump({"version": __version__, "model": model}, options.model, compress=3)
    print(f"model: {options.model}, {options.model.stat().st_size / 1e6:.1f} MB")


def _predict(options: argparse.Namespace) -> None:
    import joblib
    import pandas as pd

    from sklearn_profiling import __version__
    from sklearn_profiling.exceptions import DataFormatError
    from sklearn_profiling.systems import predict_proba_with_links

    try:
        saved = joblib.load(options.model)
        model, version = saved["model"], saved["version"]
    except (TypeError, KeyError, ValueError, EOFError) as error:
        reason = f"not a model written by 'sklearn-profiling fit' ({error})"
        raise DataFormatError(options.model, None, reason) from error
    if version != __version__:
        print(f"model of version {version}, read by {__version__}", file=sys.stderr)
    users = _load(options, labelled=False)
    classifier = model.named_steps["classifier"]
    table = pd.DataFrame({"user_id": users.data["user_id"]})
    probabilities = predict_proba_with_links(model, users.data, users.graph)
    for task, classes, likely in zip(
        classifier.task_names_, classifier.classes_, probabilities, strict=True
    ):
        table[task] = classes[likely.argmax(axis=1)]
        for position, label in enumerate(classes):
            table[f"{task}={label}"] = likely[:, position].round(6)
    table.to_csv(options.out, index=False)
    print(f"predictions of {len(table)} users: {options.out}")
