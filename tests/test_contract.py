"""The contract of every classifier: tasks, gaps in labels and sources, pickles."""

from __future__ import annotations

import pickle

import joblib
import numpy as np
import pandas as pd
import pytest
from cases import (
    CASES,
    labels,
    raw_users,
)
from contract import (
    TASKS,
    every_classifier,
    joined,
    make,
    nets_of,
    probabilities,
    same,
    users_of,
)
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from skorch.helper import SliceDict

from sklearn_profiling.evaluation import MultiTaskStratifiedKFold, TaskScorer
from sklearn_profiling.exceptions import (
    TargetError,
)
from sklearn_profiling.persistence import load, save
from sklearn_profiling.sources import CharacterSegmenter, SourceUnion

# -- tasks and labels ----------------------------------------------------------


@every_classifier
def test_several_tasks_of_strings_with_gaps(name):
    X, y = users_of(name), labels()
    model = make(name).fit(X, y)
    assert model.task_names_ == TASKS
    assert [c.tolist() for c in model.classes_] == [
        ["f", "m"],
        ["70s", "80s", "90s"],
        ["north", "south"],
    ]
    predicted = model.predict(X)
    assert predicted.shape == (40, 3)
    for task, classes in enumerate(model.classes_):
        assert set(predicted[:, task]) <= set(classes)
    for p, classes in zip(model.predict_proba(X), model.classes_, strict=True):
        assert p.shape == (40, len(classes))
        np.testing.assert_allclose(p.sum(axis=1), 1, atol=1e-5)
    for task, p in enumerate(model.predict_proba(X)):
        assert (model.classes_[task][p.argmax(axis=1)] == predicted[:, task]).all()


@every_classifier
def test_none_nan_and_na_are_the_same_gap(name):
    X, y = users_of(name), labels()
    expected = make(name, loss_weights=None).fit(X, y).predict_proba(X)
    for gap in (np.nan, pd.NA):
        other = y.where(y.notna(), gap)
        assert same(
            make(name, loss_weights=None).fit(X, other).predict_proba(X), expected
        )
    array = y.to_numpy(dtype=object)
    assert same(make(name, loss_weights=None).fit(X, array).predict_proba(X), expected)


@every_classifier
def test_score_is_the_mean_accuracy_of_labelled_users(name):
    X, y = users_of(name), labels()
    model = make(name).fit(X, y)
    predicted = model.predict(X)
    accuracies = [
        (predicted[known, task] == y.loc[known, column]).mean()
        for task, column in enumerate(TASKS)
        for known in [y[column].notna().to_numpy()]
    ]
    assert model.score(X, y) == pytest.approx(np.mean(accuracies))
    weight = np.arange(40.0)
    assert model.score(X, y, weight) != pytest.approx(model.score(X, y))


@every_classifier
def test_one_dimensional_labels_give_one_dimensional_predictions(name):
    X, y = users_of(name), labels()["age"]
    model = make(name).fit(X, y)
    assert model.predict(X).shape == (40,)
    assert model.predict_proba(X).shape == (40, 3)
    assert model.classes_.tolist() == ["70s", "80s", "90s"]
    assert model.task_names_ == ["age"]
    assert 0 <= model.score(X, y) <= 1


@every_classifier
def test_labels_of_other_kinds_come_back_as_they_were(name):
    X, y = users_of(name), labels()
    y["gender"] = y["gender"].map({"f": True, "m": False}).astype(object)
    y["age"] = y["age"].map({"70s": 1970, "80s": 1980, "90s": 1990}).astype(object)
    y = y.where(y.notna(), None)
    predicted = make(name).fit(X, y).predict(X)
    assert {type(label) for label in predicted[:, 0]} <= {bool}
    assert set(predicted[:, 1]) <= {1970, 1980, 1990}


