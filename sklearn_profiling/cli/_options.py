"""Commands, options and their defaults."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any, NoReturn

from sklearn_profiling import __version__
from sklearn_profiling.cli._comparing import run_compare, run_demo
from sklearn_profiling.cli._evaluating import run_evaluate
from sklearn_profiling.cli._explaining import add_explain_options
from sklearn_profiling.cli._models import run_fit, run_predict
from sklearn_profiling.cli._reporting import add_report_options

_DESCRIPTION = """\
Predict several attributes of social-media users from their text, network and images.
PATH is a table with one row a user or one row a message (CSV, JSON or Parquet, packed
or not, or a folder of such files), or a folder in the format of SMP CUP 2016
(labels.txt, status.txt, links.txt), of PAN's author profiling (truth.txt and one XML
file an author) or of MEX-A3T (truth.txt, text, images)."""
_FORMATS = ("table", "csv", "json")
_SIZES = (
    *("max_epochs", "batch_size", "filters", "kernel_sizes"),
    *("image_size", "image_filters"),
    *("dimensions", "hidden", "level", "max_words", "lstm_epochs", "nodes"),
)
"""Options of the nets whose defaults hold with the preset "default" alone."""
_SHOWN = 60
_LARGEST = 2**31 - 1
DEFAULT_SYSTEM = "Profiler"
"""System that `fit` trains if none is named."""


class _Parser(argparse.ArgumentParser):
    """A parser whose errors take one line, without all options before them."""

    def error(self, message: str) -> NoReturn:
        line = message.replace("\n", " ")
        self.exit(2, f"{self.prog}: error: {line} (see {self.prog} --help)\n")

    def _print_message(self, message: str, file: Any = None) -> None:
        """Print at once: argparse would swallow that a disk is full."""
        if message:
            stream = sys.stderr if file is None else file
            stream.write(message)
            stream.flush()


def make_parser() -> argparse.ArgumentParser:
    """Describe every command and option."""
    parser = _Parser("sklearn-profiling", description=_DESCRIPTION)
    parser.add_argument(
        "--version", action="version", version=f"sklearn-profiling {__version__}"
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_demo(commands.add_parser("demo", help="compare systems on synthetic users"))
    _add_compare(
        commands.add_parser("compare", help="cross-validate systems on your users")
    )
    _add_fit(commands.add_parser("fit", help="train a system on all labelled users"))
    _add_predict(
        commands.add_parser("predict", help="predict users with a trained system")
    )
    _add_explain(commands.add_parser("explain", help="explain one user's prediction"))
    _add_report(
        commands.add_parser("report", help="cross-validate a system and write a page")
    )
    _add_evaluate(
        commands.add_parser(
            "evaluate", help="train and test as the competition SMP CUP 2016 did"
        )
    )
    return parser


def _add_demo(demo: argparse.ArgumentParser) -> None:
    demo.add_argument(
        "--users", type=_positive, default=600, help="number of users (600)"
    )
    demo.add_argument("--folds", type=_folds, default=3, help="number of folds (3)")
    demo.add_argument(
        "--images",
        action="store_true",
        help="users with images of digits, and the systems that read images",
    )
    _add_output(demo, "table")
    _add_common(demo, max_epochs=25, filters=16, batch_size=25)
    _add_jobs(demo)
    _add_images(demo, size=16, filters=16)
    _leave_to_preset(demo)
    demo.set_defaults(
        run=run_demo, systems=None, main_task=None, results=None, cache=None
    )


def _add_compare(compare: argparse.ArgumentParser) -> None:
    _add_data(compare)
    compare.add_argument("--folds", type=_folds, default=5, help="number of folds (5)")
    _add_comparison(compare)
    _add_main_task(compare)
    compare.add_argument("--out", type=_path, help="CSV file for the scores per fold")
    compare.add_argument(
        "--model",
        type=_path,
        metavar="FILE",
        help="train the system with the best average on all users, and write it",
    )
    _add_cache(compare, "prepared sources, which are not made again")
    _add_output(compare, "table")
    _add_common(compare, max_epochs=15, filters=16, batch_size=50)
    _add_jobs(compare)
    _add_aux_lstm(compare)
    _add_images(compare, size=32, filters=16)
    _leave_to_preset(compare)
    compare.set_defaults(run=run_compare)


def _add_fit(fit: argparse.ArgumentParser) -> None:
    _add_data(fit)
    fit.add_argument("--model", type=_path, required=True, help="file to write")
    fit.add_argument(
        "--system",
        default=DEFAULT_SYSTEM,
        metavar="NAME",
        help="any system that compare lists, by name or part of a name "
        f"({DEFAULT_SYSTEM})",
    )
    _add_main_task(fit)
    _add_cache(fit, "prepared sources and of epochs, from which a killed fit goes on")
    _add_quiet(fit)
    _add_common(fit, max_epochs=20, filters=64, batch_size=50)
    _add_aux_lstm(fit)
    _add_images(fit, size=32, filters=16)
    _leave_to_preset(fit)
    fit.set_defaults(run=run_fit, format="table")


def _add_model_file(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "model_file",
        type=_path,
        metavar="MODEL",
        help="file written by fit; no code of it is run",
    )
    _add_data(parser, tasks=False)


def _add_explain(explain: argparse.ArgumentParser) -> None:
    _add_model_file(explain)
    _add_output(explain, "table")
    explain.add_argument(
        "--html", type=_path, metavar="FILE", help="page to write, with messages marked"
    )
    add_explain_options(explain)


def _add_report(report: argparse.ArgumentParser) -> None:
    _add_data(report)
    report.add_argument(
        "--out", type=_path, required=True, metavar="FILE", help="page to write"
    )
    report.add_argument(
        "--card", type=_path, metavar="FILE", help="model card to write, in Markdown"
    )
    report.add_argument("--folds", type=_folds, default=5, help="number of folds (5)")
    report.add_argument(
        "--system",
        default=DEFAULT_SYSTEM,
        metavar="NAME",
        help=f"any system that compare lists ({DEFAULT_SYSTEM})",
    )
    report.add_argument(
        "--explained",
        type=_not_negative,
        default=2,
        metavar="N",
        help="users to explain for each task, predicted wrongly and rightly; with 0 "
        "the page holds no messages (2)",
    )
    add_report_options(report)
    _add_cache(report, "prepared sources, which are not made again")
    _add_quiet(report)
    _add_main_task(report)
    _add_common(report, max_epochs=15, filters=16, batch_size=50)
    _add_jobs(report)
    _add_aux_lstm(report)
    _add_images(report, size=32, filters=16)
    _leave_to_preset(report)


def _add_predict(predict: argparse.ArgumentParser) -> None:
    _add_model_file(predict)
    predict.add_argument(
        "--out", type=_path, help="file to write (standard output by default)"
    )
    predict.add_argument(
        "--chunk-size",
        type=_positive,
        metavar="N",
        help="predict about N users at a time, in memory that does not grow with "
        "their number; PATH is then Parquet or JSON lines, the rows of a user together",
    )
    _add_output(predict, "csv")
    predict.set_defaults(run=run_predict)


def _add_evaluate(evaluate: argparse.ArgumentParser) -> None:
    evaluate.add_argument(
        "path",
        type=_path,
        metavar="FOLDER",
        help="folders train, valid and test, each in the format of SMP CUP 2016",
    )
    _add_reading(evaluate)
    evaluate.add_argument(
        "--systems",
        nargs="+",
        metavar="NAME",
        default=[DEFAULT_SYSTEM],
        help=f"systems to train, as for compare ({DEFAULT_SYSTEM})",
    )
    evaluate.add_argument("--out", type=_path, help="CSV file for the scores")
    _add_output(evaluate, "table")
    _add_common(evaluate, max_epochs=20, filters=64, batch_size=50)
    _add_aux_lstm(evaluate)
    _add_images(evaluate, size=32, filters=16)
    _leave_to_preset(evaluate)
    evaluate.set_defaults(run=run_evaluate, main_task=None)


def _leave_to_preset(parser: argparse.ArgumentParser) -> None:
    """Let the sizes be None unless given, and keep the usual ones."""
    sizes = {name: parser.get_default(name) for name in _SIZES}
    usual = {name: value for name, value in sizes.items() if value is not None}
    parser.set_defaults(usual=usual, **dict.fromkeys(usual))


def _path(text: str) -> Path:
    if not text or "\0" in text:
        msg = f"a path is needed; got {text[:_SHOWN]!r}"
        raise argparse.ArgumentTypeError(msg)
    return Path(text)


def _encoding(text: str) -> str:
    from sklearn_profiling._packed_files import check_encodings

    try:
        check_encodings(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    return text


def _number(text: str, at_least: int) -> int:
    try:
        number = int(text)
    except ValueError:
        number = at_least - 1
    if not at_least <= number <= _LARGEST:
        msg = (
            f"must be at least {at_least} and below 2**31, a whole number; got "
            f"{text[:_SHOWN]}"
        )
        raise argparse.ArgumentTypeError(msg)
    return number


def _positive(text: str) -> int:
    return _number(text, 1)


def _not_negative(text: str) -> int:
    return _number(text, 0)


def _folds(text: str) -> int:
    return _number(text, 2)


def _width(text: str) -> int:
    width = _positive(text)
    if width % 2 == 0:
        msg = f"a filter width must be odd; got {width}"
        raise argparse.ArgumentTypeError(msg)
    return width


def _jobs(text: str) -> int:
    number = _number(text, -1)
    if number == 0:
        msg = "must be at least 1, or -1 for all cores; got 0"
        raise argparse.ArgumentTypeError(msg)
    return number


def _add_data(parser: argparse.ArgumentParser, *, tasks: bool = True) -> None:
    parser.add_argument("path", type=_path, metavar="PATH", help="users")
    if tasks:
        parser.add_argument(
            "--tasks",
            nargs="+",
            metavar="TASK",
            help="attributes, which are columns of a table; all labels by default",
        )
        parser.add_argument(
            "--labels", type=_path, metavar="FILE", help="second table, labels by id"
        )
    parser.add_argument(
        "--id-column", metavar="NAME", help="column of user ids in a table"
    )
    parser.add_argument(
        "--text-column", metavar="NAME", help="column of text in a table"
    )
    parser.add_argument(
        "--time-column",
        metavar="NAME",
        help="column that orders the messages of a user, one row a message",
    )
    parser.add_argument(
        "--one-row",
        choices=["auto", "user", "message"],
        help="what a row of a table is (auto: a message if ids are repeated)",
    )
    parser.add_argument(
        "--min-messages",
        type=_not_negative,
        metavar="N",
        help="leave out users with fewer messages (0)",
    )
    parser.add_argument(
        "--links", type=_path, metavar="FILE", help="links between users of a table"
    )
    parser.add_argument(
        "--links-format",
        metavar="FORMAT",
        help="format of the links, for example edges or fans (auto)",
    )
    _add_reading(parser)
    parser.add_argument(
        "--show", action="store_true", help="print three users as read, and stop"
    )


def _add_reading(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--encoding",
        type=_encoding,
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
    parser.add_argument(
        "--max-bytes",
        type=_positive,
        metavar="N",
        help="most bytes of a file, unpacked, and of a line (100 times its size)",
    )
    parser.add_argument(
        "--follow-links",
        action="store_true",
        help="read symbolic links that leave the folder",
    )


def _add_output(parser: argparse.ArgumentParser, default: str) -> None:
    parser.add_argument(
        "--format",
        choices=_FORMATS,
        default=default,
        help=f"how results are written ({default}); all else then goes to standard "
        "error",
    )
    parser.add_argument(
        "--safe-csv",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="put an apostrophe before cells of CSV that a spreadsheet would take for "
        "a formula (on)",
    )
    _add_quiet(parser)


def _add_quiet(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--quiet", action="store_true", help="print results, warnings and errors only"
    )


def _add_comparison(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--systems",
        nargs="+",
        metavar="NAME",
        help="systems to compare, by name or part of a name, or table3 (the "
        "profiler and MMLUP's paper), aux-lstm (Aux-LSTM's paper), images (if users "
        "have any) or all; table3 by default, all with --main-task",
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
            "balanced_accuracy",
            "log_loss",
            "roc_auc",
        ],
        help="metric to print (accuracy; with --main-task also macro P, R and F)",
    )
    parser.add_argument(
        "--results",
        type=_path,
        metavar="FOLDER",
        help="folder of finished folds, which are not run again",
    )


def _add_cache(parser: argparse.ArgumentParser, holds: str) -> None:
    parser.add_argument(
        "--cache", type=_path, metavar="FOLDER", help=f"folder of {holds}"
    )


def _add_main_task(parser: argparse.ArgumentParser) -> None:
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
        "task and these are read",
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
    parser.add_argument("--seed", type=_not_negative, default=0, help="random seed (0)")
    parser.add_argument(
        "--segmenter",
        choices=["auto", "words", "jieba", "character"],
        default="auto",
        help="words of any language, jieba's words, characters, or characters if jieba "
        "finds hardly any words and else words (auto)",
    )
    parser.add_argument(
        "--preset",
        choices=["default", "paper"],
        default="default",
        help="settings of the papers' nets: ours, or the papers', which options of "
        "sizes then change where they are given (default)",
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
        type=_width,
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


def _add_jobs(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--jobs",
        type=_jobs,
        default=None,
        help="number of parallel fits (one per core)",
    )
