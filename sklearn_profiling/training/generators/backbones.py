"""Language and vision models: from a folder, a configuration or an object.

With :mod:`.search` the place that knows the package transformers. Nothing is ever
downloaded.
"""

from __future__ import annotations

import copy
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from torch import nn

from sklearn_profiling._optional import import_optional
from sklearn_profiling.exceptions import SourceError

__all__ = [
    "build_backbone",
    "checkpoint_activations",
    "describe_backbone",
    "pixel_statistics",
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
# of small models pass on next to nothing at first.
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
"""What None stands for: models to train from scratch on small data."""
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


def _transformers(purpose: str) -> Any:
    return import_optional("transformers", extra="multimodal", purpose=purpose)


def describe_backbone(given: Any, kind: Kind, owner: str) -> Configuration:
    """Find the configuration of a model.

    Parameters
    ----------
    given : str, path-like, configuration, dict, Module or None
        A folder as ``save_pretrained`` writes it, a configuration of transformers, or
        a dict of one with ``model_type``, for a model with random weights, a model, or
        None for a small one with random weights.
    kind : {"language", "causal", "text", "image"}
        What it is for: encoder and decoder, decoder alone, encoder alone, or images.
    owner : str
        Class that asks, for errors.

    Returns
    -------
    dict
        What differs from the defaults, with ``model_type``.

    Raises
    ------
    SourceError
        If the folder does not exist or holds no model, or the model is of no use.
    """
    if given is None:
        return dict(_SMALL[kind])
    where = f"{owner}: parameter {_PARAMETERS[kind]}"
    if isinstance(given, str | os.PathLike):
        given = _read_folder(Path(given), where, owner, _EXAMPLES[kind])
    if isinstance(given, Mapping):
        given = _read_mapping(given, where, owner)
    config = getattr(given, "config", given)
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
    found: Configuration = config.to_diff_dict()
    # Names of classes and a version say nothing of the net.
    for name in ("id2label", "label2id", "transformers_version", "architectures"):
        found.pop(name, None)
    return {**found, "model_type": config.model_type}


def _is_causal(config: Any) -> bool:
    """Tell whether transformers knows a decoder alone for a configuration."""
    known = _transformers("A profile generator").AutoModelForCausalLM._model_mapping  # noqa: SLF001 - there is no other way to ask
    return not config.is_encoder_decoder and type(config) in known


def _read_folder(folder: Path, where: str, owner: str, example: str) -> Any:
    wanted = (
        "put there the files of a model as save_pretrained writes them (config.json, "
        "model.safetensors and, beside a language model, tokenizer.json), for example "
        f"of {example}; nothing is downloaded, and a name on the hub does not do"
    )
    if not folder.is_dir():
        msg = f"{where}: there is no folder {os.fspath(folder)!r}; {wanted}"
        raise SourceError(msg)
    package = _transformers(owner)
    try:
        return package.AutoConfig.from_pretrained(folder, local_files_only=True)
    except (OSError, ValueError) as error:
        msg = f"{where}: {os.fspath(folder)!r} holds no model ({error}); {wanted}"
        raise SourceError(msg) from error


def _read_mapping(given: Mapping[str, Any], where: str, owner: str) -> Any:
    try:
        return _transformers(owner).AutoConfig.for_model(**given)
    except (TypeError, ValueError) as error:
        msg = f"{where} is no configuration: {error}; it is {dict(given)}"
        raise SourceError(msg) from error


def build_backbone(given: Any, kind: Kind, configuration: Mapping[str, Any]) -> Any:
    """Build a model.

    Parameters
    ----------
    given : str, path-like, configuration, Module or None
        As for :func:`describe_backbone`; weights come from a folder or a model, of
        which a copy is made, else they are drawn.
    kind : {"language", "causal", "text", "image"}
        What it is for.
    configuration : mapping
        The configuration, perhaps changed.

    Returns
    -------
    Module
        The model; without what would join its states if it encodes text or images.
    """
    if isinstance(given, nn.Module):
        model: Any = copy.deepcopy(given)
    else:
        package = _transformers("A profile generator")
        config = package.AutoConfig.for_model(**configuration)
        loader = getattr(package, _LOADERS[kind])
        if isinstance(given, str | os.PathLike):
            model = loader.from_pretrained(given, config=config, local_files_only=True)
        else:
            model = loader.from_config(config)
    if kind in ("text", "image"):
        model = getattr(model, "base_model", model)
        if model.config.is_encoder_decoder:
            model = model.get_encoder()
        if getattr(model, "pooler", None) is not None:
            model.pooler = None
    return model


def pixel_statistics(given: Any, n_channels: int) -> tuple[list[float], list[float]]:
    """Find how a vision model wants its pixels scaled.

    Parameters
    ----------
    given : object
        The parameter ``image_model``; a folder may hold ``preprocessor_config.json``.
    n_channels : int
        Number of channels.

    Returns
    -------
    mean, deviation : list of float
        Of each channel, of pixels from 0 to 1; 0.5 where nothing is said, as for ViT.
    """
    said: dict[str, Any] = {}
    if isinstance(given, str | os.PathLike):
        path = Path(given) / "preprocessor_config.json"
        if path.is_file():
            said = json.loads(path.read_text(encoding="utf-8"))
    usual = [0.5] * n_channels
    mean, deviation = said.get("image_mean", usual), said.get("image_std", usual)
    return list(mean), list(deviation)


def checkpoint_activations(model: Any) -> None:
    """Compute activations anew for the gradient instead of keeping them.

    Parameters
    ----------
    model : Module
        A model of transformers; changed in place.
    """
    # Renamed in version 5, where the old name warns.
    enable = getattr(model, "activation_checkpointing_enable", None)
    (enable or model.gradient_checkpointing_enable)()
