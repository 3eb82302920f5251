"""The command line ``sklearn-profiling``: demo, compare, fit, predict, report ..."""

from __future__ import annotations

import os
import signal
import sys
import threading
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from io import UnsupportedOperation
from types import FrameType
from typing import Any

from sklearn_profiling.cli._options import make_parser

__all__: list[str] = []

_BROKEN_PIPE = 141
_INTERRUPTED = 130
_ENDS = {
    signal.SIGINT: ("interrupted", _INTERRUPTED),
    signal.SIGTERM: ("terminated", 143),
}
"""Signals that end a command in order; clusters and containers send the second."""
_FORKING = frozenset({"_launch", "fork_exec"})
"""Functions of multiprocessing and joblib that start a process."""
_LATER = 0.05  # seconds


class _Stopped(BaseException):
    """A signal: no KeyboardInterrupt, at which a net would end its training early."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; None takes the arguments of the process.

    Returns 0 on success, 1 if a system that was to be compared failed, 2 for an error
    that the user can correct, 130 after an interrupt, 141 after a closed pipe and 143
    after SIGTERM. However it ends, its workers and temporary folders end with it.
    """
    try:
        with _stopped_by_signals():
            options = make_parser().parse_args(arguments)
            status = _run(options)
            sys.stdout.flush()
    except _Stopped as stopped:
        return _end(*_ENDS[stopped.args[0]])
    except KeyboardInterrupt:
        return _end("interrupted", _INTERRUPTED)
    except BrokenPipeError:
        _discard(sys.stdout)
        return _BROKEN_PIPE
    except (OSError, UnicodeError) as error:  # a full disk, text that is no UTF-8
        _discard(sys.stdout)
        return _end(f"error: {error}", 2)
    return status


@contextmanager
def _stopped_by_signals() -> Iterator[None]:
    """Raise _Stopped at a signal, unless the program around has its own handler.

    What is being left may fail on the way out, or keep the exception for itself, so
    that the signal is raised again in the end.
    """
    usual = (signal.SIG_DFL, signal.default_int_handler)
    handlers = {number: signal.getsignal(number) for number in _ENDS}
    of_main = threading.current_thread() is threading.main_thread()
    ours = [n for n, handler in handlers.items() if of_main and handler in usual]
    received: list[int] = []
    process = os.getpid()  # a forked one is within the start of a process all its life

    def stop(number: int, frame: FrameType | None) -> None:
        if os.getpid() == process and _is_forking(frame):
            again = threading.Timer(_LATER, _raise_in_main, [number])
            again.daemon = True
            again.start()
            return
        received.append(number)
        for each in ours:  # a second one ends the process at once
            signal.signal(each, signal.SIG_DFL)
        raise _Stopped(number)

    for number in ours:
        signal.signal(number, stop)
    try:
        yield
    finally:
        for number in ours:
            signal.signal(number, handlers[number])
        if received:
            raise _Stopped(received[0]) from None


def _raise_in_main(number: int) -> None:
    if hasattr(signal, "pthread_kill"):  # which wakes a thread that waits for a lock
        signal.pthread_kill(threading.main_thread().ident or 0, number)
    else:
        signal.raise_signal(number)


def _is_forking(frame: FrameType | None) -> bool:
    """Tell if the command is starting a worker.

    Python ignores what is raised by its own functions around a fork, such as the one
    that gives a lock back, which then stays locked.
    """
    while frame is not None and frame.f_code is not main.__code__:
        if frame.f_code.co_name in _FORKING:
            return True
        frame = frame.f_back
    return False


def _run(options: Any) -> int:
    """Run a command; what the user can correct becomes a line and status 2."""
    # Imported here, so that --help is quick.
    from sklearn_profiling.exceptions import ProfilingError

    with warnings.catch_warnings():
        warnings.simplefilter("default")
        # of joblib, whose workers are ended by a signal
        warnings.filterwarnings("ignore", message=".*tasks which were still being")
        warnings.showwarning = _show_warning
        try:
            return int(options.run(options))
        except ProfilingError as error:
            return _end(f"error: {error}", 2)
        except MemoryError as error:
            return _end(f"error: out of memory {error}".rstrip(), 2)


def _end(message: str, status: int) -> int:
    # Where standard error is closed too, only the status is left to tell.
    line = " ".join(message.splitlines())
    with suppress(OSError):
        print(f"sklearn-profiling: {line}", file=sys.stderr, flush=True)
    return status


def _show_warning(message: Warning | str, *_place: object, **_more: object) -> None:
    """Print a warning without the line of code that gave it."""
    print(f"sklearn-profiling: warning: {message}", file=sys.stderr)


def _discard(stream: Any) -> None:
    """Send what is left in a stream nowhere: writing it at exit would fail again."""
    with suppress(OSError, UnsupportedOperation, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
