"""Tokens of users, end to end: joined, cut, padded."""

from __future__ import annotations

import torch

from sklearn_profiling.architectures.generators._tokens import TokenRows

ROWS = TokenRows.from_lists([[5, 6, 7], [], [8]])


def lists(rows):
    return [rows.ids[rows.users == user].tolist() for user in range(rows.n_users)]


def test_lists_come_back():
    assert lists(ROWS) == [[5, 6, 7], [], [8]]
    assert ROWS.positions().tolist() == [0, 1, 2, 0]
    assert lists(TokenRows.empty(2)) == [[], []]


def test_joined_and_cut():
    both = ROWS.join(TokenRows.from_lists([[1], [2, 3], []]))
    assert lists(both) == [[5, 6, 7, 1], [2, 3], [8]]
    assert both.users.tolist() == sorted(both.users.tolist())
    assert lists(both.first(2)) == [[5, 6], [2, 3], [8]]
    assert lists(both.first(torch.tensor([0, 1, 5]))) == [[], [2], [8]]
    assert lists(both.part(1, 3)) == [[2, 3], [8]]


def test_padded():
    ids, is_token = ROWS.padded(9)
    assert ids.tolist() == [[5, 6, 7], [9, 9, 9], [8, 9, 9]]
    assert is_token.tolist() == [[True] * 3, [False] * 3, [True, False, False]]
    assert TokenRows.empty(2).padded(9)[0].shape == (2, 0)
