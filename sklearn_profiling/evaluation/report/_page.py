"""A report as one HTML page."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.metadata import version
from importlib.resources import files
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from sklearn_profiling import __version__
from sklearn_profiling._optional import import_optional
from sklearn_profiling.evaluation.displays import (
    ComparisonDisplay,
    ReliabilityDisplay,
    TaskConfusionDisplay,
)
from sklearn_profiling.evaluation.explanation._page import page_of
from sklearn_profiling.evaluation.report._pictures import svg_of
from sklearn_profiling.evaluation.report._tables import Shown, shown_table, written

if TYPE_CHECKING:
    from sklearn_profiling.evaluation.report.profiling import ProfilingReport

__all__ = ["page_of_report", "told_gaps", "versions_of"]

_MOST_CLASSES = 40  # of a picture of confusion
_WIDE = 5.0  # inches
_PACKAGES = ("numpy", "pandas", "scikit-learn", "scipy", "torch")
_INTERVALS = (
    "The intervals are of these users: percentiles of bootstrap draws. They leave out "
    "what other training users would give."
)
_COMPARED = (
    "Each system is trained and tested on the same folds. Intervals and p values are "
    "corrected for the overlap of the training parts; a difference that is not marked "
    "may be chance."
)
_RELIABILITY = (
    "On the dotted line a system is right as often as it says. The area of a point "
    "grows with its users; ece is the mean distance from the line."
)
_COVERAGE = (
    "Of a share of the users, those of whom the system is most sure, the accuracy."
)
_GAPS = (
    "A gap is the largest value of a group minus the smallest. Of small groups it is "
    "large by chance alone: look at the groups' intervals. A difference is a question, "
    "not an answer: groups may differ in how much they write, or in how their labels "
    "were found. Measures that do not differ, or are of one group alone, are left out."
)
_NO_GROUPS = (
    "No groups were given. Give fairness_by, a column of the users or another task, to "
    "see for whom the system errs."
)
_CASES = (
    "Users whom the system is most sure about, wrongly and rightly. Each is explained "
    "by the model that had not seen the user. An explanation says what moves this "
    "model, not what is true of the user."
)
_UNABLE = "They are not explained: the system fails on users who lack something."
_PRIVATE = (
    "This page holds messages of users: treat it like the data. With n_explained=0 it "
    "holds none."
)


class _Picture(NamedTuple):
    """An ``svg`` element; a wide one is scrolled on small screens, not shrunk."""

    svg: Any
    label: str
    wide: bool


@dataclass(frozen=True)
class _Block:
    """A table, pictures, markup with a label, folded markup with a summary, or text."""

    text: str = ""
    table: Shown | None = None
    pictures: tuple[_Picture, ...] = ()
    markup: Any = None
    label: str = ""
    summary: str = ""
    body: Any = None


@dataclass(frozen=True)
class _Section:
    """Blocks below a title, and sections below that."""

    id: str
    title: str
    blocks: list[_Block]
    parts: list[_Section] = field(default_factory=list)


def page_of_report(report: ProfilingReport, title: str) -> str:
    """Write the page; the same report has the same bytes."""
    jinja2 = import_optional("jinja2", extra="plots", purpose="A report")
    environment = jinja2.Environment(
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    source = files(__package__).joinpath("page.html").read_text("utf-8")
    n_tasks = len(report.summary)
    subtitle = (
        f"{report.name} on {report.n_users} users and {n_tasks} "
        f"{'task' if n_tasks == 1 else 'tasks'}. Every prediction is by a model that "
        f"had not seen the user, in one cross-validation of {report.n_folds} folds."
    )
    page: str = environment.from_string(source).render(
        title=written(title), subtitle=subtitle, sections=_Writer(report).sections()
    )
    return page


def versions_of() -> dict[str, str]:
    """Return the versions that a result depends on."""
    found = {"Python": sys.version.split()[0], "sklearn_profiling": __version__}
    return found | {name: version(name) for name in _PACKAGES}


class _Writer:
    """Lays a report out in sections."""

    def __init__(self, report: ProfilingReport) -> None:
        self.report = report
        self.tasks = [str(task) for task in report.summary.index]
        safe = import_optional("markupsafe", extra="plots", purpose="A report")
        self.safe = safe.Markup

    def sections(self) -> list[_Section]:
        """List the sections in the order of the page."""
        return [
            self._data(),
            self._comparison(),
            self._classes(),
            self._calibration(),
            self._fairness(),
            *self._explanations(),
            self._made(),
        ]

    def _data(self) -> _Section:
        shown = {
            "Labels of each task": self.report.summary,
            "What users have": self.report.sources,
            "What to know of the users": self.report.quality,
        }
        return _Section("data", "Data", [_table(*each) for each in shown.items()])

    def _comparison(self) -> _Section:
        compared = self.report.compared
        metrics = list(dict.fromkeys(compared.scores["metric"]))
        shown = [name for name in ("accuracy", "macro_f1") if name in metrics]
        shown = shown or metrics[:1]
        blocks = [_Block(_COMPARED)]
        blocks += [
            _Block(markup=self.safe(compared.to_html(name)), label=f"Systems, {name}")
            for name in shown
        ]
        height = 1.3 + 0.32 * len(compared.systems)
        pictures = [
            self._picture(
                lambda ax, task=task: ComparisonDisplay.from_comparison(
                    compared, shown[0], task=task, ax=ax
                ),
                f"compared{place}",
                f"{shown[0]} of the systems, {task}",
                (4.6, height),
            )
            for place, task in enumerate(["average", *self.tasks])
        ]
        blocks.append(_Block(pictures=tuple(pictures)))
        return _Section("comparison", "Comparison", blocks)

    def _classes(self) -> _Section:
        report = self.report
        blocks = [_Block(_INTERVALS), _table("Scores of each task", report.by_task)]
        parts = [
            _Section(f"class{place}", task, self._classes_of(place, task))
            for place, task in enumerate(self.tasks)
        ]
        return _Section("classes", "Classes", blocks, parts)

    def _classes_of(self, place: int, task: str) -> list[_Block]:
        confusion = self.report.confusion[task]
        if confusion.empty:
            return [_Block("No user who was tested is labelled.")]
        classes = self.report.by_class.loc[[task]].droplevel("task")
        blocks = [_table(f"Classes of {task}", classes)]
        if confusion.index.name == "class":  # of sets, which have no matrix
            return [*blocks, _table(f"Memberships of {task}", confusion)]
        if len(confusion) > _MOST_CLASSES:
            text = f"{len(confusion)} classes are too many for a picture."
            return [*blocks, _Block(text)]
        side = 1.9 + 0.36 * len(confusion)
        picture = self._picture(
            lambda ax: TaskConfusionDisplay.from_predictions(
                self.report.y, self.report.predictions, task=task, ax=ax
            ),
            f"confusion{place}",
            f"Confusion of the classes of {task}",
            (side + 1.3, side),
        )
        return [*blocks, _Block(pictures=(picture,))]

    def _calibration(self) -> _Section:
        report = self.report
        blocks = [
            _Block(_RELIABILITY),
            _table("Calibration of each task", report.calibration),
        ]
        pictures = [
            self._picture(
                lambda ax, task=task: _reliability(
                    report.reliability.loc[task], task, ax
                ),
                f"reliability{place}",
                f"Reliability of {task}",
                (3.8, 3.2),
            )
            for place, task in enumerate(self.tasks)
            if report.calibration["n_labelled"][task] > 0
        ]
        blocks += [_Block(pictures=tuple(pictures)), _Block(_COVERAGE)]
        blocks.append(_table("Accuracy by share answered", report.coverage))
        return _Section("calibration", "Calibration", blocks)

    def _fairness(self) -> _Section:
        report = self.report
        if report.fairness is None or report.gaps is None:
            return _Section("fairness", "Fairness", [_Block(_NO_GROUPS)])
        blocks = [
            _table("Accuracy and calibration of each group", report.fairness),
            _Block(_GAPS),
            _table("Largest differences between groups", told_gaps(report.gaps)),
        ]
        return _Section("fairness", "Fairness", blocks)

    def _explanations(self) -> Iterator[_Section]:
        report = self.report
        if report.cases.empty:
            return
        shown = report.cases.drop(columns=["row", "model"])
        blocks = [_Block(_CASES), _table("Users", shown.set_index(["task", "kind"]))]
        if not report.explanations:
            yield _Section("explanations", "Explanations", [*blocks, _Block(_UNABLE)])
            return
        records: list[Any] = report.cases.to_dict("records")
        found = list(zip(records, report.explanations, strict=True))
        parts = [
            _Section(
                f"users{place}",
                task,
                [self._case(*each) for each in found if each[0]["task"] == task],
            )
            for place, task in enumerate(self.tasks)
            if (report.cases["task"] == task).any()
        ]
        blocks.append(_Block(_PRIVATE))
        yield _Section("explanations", "Explanations", blocks, parts)

    def _case(self, case: dict[str, Any], explanation: Any) -> _Block:
        label, predicted = written(case["label"]), written(case["predicted"])
        told = f"label {label}, predicted {predicted}"
        summary = (
            f"{case['kind']}: user {written(case['user'])}, {told}, "
            f"confidence {case['confidence']:.3f}"
        )
        return _Block(summary=summary, body=self.safe(page_of(explanation, 4)))

    def _made(self) -> _Section:
        report = self.report
        rows = {
            "system": " → ".join(report.steps),
            "folds": report.n_folds,
            "seed": report.seed,
            **versions_of(),
        }
        table = pd.DataFrame({"value": pd.Series(rows, dtype=object)})
        block = _table("What made this report", table.rename_axis("part"))
        return _Section("made", "How it was made", [block])

    def _picture(
        self, draw: Any, name: str, label: str, size: tuple[float, float]
    ) -> _Picture:
        svg = self.safe(svg_of(draw, name, label, size))
        return _Picture(svg, label, size[0] > _WIDE)


def told_gaps(gaps: pd.DataFrame) -> pd.DataFrame:
    """Keep the gaps between two groups, the largest of each task first."""
    rows = gaps[gaps["gap"] > 0].sort_values("gap", ascending=False, kind="stable")
    order = {task: place for place, task in enumerate(gaps.index.unique("task"))}
    places = rows.index.get_level_values("task").map(order)
    return rows.iloc[np.argsort(places, kind="stable")]


def _table(caption: str, table: pd.DataFrame) -> _Block:
    return _Block(table=shown_table(table, written(caption)))


def _reliability(bins: pd.DataFrame, task: str, ax: Any) -> ReliabilityDisplay:
    """Draw the bins of a task as they stand in the table."""
    confidence, accuracy, n = (
        bins[name].to_numpy() for name in ("confidence", "accuracy", "n")
    )
    return ReliabilityDisplay(confidence, accuracy, n, task).plot(ax)
