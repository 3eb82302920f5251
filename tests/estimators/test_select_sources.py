"""MMLUP drops sources that lower the loss of no task, and says why."""

from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from skorch.callbacks import Callback
from skorch.helper import SliceDict

from sklearn_profiling.containers import TokenMessages
from sklearn_profiling.estimators import MMLUPClassifier, _selection
from sklearn_profiling.evaluation import MultiTaskStratifiedKFold
from sklearn_profiling.exceptions import ProfilingError, SourceError
from sklearn_profiling.training.selection import eliminate

SMALL = {"n_shared": 16, "max_epochs": 5, "learning_rate": 0.01, "random_state": 0}
N_USERS = 400


def users(n_users=N_USERS, seed=0):
    """Vectors that tell two tasks, words that tell one, and noise; some are missing."""
    generator = np.random.RandomState(seed)
    gender, age = generator.randint(0, 2, n_users), generator.randint(0, 3, n_users)
    links = generator.normal(size=(n_users, 6))
    links[:, 0] += 3 * gender
    links[:, 1:4] += 3 * np.eye(3)[age]
    links[::9] = np.nan
    noise = generator.normal(size=(n_users, 50))
    noise[3::9] = np.nan
    odds = np.hstack([3 * np.eye(2)[gender], 3 * np.eye(3)[age]])
    odds += generator.normal(size=odds.shape)
    y = pd.DataFrame(
        {
            "gender": np.array(["f", "m"], object)[gender],
            "age": np.array(["70s", "80s", "90s"], object)[age],
        }
    )
    y.iloc[::8, 0] = None
    y.iloc[::6, 1] = None
    return SliceDict(links=links, noise=noise, odds=odds), y


def select(**parameters):
    given = {"select_sources": True, "sources": ["links", "noise"]}
    return MMLUPClassifier(**{**SMALL, **given, **parameters})


def same(first, second):
    pairs = zip(first, second, strict=True)
    return all(np.array_equal(a, b) for a, b in pairs)


def test_noise_is_dropped_and_the_net_is_one_without_it():
    X, y = users()
    model = select().fit(X, y)
    table = model.selected_sources_
    assert table.index.tolist() == ["links", "noise"]
    assert table.index.name == "source"
    assert table["kept"].tolist() == [True, False]
    assert table["reason"].tolist() == [
        "lowers the loss of gender, age",
        "lowers the loss of no task",
    ]
    assert table.columns.tolist() == [
        "kept",
        "reason",
        "gain_gender",
        "error_gender",
        "gain_age",
        "error_age",
    ]
    for task in y.columns:
        gains, errors = table[f"gain_{task}"], table[f"error_{task}"]
        assert gains["links"] > 5 * errors["links"] > 0
        assert gains["noise"] <= 2 * errors["noise"]
    assert model.net_.module_.sources.names == ["links"]
    alone = MMLUPClassifier(sources=["links"], **SMALL).fit(X, y)
    assert same(model.predict_proba(X), alone.predict_proba(X))
    # X may hold what was dropped, or not
    assert same(
        model.predict_proba(SliceDict(links=X["links"])), alone.predict_proba(X)
    )
    every = select(sources=None)
    every.fit(SliceDict(links=X["links"], noise=X["noise"]), y)
    assert every.selected_sources_.equals(table)
    for shown in (["links"], ["links", "noise"]):
        part = SliceDict(**{name: X[name] for name in shown})
        assert same(every.predict_proba(part), alone.predict_proba(X))


def test_the_same_seed_selects_the_same_in_copies_and_pickles():
    X, y = users()
    state = torch.get_rng_state()
    model = select().fit(X, y)
    assert torch.get_rng_state().equal(state)
    for other in (clone(model).fit(X, y), pickle.loads(pickle.dumps(model))):
        assert other.selected_sources_.equals(model.selected_sources_)
        assert same(other.predict_proba(X), model.predict_proba(X))
    changed = select(random_state=1).fit(X, y)
    assert not changed.selected_sources_.equals(model.selected_sources_)
    # another fit begins anew
    model.set_params(select_sources=False).fit(X, y)
    assert not hasattr(model, "selected_sources_")
    assert model.net_.module_.sources.names == ["links", "noise"]


