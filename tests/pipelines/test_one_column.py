"""Systems that read one text take users' messages alone, in any kind of column."""

from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from sklearn_profiling.baselines import (
    make_majority_baseline,
    make_maxent_baseline,
    make_meta_learning_baseline,
    make_svm_baseline,
    make_tfidf_baseline,
)
from sklearn_profiling.containers import SocialGraph
from sklearn_profiling.exceptions import SourceError
from sklearn_profiling.pipelines import (
    make_aux_lstm,
    make_cnn3d,
    make_lstm,
    make_mmlup,
    make_multi_task_lstm,
    make_profile_generator,
    make_text_cnn,
)
from sklearn_profiling.sources import SourceUnion

MESSAGES = [
    *(["good day", "tea"], ["bad night"], ["a good tea", None], ["bad day"]),
    *("good day", ["bad night"], None, ["tea"]),
] * 2
Y = pd.DataFrame({"mood": ["up", "down"] * 8, "age": [1, 1, 2, 2] * 4})
SMALL = {"classifier__max_epochs": 1}
SYSTEMS = {
    "tf-idf": make_tfidf_baseline(),
    "svm": make_svm_baseline(random_state=0),
    "maxent": make_maxent_baseline(),
    "meta": make_meta_learning_baseline(random_state=0),
    "text-cnn": make_text_cnn(random_state=0).set_params(
        **SMALL, sources__text__min_count=1, sources__text__n_dimensions=4
    ),
    "lstm": make_lstm(random_state=0).set_params(
        **SMALL, sources__text__min_count=1, sources__text__n_dimensions=4
    ),
    "aux-lstm": make_aux_lstm(random_state=0).set_params(
        **SMALL, sources__text__min_count=1, sources__text__n_dimensions=4
    ),
    "multi-task lstm": make_multi_task_lstm(
        ["mood", "age"], n_dimensions=4, random_state=0
    ).set_params(**SMALL),
    "mmlup": make_mmlup(
        None, keywords="drop", topics="drop", random_state=0
    ).set_params(**SMALL, sources__text__min_count=1, sources__text__n_dimensions=4),
    "generator": make_profile_generator(image_column=None, random_state=0).set_params(
        **SMALL, sources__text__n_tokens=300
    ),
    "majority": make_majority_baseline(),
}


def objects(cells):
    array = np.empty(len(cells), dtype=object)
    array[:] = cells
    return array


def lists(cells):
    """The same messages in cells of one kind, as Arrow and polars need it."""
    return [[cell] if isinstance(cell, str) else cell for cell in cells]


COLUMNS = {
    "list": list,
    "tuple": tuple,
    "array": objects,
    "column": lambda cells: objects(cells)[:, np.newaxis],
    "series": lambda cells: pd.Series(cells, name="another", dtype=object),
    "polars": lambda cells: pl.Series(lists(cells)),
    "polars table": lambda cells: pl.DataFrame({"messages": lists(cells)}),
    "arrow": lambda cells: pa.array(lists(cells)),
}


@pytest.mark.parametrize("name", SYSTEMS)
def test_every_system_reads_messages_alone(name):
    table = pd.DataFrame({"messages": MESSAGES})
    expected = SYSTEMS[name].fit(table, Y).predict_proba(table)
    for column in (list(MESSAGES), pd.Series(MESSAGES, index=range(5, 21))):
        model = SYSTEMS[name].fit(column, Y)
        assert model.predict(column).shape == (16, 2)
        for found, wanted in zip(model.predict_proba(column), expected, strict=True):
            np.testing.assert_allclose(found, wanted, atol=1e-6)


@pytest.mark.parametrize("kind", COLUMNS)
def test_columns_of_every_kind(kind):
    table = pd.DataFrame({"messages": MESSAGES})
    column = COLUMNS[kind](MESSAGES)
    for make in (make_tfidf_baseline, partial(make_svm_baseline, random_state=0)):
        model = make().fit(table, Y["mood"])
        expected = model.predict_proba(table)
        np.testing.assert_array_equal(model.predict_proba(column), expected)
        again = make().fit(column, Y["mood"]).predict(column)
        np.testing.assert_array_equal(again, model.predict(table))


@pytest.mark.parametrize("texts", [["good", "bad"] * 3, np.array(["good", "bad"] * 3)])
def test_texts_of_one_message_each(texts):
    model = make_tfidf_baseline().fit(texts, ["up", "down"] * 3)
    assert model.predict(pl.Series(["bad", "good"])).tolist() == ["down", "up"]


def test_images_alone():
    images = [np.full((8, 8), shade, np.uint8) for shade in range(6)]
    model = make_cnn3d(random_state=0).set_params(
        sources__images__size=(16, 16),
        classifier__n_filters=2,
        classifier__max_epochs=1,
    )
    assert model.fit(images, ["a", "b"] * 3).predict(images).shape == (6,)


@pytest.mark.parametrize(
    ("X", "fault"),
    [
        ("good day", "column 'messages', or that column alone; got str$"),
        (np.ones((3, 2)), r"or that column alone; got ndarray of shape \(3, 2\)"),
        (3, "got int$"),
    ],
)
def test_what_is_no_column(X, fault):
    for model in (make_tfidf_baseline(), make_svm_baseline(), make_text_cnn()):
        with pytest.raises(SourceError, match=fault):
            model.fit(X, ["a", "b", "a"])


def test_where_more_columns_are_needed_they_are_named():
    graph = SocialGraph.from_edges([("a", "b")])
    wanted = r"with the columns 'messages', 'user_id'; got list$"
    with pytest.raises(SourceError, match=wanted):
        make_mmlup(graph).fit(MESSAGES, Y)
    union = SourceUnion(
        [
            ("a", "passthrough", ["x", "y"]),
            ("b", "drop", "z"),
            ("c", "passthrough", "x"),
        ]
    )
    with pytest.raises(SourceError, match="with the columns 'x', 'y'; got Series"):
        union.fit(pd.Series([1]))
