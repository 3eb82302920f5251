"""Predictions and features by partition are those of all users at once."""

from __future__ import annotations

import dask
import numpy as np
import pandas as pd
import pytest
from dask import dataframe as dd
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.compose import make_column_transformer
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import LinearSVC

from sklearn_profiling import dask as on_dask
from sklearn_profiling.baselines import (
    make_link_baseline,
    make_tfidf_baseline,
)
from sklearn_profiling.datasets import make_user_profiles
from sklearn_profiling.exceptions import MissingDependencyError, SourceError
from sklearn_profiling.sources import (
    LatentSemanticVectors,
    SourceUnion,
    WordSegmenter,
)

USERS = make_user_profiles(40, missing_labels=0.2, random_state=0)
DATA = USERS.data.set_axis(2 * np.arange(40) + 7).rename_axis("row")


def by_partition(table, n=3):
    with dask.config.set({"dataframe.convert-string": False}):
        return dd.from_pandas(table, npartitions=n)


class Fixed(ClassifierMixin, BaseEstimator):
    """Predicts the same for everyone."""

    def __init__(self, classes, answer):
        self.classes = classes
        self.answer = answer

    def fit(self, X, y=None):
        self.classes_ = self.classes
        return self

    def predict(self, X):
        return [self.answer] * len(X)


@pytest.fixture(autouse=True)
def one_thread():
    with dask.config.set(scheduler="synchronous"):
        yield


@pytest.fixture(scope="module")
def model():
    return make_tfidf_baseline().fit(USERS.data, USERS.target)


def test_labels_are_those_of_one_piece(model):
    made = on_dask.predict(model, by_partition(DATA))
    assert made.npartitions == 3
    found = made.compute()
    pd.testing.assert_index_equal(found.index, DATA.index)
    assert found["user_id"].tolist() == DATA["user_id"].tolist()
    tasks = list(USERS.target)
    assert list(found) == ["user_id", *tasks]
    assert (found[tasks].to_numpy(object) == model.predict(DATA)).all()
    assert found.dtypes.to_dict() == made.dtypes.to_dict()


def test_probabilities_are_those_of_one_piece(model):
    found = on_dask.predict_proba(model, by_partition(DATA), id_column="user_id")
    found = found.compute().drop(columns="user_id")
    assert (found.to_numpy() == np.hstack(model.predict_proba(DATA))).all()
    named = [
        f"{task}={label}"
        for task, own in zip(USERS.target, model.classes_, strict=True)
        for label in own
    ]
    assert list(found) == named


def test_from_parquet_to_parquet(model, tmp_path):
    DATA.iloc[:30].to_parquet(tmp_path / "users-0.parquet")
    DATA.iloc[30:].to_parquet(tmp_path / "users-1.parquet")
    labels = on_dask.predict(model, dd.read_parquet(tmp_path))
    labels.to_parquet(tmp_path / "labels")
    found = pd.read_parquet(tmp_path / "labels")
    tasks = list(USERS.target)
    assert (found[tasks].to_numpy(object) == model.predict(DATA)).all()
    assert found.index.tolist() == DATA.index.tolist()


def test_partitions_may_be_empty(model):
    frame = by_partition(DATA)
    frame = frame[frame["user_id"] == DATA["user_id"].iloc[0]]
    found = on_dask.predict(model, frame).compute()
    tasks = list(USERS.target)
    assert (found[tasks].to_numpy(object) == model.predict(DATA.iloc[:1])).all()


def test_labels_of_one_task_keep_their_type():
    table = pd.DataFrame({"posts": [1.0, 2.0, 8.0, 9.0]})
    labels = pd.Series([10, 10, 20, 20], name="age")
    frame = by_partition(table, 2)
    bare = LogisticRegression().fit(table, labels)
    made = on_dask.predict(bare, frame)
    assert made.dtypes.to_dict() == {"task0": np.dtype(int)}
    assert made.compute()["task0"].tolist() == [10, 10, 20, 20]
    search = GridSearchCV(make_pipeline(StandardScaler(), bare), {}, cv=2)
    named = on_dask.predict(search.fit(table, labels), frame)
    assert named.compute()["task0"].tolist() == [10, 10, 20, 20]


def test_several_tasks_without_names_are_numbered():
    known = Fixed([np.array([0, 1]), np.array(["a", "b"])], (1, "a")).fit(None)
    found = on_dask.predict(known, by_partition(DATA)).compute()
    assert list(found) == ["user_id", "task0", "task1"]
    assert found["task0"].tolist() == [1] * 40


