"""Links held out of the descent: which, their loss by hand, and when they end it."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

from sklearn_profiling._checkpoints import Checkpoint
from sklearn_profiling.containers.social_graph import SocialGraph
from sklearn_profiling.sources.network import LINEEmbedding, _line_stopping
from sklearn_profiling.sources.network._line_sgd import SGDSettings, train_sgd
from sklearn_profiling.sources.network._line_stopping import HeldOutLinks, hold_out


def drawn(n_users, density, *, directed=False):
    rng = np.random.default_rng(0)
    dense = (rng.random((n_users, n_users)) < density).astype(np.float32)
    np.fill_diagonal(dense, 0)
    return sparse.csr_array(dense if directed else np.maximum(dense, dense.T))


@pytest.mark.parametrize("directed", [True, False])
def test_links_go_whole_and_nobody_is_left_alone(directed, monkeypatch):
    monkeypatch.setattr(_line_stopping, "_SHARE", 0.2)
    matrix = drawn(60, 0.04, directed=directed)
    left, links = hold_out(matrix, 3, 0)
    gone = matrix - left
    gone.eliminate_zeros()
    both = matrix.toarray()[links.targets, links.sources] == 1
    assert gone.nnz == len(links.sources) + both.sum() > 10
    assert both.all() == (not directed)
    assert (gone.toarray()[links.sources, links.targets] == 1).all()
    if not directed:
        assert (left != left.T).nnz == 0
    had, has = (np.diff(each.indptr) > 0 for each in (matrix, left))
    np.testing.assert_array_equal(had, has)
    had, has = (each.sum(axis=0) > 0 for each in (matrix, left))
    np.testing.assert_array_equal(had, has)
    assert links.noise.shape == (len(links.sources), 3)
    contexts = matrix.sum(axis=0)
    assert (contexts[links.noise] > 0).all()
    again, same = hold_out(matrix, 3, 0)
    assert (again != left).nnz == 0
    np.testing.assert_array_equal(same.noise, links.noise)


def test_no_more_than_the_share_goes(monkeypatch):
    matrix = drawn(100, 0.3)
    assert len(hold_out(matrix, 1, 0)[1].sources) == int(0.01 * matrix.nnz)
    monkeypatch.setattr(_line_stopping, "_MOST", 7)
    assert len(hold_out(matrix, 1, 0)[1].sources) == 7


def test_pairs_give_no_link():
    pairs = sparse.csr_array(np.kron(np.eye(4), [[0, 1], [1, 0]]), dtype=np.float32)
    left, links = hold_out(pairs, 2, 0)
    assert left is pairs
    assert links is None
    settings = SGDSettings(4, 500, 2, 1, 0.1, 0, 1, early_stopping=True)
    assert train_sgd(pairs, settings, order="first").shape == (8, 4)


def test_loss_by_hand_and_patience():
    vertex = np.array([[1, 0], [0, 2]], dtype=np.float32)
    context = np.array([[3, 0], [1, 1]], dtype=np.float32)
    links = HeldOutLinks(
        np.array([0, 1], np.int32),
        np.array([1, 0], np.int32),
        np.array([1.0, 3.0]),
        np.array([[0, 0], [1, 0]], np.int32),
    )
    scores = np.array([[1, -3, -3], [0, -2, 0]])
    losses = np.log1p(np.exp(-scores)).sum(axis=1)
    wanted = (losses[0] + 3 * losses[1]) / 4
    assert links.loss(vertex, context) == pytest.approx(wanted)
    for worse in range(4):
        links.watch(vertex, context)
        assert (links.best, links.n_worse) == (pytest.approx(wanted), worse)
        assert links.enough == (worse == 3)
    links.best = 1e9
    links.watch(vertex, context)
    assert (links.n_worse, links.enough) == (0, False)


def settings(n_samples=40_000, **changes):
    return SGDSettings(8, n_samples, 5, 1, 0.1, 3, 1, early_stopping=True, **changes)


def test_the_descent_ends_and_goes_on_from_a_checkpoint(tmp_path):
    matrix = drawn(60, 0.1)
    done = []
    vectors = train_sgd(
        matrix, settings(1_000_000, progress=done.append), order="second"
    )
    assert 3 * matrix.nnz < sum(done) < 500_000
    saved = Checkpoint(tmp_path, "line", {"a": 1})

    def stop(_):
        if len(shown) == 3:
            raise KeyboardInterrupt
        shown.append(1)

    shown: list[int] = []
    with pytest.raises(KeyboardInterrupt):
        train_sgd(
            matrix, settings(1_000_000, progress=stop, checkpoint=saved), order="second"
        )
    goes_on = settings(1_000_000, checkpoint=saved)
    np.testing.assert_array_equal(train_sgd(matrix, goes_on, order="second"), vectors)
    # The checkpoint is of the last pass: none is added to it.
    np.testing.assert_array_equal(train_sgd(matrix, goes_on, order="second"), vectors)


def test_the_estimator_passes_it_on():
    graph = SocialGraph.from_scipy(drawn(60, 0.1))
    shared = {"n_components": 4, "order": "second", "n_samples": 3000}
    plain, stopped = (
        LINEEmbedding(graph, **shared, early_stopping=stop, random_state=0).fit()
        for stop in (False, True)
    )
    assert (plain.embedding_ != stopped.embedding_).any()
