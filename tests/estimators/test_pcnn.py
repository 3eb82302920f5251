"""PCNN: convolutions in parallel, each as its parameters say."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from cases import QUICK, VOCABULARY, WORDS, join, labels, raw_users, sourced_users
from sklearn.utils._param_validation import InvalidParameterError

from sklearn_profiling.containers import TokenMessages, Vocabulary
from sklearn_profiling.datasets import make_user_profiles
from sklearn_profiling.estimators import BowCNNClassifier, PCNNClassifier
from sklearn_profiling.estimators.pcnn import frequent_words
from sklearn_profiling.exceptions import SourceError
from sklearn_profiling.sources import JiebaSegmenter
from sklearn_profiling.training.optimizers import FusedAdagrad


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


EXACT = {"dropout": 0.0, "source_dropout": 0.0, "max_epochs": 60}


def small_bow_cnn(**params):
    return BowCNNClassifier(**{**QUICK, "n_nodes": 16, "window_size": 3, **params})


def plain_text(text):
    """The same words without vectors."""
    return text.with_vocabulary(Vocabulary(text.vocabulary.words))


def encoder_of(model):
    net = model.net_.module_
    net = net if model.multi_task else net.architectures[0]
    return net.sources.encoders[0]


@pytest.mark.parametrize("windows", ["bag", "sequence"])
@pytest.mark.parametrize("multi_task", [True, False])
def test_memorises_eight_users_bow_cnn(windows, multi_task):
    texts, network = raw_users(8)
    X, y = join(texts, network), labels(8)
    model = small_bow_cnn(windows=windows, multi_task=multi_task, **EXACT)
    assert model.fit(plain_text(X["text"]), y).score(plain_text(X["text"]), y) == 1.0
    assert model.fit(X, y).score(X, y) == 1.0


def test_the_most_frequent_words_count():
    text = TokenMessages.from_lists(
        [[["d", "b"], ["b"]], None, [["a", "c", "a"]], [["e"]]]
    )
    even = frequent_words(text, np.ones(4), 3, unseen=False)
    # a and b twice, in the order of the vocabulary; then c, before d and e
    assert even.tolist() == [0, 1, 2, -1, -1]
    heavy = frequent_words(text, np.array([1.0, 1, 1, 5]), 2, unseen=False)
    assert heavy.tolist() == [1, -1, -1, -1, 0]
    # words of nobody
    alone = frequent_words(text[[3]], np.ones(1), 10, unseen=False)
    assert alone.tolist() == [-1, -1, -1, -1, 0]
    alone = frequent_words(text[[3]], np.ones(1), 3, unseen=True)
    assert alone.tolist() == [1, 2, -1, -1, 0]
    nothing = TokenMessages.from_lists([None])
    assert frequent_words(nothing, np.ones(1), 3, unseen=True).tolist() == []


def test_rare_words_change_no_prediction():
    texts, _ = raw_users()
    text, y = TokenMessages.from_lists(texts, Vocabulary(WORDS)), labels()
    model = small_bow_cnn(max_vocabulary=3).fit(text, y)
    encoder = encoder_of(model)
    assert encoder.convolutions[0].embedding.words.table.shape == (4, 16)
    rare = np.flatnonzero(encoder.rows.numpy() == 3)
    assert len(rare) == 5
    swapped = text.ids.copy()
    where = np.isin(swapped, rare)
    swapped[where] = rare[0]
    other = TokenMessages(
        swapped, text.message_starts, text.user_starts, Vocabulary(WORDS)
    )
    for a, b in zip(model.predict_proba(text), model.predict_proba(other), strict=True):
        assert np.array_equal(a, b)


def test_vectors_are_standardised_and_kept_or_trained():
    texts, network = raw_users()
    X, y = join(texts, network), labels()
    fixed = small_bow_cnn(max_vocabulary=6).fit(X, y)
    embedding = encoder_of(fixed).convolutions[0].embedding
    table, rows = embedding.words.table.numpy(), encoder_of(fixed).rows.numpy()
    counts = X["text"][y.notna().any(axis=1).to_numpy()].word_counts()
    every = VOCABULARY.vectors[np.repeat(np.arange(8), counts)]
    expected = (VOCABULARY.vectors - every.mean(axis=0)) / every.std(axis=0)
    kept = rows < 6
    assert kept.sum() == 6
    np.testing.assert_allclose(table[rows[kept]], expected[kept], rtol=1e-5)
    trained = small_bow_cnn(trainable_vectors=True).fit(X, y)
    embedding = encoder_of(trained).convolutions[0].embedding
    assert isinstance(embedding.words.table, torch.nn.Parameter)
    moved = embedding.words.table.detach().numpy()[encoder_of(trained).rows]
    assert np.abs(moved - expected).max() > 1e-3
    assert (embedding.words.table[-1] == 0).all()


def test_reads_its_text_alone():
    X, y = sourced_users(), labels()
    model = small_bow_cnn().fit(X, y)
    alone = small_bow_cnn().fit({"text": X["text"]}, y)
    two = {"posts": X["text"], "comments": X["text"][::-1], "network": X["network"]}
    chosen = small_bow_cnn(source="posts").fit(two, y)
    for a, b, c in zip(
        model.predict_proba(X),
        alone.predict_proba(X),
        chosen.predict_proba(two),
        strict=True,
    ):
        assert np.array_equal(a, b)
        assert np.array_equal(a, c)
    with pytest.raises(
        SourceError, match=r"BowCNN.* is None and X holds the texts \['p"
    ):
        small_bow_cnn().fit(two, y)
    with pytest.raises(
        SourceError, match=r"'network' and X holds the texts \['text'\]"
    ):
        small_bow_cnn(source="network").fit(X, y)


def test_messages_end_to_end_are_one_document():
    texts, _ = raw_users()
    y = labels()
    joined = [[[word for message in user for word in message]] for user in texts]
    vocabulary = Vocabulary(WORDS)
    split = small_bow_cnn().fit(TokenMessages.from_lists(texts, vocabulary), y)
    whole = TokenMessages.from_lists(joined, vocabulary)
    for a, b in zip(
        split.predict_proba(whole),
        small_bow_cnn().fit(whole, y).predict_proba(whole),
        strict=True,
    ):
        assert np.array_equal(a, b)


def test_parameters_that_do_not_fit_bow_cnn():
    X, y = sourced_users(), labels()
    for wrong in ({"window_size": 0}, {"stride": 1.5}, {"windows": "words"}):
        with pytest.raises(InvalidParameterError, match=next(iter(wrong))):
            small_bow_cnn(**wrong).fit(X, y)


def test_the_fused_optimizer_is_for_the_cpu():
    X, y = sourced_users(), labels()
    model = small_bow_cnn().fit(X, y)
    assert isinstance(model.net_.optimizer_, FusedAdagrad)
    assert model.net_.optimizer_.defaults["fused"]
    elsewhere = FusedAdagrad([torch.zeros(2, device="meta", requires_grad=True)], lr=1)
    assert not elsewhere.defaults["fused"]


def test_fused_steps_are_those_of_the_plain_form():
    values = [torch.full((3, 2), 0.5, dtype=torch.float64) for _ in range(2)]
    for kind, value in zip((FusedAdagrad, torch.optim.Adagrad), values, strict=True):
        value.requires_grad_()
        optimizer = kind([value], lr=0.1, weight_decay=0.01)
        for _ in range(3):
            optimizer.zero_grad()
            (value**2 * torch.arange(2)).sum().backward()
            optimizer.step()
    torch.testing.assert_close(*values, rtol=0, atol=1e-14)
    assert not torch.equal(values[0][:, 0], values[0][:, 1])


@pytest.mark.slow
def test_beats_the_majority_on_synthetic_users():
    users = make_user_profiles(600, random_state=0)
    text = JiebaSegmenter().fit_transform(users.data["messages"])
    gender = users.target["gender"]
    model = BowCNNClassifier(n_nodes=100, random_state=0)
    model.fit(text[:450], gender[:450])
    labelled = gender[450:].dropna()
    majority = (labelled == gender[:450].mode()[0]).mean()
    assert model.score(text[450:], gender[450:]) > majority + 0.1
