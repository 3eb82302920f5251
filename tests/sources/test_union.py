"""SourceUnion: columns of a users' table to named sources."""

from __future__ import annotations

import pickle

import joblib
import numpy as np
import pandas as pd
import pytest
import sklearn
from scipy import sparse
from scipy.sparse import coo_array
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import ParameterGrid
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.utils.validation import check_is_fitted
from skorch.helper import SliceDict

from sklearn_profiling.containers import SocialGraph, TokenMessages
from sklearn_profiling.exceptions import SourceError
from sklearn_profiling.sources import CharacterSegmenter, LINEEmbedding, SourceUnion

USERS = pd.DataFrame(
    {
        "messages": [["茶香", "山"], None, ["月"], []],
        "n_fans": [3.0, 4.0, np.nan, 6.0],
        "n_posts": pd.array([1, 2, None, 4], dtype="Int64"),
        "city": ["x", "y", "x", None],
    },
    index=[10, 20, 30, 40],
)
LABELS = np.array(["a", "b", "b", "a"])


class Means(TransformerMixin, BaseEstimator):
    """Learns a mean; tells what it was given."""

    def __init__(self, factor=1.0):
        self.factor = factor

    def fit(self, X, y=None):
        self.seen_ = X
        self.labels_ = y
        self.mean_ = np.nanmean(np.asarray(X, dtype=float))
        return self

    def transform(self, X):
        values = np.asarray(X, dtype=float).reshape(len(X), -1)
        return (values - self.mean_) * self.factor


class CrossFitted(BaseEstimator):
    """Gives training users something else than new ones."""

    def fit(self, X, y=None):
        return self

    def fit_transform(self, X, y=None):
        return np.full((len(X), 1), 7.0)

    def transform(self, X):
        return np.full((len(X), 1), 8.0)


class Gives(BaseEstimator):
    """No mixin, no fit_transform; gives what it is told."""

    def __init__(self, what=None):
        self.what = what

    def fit(self, X, y=None):
        self.fitted_ = True
        return self

    def transform(self, X):
        return self.what


def union(**changes):
    return SourceUnion(
        [
            ("text", CharacterSegmenter(), "messages"),
            ("fans", Means(2.0), ["n_fans"]),
        ],
        **changes,
    )


def test_every_column_goes_through_its_transformer():
    made = union().fit_transform(USERS, LABELS)
    assert isinstance(made, SliceDict)
    assert list(made) == ["text", "fans"]
    assert made.shape == (4,)
    assert isinstance(made["text"], TokenMessages)
    assert made["text"].tolist() == [[["茶", "香"], ["山"]], [], [["月"]], []]
    mean = 13 / 3
    np.testing.assert_allclose(
        made["fans"][:, 0], [2 * (3 - mean), 2 * (4 - mean), np.nan, 2 * (6 - mean)]
    )


def test_the_result_is_sliced_and_hashed_as_one():
    made = union().fit(USERS).transform(USERS)
    part = made[np.array([2, 0])]
    assert part["text"].tolist() == [[["月"]], [["茶", "香"], ["山"]]]
    assert np.array_equal(part["fans"], made["fans"][[2, 0]], equal_nan=True)
    again = union().fit(USERS).transform(USERS)
    assert joblib.hash(made[1:3]) == joblib.hash(again[[1, 2]])


def test_transform_keeps_what_fit_learned():
    fitted = union().fit(USERS, LABELS)
    made = fitted.transform(USERS.iloc[[3]])
    assert made["fans"].tolist() == [[2 * (6 - 13 / 3)]]
    assert made["text"].missing.tolist() == [True]
    assert fitted.named_sources_["fans"].labels_ is LABELS
    assert [(name, column) for name, _, column in fitted.sources_] == [
        ("text", "messages"),
        ("fans", ["n_fans"]),
    ]
    # The transformers given stay as they were.
    assert not hasattr(fitted.sources[1][1], "mean_")
    copy = pickle.loads(pickle.dumps(fitted))
    assert copy.transform(USERS)["text"] == fitted.transform(USERS)["text"]


