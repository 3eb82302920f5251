"""Pretrained models as parameters of classifiers: tokenizers, vocabularies, pixels."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import nn

from sklearn_profiling.architectures.layers.sources import SourceDescription
from sklearn_profiling.exceptions import (
    ProfilingError,
    SourceError,
    VocabularyMismatchError,
)
from sklearn_profiling.sources.pretrained._pixels import stored_pixel_scale
from sklearn_profiling.sources.pretrained._tokenizers import (
    load_tokenizer,
    vocabulary_of,
)
from sklearn_profiling.training.generators.backbones import describe_backbone
from sklearn_profiling.training.inputs import SourceSpec

__all__: list[str] = []

Pixels = tuple[list[float], list[float]]
"""Mean and deviation of channels that a vision model expects."""


def check_names(
    owner: str, parameter: str, given: Sequence[str], allowed: Sequence[str]
) -> None:
    """Check that a parameter holds different names out of those allowed."""
    names = list(given)
    known = all(name in allowed for name in names) and len(set(names)) == len(names)
    if not known or (parameter == "joint_modes" and not names):
        msg = (
            f"{owner}: parameter {parameter} must be a sequence of different names out "
            f"of {list(allowed)}; got {given!r}"
        )
        raise ProfilingError(msg)


def tokenizer_of(owner: Any) -> Any:
    """Find the tokenizer of a language model; None if it has none."""
    given, model = owner.tokenizer, owner.language_model
    if given is None and isinstance(model, str | os.PathLike):
        given = model
    if given is not None:
        return load_tokenizer(given, owner)
    if isinstance(model, nn.Module):
        msg = (
            f"{type(owner).__name__}: a language_model given as an object needs its "
            "tokenizer too, as parameter tokenizer: a folder or an object"
        )
        raise SourceError(msg)
    return None


def check_words(tokenizer: Any, words: tuple[str, ...], owner: str) -> None:
    """Check that the text has the vocabulary of the tokenizer."""
    vocabulary = vocabulary_of(tokenizer)
    if words and words != vocabulary.words:
        msg = (
            f"{owner}: the text must be written with the tokens of the language model "
            f"({len(vocabulary)} of them, in the order of their ids); it has a "
            f"vocabulary of {len(words)} others. Segment it with "
            "SubwordSegmenter(tokenizer)"
        )
        raise VocabularyMismatchError(msg)


def image_parts(
    owner: Any, specs: Mapping[str, SourceSpec], given: Any
) -> tuple[dict[str, Any] | None, Pixels]:
    """Configure a vision model; neither it nor pixels are there without images."""
    images = [name for name, spec in specs.items() if spec.kind == "images"]
    if not images:
        return None, ([], [])
    n_channels = specs[images[0]].image_shape[0]
    image = describe_backbone(given, "image", type(owner).__name__)
    if isinstance(given, str | os.PathLike | nn.Module):
        expected = image.get("num_channels", 3)
        if expected != n_channels:
            msg = (
                f"{type(owner).__name__}: parameter image_model reads images of "
                f"{expected} channels; source {images[0]!r} has {n_channels}"
            )
            raise SourceError(msg)
    image["num_channels"] = n_channels
    return image, stored_pixel_scale(given, type(owner).__name__, n_channels)


def with_pixels(
    sources: list[SourceDescription], pixels: Pixels
) -> list[SourceDescription]:
    """Describe images by the pixels that the vision model expects."""
    mean, scale = (torch.tensor(each) for each in pixels)
    return [
        replace(source, mean=mean, scale=scale) if source.kind == "images" else source
        for source in sources
    ]
