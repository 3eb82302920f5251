"""Mean and deviation of sources, by hand."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from sklearn_profiling.containers import ImageBags, TokenMessages, Vocabulary
from sklearn_profiling.training import statistics
from sklearn_profiling.training.statistics import source_statistics

VOCABULARY = Vocabulary(["a", "b", "c"], np.array([[1.0, 0], [3, 0], [100, 7]], "f4"))


def test_word_vectors_count_as_often_as_the_words_are_written():
    text = TokenMessages.from_lists([[["a", "a"], ["b"]], [["b"]], None], VOCABULARY)
    mean, deviation = source_statistics(text, np.array([1.0, 2.0, 5.0]))
    # a twice; b once, and once by a user of weight 2; c never
    np.testing.assert_allclose(mean, [(2 * 1 + 3 * 3) / 5, 0])
    np.testing.assert_allclose(deviation, [np.sqrt(2 * 3) / 5 * 2, 0])


def test_text_without_vectors_or_words_has_nothing_to_measure():
    bare = TokenMessages.from_lists([[["a"]]])
    assert [part.shape for part in source_statistics(bare, np.ones(1))] == [(0,), (0,)]
    silent = TokenMessages.from_lists([None, []], VOCABULARY)
    assert [part.tolist() for part in source_statistics(silent, np.ones(2))] == [
        [0, 0],
        [0, 0],
    ]


def test_columns_count_users_who_have_the_source():
    source = np.array([[1.0, 5], [3, 5], [np.nan, np.nan]])
    mean, deviation = source_statistics(source, np.array([3.0, 1.0, 9.0]))
    np.testing.assert_allclose(mean, [1.5, 5])
    np.testing.assert_allclose(deviation, [np.sqrt(0.75), 0])
    nobody = source_statistics(source[2:], np.ones(1))
    assert [part.tolist() for part in nobody] == [[0, 0], [0, 0]]


def test_sparse_columns_count_users_who_have_the_source():
    dense = np.array([[1.0, 5, 0], [3, 0, 0], [0, 0, 0], [0, 2, 0]], dtype=np.float32)
    weights = np.array([3.0, 1.0, 9.0, 2.0])
    there = [0, 1, 3]
    for found, expected in zip(
        source_statistics(sparse.csr_array(dense), weights),
        source_statistics(dense[there], weights[there]),
        strict=True,
    ):
        np.testing.assert_allclose(found, expected, rtol=1e-12)
    nobody = source_statistics(sparse.csr_array((2, 3)), np.ones(2))
    assert [part.tolist() for part in nobody] == [[0, 0, 0], [0, 0, 0]]


def test_channels_count_all_pixels_of_all_images(monkeypatch):
    monkeypatch.setattr(statistics, "_IMAGES_AT_ONCE", 2)
    pixels = np.random.RandomState(0).randint(0, 256, (5, 2, 3, 4)).astype(np.uint8)
    bags = ImageBags(pixels, [0, 2, 2, 5])
    mean, deviation = source_statistics(bags, np.array([2.0, 7.0, 1.0]))
    repeated = np.concatenate([pixels[:2], pixels]) / 255
    np.testing.assert_allclose(mean, repeated.mean(axis=(0, 2, 3)))
    np.testing.assert_allclose(deviation, repeated.std(axis=(0, 2, 3)))
    nobody = source_statistics(bags[[1]], np.ones(1))
    assert [part.tolist() for part in nobody] == [[0, 0], [0, 0]]
    black = ImageBags(np.zeros((1, 1, 2, 2), np.uint8), [0, 1])
    assert source_statistics(black, np.ones(1))[1].tolist() == [0]
