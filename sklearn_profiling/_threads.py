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

from sklearn_profiling._config import get_config

__all__ = ["fixed_threads"]

_LOCK = threading.Lock()
_SHARED: dict[str, Any] = {"holders": 0, "undo": ExitStack()}
"""Threads of Python that are inside, and what the last one gives back."""


class _OfThread(threading.local):
    """What holds in one thread of Python."""

    inside = False


_OF_THREAD = _OfThread()


@contextmanager
def fixed_threads() -> Iterator[None]:
    """Compute on one thread of BLAS, OpenMP and torch, where results have to be equal.

    OpenMP counts threads for each thread of Python, BLAS for the process: the last
    thread to leave gives BLAS its cores back.
    """
    if _OF_THREAD.inside or not get_config()["deterministic"]:
        yield
        return
    controller = _controller(len(sys.modules), int(time.monotonic()))
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
def _controller(n_modules: int, second: int) -> ThreadpoolController:  # noqa: ARG001 - the key: libraries come with modules, and few without
    """Find the libraries that compute on several threads, which takes milliseconds."""
    return ThreadpoolController()
