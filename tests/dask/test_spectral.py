"""LINE on a cluster against LINE on one machine."""

from __future__ import annotations

import dask
import dask.dataframe as dd
import numpy as np
import pandas as pd
import pytest
from scipy.linalg import subspace_angles

from sklearn_profiling.containers import SocialGraph
from sklearn_profiling.dask import _blocks, spectral, spectral_line
from sklearn_profiling.exceptions import DataFormatError, GraphError, SourceError
from sklearn_profiling.sources import LINEEmbedding, UserVectors


@pytest.fixture(autouse=True)
def without_cluster():
    with dask.config.set(scheduler="synchronous"):
        yield


def messy_edges(n_users=300, n_edges=2500, seed=0):
    """Weighted edges, mostly within three groups: some again, turned, self-links."""
    rng = np.random.default_rng(seed)
    source = rng.integers(n_users, size=n_edges)
    target = (source + 3 * rng.integers(n_users // 9, size=n_edges)) % n_users
    target[::5] = rng.integers(n_users // 2, size=len(target[::5]))
    again = rng.integers(n_edges, size=100)
    loops = [5, 5, n_users + 7]
    edges = pd.DataFrame(
        {
            "source": np.concatenate([source, source[again], target[again], loops]),
            "target": np.concatenate([target, target[again], source[again], loops]),
        }
    )
    return edges.assign(weight=rng.choice([0.1, 1.0, 2.5], size=len(edges)))


def as_text(edges):
    return edges.assign(
        source="ü" + edges["source"].astype(str),
        target="ü" + edges["target"].astype(str),
    )


def on_one_machine(edges, **settings):
    """Return the graph and LINE's vectors of users with links, by id."""
    directed = settings.pop("directed", False)
    graph = SocialGraph.from_edges(edges, directed=directed)
    line = LINEEmbedding(
        graph, solver="spectral", expansion=None, random_state=0, **settings
    ).fit()
    names = line.get_feature_names_out()[:-1]
    table = pd.DataFrame(line.embedding_, index=graph.ids, columns=names)
    return graph, table[~graph.isolated]


def assert_same(found, expected, settings):
    vectors = found.vectors.compute().set_index("id").loc[expected.index]
    assert len(vectors) == len(found.vectors) == found.report["n_vectors"]
    assert list(vectors) == list(expected)
    assert set(vectors.dtypes) == {np.dtype(np.float32)}
    halves = 2 if settings.get("order", "both") == "both" else 1
    for half in range(halves):
        columns = slice(half * 16 // halves, (half + 1) * 16 // halves)
        angles = subspace_angles(
            vectors.to_numpy(float)[:, columns], expected.to_numpy(float)[:, columns]
        )
        assert angles.max() < 1e-3
    np.testing.assert_allclose(vectors, expected, atol=1e-3)


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"directed": True},
        {"directed": True, "order": "first"},
        {"order": "second", "normalize": False, "n_negatives": 2},
    ],
    ids=str,
)
def test_messy_edges_as_on_one_machine(settings):
    edges = messy_edges()
    graph, expected = on_one_machine(edges, n_components=16, **settings)
    parts = dd.from_pandas(edges, npartitions=20)  # joined in two steps
    found = spectral_line(parts, 16, random_state=0, **settings)
    assert_same(found, expected, settings)
    report = found.report
    assert report["edges"] == len(edges)
    counts = [report[key] for key in ("self_loops", "duplicates", "n_links")]
    assert report["edges"] == sum(counts)
    assert report["n_users"] == graph.n_users == report["n_isolated"] + len(expected)
    assert report["n_isolated"] == 1
    if settings.get("order") != "first":
        assert counts == [
            graph.report["self_loops"],
            graph.report["duplicates"],
            graph.n_edges,
        ]
    else:
        assert report["n_links"] == graph.to_undirected().n_edges


def test_blocks_groups_and_draws_change_nothing(monkeypatch):
    edges = as_text(messy_edges())
    _, expected = on_one_machine(edges, n_components=16)
    monkeypatch.setattr(_blocks, "_ARCS_PER_BLOCK", 500)
    monkeypatch.setattr(_blocks, "_BYTES_PER_GROUP", 8000)
    monkeypatch.setattr(spectral, "_BYTES_PER_DRAW", 4000)
    layout = _blocks.Layout.of(301, len(edges), 24)
    assert layout.n_blocks == 11
    assert [len(group) for group in layout.groups] == [3, 3, 3, 2]
    assert sum(layout.n_rows(block) for block in range(11)) == 301
    found = spectral_line(dd.from_pandas(edges, npartitions=3), 16, random_state=0)
    assert_same(found, expected, {})


def test_order_of_edges_and_partitions():
    edges = messy_edges()
    tables = [
        spectral_line(dd.from_pandas(each, npartitions=n), 16, random_state=0)
        .vectors.compute()
        .reset_index(drop=True)
        for each, n in ((edges, 2), (edges.sample(frac=1, random_state=0), 7))
    ]
    pd.testing.assert_frame_equal(*tables, check_exact=False, atol=1e-5)


@pytest.mark.timeout(300)
def test_two_workers_and_parquet(tmp_path):
    distributed = pytest.importorskip("distributed")
    edges = as_text(messy_edges())
    _, expected = on_one_machine(edges, n_components=16)
    folder = tmp_path / "edges"
    folder.mkdir()
    for number in range(4):
        edges[number::4].to_parquet(folder / f"{number}.parquet")
    cluster = distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0"
    )
    with (
        dask.config.set(scheduler="distributed"),
        cluster,
        distributed.Client(cluster),
    ):
        found = spectral_line(folder, 16, random_state=0)
        assert_same(found, expected, {})
        found.vectors.to_parquet(tmp_path / "vectors")
    table = pd.read_parquet(tmp_path / "vectors")
    known = UserVectors(table).fit()
    np.testing.assert_allclose(
        known.transform(expected.index), expected.to_numpy(), atol=1e-3
    )
    assert np.isnan(known.transform(["ü307"])).all()  # linked to itself alone


