"""Chunks of users, and the users that were there before."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from sklearn_profiling._chunks import SeenUsers, rechunked, whole_batches
from sklearn_profiling.estimators import MMLUPClassifier
from sklearn_profiling.exceptions import ProfilingWarning


@given(st.lists(st.integers(0, 9), max_size=12), st.integers(1, 7), st.integers(1, 5))
def test_chunks_hold_all_rows_in_order(sizes: list[int], size: int, least: int) -> None:
    ends = np.cumsum([0, *sizes]).tolist()
    tables = [
        (pd.DataFrame({"row": range(a, b)}), pd.DataFrame({"label": range(a, b)}))
        for a, b in pairwise(ends)
    ]
    chunks = list(rechunked(tables, size, least))
    rows = [row for chunk, _ in chunks for row in chunk["row"]]
    assert rows == list(range(ends[-1]))
    assert all(chunk["row"].tolist() == y["label"].tolist() for chunk, y in chunks)
    lengths = [len(chunk) for chunk, _ in chunks]
    assert all(length == size for length in lengths[:-1])
    if ends[-1]:
        assert min(least, ends[-1]) <= lengths[-1] < size + least


@given(st.lists(st.lists(st.integers(0, 60), max_size=8), max_size=12))
def test_the_first_user_who_was_there_before_is_told(chunks: list[list[int]]) -> None:
    seen, known = SeenUsers(), set[int]()
    for chunk in chunks:
        first = None
        for user in chunk:
            if user in known:
                first = user
                break
            known.add(user)
        assert seen.add(chunk) == first
        if first is not None:
            return
    assert sum(map(len, seen._runs)) == len(known)


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        (object(), 150),
        (LogisticRegression(), 150),
        (MMLUPClassifier(batch_size=32), 800),
        (MMLUPClassifier(batch_size=150), 150),
        (
            GridSearchCV(MMLUPClassifier(max_epochs=1), {"batch_size": [32]}, cv=2).fit(
                np.arange(12.0).reshape(6, 2), ["f", "m"] * 3
            ),
            800,
        ),
    ],
)
def test_chunks_are_whole_batches(model: object, expected: int) -> None:
    assert whole_batches(model, 101) == expected


def test_chunks_far_larger_than_asked_are_told() -> None:
    nets = make_pipeline(
        MMLUPClassifier(batch_size=333), MMLUPClassifier(batch_size=257)
    )
    with pytest.warns(ProfilingWarning, match=r"to 4279050 users, .* are 257, 333;"):
        assert whole_batches(nets, 10_000) == 4_279_050
    assert whole_batches(nets, 4_000_000) == 4_279_050
