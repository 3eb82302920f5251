"""Equal values have equal fingerprints, in any form and process; others differ."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from sklearn_profiling.containers import SocialGraph
from sklearn_profiling.evaluation._fingerprints import fingerprint
from sklearn_profiling.sources import (
    GloVeTransformer,
    JiebaSegmenter,
    Word2VecTransformer,
)

VALUES = [
    None,
    "a",
    "aa",
    "",
    1,
    1.5,
    True,
    b"a",
    ["a", "a"],
    ["aa"],
    [["a"], "a"],
    [],
    {},
    {"a": 1},
    {"a": 2},
    {"a", "b"},
    {"a", "c"},
    np.arange(3),
    np.arange(3.0),
    np.arange(4).reshape(2, 2),
    np.arange(4),
    np.array(["a", None], dtype=object),
    np.array([["a", None]], dtype=object),
    pd.DataFrame({"a": [1, 2]}),
    pd.DataFrame({"b": [1, 2]}),
    pd.Series([1, 2], name="a"),
    sparse.csr_matrix([[0.0, 1.0]]),
    LogisticRegression(),
    LogisticRegression(C=2),
    make_pipeline(StandardScaler(), LogisticRegression()),
    make_pipeline(StandardScaler(), LogisticRegression(C=2)),
    LogisticRegression,
    SocialGraph.from_edges([("a", "b")]),
    SocialGraph.from_edges([("a", "c")]),
    FunctionTransformer(np.log1p),
    FunctionTransformer(fingerprint),
]


def test_different_values_differ() -> None:
    assert len({fingerprint(value) for value in VALUES}) == len(VALUES)


def test_equal_values_agree() -> None:
    text = "爱好"
    assert fingerprint([text, text]) == fingerprint(["爱好", f"{text[0]}好"])
    assert fingerprint([np.nan, None, pd.NA, pd.NaT, np.float32("nan")]) == fingerprint(
        [None] * 5
    )
    assert fingerprint(np.int64(3)) == fingerprint(3)
    assert fingerprint(np.arange(6)[::2]) == fingerprint(np.array([0, 2, 4]))
    table = pd.DataFrame({"id": ["a", "b"], "age": [1.0, None]})
    assert fingerprint(table) == fingerprint(table.set_axis(["x", "y"]))
    assert fingerprint(table) == fingerprint(table.astype(object))
    assert fingerprint(frozenset("abc")) == fingerprint(set("cba"))


def test_parameters_that_change_no_result_do_not_count(tmp_path) -> None:
    first = make_pipeline(StandardScaler(), LogisticRegression())
    second = make_pipeline(
        StandardScaler(), LogisticRegression(n_jobs=2, verbose=1), memory=str(tmp_path)
    )
    assert fingerprint(first) == fingerprint(second)


def test_threads_count_where_they_change_the_result() -> None:
    def system(kind: type, n_jobs: int) -> str:
        return fingerprint(make_pipeline(kind(n_jobs=n_jobs), StandardScaler()))

    assert system(Word2VecTransformer, 1) != system(Word2VecTransformer, 2)
    assert system(GloVeTransformer, 1) == system(GloVeTransformer, 2)


def test_a_fit_does_not_count() -> None:
    model = LogisticRegression()
    before = fingerprint(model)
    assert fingerprint(model.fit([[0], [1]], [0, 1])) == before


def test_another_process_agrees() -> None:
    code = (
        "from sklearn_profiling.evaluation._fingerprints import fingerprint\n"
        "from sklearn.linear_model import LogisticRegression\n"
        "print(fingerprint([frozenset('abcdef'), {'x': 1.5}, LogisticRegression()]))"
    )
    output = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    ).stdout.strip()
    expected = fingerprint([frozenset("abcdef"), {"x": 1.5}, LogisticRegression()])
    assert output == expected


def test_what_has_no_name_and_no_pickle_is_refused() -> None:
    with pytest.raises(ValueError, match=r"<lambda>.*define it at the top level"):
        fingerprint(FunctionTransformer(lambda x: x))
    with pytest.raises(ValueError, match=r"generator cannot be hashed"):
        fingerprint({"a": (i for i in range(3))})


def test_files_and_folders_that_parameters_name_count_by_content(tmp_path):
    path = tmp_path / "words.txt"
    path.write_text("tea 3")
    named = [JiebaSegmenter(user_dictionary=each) for each in (str(path), path)]
    folder = JiebaSegmenter(user_dictionary=tmp_path)
    before = [fingerprint(each) for each in (*named, folder)]
    assert before == [fingerprint(each) for each in (*named, folder)]
    path.write_text("coffee 3")
    after = [fingerprint(each) for each in (*named, folder)]
    assert not set(before) & set(after)
    # no paths at all
    for odd in ("no/such/file", "a" * 5000 + "/", "nul\0."):
        assert fingerprint(JiebaSegmenter(user_dictionary=odd))
