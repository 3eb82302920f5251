"""Users that come in tables, cut to chunks of one size."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Sequence
from math import lcm
from numbers import Integral
from typing import Any, Final, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sklearn_profiling._store import digest_of
from sklearn_profiling.exceptions import ProfilingWarning

__all__ = [
    "FEWEST",
    "ROWS_AT_ONCE",
    "SeenUsers",
    "check_chunk_size",
    "rechunked",
    "whole_batches",
]

#: Users predicted at a time, at the least: products of fewer rows take other paths in
#: BLAS, with other last bits.
FEWEST: Final = 50
#: Rows of a table that are read at a time.
ROWS_AT_ONCE: Final = 10_000
#: Chunks this many times as large as asked, from a small number on, are told.
_MOST_TIMES: Final = 10
_SMALL: Final = 1000
_DIGEST: Final = np.dtype("S16")


def check_chunk_size(chunk_size: Any) -> int:
    """Refuse what is no number of users."""
    whole = isinstance(chunk_size, Integral) and not isinstance(chunk_size, bool)
    if not (whole and chunk_size >= 1):
        msg = f"chunk_size must be a whole number of 1 or more; got {chunk_size!r:.60}"
        raise ValueError(msg)
    return int(chunk_size)


def whole_batches(model: Any, chunk_size: int) -> int:
    """Round a number of users up, so that every net reads the batches of one piece."""
    model = getattr(model, "best_estimator_", model)
    params = model.get_params(deep=True) if hasattr(model, "get_params") else {}
    sizes = {
        int(value)
        for name, value in params.items()
        if name.split("__")[-1] == "batch_size" and isinstance(value, Integral)
    }
    step = lcm(FEWEST, *(size for size in sizes if size > 0))
    rounded = -(-chunk_size // step) * step
    if rounded > _MOST_TIMES * max(chunk_size, _SMALL):
        shown = ", ".join(map(str, sorted(sizes)))
        msg = (
            f"chunk_size={chunk_size} is rounded up to {rounded} users, whole batches "
            f"of all nets, whose sizes are {shown}; memory grows with it"
        )
        warnings.warn(msg, ProfilingWarning, stacklevel=3)
    return rounded


def rechunked(
    tables: Iterable[tuple[pd.DataFrame, ...]],
    size: int,
    least: int = 1,
    *,
    join: Literal["inner", "outer"] = "inner",
) -> Iterator[tuple[pd.DataFrame, ...]]:
    """Cut tables of users, and others of the same users, to `size` users each.

    The last are more by up to `least` - 1, so that no chunk has fewer than `least`.
    `join` says if a column of users that some tables lack is left out or has no value.
    """
    held: list[tuple[pd.DataFrame, ...]] = []
    n_held = 0
    for table in tables:
        held.append(table)
        n_held += len(table[0])
        if n_held < size + least:
            continue
        joined = _joined(held, join)
        start = 0
        while n_held - start >= size + least:
            yield tuple(each.iloc[start : start + size] for each in joined)
            start += size
        held = [tuple(each.iloc[start:] for each in joined)]
        n_held -= start
    if n_held:
        yield _joined(held, join)


def _joined(
    tables: Sequence[tuple[pd.DataFrame, ...]], join: Literal["inner", "outer"]
) -> tuple[pd.DataFrame, ...]:
    if len(tables) == 1:
        return tables[0]
    first, *others = zip(*tables, strict=True)
    return pd.concat(first, join=join), *map(pd.concat, others)


class SeenUsers:
    """Ids of the users so far, 16 bytes each, in sorted runs of falling lengths."""

    def __init__(self) -> None:
        self._runs: list[NDArray[np.bytes_]] = []

    def add(self, ids: Sequence[Any]) -> Any:
        """Remember users; return one that was there before, None if all are new."""
        digests = np.frombuffer(
            b"".join(
                digest_of(str(user_id).encode("utf-8", "surrogatepass"))
                for user_id in ids
            ),
            _DIGEST,
        )
        order = np.argsort(digests, kind="stable")
        run = digests[order]
        repeated = np.zeros(len(run), bool)
        repeated[1:] = run[1:] == run[:-1]
        for before in self._runs:
            place = np.searchsorted(before, run).clip(max=len(before) - 1)
            repeated |= before[place] == run
        if repeated.any():
            return ids[int(order[repeated].min())]
        while self._runs and len(self._runs[-1]) <= len(run):
            run = np.sort(np.concatenate([self._runs.pop(), run]), kind="stable")
        if len(run):
            self._runs.append(run)
        return None
