"""What was measured, in the short tables and the plot of "Which model should I use".

    python benchmarks/accuracy/measured.py docs docs/results

Accuracies are read from the tables of `docs/real_users.md` and `docs/reproduction.md`,
seconds from the rows of `benchmarks/results`. The build of the documentation calls
`write_measured`, which fails if a table, row or column is no longer there.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from results import FOLDER

Cells = dict[str, dict[str, float]]
_TEXT = ("tf-idf, ridge", "SVM", "SVM (paper)")
_SYSTEMS = {
    "majority": ("majority class",),
    "text, linear": _TEXT,
    "links, linear": ("links, ridge",),
    "MMLUP": ("MMLUP", "MMLUP, of texts", "MMLUP (full architecture)"),
    "profiler": ("make_profiler",),
    "best": ("best possible",),
}


class Data(NamedTuple):
    """Where the accuracies of one data set stand."""

    name: str
    what: str
    places: tuple[tuple[str, str], ...]  # page, heading
    columns: tuple[str, ...] = ("average",)  # their mean is shown


DATA = (
    Data(
        "2,696 poets",
        "poems and links",
        (("real_users.md", "Poets"), ("reproduction.md", "Poets")),
    ),
    Data(
        "7,624 LastFM users",
        "links",
        (("real_users.md", "Networks alone"),),
        ("LastFM",),
    ),
    Data(
        "28,281 Deezer users",
        "links",
        (("real_users.md", "Networks alone"),),
        ("Deezer",),
    ),
    Data(
        "1,000 users of digits",
        "images",
        (("real_users.md", "Images"),),
        ("taste", "zero"),
    ),
    Data("600 reviewers", "reviews and images", (("real_users.md", "Images"),)),
    Data(
        "1,000 synthetic users",
        "Chinese messages and links",
        (("real_users.md", "Synthetic users, 1"),),
    ),
    Data(
        "4,000 synthetic users",
        "Chinese messages and links",
        (("real_users.md", "Synthetic users, 2"),),
    ),
)
SECONDS = (
    (
        "mmlup_table_3",
        "240 synthetic users, messages and links",
        "synthetic:300",
        {
            "make_tfidf_baseline": "TF-IDF + ridge",
            "make_svm_baseline": "SVM on n-grams",
            "make_link_baseline": "Links + ridge",
            "make_text_cnn": "Text-CNN (single task)",
            "make_mmlup": "MMLUP (full architecture)",
            'make_mmlup(preset="paper")': "MMLUP (full architecture), paper",
        },
    ),
    (
        "aux_lstm_table_4",
        "150 synthetic users, messages",
        "synthetic:300",
        {
            "make_meta_learning_baseline": "Meta-Learning (gender + age)",
            'make_aux_lstm_systems()["Multi-task LSTM"]': (
                "Multi-task LSTM (gender + age)"
            ),
            'make_aux_lstm_systems()["Aux-LSTM"]': "Aux-LSTM (gender + age)",
        },
    ),
    (
        "cnn3d_table_1",
        "users of digits, images of 16 x 16",
        "digit users, 90 of them tested",
        {
            "make_cnn3d": "3D-CNN, Model 1",
            "ImageSetClassifier": "Image set",
            "MultimodalCNN3DClassifier": "Images and text, gated",
        },
    ),
    (
        "unified_table_2",
        "120 reviewers, small models",
        "synthetic, 120 users",
        {
            "MMLUPClassifier": "MMLUP",
            "ProfileGeneratorClassifier": "Ours",
            "LLaVAProfileClassifier": "LLaVA",
        },
    ),
)


def tables(text: str) -> dict[str, list[Cells]]:
    """Read the tables below each heading: of each system the numbers of columns."""
    found: dict[str, list[Cells]] = {}
    heading, header, lines = "", [], [*text.splitlines(), ""]
    for line in lines:
        if line.startswith("#"):
            heading = line.lstrip("# ")
        cells = [re.sub(r"[*`]", "", cell).strip() for cell in line.split("|")[1:-1]]
        if not cells:
            header = []
        elif not header:
            header = cells
            found.setdefault(heading, []).append({})
        else:
            numbers = [re.match(r"\d+\.\d+", cell) for cell in cells]
            row = zip(header, numbers, strict=True)
            values = {column: float(number[0]) for column, number in row if number}
            if values:
                found[heading][-1][cells[0]] = values
    return found


def accuracies(docs: Path) -> dict[str, dict[str, float]]:
    """Return the mean accuracy of each data set's systems, best of each kind."""
    pages = {
        page: tables((docs / page).read_text("utf-8"))
        for page in ("real_users.md", "reproduction.md")
    }
    result = {}
    for data in DATA:
        rows: Cells = {}
        for page, place in data.places:
            heading, _, number = place.partition(", ")
            chosen = pages[page][heading]
            for table in chosen if not number else [chosen[int(number) - 1]]:
                for system, values in table.items():
                    if set(data.columns) <= values.keys():
                        rows.setdefault(system, values)
        result[data.name] = {
            system: max(means)
            for system, names in _SYSTEMS.items()
            if (means := [_mean(rows[n], data.columns) for n in names if n in rows])
        }
        if not {"majority", "profiler"} <= result[data.name].keys():
            msg = f"the pages have no accuracy of {data.name}; correct the list"
            raise KeyError(msg)
    return result