def test_one_column_is_a_series_and_several_a_table():
    users = USERS.assign(n_posts=[1.0, 2.0, 3.0, 4.0])
    for column, kind in (("n_fans", pd.Series), (["n_fans", "n_posts"], pd.DataFrame)):
        fitted = SourceUnion([("s", Means(), column)]).fit(users)
        seen = fitted.named_sources_["s"].seen_
        assert isinstance(seen, kind)
        assert seen.index.tolist() == USERS.index.tolist()
    assert list(seen.columns) == ["n_fans", "n_posts"]
    # From a mapping too.
    columns = {name: users[name].tolist() for name in ("n_fans", "n_posts")}
    fitted = SourceUnion([("s", Means(), ("n_posts", "n_fans"))]).fit(columns)
    assert fitted.named_sources_["s"].seen_.columns.tolist() == ["n_posts", "n_fans"]


def test_passed_through_and_dropped():
    made = SourceUnion(
        [
            ("counts", "passthrough", ["n_fans", "n_posts"]),
            ("city", "passthrough", "city"),
            ("text", "drop", "no such column"),
        ]
    ).fit(USERS)
    for sources in (made.transform(USERS), made.fit_transform(USERS)):
        assert list(sources) == ["counts", "city"]
        np.testing.assert_array_equal(
            sources["counts"], [[3, 1], [4, 2], [np.nan, np.nan], [6, 4]]
        )
        assert sources["counts"].dtype == np.float64
        assert isinstance(sources["city"], np.ndarray)
        assert sources["city"][:3].tolist() == ["x", "y", "x"]


def test_the_result_of_one_union_is_read_by_another():
    first = SourceUnion(
        [("chars", CharacterSegmenter(), "messages"), ("n", "passthrough", ["n_fans"])]
    )
    second = SourceUnion(
        [
            ("text", "passthrough", "chars"),
            ("counts", Means(), "n"),
            ("again", "passthrough", "n"),
        ]
    )
    made = make_pipeline(first, second).fit(USERS).transform(USERS)
    assert made["text"].tolist() == [[["茶", "香"], ["山"]], [], [["月"]], []]
    assert made["counts"].shape == made["again"].shape == (4, 1)


def test_training_users_get_what_was_learned_from_the_others():
    cross = SourceUnion([("c", CrossFitted(), "city")])
    assert cross.fit_transform(USERS)["c"].tolist() == [[7.0]] * 4
    assert cross.transform(USERS)["c"].tolist() == [[8.0]] * 4


NEW_LINKS = [("eve", "bob", 1.0), ("eve", "cyd", 2.0)]


def linked(wrap=lambda line: line, **changes):
    """Fit a union of a network and a table on two users of a graph; one is new."""
    graph = SocialGraph.from_edges([("ann", "bob"), ("bob", "cyd"), ("cyd", "dan")])
    line = LINEEmbedding(graph, 2, solver="spectral", unknown="nan", random_state=0)
    users = pd.DataFrame({"user_id": ["ann", "bob", "eve"], "n_fans": [1.0, 2.0, 3.0]})
    parts = [
        ("network", wrap(line), "user_id"),
        ("fans", Means(), ["n_fans"]),
        ("ids", "passthrough", "user_id"),
    ]
    return SourceUnion(parts, **changes).fit(users), line.fit(), users


def test_new_links_reach_those_that_take_them():
    fitted, line, users = linked()
    made = fitted.transform(users, new_links=NEW_LINKS)
    expected = line.transform(users["user_id"], new_links=NEW_LINKS)
    assert np.isfinite(expected).all()
    np.testing.assert_array_equal(made["network"], expected)
    assert np.isnan(fitted.transform(users)["network"][2]).all()
    for name in ("fans", "ids"):
        np.testing.assert_array_equal(made[name], fitted.transform(users)[name])
    # None of these takes links.
    links_to_nobody = union().fit(USERS).transform(USERS, new_links=NEW_LINKS)
    assert links_to_nobody["fans"].shape == (4, 1)


