"""Imports of optional packages."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

from sklearn_profiling.exceptions import MissingDependencyError


def import_optional(module: str, *, extra: str, purpose: str) -> ModuleType:
    """Import an optional package, or say which extra installs it.

    `purpose` begins the sentence of the MissingDependencyError.
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