def test_few_users():
    edges = dd.from_pandas(pd.DataFrame({"a": [1], "b": [2]}), npartitions=1)
    found = spectral_line(edges, 6, source="a", target="b", random_state=0)
    vectors = found.vectors.compute()
    assert vectors["id"].tolist() == [1, 2]
    assert (vectors.iloc[:, 3:4] == 0).all(axis=None)  # beyond the rank
    assert found.report["n_links"] == 1


def test_no_link_above_chance():
    # all links of a complete graph are as likely as chance has them
    pairs = np.array([(i, j) for i in range(6) for j in range(i)])
    edges = pd.DataFrame(pairs, columns=["source", "target"])
    settings = {"order": "second", "normalize": False}
    _, expected = on_one_machine(edges, n_components=16, **settings)
    found = spectral_line(
        dd.from_pandas(edges, npartitions=1), 16, random_state=0, **settings
    )
    vectors = found.vectors.compute().set_index("id").loc[expected.index].to_numpy()
    # eigenvalues repeat, so only inner products are defined
    np.testing.assert_allclose(
        vectors @ vectors.T, expected @ expected.T, rtol=1e-4, atol=1e-6
    )
    assert np.abs(vectors).max() > 0.1


def frame(**columns):
    return dd.from_pandas(pd.DataFrame(columns), npartitions=2)


@pytest.mark.parametrize(
    ("edges", "settings", "message"),
    [
        (frame(source=[1], other=[2]), {}, "no column 'target'"),
        (frame(source=[1], target=[2]), {"weights": "w"}, "no column 'w'"),
        (
            frame(source=[1, 2, 3], target=[2, 3, 1], weight=[1.0, 2.0, -1.0]),
            {},
            r"Partition 1 of the edges: Weights .* edge 0 has -1.0",
        ),
        (
            frame(source=[1, 2], target=[2, 3], weight=[np.inf, 1]),
            {},
            r"Partition 0 of the edges: Weights .* has inf",
        ),
        (
            frame(source=[1, 2], target=[2, 1], weight=[3e38, 3e38]),
            {},
            "sum to more than float32 holds",
        ),
        (
            frame(source=["a", None], target=["b", "c"]),
            {},
            "Partition 1 of the edges: sources of edges: row 0 holds no id",
        ),
        (frame(source=["a"], target=[1]), {}, "are of two kinds"),
        (
            frame(source=[2**63], target=[2**63 + 1]),
            {},
            "whole numbers of 64 bits, got 9223372036854775808",
        ),
        (
            frame(source=[1, 2], target=[2, 3])[["source", "target"]].loc[7:],
            {},
            "The 0 edges hold no link between two users",
        ),
        (
            frame(source=[4, 4], target=[4, 4]),
            {},
            "The 2 edges hold no link between two users: 2 are links of a user",
        ),
        (
            pd.DataFrame({"source": [1], "target": [2]}),
            {},
            "must be a Dask DataFrame or the path of Parquet files, got DataFrame",
        ),
    ],
)
def test_edges_that_are_not_usable(edges, settings, message):
    with pytest.raises(GraphError, match=message):
        spectral_line(edges, 4, **settings)


def test_partitions_of_different_kinds():
    parts = [
        dask.delayed(pd.DataFrame({"source": [a], "target": [b]}))
        for a, b in ((1, 2), ("a", "b"))
    ]
    meta = pd.DataFrame({"source": [1], "target": [1]}, dtype=object)
    with pytest.raises(GraphError, match="different partitions are of two kinds"):
        spectral_line(dd.from_delayed(parts, meta=meta, verify_meta=False), 4)


def test_an_empty_partition_has_no_kind():
    parts = [
        dask.delayed(pd.DataFrame({"source": source, "target": target}))
        for source, target in (([], []), (["a"], ["b"]), ([], []))
    ]
    meta = pd.DataFrame({"source": ["a"], "target": ["a"]})
    edges = dd.from_delayed(parts, meta=meta, verify_meta=False)
    assert spectral_line(edges, 4, random_state=0).report["n_vectors"] == 2


@pytest.mark.parametrize("content", [None, b"source,target\n1,2\n"])
def test_a_path_without_parquet(content, tmp_path):
    path = tmp_path / "edges.parquet"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DataFormatError, match="no readable Parquet"):
        spectral_line(path, 4)


def test_odd_number_of_components():
    with pytest.raises(SourceError, match="must be even, got 5"):
        spectral_line(frame(source=[1], target=[2]), 5)


def test_more_users_than_can_be_numbered(monkeypatch):
    monkeypatch.setattr(_blocks, "_MOST_USERS", 2)
    with pytest.raises(GraphError, match="may have 2 users; the edges have 3"):
        spectral_line(frame(source=[1, 2], target=[2, 3]), 4)
