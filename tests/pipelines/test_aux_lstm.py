"""The systems of the Aux-LSTM paper as Pipelines."""

from __future__ import annotations

import numpy as np
import pytest
from cases import LSTM_SIZES
from sklearn.base import clone
from sklearn.naive_bayes import MultinomialNB
from sklearn.pipeline import Pipeline

from sklearn_profiling.baselines import OutOfFoldLogits
from sklearn_profiling.datasets import make_user_profiles
from sklearn_profiling.estimators import (
    AuxLSTMClassifier,
    LSTMClassifier,
    MultiTaskLSTMClassifier,
)
from sklearn_profiling.exceptions import SourceError, TargetError
from sklearn_profiling.pipelines import (
    make_aux_lstm,
    make_aux_lstm_systems,
    make_lstm,
    make_multi_task_lstm,
)
from sklearn_profiling.sources import (
    CharacterSegmenter,
    JiebaSegmenter,
    StylometricFeatures,
    TfidfVectors,
    Word2VecTransformer,
)

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


def test_word_vectors_are_the_papers():
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
    sources = {name: vectors for name, vectors, _ in multi["sources"].sources[:3]}
    assert {name: v.task for name, v in sources.items()} == {
        "text": None,
        "age": "age",
        "occupation": "occupation",
    }
    assert all(v.n_dimensions == 200 for v in sources.values())
    seeds = [v.random_state for v in sources.values()]
    assert len({*seeds, multi["classifier"].random_state}) == 4


@every_system
def test_experts_stand_beside_the_net(kind, profiles):
    model = quick(kind).fit(profiles.data, profiles.target[TASKS])
    names = ["tfidf_odds", "counts_odds"]
    assert model["classifier"].offset == names
    made = {name: expert for name, expert, _ in model["sources"].sources_}
    for name in names:
        assert made[name][-1].task_names_ == TASKS
    counts = made["counts_odds"][0].get_feature_names_out()
    assert not any(" " in word for word in counts)
    assert any(" " in word for word in made["tfidf_odds"][0].get_feature_names_out())
    # Their seeds are their own; those of the other parts are the paper's.
    seeds = {made[name][-1].random_state for name in names}
    net, paper = (MAKERS[kind](random_state=0, preset=p) for p in ("default", "paper"))
    assert len({*seeds, net["classifier"].random_state}) == 3
    assert net["classifier"].random_state == paper["classifier"].random_state
    assert (
        net["sources"].get_params()["text__random_state"]
        == (paper["sources"].get_params()["text__random_state"])
    )


@every_system
def test_experts_may_be_given_or_left_out(kind, profiles):
    own = {"own_odds": OutOfFoldLogits(MultinomialNB(), cv=2, random_state=0)}
    own = {name: Pipeline([("n", TfidfVectors()), ("o", e)]) for name, e in own.items()}
    model = quick(kind, experts=own)
    assert model["classifier"].offset == ["own_odds"]
    assert "tfidf_odds" not in model["sources"].get_params()
    with_own = model.fit(profiles.data, profiles.target[TASKS])
    assert with_own["classifier"].net_.module_.names == ["own_odds"]
    alone = quick(kind, experts="drop")
    assert alone["classifier"].offset is None
    assert not any("odds" in name for name in alone.get_params())
    for given in ("none", 3, OutOfFoldLogits()):
        with pytest.raises(SourceError, match="experts must be a mapping, 'drop' or"):
            MAKERS[kind](experts=given)
    with pytest.raises(SourceError, match=r"different names; 'text' names one of"):
        MAKERS[kind](experts={"text": own["own_odds"]})


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


def test_systems_share_what_they_are_given():
    systems = make_aux_lstm_systems(
        ["gender", "age"],
        main_task="age",
        n_dimensions=7,
        lstm_parameters={"n_hidden": 5},
        cnn_parameters={"n_nodes": 9},
        memory="cache",
        random_state=0,
        max_epochs=3,
    )
    assert list(systems) == [
        "Majority class",
        "SVM",
        "ME",
        "bow-CNN",
        "PCNN",
        "LSTM",
        "Meta-Learning",
        "Multi-task LSTM",
        "Aux-LSTM",
    ]
    nets = {
        name: systems[name].named_steps["classifier"].get_params()
        for name in list(systems)[3:]
    }
    for name, params in nets.items():
        if name != "Meta-Learning":
            assert params["max_epochs"] == 3
            size, expected = ("n_nodes", 9) if "CNN" in name else ("n_hidden", 5)
            assert params[size] == expected
    assert nets["Aux-LSTM"]["main_task"] == nets["Meta-Learning"]["main_task"] == "age"
    lstms = [systems[name].get_params() for name in ("LSTM", "Aux-LSTM")]
    assert lstms[0]["sources__text__n_dimensions"] == 7
    assert (
        lstms[0]["sources__text__random_state"]
        == lstms[1]["sources__text__random_state"]
    )
    own = systems["Multi-task LSTM"].get_params()
    assert own["sources__age__task"] == "age"
    assert own["sources__gender__n_dimensions"] == 7
    seeds = {p["random_state"] for n, p in nets.items() if n != "Meta-Learning"}
    assert len(seeds) == 1
    assert all(
        system.memory == "cache"
        for name, system in systems.items()
        if name != "Majority class"
    )


@pytest.mark.parametrize(
    ("given", "rates"),
    [
        ({}, [(0.05, True), (0.03, True), (0.05, True)]),
        ({"learning_rate": 0.5, "learning_rate_decay": False}, [(0.5, False)] * 3),
    ],
)
def test_learning_rates_of_the_lstms(given, rates):
    systems = make_aux_lstm_systems(["gender", "age"], lstm_parameters=given)
    nets = [
        systems[name].named_steps["classifier"]
        for name in ("LSTM", "Multi-task LSTM", "Aux-LSTM")
    ]
    assert [(net.learning_rate, net.learning_rate_decay) for net in nets] == rates


def test_style_is_measured_where_parts_of_speech_are_tagged():
    def svm(segmenter, **arguments):
        systems = make_aux_lstm_systems(["gender"], segmenter=segmenter, **arguments)
        return systems["SVM"].get_params()

    for segmenter in (None, JiebaSegmenter(hmm=False)):
        params = svm(segmenter)
        assert params["segmenter__part_of_speech"]
        assert "features__style" in params
        without = svm(segmenter, stylometric="drop")
        assert "features__style" not in without
        assert not without["segmenter__part_of_speech"]
    assert svm(JiebaSegmenter(hmm=False))["segmenter__hmm"] is False
    characters = svm(CharacterSegmenter())
    assert "features__style" not in characters
    given = StylometricFeatures(tagger=len)
    assert "features__style" in svm(CharacterSegmenter(), stylometric=given)


def test_systems_learn_with_missing_sources_and_labels():
    users = make_user_profiles(40, missing_labels=0.2, missing_text=0.1, random_state=0)
    systems = make_aux_lstm_systems(
        ["gender", "occupation"],
        n_dimensions=4,
        lstm_parameters={"n_hidden": 2, "n_dense": 2, "max_words": 9},
        cnn_parameters={"n_nodes": 2},
        tune=False,
        random_state=0,
        max_epochs=1,
    )
    y = users.target[["gender", "occupation"]]
    for system in systems.values():
        predicted = system.fit(users.data[:30], y[:30]).predict(users.data[30:])
        assert predicted.shape == (10, 2)


def test_an_unknown_main_task():
    with pytest.raises(TargetError, match=r"one of the tasks \['age'\]; got 'x'"):
        make_aux_lstm_systems(["age"], main_task="x")
