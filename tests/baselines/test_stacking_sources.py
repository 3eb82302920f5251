"""Meta-Learning over sources and tables: who reads the posteriors, what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from skorch.helper import SliceDict

from sklearn_profiling.baselines import (
    MaskedMultiOutputClassifier,
    MetaLearningClassifier,
    make_tfidf_baseline,
)
from sklearn_profiling.containers import ImageBags, TokenMessages
from sklearn_profiling.estimators import (
    AuxLSTMClassifier,
    BowCNNClassifier,
    ImageSetClassifier,
    LSTMClassifier,
    MMLUPClassifier,
    MultiTaskLSTMClassifier,
    PCNNClassifier,
)
from sklearn_profiling.exceptions import SourceError
from sklearn_profiling.sources import SourceUnion

TEXT = TokenMessages.from_lists([[["茶", "山"]], [["山"], ["水"]]] * 10)
TEXT_Y = pd.DataFrame({"gender": ["f", "m"] * 10, "age": ["80s", "90s"] * 10})
TINY = {"max_epochs": 1, "n_dimensions": 2, "random_state": 0}
LSTM = LSTMClassifier(n_hidden=2, n_dense=2, **TINY)
MMLUP = MMLUPClassifier(n_filters=2, n_filters_second=2, **TINY)


@pytest.mark.parametrize(
    "net",
    [
        LSTM,
        AuxLSTMClassifier(),
        MultiTaskLSTMClassifier(),
        BowCNNClassifier(),
        PCNNClassifier(),
        MMLUPClassifier(sources=["text"]),
        MaskedMultiOutputClassifier(LSTM, pass_missing=True),
        GridSearchCV(LSTM, {"n_dense": [2, 3]}),
    ],
    ids=lambda net: type(net).__name__,
)
def test_nets_that_would_not_read_the_posteriors(net: Any) -> None:
    message = (
        r"in the second stage would read the sources \['text'\] and not the source "
        "'posteriors'.* final_estimator"
    )
    for X in (TEXT, SliceDict(text=TEXT)):
        for model in (
            MetaLearningClassifier(net),
            MetaLearningClassifier(MMLUP, final_estimator=net, main_task="age"),
        ):
            with pytest.raises(SourceError, match=message):
                model.fit(X, TEXT_Y)
            assert not hasattr(model, "auxiliary_estimators_"), "no fit in vain"


def test_a_pipeline_hands_the_posteriors_on() -> None:
    def piped(net: Any, *names: tuple[str, str]) -> Any:
        union = SourceUnion([(new, "passthrough", old) for new, old in names])
        pipeline = make_pipeline(union, net)
        return MetaLearningClassifier(MMLUP, final_estimator=pipeline, cv=2)

    text, others = ("posts", "text"), ("others", "posteriors")
    for model in (piped(MMLUP, text), piped(LSTM, text, others)):
        with pytest.raises(SourceError, match=r"would read the sources \['posts'\]"):
            model.fit(TEXT, TEXT_Y)
    model = piped(MMLUP, text, others).fit(TEXT, TEXT_Y)
    assert list(model.estimators_[1].estimators_[0][-1]._specs) == ["posts", "others"]


def test_a_text_alone_is_a_source() -> None:
    model = MetaLearningClassifier(LSTM, final_estimator=MMLUP, cv=2, random_state=0)
    named = clone(model).fit(SliceDict(text=TEXT), TEXT_Y)
    alone = model.fit(TEXT, TEXT_Y)
    for one, two in zip(
        alone.predict_proba(TEXT),
        named.predict_proba(SliceDict(text=TEXT)),
        strict=True,
    ):
        np.testing.assert_array_equal(one, two)
    assert list(alone.estimators_[0].estimators_[0]._specs) == ["text", "posteriors"]
    assert alone.predict(TEXT[:3]).shape == (3, 2)
    # One task has no second stage to speak of.
    single = MetaLearningClassifier(LSTM).fit(TEXT, TEXT_Y["age"])
    assert single.predict(TEXT).shape == (20,)


def test_images_alone_are_a_source() -> None:
    images = ImageBags(np.zeros((20, 1, 2, 2), dtype=np.uint8), np.arange(21))
    message = r"would read the sources \['images'\] and not the source 'posteriors'"
    with pytest.raises(SourceError, match=message):
        MetaLearningClassifier(ImageSetClassifier()).fit(images, TEXT_Y)


def test_a_source_of_the_name_of_the_posteriors() -> None:
    sources = SliceDict(text=TEXT, posteriors=np.zeros((20, 1)))
    with pytest.raises(SourceError, match=r"must not have a source named 'posteriors'"):
        MetaLearningClassifier(MMLUP).fit(sources, TEXT_Y)


def test_tables_hold_numbers() -> None:
    X = np.random.default_rng(0).normal(size=(40, 3))
    y = pd.DataFrame({"gender": X[:, 0] > 0, "age": X[:, 1] > 0})
    users = pd.DataFrame({"id": ["a"] * 40, "messages": [["茶"]] * 40, "n": X[:, 0]})
    message = r"the columns \['id', 'messages'\] hold text or lists.*make_meta_learning"
    with pytest.raises(SourceError, match=message):
        MetaLearningClassifier(make_tfidf_baseline()).fit(users, y)
    model = MetaLearningClassifier(LogisticRegression(), random_state=0)
    numbers = pd.DataFrame(X, columns=["a", "b", "n"])
    expected = clone(model).fit(numbers, y).predict(numbers)
    objects = numbers.astype({"a": object, "b": str})
    assert (model.fit(objects, y).predict(objects) == expected).all()
    with pytest.raises(SourceError, match=r"the columns \['b'\]"):
        model.predict(numbers.assign(b="x"))
    dates = numbers.assign(b=pd.Timestamp("2020-01-01")).astype({"b": object})
    with pytest.raises(TypeError, match="Timestamp"):
        model.predict(dates)
