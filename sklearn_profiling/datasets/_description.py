"""The ``DESCR`` texts of the data sets."""

from __future__ import annotations

from importlib.resources import files


def load_description(name: str) -> str:
    """Return the text of ``descr/NAME.rst``."""
    folder = files("sklearn_profiling.datasets") / "descr"
    return (folder / f"{name}.rst").read_text(encoding="utf-8")
