"""Systems of Table 3, the choice of a segmenter, new users at predict time."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from sklearn_profiling.baselines import make_majority_baseline
from sklearn_profiling.datasets import make_user_profiles
from sklearn_profiling.exceptions import SourceError
from sklearn_profiling.systems import (
    choose_segmenter,
    make_table3_systems,
    predict_proba_with_links,
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


def test_any_model_predicts_users_of_one_task():
    users = make_user_profiles(12, random_state=0)
    model = make_majority_baseline().fit(users.data, users.target["gender"])
    (likely,) = predict_proba_with_links(model, users.data, users.graph)
    np.testing.assert_allclose(likely.sum(axis=1), 1)
    with pytest.raises(SourceError, match="does not predict probabilities"):
        predict_proba_with_links(object(), users.data, None)
