"""MMLUP: learns, chooses its sources, tells its attention."""

from __future__ import annotations

import numpy as np
import pytest
from cases import HEADS, QUICK, TEXT, join, labels, raw_users, sourced_users

from sklearn_profiling.containers import TokenMessages
from sklearn_profiling.estimators import MMLUPClassifier
from sklearn_profiling.exceptions import SourceError, TargetError

BARE = {"dropout": 0.0, "word_dropout": 0.0, "source_dropout": 0.0}


def small(**params):
    return MMLUPClassifier(**{**HEADS, **TEXT, **QUICK, **params})


@pytest.mark.parametrize("attention", ["softmax", "raw", None])
@pytest.mark.parametrize("multi_task", [True, False])
def test_memorises_eight_users(attention, multi_task):
    texts, network = raw_users(8)
    network[:2] = np.nan
    X = join(texts, network)
    y = labels(8)
    model = small(
        attention=attention,
        multi_task=multi_task,
        max_epochs=80,
        learning_rate=0.02,
        **BARE,
    ).fit(X, y)
    assert model.score(X, y) == 1.0


def test_sources_are_chosen_by_name():
    texts, network = raw_users()
    X, y = join(texts, network), labels()
    model = small(sources=["text"]).fit(X, y)
    shuffled = join(texts, network[::-1])
    for a, b in zip(model.predict_proba(X), model.predict_proba(shuffled), strict=True):
        assert np.array_equal(a, b)
    # what is not read need not be there
    assert model.predict({"text": X["text"]}).shape == (40, 3)
    dense = small(sources=("network",)).fit(X, y)
    assert not np.array_equal(
        dense.predict_proba(X)[0], dense.predict_proba(shuffled)[0]
    )
    for absent in (["keywords"], []):
        with pytest.raises(SourceError, match="parameter sources names"):
            small(sources=absent).fit(X, y)


def test_vectors_that_are_not_trained_stay():
    X, y = sourced_users(), labels()

    def table(model):
        return model.net_.module_.sources.encoder("text").embedding.state_dict()

    kept = table(small(trainable_vectors=False, max_epochs=3).fit(X, y))
    again = table(small(trainable_vectors=False, max_epochs=1).fit(X, y))
    moved = table(small(trainable_vectors=True, max_epochs=3).fit(X, y))
    assert all(kept[key].equal(again[key]) for key in kept)
    assert not all(kept[key].equal(moved[key]) for key in kept)


def test_several_texts_and_texts_without_vectors():
    texts, network = raw_users()
    bare = TokenMessages.from_lists(texts)
    X = {
        "posts": bare,
        "comments": join(texts[::-1], network)["text"],
        "links": network,
    }
    model = small().fit(X, labels())
    assert model.predict(X).shape == (40, 3)
    # names may hold dots
    small().fit({"posts.all": bare}, labels())


def test_vectors_alone_may_be_missing_too():
    X, y = sourced_users()["network"], labels()
    model = small().fit(X, y)
    named = small().fit({"vectors": X}, y)
    for a, b in zip(
        model.predict_proba(X), named.predict_proba({"vectors": X}), strict=True
    ):
        assert np.array_equal(a, b)
    torn = X.copy()
    torn[1, 1] = np.nan
    with pytest.raises(SourceError, match="row 1 is NaN in column 1 but not in all"):
        model.predict(torn)


# -- attention -----------------------------------------------------------------


def test_message_attention_is_aligned_and_sums_to_one():
    X, y = sourced_users(), labels()
    model = small().fit(X, y)
    weights = model.message_attention(X)
    assert len(weights) == 40
    for user, of_user in enumerate(weights):
        assert len(of_user) == np.diff(X["text"].user_starts)[user]
        if len(of_user):
            assert of_user.sum() == pytest.approx(1, abs=1e-6)
            assert (of_user > 0).all()
    # whoever else is asked about
    part = model.message_attention(X[[6, 3, 1]])
    for of_user, row in zip(part, [6, 3, 1], strict=True):
        np.testing.assert_allclose(of_user, weights[row], atol=1e-6)
    average = small(attention=None).fit(X, y).message_attention(X)
    assert all(np.allclose(w, 1 / max(len(w), 1)) for w in average)
    raw = small(attention="raw").fit(X, y).message_attention(X)
    assert any((w < 0).any() for w in raw) or any(w.sum() != 1 for w in raw)


