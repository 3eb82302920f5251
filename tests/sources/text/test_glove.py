"""GloVe: counts by hand, gradients, cost, topics, threads."""

from __future__ import annotations

import numpy as np
import pytest
from joblib import Parallel

from sklearn_profiling.containers import TokenMessages, Vocabulary
from sklearn_profiling.exceptions import SourceError
from sklearn_profiling.sources.text import GloVeTransformer
from sklearn_profiling.sources.text import _glove_kernels as kernels
from sklearn_profiling.sources.text.glove import (
    count_pairs,
    cut_into_blocks,
    new_table,
)


def topical_text(n_topics=4, n_words=30, n_messages=1500, seed=0):
    """Messages whose words are of one topic with probability 0.7, else of any."""
    rng = np.random.RandomState(seed)
    own = rng.rand(n_messages, 12) < 0.7
    topics = rng.randint(n_topics, size=(n_messages, 1))
    topics = np.where(own, topics, rng.randint(n_topics, size=own.shape))
    words = rng.randint(n_words, size=own.shape)
    return TokenMessages.from_lists(
        [[f"t{topic}w{word}" for topic, word in zip(*row, strict=True)]]
        for row in zip(topics, words, strict=True)
    )


def cells_of(lists, words, *, window=2, x_max=10.0, alpha=0.75):
    text = TokenMessages.from_lists(lists, Vocabulary(words))
    return count_pairs(
        text, window=window, x_max=x_max, alpha=alpha, parallel=Parallel(n_jobs=1)
    )


def table_of(cells, n_words):
    table = np.zeros((n_words, n_words))
    table[cells["word"], cells["context"]] = np.exp(cells["log_count"])
    return table


def test_counts_by_hand():
    cells = cells_of([[["a", "b", "c", "a"]], None, [["a", "a"], ["b"], ["c"]]], "abc")
    # a b c a: ab 1, ac 1/2, bc 1, ba 1/2, ca 1; a a: the pair counts from both ends
    expected = [[2.0, 1.5, 1.5], [1.5, 0.0, 1.0], [1.5, 1.0, 0.0]]
    np.testing.assert_allclose(table_of(cells, 3), expected, rtol=1e-6)
    assert len(cells) == 7
    counts = np.exp(cells["log_count"])
    np.testing.assert_allclose(cells["weight"], (counts / 10) ** 0.75, rtol=1e-6)
    full = cells_of([[["a", "b", "c", "a"]]], "abc", x_max=0.1)
    assert (full["weight"] == 1).all()


def test_counts_against_a_plain_loop():
    rng = np.random.RandomState(0)
    lists = [[[str(w) for w in rng.randint(9, size=rng.randint(1, 30))]] * 2] * 3
    words = [str(w) for w in range(9)]
    expected = np.zeros((9, 9))
    for user in lists:
        for message in user:
            ids = [int(word) for word in message]
            for i, word in enumerate(ids):
                for j in range(max(0, i - 5), i):
                    expected[word, ids[j]] += 1 / (i - j)
                    expected[ids[j], word] += 1 / (i - j)
    counted = table_of(cells_of(lists, words, window=5), 9)
    np.testing.assert_allclose(counted, expected, rtol=1e-5)


def test_blocks_hold_every_cell_once():
    cells = cells_of([[[str(w) for w in range(50)] * 3]], map(str, range(50)))
    parallel = Parallel(n_jobs=1)
    blocks = cut_into_blocks(cells, 4, 0, parallel)
    for i, row in enumerate(blocks):
        for j, block in enumerate(row):
            assert (block["word"] % 4 == i).all()
            assert (block["context"] % 4 == j).all()
    together = np.concatenate([block for row in blocks for block in row])
    np.testing.assert_array_equal(np.sort(together), np.sort(cells))
    again = cut_into_blocks(cells, 4, 0, parallel)
    other = cut_into_blocks(cells, 4, 1, parallel)
    assert (again[0][0] == blocks[0][0]).all()
    orders = [np.concatenate([b for row in x for b in row]) for x in (blocks, other)]
    assert (orders[0] != orders[1]).any()


