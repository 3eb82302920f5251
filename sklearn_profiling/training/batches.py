"""Batches built from flat arrays, without padding."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.utils.data import Dataset

from sklearn_profiling.architectures.layers.flat_text import FlatText
from sklearn_profiling.architectures.layers.images import FlatImages
from sklearn_profiling.architectures.layers.sources import SourceBatch
from sklearn_profiling.containers import ImageBags, TokenMessages
from sklearn_profiling.targets import EncodedLabels
from sklearn_profiling.training.inputs import Sources, present

__all__ = ["Batch", "LabelBatch", "UserDataset", "flatten_images", "flatten_text"]


def flatten_text(text: TokenMessages, gap: int) -> FlatText:
    """Lay the messages of users end to end with a gap between them.

    Parameters
    ----------
    text : TokenMessages
        Messages of the users of a batch.
    gap : int
        Positions between two messages.

    Returns
    -------
    FlatText
        The batch.
    """
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
    """Lay the images of users end to end.

    Parameters
    ----------
    bags : ImageBags
        Images of the users of a batch.

    Returns
    -------
    FlatImages
        The batch, still in bytes.
    """
    users = np.repeat(np.arange(len(bags)), np.diff(bags.user_starts))
    # A copy, since bags are read-only and torch has no such tensors.
    pixels = torch.from_numpy(bags.pixels.copy())
    return FlatImages(pixels, torch.from_numpy(users), len(bags))


@dataclass(frozen=True)
class Batch:
    """Sources of some users as tensors.

    Attributes
    ----------
    sources : dict of str to FlatText, FlatImages or Tensor
        What architectures read.
    present : dict of str to Tensor of bool, shape (n_users,)
        Which users have each source.
    n_users : int
        Number of users.
    """

    sources: dict[str, SourceBatch]
    present: dict[str, Tensor]
    n_users: int

    def __len__(self) -> int:
        return self.n_users

    def to(self, device: torch.device | str) -> Batch:
        """Copy to a device.

        Parameters
        ----------
        device : torch.device or str
            Where to.

        Returns
        -------
        Batch
            The same batch there.
        """
        return Batch(
            {name: source.to(device) for name, source in self.sources.items()},
            {name: there.to(device) for name, there in self.present.items()},
            self.n_users,
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
    weights : Tensor of float, shape (n_users,)
        Weights of the users.
    """

    codes: Tensor
    members: dict[int, Tensor]
    weights: Tensor

    def to(self, device: torch.device | str) -> LabelBatch:
        """Copy to a device.

        Parameters
        ----------
        device : torch.device or str
            Where to.

        Returns
        -------
        LabelBatch
            The same labels there.
        """
        return LabelBatch(
            self.codes.to(device),
            {task: members.to(device) for task, members in self.members.items()},
            self.weights.to(device),
        )

    def part(self, start: int, stop: int) -> LabelBatch:
        """Choose neighbouring users.

        Parameters
        ----------
        start, stop : int
            Rows from `start` to before `stop`.

        Returns
        -------
        LabelBatch
            Their labels.
        """
        return LabelBatch(
            self.codes[start:stop],
            {task: members[start:stop] for task, members in self.members.items()},
            self.weights[start:stop],
        )


class UserDataset(Dataset[Any]):
    """Users with their sources and, for training, their labels.

    Parameters
    ----------
    sources : dict of str to source
        Checked sources.
    gaps : mapping of str to int
        Gap between messages for each text.
    dtype : torch.dtype
        Precision of dense sources, set members and weights.
    labels : EncodedLabels, default=None
        Labels; None when predicting.
    weights : ndarray of float, shape (n_users,), default=None
        Weights of the users, all 1 by default.
    """

    def __init__(
        self,
        sources: Sources,
        gaps: Mapping[str, int],
        dtype: torch.dtype,
        labels: EncodedLabels | None = None,
        weights: npt.NDArray[np.float64] | None = None,
    ) -> None:
        self.sources = sources
        self.gaps = gaps
        self.dtype = dtype
        self.labels = labels
        self.present = {name: present(source) for name, source in sources.items()}
        self.n_users = len(next(iter(sources.values())))
        self.weights = np.ones(self.n_users) if weights is None else weights

    def __len__(self) -> int:
        return self.n_users

    def __getitem__(self, row: int) -> tuple[Batch, LabelBatch | Tensor]:
        return self.__getitems__([row])

    def __getitems__(self, rows: Sequence[int]) -> tuple[Batch, LabelBatch | Tensor]:
        """Build the batch of some users at once.

        Parameters
        ----------
        rows : sequence of int
            Row numbers.

        Returns
        -------
        batch : Batch
            Their sources.
        labels : LabelBatch, or an empty Tensor without labels
            Their labels.
        """
        chosen = np.asarray(rows, dtype=np.int64)
        sources = {name: self._tensors(name, chosen) for name in self.sources}
        there = {n: torch.from_numpy(p[chosen]) for n, p in self.present.items()}
        batch = Batch(sources, there, len(chosen))
        if self.labels is None:
            return batch, torch.zeros(0)
        labels = self.labels.take(chosen)
        return batch, LabelBatch(
            torch.from_numpy(labels.codes),
            {t: torch.from_numpy(m).to(self.dtype) for t, m in labels.members.items()},
            torch.from_numpy(self.weights[chosen]).to(self.dtype),
        )

    def take(self, rows: npt.NDArray[np.int64]) -> UserDataset:
        """Choose users.

        Parameters
        ----------
        rows : ndarray of int
            Row numbers.

        Returns
        -------
        UserDataset
            These users with their sources, labels and weights.
        """
        return UserDataset(
            {name: source[rows] for name, source in self.sources.items()},
            self.gaps,
            self.dtype,
            None if self.labels is None else self.labels.take(rows),
            self.weights[rows],
        )

    def _tensors(self, name: str, rows: npt.NDArray[np.int64]) -> SourceBatch:
        source = self.sources[name]
        if isinstance(source, TokenMessages):
            return flatten_text(source[rows], self.gaps[name])
        if isinstance(source, ImageBags):
            return flatten_images(source[rows])
        # NaN marks a missing source; its stand-in replaces the zeros, and zeros, other
        # than NaN, leave the gradients of everybody else alone.
        return torch.from_numpy(np.nan_to_num(source[rows])).to(self.dtype)


def collate_whole(batch: tuple[Batch, Any]) -> tuple[Batch, Any]:
    """Pass a batch that is built already.

    Parameters
    ----------
    batch : tuple
        What ``UserDataset.__getitems__`` gives.

    Returns
    -------
    tuple
        The same.
    """
    return batch
