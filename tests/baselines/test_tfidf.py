"""The tf-idf baseline: texts joined, missing messages, and a real data set."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.model_selection import GridSearchCV, KFold

from sklearn_profiling.baselines import (
    make_link_baseline,
    make_svm_baseline,
    make_tfidf_baseline,
)
from sklearn_profiling.baselines.tfidf import join_messages
from sklearn_profiling.evaluation import compare
from sklearn_profiling.exceptions import SourceError
from sklearn_profiling.sources import CharacterSegmenter, WordSegmenter

USERS = pd.DataFrame(
    {"texts": [["足球", "球赛"], ["化妆"], None, [], ["看球"], np.nan]}, dtype=object
)


def test_messages_are_joined_by_line_breaks() -> None:
    texts = join_messages(USERS, "texts")
    assert texts.tolist() == ["足球\n球赛", "化妆", "", "", "看球", ""]


def test_missing_messages_get_a_prediction() -> None:
    y = pd.DataFrame(
        {"gender": ["m", "f", "m", None, "m", None], "age": [1, 2, None, 2, None, 1]}
    )
    model = make_tfidf_baseline(column="texts", C=100.0).fit(USERS, y)
    assert model.predict(USERS)[:2, 0].tolist() == ["m", "f"]
    probabilities = model.predict_proba(USERS)
    np.testing.assert_array_equal(probabilities[0][2], probabilities[0][3])
    alone = model.predict_proba(USERS.iloc[[0]])
    np.testing.assert_allclose(alone[0][0], probabilities[0][0])


def test_weights_of_labels_in_a_search() -> None:
    y = pd.DataFrame({"gender": ["m", "f"] * 6, "age": [1, 2, 2] * 4})
    users = pd.DataFrame({"messages": [["足球"], ["化妆"], ["看球"]] * 4})
    trust = pd.DataFrame({"age": [1.0, 4.0, 1.0] * 4, "gender": [1.0, 3.0] * 6})
    search = GridSearchCV(
        make_tfidf_baseline(), {"tfidf__max_words": [2]}, cv=KFold(3)
    ).fit(users, y, classifier__sample_weight=trust)
    weighed = make_tfidf_baseline(class_weight={"gender": {"f": 3.0}, "age": None}).fit(
        users, y
    )
    found, plain = search.predict_proba(users), weighed.predict_proba(users)
    np.testing.assert_array_equal(found[0], plain[0])
    assert not np.array_equal(found[1], plain[1])


def test_words_and_characters_as_of_scikit_learn() -> None:
    texts = ["red tea, and red wine!", "no tea", "wine wine", "tea and coffee?"]
    found = make_tfidf_baseline()[:-1].fit(texts)
    tokens = r"\w+|[^\w\s]"
    words = TfidfVectorizer(
        token_pattern=tokens, ngram_range=(1, 2), sublinear_tf=True
    ).fit(texts)
    pure = [" ".join(re.findall(r"\w+", text)) for text in texts]
    parts = TfidfVectorizer(
        analyzer="char_wb", ngram_range=(2, 4), sublinear_tf=True
    ).fit(pure)
    names = found[-1].get_feature_names_out().tolist()
    theirs = [*words.get_feature_names_out()]
    theirs += [f"*{name}*" for name in parts.get_feature_names_out()]
    assert sorted(names) == sorted(theirs)
    both = np.hstack(
        [words.transform(texts).toarray(), parts.transform(pure).toarray()]
    )
    np.testing.assert_allclose(
        found.transform(texts).toarray(),
        both[:, [theirs.index(name) for name in names]] / np.sqrt(2),
        atol=1e-6,
    )


def test_the_segmenter_suits_the_text() -> None:
    def chosen(text: str, **given: Any) -> tuple[Any, set[str]]:
        steps = make_tfidf_baseline(**given)[:-1].fit([[text], [text], None])
        return steps["segmenter"], {*steps[-1].get_feature_names_out()}

    words, names = chosen("我们看足球。")
    assert isinstance(words.segmenter_, WordSegmenter)
    assert {"足球", "。", "足球 。", "* 足球 *"} <= names
    characters, names = chosen("月 落 乌 啼 霜 满 天。")
    assert isinstance(characters.segmenter_, CharacterSegmenter)
    assert {"月", "月 落", "天 。"} <= names
    given, names = chosen("看，足球", segmenter=WordSegmenter(punctuation="drop"))
    assert isinstance(given, WordSegmenter)
    assert "，" not in names


def test_parameters_that_exclude_each_other() -> None:
    with pytest.raises(ValueError, match=r"ngram_range=\(1, 4\) needs an analyzer"):
        make_tfidf_baseline(ngram_range=(1, 4))
    with pytest.raises(ValueError, match="analyzer='char' reads no words"):
        make_tfidf_baseline(analyzer="char", segmenter=WordSegmenter())


def test_tables_of_predictions_have_the_index_of_the_users() -> None:
    named = USERS.set_axis([*"uvwxyz"])
    y = pd.DataFrame({"gender": ["m", "f", "m", None, "m", None]})
    for model in (
        make_tfidf_baseline(column="texts"),
        make_svm_baseline(text_column="texts", random_state=0),
        make_link_baseline([("u", "v"), ("w", "x")], column="id"),
    ):
        users = named.assign(id=named.index)
        model.fit(users, y)
        assert isinstance(model.predict(users), np.ndarray)
        model[-1].set_output(predict="pandas")
        assert model.predict(users).index.tolist() == [*"uvwxyz"]
        assert model.fit(users, y["gender"]).predict(users).index.equals(users.index)
    model = make_tfidf_baseline().fit(["a b", "c d"] * 3, ["x", "y"] * 3)
    model[-1].set_output(predict="pandas")
    assert model.predict(["a", "c"]).index.tolist() == [0, 1]


def test_parameters_reach_their_steps() -> None:
    model = make_tfidf_baseline(
        analyzer="word", ngram_range=(1, 1), max_features=7, C=2.0, n_jobs=2
    )
    tfidf, classifier = model["tfidf"], model["classifier"]
    assert (tfidf.analyzer, tfidf.ngram_range, tfidf.max_features) == (
        "word",
        (1, 1),
        7,
    )
    assert tfidf.sublinear_tf
    assert (classifier.estimator.C, classifier.n_jobs) == (2.0, 2)


@pytest.mark.parametrize(
    ("users", "message"),
    [
        (
            pd.DataFrame({"text": [["a"]]}),
            r"\['messages'\]; X has \['text'\]",
        ),
        (
            3,
            "must be a DataFrame .* with the column 'messages', or .*; got int",
        ),
        (
            pd.DataFrame({"messages": [["a"], 2]}),
            r"column 'messages', row 1 \(1\): .* list of str, one str.*got 2",
        ),
        ([["a"], [None, 1]], r"column 'messages', row 1.*: message 1 must .*; got 1"),
    ],
)
def test_bad_users(users: object, message: str) -> None:
    with pytest.raises(SourceError, match=message):
        join_messages(users, "messages")


def test_one_str_is_one_message() -> None:
    users = pd.DataFrame({"messages": ["one two", ["one", "two"], "", None]})
    assert list(join_messages(users, "messages")) == ["one two", "one\ntwo", "", ""]


@pytest.mark.slow
def test_accuracy_on_poets(real_data: Path) -> None:
    with gzip.open(real_data / "poets" / "users.jsonl.gz", "rt", encoding="utf-8") as f:
        rows = [json.loads(line) for line in f]
    users = pd.DataFrame({"messages": [row["texts"] for row in rows]})
    labels = pd.DataFrame([row["labels"] for row in rows])
    y = labels[["dynasty", "era", "occupation"]]
    result = compare(
        {"tf-idf": make_tfidf_baseline(analyzer="char", loss="log", C=5.0)},
        users,
        y,
        cv=KFold(5, shuffle=True, random_state=1),
        metrics=["accuracy"],
        n_jobs=2,
    )
    means = result.table().loc["tf-idf"]
    assert means["dynasty"] == pytest.approx(0.957, abs=0.004)
    assert means["era"] == pytest.approx(0.724, abs=0.004)
    assert means["occupation"] == pytest.approx(0.574, abs=0.004)
