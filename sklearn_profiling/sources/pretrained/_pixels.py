"""The scale of pixels that a vision model was trained with, as its folder says."""

from __future__ import annotations

import json
import os
import warnings
from pathlib import Path
from typing import Any, Final

from torch import nn

from sklearn_profiling.exceptions import ProfilingWarning, SourceError

__all__ = ["stored_pixel_scale"]

_LARGEST: Final = 255
_USUAL: Final = 0.5

Scale = tuple[list[float], list[float]]


def stored_pixel_scale(model: Any, owner: str, n_channels: int) -> Scale:
    """Find mean and deviation of the channels of pixels from 0 to 1 for a model.

    They are those of a folder; 0.5, as for ViT, for a configuration, whose weights are
    random. Of a folder or a module without them 0.5 is a guess, and `owner` warns.
    """
    usual = [_USUAL] * n_channels
    if not isinstance(model, str | os.PathLike | nn.Module):
        return usual, usual
    settings = {} if isinstance(model, nn.Module) else _read_settings(Path(model))
    # What the model gets is pixel * factor - shift, less the mean, by the deviation.
    rescales = settings.get("do_rescale", True)
    factor = settings.get("rescale_factor", 1 / _LARGEST) if rescales else 1.0
    unit = _LARGEST * factor
    shift = 1.0 if settings.get("rescale_offset") else 0.0
    mean, std = settings.get("image_mean"), settings.get("image_std")
    if not settings.get("do_normalize", True):
        mean, std = 0.0, 1.0
    if mean is None or std is None:
        shown = type(model).__name__ if isinstance(model, nn.Module) else str(model)
        msg = (
            f"{owner}: nothing says how {shown!r:.60} expects its pixels to be scaled; "
            "a mean and a deviation of 0.5 are taken, as for ViT. Put the model's "
            "preprocessor_config.json into its folder"
        )
        warnings.warn(msg, ProfilingWarning, stacklevel=2)
        mean = _USUAL if mean is None else mean
        std = _USUAL if std is None else std
    means, deviations = (
        _channels(each, name, owner, n_channels)
        for each, name in ((mean, "image_mean"), (std, "image_std"))
    )
    return [(m + shift) / unit for m in means], [d / unit for d in deviations]


def _read_settings(folder: Path) -> dict[str, Any]:
    """Read the settings of an image processor, in whichever file they are."""
    for name, key in (
        ("processor_config.json", "image_processor"),
        ("preprocessor_config.json", None),
    ):
        path = folder / name
        if not path.is_file():
            continue
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
        except (ValueError, RecursionError) as error:
            msg = f"{os.fspath(path)!r} is no JSON: {error}"
            raise SourceError(msg) from error
        if key is not None:
            found = found.get(key) if isinstance(found, dict) else None
        if isinstance(found, dict):
            return found
    return {}


def _channels(given: Any, name: str, owner: str, n_channels: int) -> list[float]:
    values = list(given) if isinstance(given, list) else [given]
    values = values * n_channels if len(values) == 1 else values
    if len(values) != n_channels or not all(
        isinstance(value, int | float) for value in values
    ):
        msg = (
            f"{owner}: {name} in the folder of the model must be one number for each "
            f"of {n_channels} channels; it is {given!r:.60}"
        )
        raise SourceError(msg)
    return [float(value) for value in values]
