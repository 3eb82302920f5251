"""SVM and MaxEnt from the users' table: features, scales, search, missing parts."""

from __future__ import annotations

import gzip
import json
import pickle
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from joblib import parallel_config
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV

from sklearn_profiling.baselines import (
    make_maxent_baseline,
    make_meta_learning_baseline,
    make_svm_baseline,
)
from sklearn_profiling.evaluation import MultiTaskStratifiedKFold, accuracy_per_task
from sklearn_profiling.exceptions import SourceError
from sklearn_profiling.sources import (
    CharacterSegmenter,
    FrequentPOSPatterns,
    StylometricFeatures,
    WordSegmenter,
)

MAKERS = {
    "svm": partial(make_svm_baseline, preset="paper"),
    "maxent": make_maxent_baseline,
    "meta": make_meta_learning_baseline,
}
every_baseline = pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)


def users_and_labels(n_users: int = 36) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Users whose words show the gender and whose tags show the age."""
    messages: list[Any] = []
    for row in range(n_users):
        thing = ["足球", "口红"][row % 2]
        young = ["我很喜欢", "买了"][row // 2 % 2]
        messages.append([f"{young}{thing}", f"{thing}{'一二三四五六'[row % 6]}"])
    messages[3], messages[8], messages[9] = None, [], np.nan
    y = pd.DataFrame(
        {
            "gender": ["m", "f"] * (n_users // 2),
            "age": np.array(["90s", "80s"])[np.arange(n_users) // 2 % 2],
        },
        dtype=object,
    )
    y.iloc[[0, 5], 0] = None
    y.iloc[[5, 6], 1] = np.nan
    return pd.DataFrame({"messages": messages, "other": 0}), y


X, Y = users_and_labels()
WRITERS = X["messages"].map(lambda cell: isinstance(cell, list) and bool(cell))


@every_baseline
def test_several_tasks_with_gaps(make: Any) -> None:
    model = make(random_state=0).fit(X, Y)
    assert model.score(X[WRITERS], Y[WRITERS]) == 1
    probabilities = model.predict_proba(X)
    assert [p.shape for p in probabilities] == [(36, 2), (36, 2)]
    for task, p in enumerate(probabilities):
        assert np.isfinite(p).all()
        np.testing.assert_allclose(p.sum(axis=1), 1)
        np.testing.assert_array_equal(p[3], p[8])
        np.testing.assert_array_equal(p[3], p[9])
        best = model.classes_[task][p.argmax(axis=1)]
        assert (best == model.predict(X)[:, task]).all()
    # whoever is predicted beside a user changes nothing
    alone = model.predict_proba(X.iloc[[4]])
    np.testing.assert_allclose(alone[0][0], probabilities[0][4])
    assert make(random_state=0).fit(X, Y["age"]).predict(X).shape == (36,)


@every_baseline
@pytest.mark.parametrize("tune", [False, True])
def test_weights_reach_the_classifiers(make: Any, tune: bool) -> None:
    def fitted(**given: Any) -> Any:
        settings = {"segmenter": CharacterSegmenter(), "stylometric": "drop"}
        weighted = {k: given.pop(k) for k in list(given) if k == "class_weight"}
        model = make(random_state=0, tune=tune, **settings, **weighted)
        return model.fit(X, Y, **given).predict_proba(X)

    def same(one: Any, other: Any) -> bool:
        return all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))

    plain = fitted()
    assert same(fitted(classifier__sample_weight=np.ones((36, 2))), plain)
    assert same(fitted(class_weight={"age": {"80s": 1.0}}), plain)
    young = fitted(class_weight={"age": {"90s": 30.0}})
    unsure = WRITERS.to_numpy() == 0
    assert young[1][unsure, 1].mean() > plain[1][unsure, 1].mean() + 0.05
    trust = pd.DataFrame(
        {"age": np.where(Y["age"] == "90s", 30.0, 1.0), "gender": np.ones(36)}
    )
    if make is not make_meta_learning_baseline:
        assert same(fitted(classifier__sample_weight=trust), young)


@every_baseline
def test_seed_clone_and_pickle(make: Any) -> None:
    model = make(random_state=0, tune=True).fit(X, Y)
    expected = model.predict_proba(X)
    with parallel_config("threading", n_jobs=2):
        together = clone(model).fit(X, Y)
    for other in (pickle.loads(pickle.dumps(model)), together):
        for one, two in zip(other.predict_proba(X), expected, strict=True):
            np.testing.assert_array_equal(one, two)


@every_baseline
def test_parameters_reach_their_steps(make: Any, tmp_path: Path) -> None:
    model = make(
        segmenter=CharacterSegmenter(),
        unigrams="binary",
        stylometric="drop",
        text_column="texts",
        max_features=7,
        max_iter=50,
        memory=str(tmp_path),
        n_jobs=2,
    )
    words = model["features"].transformer_list
    assert [name for name, _ in words] == ["unigrams"]
    assert (words[0][1].max_features, words[0][1].binary, words[0][1].use_idf) == (
        7,
        True,
        False,
    )
    assert isinstance(model["segmenter"], CharacterSegmenter)
    assert (model.memory, model["classifier"].n_jobs) == (str(tmp_path), 2)
    assert "max_iter=50" in repr(model["classifier"].get_params())
    model = model.set_params(memory=None, classifier__n_jobs=None)
    model.fit(X.rename(columns={"messages": "texts"}), Y)
    assert len(model["features"].get_feature_names_out()) == 7


def test_features_and_their_weight() -> None:
    model = MAKERS["svm"](unigrams="tf", random_state=0).fit(X, Y)
    names = model["features"].get_feature_names_out()
    assert "unigrams__足球" in names
    assert "style__f_measure" in names
    assert "style__pos=n" in names
    made = model[:-1].transform(X).toarray()
    style = np.char.startswith(names.astype(str), "style__")
    norms = np.square(made[WRITERS][:, ~style]).sum(axis=1)
    np.testing.assert_allclose(norms, 1)
    varied = made[WRITERS][:, style].std(axis=0) > 0
    assert np.square(made[WRITERS][:, style]).sum(axis=1).mean() == pytest.approx(
        0.25**2 * varied.mean()
    )
    assert (made[~WRITERS] == 0).all()
    count = MAKERS["svm"](stylometric=StylometricFeatures(pos_patterns="drop"))
    assert count.fit(X, Y)["features"].get_feature_names_out()[-1] == "style__f_measure"
    patterns = make_maxent_baseline(stylometric=FrequentPOSPatterns()).fit(X, Y)
    assert patterns["features"].get_feature_names_out()[-1].startswith("style__pos=")


@pytest.mark.parametrize("unigrams", ["tf-idf", "tf", "binary"])
def test_weights_of_words(unigrams: Any) -> None:
    users = pd.DataFrame({"messages": [["茶 茶 茶 山"], ["山"]]})
    model = make_maxent_baseline(
        segmenter=CharacterSegmenter(), unigrams=unigrams, stylometric="drop"
    ).fit(users, ["a", "b"])
    tea, hill = model[:-1].transform(users).toarray()[0][[1, 0]]
    expected = {
        "tf": 3.0,
        "binary": 1.0,
        "tf-idf": (1 + np.log(3)) * (np.log(3 / 2) + 1),
    }
    assert tea / hill == pytest.approx(expected[unigrams])


@pytest.mark.parametrize(
    ("C", "tune", "grid"),
    [
        (2, False, None),
        ((2.0,), False, None),
        ([0.5, 2.0], False, [0.5, 2.0]),
        ([0.5, 2.0], True, [0.5, 2.0]),
        (2.0, True, [0.2, 2.0, 20.0]),
    ],
)
def test_strength_or_a_search_for_it(C: Any, tune: bool, grid: Any) -> None:
    svm = MAKERS["svm"](C=C, tune=tune)["classifier"].estimator.estimator
    maxent = make_maxent_baseline(C=C, tune=tune)["classifier"].estimator
    for inner in (svm, maxent):
        if grid is None:
            assert inner.C == 2
        else:
            assert isinstance(inner, GridSearchCV)
            assert inner.param_grid == {"C": pytest.approx(grid)}


def test_the_strong_svm() -> None:
    model = make_svm_baseline(random_state=0).fit(X, Y)
    assert model.score(X[WRITERS], Y[WRITERS]) == 1
    names = model["features"].get_feature_names_out().tolist()
    assert {"n_grams__足球", "n_grams__* 足球 *"} <= {*names}
    assert all(name.startswith("n_grams__") for name in names)
    styled = make_svm_baseline(stylometric=StylometricFeatures()).fit(X, Y)
    names = styled["features"].get_feature_names_out().tolist()
    assert {"n_grams__足球", "style__length=message"} <= {*names}
    assert MAKERS["svm"]()["segmenter"].part_of_speech is True
    grids = [
        make_svm_baseline(**given)["classifier"].estimator.C
        for given in ({}, {"C": 2.0}, {"C": 2.0, "tune": True}, {"C": [1.0, 5.0]})
    ]
    assert grids == [[0.3, 1.0, 3.0], [2.0], [0.2, 2.0, 20.0], [1.0, 5.0]]
    with pytest.raises(ValueError, match="preset must be 'default' or 'paper'; got 'x"):
        make_svm_baseline(preset="x")  # type: ignore[arg-type]


def test_each_task_chooses_its_strength() -> None:
    model = make_maxent_baseline(C=[1e-6, 10.0], stylometric="drop", random_state=0)
    y = Y.assign(gender=["m", "m", "f"] * 12, luck=["x"] * 35 + [None])
    model.fit(X, y)
    searches = model["classifier"].estimators_
    assert searches[1].best_params_ == {"C": 10.0}
    assert model.predict(X)[:, 2].tolist() == ["x"] * 36


@every_baseline
@pytest.mark.parametrize("tune", [False, True])
def test_classes_with_few_users(make: Any, tune: bool) -> None:
    y = pd.DataFrame(
        {
            "job": ["a"] * 30 + ["b"] * 3 + ["c"] * 2 + ["d"],
            "rare": [None] * 34 + ["x", "y"],
        }
    )
    model = make(tune=tune, random_state=0).fit(X, y)
    shapes = [p.shape for p in model.predict_proba(X)]
    assert shapes == [(36, 4), (36, 2)]


@pytest.mark.parametrize("make", [make_svm_baseline, make_maxent_baseline])
def test_a_cell_may_hold_a_set(make: Any) -> None:
    likes = pd.Series([{"tea"}, {"tea", "wine"}, None, {"wine"}] * 9)
    model = make(stylometric="drop", random_state=0).fit(X, likes)
    assert all(isinstance(cell, frozenset) for cell in model.predict(X))


@every_baseline
@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"C": 0}, "C must be a positive number or a sequence of them; got 0"),
        ({"C": []}, r"C must be .* got \[\]"),
        ({"C": [1.0, -1.0]}, "C must be"),
        ({"C": ["a"]}, "C must be"),
        (
            {"unigrams": "bm25"},
            "unigrams must be 'tf-idf', 'tf' or 'binary'; got 'bm25",
        ),
        ({"style_weight": 0}, "style_weight must be a positive number; got 0"),
        ({"stylometric": "keep"}, "a transformer, 'drop' or None; got 'keep'"),
    ],
)
def test_bad_parameters(make: Any, parameters: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make(**parameters)


@every_baseline
def test_bad_users(make: Any) -> None:
    with pytest.raises(SourceError, match=r"reads the columns \['messages'\]; X has"):
        make().fit(X[["other"]], Y)
    with pytest.raises(SourceError, match="X must be a DataFrame"):
        make().fit("喜欢", Y)
    assert make(stylometric="drop")["segmenter"].part_of_speech is False
    assert isinstance(make()["segmenter"], WordSegmenter)


@every_baseline
def test_style_without_parts_of_speech(make: Any) -> None:
    said = {"m": ["WOW!!! Vamos @ana 😀", "Golazo, 3-0"], "f": ["la casa de mi madre."]}
    y = np.array(["m", "f"] * 12, dtype=object)
    users = pd.DataFrame({"messages": [said[label] for label in y]})
    for segmenter in (None, WordSegmenter(), CharacterSegmenter()):
        model = make(segmenter=segmenter, random_state=0).fit(users, y)
        assert model.score(users, y) == 1
    model = MAKERS["svm"](random_state=0).fit(users, y)
    names = model["features"].get_feature_names_out().tolist()
    assert {"style__words=emoji", "style__word=la", "style__ending=asa"} <= {*names}
    assert "style__f_measure" not in names


@pytest.mark.slow
def test_accuracy_on_poets(real_data: Path) -> None:
    with gzip.open(real_data / "poets" / "users.jsonl.gz", "rt", encoding="utf-8") as f:
        rows = [json.loads(line) for line in f]
    users = pd.DataFrame({"messages": [row["texts"] for row in rows]})
    labels = pd.DataFrame([row["labels"] for row in rows])
    y = labels[["dynasty", "era", "occupation"]]
    folds = MultiTaskStratifiedKFold(5, random_state=0).split(users, y)
    train, test = next(iter(folds))
    expected = {
        "svm": [0.994, 0.736, 0.566],
        "maxent": [0.985, 0.720, 0.552],
    }
    for name, accuracies in expected.items():
        model = MAKERS[name](
            segmenter=CharacterSegmenter(), stylometric="drop", random_state=0
        ).fit(users.iloc[train], y.iloc[train])
        found = accuracy_per_task(y.iloc[test], model.predict(users.iloc[test]))
        np.testing.assert_allclose(found, accuracies, atol=0.006)
