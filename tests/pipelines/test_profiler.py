"""The recommended system: what it reads, gaps, seeds, and that it finds the signal."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

from sklearn_profiling.datasets import make_user_profiles
from sklearn_profiling.exceptions import SourceError
from sklearn_profiling.pipelines import make_profiler
from sklearn_profiling.sources import CharacterSegmenter, WordSegmenter

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
    assert isinstance(model.get_params()["segmenter__words"], WordSegmenter)
    assert model.get_params()["segmenter__words__punctuation"] == "keep"
    model.fit(USERS.data[:100], USERS.target[:100])
    assert list(model[-1].net_.module_.architecture.sources.names) == [
        *("text", "topics", "links", "network")
    ]
    assert model[-1].net_.module_.names == ["text", "links"]
    majority = [
        USERS.target[task][100:].eq(USERS.target[task][:100].mode()[0]).sum()
        / USERS.target[task][100:].notna().sum()
        for task in USERS.target
    ]
    assert model.score(USERS.data[100:], USERS.target[100:]) > np.mean(majority) + 0.05
    again = clone(model).fit(USERS.data[:100], USERS.target[:100])
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


def test_text_alone():
    model = make_profiler(segmenter=CharacterSegmenter(), random_state=0)
    model.fit(USERS.data[["messages"]], USERS.target["gender"])
    assert model[-1].net_.module_.names == ["text"]
    assert isinstance(model.get_params()["segmenter__words"], CharacterSegmenter)
    assert model.predict(USERS.data[["messages"]]).shape == (150,)


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
    target = USERS.target if kind != "matrix" else USERS.target.iloc[: len(users)]
    n_users = min(len(users), len(target))
    model = make_profiler(given, text_column=None, id_column="who", random_state=0)
    model.fit(users[:n_users], target[:n_users])
    assert [name for name, _ in model.steps] == ["sources", "classifier"]
    assert model[-1].net_.module_.names == ["links"]
    assert model.predict(users).shape == (len(users), 4)


def test_a_given_classifier_and_nothing_to_read():
    with pytest.raises(SourceError, match="text_column, graph or both"):
        make_profiler(text_column=None)
    other = make_profiler().named_steps["classifier"].set_params(max_epochs=1)
    assert make_profiler(classifier=other)[-1] is other
