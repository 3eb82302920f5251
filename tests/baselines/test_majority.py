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
