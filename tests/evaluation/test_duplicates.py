"""Near duplicates against exact Jaccard similarities, and copies across folds."""

from __future__ import annotations

import time
import warnings

import numpy as np
import pandas as pd
import pytest

from sklearn_profiling.baselines import make_majority_baseline
from sklearn_profiling.evaluation import (
    MultiTaskStratifiedGroupKFold,
    MultiTaskStratifiedKFold,
    compare,
    multi_task_train_test_split,
    near_duplicates,
)
from sklearn_profiling.exceptions import DataQualityWarning, SourceError, TargetError

GENERATOR = np.random.default_rng(0)
LETTERS = np.array(list("abcdefghijklmnopqrstuvwxyz     "))


def text_of(n_characters: int) -> str:
    return "".join(GENERATOR.choice(LETTERS, n_characters))


def jaccard(first: str, second: str, size: int = 5) -> float:
    a, b = (
        {(t + "\0" * size)[i : i + size] for i in range(len(t))}
        for t in (" ".join(first.split()), " ".join(second.split()))
    )
    return len(a & b) / len(a | b)


def changed(text: str, n_changes: int) -> str:
    letters = list(text)
    for place in GENERATOR.choice(len(text), n_changes, replace=False):
        letters[place] = "é"
    return "".join(letters)


@pytest.mark.parametrize("n_characters", [12, 200, 2000])
def test_pairs_are_found_by_their_similarity(n_characters: int) -> None:
    shares = [0.005, 0.01, 0.1, 0.3]
    pairs = []
    for share in shares * 10:
        text = text_of(n_characters)
        pairs.append((text, changed(text, max(1, round(share * n_characters)))))
    groups = near_duplicates([[text] for pair in pairs for text in pair], 0.7)
    found = groups[::2] == groups[1::2]
    similar = np.array([jaccard(*pair) for pair in pairs])
    assert found[similar > 0.85].all()
    assert not found[similar < 0.5].any()
    assert len(np.unique(groups)) == len(groups) - found.sum()


def test_groups_hold_chains_and_copies() -> None:
    text = text_of(3000)
    chain = [text[start : start + 2000] for start in (0, 150, 300, 450)]
    users = [[text_of(2000)], *([part] for part in chain), [chain[0]], [text_of(2000)]]
    assert jaccard(chain[0], chain[3]) < 0.7
    assert near_duplicates(users).tolist() == [0, 1, 1, 1, 1, 1, 2]


def test_case_blanks_width_and_order_do_not_count() -> None:
    users = pd.DataFrame(
        {"tweets": [["Ａ b  c", "北京 天气"], ["北京 天气 ", "a B C"], ["", " "], []]}
    )
    assert near_duplicates(users, 1.0, column="tweets").tolist() == [0, 0, 1, 2]


def test_words_are_shingles_too() -> None:
    users = [["one two three four five"], ["one, two; three! four five."], ["six"]]
    assert near_duplicates(users, shingles="words").tolist() == [0, 0, 1]
    assert near_duplicates(users, shingles="characters").tolist() == [0, 1, 2]
    assert near_duplicates(users, 0.2, shingles="words", shingle_size=9)[0] == 0


def test_nobody_and_nobody_with_text() -> None:
    assert near_duplicates([]).tolist() == []
    assert near_duplicates([None, []]).tolist() == [0, 1]


def test_the_hash_function_is_seeded() -> None:
    users = [[text_of(300)] for _ in range(3)]
    first = near_duplicates(users, 0.02, n_hashes=8, random_state=1)
    assert (first == near_duplicates(users, 0.02, n_hashes=8, random_state=1)).all()


def test_thousands_of_users_take_seconds() -> None:
    users = [[text_of(200)] for _ in range(2000)]
    started = time.perf_counter()
    groups = near_duplicates(users * 2)
    assert time.perf_counter() - started < 10
    assert (groups[:2000] == groups[2000:]).all()
    assert len(np.unique(groups)) == 2000


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"threshold": 0.0}, r"threshold must lie in \(0, 1\]; got 0.0"),
        ({"threshold": "high"}, "got 'high'"),
        ({"shingles": "letters"}, "must be 'characters' or 'words'; got 'letters'"),
        ({"shingle_size": 0}, "shingle_size must be an integer of 1 at least; got 0"),
        ({"n_hashes": None}, "n_hashes must be an integer of 8 at least; got None"),
        ({"column": "text"}, r"reads the column 'text'; X has \['messages'\]"),
    ],
)
def test_wrong_parameters(options: dict[str, object], text: str) -> None:
    users = pd.DataFrame({"messages": [["a"]]})
    with pytest.raises((ValueError, SourceError), match=text):
        near_duplicates(users, **options)  # type: ignore[arg-type]


