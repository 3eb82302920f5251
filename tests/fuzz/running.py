"""Runs a fuzzer: changes valid files, reads them, and reports what is no own error."""

from __future__ import annotations

import random
import resource
import shutil
import signal
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from fuzz.loaders import LOADERS, Files
from fuzz.mutation import mutated

from sklearn_profiling.exceptions import ProfilingError, ProfilingWarning

TURNS = ("error", "skip", "directed", "records")
SECONDS = 20
MEGABYTES = 1000


class Hang(BaseException):
    """A file is read for too long."""


@dataclass
class Report:
    """Counts of inputs that were read and refused, and the findings by their place."""

    n_read: int = 0
    n_refused: int = 0
    findings: Counter[str] = field(default_factory=Counter)
    examples: dict[str, str] = field(default_factory=dict)

    def find(self, kind: str, text: str) -> bool:
        """Note a finding; whether it is the first of its kind."""
        self.findings[kind] += 1
        self.examples.setdefault(kind, text)
        return self.findings[kind] == 1


@contextmanager
def alarm(seconds: int) -> Iterator[None]:
    """Raise Hang in the main thread after some seconds of CPU, or six times as many."""

    def ring(*_: object) -> None:
        raise Hang

    # A busy machine may be slow; what waits for a pipe takes no CPU.
    clocks = {
        signal.ITIMER_PROF: (signal.SIGPROF, seconds),
        signal.ITIMER_REAL: (signal.SIGALRM, 6 * seconds),
    }
    before = {number: signal.signal(number, ring) for number, _ in clocks.values()}
    timers = {
        clock: signal.setitimer(clock, most) for clock, (_, most) in clocks.items()
    }
    try:
        yield
    finally:
        for clock, (number, _) in clocks.items():
            signal.setitimer(clock, 0)
            signal.signal(number, before[number])
            signal.setitimer(clock, *timers[clock])


def inputs(name: str, seed: int) -> Iterator[tuple[Files, str]]:
    """Yield changed files without end, the same for a seed."""
    rng = random.Random(seed)
    seeds = LOADERS[name].seeds()
    while True:
        files = dict(rng.choice(seeds))
        for _ in range(rng.choice((1, 1, 2))):
            path = rng.choice(sorted(files))
            files[path] = mutated(rng, files[path])
        yield files, rng.choice(TURNS)


def write(folder: Path, files: Files) -> None:
    """Write the files of one input into an empty folder."""
    shutil.rmtree(folder, ignore_errors=True)
    for path, content in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)


def peak() -> int:
    """Return the most megabytes of memory that the process has taken."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def read(name: str, folder: Path, turn: str, report: Report) -> bool:
    """Read one input and count it; whether it shows something new."""
    before = peak()
    new = False
    try:
        with warnings.catch_warnings(), alarm(SECONDS):
            warnings.simplefilter("error")
            warnings.simplefilter("ignore", ProfilingWarning)
            if name == "models":  # transformers tells what it finds
                warnings.simplefilter("ignore")
            LOADERS[name].load(folder, turn)
        report.n_read += 1
    except ProfilingError:
        report.n_refused += 1
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001 - also a panic of Rust, and a hang
        frames = traceback.extract_tb(error.__traceback__)
        own = [frame for frame in frames if "/sklearn_profiling/" in frame.filename]
        last = (own or frames)[-1]
        kind = f"{type(error).__name__} at {Path(last.filename).name}:{last.lineno}"
        new = report.find(kind, "".join(traceback.format_exception(error)[-12:]))
    if peak() - before > MEGABYTES:
        new = report.find(f"{peak() - before} MB", turn) or new
    return new


def _warm_up(name: str, folder: Path) -> None:
    """Read a whole file: imports and compiling are no part of what is measured."""
    write(folder, LOADERS[name].seeds()[0])
    with warnings.catch_warnings(), suppress(ProfilingError):
        warnings.simplefilter("ignore")
        LOADERS[name].load(folder, "error")


def fuzz(
    name: str,
    folder: Path,
    *,
    seed: int = 0,
    n_inputs: int | None = None,
    seconds: float | None = None,
    keep: Path | None = None,
) -> Report:
    """Read changed files for a number of inputs or of seconds.

    The first input of each finding is copied into the folder `keep`.
    """
    report = Report()
    _warm_up(name, folder / "input")
    end = None if seconds is None else time.monotonic() + seconds
    for number, (files, turn) in enumerate(inputs(name, seed)):
        if number == n_inputs or (end is not None and time.monotonic() > end):
            break
        write(folder / "input", files)
        (folder / "turn").write_text(turn, "utf-8")
        if read(name, folder / "input", turn, report) and keep is not None:
            target = keep / f"{name}-{seed}-{number}-{turn}"
            shutil.copytree(folder / "input", target, dirs_exist_ok=True)
    return report
