"""Random damages to every kind of file that is read back: none is silently used.

A result must be that of whole files, whatever is flipped, cut, appended, zeroed or
renamed, without an error and with no warnings but this package's::

    python tests/fuzz/damage.py --rounds 200
"""

from __future__ import annotations

import argparse
import contextlib
import random
import shutil
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

from sklearn_profiling._checkpoints import Checkpoint
from sklearn_profiling._memory import checked_memory
from sklearn_profiling._store import Store, cached_texts, cached_vectors, digest_of
from sklearn_profiling.baselines import make_majority_baseline
from sklearn_profiling.containers import SocialGraph, TokenMessages
from sklearn_profiling.estimators import MMLUPClassifier
from sklearn_profiling.evaluation import compare
from sklearn_profiling.exceptions import ProfilingWarning
from sklearn_profiling.sources import (
    GloVeTransformer,
    ImageBagTransformer,
    LINEEmbedding,
)

DIGESTS = [digest_of(bytes([number])) for number in range(30)]
VECTORS = np.random.default_rng(0).random((30, 4), np.float32)
GRAPH = SocialGraph.from_edges([(i, (i * i + 3) % 20) for i in range(20)])
TEXT = TokenMessages.from_lists([[["tea", "milk"] * 3, ["hill", "tea"]]] * 5)
USERS = np.random.default_rng(1).random((24, 3))
LABELS = pd.DataFrame({"gender": ["f", "m", "m"] * 8, "age": ["old", "young"] * 12})


class KilledError(Exception):
    """The process has died."""


@contextlib.contextmanager
def killed_after(n_saves: int) -> Iterator[None]:
    """Let a training die behind its n-th save."""
    save, saved = Checkpoint.save, []

    def save_and_die(self: Checkpoint, write: Any) -> None:
        save(self, write)
        saved.append(1)
        if len(saved) == n_saves:
            raise KilledError

    Checkpoint.save = save_and_die  # type: ignore[method-assign]
    try:
        yield
    except KilledError:
        pass
    finally:
        Checkpoint.save = save  # type: ignore[method-assign]


def embedding(folder: Path) -> Any:
    return Store(folder).array({"graph": 1}, lambda: VECTORS)


def vectors(folder: Path) -> Any:
    store = Store(folder)
    return cached_vectors(store, {"model": 1}, DIGESTS, 4, lambda rows: VECTORS[rows])


def captions(folder: Path) -> Any:
    def describe(rows: list[int]) -> list[str]:
        return [f"a cat, {row} ä\n" for row in rows]

    return cached_texts(Store(folder), {"model": 1}, DIGESTS, describe)


def pixels(folder: Path) -> Any:
    images = []
    for number in range(6):
        stream = BytesIO()
        Image.new("RGB", (9, 9), (40 * number, 9, 9)).save(stream, "PNG")
        images.append([stream.getvalue()])
    return ImageBagTransformer(size=(4, 4), memory=folder).transform(images).pixels


def results(folder: Path) -> Any:
    systems = {"majority": make_majority_baseline()}
    found = compare(systems, USERS, LABELS, cv=3, results_folder=folder)
    return found.scores["value"].to_numpy()


def _prepare(array: Any) -> dict[str, Any]:
    return {"twice": array * 2, "words": ["tea"] * 3}


def steps(folder: Path) -> Any:
    return checked_memory(folder).cache(_prepare)(VECTORS)["twice"]


def line(folder: Path) -> Any:
    model = LINEEmbedding(
        GRAPH, 8, n_samples=200, checkpoint=folder, random_state=0, expansion=None
    )
    return model.fit().embedding_


def glove(folder: Path) -> Any:
    model = GloVeTransformer(
        4, min_count=1, max_epochs=4, checkpoint=folder, random_state=0
    )
    return model.fit(TEXT).vocabulary_.vectors


def net(folder: Path) -> Any:
    model = MMLUPClassifier(
        n_hidden=(4,),
        n_shared=4,
        n_attention=2,
        max_epochs=3,
        batch_size=12,
        checkpoint=folder,
        random_state=0,
    )
    return np.hstack(model.fit(USERS, LABELS).predict_proba(USERS))


KINDS: dict[str, Callable[[Path], Any]] = {
    made.__name__: made
    for made in (embedding, vectors, captions, pixels, results, steps, line, glove, net)
}
"""What makes and reads each kind of file; the last three are trainings."""

TRAININGS = {"line", "glove", "net"}


def damage(path: Path, rng: random.Random) -> str:
    """Damage a file in one of several ways; return which."""
    data = bytearray(path.read_bytes())
    how = rng.choice(["flip", "cut", "behead", "append", "zero", "rename", "empty"])
    place = rng.randrange(len(data)) if data else 0
    if how == "flip" and data:
        for _ in range(rng.choice([1, 1, 3])):
            data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    elif how == "cut":
        del data[place:]
    elif how == "behead":
        del data[:place]
    elif how == "append":
        data += rng.randbytes(rng.randrange(1, 64))
    elif how == "zero":
        stop = min(place + rng.randrange(1, 256), len(data))
        data[place:stop] = bytes(stop - place)
    elif how == "empty":
        data.clear()
    else:
        name = list(path.name)
        name[rng.randrange(len(name))] = rng.choice("abc0123._-")
        with contextlib.suppress(FileExistsError):
            path.rename(path.with_name("".join(name)))
        return how
    path.write_bytes(data)
    return how


def run(kind: str, rounds: int, seed: int = 0) -> dict[str, int]:
    """Damage the files of one kind again and again; count what happened."""
    rng, make = random.Random(seed), KINDS[kind]
    counts = {"rounds": rounds, "told": 0}
    with tempfile.TemporaryDirectory() as place:
        whole, folder = Path(place, "whole"), Path(place, "damaged")
        expected = np.asarray(make(Path(place, "other")))
        with killed_after(2):
            make(whole)
        files = [
            path.relative_to(whole)
            for path in sorted(whole.rglob("*"))
            if path.is_file() and path.suffix != ".lock" and path.name[0] != "."
        ]
        assert files, kind
        for number in range(rounds):
            shutil.rmtree(folder, ignore_errors=True)
            shutil.copytree(whole, folder)
            file = rng.choice(files)
            how = damage(folder / file, rng)
            with warnings.catch_warnings(record=True) as told:
                warnings.simplefilter("always")
                found = np.asarray(make(folder))
            case = f"{kind}, seed {seed}, round {number}: {how} of {file.name}"
            assert np.array_equal(found, expected), f"{case} was believed"
            foreign = [w for w in told if not issubclass(w.category, ProfilingWarning)]
            assert not foreign, f"{case}: {foreign[0].message}"
            assert len(told) <= 2, f"{case}: {[str(w.message) for w in told]}"
            counts["told"] += bool(told)
    return counts


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=list(KINDS))
    options = parser.parse_args()
    for kind in options.kinds:
        started = time.monotonic()
        counts = run(kind, options.rounds, options.seed)
        seconds = time.monotonic() - started
        sys.stdout.write(
            f"{kind}: {counts['rounds']} damages, 0 used, 0 errors, {counts['told']} "
            f"told, {seconds:.0f} s\n"
        )


if __name__ == "__main__":
    main()
