"""Dask clusters: data that outlives its worker, and joblib's view from inside one."""

from __future__ import annotations

import sys
from typing import Any
from uuid import uuid4

from joblib import effective_n_jobs, parallel_config
from joblib.parallel import get_active_backend

from sklearn_profiling._optional import import_optional

__all__ = ["KeptData", "SentOnce", "dask_backend", "inside_worker", "n_threads"]


class KeptData:
    """A Dask client whose scattered data the scheduler keeps.

    Dask forgets what was scattered to a worker that dies, and with it all tasks that
    read it. Here a task makes the data from its pickle, and makes it again if need be.
    """

    def __init__(self, client: Any) -> None:
        self.client = client

    def __getattr__(self, name: str) -> Any:
        return getattr(self.client, name)

    def scatter(self, data: Any, *, asynchronous: bool = False, **_: Any) -> Any:
        """Send data as joblib asks: a list of objects, or one from a coroutine."""
        return self._later(data) if asynchronous else [*map(self.keep, data)]

    async def _later(self, data: Any) -> Any:
        return self.keep(data)

    def keep(self, data: Any) -> Any:
        """Return the future of an object, which each worker that needs it gets once."""
        dask = import_optional("dask", extra="dask", purpose="A Dask cluster")
        pickling = import_optional(
            "distributed.protocol.pickle", extra="dask", purpose="A Dask cluster"
        )
        # Dask warns of much data in a task, where it is lost with nothing.
        with dask.config.set(
            {"distributed.admin.large-graph-warning-threshold": sys.maxsize}
        ):
            return self.client.submit(
                pickling.loads,
                pickling.dumps(data),
                key=f"{type(data).__name__}-{uuid4().hex}",
            )


class SentOnce:
    """An object that joblib sends to a Dask worker once, and not with each task.

    It sends what is large by itself; the size of an estimator does not tell that of the
    graph among its parameters.
    """

    def __init__(self, value: Any) -> None:
        self.value = value

    def __sizeof__(self) -> int:
        return 1 << 20


def dask_backend() -> Any | None:
    """Return joblib's active backend if it is that of Dask."""
    backend, _ = get_active_backend()
    return backend if type(backend).__name__ == "DaskDistributedBackend" else None


def inside_worker() -> bool:
    """Tell whether this code runs as a task of a Dask worker."""
    distributed = sys.modules.get("distributed")
    if distributed is None:
        return False
    try:
        distributed.get_worker()
    except ValueError:
        return False
    return True


def n_threads(n_jobs: int | None) -> int:
    """Return the threads of this process for `n_jobs`; those of a cluster are not its.

    Joblib counts the cores of the whole cluster, whatever `n_jobs` is.
    """
    if dask_backend() is None:
        return int(effective_n_jobs(n_jobs))
    with parallel_config("threading", n_jobs=1):
        return int(effective_n_jobs(n_jobs))
