"""The two presets of every system: the package's settings, and the paper's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from sklearn_profiling.exceptions import SourceError, shortened

__all__ = ["Preset", "is_paper", "named", "settings_of"]

Preset = Literal["default", "paper"]


def is_paper(preset: str) -> bool:
    """Say whether the preset is the paper's; refuse any other name."""
    if preset not in {"default", "paper"}:
        msg = f"preset must be 'default' or 'paper'; got {shortened(preset)}"
        raise SourceError(msg)
    return preset == "paper"


def settings_of(preset: str, paper: Mapping[str, Any]) -> dict[str, Any]:
    """Return the paper's settings, or none where those of the class are meant."""
    return dict(paper) if is_paper(preset) else {}


def named(systems: Mapping[str, Any], preset: str) -> dict[str, Any]:
    """Let the names of the paper's systems say so, so that tables can hold both."""
    end = ", paper" if is_paper(preset) else ""
    return {f"{name}{end}": system for name, system in systems.items()}
