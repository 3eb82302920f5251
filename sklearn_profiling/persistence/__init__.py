"""Model files that run no code when they are read: :func:`save` and :func:`load`."""

from __future__ import annotations

from sklearn_profiling.persistence._files import load, read_manifest, save

__all__ = ["load", "read_manifest", "save"]
