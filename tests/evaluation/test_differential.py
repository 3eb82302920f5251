"""Words that go with classes: effects and p values computed by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from sklearn_profiling.containers import TokenMessages
from sklearn_profiling.datasets import make_user_profiles
from sklearn_profiling.datasets.synthetic._words import CLASS_WORDS
from sklearn_profiling.evaluation import differential_language
from sklearn_profiling.exceptions import SourceError, TargetError

WORDS = [["a", "b"], ["a"], ["b", "b", "c"], ["c", "a"], ["d"], []]
TEXT = TokenMessages.from_lists([[words] for words in WORDS])
LABELS = ["x", "x", "y", "y", None, "x"]


def test_log_odds_by_hand():
    found = differential_language(TEXT, LABELS, min_users=2, prior=8.0)
    row = found[(found["class"] == "x") & (found["word"] == "a")].iloc[0]
    # Of 8 words of labelled users 3 are a, so the prior has 3 of 8; x wrote 2 of 3.
    first, second = np.log(5 / (11 - 5)), np.log(4 / (13 - 4))
    assert row["effect"] == pytest.approx(first - second)
    z = (first - second) / np.sqrt(1 / 5 + 1 / 4)
    assert row["p_value"] == pytest.approx(2 * stats.norm.sf(z))
    assert row["n_users"] == 2
    assert set(found["word"]) == {"a", "b", "c"}
    corrected = stats.false_discovery_control(found["p_value"])
    np.testing.assert_allclose(found["p_corrected"], corrected)
    other = found[(found["class"] == "y") & (found["word"] == "a")].iloc[0]
    assert other["effect"] == pytest.approx(-row["effect"])


def test_correlation_is_that_of_scipy():
    found = differential_language(TEXT, LABELS, method="correlation", min_users=1)
    rates = np.array([0.5, 0, 2 / 3, 0])
    expected = stats.pearsonr(rates, [1, 1, 0, 0])
    row = found[(found["class"] == "x") & (found["word"] == "b")].iloc[0]
    assert row["effect"] == pytest.approx(expected.statistic)
    assert row["p_value"] == pytest.approx(expected.pvalue)
    same = TokenMessages.from_lists([[["a"]]] * 4)
    even = differential_language(
        same, ["x", "x", "y", "y"], method="correlation", min_users=1
    )
    assert even["effect"].tolist() == [0, 0]
    assert even["p_value"].tolist() == [1, 1]


@pytest.mark.parametrize("method", ["log_odds", "correlation"])
def test_words_of_synthetic_classes(method):
    users = make_user_profiles(300, missing_labels=0.2, mention_rate=0, random_state=0)
    found = differential_language(users.data, users.target, method=method)
    assert found["task"].unique().tolist() == list(users.target)
    gender = found[found["task"] == "gender"]
    pd.testing.assert_frame_equal(
        gender.reset_index(drop=True),
        differential_language(users.data, users.target, task="gender", method=method),
    )
    for label, rows in gender.groupby("class"):
        assert rows["effect"].is_monotonic_decreasing
        first = rows[rows["p_corrected"] < 0.05].head(5)
        assert len(first) == 5
        known = "".join(CLASS_WORDS["gender"][label])
        assert sum(word in known for word in first["word"]) >= 4


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ({"method": "chi2"}, ValueError, "method must be"),
        ({"min_users": 0}, ValueError, "min_users must be"),
        ({"prior": 0}, ValueError, "prior must be"),
        ({"y": ["x", "y"]}, TargetError, "got 6 and 2"),
        ({"task": "age"}, TargetError, "task must be one of"),
        ({"y": ["x"] * 6}, TargetError, "the one class 'x'"),
        ({"y": [{"x"}, {"y"}] * 3}, TargetError, "cells hold sets"),
        ({"min_users": 9}, SourceError, "min_users=9 of the 4 labelled"),
        ({"X": TEXT[[5]], "y": ["x"]}, SourceError, "X holds no words"),
    ],
)
def test_bad_input_is_named(given, error, message):
    with pytest.raises(error, match=message):
        differential_language(**{"X": TEXT, "y": LABELS, **given})