def reference_pass(words, contexts, cells, rate, d):
    """AdaGrad as in the authors' program, in double precision."""
    w, wb, c, cb = words[:, :d], words[:, d], contexts[:, :d], contexts[:, d]
    squares = [np.ones_like(a) for a in (w, wb, c, cb)]
    cost = 0.0
    for cell in cells:
        i, j = cell["word"], cell["context"]
        difference = w[i] @ c[j] + wb[i] + cb[j] - float(cell["log_count"])
        step = float(cell["weight"]) * difference
        cost += 0.5 * step * difference
        step *= rate
        gradients = [step * c[j], step, step * w[i], step]
        for table, square, at, gradient in zip(
            (w, wb, c, cb), squares, (i, i, j, j), gradients, strict=True
        ):
            table[at] -= gradient / np.sqrt(square[at])
            square[at] += gradient**2
    return cost


def test_one_pass_against_numpy():
    d, n = 5, 12
    rng = np.random.default_rng(0)
    message = [str(w) for w in rng.integers(n, size=200)]
    cells = cells_of([[message]], map(str, range(n)), window=4)
    words, contexts = new_table(n, d, 1, rng), new_table(n, d, 0, rng)
    # [vector, bias] of both tables
    plain_words = words[:, : d + 1].astype(float)
    plain_contexts = contexts[:, [*range(d), d + 1]].astype(float)
    cost = kernels.train_block(words, contexts, cells, np.float32(0.05))
    expected = reference_pass(plain_words, plain_contexts, cells, 0.05, d)
    assert cost == pytest.approx(expected, rel=1e-4)
    np.testing.assert_allclose(words[:, : d + 1], plain_words, atol=2e-5)
    np.testing.assert_allclose(contexts[:, :d], plain_contexts[:, :d], atol=2e-5)
    np.testing.assert_allclose(contexts[:, d + 1], plain_contexts[:, d], atol=2e-5)
    assert (words[:, d + 1] == 1).all()
    assert (contexts[:, d] == 1).all()


def test_step_is_the_gradient_of_the_cost():
    d = 3
    rng = np.random.default_rng(1)
    cell = np.zeros(1, kernels.CELL)
    cell["context"], cell["log_count"], cell["weight"] = 1, 1.5, 0.4
    start_words, start_contexts = new_table(2, d, 1, rng), new_table(2, d, 0, rng)

    def cost(words, contexts):
        half = words.shape[1] // 2
        product = words[0, :half].astype(float) @ contexts[1, :half]
        return 0.5 * 0.4 * (product - 1.5) ** 2

    words, contexts = start_words.copy(), start_contexts.copy()
    kernels.train_block(words, contexts, cell, np.float32(1e-2))
    for moved, start, row, constant in (
        (words, start_words, 0, d + 1),
        (contexts, start_contexts, 1, d),
    ):
        for column in range(d + 2):
            if column == constant:
                continue
            costs = []
            for shift in (1e-3, -1e-3):
                table = start.astype(float)
                table[row, column] += shift
                pair = (
                    (table, start_contexts) if moved is words else (start_words, table)
                )
                costs.append(cost(*pair))
            gradient = (costs[0] - costs[1]) / 2e-3
            step = float(moved[row, column]) - float(start[row, column])
            assert step == pytest.approx(-1e-2 * gradient, rel=1e-2, abs=1e-6)
    np.testing.assert_array_equal(words[1], start_words[1])


def test_neighbours_share_the_topic_and_the_cost_falls():
    text = topical_text()
    glove = GloVeTransformer(16, random_state=0, max_epochs=20).fit(text)
    assert glove.vocabulary_.n_dimensions == 16
    assert glove.costs_.shape == (20,)
    assert glove.costs_[-1] < 0.5 * glove.costs_[0]
    assert (np.diff(glove.costs_) < 1e-3).all()
    vectors = glove.vocabulary_.vectors
    vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    similarity = vectors @ vectors.T
    np.fill_diagonal(similarity, -2)
    nearest = np.argsort(-similarity, axis=1)[:, :5]
    topics = np.array([word[:2] for word in glove.vocabulary_.words])
    assert (topics[nearest] == topics[:, None]).mean() > 0.98


