"""The systems of the Aux-LSTM paper as Pipelines."""

from __future__ import annotations

import numpy as np
import pytest
from cases import LSTM_SIZES
from sklearn.base import clone

from sklearn_profiling.datasets import make_user_profiles
from sklearn_profiling.estimators import (
    AuxLSTMClassifier,
    LSTMClassifier,
    MultiTaskLSTMClassifier,
)
from sklearn_profiling.exceptions import TargetError
from sklearn_profiling.pipelines import (
    make_aux_lstm,
    make_lstm,
    make_multi_task_lstm,
)
from sklearn_profiling.sources import CharacterSegmenter, Word2VecTransformer

TASKS = ["age", "occupation"]
MAKERS = {
    "lstm": make_lstm,
    "aux": lambda **params: make_aux_lstm("occupation", **params),
    "multi": lambda **params: make_multi_task_lstm(TASKS, n_dimensions=8, **params),
}
every_system = pytest.mark.parametrize("kind", MAKERS)


@pytest.fixture(scope="module")
def profiles():
    return make_user_profiles(
        40, n_messages=4, missing_labels=0.3, missing_text=0.1, random_state=0
    )


def quick(kind, **params):
    model = MAKERS[kind](**{"random_state": 0, **params})
    if kind != "multi":
        model.set_params(sources__text__n_dimensions=8)
    net = {**LSTM_SIZES, "max_epochs": 2}
    return model.set_params(**{f"classifier__{name}": v for name, v in net.items()})


@every_system
def test_from_users_to_predictions(kind, profiles):
    users, y = profiles.data, profiles.target[TASKS]
    model = quick(kind).fit(users.iloc[:30], y.iloc[:30])
    found = model.predict_proba(users)
    assert [p.shape for p in found] == [(40, 3), (40, 5)]
    assert all(np.isfinite(p).all() for p in found)
    again = clone(model).fit(users.iloc[:30], y.iloc[:30]).predict_proba(users)
    other = quick(kind, random_state=1).fit(users.iloc[:30], y.iloc[:30])
    for a, b, c in zip(found, again, other.predict_proba(users), strict=True):
        assert np.array_equal(a, b)
        assert not np.array_equal(a, c)


def test_defaults_are_the_papers():
    for maker, classifier in (
        (make_lstm, LSTMClassifier),
        (make_aux_lstm, AuxLSTMClassifier),
    ):
        model = maker(random_state=0)
        assert isinstance(model["classifier"], classifier)
        params = model.get_params()
        assert isinstance(params["sources__text"], Word2VecTransformer)
        assert params["sources__text__n_dimensions"] == 200
        assert params["sources__text__window"] == 5
        assert params["classifier__trainable_vectors"] is False
    assert make_aux_lstm("age")["classifier"].main_task == "age"
    multi = make_multi_task_lstm(TASKS, random_state=0)
    assert isinstance(multi["classifier"], MultiTaskLSTMClassifier)
    sources = {name: vectors for name, vectors, _ in multi["sources"].sources}
    assert {name: v.task for name, v in sources.items()} == {
        "text": None,
        "age": "age",
        "occupation": "occupation",
    }
    assert all(v.n_dimensions == 200 for v in sources.values())
    seeds = [v.random_state for v in sources.values()]
    assert len({*seeds, multi["classifier"].random_state}) == 4


def test_parts_may_be_given(profiles):
    users = profiles.data.rename(columns={"messages": "said"})
    y = profiles.target[TASKS]
    parts = {"segmenter": CharacterSegmenter(), "text_column": "said"}
    vectors = Word2VecTransformer(4)
    net = {**LSTM_SIZES, "max_epochs": 1}
    for model in (
        make_lstm(word_vectors=vectors, classifier=LSTMClassifier(**net), **parts),
        make_aux_lstm(
            word_vectors=vectors,
            classifier=AuxLSTMClassifier(main_task="age", **net),
            **parts,
        ),
        make_multi_task_lstm(
            ["age"],
            n_dimensions=4,
            classifier=MultiTaskLSTMClassifier(**net),
            **parts,
        ),
    ):
        assert model.get_params()["segmenter__words"] is parts["segmenter"]
        assert model.fit(users, y).predict(users).shape == (40, 2)


def test_what_does_not_go_together():
    with pytest.raises(TargetError, match="main_task='age' is a parameter of the clas"):
        make_aux_lstm("age", classifier=AuxLSTMClassifier())
    for tasks in (["age", "age"], ["text"]):
        with pytest.raises(TargetError, match="must be different names, none of them"):
            make_multi_task_lstm(tasks)
