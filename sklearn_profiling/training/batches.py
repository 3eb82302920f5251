"""Batches built from flat arrays, without padding."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from scipy import sparse
from torch import Tensor
from torch.utils.data import Dataset

from sklearn_profiling.architectures.layers.images import FlatImages
from sklearn_profiling.architectures.layers.sources import SourceBatch
from sklearn_profiling.architectures.layers.sparse_rows import FlatRows
from sklearn_profiling.architectures.layers.text import FlatText
from sklearn_profiling.containers import ImageBags, TokenMessages
from sklearn_profiling.targets import EncodedLabels
from sklearn_profiling.training.inputs import (
    Sources,
    present,
    without_empty_messages,
)
from sklearn_profiling.training.label_weights import LabelWeights

__all__ = [
    "Batch",
    "LabelBatch",
    "UserDataset",
    "flatten_images",
    "flatten_rows",
    "flatten_text",
]


def flatten_text(text: TokenMessages, gap: int) -> FlatText:
    """Lay the messages of users end to end, `gap` positions between them."""
    n_messages = text.n_messages
    lengths = np.diff(text.message_starts)
    users = np.repeat(np.arange(len(text)), np.diff(text.user_starts))
    n_positions = text.n_words + gap * max(n_messages - 1, 0)
    ids = np.full(n_positions, len(text.vocabulary), dtype=np.int64)
    is_word = np.zeros(n_positions, dtype=bool)
    where = np.arange(text.n_words) + gap * np.repeat(np.arange(n_messages), lengths)
    ids[where] = text.ids
    is_word[where] = True
    segments = np.full(max(2 * n_messages - 1, 0), gap, dtype=np.int64)
    segments[::2] = lengths
    return FlatText(
        torch.from_numpy(ids),
        torch.from_numpy(is_word),
        torch.from_numpy(segments),
        torch.from_numpy(users),
        len(text),
    )


def flatten_images(bags: ImageBags) -> FlatImages:
    """Lay the images of users end to end."""
    users = np.repeat(np.arange(len(bags)), np.diff(bags.user_starts))
    # A copy, since bags are read-only and torch has no such tensors.
    pixels = torch.from_numpy(bags.pixels.copy())
    return FlatImages(pixels, torch.from_numpy(users), len(bags))


def flatten_rows(rows: sparse.csr_array, dtype: torch.dtype) -> FlatRows:
    """Lay the entries of sparse rows end to end."""
    return FlatRows(
        torch.from_numpy(rows.indices.astype(np.int64)),
        torch.from_numpy(rows.data).to(dtype),
        torch.from_numpy(rows.indptr[:-1].astype(np.int64)),
    )


@dataclass(frozen=True)
class Batch:
    """Sources of some users as tensors.

    Attributes
    ----------
    sources : dict of str to FlatText, FlatImages, FlatRows or Tensor
        What architectures read.
    present : dict of str to Tensor of bool, shape (n_users,)
        Which users have each source.
    n_users : int
        Number of users.
    n_in_all : int or None
        Number of users in the batch of which these are the part of one process.
    """

    sources: dict[str, SourceBatch]
    present: dict[str, Tensor]
    n_users: int
    n_in_all: int | None = None

    def __len__(self) -> int:
        return self.n_users if self.n_in_all is None else self.n_in_all

    def to(self, device: torch.device | str) -> Batch:
        """Copy to a device."""
        return Batch(
            {name: source.to(device) for name, source in self.sources.items()},
            {name: there.to(device) for name, there in self.present.items()},
            self.n_users,
            self.n_in_all,
        )


@dataclass(frozen=True)
class LabelBatch:
    """Labels of some users as tensors.

    Attributes
    ----------
    codes : Tensor of int64, shape (n_users, n_tasks)
        Class of each task, -1 where missing.
    members : dict of int to Tensor of float, shape (n_users, n_classes)
        Classes of set-valued tasks.
    weights : Tensor of float, shape (n_users, n_tasks)
        Weights of the labels in the loss.
    whole : LabelBatch or None
        Labels of the batch of which these users are the part of one process.
    """

    codes: Tensor
    members: dict[int, Tensor]
    weights: Tensor
    whole: LabelBatch | None = None

    def to(self, device: torch.device | str) -> LabelBatch:
        """Copy to a device."""
        return LabelBatch(
            self.codes.to(device),
            {task: members.to(device) for task, members in self.members.items()},
            self.weights.to(device),
            None if self.whole is None else self.whole.to(device),
        )

    def part(self, start: int, stop: int) -> LabelBatch:
        """Labels of the users from `start` to `stop`."""
        return LabelBatch(
            self.codes[start:stop],
            {task: members[start:stop] for task, members in self.members.items()},
            self.weights[start:stop],
        )


class UserDataset(Dataset[Any]):
    """Users with their sources and, for training, their labels and weights.

    `gap` is what filters need between messages; vectors and weights come in `dtype`.
    """

    def __init__(
        self,
        sources: Sources,
        gap: int,
        dtype: torch.dtype,
        labels: EncodedLabels | None = None,
        weights: LabelWeights | None = None,
    ) -> None:
        self.sources = without_empty_messages(sources)
        self.gap = gap
        self.dtype = dtype
        self.labels = labels
        self.present = {name: present(source) for name, source in sources.items()}
        self.n_users = int(next(iter(sources.values())).shape[0])
        n_tasks = 1 if labels is None else labels.codes.shape[1]
        self.weights = weights or LabelWeights.of_users(np.ones(self.n_users), n_tasks)

    def __len__(self) -> int:
        return self.n_users

    def __getitem__(self, row: int) -> tuple[Batch, LabelBatch | Tensor]:
        return self.__getitems__([row])

    def __getitems__(self, rows: Sequence[int]) -> tuple[Batch, LabelBatch | Tensor]:
        """Build the batch of some rows: users, and labels or an empty tensor."""
        chosen = np.asarray(rows, dtype=np.int64)
        sources = {name: self._tensors(name, chosen) for name in self.sources}
        there = {n: torch.from_numpy(p[chosen]) for n, p in self.present.items()}
        batch = Batch(sources, there, len(chosen))
        return batch, self.labels_of(chosen)

    def labels_of(self, rows: npt.NDArray[np.int64]) -> LabelBatch | Tensor:
        """Labels of some rows; an empty tensor where there are none to train on."""
        if self.labels is None:
            return torch.zeros(0)
        labels = self.labels.take(rows)
        return LabelBatch(
            torch.from_numpy(labels.codes),
            {t: torch.from_numpy(m).to(self.dtype) for t, m in labels.members.items()},
            torch.from_numpy(self.weights.loss[rows]).to(self.dtype),
        )

    def take(self, rows: npt.NDArray[np.int64]) -> UserDataset:
        """Choose users by their rows."""
        return UserDataset(
            {name: source[rows] for name, source in self.sources.items()},
            self.gap,
            self.dtype,
            None if self.labels is None else self.labels.take(rows),
            self.weights.take(rows),
        )

    def _tensors(self, name: str, rows: npt.NDArray[np.int64]) -> SourceBatch:
        source = self.sources[name]
        if isinstance(source, TokenMessages):
            return flatten_text(source[rows], self.gap)
        if isinstance(source, ImageBags):
            return flatten_images(source[rows])
        if sparse.issparse(source):
            return flatten_rows(source[rows], self.dtype)
        # NaN marks a missing source; its embedding replaces the zeros, and zeros, other
        # than NaN, leave the gradients of everybody else alone.
        return torch.from_numpy(np.nan_to_num(source[rows])).to(self.dtype)


def collate_whole(batch: tuple[Batch, Any]) -> tuple[Batch, Any]:
    """Pass on a batch that is built already."""
    return batch
