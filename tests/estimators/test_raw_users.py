"""A net that is given a table of users says which Pipeline reads it."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import polars as pl
import pytest
from cases import CASES, NETS
from contract import every_net

from sklearn_profiling import estimators, pipelines
from sklearn_profiling.baselines import MetaLearningClassifier
from sklearn_profiling.exceptions import SourceError

USERS = pd.DataFrame(
    {"user_id": ["a", "b"], "messages": [["hello"], ["good bye"]], "n": [1, 2]}
)
WITHOUT = {"BowCNNClassifier", "PCNNClassifier", "MultimodalCNN3DClassifier"}


@every_net
def test_the_pipeline_of_each_class(name):
    with pytest.raises(SourceError) as caught:
        CASES[name].make().fit(USERS, ["f", "m"])
    message = str(caught.value)
    assert message.startswith(f"{name} reads sources")
    assert "the columns ['user_id', 'messages'] hold text or lists" in message
    call = re.search(r"make_\w+\(.*?\)+(?= of)", message)
    assert (call is None) == (name in WITHOUT)
    if call is None:
        assert "put a SourceUnion of sklearn_profiling.sources before it" in message
        return
    # and what it names makes a system of this class
    names = {**vars(pipelines), **vars(estimators), "graph": None, "tasks": ["age"]}
    system = eval(call[0], names)  # noqa: S307  the message is our own
    assert type(system[-1]).__name__ == name


def test_no_class_is_left_out():
    assert set(NETS) >= WITHOUT


@pytest.mark.parametrize(
    "X",
    [
        pl.DataFrame(USERS),
        USERS["messages"],
        USERS["user_id"],
        pl.Series(["hello", "good bye"]),
        USERS["messages"].tolist(),
        ("hello", "good bye"),
        np.array(["hello", "good bye"], dtype=object),
        pd.DataFrame({"time": pd.to_datetime(["2020", "2021"]), "m": ["a", None]}),
    ],
    ids=lambda X: f"{type(X).__module__}.{type(X).__name__}",
)
def test_messages_in_any_container(X):
    model = estimators.MMLUPClassifier()
    with pytest.raises(SourceError, match=r"make_mmlup\(graph\) of sklearn_profiling"):
        model.fit(X, ["f", "m"])
    with pytest.raises(SourceError, match="Pipeline"):
        MetaLearningClassifier(model).fit(X, ["f", "m"])


@pytest.mark.parametrize(
    "X",
    [
        pd.DataFrame({"a": [0.0, 1.0], "b": ["2", "3"]}),
        pl.DataFrame({"a": [0.0, 1.0], "b": [2, 3]}),
        [[0.0, 2.0], [1.0, 3.0]],
    ],
    ids=["pandas", "polars", "list"],
)
def test_tables_of_numbers_are_read(X):
    model = estimators.MMLUPClassifier(max_epochs=1, random_state=0)
    expected = model.fit(np.array([[0.0, 2], [1, 3]]), ["f", "m"]).predict_proba(
        np.array([[0.0, 2], [1, 3]])
    )
    found = model.fit(X, ["f", "m"]).predict_proba(X)
    np.testing.assert_array_equal(found, expected)
