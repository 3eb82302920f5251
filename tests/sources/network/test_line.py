"""LINEEmbedding: who gets which vector, and that it is trained once."""

from __future__ import annotations

import errno
import mmap
import os
import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest
from joblib import Memory
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline

from sklearn_profiling.containers.social_graph import SocialGraph
from sklearn_profiling.exceptions import ProfilingWarning, SourceError
from sklearn_profiling.sources.network import LINEEmbedding
from sklearn_profiling.sources.network import line as line_module
from sklearn_profiling.sources.network._line_sgd import default_samples

QUICK = {"n_components": 16, "n_samples": 60_000, "random_state": 0}


def two_communities(n_users=80, inside=0.25, across=0.02, seed=0, **arguments):
    rng = np.random.default_rng(seed)
    side = np.arange(n_users) % 2
    chance = np.where(side[:, None] == side[None, :], inside, across)
    linked = np.triu(rng.random((n_users, n_users)) < chance, 1)
    names = np.array([f"u{n}" for n in range(n_users)], dtype=object)
    edges = [(names[a], names[b]) for a, b in np.argwhere(linked)]
    return SocialGraph.from_edges(edges, ids=names, **arguments), side


@pytest.fixture(scope="module")
def communities():
    return two_communities()


@pytest.fixture
def triangle():
    return SocialGraph.from_edges(
        [("a", "b"), ("b", "c"), ("c", "a"), ("c", "d")], ids=list("abcdz")
    )


def spectral(graph, **arguments):
    defaults = {"n_components": 4, "solver": "spectral", "random_state": 0}
    return LINEEmbedding(graph, **(defaults | arguments))


@pytest.mark.parametrize("solver", ["sgd", "spectral"])
@pytest.mark.parametrize("order", ["first", "second", "both"])
@pytest.mark.parametrize("expansion", [None, 20])
def test_two_communities_are_found(communities, solver, order, expansion):
    graph, side = communities
    line = LINEEmbedding(
        graph,
        solver=solver,
        order=order,
        expansion=expansion,
        learning_rate=0.1,
        **QUICK,
    )
    vectors = line.fit_transform(graph.ids)[:, :-1]
    score = cross_val_score(LogisticRegression(C=10), vectors, side, cv=5).mean()
    assert score > 0.9


def test_directed_graph():
    graph, _ = two_communities(directed=True)
    line = spectral(graph, expansion=None).fit()
    follows_nobody = np.diff(graph.adjacency.indptr) == 0
    halves = line.embedding_[:, :2], line.embedding_[:, 2:]
    assert (halves[0][~graph.isolated] != 0).any(axis=1).all()
    np.testing.assert_array_equal(halves[1][follows_nobody], 0)
    turned = LINEEmbedding(graph, order="second", **QUICK).fit()
    np.testing.assert_array_equal(turned.embedding_[follows_nobody], 0)


class TestOutput:
    def test_each_order_has_unit_length(self, triangle):
        vectors = spectral(triangle).fit_transform(["a", "d"])
        assert vectors.dtype == np.float32
        for half in (vectors[:, :2], vectors[:, 2:4]):
            np.testing.assert_allclose(np.linalg.norm(half, axis=1), 1, rtol=1e-5)
        raw = spectral(triangle, normalize=False).fit_transform(["a", "d"])
        assert not np.allclose(np.linalg.norm(raw[:, :2], axis=1), 1)

    def test_names(self, triangle):
        line = spectral(triangle).fit()
        assert line.get_feature_names_out().tolist() == [
            *("line_first0", "line_first1", "line_second0", "line_second1"),
            "line_missing",
        ]
        nan = spectral(triangle, order="second", unknown="nan", n_components=3).fit()
        assert nan.get_feature_names_out().tolist() == [
            f"line_second{n}" for n in range(3)
        ]
        assert (line.n_features_out_, nan.n_features_out_) == (5, 3)

    def test_set_output(self, triangle):
        frame = spectral(triangle).set_output(transform="pandas").fit_transform(["a"])
        assert frame.columns[-1] == "line_missing"

    @pytest.mark.parametrize(
        "column",
        [
            ["c", "x", None],
            np.array(["c", "x", None], dtype=object),
            pd.Series(["c", "x", None], index=[5, 6, 7]),
            pd.DataFrame({"user_id": ["c", "x", None]}),
            np.array([["c"], ["x"], [None]], dtype=object),
            pd.Index(["c", "x", None]),
        ],
    )
    def test_every_kind_of_column(self, triangle, column):
        line = spectral(triangle).fit(column)
        vectors = line.transform(column)
        np.testing.assert_array_equal(vectors[0, :-1], line.embedding_[2])
        np.testing.assert_array_equal(vectors[:, -1], [0, 1, 1])
        np.testing.assert_array_equal(vectors[1:, :-1], 0)

    def test_unlinked_and_unknown_users(self, triangle):
        users = ["a", "z", "nobody"]
        nan = spectral(triangle, unknown="nan").fit_transform(users)
        assert np.isnan(nan).all(axis=1).tolist() == [False, True, True]
        refusing = spectral(triangle, unknown="error").fit(users)
        assert refusing.transform(["a"]).shape == (1, 4)
        with pytest.raises(SourceError, match=r"2 users .* 'z' in row 1"):
            refusing.transform(users)

    def test_no_user_at_all(self, triangle):
        assert spectral(triangle).fit([]).transform([]).shape == (0, 5)

    def test_in_a_pipeline(self, communities):
        graph, side = communities
        model = make_pipeline(spectral(graph), LogisticRegression())
        assert cross_val_score(model, graph.ids, side, cv=3).mean() > 0.9


