"""Tables 1 to 6 and Figure 2 of the Aux-LSTM paper on any users with two tasks or more.

Table 3 has every classifier that learns each task alone; one further table a task has
LSTM and the three ways of joint learning, with each other task as the auxiliary one.
Macro precision, recall and F = 2PR / (P + R), mean over the folds; an F that differs
from that of LSTM, or of the system that --reference names, is marked. The paper's own
numbers, from its Tables 3 to 6 (Wang, Li, Zhou, "Joint Learning on Relevant User
Attributes in Micro-blog", IJCAI 2017), stand beside where a task has the name of one of
the paper's, or --beside gives its counterpart. They were measured on other users, so
they show what to expect of the order of systems and not of the numbers.

PATH and all other options are those of ``sklearn-profiling compare``. --reference names
a classifier of Table 3; --systems, --metric, --main-task and --aux-task are refused, as
the tables decide them:

    python benchmarks/accuracy/aux_lstm_tables.py PATH --tasks gender age occupation

PATH may be "synthetic:300", users that are made. With ``--record`` the rows are written
to benchmarks/results, the numbers of users by gender, profession and age (Tables 1 and
2, Figure 2) among them.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterable, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

import pandas as pd

from sklearn_profiling.cli._options import make_parser
from sklearn_profiling.cli._reading import (
    jobs_of,
    load_users,
    segmenter_of,
    size_of,
)
from sklearn_profiling.cli._systems import aux_lstm_systems, find_system
from sklearn_profiling.datasets import dump_records, make_user_profiles
from sklearn_profiling.evaluation import (
    Comparison,
    MultiTaskStratifiedKFold,
    compare,
)
from sklearn_profiling.evaluation._drawing import MARKS_LEGEND, draw_cells, mark_cells
from sklearn_profiling.evaluation.significance import METHOD_NAMES
from sklearn_profiling.exceptions import SourceError

PAPER_TASKS = {
    "gender": "gender",
    "age": "age",
    "profession": "profession",
    "occupation": "profession",
}

# P, R and F of Table 3.
PAPER_ALONE = {
    "profession": {
        "SVM": (0.395, 0.262, 0.315),
        "ME": (0.402, 0.270, 0.323),
        "bow-CNN": (0.402, 0.273, 0.325),
        "PCNN": (0.405, 0.281, 0.332),
        "LSTM": (0.405, 0.291, 0.339),
    },
    "age": {
        "SVM": (0.305, 0.219, 0.255),
        "ME": (0.297, 0.236, 0.263),
        "bow-CNN": (0.306, 0.234, 0.265),
        "PCNN": (0.310, 0.242, 0.273),
        "LSTM": (0.312, 0.254, 0.280),
    },
    "gender": {
        "SVM": (0.825, 0.903, 0.862),
        "ME": (0.811, 0.902, 0.854),
        "bow-CNN": (0.827, 0.904, 0.864),
        "PCNN": (0.831, 0.902, 0.865),
        "LSTM": (0.837, 0.904, 0.869),
    },
}

# P, R and F of Tables 4 (gender), 5 (age) and 6 (profession): main task, auxiliary one.
PAPER_JOINT = {
    ("gender", "age"): {
        "Meta-Learning": (0.820, 0.889, 0.853),
        "Multi-task LSTM": (0.822, 0.891, 0.855),
        "Aux-LSTM": (0.834, 0.903, 0.867),
    },
    ("gender", "profession"): {
        "Meta-Learning": (0.837, 0.908, 0.871),
        "Multi-task LSTM": (0.842, 0.911, 0.875),
        "Aux-LSTM": (0.885, 0.922, 0.903),
    },
    ("age", "gender"): {
        "Meta-Learning": (0.297, 0.239, 0.265),
        "Multi-task LSTM": (0.301, 0.243, 0.269),
        "Aux-LSTM": (0.310, 0.254, 0.279),
    },
    ("age", "profession"): {
        "Meta-Learning": (0.314, 0.261, 0.285),
        "Multi-task LSTM": (0.320, 0.269, 0.292),
        "Aux-LSTM": (0.335, 0.295, 0.314),
    },
    ("profession", "age"): {
        "Meta-Learning": (0.410, 0.293, 0.342),
        "Multi-task LSTM": (0.415, 0.303, 0.350),
        "Aux-LSTM": (0.430, 0.329, 0.373),
    },
    ("profession", "gender"): {
        "Meta-Learning": (0.413, 0.302, 0.349),
        "Multi-task LSTM": (0.423, 0.309, 0.357),
        "Aux-LSTM": (0.450, 0.329, 0.380),
    },
}

ALONE = ("Majority class", "SVM", "ME", "bow-CNN", "PCNN", "LSTM")
ONE_SIDED = ("Meta-Learning", "Aux-LSTM")
METRIC = "f_of_averages"
DECIDED = ("systems", "metric", "main_task", "aux_task")


def paper_numbers(system: str, tasks: Sequence[str | None]) -> tuple[float, ...] | None:
    """Look a row up: main task alone, or main and auxiliary task of the paper."""
    if None in tasks:
        return None
    if len(tasks) == 1:
        return PAPER_ALONE[tasks[0]].get(system)
    return PAPER_JOINT.get(tuple(tasks), {}).get(system)


class Measurement:
    """Runs systems on the same folds and keeps all scores."""

    def __init__(self, options: argparse.Namespace, users: Any, cache: str) -> None:
        self.options = options
        self.users = users
        self.cache = cache
        self.segmenter = segmenter_of(options, users)
        folds = MultiTaskStratifiedKFold(options.folds, random_state=options.seed)
        # Once for all tasks, so that every pair of tasks is tested on the same users.
        self.folds = list(folds.split(users.data, users.target))

    def run(self, names: Iterable[str], tasks: list[str]) -> pd.DataFrame:
        """Compare systems that learn some of the tasks, the first as the main one."""
        self.options.main_task = tasks[0]
        made = aux_lstm_systems(self.options, tasks, self.segmenter, self.cache)
        systems = {name.removesuffix(", paper"): each for name, each in made.items()}
        joint = "" if "LSTM" in names else f" ({' + '.join(tasks)})"
        named = {f"{name}{joint}": systems[name] for name in names}
        return compare(
            named,
            self.users.data,
            self.users.target[tasks],
            cv=self.folds,
            n_jobs=jobs_of(self.options),
            verbose=1,
            results_folder=self.options.results,
        ).scores


def measure(options: argparse.Namespace, users: Any) -> dict[str, Comparison]:
    """Score all systems; one comparison for Table 3 and one for each main task."""
    tasks = list(users.target)
    below = {"LSTM", options.reference}
    with tempfile.TemporaryDirectory(prefix="sklearn-profiling-") as cache:
        measurement = Measurement(options, users, cache)
        alone = measurement.run(ALONE, tasks)
        tables = {
            task: [alone[alone["system"].isin(below) & (alone["task"] == task)]]
            for task in tasks
        }
        for pair in combinations(tasks, 2):
            # No task of a multi-task LSTM is the main one.
            shared = measurement.run(["Multi-task LSTM"], list(pair))
            for main, auxiliary in (pair, pair[::-1]):
                own = measurement.run(ONE_SIDED, [main, auxiliary])
                for name, scores in (
                    ("Meta-Learning", own),
                    ("Multi-task LSTM", shared),
                    ("Aux-LSTM", own),
                ):
                    rows = scores[
                        scores["system"].str.startswith(name) & (scores["task"] == main)
                    ]
                    label = f"{name} ({main} + {auxiliary})"
                    tables[main].append(rows.assign(system=label))
    return {
        "": Comparison(alone),
        **{task: Comparison(pd.concat(rows)) for task, rows in tables.items()},
    }


def table(
    comparison: Comparison,
    beside: dict[str, str],
    reference: str,
    test: Any,
    *,
    joint: bool,
) -> str:
    """Draw one table with the paper's numbers at the right of ours."""
    ours = draw_cells(comparison.prf_table())
    p_values = comparison.significance(reference, METRIC, method=test)
    p_values = p_values.drop(columns="average")
    p_values.columns = pd.MultiIndex.from_product([p_values.columns, ["F"]])
    ours = mark_cells(ours, p_values)
    for task in comparison.tasks:
        if task not in beside:
            continue
        for number, letter in enumerate("PRF"):
            column = []
            for system in comparison.systems:
                numbers = paper_numbers(*_row_of(system, task, beside, joint=joint))
                column.append("" if numbers is None else f"{numbers[number]:.3f}")
            ours[f"paper, {beside[task]}", letter] = column
    failures = [
        f"{f.system} failed: {f.error}" for f in comparison.failures.itertuples()
    ]
    return "\n".join([ours.to_string(), *failures])


