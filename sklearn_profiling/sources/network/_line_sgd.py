"""LINE by stochastic gradient descent over a schedule of blocks.

Users are split at random into a few parts, anew for every pass. A block holds the
arcs from one part to another, and takes its negatives from the second. Blocks that
have no row of a table in common are trained at the same time, so threads never write
to the same row: results are the same bits for any number of threads, no write is
lost, and the rows in use are a fraction of the tables, which suits caches.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from os import PathLike
from pathlib import Path
from tempfile import TemporaryFile
from threading import Barrier
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from sklearn_profiling._checkpoints import Checkpoint, load_arrays, save_arrays
from sklearn_profiling.exceptions import SourceError
from sklearn_profiling.sources.network._expansion import read_only
from sklearn_profiling.sources.network._line_sgd_kernels import (
    SIGMOID,
    build_noise,
    draw_arcs,
    train_block,
)
from sklearn_profiling.sources.network._line_stopping import HeldOutLinks, hold_out

Floats = npt.NDArray[np.float32]

# Rows start at a cache line, and loops over them have no remainder.
_ROW_MULTIPLE = 16
# Arcs drawn at a time: bounds the space on networks of a billion arcs.
_MAX_PASS = 1 << 26
_ARCS_PER_BLOCK = 4096
_NOISE_POWER = 0.75
_LEAST_RATE = 1e-4
_SAMPLES = 20_000_000
_MOST_PASSES = 400
_FEWEST_PASSES = 10


@dataclass(frozen=True)
class SGDSettings:
    """Settings of the descent."""

    n_dimensions: int
    n_samples: int
    n_negatives: int
    shared_negatives: int
    learning_rate: float
    seed: int
    n_threads: int
    progress: Callable[[int], object] | None = None
    checkpoint: Checkpoint | None = None
    early_stopping: bool = False
    table_folder: str | PathLike[str] | None = None


class _Pass(NamedTuple):
    """The arcs of one pass, laid out by block, and the noise of each part."""

    sources: npt.NDArray[np.int32]
    targets: npt.NDArray[np.int32]
    block_starts: npt.NDArray[np.int64]
    members: npt.NDArray[np.int32]
    part_starts: npt.NDArray[np.int64]
    thresholds: npt.NDArray[np.uint32]
    aliases: npt.NDArray[np.int32]


def default_samples(n_arcs: int) -> int:
    """Return 20 million samples, within 10 to 400 passes over the arcs."""
    return min(max(_SAMPLES, _FEWEST_PASSES * n_arcs), _MOST_PASSES * n_arcs)


def count_parts(n_arcs: int, n_users: int) -> int:
    """Choose the number of parts by size alone, a power of two up to 16.

    Blocks keep some thousand arcs, and parts some users from whom to draw negatives.
    """
    n_parts = 1
    while (
        n_parts < 16
        and n_arcs >= _ARCS_PER_BLOCK * (2 * n_parts) ** 2
        and n_users >= 64 * n_parts
    ):
        n_parts *= 2
    return n_parts


def second_order_rounds(n_parts: int) -> list[list[list[tuple[int, int]]]]:
    """List rounds of tasks that may run at the same time, since they share no row.

    A task is a list of blocks (part of sources, part of targets), run in order.
    """
    return [
        [[(part, (part + shift) % n_parts)] for part in range(n_parts)]
        for shift in range(n_parts)
    ]


def first_order_rounds(n_parts: int) -> list[list[list[tuple[int, int]]]]:
    """List rounds for one table on both sides: pairs of parts as in a tournament."""
    rounds = [[[(part, part)] for part in range(n_parts)]]
    for shift in range(1, n_parts):
        # part ^ shift pairs all parts, and every pair for exactly one shift.
        pairs = [(part, part ^ shift) for part in range(n_parts) if part < part ^ shift]
        rounds.append([[(a, b), (b, a)] for a, b in pairs])
    return rounds


def train_sgd(adjacency: Any, settings: SGDSettings, *, order: str) -> Floats:
    """Embed a network by descent: float32 (n_users, n_dimensions), not normalised.

    First order takes the vertices themselves as contexts, second order a second table.
    The result is a view of the first, whose rows are padded. With a checkpoint each
    pass is saved, and training goes on from the last one.
    """
    n_users = adjacency.shape[0]
    generator = np.random.default_rng(settings.seed)
    vertex = _table(n_users, settings)
    bound = 0.5 / settings.n_dimensions
    for start in range(0, n_users, 65536):
        rows = vertex[start : start + 65536, : settings.n_dimensions]
        rows[:] = generator.uniform(-bound, bound, size=rows.shape)
    second = order == "second"
    context = _table(n_users, settings) if second else vertex
    make_rounds = second_order_rounds if second else first_order_rounds
    held_out = None
    if settings.early_stopping:
        adjacency, held_out = hold_out(adjacency, settings.n_negatives, settings.seed)
    arcs = _Arcs(adjacency, generator)
    rounds = make_rounds(arcs.n_parts)
    n_threads = min(settings.n_threads, max(len(tasks) for tasks in rounds))
    tables = [vertex, context] if second else [vertex]
    n_done = _restore(settings, tables, generator, held_out)
    # The calling thread works too, so one thread needs no pool at all.
    with ThreadPoolExecutor(max_workers=max(n_threads - 1, 1)) as pool:
        n_left = settings.n_samples - n_done
        if held_out is not None and held_out.enough:
            n_left = 0
        for batch in arcs.passes(n_left):
            plan = [rounds[number] for number in generator.permutation(len(rounds))]
            seeds = generator.integers(2**63, size=arcs.n_parts**2)
            trainer = _Trainer(vertex, context, batch, plan, seeds, settings, n_done)
            trainer.run(pool, n_threads)
            n_done += len(batch.sources)
            if settings.progress is not None:
                settings.progress(len(batch.sources))
            if held_out is not None:
                held_out.watch(vertex, context)
            _save(settings, tables, generator, n_done, held_out)
            if held_out is not None and held_out.enough:
                break
    return vertex[:, : settings.n_dimensions]


def _save(
    settings: SGDSettings,
    tables: list[Floats],
    generator: Any,
    n_done: int,
    held_out: HeldOutLinks | None,
) -> None:
    """Save what a pass has learned, and where the generator stands."""
    if settings.checkpoint is not None:
        plain = {"n_done": n_done, "generator": generator.bit_generator.state}
        if held_out is not None:
            plain |= {"best": held_out.best, "n_worse": held_out.n_worse}
        settings.checkpoint.save(partial(save_arrays, arrays=tables, plain=plain))


def _restore(
    settings: SGDSettings,
    tables: list[Floats],
    generator: Any,
    held_out: HeldOutLinks | None,
) -> int:
    """Go on from a checkpoint, if there is one; return the number of arcs done."""
    if settings.checkpoint is None:
        return 0
    plain = settings.checkpoint.load(partial(load_arrays, arrays=tables))
    if plain is None:
        return 0
    generator.bit_generator.state = plain["generator"]
    if held_out is not None:
        held_out.best, held_out.n_worse = plain["best"], plain["n_worse"]
    n_done = int(plain["n_done"])
    if settings.progress is not None:
        settings.progress(n_done)
    return n_done


@dataclass(frozen=True)
class _Trainer:
    """Train the blocks of one pass, round by round."""

    vertex: Floats
    context: Floats
    batch: _Pass
    plan: list[list[list[tuple[int, int]]]]
    seeds: npt.NDArray[np.int64]
    settings: SGDSettings
    n_done: int

    def run(self, pool: ThreadPoolExecutor, n_threads: int) -> None:
        """Share the tasks of every round between threads."""
        barrier = Barrier(n_threads)
        futures = [
            pool.submit(self._work, worker, n_threads, barrier)
            for worker in range(1, n_threads)
        ]
        self._work(0, n_threads, barrier)
        for future in futures:
            future.result()

    def _work(self, worker: int, n_threads: int, barrier: Barrier) -> None:
        n_done = self.n_done
        try:
            for tasks in self.plan:
                left = 1.0 - n_done / (self.settings.n_samples + 1)
                rate = self.settings.learning_rate * max(left, _LEAST_RATE)
                for task in tasks[worker::n_threads]:
                    for part, other in task:
                        self._train(part, other, rate)
                n_done += sum(self._size(*block) for task in tasks for block in task)
                barrier.wait()
        except BaseException:
            # The others would wait for this thread for ever.
            barrier.abort()
            raise

    def _size(self, part: int, other: int) -> int:
        starts = self.batch.block_starts
        block = part * (len(self.batch.part_starts) - 1) + other
        return int(starts[block + 1] - starts[block])

    def _train(self, part: int, other: int, rate: float) -> None:
        batch = self.batch
        block = part * (len(batch.part_starts) - 1) + other
        arcs = slice(batch.block_starts[block], batch.block_starts[block + 1])
        users = slice(batch.part_starts[other], batch.part_starts[other + 1])
        train_block(
            self.vertex,
            self.context,
            batch.sources[arcs],
            batch.targets[arcs],
            batch.members[users],
            batch.thresholds[users],
            batch.aliases[users],
            self.settings.n_negatives,
            self.settings.shared_negatives,
            rate,
            self.seeds[block],
            SIGMOID,
        )


def _table(n_users: int, settings: SGDSettings) -> Floats:
    """Allocate zeros whose rows are padded and start at cache lines."""
    width = -(-settings.n_dimensions // _ROW_MULTIPLE) * _ROW_MULTIPLE
    flat = make_zeros((n_users * width + _ROW_MULTIPLE,), settings.table_folder)
    shift = (-flat.ctypes.data // flat.itemsize) % _ROW_MULTIPLE
    return flat[shift : shift + n_users * width].reshape(n_users, width)


def make_zeros(
    shape: tuple[int, ...], folder: str | PathLike[str] | None = None
) -> Floats:
    """Allocate zeros in memory, or in a nameless file that goes with the array."""
    if folder is None:
        return np.zeros(shape, dtype=np.float32)
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=folder) as file:
            if hasattr(os, "posix_fallocate"):  # a full disk is told here, or ends all
                os.posix_fallocate(file.fileno(), 0, 4 * math.prod(shape))
            return np.asarray(np.memmap(file, np.float32, "w+", shape=shape))
    except OSError as error:
        msg = f"table_folder={str(folder)!r} cannot hold the tables: {error}."
        raise SourceError(msg) from error


class _Arcs:
    """Draws the passes over a network's arcs."""

    def __init__(self, adjacency: Any, generator: np.random.Generator) -> None:
        self._adjacency = adjacency
        # Read-only always, or each mixture would be compiled on its own.
        self._parts_of_matrix = tuple(
            read_only(part)
            for part in (adjacency.indptr, adjacency.indices, adjacency.data)
        )
        self._generator = generator
        self._total = float(adjacency.data.sum(dtype=np.float64))
        degrees = np.zeros(adjacency.shape[0], dtype=np.float64)
        # Vertices are contexts by the arcs that come in.
        chunk = 1 << 22
        for start in range(0, adjacency.nnz, chunk):
            degrees += np.bincount(
                adjacency.indices[start : start + chunk],
                weights=adjacency.data[start : start + chunk],
                minlength=len(degrees),
            )
        self._noise = (degrees**_NOISE_POWER).astype(np.float32)
        self._linked = np.flatnonzero(self._noise > 0).astype(np.int32)
        self.n_parts = count_parts(adjacency.nnz, len(self._linked))

    def passes(self, n_samples: int) -> Iterator[_Pass]:
        per_pass = min(self._adjacency.nnz, _MAX_PASS)
        while n_samples > 0:
            n_drawn = min(per_pass, n_samples)
            yield self._draw(n_drawn)
            n_samples -= n_drawn

    def _draw(self, n_arcs: int) -> _Pass:
        adjacency, n_parts = self._adjacency, self.n_parts
        parts = self._generator.integers(
            n_parts, size=adjacency.shape[0], dtype=np.uint8
        )
        # Linked users are spread evenly, so that no part is without noise.
        shuffled = self._generator.permutation(self._linked)
        parts[shuffled] = np.arange(len(shuffled)) % n_parts
        members = shuffled[np.argsort(parts[shuffled], kind="stable")]
        part_starts = np.zeros(n_parts + 1, dtype=np.int64)
        np.cumsum(np.bincount(parts[shuffled], minlength=n_parts), out=part_starts[1:])
        thresholds = np.empty(len(members), dtype=np.uint32)
        aliases = np.empty(len(members), dtype=np.int32)
        build_noise(members, part_starts, self._noise, thresholds, aliases)
        step = self._total / n_arcs
        arguments = (
            *self._parts_of_matrix,
            parts,
            n_parts,
            float(self._generator.random()),
            step,
        )
        none = np.empty(0, dtype=np.int32)
        counts = np.zeros(n_parts**2, dtype=np.int64)
        draw_arcs(*arguments, counts, none, none)
        starts = np.zeros(len(counts) + 1, dtype=np.int64)
        np.cumsum(counts, out=starts[1:])
        sources = np.empty(starts[-1], dtype=np.int32)
        targets = np.empty(starts[-1], dtype=np.int32)
        draw_arcs(*arguments, starts[:-1].copy(), sources, targets)
        return _Pass(
            sources, targets, starts, members, part_starts, thresholds, aliases
        )
