"""The public names of the package, found by looking at it."""

from __future__ import annotations

import importlib
import pkgutil
from types import ModuleType

import sklearn_profiling


def public_modules() -> list[ModuleType]:
    """Import the package, every subpackage and module of its first level, if public."""
    return [
        sklearn_profiling,
        *(
            importlib.import_module(f"sklearn_profiling.{found.name}")
            for found in pkgutil.iter_modules(sklearn_profiling.__path__)
            if not found.name.startswith("_")
        ),
    ]


def public_objects() -> list[tuple[str, object]]:
    """List the dotted names of all public objects with the objects."""
    return [
        (f"{module.__name__}.{name}", getattr(module, name))
        for module in public_modules()
        for name in getattr(module, "__all__", [])
    ]