def drop(*names):
    """Eliminate these sources, whatever the trials say."""

    def eliminate_these(net, validation, all_names):
        _, rises = eliminate(net, validation, all_names)
        return list(names), rises

    return eliminate_these


def test_an_offset_may_be_dropped_as_a_source_and_stays_an_offset(monkeypatch):
    X, y = users()
    monkeypatch.setattr(_selection, "eliminate", drop("noise", "odds"))
    given = {"sources": ["links", "noise", "odds"], "offset": ["odds"]}
    model = select(**given).fit(X, y)
    assert model.selected_sources_["kept"].tolist() == [True, False, False]
    module = model.net_.module_
    assert module.names == ["odds"]
    assert module.architecture.sources.names == ["links"]
    alone = MMLUPClassifier(sources=["links"], offset=["odds"], **SMALL).fit(X, y)
    assert same(model.predict_proba(X), alone.predict_proba(X))
    copy = pickle.loads(pickle.dumps(model))
    assert same(copy.predict_proba(X), model.predict_proba(X))


def test_an_error_leaves_the_last_fit_as_it_was():
    X, y = users()
    model = select().fit(X, y)
    table, before = model.selected_sources_, model.predict_proba(X)
    wrong = SliceDict(links=X["links"], noise=X["noise"][:, None])
    with pytest.raises(SourceError, match="'noise' must have shape"):
        model.fit(wrong, y)
    with pytest.raises(ProfilingError, match="training diverged"):
        model.set_params(learning_rate=1e30).fit(X, y)
    assert model.selected_sources_ is table
    assert same(model.predict_proba(X), before)
    # the net that is begun now reads all
    del model.net_
    model.set_params(learning_rate=0.01).partial_fit(X, y)
    assert model.net_.module_.sources.names == ["links", "noise"]
    assert not hasattr(model, "selected_sources_")


def test_training_goes_on_with_the_sources_that_were_kept():
    X, y = users()
    model = select(warm_start=True).fit(X, y)
    table, before = model.selected_sources_, model.predict_proba(X)
    model.fit(X, y)
    assert model.selected_sources_ is table
    assert not same(model.predict_proba(X), before)
    model.partial_fit(X, y)
    assert model.net_.module_.sources.names == ["links"]
    # some users alone are no ground to choose on
    partial = select().partial_fit(X, y)
    assert not hasattr(partial, "selected_sources_")
    assert partial.net_.module_.sources.names == ["links", "noise"]


@pytest.mark.parametrize("n_users", [6, 100])
def test_too_few_users_keep_all_sources(n_users):
    X, y = users(n_users)
    model = select().fit(X, y)
    table = model.selected_sources_
    assert table["kept"].all()
    assert table["reason"].str.startswith("not tried: ").all()
    assert table["reason"].str.contains("held-out users have a label of ").all()
    assert table[["gain_gender", "error_age"]].isna().all(axis=None)
    every = MMLUPClassifier(sources=["links", "noise"], **SMALL).fit(X, y)
    assert same(model.predict_proba(X), every.predict_proba(X))


@pytest.mark.parametrize(("n_users", "n_epochs"), [(5000, 10), (1000, 15), (99, 20)])
def test_trials_are_short_where_half_the_epochs_are_enough_steps(n_users, n_epochs):
    model = select(max_epochs=20, batch_size=50)
    assert _selection._n_epochs(model, n_users) == n_epochs


def test_there_must_be_something_to_choose_from():
    X, y = users()
    for given, name in ((X["links"], "vectors"), ({"links": X["links"]}, "links")):
        table = select(sources=None).fit(given, y).selected_sources_
        assert table.index.tolist() == [name]
        assert table["kept"].tolist() == [True]
        assert table["reason"].tolist() == ["the only source"]
    with pytest.raises(ValueError, match="'select_sources' parameter"):
        select(select_sources="yes").fit(X, y)


def test_where_nothing_helps_one_source_is_left():
    X, y = users()
    generator = np.random.RandomState(1)
    X = {name: generator.normal(size=(N_USERS, 5)) for name in ("a", "b")}
    table = select(sources=None).fit(X, y).selected_sources_
    assert sorted(table["kept"]) == [False, True]
    assert sorted(table["reason"]) == [
        "lowers the loss of no task",
        "the last source left",
    ]


