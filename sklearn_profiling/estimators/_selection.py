"""The parameter `select_sources`: drop sources that lower the loss of no task."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from sklearn_profiling._seeding import derive_seed
from sklearn_profiling.estimators._offset import encoded_names, pick_offset
from sklearn_profiling.training.batches import UserDataset
from sklearn_profiling.training.held_out import hold_out
from sklearn_profiling.training.inputs import TrainingUsers
from sklearn_profiling.training.net import ProfileNet
from sklearn_profiling.training.processes import from_first
from sklearn_profiling.training.selection import (
    LossRise,
    eliminate,
    validation_losses,
)

__all__ = ["dropped_sources", "select_sources"]

_FRACTION = 0.2
"""Share of the users who are held out from the trial nets."""

_REFITS = 2
"""Nets without the dropped sources that are tried at most."""

_EPOCHS = 0.5
"""Share of the epochs that trial nets are trained for, if these are enough steps."""

_LEAST_STEPS = 300
"""Batches to train trial nets on, unless all epochs hold fewer: until then a net gains
little from sources that are learned slowly."""

_LEAST_LABELS = 50
"""Held-out labels of each task: with fewer, a standard error means little."""

_QUIET = {
    "select_sources": False,
    "warm_start": False,
    "callbacks": None,
    "checkpoint": None,
    "verbose": 0,
}
"""Parameters of the trial nets that differ from the classifier's."""


def dropped_sources(classifier: Any) -> list[str]:
    """Names of the sources that a selection has dropped; none before a selection."""
    table = getattr(classifier, "selected_sources_", None)
    return [] if table is None else table.index[~table["kept"]].tolist()


def select_sources(classifier: Any, users: TrainingUsers) -> pd.DataFrame:
    """Try on held-out users which encoded sources the classifier can do without.

    Returns ``selected_sources_``: one row for each encoded source.
    """
    names = encoded_names(classifier, users.sources)
    device = classifier.device
    seed = from_first(derive_seed(classifier.random_state), device)
    rows, held_out = hold_out(users.labels, _FRACTION, seed)
    untried = _why_untried(names, users, held_out)
    if untried:
        return _report(users, dict.fromkeys(names, untried), {}, [])
    parts = _take(users, rows), _take(users, held_out)
    net, validation = _trial(classifier, *parts, names, seed)
    dropped, rises = from_first(eliminate(net, validation, names), device)
    reasons = {
        name: _reason(users.codec.task_names, rise) for name, rise in rises.items()
    }
    last = [name for name in names if name not in dropped]
    if not rises[last[0]].matters:
        reasons[last[0]] = "the last source left"
    full = from_first(validation_losses(net, validation), device)
    # A net that never saw a source is not quite the one that has to do without it.
    for attempt in range(_REFITS):
        if not dropped:
            break
        kept = [name for name in names if name not in dropped]
        trial = _trial(classifier, *parts, kept, seed)
        reduced = from_first(validation_losses(*trial), device)
        if not full.rise_to(reduced).matters:
            break
        back = dropped[-1:] if attempt + 1 < _REFITS else dropped[:]
        worse = f"a net trained without {', '.join(dropped)} was worse"
        reasons.update(dict.fromkeys(back, worse))
        dropped = dropped[: -len(back)]
    return _report(users, {name: reasons[name] for name in names}, rises, dropped)


def _why_untried(
    names: Sequence[str], users: TrainingUsers, held_out: npt.NDArray[np.int64]
) -> str:
    """Why no source can be tried; "" where they can."""
    if len(names) == 1:
        return "the only source"
    n_labels = (users.labels.codes[held_out] >= 0).sum(axis=0)
    fewest = int(n_labels.argmin())
    if n_labels[fewest] >= _LEAST_LABELS:
        return ""
    return (
        f"not tried: {n_labels[fewest]} held-out users have a label of "
        f"{users.codec.task_names[fewest]}; {_LEAST_LABELS} are needed"
    )


def _take(users: TrainingUsers, rows: npt.NDArray[np.int64]) -> TrainingUsers:
    return TrainingUsers(
        {name: source[rows] for name, source in users.sources.items()},
        users.labels.take(rows),
        users.weights.take(rows),
        users.codec,
    )


def _trial(
    classifier: Any,
    training: TrainingUsers,
    validation: TrainingUsers,
    names: list[str],
    seed: int,
) -> tuple[ProfileNet, UserDataset]:
    """Train a net that encodes some sources; the held-out users as it reads them."""
    # Not a clone, which would copy what callbacks hold.
    parameters = classifier.get_params(deep=False)
    trial = type(classifier)(
        **{
            **parameters,
            **_QUIET,
            "sources": names,
            "max_epochs": _n_epochs(classifier, len(training.labels)),
            "random_state": seed,
        }
    )

    def read(users: TrainingUsers) -> TrainingUsers:
        offset = pick_offset(classifier, users.sources)
        encoded = {name: users.sources[name] for name in names}
        return users._replace(sources={**encoded, **offset})

    trial._train(read(training), again=False, epochs=trial.max_epochs)  # noqa: SLF001 - of this package
    sources, labels, weights, _ = read(validation)
    return trial.net_, trial._dataset_of(sources, labels, weights)  # noqa: SLF001 - likewise


def _n_epochs(classifier: Any, n_users: int) -> int:
    """Epochs of a trial net."""
    n_batches = math.ceil(n_users / classifier.batch_size)
    enough = math.ceil(_LEAST_STEPS / n_batches)
    half = math.ceil(_EPOCHS * classifier.max_epochs)
    epochs: int = min(max(half, enough), classifier.max_epochs)
    return epochs


def _reason(tasks: Sequence[str], rise: LossRise) -> str:
    """Say what a source, without which the loss rises, does for the tasks."""
    helped = [task for task, clear in zip(tasks, rise.clear, strict=True) if clear]
    if helped:
        return f"lowers the loss of {', '.join(helped)}"
    return f"lowers the loss of {'all tasks together' if rise.matters else 'no task'}"


def _report(
    users: TrainingUsers,
    reasons: Mapping[str, str],
    rises: Mapping[str, LossRise],
    dropped: Sequence[str],
) -> pd.DataFrame:
    table = pd.DataFrame(
        {
            "kept": [name not in dropped for name in reasons],
            "reason": list(reasons.values()),
        },
        index=pd.Index(list(reasons), name="source"),
    )
    for task, label in enumerate(users.codec.task_names):
        found = [
            (rises[name].means[task], rises[name].errors[task])
            if name in rises
            else (np.nan, np.nan)
            for name in reasons
        ]
        table[f"gain_{label}"], table[f"error_{label}"] = np.transpose(found)
    return table
