"""Speed of an LSTM over text in length buckets against the same text padded.

Both layouts train the same weights, message by message, over the same users in the same
batches, forward and backward, so losses and gradients must agree. The reference pads
every message to the longest of its batch. Building the layout counts, for both. One
JSON line for each layout.

    python benchmarks/speed/bench_lstm.py --threads 1
"""

from __future__ import annotations

import argparse
import json
import time

import numpy as np
import torch
from torch.nn.functional import cross_entropy

from sklearn_profiling.architectures import LSTM
from sklearn_profiling.architectures.layers.sources import SourceDescription
from sklearn_profiling.containers import TokenMessages, Vocabulary
from sklearn_profiling.training.batches import flatten_text

LAYOUTS = ("buckets", "padded to the batch's largest")
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
    return LSTM(
        [text],
        N_CLASSES,
        level="message",
        max_words=None,
        n_hidden=settings.n_hidden,
        n_dense=64,
        n_dimensions=settings.n_dimensions,
        trainable_vectors=False,
        dropout=0.0,
        word_dropout=0.0,
        source_dropout=0.0,
    )


def read_padded(net, flat):
    """Every message padded to the longest, masked, averaged over the user's words."""
    lengths = flat.segment_lengths[::2]
    steps = torch.arange(int(lengths.max())).unsqueeze(1)
    real = steps < lengths  # (n_steps, n_messages)
    ids = torch.full(real.shape, net.text.embedding.gap_id)
    ids.T[real.T] = flat.ids
    (reader,) = net.text.lstms
    outputs, _ = reader.lstm(net.text.embedding(ids))
    sums = (outputs * real.unsqueeze(-1)).sum(dim=0)
    zeros = sums.new_zeros(flat.n_users, sums.shape[1])
    users = zeros.index_add(0, flat.message_users, sums)
    words = lengths.new_zeros(flat.n_users).index_add(0, flat.message_users, lengths)
    return users / words.unsqueeze(1)


def logits_of(net, text, layout):
    flat = flatten_text(text, 0)
    if layout == "buckets":
        present = torch.ones(len(text), dtype=torch.bool)
        return net({"text": flat}, {"text": present})
    hidden = net.dense(read_padded(net, flat))
    return tuple(output(hidden) for output in net.outputs)


def epoch(net, text, codes, layout, settings):
    """Forward and backward over all users; the mean loss and its gradients."""
    net.zero_grad()
    total = 0.0
    for start in range(0, len(text), settings.batch_size):
        rows = slice(start, start + settings.batch_size)
        logits = logits_of(net, text[rows], layout)
        loss = sum(
            cross_entropy(scores, codes[rows, task], reduction="sum")
            for task, scores in enumerate(logits)
        )
        loss.backward()
        total += loss.item()
    gradients = [
        parameter.grad.flatten()
        for name, parameter in net.named_parameters()
        # Everybody has text, so the reference leaves out the missing-source embedding.
        if parameter.requires_grad and "missing" not in name
    ]
    return total / len(text), torch.cat(gradients) / len(text)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--n-users", type=int, default=192)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--max-messages", type=int, default=100)
    parser.add_argument("--max-words", type=int, default=60)
    parser.add_argument("--n-vocabulary", type=int, default=20_000)
    parser.add_argument("--n-dimensions", type=int, default=200)
    parser.add_argument("--n-hidden", type=int, default=64)
    parser.add_argument("--n-repeats", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    settings = parser.parse_args()
    torch.set_num_threads(settings.threads)
    text, net = make_text(settings), make_net(settings)
    rng = np.random.default_rng(settings.seed)
    codes = torch.tensor([[rng.integers(n) for n in N_CLASSES] for _ in text.missing])
    seconds = {layout: [] for layout in LAYOUTS}
    found = {}
    # In turn, so that whatever else the machine does falls on both.
    for _ in range(settings.n_repeats):
        for layout in LAYOUTS:
            start = time.process_time()
            found[layout] = epoch(net, text, codes, layout, settings)
            seconds[layout].append(time.process_time() - start)
    (loss, gradients), quickest = found["buckets"], min(seconds["buckets"])
    for layout in LAYOUTS:
        result = {
            "benchmark": "lstm", "layout": layout, **vars(settings),
            "n_messages": text.n_messages, "words": text.n_words,
            "cpu_seconds": round(min(seconds[layout]), 3),
            "ratio": round(min(seconds[layout]) / quickest, 1),
            "loss": found[layout][0],
            "loss_difference": abs(found[layout][0] - loss),
            "gradient_difference": (found[layout][1] - gradients).abs().max().item(),
        }  # fmt: skip
        assert result["loss_difference"] < 1e-5, "the layouts disagree"
        print(json.dumps(result), flush=True)


if __name__ == "__main__":
    main()