class TestNewUsers:
    def test_weighted_mean_of_neighbours(self, triangle):
        line = spectral(triangle, normalize=False).fit()
        links = [
            ("new", "a", 1),
            ("d", "new", 3),
            ("new", "z", 1),
            ("a", "b", 1),
            ("new", "other", 1),
            ("z", "b", 2),
        ]
        vectors = line.transform(["new", "a", "other", "z", "new"], new_links=links)
        wanted = (line.embedding_[0] + 3 * line.embedding_[3]) / 4
        np.testing.assert_allclose(vectors[0, :-1], wanted, rtol=1e-5)
        np.testing.assert_array_equal(vectors[4], vectors[0])
        np.testing.assert_array_equal(vectors[1, :-1], line.embedding_[0])
        np.testing.assert_allclose(vectors[3, :-1], line.embedding_[1], rtol=1e-5)
        assert vectors[:, -1].tolist() == [0, 0, 1, 0, 0]

    def test_frames_and_unit_length(self, triangle):
        line = spectral(triangle).fit()
        frame = pd.DataFrame({"source": ["new", "new"], "target": ["a", "d"]})
        vector = line.transform(["new"], new_links=frame)[0]
        np.testing.assert_allclose(np.linalg.norm(vector[:2]), 1, rtol=1e-5)
        np.testing.assert_array_equal(
            line.transform(["a"], new_links=frame), line.transform(["a"])
        )

    @pytest.mark.parametrize("solver", ["sgd", "spectral"])
    def test_resembles_what_training_would_give(self, solver):
        graph, _ = two_communities(n_users=200, inside=0.15)
        full = LINEEmbedding(graph, solver=solver, learning_rate=0.1, **QUICK).fit()
        new = list(graph.ids[:20])
        links = [(name, friend) for name in new for friend in graph.neighbors(name)]
        part = clone(full).set_params(graph=graph.subgraph(graph.ids[20:])).fit()
        placed = part.transform(new, new_links=links)
        assert (placed[:, -1] == 0).all()
        # The two fits differ by a rotation: compare whom the users lie close to.
        trained = full.transform(graph.ids)[:, :-1]
        ours = placed[:, :-1] @ part.transform(graph.ids[20:])[:, :-1].T
        theirs = trained[:20] @ trained[20:].T
        likeness = [np.corrcoef(a, b)[0, 1] for a, b in zip(ours, theirs, strict=True)]
        assert np.mean(likeness) > 0.6