def test_message_attention_of_single_tasks():
    X, y = sourced_users(), labels()
    model = small(multi_task=False).fit(X, y)
    each = [np.concatenate(model.message_attention(X, task=t)) for t in y.columns]
    mean = np.concatenate(model.message_attention(X))
    np.testing.assert_allclose(np.mean(each, axis=0), mean, atol=1e-6)
    assert not np.allclose(each[0], each[1])
    shared = small().fit(X, y)
    by_task = shared.message_attention(X, task="age")
    assert np.array_equal(
        np.concatenate(by_task), np.concatenate(shared.message_attention(X))
    )


def test_message_attention_wants_one_text_and_a_task():
    X, y = sourced_users(), labels()
    model = small().fit(X, y)
    with pytest.raises(
        SourceError, match=r"one of the texts \['text'\]; got 'network'"
    ):
        model.message_attention(X, source="network")
    with pytest.raises(TargetError, match="task must be one of"):
        model.message_attention(X, task="sex")
    two = {"a": X["text"], "b": X["text"]}
    model = small().fit(two, y)
    with pytest.raises(SourceError, match="got None"):
        model.message_attention(two)
    assert len(model.message_attention(two, source="b")) == 40
    dense = small().fit(X["network"], y)
    with pytest.raises(SourceError, match="one of the texts"):
        dense.message_attention(X["network"])


def talkers(n_users, seed):
    """One message about its writer, after 我, among up to 39 about others, after 他.

    All mention tea or wine and two words of no meaning. With more users or epochs
    averages get there too; attention is there first.
    """
    generator = np.random.RandomState(seed)

    def message(who, drink):
        chatter = generator.randint(100, size=2).astype(str)
        return [who, ("茶", "酒")[drink], *chatter]

    classes = generator.randint(0, 2, n_users)
    texts, telling = [], []
    for chosen in classes:
        n_others = generator.randint(1, 40)
        user = [message("他", generator.randint(2)) for _ in range(n_others)]
        telling.append(generator.randint(n_others + 1))
        user.insert(telling[-1], message("我", chosen))
        texts.append(user)
    return TokenMessages.from_lists(texts), np.array(["tea", "wine"])[classes], telling


def test_attention_finds_the_telling_message_where_averages_drown():
    X, y, telling = talkers(500, 0)
    train, test = slice(0, 300), slice(300, 500)
    scores = {"softmax": [], None: []}
    shares = []
    for seed in range(4):
        for attention, found in scores.items():
            model = MMLUPClassifier(
                attention=attention,
                # the words themselves, without their messages, tell enough to guess
                bag_of_words=0,
                n_filters=16,
                kernel_sizes=(1, 3),
                n_filters_second=16,
                n_attention=8,
                n_shared=32,
                n_hidden=(),
                n_dimensions=8,
                learning_rate=0.01,
                batch_size=25,
                max_epochs=10,
                random_state=seed,
                **BARE,
            ).fit(X[train], y[train])
            found.append(model.score(X[test], y[test]))
            if attention:
                weights = model.message_attention(X[test])
                at = zip(weights, telling[test], strict=True)
                # times what the average gives the telling message
                shares.append(np.mean([len(w) * w[t] for w, t in at]))
    means = {attention: np.mean(found) for attention, found in scores.items()}
    assert means["softmax"] > 0.9, (scores, shares)
    assert means["softmax"] > means[None] + 0.05, (scores, shares)
    assert np.mean(shares) > 1.5, (scores, shares)
