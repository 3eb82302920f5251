"""Systems of both papers, the choice of a segmenter, new users at predict time."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from sklearn_profiling.baselines import make_majority_baseline
from sklearn_profiling.datasets import make_user_profiles
from sklearn_profiling.exceptions import SourceError, TargetError
from sklearn_profiling.pipelines import (
    make_aux_lstm_systems,
    make_image_systems,
    make_table3_systems,
    predict_proba_with_links,
)
from sklearn_profiling.sources import (
    CharacterSegmenter,
    JiebaSegmenter,
    StylometricFeatures,
    choose_segmenter,
)


def test_a_segmenter_is_chosen_by_the_text():
    words = make_user_profiles(30, random_state=0).data["messages"]
    assert type(choose_segmenter(words)).__name__ == "JiebaSegmenter"
    poem = pd.Series([["西風颯颯雨瀟瀟", "獨倚闌干數鵝匹", "古心未展閒游戲"]] * 5)
    assert type(choose_segmenter(poem)).__name__ == "CharacterSegmenter"
    empty = pd.Series([[], None], dtype=object)
    assert type(choose_segmenter(empty)).__name__ == "JiebaSegmenter"


def test_ablations_differ_in_what_they_say():
    users = make_user_profiles(30, random_state=0)
    systems = make_table3_systems(users.graph, random_state=0, max_epochs=3)

    def nets(name):
        return systems[f"MMLUP ({name})"].named_steps["classifier"]

    full = nets("full architecture").get_params()
    assert full["max_epochs"] == 3
    for name, changed in {
        "single task": {"multi_task": False},
        "without attention": {"attention": None},
        "without friendship network": {"sources": ["text", "keywords", "topics"]},
        "the paper's sources": {"sources": ["text", "keywords", "network"]},
    }.items():
        assert nets(name).get_params() == {**full, **changed}
    without = make_table3_systems(None, random_state=0)
    assert "MMLUP (without friendship network)" not in without
    assert "network" not in without["MMLUP (full architecture)"].get_params()


def test_systems_of_the_aux_lstm_paper_share_what_they_are_given():
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


def test_systems_of_the_aux_lstm_paper_learn_with_missing_sources_and_labels():
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


def test_any_model_predicts_users_of_one_task():
    users = make_user_profiles(12, random_state=0)
    model = make_majority_baseline().fit(users.data, users.target["gender"])
    (likely,) = predict_proba_with_links(model, users.data, users.graph)
    np.testing.assert_allclose(likely.sum(axis=1), 1)
    with pytest.raises(SourceError, match="does not predict probabilities"):
        predict_proba_with_links(object(), users.data, None)


def test_systems_of_images_share_what_they_are_given():
    systems = make_image_systems(
        n_filters=(2, 3),
        text_column="posts",
        image_column="photos",
        text_parameters={"n_filters": 5},
        random_state=0,
        max_epochs=4,
    )
    assert list(systems) == [
        "Majority class",
        "3D-CNN, Model 1",
        "3D-CNN, Model 2",
        "Image set",
        "Images and text, gated",
    ]
    nets = [system.named_steps["classifier"] for system in list(systems.values())[1:]]
    assert [net.max_epochs for net in nets] == [4, 8, 4, 4]
    assert len({net.random_state for net in nets}) == 1
    assert [net.n_filters for net in nets] == [2, 3, (16, 32, 64), 5]
    assert [nets[1].variant, nets[3].n_filters_image] == [2, 2]
    assert [nets[k].image_order for k in (0, 1, 3)] == ["random"] * 3
    columns = [c for _, _, c in systems["Images and text, gated"][0].sources]
    assert columns == ["posts", "photos"]
    assert len(make_image_systems()) == 4
    own = make_image_systems(image_order="given")["3D-CNN, Model 2"]
    assert own.named_steps["classifier"].n_filters is None
    assert own.named_steps["classifier"].image_order == "given"