def test_a_source_that_a_net_lacks_comes_back(monkeypatch):
    X, y = users()
    X["more"] = np.random.RandomState(1).normal(size=(N_USERS, 50))
    monkeypatch.setattr(_selection, "eliminate", drop("more", "links"))
    model = select(sources=["more", "links", "noise"]).fit(X, y)
    table = model.selected_sources_
    assert table["kept"].tolist() == [False, True, True]
    assert table["reason"].tolist() == [
        "lowers the loss of no task",
        "a net trained without more, links was worse",
        "the last source left",
    ]
    # after a second failure all come back
    monkeypatch.setattr(_selection, "eliminate", drop("links", "more"))
    model = select(sources=["links", "more", "noise"]).fit(X, y)
    table = model.selected_sources_
    assert table["kept"].all()
    assert table["reason"].tolist() == [
        "a net trained without links was worse",
        "a net trained without links, more was worse",
        "the last source left",
    ]
    every = MMLUPClassifier(sources=["links", "more", "noise"], **SMALL).fit(X, y)
    assert same(model.predict_proba(X), every.predict_proba(X))


class Counter(Callback):
    """Counts the epochs of a net; cannot be copied."""

    n_epochs = 0

    def on_epoch_end(self, net, **kwargs):
        self.n_epochs += 1

    def __deepcopy__(self, memo):
        raise AssertionError


def test_trials_are_silent(capfd):
    X, y = users()
    counter = Counter()
    select(callbacks=[("counter", counter)], verbose=2).fit(X, y)
    assert counter.n_epochs == 5
    quiet = capfd.readouterr()
    assert quiet.out.count("\n") == 7  # five epochs and two lines above them
    assert not quiet.err


@pytest.mark.parametrize(
    "parameters",
    [
        {"multi_task": False},
        {"early_stopping": True, "loss_weights": "uncertainty"},
        {"class_weight": "balanced", "source_dropout": 0.0},
    ],
)
def test_every_way_of_training_selects(parameters):
    X, y = users()
    model = select(**parameters).fit(X, y)
    assert model.selected_sources_["kept"].tolist() == [True, False]


def test_one_task_and_sets_of_labels():
    X, y = users()
    model = select().fit(X, y["age"])
    assert model.selected_sources_["kept"].tolist() == [True, False]
    assert model.selected_sources_.columns.tolist()[2:] == ["gain_age", "error_age"]
    likes = {"70s": {"tea"}, "80s": {"tea", "hay"}, "90s": {"hay"}}
    y["likes"] = pd.Series([likes.get(age) for age in y["age"]], dtype=object)
    table = select().fit(X, y).selected_sources_
    assert table["kept"].tolist() == [True, False]
    assert table["gain_likes"]["links"] > 0.1
    # an array names no task
    table = select().fit(X, y["age"].to_numpy(dtype=object)).selected_sources_
    assert table.columns.tolist()[2:] == ["gain_task0", "error_task0"]


def test_text_is_tried_like_any_other_source(monkeypatch):
    X, y = users()
    X["links"] = X["links"][:, 1:]  # which tell no gender
    told = y["gender"].map({"f": "tea", "m": "wine"})
    words = [None if pd.isna(word) else [["so", word]] * 2 for word in told]
    X["text"] = TokenMessages.from_lists(words)
    X["chatter"] = TokenMessages.from_lists([[["hay"], ["so"]]] * N_USERS)
    monkeypatch.setattr(_selection, "eliminate", drop("chatter"))
    model = select(
        sources=["text", "chatter", "links"],
        n_filters=4,
        n_filters_second=8,
        max_epochs=10,
    ).fit(X, y)
    table = model.selected_sources_
    assert table["kept"].tolist() == [True, False, True]
    assert table["gain_gender"]["text"] > 2 * table["error_gender"]["text"]
    assert len(model.message_attention(X)) == N_USERS
    with pytest.raises(SourceError, match="one of the texts"):
        model.message_attention(X, source="chatter")


def test_a_grid_search_over_the_selection():
    X, y = users()
    X = SliceDict(links=X["links"], noise=X["noise"])
    search = GridSearchCV(
        select(sources=None),
        {"select_sources": [False, True]},
        cv=MultiTaskStratifiedKFold(2, random_state=0),
        error_score="raise",
    ).fit(X, y)
    assert search.predict(X).shape == (N_USERS, 2)
