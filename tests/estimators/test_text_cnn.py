"""Text-CNN: learns, reads its text alone, weighs messages."""

from __future__ import annotations

import numpy as np
import pytest
from cases import HEADS, QUICK, TEXT, join, labels, raw_users, sourced_users

from sklearn_profiling.estimators import MMLUPClassifier, TextCNNClassifier
from sklearn_profiling.exceptions import SourceError


def small_text_cnn(**params):
    return TextCNNClassifier(**{**HEADS, **TEXT, **QUICK, **params})


@pytest.mark.parametrize("multi_task", [True, False])
def test_memorises_eight_users_text_cnn(multi_task):
    texts, network = raw_users(8)
    X, y = join(texts, network), labels(8)
    model = small_text_cnn(
        multi_task=multi_task,
        max_epochs=80,
        learning_rate=0.02,
        dropout=0.0,
        word_dropout=0.0,
        source_dropout=0.0,
    ).fit(X, y)
    assert model.score(X, y) == 1.0


def test_reads_its_text_alone():
    X, y = sourced_users(), labels()
    model = small_text_cnn().fit(X, y)
    alone = small_text_cnn().fit({"text": X["text"]}, y)
    for a, b in zip(model.predict_proba(X), alone.predict_proba(X), strict=True):
        assert np.array_equal(a, b)
    two = {"posts": X["text"], "comments": X["text"][::-1], "network": X["network"]}
    chosen = small_text_cnn(source="posts").fit(two, y)
    for a, b in zip(chosen.predict_proba(two), model.predict_proba(X), strict=True):
        assert np.array_equal(a, b)


def test_the_text_must_be_clear():
    X, y = sourced_users(), labels()
    two = {"posts": X["text"], "comments": X["text"]}
    with pytest.raises(SourceError, match=r"source is None and X holds the texts \['p"):
        small_text_cnn().fit(two, y)
    with pytest.raises(SourceError, match=r"holds the texts \['text'\]"):
        small_text_cnn(source="network").fit(X, y)
    with pytest.raises(SourceError, match=r"holds the texts \[\]"):
        small_text_cnn().fit({"network": X["network"]}, y)


def test_one_net_of_mmlup_without_attention_is_the_same_structure():
    X, y = sourced_users(), labels()
    one = small_text_cnn(multi_task=True).fit(X["text"], y)
    other = MMLUPClassifier(
        **HEADS,
        **TEXT,
        **QUICK,
        attention=None,
        dropout=0.5,
        word_dropout=0.3,
        source_dropout=0.1,
        loss_weights=None,
        trainable_vectors=True,
    ).fit(X["text"], y)
    for a, b in zip(one.predict_proba(X), other.predict_proba(X["text"]), strict=True):
        assert np.array_equal(a, b)


def test_messages_are_averaged_unless_attention_is_asked_for():
    X, y = sourced_users(), labels()
    average = small_text_cnn().fit(X, y).message_attention(X)
    assert all(np.allclose(w, 1 / max(len(w), 1)) for w in average)
    model = small_text_cnn(attention="softmax").fit(X, y)
    weights = model.message_attention(X, task="age")
    assert not np.allclose(np.concatenate(weights), np.concatenate(average))


def test_a_plain_array_is_padded_token_ids():
    X = np.array([[1, 2, 0], [2, 0, 0], [0, 0, 0], [1, 1, 2.5]] * 4)
    model = small_text_cnn().fit(X, ["a", "b", "a", "b"] * 4)
    before = model.predict_proba(X[:3])
    # padding on either side is no word; a new token is left out
    np.testing.assert_allclose(model.predict_proba([[0, 1, 2]]), before[:1], atol=1e-6)
    np.testing.assert_allclose(model.predict_proba([[2, 0, 9]]), before[1:2], atol=1e-6)
    assert model._array_vocabulary.words == ("1.0", "2.0", "2.5")
    nothing = small_text_cnn().fit(np.zeros((4, 2)), ["a", "b"] * 2)
    assert np.isfinite(nothing.predict_proba(X[:, :2])).all()
