"""A model card: what a system is for, how good it is, and where it ends."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from sklearn_profiling.evaluation.report._page import told_gaps, versions_of
from sklearn_profiling.evaluation.report._tables import shown_table, written

if TYPE_CHECKING:
    from sklearn_profiling.evaluation.report.profiling import ProfilingReport

__all__ = ["model_card"]

_PUNCTUATION = re.compile(r"([!-/:-@\[-`{-~])")
_LARGE_ERROR = 0.05
_INTENDED = (
    "Research on aggregates of users with consent or another legal basis; measuring "
    "what data give away; comparing systems; teaching."
)
_FORBIDDEN = """\
- Decisions about a person: credit, insurance, employment, housing, education, policing,
  migration, moderation of an account, prices and offers.
- Finding out what somebody keeps to themselves: health, religion, political opinion,
  sexuality, ethnic origin, union membership.
- Identifying or tracking one person, or linking accounts.
- Children, whether knowingly or because nobody checked.
- Contacting or targeting people by a predicted attribute without their consent."""
_LIMITS = (
    "A prediction is a guess about a person who may not have asked for it.",
    "The model knows the classes of its labels only, which may be narrow.",
    "Users with labels are not all users: scores need not hold for those without.",
    "Language, platforms and users change; measure again before using it elsewhere.",
    "A fitted model holds traces of the data it was trained on.",
)


def model_card(
    pipeline: Any, report: ProfilingReport, *, intended_use: str | None = None
) -> str:
    """Write a model card in Markdown from a report.

    Parameters
    ----------
    pipeline : estimator
        The system of the report.
    report : ProfilingReport
        What was measured.
    intended_use : str, default=None
        What the system is for, in Markdown; None is research and teaching, as the
        guide's page on responsible use says.

    Returns
    -------
    str
        Markdown with tables: data, intended and forbidden uses, scores of tasks,
        classes and groups with intervals, limits, parameters and versions. Names,
        labels and parameters are escaped; it holds no message of a user.

    See Also
    --------
    ProfilingReport : Measures what stands in the card.

    Notes
    -----
    The sections are those of Mitchell et al.

    References
    ----------
    Mitchell et al., "Model Cards for Model Reporting", FAT* 2019.

    Examples
    --------
    >>> from sklearn_profiling.baselines import make_tfidf_baseline
    >>> from sklearn_profiling.datasets import make_user_profiles
    >>> from sklearn_profiling.evaluation import ProfilingReport, model_card
    >>> users = make_user_profiles(60, random_state=0)
    >>> model = make_tfidf_baseline()
    >>> y = users.target[["gender"]]
    >>> report = ProfilingReport(
    ...     model, users.data, y, cv=2, systems=[], n_explained=0, n_bootstrap=50
    ... )
    >>> print(model_card(model, report).splitlines()[0])
    # Model card: pipeline
    """
    parts = [
        f"# Model card: {_escaped(report.name)}",
        _overview(report),
        "## Intended use",
        _INTENDED if intended_use is None else intended_use,
        "## Uses that are forbidden",
        _FORBIDDEN,
        "## Data",
        _table(report.summary),
        _table(report.sources),
        _table(report.quality),
        "## Scores",
        "Out-of-fold predictions, with bootstrap intervals over users.",
        _table(report.by_task),
        "### Beside other systems",
        "Means over the folds, with corrected intervals; p values against the best.",
        _table(_beside(report.comparison)),
        "### Classes",
        _table(report.by_class),
        "### Calibration",
        _table(report.calibration),
        "### Groups",
        *_groups(report),
        "## Limits",
        _listed((*_LIMITS, *_found_limits(report))),
        "## Training",
        "### Versions",
        _table(_column(versions_of(), "package", "version")),
        "### Parameters",
        _table(_parameters(pipeline)),
    ]
    return "\n\n".join(parts) + "\n"


def _overview(report: ProfilingReport) -> str:
    steps = " → ".join(map(_escaped, report.steps))
    tasks = ", ".join(_escaped(task) for task in report.summary.index)
    return (
        f"{steps}, which predicts {tasks}. Measured on {report.n_users} users in "
        f"{report.n_folds} folds, seed {report.seed}."
    )


def _beside(comparison: pd.DataFrame) -> pd.DataFrame:
    """Keep the rows of one metric."""
    metric = comparison["metric"].iloc[0]
    rows: pd.DataFrame = comparison[comparison["metric"] == metric]
    return rows.set_index(["metric", "task"])


def _groups(report: ProfilingReport) -> list[str]:
    if report.fairness is None or report.gaps is None:
        return ["No groups were compared: it is not known for whom the model errs."]
    gaps = _table(told_gaps(report.gaps))
    return [_table(report.fairness), "Largest differences between groups:", gaps]


def _found_limits(report: ProfilingReport) -> list[str]:
    """Name what the figures of this report say of its limits."""
    found = []
    for task, rows in report.by_class.groupby(level="task", sort=False):
        never = [label for _, label in rows.index[rows["n_predicted"] == 0]]
        if never:
            named = ", ".join(_escaped(written(label)) for label in never)
            found.append(f"Of {_escaped(task)}, never predicted: {named}.")
    errors = report.calibration["ece"]
    found += [
        f"Of {_escaped(name)}, probabilities are off by {error:.3f} on average "
        "(expected calibration error)."
        for name, error in errors[errors > _LARGE_ERROR].items()
    ]
    leaks = report.quality["n_users"].filter(like="in training")
    found += [f"{n} users were tested with copies in training." for n in leaks if n]
    return found


def _parameters(pipeline: Any) -> pd.DataFrame:
    """List the parameters of a system, without the estimators that hold others."""
    given = pipeline.get_params(deep=True)
    plain = {
        name: _value(value)
        for name, value in sorted(given.items())
        if not hasattr(value, "get_params") and name != "steps"
    }
    return _column(plain, "parameter", "value")


def _value(value: Any) -> str:
    """Write a value; of an object its class, since a repr may hold an address."""
    value = value.item() if isinstance(value, np.generic) else value
    plain = (bool, int, float, str, type(None))
    members = value if isinstance(value, list | tuple) else [value]
    if all(isinstance(each, plain) for each in members):
        return written(repr(value))
    return type(value).__name__


def _column(values: dict[str, str], index: str, name: str) -> pd.DataFrame:
    table = pd.DataFrame({name: pd.Series(values, dtype=object)})
    return table.rename_axis(index)


def _listed(lines: Any) -> str:
    return "\n".join(f"- {line}" for line in lines)


def _table(table: pd.DataFrame) -> str:
    """Write a table of GitHub's Markdown, numbers on the right."""
    shown = shown_table(table, "")
    lines = [
        [_escaped(head.text) for head in shown.heads],
        ["--:" if head.number else "---" for head in shown.heads],
        *([_escaped(cell.text, cell.number) for cell in row] for row in shown.rows),
    ]
    text = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    return f"{text}\n\n{shown.n_more} more rows." if shown.n_more else text


def _escaped(text: Any, number: bool = False) -> str:
    """Escape all punctuation, as CommonMark allows; numbers stay as they are."""
    written_text = written(text)
    return written_text if number else _PUNCTUATION.sub(r"\\\1", written_text)