def test_same_bits_for_any_number_of_threads():
    text = topical_text(n_words=150)
    state = np.random.get_state()[1].copy()
    prints = {
        GloVeTransformer(8, random_state=3, n_jobs=n_jobs, max_epochs=3)
        .fit(text)
        .vocabulary_.fingerprint
        for n_jobs in (1, 2, 2, 3)
    }
    assert len(prints) == 1
    assert (np.random.get_state()[1] == state).all()
    other = GloVeTransformer(8, random_state=4, max_epochs=3).fit(text)
    assert other.vocabulary_.fingerprint not in prints


def test_order_of_users_only_changes_the_order_of_sums():
    text = topical_text(n_messages=100)
    one = GloVeTransformer(4, random_state=0).fit(text)
    other = GloVeTransformer(4, random_state=0).fit(text[::-1])
    assert one.vocabulary_.words == other.vocabulary_.words
    assert one.n_pairs_ == other.n_pairs_


def test_vocabulary_and_unknown_words():
    lists = [[["a", "b", "a", "c"]], [["a", "b", "d"]]]
    text = TokenMessages.from_lists(lists)
    glove = GloVeTransformer(3, min_count=2, random_state=0).fit(text)
    assert glove.vocabulary_.words == ("a", "b")
    assert glove.transform(text).tolist() == [[["a", "b", "a"]], [["a", "b"]]]
    new = TokenMessages.from_lists([[["x"]], [["b"]], None])
    assert glove.transform(new).missing.tolist() == [True, False, True]
    assert glove.transform(new).vocabulary is glove.vocabulary_
    few = GloVeTransformer(3, min_count=1, max_words=3, random_state=0).fit(text)
    assert few.vocabulary_.words == ("a", "b", "c")

    average = GloVeTransformer(3, min_count=2, unknown="average", random_state=0)
    changed = average.fit_transform(text)
    assert changed.tolist()[1] == [["a", "b", "<unknown>"]]
    vectors = average.vocabulary_.vectors
    np.testing.assert_allclose(vectors[2], vectors[:2].mean(axis=0), rtol=1e-6)
    empty = average.transform(TokenMessages.from_lists([None]))
    assert empty.missing.all()


def test_progress_bar(capsys):
    text = TokenMessages.from_lists([[["a", "b"]]])
    GloVeTransformer(2, min_count=1, max_epochs=2, verbose=1).fit(text)
    assert "cost=" in capsys.readouterr().err
    GloVeTransformer(2, min_count=1, max_epochs=2).fit(text)
    assert capsys.readouterr().err == ""


def test_errors():
    text = TokenMessages.from_lists([[["a"], ["b"]], [["a"]]])
    with pytest.raises(SourceError, match=r"min_count=5 times: .* occurs 2 times"):
        GloVeTransformer().fit(text)
    with pytest.raises(SourceError, match="occurs 0 times"):
        GloVeTransformer().fit(TokenMessages.from_lists([None]))
    with pytest.raises(SourceError, match="no message holds two of the 2 words"):
        GloVeTransformer(min_count=1).fit(text)
    with pytest.raises(SourceError, match=r"got builtins\.list\. Put a segmenter"):
        GloVeTransformer().fit([["a"]])
    with pytest.raises(ValueError, match="'window' parameter"):
        GloVeTransformer(window=0).fit(text)
    diverging = GloVeTransformer(2, min_count=1, learning_rate=1e30, max_epochs=50)
    pair = TokenMessages.from_lists([[["a", "b", "c", "a", "b"]]])
    with pytest.raises(SourceError, match=r"diverged in epoch .* learning_rate"):
        diverging.fit(pair)


def test_characters_of_poets(real_data):
    import gzip
    import json

    from sklearn_profiling.sources.text import CharacterSegmenter

    with gzip.open(real_data / "poets" / "users.jsonl.gz", "rt") as file:
        column = [json.loads(line)["texts"] for line in file]
    text = CharacterSegmenter().fit_transform(column)
    assert text.n_words > 1_500_000
    glove = GloVeTransformer(50, random_state=0, max_epochs=10).fit(text)
    vectors = glove.vocabulary_.vectors
    vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    for word, expected in (
        ("酒", "杯醉"),
        ("愁", "恨"),
        ("劍", "劒刀"),
        ("佛", "僧禪"),
    ):
        order = np.argsort(-vectors @ vectors[glove.vocabulary_.index[word]])
        nearest = {glove.vocabulary_.words[i] for i in order[1:11]}
        assert nearest & set(expected), (word, nearest)
