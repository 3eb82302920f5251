"""Configurations that ask for code of the hub, which transformers would download."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sklearn_profiling.exceptions import SourceError, shortened

__all__ = ["hub_code", "refuse_hub_code"]


def hub_code(settings: Any) -> Any:
    """Return the kernel of the hub that a configuration names; None if there is none.

    Such names have an owner, as in "kernels-community/flash-attn2".
    """
    if isinstance(settings, list | tuple):
        named = map(hub_code, settings)
        return next((each for each in named if each is not None), None)
    if not isinstance(settings, Mapping):
        return None
    for name, value in settings.items():
        if "implementation" in str(name):
            several = value.values() if isinstance(value, Mapping) else [value]
            found = next((each for each in several if "/" in str(each)), None)
        else:
            found = hub_code(value)
        if found is not None:
            return found
    return None


def refuse_hub_code(settings: Mapping[str, Any]) -> None:
    """Refuse a configuration that asks for code of the hub; SourceError names it."""
    found = hub_code(settings)
    if found is not None:
        msg = (
            f"the configuration asks for {shortened(found)}, code of the hub; nothing "
            "is downloaded. Name an implementation of transformers, such as 'sdpa'"
        )
        raise SourceError(msg)
