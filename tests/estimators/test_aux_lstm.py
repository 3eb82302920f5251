"""LSTM, Aux-LSTM and multi-task LSTM as classifiers: parameters, sources, weights."""

from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import pytest
import torch
from cases import (
    LSTM_SIZES,
    QUICK,
    VOCABULARY,
    WORDS,
    join,
    labels,
    raw_users,
    sourced_users,
)
from contract import same

from sklearn_profiling.architectures.layers.separate import SeparateTasks
from sklearn_profiling.containers import TokenMessages, Vocabulary
from sklearn_profiling.estimators import (
    AuxLSTMClassifier,
    LSTMClassifier,
    MultiTaskLSTMClassifier,
)
from sklearn_profiling.exceptions import SourceError, TargetError

every_lstm = pytest.mark.parametrize(
    "kind", [LSTMClassifier, AuxLSTMClassifier, MultiTaskLSTMClassifier]
)
NO_CHANCE = {"dropout": 0.0, "word_dropout": 0.0, "source_dropout": 0.0}


def small(kind, **params):
    return kind(**{**LSTM_SIZES, **QUICK, **params})


# -- all three -----------------------------------------------------------------


@every_lstm
@pytest.mark.parametrize("level", ["user", "message"])
def test_memorises_eight_users(kind, level):
    texts, network = raw_users(8)
    X, y = join(texts, network), labels(8)
    model = small(
        kind,
        **NO_CHANCE,
        level=level,
        n_hidden=16,
        n_dense=16,
        learning_rate=0.1,
        max_epochs=60,
    ).fit(X, y)
    assert model.score(X, y) == 1.0


@every_lstm
def test_trained_by_adagrad_with_a_penalty(kind):
    model = small(kind, learning_rate=0.3, weight_decay=0.2).fit(
        sourced_users(), labels()
    )
    assert isinstance(model.net_.optimizer_, torch.optim.Adagrad)
    (group,) = model.net_.optimizer_.param_groups
    assert (group["lr"], group["weight_decay"]) == (0.3, 0.2)


@every_lstm
def test_level_and_length_reach_the_net(kind):
    X, y = sourced_users(), labels()

    def fitted(**params):
        return small(kind, **params).fit(X, y).predict_proba(X)

    assert same(fitted(), fitted(level="user"))
    assert not same(fitted(), fitted(level="message"))
    assert not same(fitted(), fitted(max_words=2))
    assert same(fitted(), fitted(max_words=1000))


@every_lstm
def test_vectors_without_and_with_training(kind):
    X, y = sourced_users(), labels()
    bare = X["text"].with_vocabulary(Vocabulary(WORDS))

    def tables(text, **params):
        model = small(kind, **params).fit(text, y)
        state = model.net_.module_.state_dict()
        return [value for name, value in state.items() if name.endswith("table")]

    frozen = tables(X["text"], trainable_vectors=False)
    # standardised over the words of labelled users
    counts = X["text"][1:].word_counts()
    mean = np.average(VOCABULARY.vectors, axis=0, weights=counts)
    deviation = np.sqrt(
        np.average((VOCABULARY.vectors - mean) ** 2, axis=0, weights=counts)
    )
    wanted = (VOCABULARY.vectors - mean) / deviation
    for table in frozen:
        np.testing.assert_allclose(table[:-1], wanted, atol=1e-5)
    for table in tables(X["text"], trainable_vectors=True):
        assert not np.allclose(table[:-1], wanted)
    # In the paper the vectors of Multi-task LSTM alone are tuned.
    other = tables(X["text"], trainable_vectors=kind is MultiTaskLSTMClassifier)
    for table, same_table in zip(tables(X["text"]), other, strict=True):
        assert torch.equal(table, same_table)
    assert all(table.shape == (9, 8) for table in tables(bare))
    assert all(table.shape == (9, 7) for table in tables(bare, n_dimensions=7))


@every_lstm
def test_bfloat16_is_close_to_float32(kind):
    X, y = sourced_users(), labels()
    full = small(kind, **NO_CHANCE).fit(X, y).predict_proba(X)
    half = small(kind, **NO_CHANCE, dtype="bfloat16").fit(X, y).predict_proba(X)
    for one, other in zip(full, half, strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=0.05)


