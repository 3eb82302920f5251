"""Kill whatever the package does, again and again: it goes on to the same result.

Each scenario runs in a process that gets SIGKILL at a random moment and is started
again, until the kills are used up. The result must equal that of a run which nothing
interrupts, no file may be destroyed, and no worker or temporary file may be left, after
SIGKILL or SIGTERM::

    OMP_NUM_THREADS=1 python tests/fuzz/kills.py --kills 50 --terms 10
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import random
import shutil
import signal
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).parents[1]))

import joblib
import numpy as np
from fuzz.damage import LABELS, USERS
from generators import make_generator, make_users
from PIL import Image

from sklearn_profiling import cli
from sklearn_profiling.baselines import make_majority_baseline
from sklearn_profiling.containers import SocialGraph, TokenMessages
from sklearn_profiling.datasets import dump_records, make_user_profiles
from sklearn_profiling.estimators import MMLUPClassifier
from sklearn_profiling.evaluation import compare
from sklearn_profiling.persistence import load
from sklearn_profiling.sources import (
    GloVeTransformer,
    ImageBagTransformer,
    LINEEmbedding,
)

MARK = "SKLEARN_PROFILING_KILLS"
"""Variable by which the processes of a run are found."""

_OPTIONS = ["--filters", "2", "--kernel-sizes", "1", "--quiet"]
_WORDS = [f"word{n}" for n in range(400)]


def _records(folder: Path) -> Path:
    users = folder.parent / "users"
    if not (users / "done").exists():
        dump_records(make_user_profiles(40, random_state=0), users)
        (users / "done").mkdir()
    return users


def fit_model(folder: Path) -> Any:
    """``fit --model --cache``."""
    model = folder / "model"
    arguments = ["fit", str(_records(folder)), "--model", str(model)]
    arguments += ["--cache", str(folder / "cache"), "--system", "full"]
    assert cli.main([*arguments, "--max-epochs", "8", *_OPTIONS]) == 0
    state = load(model)["model"][-1].net_.module_.state_dict()
    return np.concatenate([each.double().numpy().ravel() for each in state.values()])


def comparison(folder: Path) -> Any:
    """``compare`` with a results folder and two workers."""
    systems = {"majority": make_majority_baseline(), "MMLUP": _net(None, 4)}
    found = compare(
        systems, USERS, LABELS, cv=4, n_jobs=2, results_folder=folder / "results"
    )
    return found.scores["value"].to_numpy()


def line(folder: Path) -> Any:
    """``LINEEmbedding(checkpoint=folder)``."""
    rng = np.random.default_rng(0)
    graph = SocialGraph.from_edges(rng.integers(0, 800, (4000, 2)))
    model = LINEEmbedding(
        graph, 32, n_samples=400_000, checkpoint=folder, random_state=0, expansion=None
    )
    return model.fit().embedding_


def glove(folder: Path) -> Any:
    """``GloVeTransformer(checkpoint=folder)``."""
    rng = random.Random(0)
    users = [[rng.choices(_WORDS, k=40) for _ in range(4)] for _ in range(100)]
    model = GloVeTransformer(
        16, min_count=1, max_epochs=12, checkpoint=folder, random_state=0
    )
    return model.fit(TokenMessages.from_lists(users)).vocabulary_.vectors


def pixels(folder: Path) -> Any:
    """``ImageBagTransformer(memory=folder)``."""
    images, rng = [], np.random.default_rng(0)
    for _ in range(120):
        stream = BytesIO()
        noise = rng.integers(0, 256, (120, 120, 3), dtype=np.uint8)
        Image.fromarray(noise).save(stream, "PNG")
        images.append([stream.getvalue()])
    return ImageBagTransformer(size=(16, 16), memory=folder).transform(images).pixels


def generator(folder: Path) -> Any:
    """A generator of profiles with ``checkpoint=folder``."""
    X, y = make_users()
    model = make_generator(max_epochs=4, checkpoint=folder, random_state=0)
    return np.hstack(model.fit(X, y).predict_proba(X))


def _net(folder: Path | None, epochs: int) -> MMLUPClassifier:
    return MMLUPClassifier(
        n_hidden=(8,),
        max_epochs=epochs,
        batch_size=4,
        checkpoint=folder,
        random_state=0,
    )


def net(folder: Path) -> Any:
    """``MMLUPClassifier(checkpoint=folder)``."""
    return np.hstack(_net(folder, 12).fit(USERS, LABELS).predict_proba(USERS))


SCENARIOS: dict[str, Callable[[Path], Any]] = {
    each.__name__: each
    for each in (fit_model, comparison, line, glove, pixels, generator, net)
}


def _work(scenario: Callable[[Path], Any], folder: Path, result: Path) -> None:
    """Run a scenario in a process of its own, and write what it gave."""
    place = folder.parent / "temporary"
    place.mkdir(exist_ok=True)
    # torch keeps a cache where temporary files lie
    os.environ["TORCHINDUCTOR_CACHE_DIR"] = str(folder.parent / "torch")
    os.environ.update({MARK: str(folder.parent), "JOBLIB_TEMP_FOLDER": str(place)})
    tempfile.tempdir = str(place)
    warnings.simplefilter("ignore")
    found = scenario(folder)
    joblib.dump(found, result.with_suffix(".new"))
    result.with_suffix(".new").rename(result)
    os._exit(0)  # what multiprocessing does at exit would wait for idle workers


def _start(*arguments: Any) -> Any:
    # forked, so that each run is spared the imports
    process = multiprocessing.get_context("fork").Process(target=_work, args=arguments)
    process.start()
    return process


def _wait(process: Any, seconds: float) -> None:
    """Wait for a process itself: `join` would wait for its workers too."""
    end = time.monotonic() + seconds
    while process.is_alive() and time.monotonic() < end:
        time.sleep(0.005)


def _processes_of(place: Path) -> list[str]:
    """Processes that carry the mark of a run."""
    mark = f"{MARK}={place}".encode()
    found = []
    for each in Path("/proc").glob("[0-9]*/environ"):
        try:
            if mark in each.read_bytes():
                found.append(each.parent.name)
        except OSError:
            continue
    return found


def check_nothing_left(place: Path, seconds: float = 20.0) -> None:
    """Wait until no process, and no temporary or unfinished file, is left of a run."""
    end = time.monotonic() + seconds
    while True:
        processes = _processes_of(place)
        # older versions of torch make a folder of its own at its import
        temporary = [
            each
            for each in (place / "temporary").iterdir()
            if not (each / "_remote_module_non_scriptable.py").exists()
        ]
        unfinished = list(place.rglob("*.part"))
        if not (processes or temporary or unfinished):
            return
        assert time.monotonic() < end, (processes, temporary, unfinished)
        time.sleep(0.2)


def run(name: str, kills: int, seed: int = 0) -> dict[str, int]:
    """Kill a scenario so many times; count how often it was finished in between."""
    rng, scenario = random.Random(seed), SCENARIOS[name]
    counts = {"kills": 0, "finished": 0}
    with tempfile.TemporaryDirectory() as made:
        place = Path(made)
        folder, result, model = (
            place / "folder",
            place / "result",
            place / "folder/model",
        )
        folder.mkdir()
        for _ in range(1 if kills < 3 else 2):  # the second is spared compiling
            shutil.rmtree(folder)
            folder.mkdir()
            started = time.monotonic()
            process = _start(scenario, folder, result)
            process.join()
            assert process.exitcode == 0, f"{name} failed"
            seconds = time.monotonic() - started
        whole = joblib.load(result)
        result.unlink()
        shutil.rmtree(folder)
        folder.mkdir()
        while counts["kills"] < kills or not counts["finished"]:
            process = _start(scenario, folder, result)
            last = counts["kills"] >= kills
            _wait(process, float("inf") if last else rng.uniform(0, seconds))
            if process.is_alive():
                process.kill()
                process.join()
                counts["kills"] += 1
                if model.exists():
                    load(model)
                continue
            assert process.exitcode == 0, f"{name}, seed {seed}: {counts}"
            assert np.array_equal(joblib.load(result), whole), f"{name}, seed {seed}"
            counts["finished"] += 1
            result.unlink()
            # unfinished files of the dead go with the next run, which this was
            check_nothing_left(place)
            if not model.exists():  # a model stands while the next one is trained
                shutil.rmtree(folder)
                folder.mkdir()
            else:
                shutil.rmtree(folder / "cache")
        return counts


def _compare_by_command(folder: Path) -> int:
    arguments = ["compare", str(_records(folder)), "--systems", "table3"]
    return cli.main([*arguments, "--jobs", "2", "--max-epochs", "50", *_OPTIONS])


def _exit_as_told(folder: Path) -> None:
    os._exit(_compare_by_command(folder))


def terminate(times: int, seed: int = 0) -> int:
    """Send SIGTERM to ``compare``; nothing may be left of it."""
    rng = random.Random(seed)
    with tempfile.TemporaryDirectory() as made:
        place = Path(made)
        _records(place / "folder")
        for _ in range(times):
            process = _start(_exit_as_told, place / "folder", place / "result")
            time.sleep(rng.uniform(1, 6))
            os.kill(process.pid, signal.SIGTERM)
            process.join()
            assert process.exitcode == 143, process.exitcode
            check_nothing_left(place)
    return times


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--terms", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    names = list(SCENARIOS)
    parser.add_argument("--scenarios", nargs="*", choices=names, default=names)
    options = parser.parse_args()
    for name in options.scenarios:
        started = time.monotonic()
        counts = run(name, options.kills, options.seed)
        seconds = time.monotonic() - started
        sys.stdout.write(
            f"{name}: {counts['kills']} kills, {counts['finished']} finished, all "
            f"equal, nothing left, {seconds:.0f} s\n"
        )
        sys.stdout.flush()
    times = terminate(options.terms, options.seed) if options.terms else 0
    sys.stdout.write(f"SIGTERM: {times} times, nothing left\n")


if __name__ == "__main__":
    main()
