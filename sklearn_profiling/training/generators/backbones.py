"""Language and vision models: from a folder, a configuration or an object.

Beside :mod:`.search` the only module here that knows the package transformers. Nothing
is downloaded. A LLaVA is read whole: its decoder, its vision model and what projects
the states of one to the tokens of the other.
"""

from __future__ import annotations

import copy
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple

import torch
from torch import nn

from sklearn_profiling._image_models import refuse_patches, vision_part
from sklearn_profiling._optional import import_optional
from sklearn_profiling.exceptions import SourceError
from sklearn_profiling.sources.pretrained._folders import check_folder
from sklearn_profiling.sources.pretrained._hub_code import refuse_hub_code
from sklearn_profiling.sources.pretrained._tokenizers import short_reason

__all__ = [
    "LLaVAParts",
    "build_backbone",
    "build_llava",
    "checkpoint_activations",
    "describe_backbone",
    "describe_llava",
]

Kind = Literal["language", "causal", "text", "image"]
Configuration = dict[str, Any]

_LOADERS = {
    "language": "AutoModelForSeq2SeqLM",
    "causal": "AutoModelForCausalLM",
    "text": "AutoModel",
    "image": "AutoModel",
}
_PARAMETERS = {
    "language": "language_model",
    "causal": "language_model",
    "text": "language_model",
    "image": "image_model",
}
_EXAMPLES = {
    "language": "flan-t5-base",
    "causal": "Llama-2-7b-hf",
    "text": "bert-base-uncased",
    "image": "vit-base-patch16-224",
}
# About 1 / sqrt(64): with the usual 0.02, meant for ten times as many units, the layers
# of small models have hardly any effect at first.
_STANDARD_DEVIATION = 0.1
_SMALL: dict[str, Configuration] = {
    "language": {
        "model_type": "t5",
        "d_model": 64,
        "d_kv": 16,
        "d_ff": 128,
        "num_layers": 2,
        "num_heads": 4,
        "is_encoder_decoder": True,
    },
    "causal": {
        "model_type": "llama",
        "initializer_range": _STANDARD_DEVIATION,
        "hidden_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "intermediate_size": 128,
    },
    "text": {
        "model_type": "bert",
        "initializer_range": _STANDARD_DEVIATION,
        "hidden_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "intermediate_size": 128,
        "max_position_embeddings": 600,
    },
    "image": {
        "model_type": "vit",
        "initializer_range": _STANDARD_DEVIATION,
        "hidden_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "intermediate_size": 128,
        "image_size": 32,
        "patch_size": 8,
    },
}
"""Models used for None: to train from scratch on small data."""
SMALL_BART: Configuration = {
    "model_type": "bart",
    "d_model": 64,
    "encoder_layers": 2,
    "decoder_layers": 2,
    "encoder_attention_heads": 4,
    "decoder_attention_heads": 4,
    "encoder_ffn_dim": 128,
    "decoder_ffn_dim": 128,
    "init_std": _STANDARD_DEVIATION,
}
"""As large as the small T5, for systems that go with BART."""


_UNUSED = (
    *("id2label", "label2id", "transformers_version", "architectures"),
    *("auto_map", "_name_or_path"),
)


def _transformers(purpose: str) -> Any:
    return import_optional("transformers", extra="multimodal", purpose=purpose)


