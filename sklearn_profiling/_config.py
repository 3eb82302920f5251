"""Options that hold in a thread of Python, as those of scikit-learn."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["config_context", "get_config", "set_config"]


class _OfThread(threading.local):
    """What holds in one thread of Python."""

    deterministic = True
    data_parallel = False


_OF_THREAD = _OfThread()


def get_config() -> dict[str, bool]:
    """Return the options that hold in this thread.

    Returns
    -------
    dict
        ``"deterministic"`` and ``"data_parallel"``, as set by :func:`set_config`.

    Examples
    --------
    >>> import sklearn_profiling
    >>> sklearn_profiling.get_config()
    {'deterministic': True, 'data_parallel': False}
    """
    return {
        "deterministic": _OF_THREAD.deterministic,
        "data_parallel": _OF_THREAD.data_parallel,
    }


def set_config(
    *, deterministic: bool | None = None, data_parallel: bool | None = None
) -> None:
    """Set options for this thread, as scikit-learn's ``set_config`` does.

    Parameters
    ----------
    deterministic : bool or None, default=None
        True, which holds at first, fits and predicts on one thread of BLAS and torch,
        so that one seed gives the same bits on any number of cores, in one process or
        several. False leaves them all cores: faster for large nets, with other last
        bits on another number of cores. Several fits at a time (``n_jobs``) take
        several cores either way. None changes nothing.
    data_parallel : bool or None, default=None
        True lets all processes of one launch (``torchrun``) train each net together:
        each computes a part of the users of every batch, and all take the same step.
        Needs accelerate, ``pip install 'sklearn_profiling[accelerate]'``. In a process
        that was launched alone it changes nothing. False holds at first (our choice):
        a process trains alone however it was launched. None changes nothing.

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

    With ``data_parallel`` every process has to run the same lines on the same users.
    ``batch_size`` is that of all processes together. The loss of a task is averaged
    over its labelled users in the whole batch, so losses and parameters are those of
    one process up to rounding, as long as nothing is drawn at random within a step:
    each process draws its own dropout, masks and orders of images. Workers of
    ``n_jobs`` train alone.

    Examples
    --------
    >>> import sklearn_profiling
    >>> sklearn_profiling.set_config(deterministic=True)
    """
    given = {"deterministic": deterministic, "data_parallel": data_parallel}
    for name, value in given.items():
        if value not in (True, False, None):
            msg = f"{name} must be True, False or None; got {value!r}"
            raise ValueError(msg)
    for name, value in given.items():
        if value is not None:
            setattr(_OF_THREAD, name, bool(value))


@contextmanager
def config_context(
    *, deterministic: bool | None = None, data_parallel: bool | None = None
) -> Iterator[None]:
    """Set options for a block of code.

    Parameters
    ----------
    deterministic : bool or None, default=None
        As for :func:`set_config`.
    data_parallel : bool or None, default=None
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
    {'deterministic': False, 'data_parallel': False}
    """
    before = get_config()
    set_config(deterministic=deterministic, data_parallel=data_parallel)
    try:
        yield
    finally:
        set_config(**before)