@pytest.mark.parametrize("kind", [LSTMClassifier, AuxLSTMClassifier])
def test_the_text_must_be_clear(kind):
    X, y = sourced_users(), labels()
    two = {"posts": X["text"], "comments": X["text"][::-1], "network": X["network"]}
    with pytest.raises(SourceError, match=r"source is None and X holds the texts \['p"):
        small(kind).fit(two, y)
    with pytest.raises(
        SourceError, match=rf"{kind.__name__} reads one text.*\['text'\]"
    ):
        small(kind, source="network").fit(X, y)
    chosen = small(kind, source="posts").fit(two, y).predict_proba(two)
    assert same(chosen, small(kind).fit(X, y).predict_proba(X))


# -- LSTM ----------------------------------------------------------------------


def test_one_net_a_task_unless_shared():
    X, y = sourced_users(), labels()
    separate = small(LSTMClassifier).fit(X, y).net_.module_
    assert isinstance(separate, SeparateTasks)
    assert [len(net.outputs) for net in separate.architectures] == [1, 1, 1]
    shared = small(LSTMClassifier, multi_task=True).fit(X, y).net_.module_
    assert [output.out_features for output in shared.outputs] == [2, 3, 2]


# -- Aux-LSTM ------------------------------------------------------------------


def aux(**params):
    return small(AuxLSTMClassifier, **params).fit(sourced_users(), labels())


def test_the_main_task_has_its_weight_and_the_others_share_the_rest():
    def weights(**params):
        return aux(**params).net_.criterion_.weights.tolist()

    assert weights() == pytest.approx([0.75, 0.125, 0.125])
    assert weights(main_task="region", main_weight=0.5) == pytest.approx(
        [0.25, 0.25, 0.5]
    )
    assert weights(main_weight=1.0) == [1.0, 0.0, 0.0]
    assert weights(loss_weights={"age": 2.0}) == [1.0, 2.0, 1.0]
    assert aux(loss_weights="uncertainty").net_.criterion_.learned


def test_auxiliary_lstms_are_shared_or_one_a_task():
    def module(**params):
        return aux(main_task="age", **params).net_.module_

    shared, separate = module(), module(auxiliary="separate")
    assert shared.main == separate.main == 1
    assert len(shared.text.lstms) == 2
    assert len(separate.text.lstms) == 3
    assert not same(
        aux(main_task="age").predict_proba(sourced_users()),
        aux().predict_proba(sourced_users()),
    )


def test_the_main_task_must_be_there():
    with pytest.raises(TargetError, match=r"main_task must be one of .*'age'.*'wage'"):
        aux(main_task="wage")
    X = sourced_users()
    one = labels()["age"]
    with pytest.raises(TargetError, match="main_task must be one of"):
        small(AuxLSTMClassifier, main_task="gender").fit(X, one)


def test_a_single_task_has_no_auxiliary():
    X, y = sourced_users(), labels()["age"]
    model = small(AuxLSTMClassifier, main_task="age").fit(X, y)
    assert len(model.net_.module_.text.lstms) == 1
    assert model.net_.criterion_.weights.tolist() == [1.0]
    alone = small(LSTMClassifier).fit(X, y)
    assert same([model.predict_proba(X)], [alone.predict_proba(X)])


def test_a_user_without_the_main_label_teaches_the_auxiliary_lstm():
    texts, network = raw_users(30)
    X = join(texts, network)
    y = labels(30)[["gender", "region"]]
    y.loc[:, "gender"] = np.where(np.arange(30) < 10, ["f", "m"] * 15, None)
    few = y.copy()
    few.loc[10:, "region"] = None
    settings = {**NO_CHANCE, "batch_size": 30, "main_task": "gender"}
    models = [small(AuxLSTMClassifier, **settings).fit(X, each) for each in (y, few)]
    states = [model.net_.module_.state_dict() for model in models]
    changed = {
        name
        for name, value in states[0].items()
        if not torch.equal(value, states[1][name])
    }
    assert any(name.startswith("text.lstms.1.") for name in changed)


