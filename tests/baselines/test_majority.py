"""The majority baseline."""

from __future__ import annotations

import numpy as np
import pandas as pd

from sklearn_profiling.baselines import make_majority_baseline


def test_majority_of_labelled_users() -> None:
    y = pd.DataFrame({"gender": ["f", "f", "m", None], "age": [None, 1, 2, 2]})
    users = pd.DataFrame({"messages": [["a"], None, [], ["b"]]})
    model = make_majority_baseline().fit(users, y)
    assert model.predict(users.iloc[:1]).tolist() == [["f", 2]]
    gender, age = model.predict_proba(users.iloc[:1])
    np.testing.assert_allclose(gender, [[2 / 3, 1 / 3]])
    np.testing.assert_allclose(age, [[1 / 3, 2 / 3]])


def test_weights_make_another_majority() -> None:
    y = pd.DataFrame({"gender": ["f", "f", "m", None], "age": [None, 1, 2, 2]})
    users = pd.DataFrame({"messages": [["a"], None, [], ["b"]]})
    balanced = make_majority_baseline(class_weight="balanced").fit(users, y)
    for likely in balanced.predict_proba(users):
        np.testing.assert_allclose(likely, 0.5)
    trust = [[1, 1], [1, 5], [6, 1], [9, 0]]
    model = make_majority_baseline().fit(users, y, sample_weight=trust)
    assert model.predict(users.iloc[:1]).tolist() == [["m", 1]]
    assert model.score(users, y, trust) == (6 / 8 + 5 / 6) / 2
