"""Speed of writing profiles: the whole estimator against the backbone's own search.

"backbone" is ``generate`` of a small T5 with random weights on fused states of text and
images that were computed before, in batches, with the same beams and the same most
tokens. "search" is what the estimator does from these states on; "estimator" is
``ProfileGeneratorClassifier.generate`` from the users' tokens and pixels on: building
batches, encoders, fusion, search and text included. "scores" is ``predict_proba``. The
ways take turns; one JSON line each, by process time, least of the rounds; "ratio" is to
"backbone", "peak_mb" what memory grew by in the first round (Linux).

    python benchmarks/speed/bench_generation.py --threads 1
    python benchmarks/speed/bench_generation.py --tokens 600 --users 200
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from skorch.helper import SliceDict
from transformers import GenerationConfig
from transformers.modeling_outputs import BaseModelOutput

from sklearn_profiling.containers import ImageBags, TokenMessages, Vocabulary
from sklearn_profiling.estimators import ProfileGeneratorClassifier
from sklearn_profiling.training.generators.search import search

ATTRIBUTES = {"Stars": 5, "Meal": 3, "Budget": 3, "Discount": 2, "Service": 2}
CATEGORIES = ["Pizza", "Coffee", "Bars", "Burgers", "Sushi"]


def make_users(settings):
    rng = np.random.RandomState(settings.seed)
    n_users, n_words = settings.users, settings.tokens - 1
    words = [f"word{k}" for k in range(settings.words)]
    text = TokenMessages(
        rng.randint(0, settings.words, n_users * n_words).astype(np.int32),
        np.arange(n_users + 1) * n_words,
        np.arange(n_users + 1),
        Vocabulary(words),
    )
    counts = rng.randint(0, 4, n_users)
    pixels = rng.randint(0, 256, (counts.sum(), 3, 32, 32)).astype(np.uint8)
    images = ImageBags(pixels, np.concatenate([[0], np.cumsum(counts)]))
    y = {
        name: [f"{name} {k % n}" for k in range(n_users)]
        for name, n in ATTRIBUTES.items()
    }
    y["Categories"] = [
        {*rng.choice(CATEGORIES, 2, replace=False)} for _ in range(n_users)
    ]
    return SliceDict(text=text, images=images), pd.DataFrame(y, dtype=object)


def status(name):
    """Read a line of this process's status, in MB."""
    lines = Path("/proc/self/status").read_text("utf-8").splitlines()
    return next(int(line.split()[1]) for line in lines if name in line) / 1024


def grown(way):
    """Memory at its peak while a way runs, above what there was before."""
    try:
        Path("/proc/self/clear_refs").write_text("5", "utf-8")
    except OSError:
        way()
        return None
    before = status("VmRSS")
    way()
    return round(status("VmHWM") - before, 1)


def run(settings):
    X, y = make_users(settings)
    model = ProfileGeneratorClassifier(
        n_beams=settings.beams,
        prediction_batch_size=settings.batch_size,
        joint_modes=("fusion",),
        max_tokens=settings.tokens,
        max_epochs=1,
        learning_rate=1e-9,
        random_state=settings.seed,
    ).fit(X[:64], y.iloc[:64])
    net = model.net_
    module = net.module_.eval()
    most, ids = model._parts.tokens.longest, module.ids  # noqa: SLF001 - no public way to the bare search
    how = GenerationConfig(
        num_beams=settings.beams,
        max_new_tokens=most,
        do_sample=False,
        pad_token_id=ids.pad,
        eos_token_id=ids.end,
        decoder_start_token_id=ids.start,
    )
    with torch.inference_mode():
        ready = [
            module.encode(module.inputs(batch.sources))
            for batch, _ in net.get_iterator(model._dataset(X), training=False)  # noqa: SLF001 - as predict batches
        ]

    @torch.inference_mode()
    def backbone(most_batches=None):
        return [
            module.language_model.generate(
                encoder_outputs=BaseModelOutput(last_hidden_state=states),
                attention_mask=is_state.long(),
                generation_config=how,
            )
            for states, is_state in ready[:most_batches]
        ]

    @torch.inference_mode()
    def from_states(most_batches=None):
        return [search(module, *read, how) for read in ready[:most_batches]]

    ways = {
        "backbone": backbone,
        "search": from_states,
        "estimator": lambda: model.generate(X),
        "scores": lambda: model.predict_proba(X),
    }
    for one, other in zip(backbone(4), from_states(4), strict=True):
        if not torch.equal(one[:, 1:], other):
            msg = "the search found other profiles than the backbone"
            raise SystemExit(msg)
    peaks = {name: grown(way) for name, way in ways.items()}
    seconds = {name: [] for name in ways}
    for _ in range(settings.repeats):
        for name, way in ways.items():
            start = time.process_time()
            way()
            seconds[name].append(time.process_time() - start)
    least = {name: min(each) for name, each in seconds.items()}
    for name, each in least.items():
        record = {
            "way": name,
            "seconds": round(each, 2),
            "ratio": round(each / least["backbone"], 3),
            "peak_mb": peaks[name],
            "n_users": settings.users,
            "n_tokens": settings.tokens,
            "n_written": most,
            "n_beams": settings.beams,
            "threads": torch.get_num_threads(),
            "torch": torch.__version__,
        }
        print(json.dumps(record))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--users", type=int, default=1000)
    parser.add_argument("--tokens", type=int, default=100)
    parser.add_argument("--words", type=int, default=2000)
    parser.add_argument("--beams", type=int, default=5)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument("--threads", type=int)
    parser.add_argument("--seed", type=int, default=0)
    settings = parser.parse_args()
    if settings.threads:
        torch.set_num_threads(settings.threads)
    run(settings)
