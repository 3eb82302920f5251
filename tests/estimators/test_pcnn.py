"""PCNN: convolutions in parallel, each as its parameters say."""

from __future__ import annotations

import numpy as np
import pytest
from cases import QUICK, WORDS, join, labels, raw_users, sourced_users

from sklearn_profiling.containers import TokenMessages, Vocabulary
from sklearn_profiling.estimators import PCNNClassifier


def small(**params):
    return PCNNClassifier(**{**QUICK, "n_nodes": 16, "window_sizes": (2, 3), **params})


@pytest.mark.parametrize("multi_task", [True, False])
def test_memorises_eight_users(multi_task):
    texts, network = raw_users(8)
    X, y = join(texts, network), labels(8)
    params = {"dropout": 0.0, "source_dropout": 0.0, "max_epochs": 60}
    model = small(multi_task=multi_task, **params)
    assert model.fit(X, y).score(X, y) == 1.0


def test_each_convolution_has_its_own_settings():
    texts, _ = raw_users()
    text = TokenMessages.from_lists(texts, Vocabulary(WORDS))
    model = small(
        window_sizes=(1, 2, np.int64(20)),
        stride=[1, 1, 2],
        windows=("bag", "sequence", "bag"),
        multi_task=True,
        variable_stride=False,
        n_units=4,
    ).fit(text, labels())
    encoder = model.net_.module_.sources.encoders[0]
    layers = encoder.convolutions
    assert [(layer.size, layer.stride) for layer in layers] == [(1, 1), (2, 1), (20, 2)]
    assert [layer.embedding.ordered for layer in layers] == [False, True, False]
    assert not any(layer.variable_stride for layer in layers)
    rows = [len(layer.embedding.words.table) for layer in layers]
    assert rows == [9, 17, 9]
    assert encoder.n_features == 3 * 4 * 16


def test_one_setting_serves_all():
    X, y = sourced_users(), labels()
    one = small(stride=3, windows="sequence").fit(X, y)
    each = small(stride=(3, 3), windows=["sequence"] * 2).fit(X, y)
    for a, b in zip(one.predict_proba(X), each.predict_proba(X), strict=True):
        assert np.array_equal(a, b)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"window_sizes": (3,)}, r"two window_sizes or more.*window_sizes=\[3\]"),
        ({"stride": (1, 2, 3)}, r"one stride and one kind.*stride=\(1, 2, 3\)"),
        ({"windows": ["bag"]}, r"windows=\['bag'\]"),
        ({"window_sizes": (3, 0)}, r"integers of at least 1; got window_sizes=\[3, 0"),
        ({"stride": (1, 0.5)}, r"integers of at least 1; .* stride=\(1, 0.5\)"),
        ({"windows": ("bag", "words")}, r"'bag' or 'sequence', .*; got 'words'"),
    ],
)
def test_parameters_that_do_not_fit(wrong, message):
    with pytest.raises(ValueError, match=message):
        small(**wrong).fit(sourced_users(), labels())
