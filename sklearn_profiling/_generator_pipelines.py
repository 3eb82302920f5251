"""The systems that write profiles, each as one Pipeline."""

from __future__ import annotations

import os
from typing import Any

import joblib
from sklearn.base import clone
from sklearn.pipeline import Pipeline

from sklearn_profiling._seeding import RandomState, derive_seed
from sklearn_profiling.estimators import ProfileGeneratorClassifier
from sklearn_profiling.exceptions import ProfilingError
from sklearn_profiling.sources import (
    ImageBagTransformer,
    SourceUnion,
    SubwordSegmenter,
)

__all__ = ["make_profile_generator"]

_SMALL, _USUAL = (32, 32), (224, 224)
"""Sizes of images: of the small model that None stands for, and of vit-base."""


def make_profile_generator(
    *,
    classifier: Any = None,
    segmenter: Any = None,
    images: Any = None,
    captioner: Any = None,
    text_column: str = "messages",
    image_column: str | None = "images",
    caption_column: str | None = None,
    memory: str | joblib.Memory | None = None,
    random_state: RandomState = None,
) -> Pipeline:
    """Make the unified multimodal system: tokens, images, captions, generator.

    Parameters
    ----------
    classifier : classifier, default=None
        None is :class:`~sklearn_profiling.estimators.ProfileGeneratorClassifier` with
        its small models of random weights. Another one says by its parameters what the
        Pipeline reads: `paradigm` whether images, captions or both, `tokenizer` or
        `language_model` how text is cut.
    segmenter : transformer, default=None
        From messages to tokens, the source "text". None is
        :class:`~sklearn_profiling.sources.SubwordSegmenter` with the tokenizer of
        `classifier`; where that has none, the tokens are learned.
    images : transformer, default=None
        From lists of images to bags, the source "images". None reads up to three
        images a user (paper) and brings them to 224 x 224, the size of vit-base, or to
        32 x 32 for the small model.
    captioner : transformer, default=None
        From lists of images to captions, such as
        :class:`~sklearn_profiling.sources.ImageCaptioner`; in place of
        `caption_column`.
    text_column : str, default="messages"
        Column of the users' table with lists of messages.
    image_column : str or None, default="images"
        Column with lists of paths, arrays or PIL images; None for text alone.
    caption_column : str or None, default=None
        Column with lists of captions, one an image.
    memory : str or joblib.Memory, default=None
        Folder for the cache of decoded images.
    random_state : int, RandomState instance or None, default=None
        Decides the classifier, if that is None.

    Returns
    -------
    Pipeline
        Steps "sources" and "classifier"; not fitted.

    Raises
    ------
    ProfilingError
        If the classifier reads captions and none are given, or its text and captions
        could not be cut by the same tokenizer.

    See Also
    --------
    sklearn_profiling.estimators.ProfileGeneratorClassifier : Models, modes, paradigms.

    Notes
    -----
    A tokenizer that is learned is learned from the messages alone, so captions need
    one that is given: learn it with ``SubwordSegmenter().fit(texts).tokenizer_``, or
    take that of a language model.

    Examples
    --------
    >>> from sklearn_profiling.datasets import make_reviewers
    >>> from sklearn_profiling.pipelines import make_profile_generator
    >>> users = make_reviewers(20, random_state=0)
    >>> model = make_profile_generator(random_state=0).set_params(
    ...     classifier__max_epochs=1, sources__text__n_tokens=300
    ... )
    >>> model.fit(users.data, users.target).predict(users.data).shape
    (20, 6)
    """
    if classifier is None:
        classifier = ProfileGeneratorClassifier(random_state=derive_seed(random_state))
    params = classifier.get_params(deep=False)
    paradigm = getattr(classifier, "paradigm", "multimodal")
    tokenizer = _tokenizer_of(params)
    if segmenter is None:
        segmenter = SubwordSegmenter(tokenizer)
    sources = [("text", segmenter, text_column)]
    if paradigm in {"multimodal", "both"} and image_column is not None:
        if images is None:
            size = _SMALL if params.get("image_model") is None else _USUAL
            images = ImageBagTransformer(size=size, max_images=3, memory=memory)
        sources.append(("images", images, image_column))
    if paradigm in {"unimodal", "both"}:
        column = image_column if captioner is not None else caption_column
        if column is None:
            msg = (
                f"make_profile_generator: a classifier of paradigm {paradigm!r} reads "
                "captions; give caption_column, or captioner and image_column"
            )
            raise ProfilingError(msg)
        if getattr(segmenter, "tokenizer", tokenizer) is None:
            msg = (
                "make_profile_generator: text and captions must be cut by one "
                "tokenizer, and the classifier and the segmenter have none; give the "
                "classifier a tokenizer"
            )
            raise ProfilingError(msg)
        cut: Any = clone(segmenter)
        if captioner is not None:
            cut = Pipeline([("captioner", captioner), ("segmenter", cut)])
        sources.append((getattr(classifier, "captions", "captions"), cut, column))
    return Pipeline([("sources", SourceUnion(sources)), ("classifier", classifier)])


def _tokenizer_of(params: dict[str, Any]) -> Any:
    """Find the tokenizer that the classifier will use; None if it has none."""
    given = params.get("tokenizer")
    folder = params.get("language_model")
    if given is None and isinstance(folder, str | os.PathLike):
        return folder
    return given
