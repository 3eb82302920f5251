"""The one way in which optional packages are imported."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

from sklearn_profiling.exceptions import MissingDependencyError


def import_optional(module: str, *, extra: str, purpose: str) -> ModuleType:
    """Import an optional package or say how to install it.

    Parameters
    ----------
    module : str
        Dotted name of the module.
    extra : str
        Extra of this package that installs it.
    purpose : str
        What needs it, as the start of the error's sentence.

    Returns
    -------
    module
        The imported module.

    Raises
    ------
    MissingDependencyError
        If the package is not installed.
    """
    try:
        return import_module(module)
    except ImportError as error:
        package = module.partition(".")[0]
        msg = (
            f"{purpose} needs the package {package!r}, which could not be imported "
            f"({error}). Install it with: pip install 'sklearn_profiling[{extra}]'"
        )
        raise MissingDependencyError(msg) from error
