"""Speed of flat text through MMLUP's Text-CNN against the same text padded.

Both layouts run the same weights forward and backward over the same users in the same
batches, so their losses must agree. The padded reference is written here plainly: word
ids of shape (users, messages, words), padded to fixed sizes or to the batch's largest.
Building the batch counts, for all. One JSON line for each layout; with ``--memory`` the
peak of resident memory above what the process held before, each layout in a process of
its own.

    python benchmarks/speed/bench_flat_text.py --threads 1
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time

import numpy as np
import torch
from torch.nn.functional import cross_entropy, embedding

from sklearn_profiling.architectures import MMLUP
from sklearn_profiling.architectures.layers.sources import SourceDescription
from sklearn_profiling.containers import TokenMessages, Vocabulary
from sklearn_profiling.training.batches import flatten_text

LAYOUTS = ("flat", "padded to the batch's largest", "padded to fixed sizes")
N_CLASSES = (2, 3, 8)


def make_text(settings):
    """Users whose numbers of messages, and messages whose lengths, are skewed."""
    rng = np.random.default_rng(settings.seed)
    n_messages = rng.lognormal(2.66, 0.9, settings.n_users).round()
    n_messages = n_messages.clip(1, settings.max_messages).astype(int)
    lengths = rng.lognormal(2.25, 0.7, n_messages.sum()).round()
    lengths = lengths.clip(1, settings.max_words).astype(int)
    ids = (settings.n_vocabulary * rng.random(lengths.sum()) ** 3).astype(int)
    return TokenMessages(
        ids,
        np.concatenate([[0], np.cumsum(lengths)]),
        np.concatenate([[0], np.cumsum(n_messages)]),
        Vocabulary(map(str, range(settings.n_vocabulary))),
    )


def make_net(settings):
    torch.manual_seed(settings.seed)
    text = SourceDescription(
        "text",
        "text",
        settings.n_dimensions,
        torch.zeros(settings.n_dimensions),
        torch.ones(settings.n_dimensions),
        n_words=settings.n_vocabulary,
        vectors=torch.randn(settings.n_vocabulary, settings.n_dimensions),
    )
    return MMLUP(
        [text],
        N_CLASSES,
        attention="softmax",
        n_filters=settings.n_filters,
        kernel_sizes=settings.kernel_sizes,
        n_filters_second=settings.n_features,
        kernel_size_second=settings.second_kernel_size,
        n_attention=settings.n_features,
        n_shared=128,
        n_hidden=(64,),
        n_dimensions=settings.n_dimensions,
        trainable_vectors=False,
        dropout=0.0,
        word_dropout=0.0,
        source_dropout=0.0,
    )


def pad(text, n_messages, n_words):
    """Word ids of shape (users, messages, words), and where there is a word."""
    ids = np.full((len(text), n_messages, n_words), len(text.vocabulary))
    for user in range(len(text)):
        first = text.user_starts[user]
        for m in range(first, text.user_starts[user + 1]):
            words = text.ids[text.message_starts[m] : text.message_starts[m + 1]]
            ids[user, m - first, : len(words)] = words
    ids = torch.from_numpy(ids)
    return ids, ids < len(text.vocabulary)


def encode_padded(encoder, ids, is_word):
    """Eq. 2 to 5 over padded text: every place is convolved, then masked."""
    n_users, n_messages, n_words = ids.shape
    words = embedding(ids.reshape(-1, n_words), encoder.embedding.table)
    mask = is_word.reshape(-1, 1, n_words)
    sequence = words.transpose(1, 2)  # (users * messages, dimensions, words)
    parts = encoder.convolution
    maps = torch.cat([torch.relu(layer(sequence)) for layer in parts.first], dim=1)
    maps = torch.relu(parts.second(maps * mask))
    # After relu no value is below zero, so zero loses against any word.
    vectors = (maps * mask).amax(dim=2).reshape(n_users, n_messages, -1)
    attention = encoder.attention
    scores = attention.score(torch.tanh(attention.hidden(vectors))).squeeze(-1)
    scores = scores.masked_fill(~is_word.any(dim=2), -torch.inf)
    weights = torch.softmax(scores, dim=1).unsqueeze(-1)
    return ((weights * vectors).sum(dim=1) - encoder.mean) / encoder.scale


def logits_of(net, text, layout, settings):
    encoder = net.sources.encoder("text")
    present = torch.ones(len(text), dtype=torch.bool)
    if layout == "flat":
        flat = flatten_text(text, encoder.convolution.gap)
        return net({"text": flat}, {"text": present})
    sizes = settings.max_messages, settings.max_words
    if layout != "padded to fixed sizes":
        sizes = np.diff(text.user_starts).max(), np.diff(text.message_starts).max()
    user_vectors = encode_padded(encoder, *pad(text, *sizes))
    return net.heads(user_vectors)


def epoch(net, text, codes, layout, settings):
    """Forward and backward over all users; the sum of losses and the gradients."""
    net.zero_grad()
    total = 0.0
    for start in range(0, len(text), settings.batch_size):
        rows = slice(start, start + settings.batch_size)
        logits = logits_of(net, text[rows], layout, settings)
        loss = sum(
            cross_entropy(scores, codes[rows, task], reduction="sum")
            for task, scores in enumerate(logits)
        )
        loss.backward()
        total += loss.item()
    gradients = [
        parameter.grad.flatten()
        for name, parameter in net.named_parameters()
        if "missing" not in name  # everybody has text, so the reference leaves it out
    ]
    return total / len(text), torch.cat(gradients) / len(text)


def peak_megabytes():
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)


def measure(layout, settings):
    text, net = make_text(settings), make_net(settings)
    rng = np.random.default_rng(settings.seed)
    codes = torch.tensor([[rng.integers(n) for n in N_CLASSES] for _ in text.missing])
    warm = text[: settings.batch_size // 4]
    # The small layout for all: a padded warm-up would set the peak of memory.
    epoch(net, warm, codes[: len(warm)], "flat", settings)
    before = peak_megabytes()
    seconds, walls = [], []
    for _ in range(settings.n_repeats):
        cpu, wall = time.process_time(), time.perf_counter()
        loss, gradients = epoch(net, text, codes, layout, settings)
        seconds.append(time.process_time() - cpu)
        walls.append(time.perf_counter() - wall)
    result = {
        "benchmark": "flat_text", "layout": layout, **vars(settings),
        "n_messages": text.n_messages, "words": text.n_words,
        "cpu_seconds": round(min(seconds), 3), "seconds": round(min(walls), 3),
        "extra_peak_megabytes": round(peak_megabytes() - before), "loss": loss,
    }  # fmt: skip
    return result, gradients


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--n-users", type=int, default=192)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--max-messages", type=int, default=100)
    parser.add_argument("--max-words", type=int, default=60)
    parser.add_argument("--n-vocabulary", type=int, default=20_000)
    parser.add_argument("--n-dimensions", type=int, default=100)
    parser.add_argument("--n-filters", type=int, default=64)
    parser.add_argument("--kernel-sizes", type=int, nargs="+", default=[1, 3, 5, 7, 9])
    parser.add_argument("--second-kernel-size", type=int, default=3)
    parser.add_argument("--n-features", type=int, default=64)
    parser.add_argument("--n-repeats", type=int, default=2)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--layouts", nargs="+", choices=LAYOUTS, default=LAYOUTS)
    parser.add_argument("--memory", action="store_true")
    settings = parser.parse_args()
    if settings.memory:
        arguments = [a for a in sys.argv if a != "--memory"]
        for layout in settings.layouts:
            subprocess.run(
                [sys.executable, *arguments, "--layouts", layout, "--n-repeats", "1"],
                check=True,
            )
        return

    torch.set_num_threads(settings.threads)
    layouts = settings.layouts
    del settings.layouts, settings.memory
    flat = None
    for layout in layouts:
        result, gradients = measure(layout, settings)
        if layout == "flat":
            flat = result, gradients
        elif flat is not None:
            result["ratio"] = round(result["cpu_seconds"] / flat[0]["cpu_seconds"], 1)
            result["loss_difference"] = abs(result["loss"] - flat[0]["loss"])
            result["gradient_difference"] = (gradients - flat[1]).abs().max().item()
            assert result["loss_difference"] < 1e-5, "the layouts disagree"
        if len(layouts) > 1:
            # Of this process the peaks of earlier layouts hide that of later ones.
            del result["extra_peak_megabytes"]
        print(json.dumps(result), flush=True)


if __name__ == "__main__":
    main()
