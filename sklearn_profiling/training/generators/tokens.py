"""Profiles as tokens: what a generator is taught to write, and asked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from sklearn_profiling.architectures.generators._token_rows import TokenRows
from sklearn_profiling.architectures.generators.profile_generator import (
    Question,
    TokenIds,
)
from sklearn_profiling.targets import EncodedLabels, LabelCodec
from sklearn_profiling.training.batches import LabelBatch
from sklearn_profiling.training.generators.text import ProfileText, text_forms

__all__ = ["ProfileTokens", "WrittenProfiles", "learn_profile_text", "usual_sets"]

Classes = tuple[int, ...]


class WrittenProfiles(NamedTuple):
    """Profiles of some users, as they should be written.

    Attributes
    ----------
    ids : Tensor of int64, shape (n_users, n_tokens)
        Tokens, padded.
    tasks : Tensor of int64, shape (n_users, n_tokens)
        Task that each token speaks of; -1 where padded.
    """

    ids: Tensor
    tasks: Tensor


def learn_profile_text(
    codec: LabelCodec,
    labels: EncodedLabels,
    weights: npt.NDArray[np.float64],
    can_write: Callable[[str], bool] | None = None,
) -> ProfileText:
    """Find out how to write the profiles of some tasks.

    Parameters
    ----------
    codec : LabelCodec
        Tasks and classes.
    labels : EncodedLabels
        Labels of the training users.
    weights : ndarray of float64, shape (n_users,)
        Weights of the users; a label of more weight is more usual.
    can_write : callable, default=None
        Tells whether a text survives the tokens of a language model; None if any does.

    Returns
    -------
    ProfileText
        The form.
    """
    sets = {
        task: usual_sets(labels, weights, task)
        for task, several in enumerate(codec.set_valued)
        if several
    }
    usual = [
        sets[task][0]
        if codec.set_valued[task]
        else (_commonest(labels.codes[:, task], weights, len(classes)),)
        for task, classes in enumerate(codec.classes)
    ]
    return ProfileText(
        text_forms(codec.task_names, "attribute", can_write),
        [text_forms(each.tolist(), "class", can_write) for each in codec.classes],
        list(codec.set_valued),
        usual,
        frozenset(task for task, found in sets.items() if () in found),
    )


def _commonest(
    codes: npt.NDArray[np.int64], weights: npt.NDArray[np.float64], n_classes: int
) -> int:
    known = codes >= 0
    counts = np.bincount(codes[known], weights=weights[known], minlength=n_classes)
    return int(counts.argmax())


def usual_sets(
    labels: EncodedLabels,
    weights: npt.NDArray[np.float64],
    task: int,
    *,
    most: int | None = None,
) -> list[Classes]:
    """Find the sets of classes that occur, the most frequent ones first.

    Parameters
    ----------
    labels : EncodedLabels
        Labels of the training users.
    weights : ndarray of float64, shape (n_users,)
        Weights of the users.
    task : int
        A set-valued task.
    most : int or None, default=None
        How many sets to give at the most; None gives all.

    Returns
    -------
    list of tuple of int
        Positions of classes, none in an empty set; the set of the first class where no
        user is labelled.
    """
    counts: dict[Classes, float] = {}
    codes = labels.codes[:, task].tolist()
    for code, row, weight in zip(codes, labels.members[task], weights, strict=True):
        if code >= 0:
            chosen = tuple(np.flatnonzero(row).tolist())
            counts[chosen] = counts.get(chosen, 0.0) + float(weight)
    ordered = sorted(counts, key=lambda chosen: (-counts[chosen], chosen))
    return ordered[:most] or [(0,)]


class ProfileTokens:
    """Tokens of every part of a profile.

    Parameters
    ----------
    text : ProfileText
        How profiles are written.
    encode : callable
        From a text to token ids of the language model.
    ids : TokenIds
        Ids that mean something to it.
    answers : sequence of sequence of tuple of int
        For each task the classes, or sets of classes, that are possible answers.
    """

    def __init__(
        self,
        text: ProfileText,
        encode: Callable[[str], list[int]],
        ids: TokenIds,
        answers: Sequence[Sequence[Classes]],
    ) -> None:
        self.text = text
        self.ids = ids
        self.headers = [encode(f"{name}:") for name in text.names]
        self.values = [[encode(form) for form in forms] for forms in text.classes]
        self.comma, self.stop = encode(","), encode(";")
        self.answers = [list(each) for each in answers]

    @property
    def longest(self) -> int:
        """Tokens of the longest profile that names each class of each set, with end."""
        tasks = range(len(self.values))
        headers = sum(len(header) for header in self.headers)
        return 1 + headers + sum(self._longest_value(task) for task in tasks)

    @property
    def longest_answer(self) -> int:
        """Tokens of the longest value of an attribute, with end."""
        return 1 + max(self._longest_value(task) for task in range(len(self.values)))

    def _longest_value(self, task: int) -> int:
        lengths = [len(value) for value in self.values[task]]
        every = sum(lengths) + len(lengths) * len(self.comma)
        return len(self.stop) + (every if self.text.set_valued[task] else max(lengths))

    def questions(self) -> list[Question]:
        """Ask about each task.

        Returns
        -------
        list of Question
            One a task; the sign that ends an attribute belongs to the answer.
        """
        questions = []
        for task, answers in enumerate(self.answers):
            members = torch.zeros(
                len(answers), len(self.values[task]), dtype=torch.bool
            )
            for row, chosen in enumerate(answers):
                members[row, list(chosen)] = True
            tokens = [self.value(task, chosen) for chosen in answers]
            is_set = self.text.set_valued[task]
            questions.append(Question(self.headers[task], tokens, members, is_set))
        return questions

    def value(self, task: int, chosen: Sequence[int]) -> list[int]:
        """Write the value of an attribute.

        Parameters
        ----------
        task : int
            The task.
        chosen : sequence of int
            Positions of the classes.

        Returns
        -------
        list of int
            Tokens, with the sign that ends an attribute.
        """
        tokens: list[int] = []
        for position in chosen:
            tokens += self.comma if tokens else []
            tokens += self.values[task][position]
        return tokens + self.stop

    def written(self, labels: LabelBatch) -> WrittenProfiles:
        """Write the profiles of some users; a missing label is left out.

        Parameters
        ----------
        labels : LabelBatch
            Their labels.

        Returns
        -------
        WrittenProfiles
            The profiles, on the CPU.
        """
        rows, tasks = [], []
        for chosen in _chosen(labels):
            row: list[int] = []
            of: list[int] = []
            for task, classes in chosen.items():
                part = self.headers[task] + self.value(task, classes)
                row += part
                of += [task] * len(part)
            rows.append([*row, self.ids.end])
            # The end of the profile is known once its last attribute is.
            tasks.append([*of, of[-1]])
        ids, _ = TokenRows.from_lists(rows).padded(self.ids.pad)
        return WrittenProfiles(ids, TokenRows.from_lists(tasks).padded(-1)[0])

    def answered(self, labels: LabelBatch, task: int) -> WrittenProfiles:
        """Write one attribute of some users; nothing where its label is missing.

        Parameters
        ----------
        labels : LabelBatch
            Their labels.
        task : int
            The task.

        Returns
        -------
        WrittenProfiles
            Values alone, each with its end, on the CPU.
        """
        rows = [
            [*self.value(task, chosen[task]), self.ids.end] if task in chosen else []
            for chosen in _chosen(labels)
        ]
        tasks = [[task] * len(row) for row in rows]
        ids, _ = TokenRows.from_lists(rows).padded(self.ids.pad)
        return WrittenProfiles(ids, TokenRows.from_lists(tasks).padded(-1)[0])

    def masked(self, labels: LabelBatch, hidden: Tensor) -> TokenRows:
        """Write profiles of which some values are hidden: ``Stars: <mask>;``.

        Parameters
        ----------
        labels : LabelBatch
            Labels of some users.
        hidden : Tensor of bool, shape (n_users, n_tasks)
            Which values to hide.

        Returns
        -------
        TokenRows
            The profiles, on the CPU; a missing label is left out.
        """
        rows = []
        for chosen, hide in zip(_chosen(labels), hidden.tolist(), strict=True):
            row: list[int] = []
            for task, classes in chosen.items():
                masked = [self.ids.mask, *self.stop]
                row += self.headers[task]
                row += masked if hide[task] else self.value(task, classes)
            rows.append(row)
        return TokenRows.from_lists(rows)


def _chosen(labels: LabelBatch) -> list[dict[int, list[int]]]:
    """Classes of each user by task, without those of missing labels."""
    users: list[dict[int, list[int]]] = []
    sets: dict[int, Any] = {
        task: rows.tolist() for task, rows in labels.members.items()
    }
    for user, codes in enumerate(labels.codes.tolist()):
        chosen: dict[int, list[int]] = {}
        for task, code in enumerate(codes):
            if code < 0:
                continue
            chosen[task] = [code]
            if task in sets:
                chosen[task] = [
                    k for k, inside in enumerate(sets[task][user]) if inside
                ]
        users.append(chosen)
    return users
