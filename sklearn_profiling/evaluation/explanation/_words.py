"""Words of messages, as a system reads them, and where they stand."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from sklearn.pipeline import Pipeline

from sklearn_profiling.containers import TokenMessages
from sklearn_profiling.containers._ids import object_array
from sklearn_profiling.evaluation.explanation._model import blank_like

__all__ = ["Spans", "spans_of_messages"]

Spans = dict[int, list[tuple[str, int, int]]]
"""By position of the message: words, where each begins and where it ends."""

_WORD = re.compile(r"\w+")


def spans_of_messages(
    system: Any, user: pd.DataFrame, column: str, messages: Mapping[int, str]
) -> Spans:
    """Find the words of each message of a column.

    They are those of the first step of a Pipeline that gives words, else sequences of
    letters and digits.
    """
    # One message a user, since segmenters leave out duplicates.
    users = blank_like(user.iloc[[0] * len(messages)].reset_index(drop=True))
    cell = user[column].iloc[0]
    texts = list(messages.values())
    cells = texts if isinstance(cell, str) else [[text] for text in texts]
    users[column] = pd.Series(object_array(cells), dtype=object)
    found = _segment(system, users)
    if found is None:
        words = [_WORD.findall(text) for text in texts]
    else:
        words = [[w for own in user_words for w in own] for user_words in found]
    return {
        place: _locate(text, own)
        for (place, text), own in zip(messages.items(), words, strict=True)
    }


def _segment(system: Any, users: Any) -> list[list[list[str]]] | None:
    """Return the words of users, by the first step that gives any."""
    if not isinstance(system, Pipeline):
        return None
    for _, step in system.steps[:-1]:
        # AutoSources makes words, and what is made of them, in one step.
        first = getattr(step, "first_", None)
        users = step.transform(users) if first is None else first.transform(users)
        parts = users.values() if isinstance(users, Mapping) else [users]
        for part in parts:
            if isinstance(part, TokenMessages) and part.n_words:
                words: list[list[list[str]]] = part.tolist()
                return words
        if first is not None:
            return None
    return None


def _locate(message: str, words: Sequence[str]) -> list[tuple[str, int, int]]:
    """Find words in a message, one after the other; those changed are left out."""
    lowered = message.lower()
    text = lowered if len(lowered) == len(message) else message
    spans, start = [], 0
    for word in words:
        wanted = word.lower() if text is lowered else word
        place = text.find(wanted, start) if wanted else -1
        if place >= 0:
            start = place + len(wanted)
            spans.append((word, place, start))
    return spans
