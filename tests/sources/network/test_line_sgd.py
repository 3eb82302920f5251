"""The descent: alias tables, passes, schedule, one step by hand, invariances."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

from sklearn_profiling.sources.network import _line_sgd
from sklearn_profiling.sources.network._line_sgd import (
    SGDSettings,
    count_parts,
    first_order_rounds,
    second_order_rounds,
    train_sgd,
)
from sklearn_profiling.sources.network._line_sgd_kernels import (
    SIGMOID,
    build_noise,
    draw_arcs,
    train_block,
)


def ring(n_users, weights=None):
    users = np.arange(n_users)
    data = np.ones(n_users) if weights is None else weights
    half = sparse.coo_array((data, (users, (users + 1) % n_users)))
    return sparse.csr_array(half + half.T, dtype=np.float32)


def settings(**changes):
    defaults = {
        "n_dimensions": 8,
        "n_samples": 5000,
        "n_negatives": 5,
        "shared_negatives": 1,
        "learning_rate": 0.05,
        "seed": 3,
        "n_threads": 1,
    }
    return SGDSettings(**(defaults | changes))


def noise_of(users):
    """An alias table that draws uniformly from some users."""
    users = np.asarray(users, dtype=np.int32)
    return users, np.full(len(users), 2**32 - 1, dtype=np.uint32), users.copy()


def train(vertex, context, arcs, noise_users, n_negatives, shared=1, rate=0.1):
    sources, targets = np.array(arcs, dtype=np.int32).T.copy()
    noise = noise_of(noise_users)
    train_block(
        vertex, context, sources, targets, *noise, n_negatives, shared, rate, 2, SIGMOID
    )
    return sources, targets


def log_likelihood(u, contexts, labels):
    scores = contexts @ u
    return np.sum(np.log(1 / (1 + np.exp(-np.where(labels, scores, -scores)))))


class TestOneStep:
    @pytest.mark.parametrize("n_negatives", [1, 2, 5, 7])
    def test_is_the_gradient_of_the_log_likelihood(self, n_negatives):
        rng = np.random.default_rng(0)
        vertex = rng.normal(0, 0.4, (3, 16)).astype(np.float32)
        context = rng.normal(0, 0.4, (4, 16)).astype(np.float32)
        before, contexts = vertex[0].astype(float), context.astype(float)
        # One noise user alone can be drawn: it comes n_negatives times.
        rate = 0.003
        train(vertex, context, [(0, 1)], [2], n_negatives, rate=rate)
        rows = [1] + [2] * n_negatives
        labels = np.arange(len(rows)) == 0
        gradient = np.empty(16)
        for d in range(16):
            shift = np.zeros(16)
            shift[d] = 1e-5
            gradient[d] = (
                log_likelihood(before + shift, contexts[rows], labels)
                - log_likelihood(before - shift, contexts[rows], labels)
            ) / 2e-5
        # The sigmoid comes from a table in steps of 0.012, and the same row is
        # read again after it was written: small as the rate is.
        np.testing.assert_allclose(
            vertex[0] - before, rate * gradient, rtol=0.05, atol=1e-5
        )
        grown = rate * (1 - 1 / (1 + np.exp(-contexts[1] @ before))) * before
        np.testing.assert_allclose(
            context[1] - contexts[1], grown, rtol=0.05, atol=1e-5
        )
        np.testing.assert_array_equal(context[[0, 3]], contexts[[0, 3]].astype("f4"))

    def test_by_hand(self):
        vertex = np.zeros((2, 16), dtype=np.float32)
        context = np.zeros((3, 16), dtype=np.float32)
        vertex[0, 0] = 1.0
        context[1, 1] = 2.0
        # All scores are 0, the sigmoid one half: +0.05 for the target, -0.05 for noise.
        train(vertex, context, [(0, 1)], [2], 1)
        np.testing.assert_allclose(vertex[0, :2], [1.0, 0.05 * 2], atol=1e-3)
        np.testing.assert_allclose(context[1, :2], [0.05, 2.0], atol=1e-3)
        np.testing.assert_allclose(context[2, :2], [-0.05, 0.0], atol=1e-3)

    @pytest.mark.parametrize(("size", "moved"), [(10.0, 0.0), (-10.0, 1.0)])
    def test_sigmoid_is_clipped(self, size, moved):
        vertex = np.zeros((1, 16), dtype=np.float32)
        context = np.zeros((2, 16), dtype=np.float32)
        vertex[0, 0], context[0, 0] = 1.0, size
        train(vertex, context, [(0, 0)], [1], 1)
        assert context[0, 0] == pytest.approx(size + 0.1 * moved)

    def test_unrolled_equals_the_loop(self):
        rng = np.random.default_rng(1)
        # Many noise users: the five differ, and rows read late are those read early.
        context = rng.normal(0, 0.1, (1000, 16)).astype(np.float32)
        vertex = rng.normal(0, 0.1, (2, 16)).astype(np.float32)
        five = vertex.copy(), context.copy()
        train(*five, [(0, 1)], np.arange(2, 1000), 5)
        moved = np.flatnonzero((five[1] != context).any(axis=1))
        assert len(moved) == 6
        by_hand = vertex.copy(), context.copy()
        for k, row in enumerate(moved):
            g = ((k == 0) - 1 / (1 + np.exp(-context[row] @ vertex[0]))) * 0.1
            by_hand[0][0] += g * context[row]
            by_hand[1][row] += g * vertex[0]
        np.testing.assert_allclose(five[0], by_hand[0], atol=1e-4)
        np.testing.assert_allclose(five[1], by_hand[1], atol=1e-4)

    def test_sharing_draws_less_noise(self):
        context = np.ones((1000, 16), dtype=np.float32)
        vertex = np.full((1, 16), 0.1, dtype=np.float32)
        moved = []
        for shared in (1, 8):
            changed = context.copy()
            train(vertex.copy(), changed, [(0, 0)] * 8, range(1, 1000), 5, shared)
            moved.append((changed[1:] != 1).any(axis=1).sum())
        assert moved[0] > 30
        assert moved[1] == 5

    def test_arcs_are_shuffled_not_lost(self):
        vertex = np.zeros((100, 16), dtype=np.float32)
        arcs = [(n, 99 - n) for n in range(100)]
        sources, targets = train(vertex, vertex.copy(), arcs, [0], 5)
        assert sorted(sources) == list(range(100))
        assert sources.tolist() != list(range(100))
        np.testing.assert_array_equal(targets, 99 - sources)


class TestNoise:
    def test_alias_table_has_the_distribution(self):
        rng = np.random.default_rng(0)
        weights = rng.pareto(1.0, 50).astype(np.float32) + 0.01
        members = rng.permutation(50).astype(np.int32)
        starts = np.array([0, 20, 50])
        thresholds = np.empty(50, dtype=np.uint32)
        aliases = np.empty(50, dtype=np.int32)
        build_noise(members, starts, weights, thresholds, aliases)
        for low, high in ((0, 20), (20, 50)):
            mass = np.zeros(50)
            kept = thresholds[low:high] / 2**32
            np.add.at(mass, members[low:high], kept)
            np.add.at(mass, aliases[low:high], 1 - kept)
            wanted = np.zeros(50)
            wanted[members[low:high]] = weights[members[low:high]]
            np.testing.assert_allclose(
                mass / mass.sum(), wanted / wanted.sum(), atol=1e-6
            )

    def test_only_linked_users_are_drawn_by_their_degree(self):
        star = np.zeros((6, 6), dtype=np.float32)
        star[0, 1:5] = star[1:5, 0] = 1
        arcs = _line_sgd._Arcs(sparse.csr_array(star), np.random.default_rng(0))
        np.testing.assert_allclose(arcs._noise, [4**0.75, 1, 1, 1, 1, 0], rtol=1e-6)
        assert arcs._linked.tolist() == [0, 1, 2, 3, 4]


class TestPasses:
    def drawn(self, adjacency, n_arcs, start=0.3):
        total = float(adjacency.data.sum())
        parts = np.arange(adjacency.shape[0], dtype=np.uint8) % 2
        arguments = (adjacency.indptr, adjacency.indices, adjacency.data, parts, 2)
        arguments += (start, total / n_arcs)
        empty = np.empty(0, dtype=np.int32)
        counts = np.zeros(4, dtype=np.int64)
        draw_arcs(*arguments, counts, empty, empty)
        starts = np.concatenate([[0], np.cumsum(counts)])
        sources, targets = np.full((2, starts[-1]), -1, dtype=np.int32)
        draw_arcs(*arguments, starts[:-1].copy(), sources, targets)
        for block in range(4):
            arcs = slice(starts[block], starts[block + 1])
            assert (parts[sources[arcs]] == block // 2).all()
            assert (parts[targets[arcs]] == block % 2).all()
        return sources, targets

    def test_unweighted_arcs_come_once(self):
        adjacency = ring(10)
        sources, targets = self.drawn(adjacency, adjacency.nnz)
        seen = sparse.coo_array((np.ones(len(sources)), (sources, targets))).toarray()
        np.testing.assert_array_equal(seen, adjacency.toarray())

    def test_weighted_arcs_come_by_weight(self):
        weights = np.arange(1, 11)
        adjacency = ring(10, weights)
        n_arcs = 1000
        sources, targets = self.drawn(adjacency, n_arcs)
        seen = sparse.coo_array((np.ones(len(sources)), (sources, targets))).toarray()
        expected = adjacency.toarray() * n_arcs / adjacency.data.sum()
        assert np.abs(seen - expected).max() <= 1.0 + 1e-6
        assert abs(len(sources) - n_arcs) <= 1

    def test_part_of_a_pass_is_a_fair_sample(self):
        adjacency = ring(500)
        seen = np.zeros(500)
        for start in np.linspace(0, 1, 10, endpoint=False):
            sources, _ = self.drawn(adjacency, 100, start)
            np.add.at(seen, sources, 1)
        assert seen.min() >= 1
        assert seen.max() <= 3

    def test_a_full_block_takes_no_more(self):
        adjacency = ring(4)
        one = np.full(1, -1, dtype=np.int32)
        parts = np.zeros(4, dtype=np.uint8)
        places = np.zeros(1, dtype=np.int64)
        data = adjacency.indptr, adjacency.indices, adjacency.data
        draw_arcs(*data, parts, 1, 0.0, 1.0, places, one, one.copy())
        assert places[0] == 1

    def test_every_sample_is_accounted_for(self, monkeypatch):
        monkeypatch.setattr(_line_sgd, "_MAX_PASS", 700)
        done = []
        train_sgd(
            ring(600), settings(n_samples=2500, progress=done.append), order="second"
        )
        assert [round(n, -2) for n in done] == [700, 700, 700, 400]


class TestSchedule:
    @pytest.mark.parametrize("n_parts", [1, 2, 4, 8, 16])
    def test_every_block_once_and_no_row_shared(self, n_parts):
        every = {(a, b) for a in range(n_parts) for b in range(n_parts)}
        for rounds, one_table in (
            (second_order_rounds(n_parts), False),
            (first_order_rounds(n_parts), True),
        ):
            blocks = [b for tasks in rounds for task in tasks for b in task]
            assert len(blocks) == len(every)
            assert set(blocks) == every
            for tasks in rounds:
                sources = [{a for a, _ in task} for task in tasks]
                targets = [{b for _, b in task} for task in tasks]
                if one_table:
                    sources = targets = [
                        a | b for a, b in zip(sources, targets, strict=True)
                    ]
                for used in (sources, targets):
                    assert sum(map(len, used)) == len(set().union(*used))

    def test_parts_by_size(self):
        assert count_parts(100, 100) == 1
        assert count_parts(55_000, 7_600) == 2
        assert count_parts(668_000, 10_000) == 8
        assert count_parts(668_000, 100) == 2
        assert count_parts(10**9, 2_000_000) == 16


class TestTraining:
    @pytest.mark.parametrize("order", ["first", "second"])
    def test_same_bits_for_any_number_of_threads(self, order, monkeypatch):
        monkeypatch.setattr(_line_sgd, "count_parts", lambda *_: 4)
        results = [
            train_sgd(ring(300), settings(n_threads=n), order=order) for n in (1, 2, 3)
        ]
        np.testing.assert_array_equal(results[0], results[1])
        np.testing.assert_array_equal(results[0], results[2])
        other = train_sgd(ring(300), settings(seed=4), order=order)
        assert (other != results[0]).any()

    def test_a_failing_thread_stops_the_others(self, monkeypatch):
        def fail(*_):
            msg = "no more"
            raise RuntimeError(msg)

        monkeypatch.setattr(_line_sgd, "count_parts", lambda *_: 4)
        monkeypatch.setattr(_line_sgd, "train_block", fail)
        with pytest.raises(RuntimeError, match="no more"):
            train_sgd(ring(300), settings(n_threads=2), order="second")

    def test_global_generator_is_left_alone(self):
        np.random.seed(0)
        state = np.random.get_state()[1].copy()
        train_sgd(ring(50), settings(), order="first")
        np.testing.assert_array_equal(np.random.get_state()[1], state)

    @pytest.mark.parametrize("parts", [1, 4])
    def test_first_order_learns_who_is_linked(self, parts, monkeypatch):
        monkeypatch.setattr(_line_sgd, "count_parts", lambda *_: parts)
        adjacency = ring(60)
        vectors = train_sgd(
            adjacency,
            settings(n_dimensions=32, n_samples=200_000, n_negatives=3),
            order="first",
        )
        scores = vectors @ vectors.T
        np.fill_diagonal(scores, -np.inf)
        linked = adjacency.toarray() > 0
        assert scores[linked].min() > np.quantile(
            scores[~linked & np.isfinite(scores)], 0.9
        )
