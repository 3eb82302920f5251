"""Searches and cross-validation of scikit-learn on a Dask cluster."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any

import joblib

from sklearn_profiling._cluster import KeptData
from sklearn_profiling._optional import import_optional
from sklearn_profiling.dask._partitions import EXTRA

__all__ = ["parallel_config"]


def parallel_config(client: Any = None) -> AbstractContextManager[Any]:
    """Let joblib compute on a Dask cluster that may lose workers.

    Within ``joblib.parallel_config("dask")`` alone, what a lost worker held of the
    users is lost as well, and ``GridSearchCV`` and ``cross_validate`` stop with a
    ``FutureCancelledError``. Here the scheduler keeps the users, and the tasks of the
    lost worker run on others.

    Parameters
    ----------
    client : distributed.Client, default=None
        The client of the cluster; None is the one that was made last.

    Returns
    -------
    context manager
        ``joblib.parallel_config`` of the cluster.

    Raises
    ------
    ValueError
        If there is no client.
    MissingDependencyError
        If Dask is not installed.

    See Also
    --------
    sklearn_profiling.evaluation.compare : Loses nothing within joblib's own either.

    Notes
    -----
    Users and labels go to the scheduler once a call, and from there to each worker that
    needs them. Without a given ``n_jobs``, all cores of the cluster are used.

    Examples
    --------
    >>> from sklearn_profiling import dask as on_dask
    >>> def search_on_cluster(search, users, address):
    ...     from dask.distributed import Client
    ...
    ...     with Client(address) as client, on_dask.parallel_config(client):
    ...         return search.fit(users.data, users.target)
    """
    if client is None:
        client = import_optional("distributed", **EXTRA).get_client()
    config: AbstractContextManager[Any] = joblib.parallel_config(
        "dask", client=KeptData(client)
    )
    return config
