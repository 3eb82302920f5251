"""Log-odds of other classifiers as an offset of a net's logits."""

from __future__ import annotations

import inspect
import pickle

import numpy as np
import pandas as pd
import pytest
from cases import CASES, labels, pictures, raw_users, sourced_users
from scipy.special import expit, softmax
from skorch.helper import SliceDict
from torch import nn

from sklearn_profiling.architectures.layers.heads import LogitLayer
from sklearn_profiling.containers import TokenMessages
from sklearn_profiling.estimators import MMLUPClassifier
from sklearn_profiling.exceptions import SourceError
from sklearn_profiling.training.offset_factors import best_factors


def parameters_of(name):
    return inspect.signature(type(CASES[name].make())).parameters


NAMES = [name for name in CASES if "offset" in parameters_of(name)]
every_class = pytest.mark.parametrize("name", NAMES)
named_sources = pytest.mark.parametrize(
    "name", [name for name in NAMES if "sources" in parameters_of(name)]
)
# Whether tasks share the net, for those that have both ways.
WAYS = [
    (name, options)
    for name in NAMES
    for options in ({"multi_task": True}, {"multi_task": False}, {})
    if ("multi_task" in parameters_of(name)) == bool(options)
]

RNG = np.random.default_rng(0)
COLUMNS = [slice(0, 2), slice(2, 5), slice(5, 7)]  # of the classes of each task
Y = labels()
PLAIN = {**sourced_users(), "images": pictures(raw_users()[1])}
ODDS = RNG.normal(size=(40, 7)).astype(np.float32)
ODDS[[3, 7]] = np.nan
LINKS = RNG.normal(size=(40, 7)).astype(np.float32)
LINKS[[5, 7]] = np.nan
BOTH = {"odds": ODDS, "links": LINKS}
X = SliceDict(**PLAIN, **BOTH)


def make(name, **parameters):
    given = {"offset": ["odds", "links"], **parameters}
    if "gate_fraction" in parameters_of(name):
        given.setdefault("gate_fraction", 0.0)  # quicker; tests of gates set it
    return CASES[name].make().set_params(**given)


def assert_same(first, second, **tolerance):
    for found, wanted in zip(first, second, strict=True):
        np.testing.assert_allclose(found, wanted, **{"atol": 0, "rtol": 0, **tolerance})


def test_all_nets_but_generators_have_the_parameter():
    assert {"MMLUPClassifier", "AuxLSTMClassifier", "CNN3DClassifier"} < set(NAMES)
    assert len(NAMES) >= 11


def factors_of(model):
    return np.array([part.tolist() for part in model.net_.module_.factors])


# -- the net begins as the offset ----------------------------------------------


@pytest.mark.parametrize(("name", "options"), WAYS)
def test_training_begins_at_the_sum_of_least_loss(name, options):
    model = make(name, learning_rate=1e-30, **options).fit(X, Y)
    probabilities, factors = model.predict_proba(X), factors_of(model)
    for task, (column, part) in enumerate(zip(Y, COLUMNS, strict=True)):
        odds = np.nan_to_num(np.stack([ODDS, LINKS])[:, :, part])
        summed = np.tensordot(factors[:, task], odds, axes=1)
        np.testing.assert_allclose(
            probabilities[task], softmax(summed, axis=1), atol=1e-5
        )
        labelled = Y[column].notna().to_numpy()
        codes = pd.factorize(Y.loc[labelled, column], sort=True)[0]
        best = best_factors(
            odds[:, labelled],
            np.eye(codes.max() + 1)[codes],
            np.ones(len(codes)),
            of_sets=False,
        )
        np.testing.assert_allclose(factors[:, task], best, atol=1e-5)
    assert np.ptp(probabilities[1][7]) < 1e-6  # neither of the two


@every_class
def test_sets_of_labels_begin_at_the_sum_too(name):
    y = pd.DataFrame({"a": [{"x"}, {"x", "y"}, set(), None] * 10, "b": ["u", "v"] * 20})
    given = SliceDict(**PLAIN, odds=ODDS[:, :4], links=LINKS[:, :4])
    model = make(name, learning_rate=1e-30).fit(given, y)
    of_sets, of_one = factors_of(model).T
    first, second = np.nan_to_num(np.stack([ODDS, LINKS])[:, :, :4])
    summed = first * np.repeat([of_sets[0], of_one[0]], 2)
    summed += second * np.repeat([of_sets[1], of_one[1]], 2)
    expected = [expit(summed[:, :2]), softmax(summed[:, 2:], axis=1)]
    assert_same(model.predict_proba(given), expected, atol=1e-5)


def trained(model, X):
    """Names of the parameters that training changes."""
    before = state_of(model.set_params(learning_rate=1e-30).fit(X, Y))
    after = state_of(model.set_params(learning_rate=0.05).fit(X, Y))
    return {n for n, each in after.items() if np.abs(each - before[n]).max() > 1e-7}


def state_of(model):
    return {
        name: each.detach().numpy().copy()
        for name, each in model.net_.module_.named_parameters()
    }