@pytest.mark.parametrize(
    "wrap",
    [
        lambda line: make_pipeline(line, FunctionTransformer()),
        lambda line: Pipeline([("no", "passthrough"), ("line", line), ("end", None)]),
        lambda line: make_pipeline(
            FunctionTransformer(lambda ids: {"id": ids}),
            SourceUnion([("vectors", line, "id")]),
            FunctionTransformer(lambda sources: sources["vectors"]),
        ),
    ],
)
def test_new_links_reach_the_steps_of_a_pipeline(wrap):
    fitted, line, users = linked(wrap, n_jobs=1)
    made = fitted.transform(users, new_links=NEW_LINKS)
    expected = line.transform(users["user_id"], new_links=NEW_LINKS)
    np.testing.assert_array_equal(made["network"], expected)


def test_new_links_may_be_routed():
    fitted, line, users = linked()
    with sklearn.config_context(enable_metadata_routing=True):
        model = make_pipeline(clone(fitted).set_transform_request(new_links=True))
        made = model.fit(users).transform(users, new_links=NEW_LINKS)
    expected = line.transform(users["user_id"], new_links=NEW_LINKS)
    np.testing.assert_array_equal(made["network"], expected)


def test_tables_become_arrays():
    class Frames(Means):
        def transform(self, X):
            return pd.DataFrame(super().transform(X), index=X.index)

    made = SourceUnion([("f", Frames(), "n_fans")]).fit_transform(USERS)
    assert isinstance(made["f"], np.ndarray)
    assert made[[3, 0]]["f"].shape == (2, 1)


def test_parameters_at_every_depth():
    made = union(n_jobs=1)
    params = made.get_params()
    assert params["fans__factor"] == 2.0
    assert params["fans"] is made.sources[1][1]
    assert "fans__factor" not in made.get_params(deep=False)
    assert made.set_params(fans__factor=5.0, n_jobs=None) is made
    assert (made.sources[1][1].factor, made.n_jobs) == (5.0, None)
    made.set_params(fans="drop")
    assert list(made.fit_transform(USERS)) == ["text"]
    assert made.sources[1] == ("fans", "drop", ["n_fans"])
    made.set_params(fans=Means(3.0), fans__factor=4.0)
    assert made.sources[1][1].factor == 4.0
    with pytest.raises(ValueError, match="Invalid parameter 'colour'"):
        made.set_params(colour=1)
    for params in ParameterGrid({"fans__factor": [1.0, 2.0]}):
        assert clone(made).set_params(**params).get_params()["fans__factor"] in (1, 2)


def test_clones_share_nothing_and_are_not_fitted():
    made = union().fit(USERS)
    twin = clone(made)
    assert twin.sources[1][1] is not made.sources[1][1]
    twin.set_params(fans__factor=9.0)
    assert made.get_params()["fans__factor"] == 2.0
    check_is_fitted(made)
    with pytest.raises(NotFittedError):
        twin.transform(USERS)


def test_several_at_a_time():
    with joblib.parallel_backend("threading"):
        made = union(n_jobs=2).fit_transform(USERS)
    alone = union().fit_transform(USERS)
    assert made["text"] == alone["text"]
    assert np.array_equal(made["fans"], alone["fans"], equal_nan=True)


def test_two_sources_of_one_transformer_are_fitted_apart():
    shared = Means()
    made = SourceUnion([("a", shared, ["n_fans"]), ("b", shared, ["n_posts"])]).fit(
        USERS
    )
    assert made.named_sources_["a"].mean_ != made.named_sources_["b"].mean_