@every_classifier
def test_a_cell_may_hold_a_set(name):
    X, y = users_of(name), labels()
    y["likes"] = [[{"tea"}, {"tea", "wine"}, None, {"wine"}][i % 4] for i in range(40)]
    model = make(name).fit(X, y)
    predicted = model.predict(X)
    assert model.classes_[3].tolist() == ["tea", "wine"]
    assert all(isinstance(p, frozenset) and p for p in predicted[:, 3])
    assert 0 <= model.score(X, y) <= 1


@every_classifier
def test_users_without_any_label_are_left_out(name):
    X, y = users_of(name), labels()
    y.iloc[[4, 7, 20]] = None
    rows = np.flatnonzero(y.notna().any(axis=1))
    with_all = make(name).fit(X, y)
    without = make(name).fit(X[rows], y.iloc[rows])
    assert same(with_all.predict_proba(X), without.predict_proba(X))


@every_classifier
def test_a_task_without_any_label_is_named(name):
    X, y = users_of(name), labels()
    y["age"] = None
    with pytest.raises(TargetError, match="'age'"):
        make(name).fit(X, y)
    with pytest.raises(ValueError, match=r"requires y to be passed"):
        make(name).fit(X, None)
    with pytest.raises(ValueError, match="inconsistent numbers"):
        make(name).fit(X, labels(39))


@every_classifier
def test_logarithms_of_probabilities(name):
    X, y = users_of(name), labels()
    y["likes"] = [[{"tea"}, {"tea", "wine"}, None, {"wine"}][i % 4] for i in range(40)]
    model = make(name).fit(X, y)
    likely, logs = model.predict_proba(X), model.predict_log_proba(X)
    assert [p.shape for p in logs] == [(40, 2), (40, 3), (40, 2), (40, 2)]
    for p, log in zip(likely, logs, strict=True):
        np.testing.assert_allclose(log, np.log(p), rtol=1e-4, atol=1e-6)
    alone = make_pipeline("passthrough", make(name)).fit(X, y["age"])
    found = alone.predict_log_proba(X)
    np.testing.assert_allclose(found, np.log(alone.predict_proba(X)), rtol=1e-4)


@every_classifier
def test_predictions_in_tables_name_the_tasks(name):
    X, y = users_of(name), labels()
    y["age"] = pd.Series([a and 1900 + int(a[:2]) for a in y["age"]], dtype=object)
    model = make(name).fit(X, y)
    plain, score = model.predict(X), model.score(X, y)
    assert model.set_output(predict="pandas") is model
    assert isinstance(plain, np.ndarray)
    for fitted in (model, pickle.loads(pickle.dumps(model)), clone(model).fit(X, y)):
        table = fitted.set_output().predict(X)
        assert table.columns.tolist() == TASKS
        assert table.index.tolist() == list(range(40))
        assert pd.api.types.is_integer_dtype(table["age"])
        assert (table.to_numpy(dtype=object) == plain).all()
        assert fitted.score(X, y) == score
    other = model.set_output(predict="polars").predict(X)
    assert other.columns == TASKS
    assert other["age"].to_list() == plain[:, 1].tolist()
    assert same([model.set_output(predict="default").predict(X)], [plain])
    assert isinstance(model.predict_proba(X), list)
    with pytest.raises(ValueError, match="predict must be one of"):
        model.set_output(predict="arrow")


# -- missing sources -----------------------------------------------------------


@every_classifier
def test_any_user_may_lack_any_source(name):
    texts, network = raw_users()
    X = joined(name, texts, network)
    model = make(name).fit(users_of(name), labels())
    before = probabilities(model, X)
    for gaps in (("text",), ("network",), ("text", "network")):
        fewer, holes = list(texts), network.copy()
        if "text" in gaps:
            fewer[7] = None
        if "network" in gaps:
            holes[7] = np.nan
        after = probabilities(model, joined(name, fewer, holes))
        for a, b in zip(after, before, strict=True):
            assert np.isfinite(a).all()
            others = np.arange(40) != 7
            np.testing.assert_allclose(a[others], b[others], rtol=0, atol=1e-6)


