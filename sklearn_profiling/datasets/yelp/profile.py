"""The six attributes of a profile, from the businesses that a user visited."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from sklearn_profiling.datasets.yelp.format import (
    BUDGET,
    CATEGORY,
    DISCOUNT,
    MEAL,
    SERVICE,
    STARS,
    TASKS,
    Business,
    meals_of,
    price_of,
    truth_of,
)

_COUNTED = (CATEGORY, MEAL, BUDGET, DISCOUNT, SERVICE)
Votes = dict[str, tuple[Any, ...]]


@dataclass(frozen=True)
class ProfileRules:
    """Parameters of `load_yelp` that turn visits into labels."""

    categories: tuple[str, ...]
    n_favorites: int
    high_price: int
    discount_attributes: tuple[str, ...]
    service_attributes: tuple[str, ...]
    min_visits: int
    ties: str

    def votes(self, business: Business) -> Votes:
        """Return what one visit to the business says of each attribute."""
        attributes = business.attributes
        given = {name.casefold() for name in business.categories}
        price = price_of(attributes)
        discount = truth_of(attributes, self.discount_attributes)
        service = truth_of(attributes, self.service_attributes)
        budget = "High" if price is not None and price >= self.high_price else "Low"
        return {
            CATEGORY: tuple(n for n in self.categories if n.casefold() in given),
            MEAL: tuple(meals_of(attributes)),
            BUDGET: () if price is None else (budget,),
            DISCOUNT: () if discount is None else (discount,),
            SERVICE: () if service is None else (service,),
        }


@dataclass
class Tally:
    """Counts over the visits of one user, see :class:`ProfileRules`."""

    counts: dict[str, Counter[Any]] = field(
        default_factory=lambda: {task: Counter() for task in _COUNTED}
    )
    stars: float = 0.0
    n_stars: int = 0

    def add(self, stars: float | None, votes: Votes) -> None:
        """Count a visit."""
        if stars is not None:
            self.stars += stars
            self.n_stars += 1
        for task, values in votes.items():
            self.counts[task].update(values)

    def labels(self, rules: ProfileRules) -> tuple[dict[str, Any], list[str]]:
        """Return the labels, None where missing, and the tasks with a tie."""
        found: dict[str, Any] = dict.fromkeys(TASKS)
        tied = []
        if self.n_stars:
            # halves up: Python's own rounding would give 2 for 2.5 and 4 for 3.5
            found[STARS] = math.floor(self.stars / self.n_stars + 0.5)
        for task in _COUNTED:
            n_wanted = rules.n_favorites if task == CATEGORY else 1
            # ordered by count, then by first visit
            ranked = self.counts[task].most_common(n_wanted + 1)
            best = ranked[:n_wanted]
            if len(best) < n_wanted or best[-1][1] < rules.min_visits:
                continue
            if len(ranked) > n_wanted and ranked[-1][1] == best[-1][1]:
                tied.append(task)
                if rules.ties == "missing":
                    continue
            names = [name for name, _ in best]
            found[task] = frozenset(names) if task == CATEGORY else names[0]
        return found, tied
