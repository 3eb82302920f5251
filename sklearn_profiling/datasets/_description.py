"""The ``DESCR`` texts of the data sets."""

from __future__ import annotations

from importlib.resources import files


def load_description(name: str) -> str:
    """Return the description of a data set.

    Parameters
    ----------
    name : str
        File name in ``descr`` without its ending.

    Returns
    -------
    str
        The reStructuredText of the description.
    """
    folder = files("sklearn_profiling.datasets") / "descr"
    return (folder / f"{name}.rst").read_text(encoding="utf-8")