def describe_backbone(given: Any, kind: Kind, owner: str) -> Configuration:
    """Find what differs from the defaults in the configuration of a model.

    `given` is a folder, a configuration, a dict of one, a model, or None for a small
    model. Raises SourceError, which names `owner`, if it is no model of the kind.
    """
    if given is None:
        return dict(_SMALL[kind])
    where = f"{owner}: parameter {_PARAMETERS[kind]}"
    if isinstance(given, str | os.PathLike):
        given = _read_folder(Path(given), where, owner, _EXAMPLES[kind])
    if isinstance(given, Mapping):
        given = _read_mapping(given, where, owner)
    config = getattr(given, "config", given)
    if kind == "image":
        config = vision_part(config)
        refuse_patches(config, f"{owner}: parameter image_model")
    elif kind == "causal" and _is_llava(config):
        config = config.text_config
    if not hasattr(config, "to_diff_dict") or not hasattr(config, "model_type"):
        msg = (
            f"{where} must be the path of a folder, a configuration, a dict of one, or "
            f"a model of the package transformers, or None; got {type(given).__name__}"
        )
        raise SourceError(msg)
    if kind == "language" and not config.is_encoder_decoder:
        msg = (
            f"{where} must have an encoder and a decoder, as T5 and BART; got a model "
            f"of type {config.model_type!r}"
        )
        raise SourceError(msg)
    if kind == "causal" and not _is_causal(config):
        msg = (
            f"{where} must be a decoder that continues a text, as LLaMA and GLM; got a "
            f"model of type {config.model_type!r}"
        )
        raise SourceError(msg)
    return _settings(config)


def _settings(config: Any) -> Configuration:
    found: Configuration = config.to_diff_dict()
    # Names of classes, a version and code that never runs do not change the net.
    for name in _UNUSED:
        found.pop(name, None)
    attention = getattr(config, "_attn_implementation", None)
    if isinstance(attention, str):
        found["attn_implementation"] = attention
    return {**found, "model_type": config.model_type}


def _is_llava(config: Any) -> bool:
    return getattr(config, "model_type", None) == "llava"


def describe_llava(given: Any, owner: str) -> Configuration | None:
    """Find what is LLaVA's own in a configuration; None for any other model.

    Which layers of its vision model are read, and how they are projected.
    """
    if isinstance(given, str | os.PathLike):
        where = f"{owner}: parameter language_model"
        given = _read_folder(Path(given), where, owner, "llava-1.5-7b-hf")
    if isinstance(given, Mapping):
        given = _read_mapping(given, f"{owner}: parameter language_model", owner)
    config = getattr(given, "config", given)
    if not _is_llava(config):
        return None
    settings = _settings(config)
    settings.pop("text_config", None)
    return {**settings, "vision_config": _settings(config.vision_config)}


class LLaVAParts(NamedTuple):
    """Decoder, vision model, and the layers that project states to tokens."""

    language: Any
    image: Any
    projector: nn.Module


def build_llava(
    given: Any,
    settings: Mapping[str, Any],
    language: Mapping[str, Any],
    image: Mapping[str, Any] | None,
) -> LLaVAParts:
    """Build a LLaVA by its own settings and those of its models, and take it apart.

    Those of the vision model are changed only where `image` is not None.
    """
    package = _transformers("A profile generator")
    vision = settings["vision_config"] if image is None else image
    settings = {
        **settings,
        "text_config": dict(language),
        "vision_config": dict(vision),
    }
    refuse_hub_code(settings)
    config = package.AutoConfig.for_model(**settings)
    if isinstance(given, nn.Module):
        whole: Any = copy.deepcopy(given)
    else:
        loader = package.AutoModelForImageTextToText
        if isinstance(given, str | os.PathLike):
            whole = loader.from_pretrained(
                given, config=config, local_files_only=True, trust_remote_code=False
            )
        else:
            whole = loader.from_config(config, trust_remote_code=False)
    decoder = _decoder_of(whole)
    _check_tokens(decoder, language)
    tower = _without_pooler(vision_part(whole.model.vision_tower))
    return LLaVAParts(decoder, tower, whole.model.multi_modal_projector)


def _decoder_of(whole: Any) -> Any:
    """Take the decoder of a LLaVA, as a model for causal language modelling."""
    loader = _transformers("A profile generator").AutoModelForCausalLM
    body = whole.model.language_model
    with torch.device("meta"):
        decoder = loader.from_config(body.config, trust_remote_code=False)
    setattr(decoder, decoder.base_model_prefix, body)
    decoder.set_output_embeddings(whole.lm_head)
    decoder.generation_config = type(decoder.generation_config)()
    return decoder


def _is_causal(config: Any) -> bool:
    """Tell whether transformers has a decoder alone for a configuration."""
    return not config.is_encoder_decoder and _in_mapping(config, "causal")