@pytest.mark.parametrize(
    ("sources", "message"),
    [
        ([], r"must be a list of \(name, transformer, column\); got \[\]"),
        ("text", "must be a list of"),
        ([("text", Means())], "must be a list of"),
        ([("a", Means(), "n_fans"), ("a", Means(), "n_fans")], "not unique"),
        ([("a__b", Means(), "n_fans")], "must not contain __"),
        ([("n_jobs", Means(), "n_fans")], "conflict with constructor arguments"),
        (
            [("a", 3, "n_fans")],
            "source 'a': the transformer must have fit and .* got 3",
        ),
        ([("a", "pass", "n_fans")], "or be 'passthrough' or 'drop'; got 'pass'"),
        ([("a", "drop", "n_fans")], "all sources are dropped"),
        (
            [("a", Means(), "likes")],
            r"source 'a' reads the columns \['likes'\]; X has \['messages', 'n_fans'",
        ),
        ([("a", Means(), ["n_fans", "likes"])], r"reads the columns \['likes'\]"),
        (
            [("a", "passthrough", ["n_fans", "city"])],
            r"source 'a' passes the columns \['n_fans', 'city'\] through.* numbers",
        ),
        (
            [("a", Gives(np.ones((3, 1))), "city"), ("b", Means(), "n_fans")],
            "one row per user; got {'a': 3, 'b': 4}",
        ),
        ([("a", Gives(coo_array([1, 2, 3, 4])), "city")], "'a': .* gave coo_array"),
        ([("a", Gives([1, 2, 3, 4]), "city")], "sparse matrix; it gave list"),
    ],
)
def test_what_is_refused(sources, message):
    # ValueError: names are checked by scikit-learn, all else is a SourceError.
    with pytest.raises(ValueError, match=message) as caught:
        SourceUnion(sources).fit(USERS)
    own = not any(word in message for word in ("unique", "__", "conflict"))
    assert isinstance(caught.value, SourceError) == own


@pytest.mark.parametrize("kind", ["csr", "csc", "coo", "lil", "dok", "bsr", "dia"])
@pytest.mark.parametrize("form", ["array", "matrix"])
def test_sparse_matrices_stay_sparse_and_have_one_hash(kind, form):
    dense = np.array([[1.0, 0], [0, 0], [2, 3], [0, 4]])
    matrix = getattr(sparse, f"{kind}_{form}")(dense)
    made = SourceUnion([("a", Gives(matrix), "city")]).fit_transform(USERS)
    assert type(made["a"]) is getattr(sparse, f"csr_{form}")
    assert made["a"].toarray().tolist() == dense.tolist()
    other = getattr(sparse, f"csr_{form}")(dense)
    assert joblib.hash(made["a"]) == joblib.hash(other)
    part = made[np.array([2, 1])]
    assert part["a"].toarray().tolist() == dense[[2, 1]].tolist()
    assert pickle.loads(pickle.dumps(made))["a"].nnz == 4
    # the sources of one union are the columns of another
    again = SourceUnion([("b", "passthrough", "a")]).fit_transform(made)
    assert joblib.hash(again["b"]) == joblib.hash(made["a"])


def test_entries_of_a_sparse_matrix_are_added_and_in_order():
    matrix = sparse.csr_array(([1, 2, 4.0], [1, 0, 1], [0, 3, 3, 3, 3]), shape=(4, 2))
    rows = SourceUnion([("a", Gives(matrix), "city")]).fit_transform(USERS)["a"]
    assert (rows.indices.tolist(), rows.data.tolist()) == ([0, 1], [2, 5])
    assert matrix.data.tolist() == [1, 2, 4]


def test_tables_of_sparse_columns_stay_sparse():
    matrix = sparse.csr_array([[1.0, 0], [0, 0], [2, 3], [0, 4]])
    table = pd.DataFrame.sparse.from_spmatrix(matrix, columns=["x", "y"])
    made = SourceUnion(
        [("a", Gives(table), "x"), ("b", "passthrough", ["x", "y"])]
    ).fit_transform(table)
    for name in "ab":
        assert sparse.issparse(made[name])
        assert made[name].toarray().tolist() == matrix.toarray().tolist()
    # an absent cell that is no zero would be one in a matrix
    gaps = table.astype(pd.SparseDtype(float, np.nan))
    kept = SourceUnion([("a", Gives(gaps), "x")]).fit_transform(table)["a"]
    assert isinstance(kept, np.ndarray)


