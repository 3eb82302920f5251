"""The folder ``--cache``: prepared sources, and trainings that were not finished."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


@contextmanager
def cache_of(options: argparse.Namespace) -> Iterator[Any]:
    """Open the cache of a comparison, for the `memory` of its systems."""
    from sklearn_profiling._memory import checked_memory
    from sklearn_profiling._processes import temporary_folder

    if options.cache is not None:
        yield checked_memory(options.cache)
        return
    with temporary_folder() as folder:
        yield folder


def fit_through_cache(model: Any, folder: Path | None) -> None:
    """Let the next fit of a system go through a folder, of which the system keeps none.

    Prepared sources and unfinished trainings lie there, so that a fit that was killed
    goes on.
    """
    if folder is None:
        return
    from sklearn_profiling._memory import checked_memory
    from sklearn_profiling.sources import LINEEmbedding

    parameters = model.get_params()
    memory = checked_memory(folder)
    unfinished = os.fspath(folder / "unfinished")
    # not of sources that read a cache in predict too, where the folder may be gone
    settings: dict[str, Any] = {
        **{n: unfinished for n in parameters if n.rpartition("__")[2] == "checkpoint"},
        **{
            f"{name}__memory": memory.location
            for name, value in parameters.items()
            if isinstance(value, LINEEmbedding)
        },
        **({"memory": memory} if "memory" in parameters else {}),
    }
    before = {name: parameters[name] for name in settings}

    def fit(X: Any, y: Any) -> Any:
        del model.fit
        model.set_params(**settings)
        try:
            return model.fit(X, y)
        finally:
            model.set_params(**before)

    model.fit = fit
