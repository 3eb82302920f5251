"""The recommended system: what it reads, gaps, seeds, and that it finds the signal."""

from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV

from sklearn_profiling.datasets import make_user_profiles
from sklearn_profiling.estimators import MMLUPClassifier
from sklearn_profiling.evaluation import MultiTaskStratifiedKFold
from sklearn_profiling.pipelines import Profiler, make_profiler
from sklearn_profiling.sources import CharacterSegmenter
from sklearn_profiling.sources._grouped import GroupedSources

USERS = make_user_profiles(
    150,
    signal_rate=0.6,
    missing_labels=0.2,
    missing_text=0.1,
    missing_network=0.1,
    random_state=0,
)


def test_text_and_links():
    model = make_profiler(USERS.graph, random_state=0)
    model.fit(USERS.data[:100], USERS.target[:100])
    odds = ["messages_tfidf_odds", "messages_counts_odds", "links_odds"]
    odds.append("neighbors_odds")
    assert list(model[-1].estimator_.net_.module_.architecture.sources.names) == [
        *odds[:2],
        "messages_topics",
        *odds[2:],
        "network",
    ]
    assert model[-1].estimator_.net_.module_.names == odds
    majority = [
        USERS.target[task][100:].eq(USERS.target[task][:100].mode()[0]).sum()
        / USERS.target[task][100:].notna().sum()
        for task in USERS.target
    ]
    assert model.score(USERS.data[100:], USERS.target[100:]) > np.mean(majority) + 0.05
    again = clone(model).fit(USERS.data[:100], USERS.target[:100])
    assert isinstance(again, Profiler)
    for first, second in zip(
        again.predict_proba(USERS.data), model.predict_proba(USERS.data), strict=True
    ):
        np.testing.assert_array_equal(first, second)


def test_a_user_without_anything_is_predicted():
    model = make_profiler(USERS.graph, random_state=0).fit(USERS.data, USERS.target)
    nobody = pd.DataFrame({"user_id": ["stranger"], "messages": [None]})
    for found in model.predict_proba(nobody):
        assert np.isfinite(found).all()
        np.testing.assert_allclose(found.sum(), 1, rtol=1e-5)


def test_text_alone_and_one_task():
    model = make_profiler(segmenter=CharacterSegmenter(), random_state=0)
    model.fit(USERS.data["messages"], USERS.target["gender"])
    assert len(model[-1].estimator_.net_.module_.names) == 2
    assert model.predict(USERS.data["messages"]).shape == (150,)


@pytest.mark.parametrize("kind", ["graph", "pairs", "matrix"])
def test_links_alone(kind):
    graph, ids = USERS.graph, USERS.data["user_id"]
    given = graph
    if kind == "pairs":
        links = graph.adjacency.tocoo()
        given = list(zip(graph.ids[links.row], graph.ids[links.col], strict=True))
    elif kind == "matrix":
        given, ids = graph.adjacency, pd.Series(np.arange(graph.n_users))
    users = pd.DataFrame({"who": ids})
    n_users = min(len(users), len(USERS.target))
    model = make_profiler(given, random_state=0)
    model.fit(users[:n_users], USERS.target[:n_users])
    assert model[-1].estimator_.net_.module_.names == ["links_odds", "neighbors_odds"]
    assert model.predict(users).shape == (len(users), 4)


def test_numbers_and_categories_alone():
    rng = np.random.RandomState(0)
    fans = rng.lognormal(3, 2, 200)
    users = pd.DataFrame({"fans": fans, "city": rng.choice(["Rome", "Oslo"], 200)})
    target = pd.DataFrame(
        {"famous": fans > np.median(fans), "north": users["city"] == "Oslo"}
    )
    model = make_profiler(random_state=0).fit(users[:150], target[:150])
    assert model.score(users[150:], target[150:]) > 0.9


