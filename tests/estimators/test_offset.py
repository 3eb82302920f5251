"""Log-odds of other classifiers as an offset of a net's logits."""

from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import pytest
from scipy.special import softmax

from sklearn_profiling.containers import TokenMessages
from sklearn_profiling.estimators import MMLUPClassifier, TextCNNClassifier
from sklearn_profiling.exceptions import SourceError
from sklearn_profiling.training.offset_factors import best_factors

RNG = np.random.default_rng(0)
Y = pd.DataFrame({"a": ["f", "m"] * 20, "b": ["x", "y", "z", None] * 10})
ODDS = RNG.normal(size=(40, 5)).astype(np.float32)
ODDS[3] = np.nan
LINKS = RNG.normal(size=(40, 5)).astype(np.float32)
TEXT = TokenMessages.from_lists([[["tea"]], [["wine", "tea"]], None, [["hay"]]] * 10)
VECTORS = RNG.normal(size=(40, 3)).astype(np.float32)
X = {"text": TEXT, "vectors": VECTORS, "odds": ODDS, "links": LINKS}
SMALL = {"n_shared": 8, "n_hidden": (4,), "max_epochs": 2, "random_state": 0}


def mmlup(**parameters):
    given = {"sources": ["vectors"], "offset": ["odds", "links"], **SMALL}
    return MMLUPClassifier(**{**given, **parameters})


def text_cnn(**parameters):
    given = {"offset": ["odds", "links"], "n_filters": 4, "kernel_sizes": (1,)}
    return TextCNNClassifier(**{**given, **SMALL, **parameters})


def softmaxes(logits):
    return [softmax(part, axis=1) for part in np.split(logits, [2], axis=1)]


@pytest.mark.parametrize("make", [mmlup, text_cnn])
@pytest.mark.parametrize("multi_task", [True, False])
def test_training_begins_at_the_sum_of_least_loss(make, multi_task):
    model = make(multi_task=multi_task, learning_rate=1e-30).fit(X, Y)
    factors = np.array([part.tolist() for part in model.net_.module_.factors])
    columns = np.repeat(factors, [2, 3], axis=1)  # of each class
    expected = softmaxes(columns[0] * np.nan_to_num(ODDS) + columns[1] * LINKS)
    for found, wanted in zip(model.predict_proba(X), expected, strict=True):
        np.testing.assert_allclose(found, wanted, atol=1e-5)
    for task, part in enumerate([slice(0, 2), slice(2, 5)]):
        labelled = pd.notna(Y.iloc[:, task]).to_numpy()
        codes = pd.factorize(Y.iloc[labelled, task], sort=True)[0]
        best = best_factors(
            np.stack([np.nan_to_num(ODDS), LINKS])[:, labelled, part],
            np.eye(len(set(codes)))[codes],
            np.ones(len(codes)),
            of_sets=False,
        )
        np.testing.assert_allclose(factors[:, task], best, atol=1e-5)


@pytest.mark.parametrize("make", [mmlup, text_cnn])
def test_logits_are_factors_times_log_odds_plus_the_net(make):
    model = make(learning_rate=0.1).fit(X, Y)
    module = model.net_.module_
    factors = [part.tolist() for part in module.factors]
    assert all(abs(value - 1) > 1e-3 for part in factors for value in part)
    silent = {**X, "odds": np.full((40, 5), np.nan), "links": np.zeros((40, 5))}
    of_net = [np.log(p) for p in model.predict_proba(silent)]
    columns = [slice(0, 2), slice(2, 5)]
    for task, found in enumerate(model.predict_proba(X)):
        logits = of_net[task] + factors[0][task] * np.nan_to_num(ODDS[:, columns[task]])
        logits += factors[1][task] * LINKS[:, columns[task]]
        np.testing.assert_allclose(found, softmax(logits, axis=1), atol=1e-5)
    # The net itself does not read the log-odds.
    other = {**silent, "odds": ODDS * np.nan, "links": np.full((40, 5), 3.0)}
    for first, second in zip(
        model.predict_proba(silent), model.predict_proba(other), strict=True
    ):
        np.testing.assert_allclose(first, second, atol=1e-5)


def test_an_offset_that_is_a_source_too_is_also_encoded():
    model = mmlup(sources=["odds"], offset=["odds"], learning_rate=0.1).fit(X, Y)
    assert model.net_.module_.architecture.sources.names == ["odds"]
    every = mmlup(sources=None, offset=["odds"], n_filters=2).fit(X, Y)
    assert every.net_.module_.architecture.sources.names == ["text", "vectors", "links"]