class TestDeterminism:
    @pytest.mark.parametrize("solver", ["sgd", "spectral"])
    def test_same_seed_same_bits_for_any_n_jobs(self, communities, solver):
        graph, _ = communities
        one, two = (
            LINEEmbedding(graph, solver=solver, n_jobs=n, **QUICK).fit().embedding_
            for n in (1, 2)
        )
        np.testing.assert_array_equal(one, two)

    def test_each_order_is_itself_in_both(self, triangle):
        both = spectral(triangle).fit().embedding_
        first = spectral(triangle, order="first", n_components=2).fit().embedding_
        np.testing.assert_array_equal(both[:, :2], first)

    def test_random_state_instance(self, communities):
        graph, _ = communities
        settings = QUICK | {"random_state": np.random.RandomState(0)}
        assert LINEEmbedding(graph, **settings).fit().embedding_.shape == (80, 16)


class TestMemory:
    @pytest.fixture
    def calls(self, monkeypatch):
        made = []
        solve = LINEEmbedding._solve

        def counted(self, graph):
            made.append(self)
            return solve(self, graph)

        monkeypatch.setattr(LINEEmbedding, "_solve", counted)
        return made

    @pytest.mark.parametrize("kind", [str, lambda path: Memory(path, verbose=0)])
    def test_trained_once(self, communities, tmp_path, calls, kind):
        line = LINEEmbedding(communities[0], memory=kind(tmp_path), **QUICK)
        with ThreadPoolExecutor(2) as pool:
            fitted = list(pool.map(lambda model: model.fit(), [line, clone(line)]))
        assert len(calls) == 1
        np.testing.assert_array_equal(fitted[0].embedding_, fitted[1].embedding_)
        fresh = clone(line).set_params(memory=None).fit()
        np.testing.assert_array_equal(fresh.embedding_, fitted[0].embedding_)

    def test_what_changes_the_vectors_changes_the_key(
        self, communities, tmp_path, calls
    ):
        line = LINEEmbedding(communities[0], memory=str(tmp_path), **QUICK).fit()
        for changes in (
            {"unknown": "nan"},
            {"n_jobs": 2},
            {"normalize": False},
            {"verbose": 0},
            {"n_components": np.int64(16)},
        ):
            clone(line).set_params(**changes).fit()
        assert len(calls) == 1
        for n, changes in enumerate(
            (
                {"random_state": 1},
                {"expansion": None},
                {"n_negatives": 3},
                {"solver": "spectral"},
                {"n_samples": 1000},
                {"order": "first"},
                {"graph": two_communities(seed=1)[0]},
            ),
            start=2,
        ):
            clone(line).set_params(**changes).fit()
            assert len(calls) == n

    @pytest.mark.parametrize("random_state", [None, np.random.RandomState(0)])
    def test_needs_an_int(self, triangle, tmp_path, random_state):
        line = spectral(triangle, memory=str(tmp_path), random_state=random_state)
        with pytest.warns(ProfilingWarning, match="only an int"):
            line.fit()
        assert not list(tmp_path.iterdir())


class TestTravel:
    def test_clone_shares_the_graph(self, triangle):
        assert clone(spectral(triangle)).graph is triangle

    def test_pickle(self, triangle):
        line = spectral(triangle).fit()
        copied = pickle.loads(pickle.dumps(line))
        np.testing.assert_array_equal(copied.transform(["a"]), line.transform(["a"]))
        assert copied.graph == triangle

    def test_tags(self):
        tags = LINEEmbedding().__sklearn_tags__()
        assert tags.input_tags.one_d_array
        assert tags.input_tags.string
        assert not tags.input_tags.two_d_array


class TestRefit:
    def test_a_new_graph_counts_from_the_next_fit_on(self, triangle):
        line = spectral(triangle).fit()
        before = line.transform(["d"])
        line.set_params(graph=SocialGraph.from_edges([("d", "e")]))
        np.testing.assert_array_equal(line.transform(["d"]), before)
        assert line.fit().transform(["a"])[0, -1] == 1

    def test_tuples_as_ids(self):
        graph = SocialGraph.from_edges([((1, 2), (3, 4)), ((3, 4), (5, 6))])
        vectors = spectral(graph).fit_transform([(1, 2), (7, 8)])
        assert vectors[:, -1].tolist() == [0, 1]
        assert spectral(graph).fit_transform([(7, 8)])[0, -1] == 1