@every_class
def test_all_that_training_changes_without_an_offset_it_changes_with_one(name):
    alone = trained(make(name, offset=None), SliceDict(**PLAIN))
    beside = trained(make(name), X)
    factors = {"factors.0", "factors.1"}
    assert beside == {f"architecture.{each}" for each in alone} | factors


@every_class
def test_the_net_is_not_behind_its_offset(name):
    rng = np.random.default_rng(1)
    texts, network = raw_users(240, seed=1)
    y = labels(240, seed=1).fillna("f").replace({"age": {"f": "70s"}})
    y["region"] = np.where(y["region"] == "north", "north", "south")
    columns = [
        np.equal.outer(y[task].to_numpy(), np.unique(y[task])) + 0.0 for task in y
    ]
    odds = np.hstack(columns) + rng.normal(scale=0.8, size=(240, 7))
    given = SliceDict(
        text=TokenMessages.from_lists(texts),
        network=network,
        images=pictures(network),
        odds=odds,
    )
    model = make(name, offset=["odds"], max_epochs=5).fit(given[:160], y[:160])
    of_offset = [
        np.unique(y[task])[odds[160:, part].argmax(axis=1)] == y[task][160:]
        for task, part in zip(y, COLUMNS, strict=True)
    ]
    found = model.score(given[160:], y[160:])
    assert 0.6 < np.mean(of_offset) < 0.9
    assert found > np.mean(of_offset) - 0.01


# -- what is added -------------------------------------------------------------


@every_class
def test_logits_are_factors_times_log_odds_plus_the_net(name):
    model = make(name, learning_rate=0.1).fit(X, Y)
    factors = factors_of(model)
    begun = factors_of(make(name, learning_rate=1e-30).fit(X, Y))
    assert np.abs(factors - begun).min() > 1e-3
    silent = SliceDict(**PLAIN, odds=ODDS * np.nan, links=LINKS * 0)
    of_net = model.predict_log_proba(silent)
    for task, found in enumerate(model.predict_proba(X)):
        part = COLUMNS[task]
        logits = of_net[task] + factors[0][task] * np.nan_to_num(ODDS[:, part])
        logits += factors[1][task] * np.nan_to_num(LINKS[:, part])
        np.testing.assert_allclose(found, softmax(logits, axis=1), atol=1e-5)
    # The net itself does not read the log-odds.
    other = SliceDict(**PLAIN, odds=ODDS * np.nan, links=np.full((40, 7), 3.0))
    assert_same(model.predict_proba(silent), model.predict_proba(other), atol=1e-5)


@named_sources
def test_an_offset_that_is_a_source_too_is_also_encoded(name):
    model = make(name, sources=["odds"], offset=["odds"]).fit(X, Y)
    assert model.net_.module_.architecture.sources.names == ["odds"]
    every = make(name, sources=None, offset=["odds"]).fit(X, Y)
    assert every.net_.module_.architecture.sources.names == [*PLAIN, "links"]


# -- names ---------------------------------------------------------------------


@every_class
def test_patterns_name_all_sources_that_match_in_their_order(name):
    X = SliceDict(b_odds=ODDS, **PLAIN, a_odds=LINKS)
    named = make(name, offset=["b_odds", "a_odds"]).fit(X, Y)
    model = make(name, offset=["*_odds", "a_odds"]).fit(X, Y)
    assert model.net_.module_.names == ["b_odds", "a_odds"]
    copy = pickle.loads(pickle.dumps(model))
    assert copy.net_.module_.names == ["b_odds", "a_odds"]
    for each in (model, copy):
        assert_same(each.predict_proba(X), named.predict_proba(X))
    for wrong in ("*_ODDS", "?_odds", "[ab]_odds"):
        with pytest.raises(SourceError, match="parameter offset names"):
            make(name, offset=[wrong]).fit(X, Y)


@named_sources
def test_patterns_name_sources_to_encode(name):
    X = SliceDict(b_odds=ODDS, **PLAIN, a_odds=LINKS)
    model = make(name, sources=["n*", "*_odds"], offset=["a*"]).fit(X, Y)
    assert model.net_.module_.names == ["a_odds"]
    encoded = model.net_.module_.architecture.sources.names
    assert encoded == ["network", "b_odds", "a_odds"]
    with pytest.raises(SourceError, match="must hold the sources seen in fit"):
        model.predict(SliceDict(**X, c_odds=ODDS))
    model = make(name, sources=["n*"], offset=["*_odds"]).fit(X, Y)
    assert model.net_.module_.architecture.sources.names == ["network"]
    for wrong in ("N*", "?etwork"):
        with pytest.raises(SourceError, match="parameter sources names"):
            make(name, sources=[wrong], offset=None).fit(X, Y)


@every_class
def test_an_offset_must_be_log_odds_of_all_classes(name):
    with pytest.raises(SourceError, match=r"names \['nothing'\]; X holds \['text'"):
        make(name, offset=["nothing"]).fit(X, Y)
    with pytest.raises(SourceError, match="'network' must be log-odds, one column for"):
        make(name, offset=["network"]).fit(X, Y)
    with pytest.raises(SourceError, match="it is text with"):
        make(name, offset=["talk"]).fit(SliceDict(**X, talk=X["text"]), Y)
    with pytest.raises(ValueError, match="offset"):
        make(name, offset="odds").fit(X, Y)


