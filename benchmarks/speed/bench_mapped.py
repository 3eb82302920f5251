"""Memory of training on words and images in a mapped file, against data in memory.

Text comes in parts and is joined by `concatenate`; images are PNG files in bytes, which
`ImageBagTransformer` decodes. A fifth of the users have no label. A small net is
trained for one epoch and predicts. Each kind and way is a process, which prints a
JSON line: anonymous memory (RssAnon of ``/proc/self/status``, what cannot be read anew
from a file), in MB above that of the process after its first fit, of few users, at its
peak while data are made and while the net is trained and predicts; wall and CPU seconds
of both; a hash of the predictions, which are the same both ways.

glibc's allocator is told to give back what is freed, since its own growth would hide
what data take.

    python benchmarks/speed/bench_mapped.py --folder FOLDER_ON_A_DISK
"""

from __future__ import annotations

import argparse
import io
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import numpy as np

_WORDS_A_MESSAGE = 20
_MESSAGES_A_USER = 250
_IMAGES_A_USER = 5
_USERS_A_PART = 1000
_SIDE = 64
_MEGABYTES = {"text": 400, "images": 600}
_GIVE_BACK = {"MALLOC_MMAP_THRESHOLD_": "1000000", "MALLOC_TRIM_THRESHOLD_": "1000000"}
_N_WORDS = 5000


def make_text(settings, folder):
    """Join parts of random words."""
    from sklearn_profiling.containers import TokenMessages, Vocabulary, concatenate

    words = Vocabulary(map(str, range(_N_WORDS)))
    n_messages = _USERS_A_PART * _MESSAGES_A_USER
    message_starts = np.arange(n_messages + 1) * _WORDS_A_MESSAGE
    user_starts = np.arange(_USERS_A_PART + 1) * _MESSAGES_A_USER

    def part(number):
        rng = np.random.default_rng([settings.seed, number])
        ids = rng.integers(0, _N_WORDS, message_starts[-1], dtype=np.int32)
        return TokenMessages(ids, message_starts, user_starts, words)

    per_part = 4 * message_starts[-1] / 1e6
    n_parts = round(settings.megabytes / per_part)
    return concatenate((part(number) for number in range(n_parts)), folder=folder)


def make_images(settings, folder):
    """Decode images of one colour each."""
    from PIL import Image

    from sklearn_profiling.sources import ImageBagTransformer

    def image(number):
        file = io.BytesIO()
        colour = tuple((number >> shift) % 256 for shift in (0, 8, 16))
        Image.new("RGB", (_SIDE, _SIDE), colour).save(file, "PNG")
        return file.getvalue()

    n_users = round(settings.megabytes * 1e6 / (3 * _SIDE**2) / _IMAGES_A_USER)
    column = [
        [image(user * _IMAGES_A_USER + each) for each in range(_IMAGES_A_USER)]
        for user in range(n_users)
    ]
    decoder = ImageBagTransformer(size=(_SIDE, _SIDE), memory=folder)
    return decoder.fit_transform(column)


def make_net(kind):
    """Return a small net, to be trained for one epoch."""
    from sklearn_profiling.estimators import CNN3DClassifier, TextCNNClassifier

    if kind == "images":
        return CNN3DClassifier(n_filters=2, n_shared=8, max_epochs=1, random_state=0)
    small = {"n_filters": 4, "kernel_sizes": (1,), "n_dimensions": 4, "n_shared": 8}
    return TextCNNClassifier(
        **small, bag_of_words=0, batch_size=20, max_epochs=1, random_state=0
    )


def anonymous():
    """Anonymous memory of this process in MB."""
    status = Path("/proc/self/status").read_text("utf-8")
    return int(status.partition("RssAnon:")[2].split()[0]) / 1e3


@contextmanager
def peak_above(before, found):
    """Look at the anonymous memory every 10 ms; the peak is added to `found`."""
    done = threading.Event()
    peak = [anonymous()]

    def watch():
        while not done.wait(0.01):
            peak[0] = max(peak[0], anonymous())

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join()
        found.append(round(peak[0] - before))


def measure(settings):
    """Make the data of one kind in one way, train, predict and print a line."""
    import joblib

    make = {"text": make_text, "images": make_images}[settings.kind]
    folder = settings.folder if settings.way == "mapped" else None
    model = make_net(settings.kind)
    warm_up(settings, model)
    before, peaks = anonymous(), []
    start, cpu = time.perf_counter(), time.process_time()
    with peak_above(before, peaks):
        data = make(settings, folder)
    made = time.perf_counter() - start, time.process_time() - cpu
    rng = np.random.default_rng(settings.seed)
    labels = rng.choice(np.array(["f", "m"], dtype=object), len(data))
    labels[::5] = None
    held = round(anonymous() - before)
    start, cpu = time.perf_counter(), time.process_time()
    with peak_above(before, peaks):
        likely = model.fit(data, labels).predict_proba(data)
    line = {
        "benchmark": "mapped",
        "kind": settings.kind,
        "way": settings.way,
        "data_mb": settings.megabytes,
        "made_mb": peaks[0],
        "held_mb": held,
        "trained_mb": peaks[1],
        "made_seconds": [round(each, 1) for each in made],
        "trained_seconds": [
            round(time.perf_counter() - start, 1),
            round(time.process_time() - cpu, 1),
        ],
        "predictions": joblib.hash(likely),
        "seed": settings.seed,
    }
    print(json.dumps(line), flush=True)


def warm_up(settings, model):
    """Train and predict once on few users, so that all is loaded."""
    from sklearn.base import clone

    few = argparse.Namespace(**{**vars(settings), "megabytes": 20})
    data = {"text": make_text, "images": make_images}[settings.kind](few, None)
    labels = ["f", "m"] * (len(data) // 2) + ["f"] * (len(data) % 2)
    clone(model).fit(data, labels).predict_proba(data)


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--kind", choices=["text", "images"], action="append")
    parser.add_argument("--way", choices=["memory", "mapped"])
    parser.add_argument("--megabytes", type=int)
    parser.add_argument("--folder", default=None, help="on a disk, not in memory")
    parser.add_argument("--seed", type=int, default=0)
    settings = parser.parse_args()
    kinds = settings.kind or ["text", "images"]
    if settings.way is not None:
        (settings.kind,) = kinds
        measure(settings)
        return
    for kind in kinds:
        for way in ("memory", "mapped"):
            with tempfile.TemporaryDirectory(dir=settings.folder) as folder:
                options = ["--kind", kind, "--way", way, "--folder", folder]
                size = settings.megabytes or _MEGABYTES[kind]
                options += ["--megabytes", size, "--seed", settings.seed]
                command = [sys.executable, __file__, *map(str, options)]
                subprocess.run(command, check=True, env={**os.environ, **_GIVE_BACK})


if __name__ == "__main__":
    main()