def _row_of(
    system: str, task: str, beside: dict[str, str], *, joint: bool
) -> tuple[str, list[str | None]]:
    if not joint or " (" not in system:
        return system, [beside[task]]
    name, _, pair = system.partition(" (")
    auxiliary = pair.rstrip(")").split(" + ", 1)[1]
    return name, [beside[task], beside.get(auxiliary)]


def record_tables(
    tables: dict[str, Comparison], users: Any, given: argparse.Namespace
) -> None:
    """Write the rows, with the paper's names of tasks."""
    # The list of tables reads this module's numbers.
    from published import BY_KEY
    from results import record_counts, record_scores

    options, beside, data = given.options, given.beside, given.data
    counted = {"gender": "table_1", "profession": "table_2", "age": "figure_2"}
    numbers = {"gender": "table_4", "age": "table_5", "profession": "table_6"}
    for task, key in counted.items():
        own = [name for name, paper in beside.items() if paper == task]
        for name in set(own) & set(users.target):
            labels = users.target[name].dropna().value_counts().sort_index()
            words = {"m": "male", "f": "female"} if task == "gender" else {}
            counts = {words.get(k, str(k)): {task: v} for k, v in labels.items()}
            record_counts(BY_KEY[f"aux_lstm_{key}"], counts, data=data)
    epochs = size_of(options, "lstm_epochs") or "usual"
    said = {
        "data": data,
        "setting": f"{options.folds} folds, {epochs} epochs of the LSTMs",
        "seed": options.seed,
    }
    figures = {"macro_precision": "P", "macro_recall": "R", METRIC: "F"}
    for main, comparison in tables.items():
        key = "table_3" if main == "" else numbers.get(beside.get(main, ""))
        if key is None:
            continue
        scores = comparison.scores.assign(
            task=comparison.scores["task"].map(lambda name: beside.get(name, name))
        )
        pairs = scores["system"].str.extract(r"^(.*) \((.*) \+ (.*)\)$")
        named = pairs[0] + " (" + pairs[1].map(beside) + " + " + pairs[2].map(beside)
        scores["system"] = (named + ")").fillna(scores["system"])
        if options.preset == "paper":
            nets = scores["system"].str.contains("CNN|LSTM")
            scores["system"] += nets.map({True: ", paper", False: ""})
        record_scores(BY_KEY[f"aux_lstm_{key}"], scores, figures, **said)


