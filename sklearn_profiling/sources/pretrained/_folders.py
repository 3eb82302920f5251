"""Folders of models, looked over before a library reads them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from sklearn_profiling._bounds import FLOOR, MOST_TIMES, check_file
from sklearn_profiling.exceptions import DataFormatError, shortened
from sklearn_profiling.sources.pretrained._hub_code import hub_code

__all__ = ["check_folder"]

_LARGEST_JSON: Final = 1 << 28
_MOST_LAYERS: Final = 10_000
#: Sizes that any configuration may state, as the positions of tiny models.
_ALWAYS: Final = 1 << 24
_WIDTHS: Final = ("hidden_size", "d_model", "n_embd", "embed_dim", "dim")


def check_folder(folder: Path) -> None:
    """Refuse what is no regular file, and sizes that the weights cannot have."""
    n_weights = 0
    for path in sorted(folder.iterdir()):
        if path.is_dir():
            continue
        n_bytes = check_file(path)
        if path.suffix != ".json":
            n_weights += n_bytes
        elif n_bytes > _LARGEST_JSON:
            reason = f"has {n_bytes:,} bytes; JSON may have {_LARGEST_JSON:,}"
            raise DataFormatError(path, None, reason)
    path = folder / "config.json"
    if path.is_file():
        _check_config(path, n_weights)


def _check_config(path: Path, n_weights: int) -> None:
    try:
        parts = list(_parts(json.loads(path.read_bytes())))
    except (ValueError, RecursionError):
        return  # the library that reads it tells
    for part in parts:
        named = hub_code(part)
        if named is not None:
            reason = f"asks for {shortened(named)}, code of the hub; none is downloaded"
            raise DataFormatError(path, None, reason)
        sizes = {
            name: value
            for name, value in part.items()
            if isinstance(value, int) and not isinstance(value, bool)
        }
        for name, value in sizes.items():
            layers = "layer" in name and value > _MOST_LAYERS
            if layers or abs(value) > max(_ALWAYS, n_weights):
                raise _too_large(path, name, value, n_weights)
        width = max((sizes[name] for name in _WIDTHS if name in sizes), default=0)
        n_bytes = sizes.get("vocab_size", 0) * width
        if n_bytes > max(FLOOR, MOST_TIMES * n_weights):
            raise _too_large(path, "vocab_size", sizes["vocab_size"], n_weights)


def _too_large(path: Path, name: str, value: int, n_weights: int) -> DataFormatError:
    reason = f"{name} is {value:.3g}, and the weights beside have {n_weights:,} bytes"
    return DataFormatError(path, None, reason)


def _parts(value: Any) -> Iterator[dict[str, Any]]:
    """Yield all objects of a configuration."""
    if isinstance(value, dict):
        yield value
        for each in value.values():
            yield from _parts(each)
    elif isinstance(value, list):
        for each in value:
            yield from _parts(each)
