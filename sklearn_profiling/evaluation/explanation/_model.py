"""Log-odds of one class by a fitted system."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import logsumexp
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from sklearn_profiling.exceptions import SourceError, TargetError, shortened

__all__ = ["ClassModel"]

Floats = NDArray[np.float64]

_LEAST = float(np.log(1e-12))
"""Of the logarithm of a probability, so that log-odds are finite."""


class ClassModel:
    """A fitted system, one of its tasks, and the class to explain.

    A label of None is the class that is predicted of the user.
    """

    def __init__(
        self, system: Any, user: pd.DataFrame, task: str | None, label: Any
    ) -> None:
        if not hasattr(system, "predict_proba"):
            msg = f"{type(system).__name__} does not predict probabilities"
            raise SourceError(msg)
        check_is_fitted(system)
        self.system = system
        self.final = system[-1] if isinstance(system, Pipeline) else system
        classes = system.classes_
        several = isinstance(classes, list)
        names = getattr(self.final, "task_names_", None)
        if names is None:
            names = [str(n) for n in range(len(classes))] if several else ["label"]
        if task is None and len(names) == 1:
            task = names[0]
        if task not in names:
            msg = f"task must be one of {list(names)}; got {task!r}"
            raise TargetError(msg)
        self.task = str(task)
        self.number = list(names).index(task)
        self.classes = list(classes[self.number] if several else classes)
        logs = self._logs(system, user)
        if label is None:
            label = self.classes[int(logs[0].argmax())]
        if label not in self.classes:
            msg = f"label must be one of {shortened(self.classes)}; got {label!r}"
            raise TargetError(msg)
        self.label = label
        self.place = self.classes.index(label)
        self.predicted = self.classes[int(logs[0].argmax())]
        self.whole = float(self._odds(logs)[0])
        self.probability = float(np.exp(logs[0, self.place]))

    def log_odds(self, users: pd.DataFrame, system: Any = None) -> Floats:
        """Compute the log-odds of the class of users (n_users,), by a copy if given."""
        return self._odds(self._logs(self.system if system is None else system, users))

    def prepare(self, users: pd.DataFrame) -> Any:
        """Make what the last step of a Pipeline reads; None of anything else."""
        if not isinstance(self.system, Pipeline) or len(self.system.steps) < 2:
            return None
        return self.system[:-1].transform(users)

    def log_odds_of_stage(self, stage: Any) -> Floats:
        """Compute the log-odds of the class (n_users,) from what `prepare` makes."""
        return self._odds(self._logs(self.final, stage))

    def without_sources(self, user: pd.DataFrame) -> dict[str, float]:
        """Compute the log-odds without each source, where the last step reads several.

        In place of a source stands that of a user who has nothing.
        """
        blank = blank_like(user)
        stage = self.prepare(pd.concat([user, blank], ignore_index=True))
        if not isinstance(stage, Mapping):
            return {}
        names = list(stage)
        made = {
            name: part[(np.arange(len(names)) == place).astype(int)]
            for place, (name, part) in enumerate(stage.items())
        }
        odds = self.log_odds_of_stage(type(stage)(**made))
        return dict(zip(names, odds.tolist(), strict=True))

    def _logs(self, model: Any, X: Any) -> Floats:
        """Compute log-probabilities of the task (n_users, n_classes)."""
        if hasattr(model, "predict_log_proba"):
            found = model.predict_log_proba(X)
            found = found[self.number] if isinstance(found, list) else found
            return np.asarray(found, dtype=float)
        found = model.predict_proba(X)
        found = found[self.number] if isinstance(found, list) else found
        logs: Floats = np.log(np.maximum(np.asarray(found, dtype=float), 1e-300))
        return logs

    def _odds(self, logs: Floats) -> Floats:
        """Turn log-probabilities (n_users, n_classes) into log-odds (n_users,)."""
        own = logs[:, self.place]
        if np.allclose(np.exp(logs).sum(axis=1), 1, atol=1e-3) and logs.shape[1] > 1:
            others = np.delete(logs, self.place, axis=1)
            rest = logsumexp(others, axis=1)
        else:  # classes of a set
            rest = np.log1p(-np.minimum(np.exp(own), 1 - 1e-12))
        odds: Floats = np.maximum(own, _LEAST) - np.maximum(rest, _LEAST)
        return odds


def blank_like(user: pd.DataFrame) -> pd.DataFrame:
    """Return a user who has nothing, in a table with the same columns."""
    blank = user.copy()
    for name in user:
        dtype: Any = user[name].dtype
        if pd.api.types.is_numeric_dtype(dtype):
            blank[name] = np.full(len(user), np.nan)
        elif pd.api.types.is_object_dtype(dtype):
            blank[name] = pd.Series([None] * len(user), dtype=object)
        else:
            blank[name] = user[name].mask(np.full(len(user), fill_value=True))
    return blank
