"""Parts that a generator learns from parameters and users before its net is built."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from torch import nn

from sklearn_profiling._optional import import_optional
from sklearn_profiling.architectures.generators._image_states import LayerChoice
from sklearn_profiling.architectures.generators._tokens import (
    ProfileDescription,
    PromptTokens,
    TokenIds,
)
from sklearn_profiling.estimators._backbones import (
    Pixels,
    check_words,
    image_parts,
    tokenizer_of,
)
from sklearn_profiling.estimators.generators._prompts import prompt_tokens
from sklearn_profiling.exceptions import SourceError
from sklearn_profiling.sources.pretrained._tokenizers import (
    vocabulary_of,
)
from sklearn_profiling.targets import EncodedLabels
from sklearn_profiling.training.generators.backbones import (
    Kind,
    build_llava,
    describe_backbone,
    describe_llava,
)
from sklearn_profiling.training.generators.text import ProfileWords, canonical
from sklearn_profiling.training.generators.tokens import (
    ProfileTokens,
    learn_profile_text,
    usual_sets,
)
from sklearn_profiling.training.inputs import SourceSpec, TrainingUsers

__all__: list[str] = []

_MASKS = ("<mask>", "<extra_id_0>")
_OWN = {
    "language": TokenIds(pad=0, end=1, start=0, mask=2, offset=3),
    # A decoder alone reads what starts a text, so that it must not be padding.
    "causal": TokenIds(pad=0, end=1, start=2, mask=3, offset=4),
}
"""Ids of a model that brings no tokenizer: words of texts and of profiles follow."""
_LLAVA_LAYER = -2
"""Layer before the last, which a configuration of LLaVA need not name."""
_DROPOUTS = {
    "language": ("dropout_rate", "dropout"),
    "causal": (
        *("dropout", "attention_dropout", "hidden_dropout"),
        *("attn_pdrop", "embd_pdrop", "resid_pdrop"),
    ),
}


@dataclass
class GeneratorParts:
    """All that decides the shape of a generator; pickled with it.

    Configurations of the models, that of images None where there are none; the words of
    profiles, or a tokenizer, as `writer` of texts; the tokens around the text of a
    user; and what is a LLaVA's own, None for other models.
    """

    language: dict[str, Any]
    image: dict[str, Any] | None
    pixels: Pixels
    tokens: ProfileTokens
    writer: Any
    around: PromptTokens
    llava: dict[str, Any] | None

    def reads_whole(self, given: Any) -> bool:
        """Tell whether a LLaVA is built whole: where any part but its decoder counts.

        The weights of a decoder too lie in the files of the whole.
        """
        return self.llava is not None and (self.image is not None or _is_trained(given))

    def build_llava(self, given: Any) -> tuple[Any, Any, dict[str, Any]]:
        """Build decoder and vision model, and name what the architecture takes too."""
        settings: Any = self.llava
        whole = build_llava(given, settings, self.language, self.image)
        if self.image is None:
            return whole.language, None, {}
        layers = settings.get("vision_feature_layer", _LLAVA_LAYER)
        choice = LayerChoice(
            tuple(layers) if isinstance(layers, list | tuple) else (layers,),
            settings.get("vision_feature_select_strategy", "default") == "default",
        )
        own = {"projector": whole.projector, "choice": choice}
        return whole.language, whole.image, own

    def decode(self, ids: Any) -> str:
        """Turn tokens into text."""
        if isinstance(self.writer, ProfileWords):
            return self.writer.decode(ids)
        return str(self.writer.decode(list(ids), skip_special_tokens=True))

    def describe(self) -> ProfileDescription:
        """Describe the profiles to an architecture."""
        tokens = self.tokens
        return ProfileDescription(
            tokens.ids, tokens.prompts(), tokens.longest, self.around
        )


def learn_parts(
    owner: Any,
    specs: Mapping[str, SourceSpec],
    words: tuple[str, ...],
    users: TrainingUsers,
) -> GeneratorParts:
    """Learn the shape of a generator from its parameters and the training users.

    `words` is the vocabulary of the texts, empty if there is none.
    """
    _, labels, weights, codec = users
    kind: Kind = owner._language_kind  # noqa: SLF001 - constants of the class
    small, per_task = owner._small_language, owner._architecture.per_task  # noqa: SLF001 - constants of the class
    name, given = type(owner).__name__, owner.language_model
    language = describe_backbone(small if given is None else given, kind, name)
    _set_dropout(language, owner.dropout, _DROPOUTS[kind])
    llava = _whole_llava(owner)
    text = learn_profile_text(codec, labels, weights.given)
    tokenizer = tokenizer_of(owner)
    if tokenizer is None:
        ids = _OWN[kind]
        writer: Any = ProfileWords(text, ids.offset + len(words))
        encode = writer.encode
        _set_own_ids(language, ids, writer.first_id + len(writer), kind)
    else:
        writer = tokenizer
        text = learn_profile_text(codec, labels, weights.given, _round_trip(tokenizer))
        encode = _encoder(tokenizer)
        check_words(tokenizer, words, name)
        learn = _learn_causal_ids if kind == "causal" else _learn_ids
        ids = learn(language, tokenizer, given)
    answers = [
        _set_answers(labels, weights.given[:, task], task, len(classes), owner.max_sets)
        if codec.set_valued[task]
        else [(k,) for k in range(len(classes))]
        for task, classes in enumerate(codec.classes)
    ]
    vision = given if llava is not None else getattr(owner, "image_model", None)
    image, pixels = image_parts(owner, specs, vision)
    causal_images = kind == "causal" and image is not None
    around = prompt_tokens(
        owner,
        language,
        ids,
        tokenizer,
        n_images=owner.max_images if causal_images else 0,
        llava=llava,
        captions=owner.captions in specs,
    )
    tokens = ProfileTokens(text, encode, ids, answers, per_task=per_task)
    return GeneratorParts(language, image, pixels, tokens, writer, around, llava)


def _whole_llava(owner: Any) -> dict[str, Any] | None:
    """Find the settings of a LLaVA with its own vision model; None for others."""
    name = type(owner).__name__
    found = describe_llava(owner.language_model, name)
    if found is not None and getattr(owner, "image_model", None) is not None:
        msg = (
            f"{name}: a LLaVA as language_model has a vision model and a projector of "
            "its own; leave image_model at None"
        )
        raise SourceError(msg)
    return found


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


def _set_own_ids(
    language: dict[str, Any], ids: TokenIds, n_tokens: int, kind: Kind
) -> None:
    language.update(
        vocab_size=n_tokens,
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


def _encoder(tokenizer: Any) -> Callable[[str], list[int]]:
    def encode(text: str) -> list[int]:
        found: list[int] = tokenizer.encode(text, add_special_tokens=False).ids
        return found

    return encode


def _round_trip(tokenizer: Any) -> Callable[[str], bool]:
    encode = _encoder(tokenizer)

    def comes_back(text: str) -> bool:
        return canonical(tokenizer.decode(encode(text))) == canonical(text)

    return comes_back


def _default_id(language: dict[str, Any], key: str, n_tokens: int) -> int | None:
    """Id that models of a kind have where a configuration does not say another."""
    package = import_optional(
        "transformers", extra="multimodal", purpose="A profile generator"
    )
    found = getattr(package.AutoConfig.for_model(**language), key, None)
    # GLM and LLaMA 3 have several ends of a text.
    found = found[0] if isinstance(found, list | tuple) else found
    return found if found is not None and found < n_tokens else None


def _is_trained(given: Any) -> bool:
    """Tell whether a model comes with weights, which know their special tokens."""
    return isinstance(given, str | os.PathLike | nn.Module)


def _learn_ids(language: dict[str, Any], tokenizer: Any, given: Any) -> TokenIds:
    """Ids of an encoder and decoder, of the configuration before the tokenizer."""
    n_tokens = len(vocabulary_of(tokenizer))
    language["vocab_size"] = max(language.get("vocab_size", 0), n_tokens)
    for key, token in (("pad_token_id", "<pad>"), ("eos_token_id", "</s>")):
        if language.get(key) is None and tokenizer.token_to_id(token) is not None:
            language[key] = tokenizer.token_to_id(token)
    pad, end = language.get("pad_token_id", 0), language.get("eos_token_id", 1)
    start = language.get("decoder_start_token_id")
    begin = None
    if _is_trained(given):
        if start is None:
            start = _default_id(language, "decoder_start_token_id", n_tokens)
        if language["model_type"] == "bart":
            # BART was trained to write <s> first.
            begin = tokenizer.token_to_id("<s>")
    language["decoder_start_token_id"] = pad if start is None else start
    found = [tokenizer.token_to_id(token) for token in _MASKS]
    mask = next((k for k in found if k is not None), pad)
    return TokenIds(pad, end, language["decoder_start_token_id"], mask, 0, begin)


def _learn_causal_ids(language: dict[str, Any], tokenizer: Any, given: Any) -> TokenIds:
    """Ids of a decoder alone, of its configuration first where it has weights."""
    n_tokens = len(vocabulary_of(tokenizer))
    language["vocab_size"] = max(language.get("vocab_size", 0), n_tokens)
    trained = _is_trained(given)
    ids: dict[str, int | None] = {}
    for key, token in (("pad", "<pad>"), ("eos", "</s>"), ("bos", "<s>")):
        configured = language.get(f"{key}_token_id")
        # LLaMA 3 and GLM have several ends of a text.
        if isinstance(configured, list | tuple):
            configured = configured[0]
        own = tokenizer.token_to_id(token)
        first, second = (configured, own) if trained else (own, configured)
        ids[key] = second if first is None else first
        if ids[key] is None and trained:
            ids[key] = _default_id(language, f"{key}_token_id", n_tokens)
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
