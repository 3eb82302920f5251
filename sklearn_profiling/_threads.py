"""The number of threads, which decides the last bits of BLAS and torch."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import lru_cache
from typing import Any

from threadpoolctl import ThreadpoolController

__all__ = ["config_context", "fixed_threads", "get_config", "set_config"]

_LOCK = threading.Lock()
_SHARED: dict[str, Any] = {"holders": 0, "undo": ExitStack()}
"""Threads of Python that are inside, and what the last one gives back."""


class _OfThread(threading.local):
    """What holds in one thread of Python."""

    deterministic = True
    inside = False


_OF_THREAD = _OfThread()


def get_config() -> dict[str, bool]:
    """Return the options that hold in this thread.

    Returns
    -------
    dict
        ``"deterministic"``, as set by :func:`set_config`.

    Examples
    --------
    >>> import sklearn_profiling
    >>> sklearn_profiling.get_config()
    {'deterministic': True}
    """
    return {"deterministic": _OF_THREAD.deterministic}


def set_config(*, deterministic: bool | None = None) -> None:
    """Set options for this thread, as scikit-learn's ``set_config`` does.

    Parameters
    ----------
    deterministic : bool or None, default=None
        True, which holds at first, fits and predicts on one thread of BLAS and torch,
        so that one seed gives the same bits on any number of cores, in one process or
        several. False leaves them all cores: faster for large nets, with other last
        bits on another number of cores. Several fits at a time (``n_jobs``) take
        several cores either way. None changes nothing.

    Raises
    ------
    ValueError
        If an option is none of these.

    See Also
    --------
    config_context : The same for a block of code.

    Notes
    -----
    LINE, GloVe and segmentation take the cores of their own ``n_jobs`` with the same
    results on any number of them.

    Examples
    --------
    >>> import sklearn_profiling
    >>> sklearn_profiling.set_config(deterministic=True)
    """
    if deterministic not in (True, False, None):
        msg = f"deterministic must be True, False or None; got {deterministic!r}"
        raise ValueError(msg)
    if deterministic is not None:
        _OF_THREAD.deterministic = bool(deterministic)


@contextmanager
def config_context(*, deterministic: bool | None = None) -> Iterator[None]:
    """Set options for a block of code.

    Parameters
    ----------
    deterministic : bool or None, default=None
        As for :func:`set_config`.

    Yields
    ------
    None
        Nothing; the former options hold again afterwards.

    Examples
    --------
    >>> import sklearn_profiling
    >>> with sklearn_profiling.config_context(deterministic=False):
    ...     sklearn_profiling.get_config()
    {'deterministic': False}
    """
    before = get_config()
    set_config(deterministic=deterministic)
    try:
        yield
    finally:
        set_config(**before)


@contextmanager
def fixed_threads() -> Iterator[None]:
    """Compute on one thread of BLAS, OpenMP and torch, where results have to be equal.

    OpenMP counts threads for each thread of Python, BLAS for the process: the last
    thread to leave gives BLAS its cores back.
    """
    if _OF_THREAD.inside or not _OF_THREAD.deterministic:
        yield
        return
    controller = _controller(frozenset(sys.modules), int(time.monotonic()))
    torch = sys.modules.get("torch")
    n_before = 0 if torch is None else torch.get_num_threads()
    with ExitStack() as stack:
        # Last, since threadpoolctl lets only one thread limit BLAS at a time.
        stack.callback(_leave)
        stack.enter_context(controller.select(user_api="openmp").limit(limits=1))
        _enter(controller, torch, n_before)
        _OF_THREAD.inside = True
        try:
            yield
        finally:
            _OF_THREAD.inside = False


def _enter(controller: ThreadpoolController, torch: Any, n_before: int) -> None:
    with _LOCK:
        if not _SHARED["holders"]:
            blas = controller.select(user_api="blas")
            _take_over(blas)
            limits = blas.limit(limits=1)
            _SHARED["undo"].callback(_restore, blas, limits)
            if torch is not None:
                # Of this thread, and of the products of the whole process.
                _SHARED["undo"].callback(torch.set_num_threads, n_before)
                torch.set_num_threads(1)
        _SHARED["holders"] += 1


def _leave() -> None:
    with _LOCK:
        _SHARED["holders"] -= 1
        if not _SHARED["holders"]:
            _SHARED["undo"].pop_all().close()


def _take_over(blas: ThreadpoolController) -> None:
    """Let any thread set the number of threads of BLAS, whichever did so before.

    From 3.8 on, threadpoolctl listens to the first thread alone as long as it lives.
    """
    for library in blas.lib_controllers:
        clear = getattr(library, "clear_controlling_thread", None)
        if clear is not None:
            clear(force=True)


def _restore(blas: ThreadpoolController, limits: Any) -> None:
    """Give BLAS its threads back, maybe from another thread than took them."""
    _take_over(blas)
    limits.restore_original_limits()
    _take_over(blas)


@lru_cache(maxsize=1)
def _controller(modules: frozenset[str], second: int) -> ThreadpoolController:  # noqa: ARG001 - the key: libraries come with modules, and few without
    """Find the libraries that compute on several threads, which takes milliseconds."""
    return ThreadpoolController()