def test_labels_on_different_users():
    """Nobody carries both labels, and the main task is learned all the same."""
    generator = np.random.RandomState(0)
    trait = np.arange(60) % 2
    texts = [[list(generator.choice(WORDS[4 * t : 4 * t + 4], 6))] for t in trait]
    y = pd.DataFrame({"main": trait.astype(object), "other": trait.astype(object)})
    y.loc[np.arange(60) % 3 == 0, "other"] = None
    y.loc[np.arange(60) % 3 != 0, "main"] = None
    assert not y.notna().all(axis=1).any()
    text = TokenMessages.from_lists(texts, VOCABULARY)
    model = small(AuxLSTMClassifier, **NO_CHANCE, max_epochs=30, learning_rate=0.1).fit(
        text, y
    )
    predicted = model.predict(text)
    assert (predicted == trait[:, None]).mean(axis=0).tolist() == [1.0, 1.0]


# -- multi-task LSTM -----------------------------------------------------------


def several_texts():
    """A shared text, one with vectors of its own for age, and one nobody asks for."""
    X = sourced_users()
    other = Vocabulary(WORDS[:5], np.random.RandomState(1).normal(size=(5, 3)))
    return {
        "text": X["text"],
        "age": X["text"].with_vocabulary(other),
        "titles": X["text"][::-1],
        "network": X["network"],
    }


def multi(X, **params):
    return small(MultiTaskLSTMClassifier, **params).fit(X, labels())


def test_each_task_finds_its_text():
    X = several_texts()
    module = multi(X, source="text").net_.module_
    assert module.shared_source == "text"
    assert module.own_sources == ["text", "age", "text"]
    assert [len(text.embedding.table) for text in module.own] == [9, 6, 9]
    mapped = multi(X, task_sources={"gender": "titles"}).net_.module_
    assert mapped.shared_source == "text"
    assert mapped.own_sources == ["titles", "age", "text"]
    mapped = multi(X, task_sources={"age": "text"}, source="titles").net_.module_
    assert mapped.own_sources == ["titles", "text", "titles"]
    tables = [mapped.shared.embedding.table, mapped.own[0].embedding.table]
    assert not torch.equal(*tables)  # a copy that goes its own way


def test_both_vectors_of_a_word_side_by_side():
    X = several_texts()
    settings = {"source": "text", "word_vectors": "concatenated"}
    model = multi(X, **settings, learning_rate=1e-30)
    module = model.net_.module_
    own, shared = module.own[1].embedding.table, module.shared.table
    assert len(own) == len(shared) == 9
    words = X["text"].vocabulary.words
    known = [word in X["age"].vocabulary.index for word in words]
    assert (own[:-1].abs() > 1e-20).any(dim=1).tolist() == known
    torch.testing.assert_close(module.own[0].embedding.table, shared)
    assert same(
        pickle.loads(pickle.dumps(model)).predict_proba(X), model.predict_proba(X)
    )
    learned = multi(X, **settings).predict_proba(X)
    assert not same(learned, model.predict_proba(X))
    alone = multi({"text": X["text"].with_vocabulary(Vocabulary(WORDS))}, **settings)
    assert not torch.equal(
        *(each.embedding.table for each in alone.net_.module_.own[:2])
    )


def test_a_text_alone_is_shared_whatever_its_name():
    X = sourced_users()
    module = multi({"age": X["text"]}).net_.module_
    assert (module.shared_source, module.own_sources) == ("age", ["age"] * 3)


def test_texts_that_no_task_reads_may_change_or_go():
    X = several_texts()
    model = multi(X, source="text")
    expected = model.predict_proba(X)
    assert same(model.predict_proba({k: X[k] for k in ("age", "text")}), expected)
    model.partial_fit({k: X[k] for k in ("text", "age")}, labels())
    with pytest.raises(SourceError, match=r"seen in fit, \['text', 'age'\]"):
        model.predict({"text": X["text"]})


def test_what_the_multi_task_lstm_cannot_read():
    X, y = several_texts(), labels()
    with pytest.raises(SourceError, match=r"source is None .* of which \['age'\] bel"):
        multi(X)
    with pytest.raises(SourceError, match="source is 'network'"):
        multi(X, source="network")
    with pytest.raises(TargetError, match=r"task_sources names \['wage'\]"):
        multi(X, task_sources={"wage": "text"})
    with pytest.raises(SourceError, match=r"names the texts \['x'\]; X holds"):
        multi(X, task_sources={"age": "x"})
    with pytest.raises(SourceError, match=r"reads text; X holds \['network'\]"):
        small(MultiTaskLSTMClassifier).fit({"network": X["network"]}, y)
    with pytest.raises(SourceError, match="source is None"):
        multi({"gender": X["text"], "age": X["age"]})
