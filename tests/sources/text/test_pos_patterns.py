"""Frequent sequences of tags: by hand, against brute force, borders, errors."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import NotFittedError

from sklearn_profiling.containers import TokenMessages, Vocabulary
from sklearn_profiling.exceptions import SourceError
from sklearn_profiling.sources import (
    CharacterSegmenter,
    FrequentPOSPatterns,
    JiebaSegmenter,
)


def random_users(n_users=40, seed=0):
    """Users with 0 to 5 messages of 1 to 9 tags, some pairs common."""
    generator = np.random.default_rng(seed)
    tags = np.array(["v", "n", "r", "d", "uj"])
    return [
        [
            generator.choice(
                tags, generator.integers(1, 10), p=[0.3, 0.4, 0.1, 0.1, 0.1]
            )
            .repeat(generator.integers(1, 3))
            .tolist()
            for _ in range(generator.integers(0, 6))
        ]
        for _ in range(n_users)
    ]


def sequences_of(user, length):
    """All sequences of a length that a user writes, with repeats."""
    return [
        tuple(message[start : start + length])
        for message in user
        for start in range(len(message) - length + 1)
    ]


def brute_force(users, min_support, min_fair_scp, max_length, adherence):
    """Count everything, as the definition says and no faster."""
    written = [user for user in users if user]
    found = {}
    for length in range(1, max_length + 1):
        each = [Counter(sequences_of(user, length)) for user in written]
        support = Counter(pattern for user in each for pattern in user)
        places = sum(each, Counter())
        counted = support if adherence == "users" else places
        found.update({p: (support[p] / len(written), counted[p]) for p in support})
    kept = {}
    for pattern, (share, count) in found.items():
        if share < min_support:
            continue
        parts = [
            found[pattern[:i]][1] * found[pattern[i:]][1]
            for i in range(1, len(pattern))
        ]
        scp = count**2 / np.mean(parts) if parts else np.nan
        if not scp < min_fair_scp:
            kept[pattern] = (share, scp)
    return dict(sorted(kept.items(), key=lambda item: (len(item[0]), item[0])))


@pytest.mark.parametrize("adherence", ["users", "occurrences"])
@pytest.mark.parametrize(
    ("min_support", "min_fair_scp", "max_length"),
    [(0.3, 0.2, 5), (0.1, 0.0, 3), (0.5, 0.6, 4), (1e-9, 0.1, 6)],
)
def test_agrees_with_brute_force(min_support, min_fair_scp, max_length, adherence):
    for seed in range(3):
        users = random_users(seed=seed)
        patterns = FrequentPOSPatterns(
            min_support=min_support,
            min_fair_scp=min_fair_scp,
            max_length=max_length,
            adherence=adherence,
        ).fit(users)
        expected = brute_force(users, min_support, min_fair_scp, max_length, adherence)
        assert patterns.patterns_ == list(expected)
        np.testing.assert_allclose(
            patterns.supports_, [share for share, _ in expected.values()]
        )
        np.testing.assert_allclose(
            patterns.fair_scps_, [scp for _, scp in expected.values()]
        )
        others = random_users(seed=seed + 10)
        marks = patterns.transform(others)
        for row, user in zip(marks, others, strict=True):
            wanted = [
                pattern in sequences_of(user, len(pattern)) if user else np.nan
                for pattern in expected
            ]
            np.testing.assert_array_equal(row, np.array(wanted, dtype=np.float32))


def test_fair_scp_by_hand():
    # a b c in 2 of 4 users, a in 3, b in 4, c in 2, a b in 2, b c in 2
    users = [[["a", "b", "c"]], [["a", "b", "c"]], [["b", "a"]], [["b"]]]
    patterns = FrequentPOSPatterns(min_support=0.5).fit(users)
    scp = dict(zip(patterns.patterns_, patterns.fair_scps_, strict=True))
    assert scp["a", "b"] == pytest.approx(2**2 / (3 * 4))
    assert scp["b", "c"] == pytest.approx(2**2 / (4 * 2))
    # a | bc: 3 * 2, ab | c: 2 * 2
    assert scp["a", "b", "c"] == pytest.approx(2**2 / ((3 * 2 + 2 * 2) / 2))
    assert np.isnan([scp["a",], scp["b",], scp["c",]]).all()
    stricter = FrequentPOSPatterns(min_support=0.5, min_fair_scp=0.5).fit(users)
    # "a b" is too loose to keep and still lengthened
    assert stricter.patterns_[3:] == [("b", "c"), ("a", "b", "c")]


def test_occurrences_count_every_place():
    users = [[["a", "b", "a", "b", "a"]]]
    patterns = FrequentPOSPatterns(
        adherence="occurrences", max_length=2, min_fair_scp=0
    ).fit(users)
    scp = dict(zip(patterns.patterns_, patterns.fair_scps_, strict=True))
    assert scp["a", "b"] == pytest.approx(2**2 / (3 * 2))


def test_support_is_met_exactly():
    users = [[["a"]]] * 3 + [[["b"]]] * 7
    assert FrequentPOSPatterns(min_support=0.3).fit(users).patterns_ == [("a",), ("b",)]
    assert FrequentPOSPatterns(min_support=0.31).fit(users).patterns_ == [("b",)]
    # of users with text alone
    with_silent = users + [None] * 50
    assert FrequentPOSPatterns(min_support=0.3).fit(with_silent).patterns_ == [
        ("a",),
        ("b",),
    ]


def test_patterns_stay_within_messages():
    users = [[["a", "b"], ["c"]], [["a"], ["b", "c"]]]
    patterns = FrequentPOSPatterns(min_support=0.5).fit(users)
    assert ("a", "b", "c") not in patterns.patterns_
    marks = dict(zip(patterns.patterns_, patterns.transform(users).T, strict=True))
    assert marks["a", "b"].tolist() == [1, 0]
    assert marks["b", "c"].tolist() == [0, 1]


def test_unknown_tags_end_a_pattern():
    patterns = FrequentPOSPatterns().fit([[["a", "b"]], [["a", "b"]]])
    marks = patterns.transform([[["a", "new", "b"]], [["new"]], [["a", "b"]]])
    assert marks.tolist() == [[1, 1, 0], [0, 0, 0], [1, 1, 1]]
    assert patterns.transform([None]).shape == (1, 3)


def test_tags_of_text_in_any_numbering():
    users = [[["n", "v"], ["r"]], [], [["n", "v"]]]
    lists = FrequentPOSPatterns().fit(users)
    names = ["v", "unused", "r", "n"]
    text = TokenMessages(
        [0] * 5,
        [0, 2, 3, 5],
        [0, 2, 2, 3],
        Vocabulary(["w"]),
        tags=[3, 0, 2, 3, 0],
        tag_names=names,
    )
    numbered = FrequentPOSPatterns().fit(text)
    assert numbered.patterns_ == lists.patterns_
    np.testing.assert_array_equal(numbered.transform(users), lists.transform(text))
    cut = JiebaSegmenter(part_of_speech=True).transform([["我爱喝茶"], ["我爱北京"]])
    names = FrequentPOSPatterns().fit(cut).get_feature_names_out()
    assert "pos=r+v" in names


@pytest.mark.parametrize("make", [list, tuple, pd.Series, "array"])
def test_columns_of_several_kinds(make):
    cells = [[["n"], ("v",)], None, np.nan, (np.array(["n", "v"]),)]
    if make == "array":
        column = np.empty(4, dtype=object)
        column[:] = cells
    else:
        column = make(cells)
    marks = FrequentPOSPatterns().fit_transform(column)
    assert np.isnan(marks[[1, 2]]).all()
    assert marks[[0, 3]].tolist() == [[1, 1, 0], [1, 1, 1]]


@pytest.mark.parametrize(
    ("users", "message"),
    [
        ([["n", "v"]], r"row 0: the tags of a user must be a list with one.*'n' \(str"),
        (["nv"], r"row 0: .*'nv' \(str\)"),
        ([None, [[1, 2]]], r"row 1: .*\[1, 2\] \(list\)"),
        ([None, []], "no user has any"),
        (3, "takes TokenMessages with tags, or a Series.*got int"),
    ],
)
def test_bad_tags(users, message):
    with pytest.raises(SourceError, match=message):
        FrequentPOSPatterns().fit(users)


def test_text_without_tags_and_use_before_fit():
    text = CharacterSegmenter().transform([["山水"]])
    with pytest.raises(SourceError, match=r"JiebaSegmenter\(part_of_speech=True\)"):
        FrequentPOSPatterns().fit(text)
    with pytest.raises(NotFittedError):
        FrequentPOSPatterns().transform([None])
