"""The probabilities behind the synthetic users, and the exact posterior.

Everything observable of a user depends on the user's own attributes alone: given
gender g, age a, region r and occupation o,

    P(text, links | g, a, r, o) = P(words | g, a, r, o) P(links | a, r),

and both factors are products over words and over hubs. So the posterior over the 240
combinations of attributes is a sum of a few count tables.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from sklearn_profiling.datasets.synthetic._words import CLASS_WORDS

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

TASKS: Final = ("gender", "age", "region", "occupation")
CLASSES: Final = {task: tuple(CLASS_WORDS[task]) for task in TASKS}

# probability that a message that is about its writer holds a word of the attribute
TOPIC_RATES: Final = {"gender": 0.75, "age": 0.3, "region": 0.4, "occupation": 0.5}
# share of the remaining certainty that age words keep: age shows weakly in text
AGE_TEXT_STRENGTH: Final = 0.5

HUBS_PER_CLASS: Final = {"region": 12, "age": 16}
N_GENERAL_HUBS: Final = 24
# shares of a user's expected links to hubs
LINK_SHARES: Final = {"region": 0.4, "age": 0.4, "general": 0.2}

_GENDER = (0.58, 0.42)
_REGION = (0.08, 0.22, 0.24, 0.10, 0.16, 0.10, 0.06, 0.04)
_AGE_GIVEN_REGION = {
    "older": (0.28, 0.45, 0.27),
    "middle": (0.20, 0.45, 0.35),
    "younger": (0.12, 0.43, 0.45),
}
_AGE_KIND_OF_REGION = (
    *("older", "middle", "younger", "middle"),
    *("younger", "middle", "older", "younger"),
)
_OCCUPATION_GIVEN_AGE = (
    (0.01, 0.19, 0.25, 0.35, 0.20),
    (0.04, 0.32, 0.18, 0.30, 0.16),
    (0.55, 0.20, 0.07, 0.10, 0.08),
)
_OCCUPATION_TILT_OF_GENDER = ((1.0, 1.6, 0.6, 1.1, 0.5), (1.0, 0.5, 1.5, 0.9, 1.8))

_TINY = 1e-300


def joint_prior() -> FloatArray:
    """Return P(gender, age, region, occupation), shape (2, 3, 8, 5).

    Students are young, other occupations lean to one gender, regions differ in age.
    """
    age = np.array([_AGE_GIVEN_REGION[kind] for kind in _AGE_KIND_OF_REGION]).T
    occupation = (
        np.array(_OCCUPATION_TILT_OF_GENDER)[:, None]
        * np.array(_OCCUPATION_GIVEN_AGE)[None]
    )
    occupation /= occupation.sum(axis=2, keepdims=True)
    gender, region = np.array(_GENDER), np.array(_REGION)
    joint: FloatArray = np.einsum("g,r,ar,gao->garo", gender, region, age, occupation)
    return joint


@dataclass(frozen=True)
class Model:
    """How strongly the attributes show; the parameters of `make_user_profiles`.

    `n_links` is the expected number of links to hubs, `missing_network` the probability
    that a user has no links for reasons unrelated to attributes.
    """

    signal_rate: float
    mention_rate: float
    text_noise: float
    network_noise: float
    n_links: float
    missing_network: float

    def word_class_probabilities(self, task: str) -> FloatArray:
        """Return P(class of the word | class of the writer), row = writer."""
        noise = self.text_noise
        if task == "age":
            noise = 1.0 - (1.0 - noise) * AGE_TEXT_STRENGTH
        return self._mixture(noise, len(CLASSES[task]))

    def hub_probabilities(self, task: str) -> FloatArray:
        """Return P(link to one hub of a class | class of the user), row = user."""
        n_classes = len(CLASSES[task])
        expected = self.n_links * LINK_SHARES[task] / HUBS_PER_CLASS[task]
        return expected * self._mixture(self.network_noise, n_classes)

    @property
    def general_hub_probability(self) -> float:
        """P(link to one hub of no class)."""
        return self.n_links * LINK_SHARES["general"] / N_GENERAL_HUBS

    @property
    def largest_probability(self) -> float:
        """The largest probability of a link to a hub; above 1, no such users exist."""
        tables = [self.hub_probabilities(task).max() for task in HUBS_PER_CLASS]
        return float(max(self.general_hub_probability, *tables))

    @staticmethod
    def _mixture(noise: float, n_classes: int) -> FloatArray:
        return (1.0 - noise) * np.eye(n_classes) + noise / n_classes

    def text_log_likelihood(self, counts: Mapping[str, IntArray]) -> FloatArray:
        """Return log P(words | attributes) up to a constant, shape (n, 2, 3, 8, 5).

        `counts` has per attribute how many words of each class the messages about the
        writer hold, (n, n_classes). All else (lengths, common words, messages about
        others, which word of its class) is equally probable whatever the attributes.
        """
        gender, age, region, occupation = (
            _weigh(counts[task], _log(self.word_class_probabilities(task)))
            for task in TASKS
        )
        return (
            gender[:, :, None, None, None]
            + age[:, None, :, None, None]
            + region[:, None, None, :, None]
            + occupation[:, None, None, None, :]
        )

    def network_log_likelihood(
        self,
        counts: Mapping[str, IntArray],
        linked: npt.NDArray[np.bool_],
        *,
        unlinked_is_missing: bool,
    ) -> FloatArray:
        """Return log P(links | attributes) up to a constant, shape (n, 1, 3, 8, 1).

        `counts` has for "age" and "region" the links to hubs of each class. That a user
        is not `linked` is informative unless `unlinked_is_missing`.
        """
        tables = {}
        for task, n_hubs in HUBS_PER_CLASS.items():
            probability = self.hub_probabilities(task)
            linked_to, n_not = counts[task], n_hubs - counts[task]
            tables[task] = _weigh(linked_to, _log(probability)) + _weigh(
                n_not, _log(1.0 - probability)
            )
        log_likelihood = tables["age"][:, :, None] + tables["region"][:, None, :]
        if unlinked_is_missing:
            log_likelihood[~linked] = 0.0
        else:
            # the general hubs' factor matters only beside another way to be unlinked
            general = N_GENERAL_HUBS * _log(1.0 - self.general_hub_probability)
            log_likelihood[~linked] = np.logaddexp(
                _log(self.missing_network),
                _log(1.0 - self.missing_network) + general + log_likelihood[~linked],
            )
        return np.asarray(log_likelihood[:, None, :, :, None])


def posteriors(log_likelihood: FloatArray) -> dict[str, FloatArray]:
    """Return P(class | observables) per task, shape (n_users, n_classes) each.

    `log_likelihood` broadcasts to (n_users, 2, 3, 8, 5).
    """
    joint = log_likelihood + np.log(joint_prior())
    joint -= joint.max(axis=(1, 2, 3, 4), keepdims=True)
    np.exp(joint, out=joint)
    joint /= joint.sum(axis=(1, 2, 3, 4), keepdims=True)
    axes = range(1, 5)
    return {
        task: joint.sum(axis=tuple(axis for axis in axes if axis != own))
        for own, task in zip(axes, TASKS, strict=True)
    }


def _weigh(counts: IntArray, logs: FloatArray) -> FloatArray:
    # einsum sums in one order on any number of threads, a matrix product does not
    weighed: FloatArray = np.einsum("nc,kc->nk", counts, logs)
    return weighed


def _log(probability: FloatArray | float) -> FloatArray:
    # finite, since 0 * -inf would be NaN in the products
    return np.log(np.maximum(np.asarray(probability, dtype=np.float64), _TINY))