def _mean(values: Mapping[str, float], columns: Sequence[str]) -> float:
    return round(sum(values[column] for column in columns) / len(columns), 3)


def seconds(folder: Path = FOLDER) -> list[tuple[str, str, float]]:
    """Return what was trained, the system, and its seconds for one fold."""
    found = []
    for key, what, data, systems in SECONDS:
        lines = (folder / f"{key}.jsonl").read_text("utf-8").splitlines()
        rows = [json.loads(line) for line in lines]
        for system, name in systems.items():
            of_system = [
                row["seconds"]
                for row in rows
                if row["data"] == data and row["row"] == name
            ]
            if not of_system:
                msg = f"{key}.jsonl has no row {name} of {data}; correct the list"
                raise KeyError(msg)
            found.append((what, system, float(of_system[0])))
    return found


def write_measured(docs: Path, target: Path) -> None:
    """Write both tables and the plot into a folder."""
    measured = accuracies(docs)
    target.mkdir(parents=True, exist_ok=True)
    shown = ["| data set | sources |" + "".join(f" {name} |" for name in _SYSTEMS)]
    shown.append("|---" * (2 + len(_SYSTEMS)) + "|")
    for data in DATA:
        values = measured[data.name]
        best = max(v for name, v in values.items() if name != "best")
        cells = [
            "" if name not in values else _cell(values[name], values[name] == best)
            for name in _SYSTEMS
        ]
        shown.append("| " + " | ".join([data.name, data.what, *cells]) + " |")
    (target / "measured.inc").write_text("\n".join(shown) + "\n", "utf-8")
    lines = ["| trained on | system | seconds |", "|---|---|---|"]
    lines += [f"| {what} | `{name}` | {value:.1f} |" for what, name, value in seconds()]
    (target / "seconds.inc").write_text("\n".join(lines) + "\n", "utf-8")
    draw(measured, target / "measured.svg")


def _cell(value: float, best: bool) -> str:
    return f"**{value:.3f}**" if best else f"{value:.3f}"


def draw(measured: Mapping[str, Mapping[str, float]], path: Path) -> None:
    """Draw each data set as a line from the majority class to the best system."""
    import matplotlib.pyplot as plt  # of the extra `plots`

    markers = {"majority": "|", "best": "*"}
    figure, axes = plt.subplots(figsize=(8, 4), layout="constrained")
    for system in _SYSTEMS:
        places = [n for n, data in enumerate(DATA) if system in measured[data.name]]
        values = [measured[DATA[n].name][system] for n in places]
        marker = markers.get(system, "o")
        axes.plot(values, places, marker, label=system, markersize=9)
    axes.set_yticks(range(len(DATA)), [data.name for data in DATA])
    axes.invert_yaxis()
    axes.set(xlabel="mean accuracy over the tasks", xlim=(0, 1))
    axes.grid(axis="y", alpha=0.3)
    axes.legend(ncols=3, loc="lower center", bbox_to_anchor=(0.4, 1.0), frameon=False)
    figure.savefig(path)
    plt.close(figure)


if __name__ == "__main__":
    write_measured(Path(sys.argv[1]), Path(sys.argv[2]))