LABELS = ["f", "m"] * 8


def users_with(texts: list[object]) -> pd.DataFrame:
    return pd.DataFrame({"messages": pd.Series(texts, dtype=object)})


def test_compare_warns_of_copies_and_not_of_users_without_text() -> None:
    texts: list[object] = [[text_of(40)] for _ in LABELS]
    texts[3:8] = [None, [], [""], [" "], None]
    majority = make_majority_baseline()
    folds = [(np.arange(8), np.arange(8, 16)), (np.arange(8, 16), np.arange(8))]
    compare(majority, users_with(texts), LABELS, cv=folds)  # without a warning
    texts[9], texts[12] = texts[0], texts[0]
    with pytest.warns(DataQualityWarning, match=r"^3 users .* row 0.*near_duplic") as w:
        compare(majority, users_with(texts), LABELS, cv=folds)
    assert w[0].filename == __file__
    users = users_with(texts)
    groups = near_duplicates(users)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        compare(majority, users, LABELS, cv=2, groups=groups)
        numbers = pd.DataFrame({"messages": [7.0] * 16})
        compare(majority, numbers, LABELS, cv=folds)


def uneven(y: pd.DataFrame, folds: list[tuple[np.ndarray, np.ndarray]]) -> float:
    """Mean over classes of the spread of their counts over the test parts."""
    spreads = []
    for task in y:
        for label in y[task].dropna().unique():
            counts = [(y[task].iloc[test] == label).sum() for _, test in folds]
            spreads.append((max(counts) - min(counts)) / np.mean(counts))
    return float(np.mean(spreads))


def test_grouped_folds_are_as_even_as_single_users() -> None:
    n_users = 1000
    y = pd.DataFrame(
        {
            "gender": GENERATOR.choice(["f", "m"], n_users),
            "age": GENERATOR.choice(["a", "b", "c"], n_users, p=[0.5, 0.3, 0.2]),
        }
    ).astype(object)
    y.loc[GENERATOR.random(n_users) < 0.3, "age"] = None
    groups = np.arange(n_users)
    copies = GENERATOR.choice(n_users, 300, replace=False)
    groups[copies] = GENERATOR.integers(0, n_users, 300)
    single = list(MultiTaskStratifiedKFold(5, random_state=0).split(y, y))
    kept = list(MultiTaskStratifiedGroupKFold(5, random_state=0).split(y, y, groups))
    assert uneven(y, kept) <= uneven(y, single) + 0.1
    for train, test in kept:
        assert not set(groups[train]) & set(groups[test])


def test_one_split_keeps_groups_together() -> None:
    y = pd.DataFrame({"gender": [*LABELS, None, None]})
    groups = np.repeat(np.arange(9), 2)
    X = pd.DataFrame({"user_id": groups})
    X_train, X_test, y_train, y_test = multi_task_train_test_split(
        X, y, test_size=0.25, groups=groups, random_state=0
    )
    assert not set(X_train["user_id"]) & set(X_test["user_id"])
    assert y_test["gender"].tolist().count("f") == y_test["gender"].count() / 2 == 2
    assert 8 in set(X_train["user_id"])  # nobody in it has a label
    assert len(y_train) + len(y_test) == 18
    with pytest.raises(TargetError, match="stands in 2 rows"):
        multi_task_train_test_split(X, y, random_state=0)
    with pytest.raises(TargetError, match="training and the test part"):
        multi_task_train_test_split(
            X, y, groups=np.arange(18), random_state=0, test_size=0.5
        )
    with pytest.raises(TargetError, match="2 parts need as many groups"):
        multi_task_train_test_split(X, y, groups=[0] * 18)
