"""Writer of the three folders of the SMP CUP 2016 competition."""

from __future__ import annotations

from os import PathLike
from pathlib import Path

from sklearn.utils import Bunch

from sklearn_profiling.datasets import dump_smpcup2016

__all__ = ["dump_competition"]


def dump_competition(
    users: Bunch, path: str | PathLike[str], *, n_valid: int, n_test: int
) -> dict[str, Bunch]:
    """Write the last users as ``valid`` and ``test``, the others as ``train``.

    Each folder has the links among its own users and those to training users.
    """
    n_train = len(users.data) - n_valid - n_test
    rows = {
        "train": slice(n_train),
        "valid": slice(n_train, n_train + n_valid),
        "test": slice(n_train + n_valid, None),
    }
    known = list(users.data["user_id"][:n_train])
    parts = {}
    for part, chosen in rows.items():
        data = users.data[chosen].reset_index(drop=True)
        own = list(data["user_id"])
        graph = users.graph.subgraph(known if part == "train" else [*known, *own])
        target = users.target[chosen].reset_index(drop=True)
        parts[part] = Bunch(data=data, target=target, graph=graph)
        dump_smpcup2016(parts[part], Path(path) / part)
    return parts
