"""The unified multimodal system as a Pipeline."""

from __future__ import annotations

import numpy as np
import pytest
from generators import BART, VIT
from sklearn.base import BaseEstimator, TransformerMixin, clone

from sklearn_profiling.datasets import make_reviewers
from sklearn_profiling.estimators import ProfileGeneratorClassifier
from sklearn_profiling.exceptions import ProfilingError
from sklearn_profiling.pipelines import make_profile_generator
from sklearn_profiling.sources import SubwordSegmenter


@pytest.fixture(scope="module")
def users():
    return make_reviewers(
        16, missing_images=0.2, missing_text=0.1, missing_labels=0.1, random_state=0
    )


@pytest.fixture(scope="module")
def tokenizer(users):
    return SubwordSegmenter(n_tokens=300).fit(users.data["messages"]).tokenizer_


def generator(**params):
    settings = {"max_epochs": 1, "max_tokens": 20, "decoding": "scoring"}
    bart = {**BART, "max_position_embeddings": 256, "vocab_size": 300}
    models = {"language_model": bart, "image_model": VIT, "random_state": 0}
    return ProfileGeneratorClassifier(**{**models, **settings, **params})


class Captioner(TransformerMixin, BaseEstimator):
    """Says of each image how light it is."""

    def fit(self, X, y=None):
        return self

    def transform(self, X):
        return [
            [f"a picture of {int(np.mean(image)) // 64}" for image in images or ()]
            for images in X
        ]


def test_from_users_to_predictions(users):
    model = make_profile_generator(classifier=generator())
    model.set_params(sources__text__n_tokens=300, sources__images__size=(8, 8))
    model.fit(users.data, users.target)
    found = model.predict_proba(users.data)
    again = clone(model).fit(users.data, users.target).predict_proba(users.data)
    for a, b in zip(found, again, strict=True):
        assert np.isfinite(a).all()
        assert np.array_equal(a, b)
    assert model.predict(users.data).shape == (16, 6)


def test_defaults_go_with_the_models(tokenizer):
    small = make_profile_generator(random_state=0).get_params()
    assert small["sources__images__size"] == (32, 32)
    assert small["sources__images__max_images"] == 3
    assert small["sources__text__tokenizer"] is None
    assert small["classifier__random_state"] is not None
    other = make_profile_generator(classifier=generator(tokenizer=tokenizer))
    assert other.get_params()["sources__images__size"] == (224, 224)
    assert other.get_params()["sources__text__tokenizer"] is tokenizer
    folder = make_profile_generator(
        classifier=generator(language_model="models/flan-t5-base"), image_column=None
    ).get_params()
    assert folder["sources__text__tokenizer"] == "models/flan-t5-base"
    assert "sources__images" not in folder


@pytest.mark.parametrize("paradigm", ["unimodal", "both"])
def test_captions_come_from_a_column_or_a_captioner(users, tokenizer, paradigm):
    classifier = generator(tokenizer=tokenizer, paradigm=paradigm)
    from_images = make_profile_generator(classifier=classifier, captioner=Captioner())
    data = users.data.assign(said=Captioner().transform(users.data["images"]))
    from_column = make_profile_generator(classifier=classifier, caption_column="said")
    found = []
    for model in (from_images, from_column):
        has_images = "sources__images" in model.get_params()
        assert has_images == (paradigm == "both")
        if has_images:
            model.set_params(sources__images__size=(4, 4))
        found.append(model.fit(data, users.target).predict_proba(data))
    for a, b in zip(*found, strict=True):
        assert np.array_equal(a, b)


def test_captions_that_cannot_be_read_are_refused(tokenizer):
    both = generator(paradigm="both")
    with pytest.raises(ProfilingError, match="give caption_column, or captioner"):
        make_profile_generator(classifier=both)
    with pytest.raises(ProfilingError, match="cut by one tokenizer"):
        make_profile_generator(classifier=both, caption_column="captions")
    own = make_profile_generator(
        classifier=generator(paradigm="both", tokenizer=tokenizer),
        segmenter=SubwordSegmenter(tokenizer, max_tokens=9),
        caption_column="captions",
    ).get_params()
    assert own["sources__captions__max_tokens"] == 9