def _in_mapping(config: Any, kind: Kind) -> bool:
    """Tell whether transformers has a model of a kind for a configuration."""
    loader = getattr(_transformers("A profile generator"), _LOADERS[kind])
    return type(config) in loader._model_mapping  # noqa: SLF001 - no other way to ask


def _read_folder(folder: Path, where: str, owner: str, example: str) -> Any:
    wanted = (
        "put there the files of a model as save_pretrained writes them (config.json, "
        "model.safetensors and, beside a language model, tokenizer.json), for example "
        f"of {example}; nothing is downloaded, and a name on the hub does not do"
    )
    if not folder.is_dir():
        msg = f"{where}: there is no folder {os.fspath(folder)!r}; {wanted}"
        raise SourceError(msg)
    check_folder(folder)
    package = _transformers(owner)
    try:
        return package.AutoConfig.from_pretrained(
            folder, local_files_only=True, trust_remote_code=False
        )
    except (OSError, ValueError) as error:
        reason = short_reason(error)
        msg = f"{where}: {os.fspath(folder)!r} holds no model ({reason}); {wanted}"
        raise SourceError(msg) from error


def _read_mapping(given: Mapping[str, Any], where: str, owner: str) -> Any:
    try:
        return _transformers(owner).AutoConfig.for_model(**given)
    except (TypeError, ValueError) as error:
        msg = f"{where} is no configuration: {error}; it is {dict(given)}"
        raise SourceError(msg) from error


def build_backbone(given: Any, kind: Kind, configuration: Mapping[str, Any]) -> Any:
    """Build a model by its configuration, perhaps changed.

    The weights of a folder, or of a model, which is copied, are kept; else they are
    drawn. Encoders of text or images come without what would pool their states.
    Raises SourceError if the model knows fewer tokens than its configuration says.
    """
    if isinstance(given, nn.Module):
        model: Any = copy.deepcopy(given)
    else:
        package = _transformers("A profile generator")
        refuse_hub_code(configuration)
        config = package.AutoConfig.for_model(**configuration)
        loader = getattr(package, _LOADERS[kind])
        if isinstance(given, str | os.PathLike):
            model = _load(loader, given, config, kind)
        else:
            model = loader.from_config(config, trust_remote_code=False)
    if kind in ("text", "image"):
        model = getattr(model, "base_model", model)
        model = vision_part(model) if kind == "image" else model
        # A T5 saved as an encoder alone says that it has no decoder.
        if model.config.is_encoder_decoder or _in_mapping(model.config, "language"):
            model = model.get_encoder()
        model = _without_pooler(model)
    else:
        # A folder may ask for other texts than profiles, such as never the same three
        # tokens twice; how to search is given with each search.
        model.generation_config = type(model.generation_config)()
    if kind != "image":
        _check_tokens(model, configuration)
    return model


def _without_pooler(model: Any) -> Any:
    if getattr(model, "pooler", None) is not None:
        model.pooler = None
    return model


def _load(loader: Any, folder: str | os.PathLike[str], config: Any, kind: Kind) -> Any:
    """Read the weights of a folder, with the settings of a changed configuration."""
    options = {"local_files_only": True, "trust_remote_code": False}
    if kind == "image":
        package = _transformers("A profile generator")
        whole = package.AutoConfig.from_pretrained(folder, **options)
        # A model of images and text is read whole, as its files have it.
        config = config if vision_part(whole) is whole else whole
    return loader.from_pretrained(folder, config=config, **options)


def _check_tokens(model: Any, configuration: Mapping[str, Any]) -> None:
    n_rows = model.get_input_embeddings().num_embeddings
    n_tokens = configuration.get("vocab_size", 0)
    if n_rows < n_tokens:
        msg = (
            f"the language model knows {n_rows} tokens; its tokenizer, and so the "
            f"text, has {n_tokens}"
        )
        raise SourceError(msg)


def checkpoint_activations(model: Any) -> None:
    """Recompute activations for the gradient instead of keeping them."""
    # Renamed in version 5, where the old name warns.
    enable = getattr(model, "activation_checkpointing_enable", None)
    (enable or model.gradient_checkpointing_enable)()