class TestErrors:
    def test_no_graph(self):
        with pytest.raises(SourceError, match="needs the network"):
            LINEEmbedding().fit()

    def test_no_links(self):
        graph = SocialGraph.from_edges([], ids=["a", "b"])
        with pytest.raises(SourceError, match="2 users has no links"):
            LINEEmbedding(graph).fit()

    def test_odd_halves(self, triangle):
        with pytest.raises(SourceError, match="even, got 5"):
            spectral(triangle, n_components=5).fit()

    @pytest.mark.parametrize(
        "ids",
        [
            "abc",
            7,
            np.zeros((2, 2)),
            np.zeros((1, 1, 1)),
            pd.DataFrame({"a": ["a"], "b": ["b"]}),
        ],
    )
    def test_not_one_column(self, triangle, ids):
        with pytest.raises(SourceError, match="one column"):
            spectral(triangle).fit(ids)

    def test_ids_of_another_kind(self, triangle):
        with pytest.raises(SourceError, match=r"1 are of another kind .* 'a'"):
            spectral(triangle).fit([1, 2, None])
        numbers = SocialGraph.from_edges([(1, 2)])
        with pytest.raises(SourceError, match="'1' are of another kind"):
            spectral(numbers).fit().transform(["1"])
        assert spectral(numbers).fit_transform([None])[0, -1] == 1

    @pytest.mark.parametrize(
        "wrong", [{"order": "third"}, {"n_samples": 0}, {"expansion": 0}, {"graph": 3}]
    )
    def test_parameters_are_checked(self, triangle, wrong):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            spectral(triangle).set_params(**wrong).fit()


def test_default_samples():
    assert default_samples(1_000) == 400_000
    assert default_samples(1_000_000) == 20_000_000
    assert default_samples(10**9) == 10**10


def test_progress_bar(triangle, capsys):
    LINEEmbedding(triangle, n_components=4, n_samples=100, verbose=1).fit()
    assert "second order" in capsys.readouterr().err


def test_lines_module_is_the_public_place():
    assert line_module.__all__ == ["LINEEmbedding"]


@pytest.mark.slow
@pytest.mark.parametrize(("solver", "accuracy"), [("sgd", 0.86), ("spectral", 0.85)])
def test_country_of_lastfm_users(real_data, solver, accuracy):
    folder = real_data / "lastfm_deezer"
    country = pd.read_csv(folder / "lastfm_asia_target.csv")
    graph = SocialGraph.from_edges(
        pd.read_csv(folder / "lastfm_asia_edges.csv"),
        source="node_1",
        target="node_2",
        ids=country["id"],
    )
    line = LINEEmbedding(graph, 128, solver=solver, n_jobs=2, random_state=0)
    score = cross_val_score(
        LogisticRegression(max_iter=300),
        line.fit_transform(country["id"]),
        country["target"],
        cv=StratifiedKFold(5, shuffle=True, random_state=0),
    ).mean()
    assert score >= accuracy


@pytest.mark.parametrize("order", ["both", "second"])
def test_tables_in_a_folder_give_the_same_bits(communities, tmp_path, order):
    graph, _ = communities
    settings = {"order": order, "n_samples": 3000, "random_state": 0}
    plain = LINEEmbedding(graph, 20, **settings).fit()
    folder = tmp_path / "tables" / "here"
    mapped = LINEEmbedding(graph, 20, table_folder=folder, **settings).fit()
    assert np.array_equal(plain.embedding_, mapped.embedding_)
    array = mapped.embedding_
    while isinstance(array.base, np.ndarray):
        array = array.base
    assert isinstance(array.base, mmap.mmap)
    assert list(folder.iterdir()) == []
    again = pickle.loads(pickle.dumps(mapped))
    assert np.array_equal(again.transform(graph.ids), plain.transform(graph.ids))
    raw = LINEEmbedding(graph, 20, table_folder=folder, normalize=False, **settings)
    assert not np.allclose(raw.fit().embedding_, plain.embedding_)


def test_a_folder_that_cannot_hold_the_tables_is_named(
    communities, tmp_path, monkeypatch
):
    graph, _ = communities

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "posix_fallocate", full)
        with pytest.raises(SourceError, match=r"cannot hold the tables: .*No space"):
            LINEEmbedding(graph, 4, table_folder=tmp_path / "full").fit()
    (tmp_path / "file").write_text("")
    line = LINEEmbedding(graph, 4, table_folder=tmp_path / "file")
    with pytest.raises(SourceError, match=r"table_folder=.*file' cannot hold"):
        line.fit()