@pytest.mark.parametrize("make", [mmlup, text_cnn])
def test_patterns_name_all_sources_that_match_in_their_order(make):
    X = {"b_odds": ODDS, "text": TEXT, "a_odds": LINKS, "vectors": VECTORS}
    named = make(offset=["b_odds", "a_odds"]).fit(X, Y)
    model = make(offset=["*_odds", "a_odds"]).fit(X, Y)
    assert model.net_.module_.names == ["b_odds", "a_odds"]
    copy = pickle.loads(pickle.dumps(model))
    assert copy.net_.module_.names == ["b_odds", "a_odds"]
    for each in (model, copy):
        for found, wanted in zip(
            each.predict_proba(X), named.predict_proba(X), strict=True
        ):
            np.testing.assert_array_equal(found, wanted)
    with pytest.raises(SourceError, match="must hold the sources seen in fit"):
        model.predict({**X, "c_odds": ODDS})
    for wrong in ("*_ODDS", "?_odds", "[ab]_odds"):
        with pytest.raises(SourceError, match="parameter offset names"):
            make(offset=[wrong]).fit(X, Y)


def test_patterns_name_sources_to_encode():
    X = {"b_odds": ODDS, "text": TEXT, "a_odds": LINKS, "vectors": VECTORS}
    model = mmlup(sources=["v*", "*_odds"], offset=["a*"]).fit(X, Y)
    assert model.net_.module_.names == ["a_odds"]
    encoded = model.net_.module_.architecture.sources.names
    assert encoded == ["vectors", "b_odds", "a_odds"]
    model = mmlup(sources=["v*"], offset=["*_odds"]).fit(X, Y)
    assert model.net_.module_.architecture.sources.names == ["vectors"]
    for wrong in ("V*", "?ectors"):
        with pytest.raises(SourceError, match="parameter sources names"):
            mmlup(sources=[wrong], offset=None).fit(X, Y)


@pytest.mark.parametrize("make", [mmlup, text_cnn])
def test_going_on_and_pickles(make):
    model = make(warm_start=True, learning_rate=0.1).fit(X, Y)
    before = model.predict_proba(X)
    copy = pickle.loads(pickle.dumps(model))
    for found, wanted in zip(copy.predict_proba(X), before, strict=True):
        np.testing.assert_array_equal(found, wanted)
    factor = copy.net_.module_.factors[0].tolist()[0]
    copy.fit(X, Y)
    assert copy.net_.module_.factors[0].tolist()[0] != factor
    model = make().partial_fit(X, Y, classes=[["f", "m"], ["x", "y", "z"]])
    model.partial_fit({name: each[:8] for name, each in X.items()}, Y[:8])
    assert model.predict(X).shape == (40, 2)


@pytest.mark.parametrize("make", [mmlup, text_cnn])
def test_an_offset_must_be_log_odds_of_all_classes(make):
    with pytest.raises(SourceError, match=r"names \['nothing'\]; X holds \['text'"):
        make(offset=["nothing"]).fit(X, Y)
    with pytest.raises(SourceError, match="'vectors' must be log-odds, one column for"):
        make(sources=["odds"], offset=["vectors"]).fit(X, Y) if make is mmlup else make(
            offset=["vectors"]
        ).fit(X, Y)
    with pytest.raises(SourceError, match="it is text with"):
        MMLUPClassifier(sources=["vectors"], offset=["text"], **SMALL).fit(X, Y)
    with pytest.raises(ValueError, match="offset"):
        make(offset="odds").fit(X, Y)


def test_something_must_be_encoded():
    only = {"odds": ODDS}
    with pytest.raises(SourceError, match="no source beside the offset"):
        MMLUPClassifier(offset=["odds"], **SMALL).fit(only, Y)
    with pytest.raises(SourceError, match="at least one of them is needed"):
        MMLUPClassifier(sources=[], offset=["odds"], **SMALL).fit(X, Y)
    with pytest.raises(SourceError, match="parameter offset names"):
        text_cnn().fit(np.array([[1, 2], [2, 1]] * 20), Y)


def test_attention_of_messages_is_that_of_the_net():
    model = text_cnn(attention="softmax").fit(X, Y)
    assert [len(part) for part in model.message_attention(X)][:4] == [1, 1, 0, 1]
