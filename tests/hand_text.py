"""Flat text laid out word by word, as its definition says and no faster."""

from __future__ import annotations

import torch

from sklearn_profiling.architectures.layers.text import FlatText


def lay_out(users: list[list[list[int]]], gap: int, n_words: int) -> FlatText:
    """Lay word ids of the messages of users end to end."""
    ids: list[int] = []
    is_word: list[bool] = []
    lengths: list[int] = []
    writers: list[int] = []
    for user, messages in enumerate(users):
        for message in messages:
            if lengths:
                ids += [n_words] * gap
                is_word += [False] * gap
                lengths.append(gap)
            ids += message
            is_word += [True] * len(message)
            lengths.append(len(message))
            writers.append(user)
    return FlatText(
        torch.tensor(ids, dtype=torch.int64),
        torch.tensor(is_word, dtype=torch.bool),
        torch.tensor(lengths, dtype=torch.int64),
        torch.tensor(writers, dtype=torch.int64),
        len(users),
    )


def random_users(generator, n_users: int, n_words: int) -> list[list[list[int]]]:
    """Users with 0 to 4 messages of 1 to 9 words; the last one has none."""
    return [
        [
            generator.integers(0, n_words, generator.integers(1, 10)).tolist()
            for _ in range(generator.integers(0, 5))
        ]
        for _ in range(n_users - 1)
    ] + [[]]
