"""LoRA: small matrices to train beside the large ones of a language model."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

from sklearn_profiling._optional import import_optional
from sklearn_profiling.exceptions import ProfilingError

__all__ = ["add_lora"]

_DEFAULTS: dict[str, Any] = {
    "rank": 8,
    "alpha": 16,
    "dropout": 0.0,
    "target_modules": None,
}


def add_lora(model: Any, settings: Mapping[str, Any], owner: str) -> None:
    """Give the linear layers of a model matrices of low rank, and freeze the rest.

    A layer computes ``x W + (alpha / rank) dropout(x) A B``, of which A and B are
    trained; B is zero at first. Without ``target_modules``, names of layers, those that
    peft has for the kind of model are adapted. Raises ProfilingError, which names
    `owner`, if a setting is not known or out of range, or there is no such layer.
    """
    where = f"{owner}: parameter lora"
    unknown = sorted({*map(str, settings)} - {*_DEFAULTS})
    if unknown:
        msg = f"{where} takes the keys {list(_DEFAULTS)}; got {unknown} beside them"
        raise ProfilingError(msg)
    chosen = {**_DEFAULTS, **settings}
    if not (chosen["rank"] >= 1 and chosen["alpha"] > 0 and 0 <= chosen["dropout"] < 1):
        msg = (
            f"{where} takes a rank of at least 1, an alpha above 0 and a dropout from "
            f"0 to below 1; got {dict(settings)}"
        )
        raise ProfilingError(msg)
    targets = chosen["target_modules"]
    peft = import_optional("peft", extra="lora", purpose=f"{owner} with lora")
    config = peft.LoraConfig(
        r=chosen["rank"],
        lora_alpha=chosen["alpha"],
        lora_dropout=chosen["dropout"],
        target_modules=targets if targets is None else list(targets),
    )
    try:
        with warnings.catch_warnings():
            # Told that the layers of GPT-2 lie the other way round, which it heeds.
            warnings.filterwarnings("ignore", message=".*fan_in_fan_out.*")
            peft.inject_adapter_in_model(config, model)
    except ValueError as error:
        msg = (
            f"{where}: no layers to adapt in a model of type "
            f"{model.config.model_type!r} ({error}); name some in target_modules"
        )
        raise ProfilingError(msg) from error