def test_describe():
    users = USERS.data.assign(nothing=None)
    model = make_profiler(USERS.graph, random_state=0)
    with pytest.raises(NotFittedError):
        model.describe()
    told = model.fit(users, USERS.target).describe().set_index("source")
    assert told.loc["network", "role"] == "source"
    assert told.loc["links_odds", "holds"] == "ids"
    assert told["column"].tolist()[-1] == "nothing"
    assert told["role"].tolist()[-1] == "left out"
    experts = told[told["role"] == "expert and source"]
    accuracy = experts[[f"accuracy of {task}" for task in USERS.target]]
    assert accuracy.notna().all(axis=None)
    assert accuracy.max().max() > 0.6
    factors = experts[[f"factor of {task}" for task in USERS.target]]
    assert factors.notna().all(axis=None)
    # A classifier without offsets has no factors.
    other = make_profiler(
        classifier=MMLUPClassifier(sources=["*topics"], max_epochs=1, random_state=0)
    )
    told = other.fit(USERS.data, USERS.target).describe()
    assert not [name for name in told if name.startswith("factor")]


def test_parts_are_parameters_and_may_be_searched():
    other = make_profiler()["classifier"].set_params(estimator__max_epochs=1)
    assert make_profiler(classifier=other)[-1] is other
    model = make_profiler(random_state=0)
    model.set_params(sources__tfidf__max_words=1, sources__counts_expert="drop")
    search = GridSearchCV(
        model,
        {"classifier__estimator__max_epochs": [1, 2]},
        cv=MultiTaskStratifiedKFold(2, random_state=0),
    ).fit(USERS.data, USERS.target)
    assert search.best_estimator_["sources"].union_.named_sources_.keys() == {
        "messages_tfidf_odds",
        "messages_topics",
    }


def test_inner_folds_hold_out_whole_persons():
    sources = GroupedSources(a=np.zeros((90, 1)))
    sources.groups = np.repeat(np.arange(30), 3)
    cv = make_profiler(effort="best", random_state=0)["classifier"].estimator.cv
    for X, whole in ((sources, True), (np.zeros((90, 1)), False)):
        for train, test in cv.split(X, [*"ab"] * 45):
            shared = set(sources.groups[train]) & set(sources.groups[test])
            assert bool(shared) is not whole


def test_more_effort_reads_words_and_selects():
    model = make_profiler(effort="balanced", random_state=0)
    model.set_params(
        classifier__estimator__n_filters=2, classifier__estimator__max_epochs=1
    )
    model.fit(USERS.data[:120], USERS.target[:120])
    assert model.predict(USERS.data[120:]).shape == (30, 4)  # new words too
    net = model["classifier"].estimator_
    assert "messages_words" in net.selected_sources_.index
    assert "messages_words" in set(model.describe()["source"])
    best = make_profiler(effort="best", random_state=0)
    best.set_params(
        sources__words="drop",
        classifier__estimator__param_grid={"max_epochs": [1, 2]},
        classifier__estimator__estimator__select_sources=False,
    )
    best.fit(USERS.data, USERS.target)
    told = best.describe()
    assert told.filter(like="factor of").notna().any(axis=None)
    assert make_profiler(USERS.graph, effort="best", random_state=0)["classifier"]
    with pytest.raises(ValueError, match=r"effort must be .*got 'great'"):
        make_profiler(effort="great")


def test_predictions_in_a_table_keep_the_index():
    users = USERS.data.set_index(USERS.data["user_id"].rename("who"))
    model = make_profiler(random_state=0).fit(users, USERS.target)
    model["classifier"].set_output(predict="pandas")
    assert model.predict(users).index.equals(users.index)


def test_pickling():
    model = make_profiler(USERS.graph, random_state=0).fit(USERS.data, USERS.target)
    again = pickle.loads(pickle.dumps(model))
    for first, second in zip(
        again.predict_proba(USERS.data), model.predict_proba(USERS.data), strict=True
    ):
        np.testing.assert_array_equal(first, second)
