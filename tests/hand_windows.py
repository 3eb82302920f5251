"""Convolutions over windows written with one-hot vectors and loops, as defined."""

from __future__ import annotations

import math

import numpy as np


def cut(words, size, stride):
    """Windows of one document: lists of word ids, the last ones perhaps shorter."""
    if not words:
        return []
    steps = math.ceil(max(len(words) - size, 0) / stride)
    return [words[k * stride : k * stride + size] for k in range(steps + 1)]


def leave_out(windows, n_words, *, ordered):
    """Windows that differ from the one before them."""
    kept = []
    for k, window in enumerate(windows):
        before = windows[k - 1] if k else None
        if before is not None and same(window, before, n_words, ordered):
            continue
        kept.append(window)
    return kept


def same(one, other, n_words, ordered):
    return np.array_equal(*(one_hot(r, 20, n_words, ordered) for r in (one, other)))


def one_hot(window, size, n_words, ordered):
    """Vector of a window; ids from `n_words` on are no words."""
    places = np.zeros((size, n_words))
    for place, word in enumerate(window):
        if word < n_words:
            places[place, word] = 1
    return places.ravel() if ordered else places.sum(axis=0)


def convolve(words, weights, bias, *, size, stride, variable, ordered, n_units):
    """Pooling units of one document; `weights` has a row for each one-hot entry."""
    n_words = len(weights) // (size if ordered else 1)
    windows = cut(words, size, stride)
    if variable:
        windows = leave_out(windows, n_words, ordered=ordered)
    if not windows:
        return np.zeros(n_units * weights.shape[1])
    rows = np.array([one_hot(r, size, n_words, ordered) for r in windows])
    values = np.maximum(rows @ weights + bias, 0)
    units = []
    for k in range(n_units):
        first = k * len(values) // n_units
        last = max((k + 1) * len(values) // n_units, first + 1)
        z = values[first:last].mean(axis=0)
        units.append(z / math.sqrt(1 + z @ z))
    return np.concatenate(units)
