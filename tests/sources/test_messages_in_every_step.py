"""One str is one message and nulls are none, in every step that reads messages."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from tiny_models import bert, captioner, tokenizer

from sklearn_profiling.baselines import make_tfidf_baseline
from sklearn_profiling.baselines.tfidf import join_messages
from sklearn_profiling.containers import SocialGraph, Vocabulary
from sklearn_profiling.exceptions import SourceError
from sklearn_profiling.sources import (
    AdjacencyRows,
    CharacterSegmenter,
    ImageCaptioner,
    JiebaSegmenter,
    LatentSemanticVectors,
    LINEEmbedding,
    PretrainedTextVectors,
    ProfileAugmenter,
    RegionKeywords,
    SubwordSegmenter,
)

TEXT = "the tea was good"
CELLS = [
    TEXT,
    [TEXT],
    (TEXT, None),
    [None, TEXT, np.nan],
    np.array([TEXT]),
    None,
    [None],
]
READ = [[TEXT]] * 5 + [[]] * 2
PROFILES = ["a", "b", "a", "b", "a", "b", "a"]


def captions(column):
    model = ImageCaptioner(
        captioner(),
        tokenizer(),
        messages="messages",
        max_tokens=2,
        image_mean=(0.5, 0.5, 0.5),
        image_std=(0.5, 0.5, 0.5),
    )
    table = pd.DataFrame({"messages": column, "images": None}, dtype=object)
    return model.fit_transform(table).tolist()


def profiles(column):
    augmenter = ProfileAugmenter(
        make_tfidf_baseline(), cv=2, separator=" ", random_state=0, task_names=["p"]
    )
    table = pd.DataFrame({"messages": column}, dtype=object)
    made = augmenter.fit_transform(table, PROFILES[: len(table)])["messages"]
    return [[text.partition(" p: ")[0] for text in own] for own in made]


def vectors(column):
    model = PretrainedTextVectors(bert(), tokenizer(), random_state=0)
    return model.fit_transform(column).tolist()


def keywords(column):
    model = RegionKeywords(gazetteer={"here": ["tea"], "there": ["sea"]})
    return model.fit(column).transform(column).tolist()


STEPS = {
    "CharacterSegmenter": lambda column: CharacterSegmenter().fit_transform(column),
    "JiebaSegmenter": lambda column: JiebaSegmenter().fit_transform(column),
    "SubwordSegmenter": lambda column: SubwordSegmenter(n_tokens=280).fit_transform(
        column
    ),
    "PretrainedTextVectors": vectors,
    "RegionKeywords": keywords,
    "ImageCaptioner": captions,
    "ProfileAugmenter": profiles,
    "tf-idf": lambda column: join_messages(column, "messages").tolist(),
}


@pytest.mark.parametrize("step", STEPS)
def test_a_str_is_one_message_and_nulls_are_none(step):
    found, wanted = (
        STEPS[step](pd.Series(cells, dtype=object)) for cells in (CELLS, READ)
    )
    if hasattr(found, "tolist"):
        found, wanted = found.tolist(), wanted.tolist()
    assert repr(found) == repr(wanted)
    if step not in ("ProfileAugmenter", "ImageCaptioner"):
        # not only alike, but something
        assert repr(found[0]) != repr(found[5])


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize(
    ("element", "given"),
    [(3.5, r"3\.5 \(float\)"), (["x" * 999], r"\['x{55}\.\.\. \(list")],
)
def test_what_is_no_message_is_named_with_row_and_element(step, element, given):
    cells = pd.Series([TEXT, [None, TEXT, element]], index=["ann", "bob"], dtype=object)
    with pytest.raises(
        SourceError, match=rf"row 1 \('bob'\): message 2 must be a str; got {given}"
    ) as error:
        STEPS[step](cells)
    assert len(str(error.value)) < 200


def test_a_wrong_column_is_not_repeated_whole():
    text = "x" * 999
    graph = SocialGraph.from_edges([(1, 2), (2, 3)])
    line = LINEEmbedding(
        SocialGraph.from_edges([("a", "b")]), 2, unknown="error", solver="spectral"
    ).fit()
    words = CharacterSegmenter().fit_transform([["x"]])
    users = pd.DataFrame({text: [1]})
    for fails in (
        lambda: AdjacencyRows(graph).fit_transform([text]),
        lambda: line.transform([text, "a"]),
        lambda: LatentSemanticVectors().fit(words),
        lambda: ProfileAugmenter(make_tfidf_baseline()).fit(users, ["a"]),
        lambda: JiebaSegmenter().transform(pd.Series([3], index=[text])),
        lambda: Vocabulary([text, text]),
        lambda: Vocabulary([text.encode()]),
    ):
        with pytest.raises(SourceError) as error:
            fails()
        assert len(str(error.value)) < 400