@every_classifier
def test_nobody_has_a_source(name):
    model = make(name).fit(users_of(name), labels())
    nothing = joined(name, [None] * 40, np.full((40, 3), np.nan))
    for p in probabilities(model, nothing):
        assert np.isfinite(p).all()
        np.testing.assert_allclose(p, p[:1].repeat(40, axis=0), atol=1e-7)


@every_classifier
def test_fit_where_nobody_has_a_text_or_links(name):
    texts, network = raw_users()
    for X in (
        joined(name, [None] * 40, network),
        joined(name, texts, np.full_like(network, np.nan)),
    ):
        model = make(name).fit(X, labels())
        full = probabilities(model, joined(name, texts, network))
        assert all(np.isfinite(p).all() for p in full)


# -- scikit-learn --------------------------------------------------------------


@every_classifier
def test_clone(name):
    X, y = users_of(name), labels()
    model = make(name).fit(X, y)
    copy = clone(model)
    with pytest.raises(NotFittedError):
        copy.predict(X)
    assert repr(copy) == repr(clone(copy))
    assert same(copy.fit(X, y).predict_proba(X), model.predict_proba(X))


@every_classifier
def test_pickle_is_small_and_predicts_the_same(name, tmp_path):
    X, y = users_of(name), labels()
    model = make(name).fit(X, y)
    saved = pickle.dumps(model)
    loaded = pickle.loads(saved)
    assert same(loaded.predict_proba(X), model.predict_proba(X))
    assert (loaded.predict(X) == model.predict(X)).all()
    assert pickle.loads(pickle.dumps(loaded)).score(X, y) == model.score(X, y)
    nets = nets_of(model)
    numbers = sum(p.numel() for net in nets for p in net.net_.module_.parameters())
    assert len(saved) < 4 * numbers + 13_000 * len(nets)
    assert b"skorch" not in saved
    # read back from a memory map, as joblib's workers get it
    joblib.dump(model, tmp_path / "model")
    mapped = joblib.load(tmp_path / "model", mmap_mode="r")
    assert same(mapped.predict_proba(X), model.predict_proba(X))
    # a file that runs no code
    save(model, tmp_path / "file")
    read = load(tmp_path / "file")
    assert same(read.predict_proba(X), model.predict_proba(X))
    assert (read.predict(X) == model.predict(X)).all()
    assert (tmp_path / "file").stat().st_size < 4 * numbers + 28_000 * len(nets)


@every_classifier
def test_grid_search_over_users_as_they_come(name):
    texts, network = raw_users()
    users = pd.DataFrame(
        {
            "messages": [["".join(words) for words in user] for user in texts],
            "links": range(40),
            "fans": network[:, 0],
        }
    )
    users.loc[[3, 5], "messages"] = None
    users.loc[[3, 4], ["links", "fans"]] = np.nan
    y = labels()
    union = SourceUnion(
        [
            ("text", CharacterSegmenter(), "messages"),
            ("network", "passthrough", ["links", "fans"]),
        ]
    )
    X = union.fit_transform(users)
    assert isinstance(X, SliceDict)
    parameter = "learning_rate"
    if CASES[name].kind == "meta":
        parameter = f"estimator__{parameter}"
    folds = MultiTaskStratifiedKFold(3)
    search = GridSearchCV(
        make(name), {parameter: [0.001, 0.01]}, cv=folds, error_score="raise"
    ).fit(X, y)
    assert search.predict(X).shape == (40, 3)
    assert set(search.cv_results_["params"][0]) == {parameter}
    # predictions have the index of the users, all the way
    whole = make_pipeline(union, make(name)).fit(users, y)
    whole[-1].set_output(predict="pandas")
    named = users.set_index(pd.Index([f"user {k}" for k in range(40)], name="id"))
    assert whole.predict(named).index.equals(named.index)
    # the whole way at once, scored on one task
    scores = cross_val_score(
        make_pipeline(union, make(name)),
        users,
        y,
        cv=folds,
        scoring=TaskScorer("accuracy", task="age"),
        error_score="raise",
    )
    assert np.isfinite(scores).all()