def parse(arguments: Sequence[str] | None) -> tuple[argparse.Namespace, dict[str, str]]:
    given = _parse(arguments)
    return given.options, given.beside


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--beside",
        nargs="+",
        default=[],
        metavar="TASK=PAPER_TASK",
        help="the paper's task (gender, age, profession) to print beside one of yours",
    )
    parser.add_argument("--record", action="store_true", help="write the rows")
    given, rest = parser.parse_known_args(arguments)
    beside = dict(PAPER_TASKS)
    for pair in given.beside:
        task, _, paper = pair.partition("=")
        if paper not in PAPER_ALONE:
            parser.error(f"--beside: {pair!r} names none of {list(PAPER_ALONE)}")
        beside[task] = paper
    options = make_parser().parse_args(["compare", *rest])
    for name in DECIDED:
        if getattr(options, name) is not None:
            option = "--" + name.replace("_", "-")
            parser.error(
                f"{option}: these tables hold every system and every pair of --tasks, "
                f"by P, R and F; leave it out, got {getattr(options, name)!r}"
            )
    try:
        options.reference = find_system(
            options.reference or "LSTM", ALONE, "--reference"
        )
    except SourceError as error:
        parser.error(str(error))
    return argparse.Namespace(
        options=options,
        beside=beside,
        record=given.record,
        data=options.path.name,
    )


def _make_users(options: argparse.Namespace, folder: str) -> None:
    """Write users of "synthetic:300" to the folder, and read it in their place."""
    kind, _, number = options.path.name.partition(":")
    if kind == "synthetic" and number.isdecimal():
        made = make_user_profiles(int(number), signal_rate=0.3, random_state=0)
        dump_records(made, folder)
        options.path = Path(folder)


def main(arguments: Sequence[str] | None = None) -> None:
    given = _parse(arguments)
    options, beside = given.options, given.beside
    with tempfile.TemporaryDirectory(prefix="sklearn-profiling-") as folder:
        _make_users(options, folder)
        users = load_users(options)
    if users.target.shape[1] < 2:
        msg = f"joint learning takes two tasks; {options.path} has {list(users.target)}"
        raise SystemExit(msg)
    tables = measure(options, users)
    reference, test = options.reference, options.test
    if given.record:
        record_tables(tables, users, given)
    if options.out is not None:
        scores = pd.concat([comparison.scores for comparison in tables.values()])
        scores.drop_duplicates().to_csv(options.out, index=False)
    print("\nTable 3: each task alone")
    print(table(tables.pop(""), beside, reference, test, joint=False))
    for task, comparison in tables.items():
        print(f"\nJoint learning, main task {task}")
        print(table(comparison, beside, reference, test, joint=True))
    print(f"\nF against that of {reference}: {MARKS_LEGEND} ({METHOD_NAMES[test]})")


if __name__ == "__main__":
    main()
