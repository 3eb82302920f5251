"""Columns of vectors: what is stacked, what is missing, what is refused."""

from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import torch

from sklearn_profiling.exceptions import SourceError
from sklearn_profiling.sources import SourceUnion

NAN = [np.nan, np.nan]


def union():
    return SourceUnion([("e", "passthrough", "emb")])


@pytest.mark.parametrize(
    "cells",
    [
        pd.Series([None, [1, 2], (3.5, 4), np.array([5, 6])], index=list("wxyz")),
        pd.Series([np.nan, np.array([1, 2]), [3.5, 4.0], np.array([5.0, 6.0])]),
        [pd.NA, [1, 2], [3.5, 4], (5, 6)],
        [
            *(None, torch.tensor([1, 2]), torch.tensor([3.5, 4], requires_grad=True)),
            torch.tensor([5, 6], dtype=torch.bfloat16),
        ],
        pl.Series([None, [1.0, 2.0], [3.5, 4.0], [5.0, 6.0]]),
        pl.Series([None, [1, 2], [3.5, 4], [5, 6]], dtype=pl.Array(pl.Float64, 2)),
        pa.array([None, [1, 2], [3.5, 4], [5, 6]], pa.list_(pa.float32())),
        pa.array([None, [1, 2], [3.5, 4], [5, 6]], pa.list_(pa.float32(), 2)),
        pa.array([None, [1, 2], [3.5, 4], [5, 6]]).to_pandas(),
        pd.Series(
            [None, [1, 2], [3.5, 4], [5, 6]],
            dtype=pd.ArrowDtype(pa.list_(pa.float64())),
        ),
    ],
)
def test_cells_are_stacked(cells):
    made = union().fit_transform({"emb": cells})["e"]
    np.testing.assert_array_equal(made, [NAN, [1, 2], [3.5, 4], [5, 6]])


def test_precision_is_kept():
    cells = [np.ones(3, np.float32), None, np.zeros(3, np.float32)]
    assert union().fit_transform({"emb": cells})["e"].dtype == np.float32
    cells[0] = np.ones(3)
    assert union().fit_transform({"emb": cells})["e"].dtype == np.float64


def test_users_without_any_vector_at_prediction():
    fitted = union().fit({"emb": [[1.0, 2.0], None]})
    fitted = pickle.loads(pickle.dumps(fitted))
    for missing in (
        pd.Series([None, None], dtype=object),
        pd.Series([np.nan] * 2),
        np.array([None, np.nan], dtype=object),
    ):
        made = fitted.transform({"emb": missing})["e"]
        np.testing.assert_array_equal(made, [NAN, NAN])


@pytest.mark.parametrize(
    "cells",
    [[["a"], None], [True, False], [[], [1.0]], [None, None], [["1"], ["2"]]],
    ids=["messages", "bools", "empty", "nothing", "words"],
)
def test_other_columns_pass_as_they_are(cells):
    column = pd.Series(cells, dtype=object)
    made = union().fit_transform(pd.DataFrame({"emb": column}))["e"]
    assert made.tolist() == cells


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        (
            [[1, 2], [1, 2, 3]],
            r"source 'e', row 1 \(1\): .* must hold 2 .*got 3 values, \[1, 2, 3\]",
        ),
        ([[1, 2], "x" * 999], r"row 1 \(1\): .*got 999 values, 'x{56}\.\.\.$"),
        ([[1, 2], [1, "2"]], r"row 1 \(1\): .*got 2 values, \[1, '2'\]"),
        ([[1, 2], 3.0], r"row 1 \(1\): .*got 3\.0"),
        ([[1, 2], [1, [2]]], r"row 1 \(1\): .*got 2 values, \[1, \[2\]\]"),
        ([np.ones(2), np.ones((2, 2))], r"row 1 \(1\): .*must hold 2 numbers"),
    ],
)
def test_bad_vectors(cells, message):
    column = pd.Series(cells, dtype=object)
    with pytest.raises(SourceError, match=message):
        union().fit(pd.DataFrame({"emb": column}))


def test_nulls_within_a_vector_are_missing_numbers():
    made = union().fit_transform({"emb": [[1.0, 2.0], [None, 4], [pd.NA, np.nan]]})
    np.testing.assert_array_equal(made["e"], [[1, 2], [np.nan, 4], NAN])


def test_what_is_no_column_of_vectors_at_prediction():
    fitted = union().fit({"emb": [[1.0, 2.0], None]})
    with pytest.raises(
        SourceError, match=r"'e' must be a Series.*got ndarray \(3, 2\)"
    ):
        fitted.transform({"emb": np.ones((3, 2))})