def test_features_are_those_of_one_piece():
    words = make_pipeline(WordSegmenter(), LatentSemanticVectors(4, random_state=0))
    model = make_column_transformer((words, "messages")).fit(DATA)
    found = on_dask.transform(model, by_partition(DATA)).compute()
    names = [f"pipeline__latentsemanticvectors{n}" for n in range(4)]
    assert list(found) == ["user_id", *names]
    assert (found[names].to_numpy() == model.transform(DATA)).all()
    assert set(found[names].dtypes) == {np.dtype("float32")}


@pytest.mark.parametrize("function", [on_dask.predict, on_dask.transform])
def test_an_unfitted_model_is_refused(function):
    with pytest.raises(NotFittedError):
        function(StandardScaler(), by_partition(DATA))


NUMBERS = pd.DataFrame({"posts": [1.0, 2.0, 8.0, 9.0]})
FITTED = LogisticRegression().fit(NUMBERS, [0, 0, 1, 1])
REGRESSION = LinearRegression().fit(NUMBERS, [0, 0, 1, 1])
VECTORS = LinearSVC().fit(NUMBERS, [0, 0, 1, 1])
FRAME = by_partition(NUMBERS, 2)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: on_dask.predict(FITTED, NUMBERS), "must be a Dask DataFrame"),
        (lambda: on_dask.predict(REGRESSION, FRAME), "must predict classes"),
        (lambda: on_dask.predict_proba(VECTORS, FRAME), "LinearSVC does not predict"),
        (lambda: on_dask.transform(FITTED, FRAME), "must name its features"),
        (
            lambda: on_dask.predict(FITTED, FRAME, id_column="id"),
            r"id_column must name a column of frame: 'id' is none of \['posts'\]",
        ),
        (
            lambda: on_dask.predict(
                FITTED, FRAME.rename(columns={"posts": "task0"}), id_column="task0"
            ),
            "in the column 'task0', which is also the name of a result",
        ),
    ],
)
def test_what_cannot_be_computed_is_refused_at_once(call, message):
    with pytest.raises(SourceError, match=message):
        call()


def test_a_missing_column_is_named():
    model = make_link_baseline(USERS.graph).fit(USERS.data, USERS.target)
    labels = on_dask.predict(model, by_partition(DATA[["messages"]]))
    with pytest.raises(ValueError, match=r"columns are missing: \{'user_id'\}"):
        labels.compute()


def test_sparse_features_are_refused():
    model = OneHotEncoder().fit(NUMBERS)
    with pytest.raises(SourceError, match=r"dense columns; OneHotEncoder made csr_"):
        on_dask.transform(model, FRAME).compute()


def test_sources_are_refused():
    model = SourceUnion([("text", WordSegmenter(), "messages")]).fit(DATA)
    with pytest.raises(SourceError, match="SourceUnion made SliceDict"):
        on_dask.transform(model, by_partition(DATA)).compute()


def test_sets_are_refused(model):
    sets = Fixed(np.array(["a", "b"]), frozenset("ab")).fit(None)
    with pytest.raises(SourceError, match="'task0' has sets of classes as labels"):
        on_dask.predict(sets, by_partition(DATA)).compute()


@pytest.mark.parametrize(
    ("cells", "listed"),
    [
        ([["a b", "c"], None, ["it's"]], True),
        ([[], []], True),
        (["['a", "b']"], False),
        (["[smile]", "[a] [b]"], False),
        (["['a'], ['b']"], False),
        ([None, None], False),
    ],
)
def test_lists_that_dask_wrote_as_text_are_refused(cells, listed):
    table = pd.DataFrame({"messages": pd.Series(cells, dtype=object)})
    frame = dd.from_pandas(table, npartitions=1)
    assert isinstance(frame.dtypes["messages"], pd.StringDtype)
    labels = on_dask.predict(Fixed(np.array(["f"]), "f").fit(None), frame)
    if not listed:
        assert labels.compute()["task0"].tolist() == ["f"] * len(cells)
        return
    with pytest.raises(SourceError, match="'messages' holds lists that Dask"):
        labels.compute()


@pytest.mark.parametrize("name", ["dask", "dask.dataframe"])
def test_without_dask_the_extra_is_named(monkeypatch, name):
    monkeypatch.setitem(__import__("sys").modules, name, None)
    with pytest.raises(MissingDependencyError, match=r"sklearn_profiling\[dask\]"):
        on_dask.predict(FITTED, FRAME)


def test_ids_of_several_kinds_are_refused(model):
    mixed = DATA.assign(user_id=pd.Series([1, "b"] * 20, DATA.index, dtype=object))
    with pytest.raises(SourceError, match="which as ids must be str; got 1"):
        on_dask.predict(model, by_partition(mixed)).compute()
