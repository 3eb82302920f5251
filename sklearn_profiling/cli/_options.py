"""Commands, options and their defaults."""

from __future__ import annotations

import argparse
from pathlib import Path

from sklearn_profiling.cli._comparing import run_compare, run_demo
from sklearn_profiling.cli._models import run_fit, run_predict

_DESCRIPTION = """\
Predict several attributes of social-media users from their text, network and images.
PATH is a folder in the format of SMP CUP 2016 (labels.txt, status.txt,
links.txt), a folder with users.jsonl[.gz] and links.tsv, a folder in that of MEX-A3T
(truth.txt, text, images) or of PAN (one XML file an author), or one file of users (JSON
lines or Parquet)."""


def make_parser() -> argparse.ArgumentParser:
    """Describe every command and option."""
    parser = argparse.ArgumentParser("sklearn-profiling", description=_DESCRIPTION)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    demo = commands.add_parser(
        "demo", help="compare systems on synthetic users, about three minutes"
    )
    demo.add_argument(
        "--users", type=_positive, default=600, help="number of users (600)"
    )
    demo.add_argument("--folds", type=_folds, default=3, help="number of folds (3)")
    demo.add_argument(
        "--images",
        action="store_true",
        help="users with images of digits, and the systems that read images",
    )
    _add_common(demo, max_epochs=25, filters=16, batch_size=25)
    _add_images(demo, size=16, filters=16)
    demo.set_defaults(
        run=run_demo,
        systems=None,
        main_task=None,
        reference=None,
        results=None,
    )

    compare = commands.add_parser(
        "compare", help="cross-validate all systems on your users"
    )
    _add_data(compare)
    compare.add_argument("--folds", type=_folds, default=5, help="number of folds (5)")
    _add_comparison(compare)
    compare.add_argument("--out", type=Path, help="CSV file for the scores per fold")
    _add_common(compare, max_epochs=15, filters=16, batch_size=50)
    _add_aux_lstm(compare)
    _add_images(compare, size=32, filters=16)
    compare.set_defaults(run=run_compare)

    fit = commands.add_parser("fit", help="train MMLUP on all labelled users")
    _add_data(fit)
    fit.add_argument("--model", type=Path, required=True, help="file to write")
    _add_common(fit, max_epochs=20, filters=64, batch_size=50)
    fit.set_defaults(run=run_fit)

    predict = commands.add_parser("predict", help="predict users with a trained model")
    predict.add_argument(
        "model",
        type=Path,
        help="file written by fit; loading it runs code, so use only files you trust",
    )
    _add_data(predict, tasks=False)
    predict.add_argument("--out", type=Path, required=True, help="CSV file to write")
    predict.set_defaults(run=run_predict)
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
    parser.add_argument("--links", type=Path, help="file of links, for records")
    parser.add_argument(
        "--links-format",
        default="auto",
        metavar="FORMAT",
        help="format of the file of links, for example edges or fans (auto)",
    )
    if tasks:
        parser.add_argument(
            "--tasks", nargs="+", metavar="TASK", help="attributes; all by default"
        )
    parser.add_argument(
        "--encoding",
        default="utf-8",
        help="encoding of text files (utf-8); gb18030 is common in China",
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
        help="how to treat links of ids that are not users (add)",
    )


def _add_comparison(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--systems",
        nargs="+",
        metavar="NAME",
        help="systems to compare, by name or part of a name, or table3 (MMLUP's "
        "paper), aux-lstm (Aux-LSTM's paper), images (if users have any) or all; "
        "table3 by default, all with --main-task",
    )
    parser.add_argument(
        "--main-task",
        metavar="TASK",
        help="the main task of Meta-Learning and Aux-LSTM",
    )
    parser.add_argument(
        "--aux-task",
        nargs="+",
        metavar="TASK",
        help="auxiliary tasks; all others by default. With this option only the main "
        "task and these are compared",
    )
    parser.add_argument(
        "--reference",
        metavar="NAME",
        help="system to test the others against; significant differences are marked "
        "(LSTM with --main-task, else none)",
    )
    parser.add_argument(
        "--test",
        choices=["corrected", "t"],
        default="corrected",
        help="corrected resampled or plain paired t-test (corrected)",
    )
    parser.add_argument(
        "--metric",
        choices=[
            "accuracy",
            "macro_f1",
            "macro_precision",
            "macro_recall",
            "f_of_averages",
        ],
        help="metric to print (accuracy; with --main-task also macro P, R and F)",
    )
    parser.add_argument(
        "--results",
        type=Path,
        metavar="FOLDER",
        help="folder of finished folds, which are not run again",
    )


def _add_images(parser: argparse.ArgumentParser, *, size: int, filters: int) -> None:
    parser.add_argument(
        "--image-size",
        type=_positive,
        default=size,
        help=f"height and width that images are resized to ({size})",
    )
    parser.add_argument(
        "--image-filters",
        type=_positive,
        default=filters,
        help=f"feature maps of the first convolution of the 3D-CNNs ({filters}; the "
        "estimators' defaults are 32 in Model 1 and 64 in Model 2)",
    )


def _add_aux_lstm(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--dimensions",
        type=_positive,
        default=100,
        help="dimension of the LSTMs' word vectors (100; the paper has 200)",
    )
    parser.add_argument(
        "--hidden",
        type=_positive,
        default=48,
        help="units of the LSTMs and of the dense layers after them (48)",
    )
    parser.add_argument(
        "--level",
        choices=["user", "message"],
        default="message",
        help="LSTMs read a user's messages one by one, or concatenated as in the "
        "paper, which takes more epochs and time steps (message)",
    )
    parser.add_argument(
        "--max-words",
        type=_positive,
        default=100,
        help="maximum number of words per message (or user) in the LSTMs (100; the "
        "paper reads all)",
    )
    parser.add_argument(
        "--lstm-epochs",
        type=_positive,
        default=8,
        help="epochs of the LSTMs (8)",
    )
    parser.add_argument(
        "--nodes",
        type=_positive,
        default=100,
        help="nodes of bow-CNN and PCNN (100; the cited paper has 1000)",
    )


def _add_common(
    parser: argparse.ArgumentParser, *, max_epochs: int, filters: int, batch_size: int
) -> None:
    parser.add_argument("--seed", type=int, default=0, help="random seed (0)")
    parser.add_argument(
        "--segmenter",
        choices=["auto", "jieba", "character"],
        default="auto",
        help="words, characters, or characters if jieba finds hardly any words (auto)",
    )
    parser.add_argument(
        "--max-epochs",
        type=_positive,
        default=max_epochs,
        help=f"number of epochs ({max_epochs})",
    )
    parser.add_argument(
        "--batch-size",
        type=_positive,
        default=batch_size,
        help=f"users per batch ({batch_size}; the paper has 50)",
    )
    parser.add_argument(
        "--filters",
        type=_positive,
        default=filters,
        help=f"feature maps per filter width ({filters}; the paper has 64)",
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
        default="bfloat16",
        help="precision of the nets; bfloat16, the default, is up to twice as fast on "
        "CPUs that support it, and float32 on others",
    )
    parser.add_argument("--device", default="cpu", help="torch device (cpu)")
    parser.add_argument(
        "--jobs", type=int, default=None, help="number of parallel fits (one per core)"
    )
