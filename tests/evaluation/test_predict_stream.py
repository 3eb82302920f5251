"""Predictions of a stream have the bits of those in one piece."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV

from sklearn_profiling.baselines import make_tfidf_baseline
from sklearn_profiling.datasets import make_user_profiles, stream_records
from sklearn_profiling.datasets.records import streaming
from sklearn_profiling.evaluation import (
    MultiTaskStratifiedKFold,
    predict_stream,
)
from sklearn_profiling.exceptions import DataFormatError, SourceError
from sklearn_profiling.pipelines import make_mmlup, make_profiler

USERS = make_user_profiles(230, random_state=0)
SYSTEMS: dict[str, Any] = {
    "net": make_mmlup(None, random_state=0).set_params(
        classifier__max_epochs=1, classifier__n_filters=4
    ),
    "linear": make_tfidf_baseline(),
    "profiler": make_profiler(random_state=0),
}


def tables(size: int, data: pd.DataFrame = USERS.data) -> Iterator[pd.DataFrame]:
    return (data[start : start + size] for start in range(0, len(data), size))


@pytest.fixture(scope="module", params=SYSTEMS)
def system(request: pytest.FixtureRequest) -> Any:
    return SYSTEMS[request.param].fit(USERS.data[:90], USERS.target[:90])


@pytest.mark.parametrize("chunk_size", [1, 60, 10_000])
def test_bits_are_those_of_one_piece(system: Any, chunk_size: int) -> None:
    labels = pd.concat(predict_stream(system, tables(37), chunk_size=chunk_size))
    assert labels.index.tolist() == USERS.data["user_id"].tolist()
    assert list(labels) == list(USERS.target)
    assert (labels.to_numpy() == system.predict(USERS.data)).all()
    stream = predict_stream(system, tables(37), chunk_size=chunk_size, proba=True)
    likely = pd.concat(stream)
    expected = np.hstack(system.predict_proba(USERS.data))
    np.testing.assert_array_equal(likely.to_numpy(), expected)
    assert list(likely)[:2] == ["gender=f", "gender=m"]


def test_paths_and_streams_of_records(tmp_path: Path) -> None:
    model = SYSTEMS["linear"].fit(USERS.data[:90], USERS.target[:90])
    path = tmp_path / "users.parquet"
    rows = USERS.data[["user_id", "messages"]].explode("messages")
    rows.to_parquet(path, index=False)
    expected = pd.DataFrame(
        model.predict(USERS.data),
        index=pd.Index(USERS.data["user_id"], name="user_id"),
        columns=list(USERS.target),
    )
    for users in (path, str(path), stream_records(path, chunk_size=20)):
        chunks = list(predict_stream(model, users, chunk_size=100))
        assert [len(chunk) for chunk in chunks] == [100, 130]
        found = pd.concat(chunks)
        assert found.index.tolist() == expected.index.tolist()
        assert found.reset_index().equals(expected.reset_index())
    with pytest.raises(DataFormatError, match="user '1000000001' comes back"):
        for _ in predict_stream(model, stream_records([rows[:300], rows[:300]])):
            pass


def test_columns_that_the_model_does_not_read_may_be_in_some_chunks_only(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(streaming, "ROWS_AT_ONCE", 100)
    model = SYSTEMS["linear"].fit(USERS.data[:90], USERS.target[:90])
    path = tmp_path / "rows.parquet"
    rows = USERS.data[["user_id", "messages"]].explode("messages")
    rows = rows.assign(lang=["en"] * (len(rows) - 1) + ["fr"])
    rows.to_parquet(path, index=False)
    chunks = [chunk.data for chunk in stream_records(path, chunk_size=50)]
    assert {"lang" in chunk for chunk in chunks} == {True, False}
    found = pd.concat(predict_stream(model, path, chunk_size=50))
    assert (found.to_numpy() == model.predict(USERS.data)).all()


def test_indices_without_a_column_of_ids() -> None:
    model = LogisticRegression().fit([[0.0], [1.0]], ["a", "b"])
    numbers = pd.DataFrame({"x": np.linspace(0, 1, 120)})
    with_names = model.fit(numbers, ["a"] * 60 + ["b"] * 60)
    found = pd.concat(predict_stream(with_names, tables(7, numbers), chunk_size=50))
    assert found.index.tolist() == list(range(120))
    assert found["task0"].tolist() == with_names.predict(numbers).tolist()
    named = numbers.set_axis([f"n{k}" for k in range(120)]).rename_axis("name")
    found = pd.concat(predict_stream(with_names, tables(7, named), id_column="name"))
    assert found.index.name == "name"
    assert found.index[-1] == "n119"
    polars = (pl.from_pandas(table) for table in tables(50, numbers))
    likely = pd.concat(predict_stream(with_names, polars, proba=True))
    assert list(likely) == ["task0=a", "task0=b"]


def test_names_of_tasks_come_from_within_a_search() -> None:
    search = GridSearchCV(
        make_tfidf_baseline(),
        {"classifier__estimator__C": [1.0]},
        cv=MultiTaskStratifiedKFold(2),
    ).fit(USERS.data[:60], USERS.target[:60])
    (found,) = predict_stream(search, [USERS.data[:60]])
    assert list(found) == list(USERS.target)


@pytest.mark.parametrize(
    ("users", "match"),
    [
        (USERS.data, "users must be a path or an iterable of tables .* got DataFrame"),
        (3, "got int"),
        ([], "holds no user"),
        ([3], "table 1 of the stream is no table: int"),
        ([USERS.data[:3], USERS.data[2:4]], "user '1000000003' stands in several rows"),
        ([USERS.data.iloc[[1, 1]]], "user '1000000002' stands in several rows"),
        ([USERS.data[:3], USERS.data[3:].assign(n=1)], "'n' is in table 1 or table 2"),
    ],
)
def test_what_is_no_stream_of_users_is_refused(users: Any, match: str) -> None:
    model = SYSTEMS["linear"].fit(USERS.data[:60], USERS.target[:60])
    with pytest.raises(SourceError, match=match):
        list(predict_stream(model, users))
    with pytest.raises(ValueError, match="chunk_size"):
        predict_stream(model, users, chunk_size=0)
