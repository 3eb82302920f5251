"""Linear experts on words, whose log-odds are the offset of a net."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sklearn.pipeline import Pipeline

from sklearn_profiling.baselines import NaiveBayesRidgeClassifier, OutOfFoldLogits
from sklearn_profiling.exceptions import SourceError, shortened
from sklearn_profiling.pipelines._presets import is_paper
from sklearn_profiling.sources import TfidfVectors

__all__ = ["choose_experts", "make_counts_expert", "sources_of"]


def choose_experts(
    given: Mapping[str, Any] | str | None,
    classifier: Any,
    preset: str,
    seeds: Sequence[int],
) -> Mapping[str, Any]:
    """Return the experts by name: those given, or our two beside our own net."""
    if isinstance(given, Mapping):
        return given
    if given is not None and given != "drop":
        msg = f"experts must be a mapping, 'drop' or None; got {shortened(given)}"
        raise SourceError(msg)
    if given or classifier is not None or is_paper(preset):
        return {}
    logits = OutOfFoldLogits(random_state=seeds[0])
    return {
        "tfidf_odds": Pipeline([("tfidf", TfidfVectors()), ("logits", logits)]),
        "counts_odds": make_counts_expert(seeds[1]),
    }


def sources_of(
    experts: Mapping[str, Any], others: Sequence[str]
) -> list[tuple[str, Any, str]]:
    """Let all experts read the words; none may have the name of another source."""
    both = [name for name in experts if name in others]
    if both:
        msg = (
            f"experts and the other sources {list(others)} must have different names; "
            f"{shortened(both[0])} names one of each"
        )
        raise SourceError(msg)
    return [(name, expert, "words") for name, expert in experts.items()]


def make_counts_expert(seed: int) -> Pipeline:
    """Make a naive Bayes ridge classifier of counts, as out-of-fold log-odds."""
    counts = TfidfVectors(
        max_words=1, characters=None, sublinear_tf=False, use_idf=False, norm=None
    )
    logits = OutOfFoldLogits(NaiveBayesRidgeClassifier(), random_state=seed)
    return Pipeline([("counts", counts), ("logits", logits)])
