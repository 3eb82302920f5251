"""The tables and figures of the four papers: what they print, and what makes ours.

Each has a key, which is the name of its file in ``benchmarks/results``, and a command.
`uses` names the parts of the package whose code decides a row. Numbers of the paper
stand by row and task, one for each of `figures`; a figure without printed numbers has
none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import unified_rows
from aux_lstm_tables import PAPER_ALONE, PAPER_JOINT
from cnn3d_tables import PAPER, PAPER_CLASSES

from sklearn_profiling.cli._evaluating import RANKING

_TEXT = ("containers", "sources/text", "sources/_vectors.py", "targets.py")
_NETS = ("training/net.py", "training/batches.py", "training/losses.py")
_MMLUP = (
    *_TEXT,
    *_NETS,
    "sources/network",
    "architectures/layers",
    "architectures/mmlup.py",
    "architectures/text_cnn.py",
    "estimators/mmlup.py",
    "estimators/text_cnn.py",
    "pipelines/mmlup.py",
)
_AUX = (
    *_TEXT,
    *_NETS,
    "architectures/layers",
    "architectures/aux_lstm.py",
    "architectures/multi_task_lstm.py",
    "architectures/pcnn.py",
    "baselines",
    "estimators/aux_lstm.py",
    "estimators/multi_task_lstm.py",
    "estimators/pcnn.py",
    "pipelines/aux_lstm.py",
)
_CNN3D = (
    *_NETS,
    "sources/images",
    "architectures/layers",
    "architectures/cnn3d.py",
    "architectures/multimodal_cnn3d.py",
    "estimators/cnn3d.py",
    "estimators/multimodal_cnn3d.py",
    "pipelines/images.py",
)
_UNIFIED = (
    "training/generators",
    "architectures/generators",
    "estimators/generators",
    "sources/pretrained",
    "pipelines/unified.py",
)
_USERS = ("datasets/synthetic",)


@dataclass(frozen=True)
class Table:
    """A table or figure of a paper.

    Attributes
    ----------
    paper : str
        Key of `PAPERS`.
    number : str
        As "Table 3".
    title : str
        What it shows.
    command : str
        Makes its rows, with ``--record``.
    uses : tuple of str
        Files and folders of the package.
    figures : tuple of str
        Of each row and task, such as "accuracy", or "P", "R" and "F".
    published : mapping of row to mapping of task to numbers
        What the paper prints.
    reference : str
        Row that the others are tested against, where there are seeds enough.
    note : str
        What tells our rows from the paper's, beside the users.
    alone : mapping of row or task to str
        Why a number of the paper has none of ours beside it.
    """

    paper: str
    number: str
    title: str
    command: str
    uses: tuple[str, ...]
    figures: tuple[str, ...] = ("accuracy",)
    published: Mapping[str, Mapping[str, tuple[float, ...]]] = field(
        default_factory=dict
    )
    reference: str = ""
    note: str = ""
    alone: Mapping[str, str] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """Name of its file in ``benchmarks/results``."""
        return f"{self.paper}_{self.number}".lower().replace(" ", "_")


PAPERS = {
    "mmlup": "MMLUP",
    "aux_lstm": "Aux-LSTM",
    "unified": "The unified multimodal framework",
    "cnn3d": "3D-CNN",
}


def _rows(tasks: tuple[str, ...], rows: Mapping[str, tuple[float, ...]]) -> Any:
    """One number a task."""
    return {
        name: {task: (value,) for task, value in zip(tasks, values, strict=True)}
        for name, values in rows.items()
    }


_TABLE_3 = {
    "Text-CNN (single task)": (0.846, 0.599, 0.275, 0.4864),
    "MMLUP (single task)": (0.855, 0.642, 0.700, 0.7136),
    "MMLUP (without friendship network)": (0.827, 0.616, 0.617, 0.6587),
    "MMLUP (without attention)": (0.798, 0.593, 0.279, 0.4772),
    "MMLUP (full architecture)": (0.867, 0.650, 0.694, 0.7154),
}
_ATTRIBUTES = (
    "Stars",
    "Favorite Category",
    "Budget Range",
    "Service Preference",
    "Preferred Meal",
    "Discount Preference",
    "average",
)
_TABLE_2 = {
    "OD-TUP": (40.56, 22.86, 56.99, 53.68, 56.05, 52.55, 47.11),
    "Flan-T5": (50.60, 19.76, 53.43, 49.07, 57.46, 45.77, 46.01),
    "BART": (44.39, 25.18, 60.19, 45.00, 60.88, 45.36, 46.83),
    "LLaMA": (22.69, 21.02, 57.42, 48.24, 57.80, 50.99, 43.03),
    "ChatGLM": (32.73, 19.44, 38.12, 35.51, 36.83, 32.85, 32.58),
    "COOPNet": (41.78, 22.24, 56.48, 54.37, 58.78, 55.12, 48.12),
    "LLaVA": (41.60, 22.55, 52.42, 49.46, 57.86, 56.28, 46.69),
    "SelectAtt": (45.03, 24.60, 55.25, 52.59, 60.39, 51.57, 48.24),
    "VLP-MABSA": (45.52, 21.41, 56.21, 56.02, 59.25, 56.89, 49.22),
    "AoM": (45.37, 21.13, 55.74, 55.89, 58.94, 56.13, 48.87),
    "Ours": (53.44, 28.19, 58.16, 63.93, 61.55, 58.23, 53.91),
}
_USERS_OF_MMLUP = {
    "Training Data": (2_565_000, 550_000_000, 44_000, 3_200),
    "Valid Data": (1_000, 150_000, 1_267, 1_267),
    "Test Data": (1_000, 130_000, 944, 944),
}
_PROFESSIONS = {
    "Student": 2224,
    "IT": 1798,
    "Government": 1230,
    "Finance": 1087,
    "Education": 822,
    "Services": 743,
    "Art": 664,
}
_DISTRIBUTION = {
    "Stars": {1: 1, 2: 74, 3: 645, 4: 2987, 5: 293},
    "Favorite Category": {
        "Automotive": 199,
        "Shopping": 1333,
        "Event Planning & Services": 1883,
        "Pizza": 1899,
        "Coffee & Tea": 1631,
        "Active Life": 272,
        "Beauty & Spas": 499,
        "Local Services": 77,
        "Health & Medical": 99,
        "Home Services": 108,
    },
    "Budget Range": {"Low": 2113, "High": 1887},
    "Discount Preference": {True: 3285, False: 715},
    "Preferred Meal": {"Lunch": 1620, "Dinner": 2380},
    "Service Preference": {True: 2939, False: 1061},
}

# Why a number has none of ours beside it.
_NOT_PUBLIC = "the competition's files are not given out again"
_OTHER_TEAMS = "the paper does not describe the systems of the competition's teams"
_OTHER_CLASSES = "the users' classes are others"
_OF_TEXT = "it reads text, and the paper does not describe it"
_TEAMS = ("CerpamidTeam 1", "CerpamidTeam 2")

_MMLUP_COMMAND = "python benchmarks/accuracy/mmlup_tables.py poets/ synthetic:300"
_AUX_COMMAND = "python benchmarks/accuracy/aux_lstm_tables.py synthetic:300"
_CNN3D_COMMAND = "python benchmarks/accuracy/cnn3d_tables.py"


def _unified(number: str, title: str, rows: Any, **more: Any) -> Table:
    option = "--" + number.lower()
    command = f"python benchmarks/accuracy/unified_tables.py {option}"
    return Table("unified", number, title, command, _UNIFIED, **more, published=rows)


def _averages(number: str) -> Any:
    return {
        name: {"average": (value,)}
        for name, value in unified_rows.PAPER[number].items()
    }


def _joint(main: str) -> Any:
    alone = {"LSTM": {main: PAPER_ALONE[main]["LSTM"]}}
    joint = {
        f"{system} ({main} + {other})": {main: numbers}
        for (task, other), systems in PAPER_JOINT.items()
        if task == main
        for system, numbers in systems.items()
    }
    return alone | joint


def _alone() -> Any:
    systems = PAPER_ALONE["age"]
    return {
        name: {task: PAPER_ALONE[task][name] for task in PAPER_ALONE}
        for name in systems
    }


def _counts_of_labels() -> Any:
    rows: dict[str, dict[str, tuple[float, ...]]] = {}
    for task, counts in _DISTRIBUTION.items():
        for label, count in counts.items():
            rows.setdefault(str(label), {})[task] = (count,)
    return rows


def _cnn3d(number: str, task: str, beside: str) -> Table:
    return Table(
        "cnn3d",
        number,
        f"{task}, of digit users: {beside}",
        _CNN3D_COMMAND,
        _CNN3D,
        ("F", "Acc", "P", "R"),
        {name: {task: row} for name, row in PAPER[task].items()},
        alone=dict.fromkeys(_TEAMS, _OF_TEXT),
    )


def _classes(number: str, task: str, beside: str) -> Table:
    names, rows = PAPER_CLASSES[task]
    return Table(
        "cnn3d",
        number,
        f"the classes of {task}, of digit users: {beside}",
        _CNN3D_COMMAND,
        _CNN3D,
        ("found",),
        _rows(names, rows),
        note="The share of each class that is found.",
        alone=dict.fromkeys(_TEAMS, _OF_TEXT) | dict.fromkeys(names, _OTHER_CLASSES),
    )


_PERCENT = ("macro-F1",)
TABLES: tuple[Table, ...] = (
    Table(
        "mmlup",
        "Table 1",
        "the users",
        _MMLUP_COMMAND,
        _USERS,
        ("count",),
        _rows(("users", "edges", "with content", "with label"), _USERS_OF_MMLUP),
        alone=dict.fromkeys(_USERS_OF_MMLUP, _NOT_PUBLIC),
    ),
    Table(
        "mmlup",
        "Table 3",
        "MMLUP, its ablations and Text-CNN",
        _MMLUP_COMMAND,
        _MMLUP,
        ("accuracy",),
        _rows(("gender", "age", "region", "score"), _TABLE_3),
        reference="MMLUP (full architecture)",
        note=(
            'Rows whose names end in ", paper" have the settings of section 4.2, '
            "the others those of the package, which reads topics too. The score is "
            "0.2 gender + 0.3 age + 0.5 region."
        ),
    ),
    Table(
        "mmlup",
        "Table 4",
        "the first seven of SMP CUP 2016",
        _MMLUP_COMMAND,
        _MMLUP,
        ("accuracy",),
        {
            "MMLUP (full architecture)" if name == "MMLUP" else name: {
                "score": (value,)
            }
            for name, value in RANKING.items()
        },
        note=(
            "Scores of other users than the published ones. "
            "`sklearn-profiling evaluate FOLDER --systems table3` gives them on the "
            "competition's own."
        ),
        alone={name: _OTHER_TEAMS for name in RANKING if name != "MMLUP"},
    ),
    Table(
        "aux_lstm",
        "Table 1",
        "users by gender",
        _AUX_COMMAND,
        _USERS,
        ("count",),
        {"male": {"gender": (7236,)}, "female": {"gender": (8798,)}},
    ),
    Table(
        "aux_lstm",
        "Table 2",
        "users by profession",
        _AUX_COMMAND,
        _USERS,
        ("count",),
        {name: {"profession": (count,)} for name, count in _PROFESSIONS.items()},
        alone=dict.fromkeys(_PROFESSIONS, _OTHER_CLASSES),
    ),
    Table(
        "aux_lstm",
        "Figure 2",
        "users by age",
        _AUX_COMMAND,
        _USERS,
        ("count",),
        note="The paper's figure has no numbers: ages from 18 to 28, most of them low.",
    ),
    Table(
        "aux_lstm",
        "Table 3",
        "each task alone",
        _AUX_COMMAND,
        _AUX,
        ("P", "R", "F"),
        _alone(),
        reference="LSTM",
    ),
    *(
        Table(
            "aux_lstm",
            number,
            f"joint learning, main task {main}",
            _AUX_COMMAND,
            _AUX,
            ("P", "R", "F"),
            _joint(main),
            reference="LSTM",
        )
        for number, main in (
            ("Table 4", "gender"),
            ("Table 5", "age"),
            ("Table 6", "profession"),
        )
    ),
    _unified(
        "Table 1",
        "the users",
        _rows(
            ("users", "reviews a user", "words a review", "images a user"),
            {"ours": (14_821, 24.3, 58.7, 13.7)},
        ),
        figures=("count",),
    ),
    _unified(
        "Table 2",
        "baselines",
        _rows(_ATTRIBUTES, _TABLE_2),
        figures=_PERCENT,
        reference="Ours",
        note="Models without a folder are small ones with random weights.",
    ),
    _unified(
        "Table 3", "both paradigms", _averages("3"), figures=_PERCENT, reference="Ours"
    ),
    _unified(
        "Table 4",
        "training methods",
        _averages("4"),
        figures=_PERCENT,
        reference="Text-Only",
    ),
    _unified(
        "Table 5",
        "sentiment with profiles",
        _averages("5"),
        figures=_PERCENT,
        note="The paper does not name its measure; ours is macro-F1 of the rating.",
    ),
    _unified(
        "Table 6",
        "users by attribute",
        _counts_of_labels(),
        figures=("count",),
    ),
    _unified(
        "Table 7",
        "the joint framework on other models",
        _averages("7"),
        figures=_PERCENT,
    ),
    _unified(
        "Figure 5",
        "numbers of reviews and images",
        {},
        figures=_PERCENT,
        note="The paper's figure has no numbers.",
    ),
    _unified(
        "Figure 6",
        "images of other users, fewer images",
        {},
        figures=_PERCENT,
        reference="Text-Only",
        note="The paper's figure has no numbers.",
    ),
    _cnn3d("Table 1", "gender", "zero"),
    _cnn3d("Table 2", "location", "taste"),
    _classes("Table 3", "location", "taste"),
    _cnn3d("Table 4", "occupation", "coin"),
    _classes("Table 5", "occupation", "coin"),
)

BY_KEY = {table.key: table for table in TABLES}
