"""Visits of reviewers: the values they show, and the likelihood of these.

A user makes visits, one a review. At each visit every attribute has a value: the
user's own (for the category, either of the two favourites) or, with probability
``noise``, one drawn at random. The words of the review and its picture each show that
value or hide it, whatever it is. So with the values that are seen,

    P(seen | profile) = prod over attributes a, visits i P(value of a at i | profile_a)

up to a factor that does not depend on the profile, and the attributes stay independent.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import Final

import numpy as np
import numpy.typing as npt

from sklearn_profiling.datasets.yelp.format import (
    BUDGET,
    CATEGORIES,
    CATEGORY,
    CLASSES,
    DISCOUNT,
    MEAL,
    SERVICE,
    STARS,
    TASKS,
)

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

PAIRS: Final = tuple(combinations(range(len(CATEGORIES)), 2))
IN_WORDS: Final = (STARS, CATEGORY, BUDGET, DISCOUNT)
IN_PICTURES: Final = (CATEGORY, MEAL, BUDGET, SERVICE)

_TINY = 1e-300


@dataclass(frozen=True)
class Visits:
    """Visits of all users, end to end: user u made ``starts[u]:starts[u + 1]``.

    `values` has per attribute the position of the value among its classes, (n_visits,).
    """

    starts: IntArray
    values: dict[str, IntArray]


def membership() -> BoolArray:
    """Return which categories each pair holds, shape (n_pairs, n_categories)."""
    inside = np.zeros((len(PAIRS), len(CATEGORIES)), dtype=bool)
    inside[np.arange(len(PAIRS))[:, None], np.array(PAIRS)] = True
    return inside


def value_probability(task: str, noise: float) -> FloatArray:
    """Return P(value at a visit | label), row = label; a pair for the category."""
    n_values = len(CLASSES[task])
    own = membership() / 2.0 if task == CATEGORY else np.eye(n_values)
    return np.asarray((1.0 - noise) * own + noise / n_values)


def draw_labels(n_users: int, rng: np.random.Generator) -> dict[str, IntArray]:
    """Draw the profile of each user, all labels equally likely."""
    return {
        task: rng.integers(len(value_probability(task, 0.0)), size=n_users)
        for task in TASKS
    }


def draw_visits(
    labels: dict[str, IntArray],
    n_visits: IntArray,
    noise: float,
    rng: np.random.Generator,
) -> Visits:
    """Draw the value of every attribute at every visit.

    With probability `noise` it does not depend on the user's label (for the category
    the number of the pair).
    """
    starts = np.concatenate([[0], np.cumsum(n_visits)])
    total = int(starts[-1])
    values = {}
    for task in TASKS:
        own = np.repeat(labels[task], n_visits)
        if task == CATEGORY:
            own = np.array(PAIRS)[own, rng.integers(2, size=total)]
        is_noise = rng.random(total) < noise
        values[task] = np.where(
            is_noise, rng.integers(len(CLASSES[task]), size=total), own
        )
    return Visits(starts, values)


def log_likelihood(
    task: str, visits: Visits, seen: BoolArray, noise: float
) -> FloatArray:
    """Return log P(seen values | label) up to a constant, shape (n_users, n_labels).

    `seen` says at which visits the value is seen; a label of the category is a pair.
    """
    n_users, n_values = len(visits.starts) - 1, len(CLASSES[task])
    user = np.repeat(np.arange(n_users), np.diff(visits.starts))
    cells = n_values * user + visits.values[task]
    counts = np.bincount(cells[seen], minlength=n_values * n_users)
    # finite, since 0 * -inf would be NaN in the products
    log_p = np.log(np.maximum(value_probability(task, noise), _TINY))
    # einsum sums in one order on any number of threads, a matrix product does not
    return np.asarray(np.einsum("uv,lv->ul", counts.reshape(n_users, n_values), log_p))


def posterior(log_likelihoods: FloatArray) -> FloatArray:
    """Return P(label | seen values) under equally likely labels."""
    found = np.exp(log_likelihoods - log_likelihoods.max(axis=1, keepdims=True))
    return np.asarray(found / found.sum(axis=1, keepdims=True))
