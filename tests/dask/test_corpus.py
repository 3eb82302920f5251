"""Words by partition are those of one machine."""

from __future__ import annotations

import dask
import numpy as np
import pandas as pd
import pytest
from dask import dataframe as dd
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils._param_validation import InvalidParameterError

from sklearn_profiling import dask as on_dask
from sklearn_profiling.containers import TokenMessages, Vocabulary
from sklearn_profiling.datasets import make_user_profiles
from sklearn_profiling.exceptions import SourceError
from sklearn_profiling.sources import FrequentWords, WordSegmenter
from sklearn_profiling.sources.text.averaging import user_word_counts

DATA = make_user_profiles(40, random_state=0).data
DATA.loc[3, "messages"] = None
DATA.loc[17, "messages"] = ["", "nowhere_else"]
TEXT = WordSegmenter(lowercase=True).fit_transform(DATA["messages"])
SEGMENTER = WordSegmenter(lowercase=True)


@pytest.fixture(autouse=True)
def one_thread():
    with dask.config.set(
        {"scheduler": "synchronous", "dataframe.convert-string": False}
    ):
        yield


@pytest.fixture(params=[1, 17])
def frame(request):
    with dask.config.set({"dataframe.convert-string": False}):
        return dd.from_pandas(DATA, npartitions=request.param)


def test_words_are_counted_over_all_partitions(frame):
    made = on_dask.word_counts(frame, segmenter=SEGMENTER)
    assert made.npartitions == max(1, frame.npartitions // 8)
    found = made.compute()
    words = list(TEXT.vocabulary.words)
    assert sorted(found.index) == words
    found = found.loc[words]
    assert (found["count"].to_numpy() == TEXT.word_counts()).all()
    written = user_word_counts(TEXT).toarray() > 0
    assert (found["users"].to_numpy() == written.sum(axis=0)).all()


@pytest.mark.parametrize("limits", [{}, {"min_count": 3}, {"max_words": 7}])
def test_the_vocabulary_is_that_of_one_machine(frame, limits):
    one = FrequentWords(**limits).fit(TEXT).vocabulary_
    found = on_dask.fit_vocabulary(frame, segmenter=SEGMENTER, **limits)
    assert found == one
    assert found.words == one.words


def test_the_text_is_that_of_one_machine(frame):
    step = FrequentWords(min_count=2)
    text = step.fit_transform(TEXT)
    rows = on_dask.segment(frame, step.vocabulary_, segmenter=SEGMENTER)
    assert rows.npartitions == frame.npartitions
    found = rows.compute()
    assert list(found) == ["user_id", "message", "word"]
    assert found["word"].tolist() == text.ids.tolist()
    assert found.index.tolist() == text.word_users().tolist()
    users = DATA["user_id"].iloc[text.word_users()]
    assert found["user_id"].tolist() == users.tolist()
    # the numbers of messages begin anew with each user and leave none out
    starts = [
        start
        for _, own in found.groupby(level=0)
        for start in [0, *(np.flatnonzero(np.diff(own["message"])) + 1)]
    ]
    sizes = np.diff(text.message_starts)
    assert found["message"].max() == np.diff(text.user_starts).max() - 1
    assert len(starts) == len(sizes)
    assert found.dtypes.to_dict() == rows.dtypes.to_dict()


def test_counts_of_users_are_those_of_one_machine(frame):
    step = FrequentWords(min_count=2)
    counts = user_word_counts(step.fit_transform(TEXT))
    found = on_dask.segment(
        frame, step.vocabulary_, segmenter=SEGMENTER, counts=True, id_column="user_id"
    ).compute()
    assert found["word"].tolist() == counts.indices.tolist()
    assert found["count"].tolist() == counts.data.tolist()
    assert found.index.tolist() == counts.tocoo().row.tolist()


def test_a_table_of_words_is_parquet(tmp_path):
    frame = dd.from_pandas(DATA, npartitions=2)
    made = on_dask.segment(frame, TEXT.vocabulary, segmenter=SEGMENTER)
    made.to_parquet(tmp_path / "words")
    found = pd.read_parquet(tmp_path / "words")
    assert found["word"].tolist() == TEXT.ids.tolist()


FRAME = dd.from_pandas(pd.DataFrame({"text": ["tea"]}), npartitions=1)
WORDS = Vocabulary(["tea"])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: on_dask.word_counts(FRAME), "text_column must name a column of"),
        (lambda: on_dask.segment(FRAME, ["tea"], "text"), "must be a Vocabulary"),
        (lambda: on_dask.segment(DATA, WORDS), "must be a Dask DataFrame"),
        (
            lambda: on_dask.fit_vocabulary(FRAME, "text", min_count=2),
            "at least min_count=2",
        ),
        (
            lambda: on_dask.word_counts(
                FRAME, "text", segmenter=FunctionTransformer(np.asarray)
            ).compute(),
            "must make TokenMessages; FunctionTransformer made ndarray",
        ),
    ],
)
def test_what_is_no_corpus_is_refused(call, message):
    with pytest.raises(SourceError, match=message):
        call()


def test_limits_are_checked():
    with pytest.raises(InvalidParameterError, match="'min_count' parameter"):
        on_dask.fit_vocabulary(FRAME, "text", min_count=0)
    with pytest.raises(InvalidParameterError, match="'mentions' parameter"):
        on_dask.word_counts(FRAME, "text", segmenter=WordSegmenter(mentions="x"))


def test_the_default_segmenter_is_that_of_all_languages():
    made = on_dask.segment(FRAME, WORDS, "text").compute()
    assert made["word"].tolist() == [0]
    assert isinstance(TokenMessages.from_lists([[["tea"]]], WORDS), TokenMessages)