@every_class
def test_something_must_be_encoded(name):
    with pytest.raises(SourceError, match="X holds"):
        make(name).fit(SliceDict(**BOTH), Y)
    plain = np.array([[1, 2], [2, 1]] * 20)
    with pytest.raises(SourceError, match="parameter offset names"):
        make(name).fit(plain, Y)
    with pytest.raises(SourceError, match=r"must be log-odds|X holds"):
        make(name, offset=["*"]).fit(plain, Y)


@named_sources
def test_something_must_be_encoded_beside_the_offset(name):
    with pytest.raises(SourceError, match="no source beside the offset"):
        make(name).fit(SliceDict(**BOTH), Y)
    with pytest.raises(SourceError, match="at least one of them is needed"):
        make(name, sources=[]).fit(X, Y)


def test_an_architecture_must_say_which_layers_give_logits():
    class OneLayer(nn.Module):
        def __init__(self, sources, n_classes, *, dropout):
            super().__init__()
            self.layer = nn.Linear(len(sources), sum(n_classes) + int(dropout))

    class OneLayerClassifier(MMLUPClassifier):
        _architecture = OneLayer

    with pytest.raises(TypeError, match="OneLayer has no LogitLayer"):
        OneLayerClassifier(sources=["network"], offset=["odds"]).fit(X, Y)


# -- going on ------------------------------------------------------------------


@every_class
def test_warm_start_goes_on_from_the_factors(name):
    model = make(name, warm_start=True, learning_rate=0.1).fit(X, Y)
    copy = pickle.loads(pickle.dumps(model))
    assert_same(copy.predict_proba(X), model.predict_proba(X))
    for each in (model, copy):
        before = state_of(each)
        each.set_params(learning_rate=1e-30).fit(X, Y)
        assert_same(state_of(each).values(), before.values(), atol=1e-6)
        each.set_params(learning_rate=0.1).fit(X, Y)
        factors = state_of(each)["factors.0"]
        assert np.abs(factors - before["factors.0"]).min() > 1e-4
    assert len(model.history_) == 6


@every_class
def test_partial_fit_and_early_stopping(name):
    classes = [["f", "m"], ["70s", "80s", "90s"], ["north", "south"]]
    model = make(name).partial_fit(X, Y, classes=classes)
    first = factors_of(model)
    model.partial_fit(X[8:24], Y[8:24])
    assert np.abs(factors_of(model) - first).min() > 0
    assert model.predict(X).shape == (40, 3)
    stopped = make(name, early_stopping=True, validation_fraction=0.3, dtype="float64")
    assert factors_of(stopped.fit(X, Y)).shape == (2, 3)
    assert "valid_loss" in stopped.history_[0]


# -- what reads the net inside -------------------------------------------------


def test_attention_of_messages_and_images_is_that_of_the_net():
    for name in ("TextCNNClassifier", "MMLUPClassifier"):
        model = make(name, attention="softmax").fit(X, Y)
        lengths = [len(part) for part in model.message_attention(X)]
        assert lengths == np.diff(X["text"].user_starts).tolist()
    model = make("ImageSetClassifier").fit(X, Y)
    lengths = [len(part) for part in model.image_attention(X)]
    assert lengths == np.diff(X["images"].user_starts).tolist()


def test_gates_are_of_what_is_encoded():
    model = make(
        "MultimodalCNN3DClassifier", sources=["text", "links"], gate_fraction=0.3
    ).fit(X, Y)
    assert model.source_gates(X).columns.tolist() == ["text", "links"]


def test_a_source_that_says_what_the_offset_says_is_shut():
    rng = np.random.default_rng(0)
    known, hidden = rng.normal(size=(2, 240, 1))
    truth = known + 0.7 * hidden + rng.normal(scale=0.3, size=(240, 1))
    y = pd.DataFrame({"a": np.where(truth[:, 0] > 0, "x", "y")})
    given = SliceDict(
        copy=known, news=hidden, odds=np.hstack([known, -known]).astype(np.float32) * 3
    )
    gates = {}
    for offset in (None, ["odds"]):
        model = make(
            "MultimodalCNN3DClassifier",
            sources=["copy", "news"],
            offset=offset,
            gate_fraction=0.35,
            gate_epochs=8,
            learning_rate=0.01,
        )
        gates[bool(offset)] = model.fit(given, y).source_gates(given).iloc[0]
    assert gates[False]["copy"] > 0.3
    assert gates[True]["copy"] < 0.15
    assert gates[True]["news"] == pytest.approx(1, abs=1e-3)


def test_logit_layers_are_drawn_as_linear_layers_and_begin_at_zero_on_demand():
    layer = LogitLayer(3, 2)
    assert np.abs(layer.weight.detach().numpy()).min() > 0
    layer.begin_at_zero()
    assert not layer.weight.any()
    assert not layer.bias.any()
