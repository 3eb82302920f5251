"""Adjacency rows: values by hand, ids of all forms, scikit-learn's data-free checks."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.utils.estimator_checks import (
    check_do_not_raise_errors_in_init_or_set_params,
    check_estimator_cloneable,
    check_estimator_repr,
    check_get_params_invariance,
    check_no_attributes_set_in_init,
    check_set_params,
    check_valid_tag_types,
)

from sklearn_profiling.containers import SocialGraph
from sklearn_profiling.exceptions import SourceError
from sklearn_profiling.sources.network.adjacency import AdjacencyRows

GRAPH = SocialGraph.from_edges(
    [("a", "b"), ("b", "c"), ("a", "c")], weights=[1.0, 4.0, 3.0], ids=list("abcd")
)


def test_rows_by_hand() -> None:
    rows = AdjacencyRows(GRAPH).fit_transform(["c", "d", "stranger", "a"])
    assert sparse.issparse(rows)
    assert rows.dtype == np.float32
    np.testing.assert_array_equal(
        rows.toarray(), [[1, 1, 0, 0], [0] * 4, [0] * 4, [0, 1, 1, 0]]
    )


def test_weights_and_normalised_rows() -> None:
    weighted = AdjacencyRows(GRAPH, weighted=True)
    np.testing.assert_array_equal(
        weighted.fit_transform(["c", "x"]).toarray(), [[3, 4, 0, 0], [0] * 4]
    )
    for weights, by, expected in (
        (True, "degree", [3 / 7, 4 / 7]),
        (False, "degree", [1 / 2, 1 / 2]),
        (True, "l2", [3 / 5, 4 / 5]),
    ):
        made = clone(weighted).set_params(weighted=weights, normalize=by)
        rows = made.fit_transform(["c", "x"])
        np.testing.assert_allclose(rows.toarray()[0, :2], expected, rtol=1e-6)
        assert rows.toarray()[1].tolist() == [0] * 4


def test_ids_of_another_kind_are_refused() -> None:
    numbered = SocialGraph.from_edges([(0, 1), (1, 2)])
    with pytest.raises(SourceError, match="Ids such as '0' are of another kind"):
        AdjacencyRows(numbered).fit_transform(["0", "1", None])
    with pytest.raises(SourceError, match="Ids such as 1 are of another kind"):
        AdjacencyRows(GRAPH).fit_transform([1, 2])
    strangers = AdjacencyRows(GRAPH).fit_transform(["x", None])
    assert strangers.nnz == 0
    empty = SocialGraph.from_edges([], ids=[])
    assert AdjacencyRows(empty).fit_transform([1, 2]).shape == (2, 0)


def test_links_count_in_both_directions() -> None:
    graph = SocialGraph.from_edges([("a", "b")], directed=True, ids=["a", "b"])
    rows = AdjacencyRows(graph).fit_transform(["a", "b"])
    np.testing.assert_array_equal(rows.toarray(), [[0, 1], [1, 0]])


@pytest.mark.parametrize(
    "ids",
    [
        ["a", "x"],
        np.array(["a", "x"]),
        pd.Series(["a", "x"]),
        pd.DataFrame({"user_id": ["a", "x"]}),
        np.array([["a"], ["x"]], dtype=object),
        pd.Series(["a", None]),
    ],
    ids=lambda ids: type(ids).__name__,
)
def test_ids_of_all_forms(ids: Any) -> None:
    rows = AdjacencyRows(GRAPH).fit(ids).transform(ids)
    np.testing.assert_array_equal(rows.toarray(), [[0, 1, 1, 0], [0] * 4])


def test_names_clone_and_pickle() -> None:
    model = AdjacencyRows(GRAPH).fit(["a"])
    assert model.get_feature_names_out().tolist() == list("abcd")
    assert model.n_features_out_ == 4
    assert clone(model).graph is GRAPH
    copy = pickle.loads(pickle.dumps(model))
    assert (copy.transform(["a"]) != model.transform(["a"])).nnz == 0
    assert AdjacencyRows(GRAPH).transform(["a"]).nnz == 2


def test_errors() -> None:
    with pytest.raises(SourceError, match=r"must be one column, got .* \(1, 2\)"):
        AdjacencyRows(GRAPH).fit(pd.DataFrame({"a": [1], "b": [2]}))
    with pytest.raises(ValueError, match="'normalize' parameter of AdjacencyRows"):
        AdjacencyRows(GRAPH, normalize="l1").fit(["a"])  # type: ignore[arg-type]


def test_symmetric_rows_have_a_link_to_oneself():
    graph = SocialGraph.from_edges([("a", "b"), ("b", "c")], ids=list("abcd"))
    rows = AdjacencyRows(graph, normalize="symmetric").fit_transform(list("bda"))
    a, b = 1 / np.sqrt(2), 1 / np.sqrt(3)
    np.testing.assert_allclose(
        rows.toarray(),
        [[a * b, b * b, a * b, 0], [0, 0, 0, 0], [a * a, a * b, 0, 0]],
        rtol=1e-6,
    )
    assert rows.dtype == np.float32
    assert graph.adjacency.data.tolist() == [1] * 4
    empty = SocialGraph.from_edges([], ids=[])
    assert AdjacencyRows(empty, normalize="symmetric").fit_transform([1]).shape == (
        1,
        0,
    )


@pytest.mark.parametrize(
    "check",
    [
        check_do_not_raise_errors_in_init_or_set_params,
        check_estimator_cloneable,
        check_estimator_repr,
        check_get_params_invariance,
        check_no_attributes_set_in_init,
        check_set_params,
        check_valid_tag_types,
    ],
)
def test_scikit_learn_data_free_checks(check: Any) -> None:
    check("AdjacencyRows", AdjacencyRows(GRAPH))
