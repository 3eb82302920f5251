"""Workers and temporary folders that end with the process they belong to."""

from __future__ import annotations

import os
import signal
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from multiprocessing import current_process
from threading import Thread
from typing import Any, Final

import joblib
from joblib.externals.loky.backend import resource_tracker

from sklearn_profiling._cluster import KeptData, dask_backend, inside_worker

__all__ = ["Parallel", "temporary_folder"]

_SECONDS: Final = 0.5


class Parallel(joblib.Parallel):
    """Joblib's Parallel, whose workers end when the process that asked has died.

    A killed process cannot end its workers, which would compute on. On a Dask cluster
    a dead worker takes no data along, and a worker splits its own task into threads
    alone, as one of joblib's does.
    """

    def __init__(self, n_jobs: int | None = None, **options: Any) -> None:
        if inside_worker():
            n_jobs = 1 if n_jobs is None else n_jobs
            options["backend"] = "threading"
        super().__init__(n_jobs, **options)
        cluster = dask_backend()
        if cluster is not None and not isinstance(cluster.client, KeptData):
            cluster.client = KeptData(cluster.client)

    def __call__(self, iterable: Iterable[Any]) -> Any:
        """Run tasks, each a function with its arguments, as joblib does."""
        parent = os.getpid()
        return super().__call__(
            (_Task(function, parent), arguments, options)
            for function, arguments, options in iterable
        )


class _Task:
    """A function that makes the worker it runs in watch its parent."""

    def __init__(self, function: Callable[..., Any], parent: int) -> None:
        self.function = function
        self.parent = parent

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        # no thread of the process itself, and no worker of another computer
        if os.getppid() == self.parent:
            _watch(self.parent)
        elif _is_joblibs() and os.getpid() != self.parent:
            # the parent died while this worker began
            os.kill(os.getpid(), signal.SIGTERM)
        if not inside_worker():
            return self.function(*arguments, **options)
        # or scikit-learn's own parts of the task would go to other workers
        with joblib.parallel_config("threading", n_jobs=1):
            return self.function(*arguments, **options)


def _is_joblibs() -> bool:
    """Tell whether this process is a worker that joblib started."""
    return current_process().name.startswith("LokyProcess")


@cache
def _watch(parent: int) -> None:
    Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(parent: int) -> None:
    """End this process as soon as it is no child of its parent any more."""
    while os.getppid() == parent:
        time.sleep(_SECONDS)
    os.kill(os.getpid(), signal.SIGTERM)


@contextmanager
def temporary_folder() -> Iterator[str]:
    """Make a folder that is removed in the end, by a watcher if the process is killed.

    Loky's watcher outlives this process and its workers for that.
    """
    with tempfile.TemporaryDirectory(
        prefix="sklearn-profiling-", ignore_cleanup_errors=True
    ) as folder:
        resource_tracker.register(folder, "folder")
        try:
            yield folder
        finally:
            resource_tracker.unregister(folder, "folder")
