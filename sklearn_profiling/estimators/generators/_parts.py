"""What a profile generator is made of, learned from the training users."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from torch import nn

from sklearn_profiling._optional import import_optional
from sklearn_profiling.architectures.generators._fusion import (
    ConcatenatedStates,
    SelectiveAttention,
    TextGuidedAttention,
)
from sklearn_profiling.architectures.generators._image_states import ImageStates
from sklearn_profiling.architectures.generators.profile_generator import TokenIds
from sklearn_profiling.exceptions import SourceError, VocabularyMismatchError
from sklearn_profiling.sources.pretrained._tokenizers import (
    load_tokenizer,
    vocabulary_of,
)
from sklearn_profiling.targets import EncodedLabels, LabelCodec
from sklearn_profiling.training.generators.backbones import (
    Kind,
    build_backbone,
    describe_backbone,
    pixel_statistics,
)
from sklearn_profiling.training.generators.text import ProfileWords, canonical
from sklearn_profiling.training.generators.tokens import (
    ProfileTokens,
    learn_profile_text,
    usual_sets,
)
from sklearn_profiling.training.inputs import SourceSpec

__all__: list[str] = []

FUSIONS = {
    "concatenation": ConcatenatedStates,
    "attention": TextGuidedAttention,
    "selective": SelectiveAttention,
}
FROZEN = ("text_encoder", "decoder", "image_encoder")
_MASKS = ("<mask>", "<extra_id_0>")
_OWN = {
    "language": TokenIds(pad=0, end=1, start=0, mask=2, offset=3),
    # A decoder alone reads what starts a text, so that it must not be padding.
    "causal": TokenIds(pad=0, end=1, start=2, mask=3, offset=4),
}
"""Ids of a model that brings no tokenizer: words of texts and of profiles follow."""
_DROPOUTS = {
    "language": ("dropout_rate", "dropout"),
    "causal": (
        *("dropout", "attention_dropout", "hidden_dropout"),
        *("attn_pdrop", "embd_pdrop", "resid_pdrop"),
    ),
}


def source_roles(specs: dict[str, SourceSpec], captions: str) -> dict[str, str]:
    """Say which source is which.

    Parameters
    ----------
    specs : dict of str to SourceSpec
        At most two texts and one source of images.
    captions : str
        Name of the source of captions.

    Returns
    -------
    dict of {"text", "captions", "images"} to str
        Names of the sources.
    """
    roles = {}
    for name, spec in specs.items():
        kind = "captions" if name == captions else "text"
        roles["images" if spec.kind == "images" else kind] = name
    return roles


@dataclass
class GeneratorParts:
    """All that decides the shape of a generator; pickled with it.

    Attributes
    ----------
    language, image : dict, or None
        Configurations of the models; no image model without images.
    pixels : tuple of list of float
        Mean and deviation of the channels.
    ids : TokenIds
        Ids of the language model.
    tokens : ProfileTokens
        How profiles are written.
    writer : ProfileWords or tokenizers.Tokenizer
        What turns tokens into text.
    sources : dict of str to str
        Which source is which.
    kind : {"language", "causal"}
        Whether the language model has an encoder and a decoder, or a decoder alone.
    """

    language: dict[str, Any]
    image: dict[str, Any] | None
    pixels: tuple[list[float], list[float]]
    ids: TokenIds
    tokens: ProfileTokens
    writer: Any
    sources: dict[str, str]
    kind: Kind = "language"

    def decode(self, ids: Any) -> str:
        """Turn tokens into text."""
        if isinstance(self.writer, ProfileWords):
            return self.writer.decode(ids)
        return str(self.writer.decode(list(ids), skip_special_tokens=True))

    def build_language_model(self, given: Any) -> Any:
        """Build the language model; `given` holds weights, if any."""
        model = build_backbone(given, self.kind, self.language)
        n_rows = model.get_input_embeddings().num_embeddings
        if n_rows < self.language["vocab_size"]:
            msg = (
                f"the language model knows {n_rows} tokens; its tokenizer, and so the "
                f"text, has {self.language['vocab_size']}"
            )
            raise SourceError(msg)
        most = getattr(model.config, "max_position_embeddings", None)
        reader = model.config.is_encoder_decoder
        if reader and most is not None and self.tokens.longest > most:
            msg = (
                f"the language model has positions for {most} tokens; the longest "
                f"profile of these tasks takes {self.tokens.longest}. Give it a larger "
                "max_position_embeddings"
            )
            raise SourceError(msg)
        # A folder may ask for other texts than profiles, such as never the same three
        # tokens twice; what is searched for is said with each search.
        model.generation_config = type(model.generation_config)()
        return model

    def build_image_encoder(
        self, given: Any, *, patches: bool, grid: int | None = None
    ) -> ImageStates | None:
        """Build the encoder of images; `given` holds weights, if any."""
        if self.image is None:
            return None
        return build_image_states(
            given, self.image, self.pixels, patches=patches, grid=grid
        )


def build_image_states(
    given: Any,
    configuration: dict[str, Any],
    pixels: tuple[list[float], list[float]],
    *,
    patches: bool = False,
    grid: int | None = None,
) -> ImageStates:
    """Build what reads images; `given` holds weights, if any."""
    model = build_backbone(given, "image", configuration)
    size = model.config.image_size
    height, width = (size, size) if isinstance(size, int) else size
    return ImageStates(model, (height, width), *pixels, patches=patches, grid=grid)


def build_fusion(name: str, n_text: int, n_image: int) -> nn.Module:
    """Build what joins states of text and of images.

    Parameters
    ----------
    name : {"concatenation", "attention", "selective"}
        Which.
    n_text, n_image : int
        Lengths of the states.

    Returns
    -------
    Module
        The fusion; the feed-forward layer of "attention" has four times as many units
        as a text state, as in transformers.
    """
    if name == "attention":
        return TextGuidedAttention(n_text, n_image, 4 * n_text)
    kind: Any = FUSIONS[name]
    made: nn.Module = kind(n_text, n_image)
    return made


def learn_parts(
    owner: Any,
    specs: dict[str, SourceSpec],
    words: tuple[str, ...],
    codec: LabelCodec,
    labels: EncodedLabels,
    weights: npt.NDArray[np.float64],
) -> GeneratorParts:
    """Learn the shape of a generator from users and parameters.

    Parameters
    ----------
    owner : estimator
        Whose parameters count.
    specs : dict of str to SourceSpec
        Sources.
    words : tuple of str
        Vocabulary of the texts, empty if there is none.
    codec : LabelCodec
        Tasks.
    labels : EncodedLabels
        Labels of the training users.
    weights : ndarray of float64, shape (n_users,)
        Their weights.

    Returns
    -------
    GeneratorParts
        The parts.
    """
    name = type(owner).__name__
    given = owner.language_model
    if given is None:
        given = owner._small_language  # noqa: SLF001 - a constant of the class
    kind: Kind = owner._language_kind  # noqa: SLF001 - a constant of the class
    language = describe_backbone(given, kind, name)
    _set_dropout(language, owner.dropout, _DROPOUTS[kind])
    text = learn_profile_text(codec, labels, weights)
    tokenizer = tokenizer_of(owner)
    if tokenizer is None:
        ids = _OWN[kind]
        writer: Any = ProfileWords(text, ids.offset + len(words))
        encode = writer.encode
        language.update(
            vocab_size=writer.first_id + len(writer),
            pad_token_id=ids.pad,
            bos_token_id=ids.start,
            eos_token_id=ids.end,
        )
        if kind == "language":
            language.update(
                decoder_start_token_id=ids.start,
                forced_bos_token_id=None,
                forced_eos_token_id=None,
            )
    else:
        writer = tokenizer
        text = learn_profile_text(codec, labels, weights, _round_trip(tokenizer))
        encode = _encoder(tokenizer)
        check_words(tokenizer, words, name)
        learn = _learn_causal_ids if kind == "causal" else _learn_ids
        ids = learn(language, tokenizer, owner.language_model)
    answers = [
        _set_answers(labels, weights, task, len(classes), owner.max_sets)
        if codec.set_valued[task]
        else [(k,) for k in range(len(classes))]
        for task, classes in enumerate(codec.classes)
    ]
    roles = source_roles(specs, owner.captions)
    image, pixels = image_parts(owner, specs, roles)
    tokens = ProfileTokens(text, encode, ids, answers)
    return GeneratorParts(language, image, pixels, ids, tokens, writer, roles, kind)


def _set_dropout(
    language: dict[str, Any], dropout: float | None, keys: tuple[str, ...]
) -> None:
    if dropout is None:
        return
    package = import_optional(
        "transformers", extra="multimodal", purpose="A profile generator"
    )
    known = package.AutoConfig.for_model(**language)
    for key in keys:
        if hasattr(known, key):
            language[key] = float(dropout)


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


def _encoder(tokenizer: Any) -> Any:
    def encode(text: str) -> list[int]:
        found: list[int] = tokenizer.encode(text, add_special_tokens=False).ids
        return found

    return encode


def _round_trip(tokenizer: Any) -> Any:
    encode = _encoder(tokenizer)

    def comes_back(text: str) -> bool:
        return canonical(tokenizer.decode(encode(text))) == canonical(text)

    return comes_back


def check_words(tokenizer: Any, words: tuple[str, ...], owner: str) -> None:
    """Hold the vocabulary of the text against the tokenizer."""
    vocabulary = vocabulary_of(tokenizer)
    if words and words != vocabulary.words:
        msg = (
            f"{owner}: the text must be written with the tokens of the language model "
            f"({len(vocabulary)} of them, in the order of their ids); it has a "
            f"vocabulary of {len(words)} others. Segment it with "
            "SubwordSegmenter(tokenizer)"
        )
        raise VocabularyMismatchError(msg)


def _learn_ids(language: dict[str, Any], tokenizer: Any, given: Any) -> TokenIds:  # noqa: ARG001 - as for a decoder alone
    """Ids of an encoder and decoder; the configuration comes before the tokenizer."""
    n_tokens = len(vocabulary_of(tokenizer))
    language["vocab_size"] = max(language.get("vocab_size", 0), n_tokens)
    for key, token in (("pad_token_id", "<pad>"), ("eos_token_id", "</s>")):
        if language.get(key) is None and tokenizer.token_to_id(token) is not None:
            language[key] = tokenizer.token_to_id(token)
    pad, end = language.get("pad_token_id", 0), language.get("eos_token_id", 1)
    language.setdefault("decoder_start_token_id", pad)
    found = [tokenizer.token_to_id(token) for token in _MASKS]
    mask = next((k for k in found if k is not None), pad)
    return TokenIds(pad, end, language["decoder_start_token_id"], mask, 0)


def _learn_causal_ids(language: dict[str, Any], tokenizer: Any, given: Any) -> TokenIds:
    """Ids of a decoder alone: where it has weights, its configuration comes first."""
    n_tokens = len(vocabulary_of(tokenizer))
    language["vocab_size"] = max(language.get("vocab_size", 0), n_tokens)
    trained = isinstance(given, str | os.PathLike | nn.Module)
    ids: dict[str, int | None] = {}
    for key, token in (("pad", "<pad>"), ("eos", "</s>"), ("bos", "<s>")):
        said = language.get(f"{key}_token_id")
        # LLaMA 3 and GLM have several ends of a text.
        said = said[0] if isinstance(said, list | tuple) else said
        own = tokenizer.token_to_id(token)
        first, second = (said, own) if trained else (own, said)
        ids[key] = second if first is None else first
    end = ids["eos"]
    if end is None:
        msg = (
            "the language model has no token that ends a text: neither eos_token_id in "
            "its configuration nor </s> in its tokenizer"
        )
        raise SourceError(msg)
    pad = end if ids["pad"] is None else ids["pad"]
    start = end if ids["bos"] is None else ids["bos"]
    language.update(pad_token_id=pad, eos_token_id=end, bos_token_id=start)
    found = [tokenizer.token_to_id(token) for token in (*_MASKS, "<unk>")]
    mask = next((k for k in found if k is not None), pad)
    return TokenIds(pad, end, start, mask, 0)


def _set_answers(
    labels: EncodedLabels,
    weights: npt.NDArray[np.float64],
    task: int,
    n_classes: int,
    most: int,
) -> list[tuple[int, ...]]:
    """List the sets seen in training, and each class alone."""
    sets = usual_sets(labels, weights, task, most=most)
    return [*sets, *((k,) for k in range(n_classes) if (k,) not in sets)]


def image_parts(
    owner: Any, specs: dict[str, SourceSpec], roles: dict[str, str]
) -> tuple[dict[str, Any] | None, tuple[list[float], list[float]]]:
    """Describe the image model and its pixels; neither is there without images."""
    if "images" not in roles:
        return None, ([], [])
    n_channels = specs[roles["images"]].image_shape[0]
    given = owner.image_model
    image = describe_backbone(given, "image", type(owner).__name__)
    if isinstance(given, str | os.PathLike | nn.Module):
        expected = image.get("num_channels", 3)
        if expected != n_channels:
            msg = (
                f"{type(owner).__name__}: parameter image_model reads images of "
                f"{expected} channels; source {roles['images']!r} has {n_channels}"
            )
            raise SourceError(msg)
    image["num_channels"] = n_channels
    return image, pixel_statistics(given, n_channels)