@pytest.mark.parametrize("X", [USERS.to_numpy(), [1, 2], None])
def test_what_is_no_table(X):
    with pytest.raises(
        SourceError, match="X must be a DataFrame of users or a mapping"
    ):
        union().fit(X)


def test_a_broken_list_of_sources_can_still_be_shown_and_cloned():
    assert "SourceUnion" in repr(SourceUnion([("a", Means())]))
    assert clone(SourceUnion("text")).sources == "text"
    assert SourceUnion("text").get_params() == {"sources": "text", "n_jobs": None}


def test_tags_are_true():
    tags = union().__sklearn_tags__()
    assert tags.input_tags.string
    assert not tags.input_tags.two_d_array


class TestFeatureNames:
    def test_every_kind_of_source(self):
        line = LINEEmbedding(
            SocialGraph.from_edges([("a", "b"), ("b", "c")]),
            2,
            solver="spectral",
            random_state=0,
        )
        sources = SourceUnion(
            [
                ("network", line, "id"),
                ("counts", "passthrough", ["n_fans", "n_posts"]),
                ("one", "passthrough", "n_fans"),
                ("scaled", make_pipeline(StandardScaler()), ["n_fans"]),
                ("vectors", "passthrough", "vector"),
                ("nothing", "drop", "city"),
            ]
        )
        X = USERS.assign(
            id=list("abca"), vector=pd.Series([[1.0, 2.0]] * 4, index=USERS.index)
        )
        made = sources.fit_transform(X)
        names = sources.get_feature_names_out().tolist()
        assert names == [
            *[f"network__{name}" for name in line.fit(X["id"]).get_feature_names_out()],
            "counts__n_fans",
            "counts__n_posts",
            "one__n_fans",
            "scaled__n_fans",
            "vectors__0",
            "vectors__1",
        ]
        wide = [source.reshape(len(X), -1) for source in made.values()]
        assert np.hstack(wide).shape[1] == len(names)

    def test_a_step_without_names(self):
        fitted = SourceUnion([("mean", Means(), ["n_fans"])]).fit(USERS)
        said = r"'mean' has no names.*Means"
        with pytest.raises(AttributeError, match=said):
            fitted.get_feature_names_out()
        with pytest.raises(NotFittedError):
            SourceUnion([("mean", Means(), ["n_fans"])]).get_feature_names_out()

    @pytest.mark.parametrize("kind", ["default", "pandas", "polars"])
    def test_sources_are_no_table_whatever_is_asked_for(self, kind):
        steps = make_pipeline(union(), FunctionTransformer(lambda sources: sources))
        with sklearn.config_context(transform_output=kind):
            made = union().fit_transform(USERS)
            again = union().fit(USERS).transform(USERS)
        assert isinstance(made, SliceDict)
        assert isinstance(again, SliceDict)
        first = union().set_output(transform=kind).fit_transform(USERS)
        assert first.keys() == made.keys()
        assert isinstance(steps[0].set_output(transform=kind), SourceUnion)


def test_the_diagram_shows_the_sources():
    users = pd.DataFrame({"m": [["a"], None], "v": [[1.0, 2.0], None], "n": [1.0, 2.0]})
    union = SourceUnion(
        [
            ("text", CharacterSegmenter(), "m"),
            ("vectors", "passthrough", "v"),
            ("numbers", "drop", ["n"]),
        ]
    )
    for page in (union._repr_html_(), make_pipeline(union)._repr_html_()):
        for part in ("CharacterSegmenter", "vectors", "numbers", "passthrough", "drop"):
            assert part in page
    page = union.fit(users)._repr_html_()
    assert "CharacterSegmenter" in page
    assert "passthrough" in page
    assert 'data-param-prefix="text__"' in page
    assert 'data-param-prefix="numbers__"' not in page
    for wrong in (None, [("a", "b")], []):
        assert "SourceUnion" in SourceUnion(wrong)._repr_html_()
