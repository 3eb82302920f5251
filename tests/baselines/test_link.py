"""The link baseline."""

from __future__ import annotations

import numpy as np
import pandas as pd

from sklearn_profiling.baselines import make_link_baseline
from sklearn_profiling.containers import SocialGraph


def test_it_learns_unlike_neighbours_too() -> None:
    # Each man follows only the club of women and the reverse: no homophily at all.
    edges = [(f"m{i}", "club f") for i in range(10)]
    edges += [(f"f{i}", "club m") for i in range(10)]
    graph = SocialGraph.from_edges(edges, directed=True)
    ids = [f"{g}{i}" for i in range(10) for g in "mf"]
    users = pd.DataFrame({"user_id": ids})
    y = pd.DataFrame({"gender": [user[0] for user in ids], "age": [1, 1, 2, None] * 5})
    y.loc[12:, "gender"] = None
    model = make_link_baseline(graph, C=10.0).fit(users, y)
    assert model.predict(users)[12:, 0].tolist() == ["m", "f"] * 4


def test_rows_are_divided_by_the_number_of_links() -> None:
    graph = SocialGraph.from_edges([("a", "b"), ("a", "c"), ("b", "c"), ("c", "d")])
    users = pd.DataFrame({"user_id": list("abcd")})
    rows = {
        kind: make_link_baseline(graph, normalize=kind)[0]
        .fit_transform(users)
        .toarray()
        for kind in (None, "degree")
    }
    degrees = rows[None].sum(axis=1, keepdims=True)
    assert degrees.ravel().tolist() == [2, 2, 3, 1]
    np.testing.assert_allclose(rows["degree"], rows[None] / degrees, rtol=1e-6)


def test_classes_have_weights() -> None:
    graph = SocialGraph.from_edges([("a", "b"), ("c", "d")])
    users = pd.DataFrame({"user_id": ["a", "c", "d", "x"]})
    y = ["old", "young", "young", "young"]

    def old(**given: object) -> float:
        model = make_link_baseline(graph, normalize=None, loss="log", C=1.0, **given)
        likely = model.fit(users, y).predict_proba(users)
        return float(likely[3, 0])

    assert old(class_weight={"old": 1.0}) == old()
    assert old(class_weight="balanced") > old() + 0.1


def test_strangers_are_predicted_alike() -> None:
    graph = SocialGraph.from_edges([("a", "b"), ("c", "d")])
    users = pd.DataFrame({"id": ["a", "c", "stranger", "other"]})
    model = make_link_baseline(graph, column="id").fit(users, ["x", "y", "y", "y"])
    probabilities = model.predict_proba(users)
    np.testing.assert_array_equal(probabilities[2], probabilities[3])
    assert model["links"].transform(users).nnz == 2
