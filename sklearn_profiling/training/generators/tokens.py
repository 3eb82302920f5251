"""Profiles as tokens: what a generator learns to write, and the prompts of tasks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from sklearn_profiling.architectures.generators._tokens import (
    TaskPrompt,
    TokenIds,
    TokenRows,
)
from sklearn_profiling.targets import EncodedLabels, LabelCodec
from sklearn_profiling.training.batches import LabelBatch
from sklearn_profiling.training.generators.text import ProfileText, text_forms

__all__ = ["ProfileTokens", "WrittenProfiles", "learn_profile_text", "usual_sets"]

Classes = tuple[int, ...]


class WrittenProfiles(NamedTuple):
    """Profiles of some users as they should be written, on the CPU.

    Token ids (n_users, n_tokens), padded, and the task of each token, -1 where padded.
    """

    ids: Tensor
    tasks: Tensor


def learn_profile_text(
    codec: LabelCodec,
    labels: EncodedLabels,
    weights: npt.NDArray[np.float64],
    can_write: Callable[[str], bool] | None = None,
) -> ProfileText:
    """Decide how to write the profiles of some tasks, by the labels of training users.

    `weights` (n_users, n_tasks) are those of the labels. `can_write` tells whether
    a text survives the tokens of a language model.
    """
    sets = {
        task: usual_sets(labels, weights[:, task], task)
        for task, several in enumerate(codec.set_valued)
        if several
    }
    usual = [
        sets[task][0]
        if codec.set_valued[task]
        else (_commonest(labels.codes[:, task], weights[:, task], len(classes)),)
        for task, classes in enumerate(codec.classes)
    ]
    return ProfileText(
        text_forms(codec.task_names, "attribute", can_write),
        [text_forms(each.tolist(), "class", can_write) for each in codec.classes],
        list(codec.set_valued),
        usual,
        tuple(task for task, found in sets.items() if () in found),
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
    """Find the sets of classes of a set-valued task, the most frequent ones first.

    At most `most` of them, as positions of classes; the set of the first class where no
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
    """Tokens of every part of a profile, as they are in the text of the whole.

    `encode` turns a text into token ids, and `answers` are the possible classes, or
    sets of classes, of each task. With `per_task` each task's value is a text of its
    own, after a prompt, instead of a part of one profile.
    """

    def __init__(
        self,
        text: ProfileText,
        encode: Callable[[str], list[int]],
        ids: TokenIds,
        answers: Sequence[Sequence[Classes]],
        *,
        per_task: bool = False,
    ) -> None:
        self.text = text
        self.ids = ids
        self.per_task = per_task
        first, *names = text.names
        self.prefixes = [encode(f"{first}:")]
        self.prefixes += [_behind([";"], f" {name}:", encode) for name in names]
        self.values = [
            [_behind([":"], f" {form}", encode) for form in forms]
            for forms in text.classes
        ]
        every = [form for forms in text.classes for form in forms]
        self.comma, self.stop = (_behind(every, sign, encode) for sign in ",;")
        self.answers = [list(each) for each in answers]

    @property
    def longest(self) -> int:
        """Tokens of the longest profile that names each class of each set, with end."""
        tasks = range(len(self.values))
        prefixes = sum(len(prefix) for prefix in self.prefixes)
        return 1 + prefixes + sum(self._longest_value(task) for task in tasks)

    @property
    def longest_text(self) -> int:
        """Tokens of the longest text to write, a profile or a value, with end."""
        if not self.per_task:
            return self.longest
        return 1 + max(self._longest_value(task) for task in range(len(self.values)))

    def _longest_value(self, task: int) -> int:
        lengths = [len(value) for value in self.values[task]]
        every = sum(lengths) + len(lengths) * len(self.comma)
        return len(self.stop) + (every if self.text.set_valued[task] else max(lengths))

    def prompts(self) -> list[TaskPrompt]:
        """List the prompts of the tasks; the final ";" belongs to the answer."""
        prompts = []
        for task, answers in enumerate(self.answers):
            members = torch.zeros(
                len(answers), len(self.values[task]), dtype=torch.bool
            )
            for row, chosen in enumerate(answers):
                members[row, list(chosen)] = True
            tokens = [self.value(task, chosen) for chosen in answers]
            is_set = self.text.set_valued[task]
            prompts.append(TaskPrompt(self.prefixes[task], tokens, members, is_set))
        return prompts

    def value(self, task: int, chosen: Sequence[int]) -> list[int]:
        """Write some classes of a task, with the sign that ends an attribute."""
        tokens: list[int] = []
        for position in chosen:
            tokens += self.comma if tokens else []
            tokens += self.values[task][position]
        return tokens + self.stop

    def texts(self, labels: LabelBatch) -> list[WrittenProfiles]:
        """Write the profiles of users with these labels, or a value for each task."""
        if not self.per_task:
            return [self.written(labels)]
        return [self.answered(labels, task) for task in range(len(self.values))]

    def written(self, labels: LabelBatch) -> WrittenProfiles:
        """Write the profiles of some users; a missing label is left out."""
        rows, tasks = [], []
        for chosen in _chosen(labels):
            row: list[int] = []
            of: list[int] = []
            for task, classes in chosen.items():
                part = self.prefixes[task] + self.value(task, classes)
                row += part
                of += [task] * len(part)
            rows.append([*row, self.ids.end])
            # The end of the profile is known once its last attribute is.
            tasks.append([*of, of[-1]])
        return self._padded(rows, tasks)

    def answered(self, labels: LabelBatch, task: int) -> WrittenProfiles:
        """Write the values of one task; nothing where a label is missing."""
        rows = [
            [*self.value(task, chosen[task]), self.ids.end] if task in chosen else []
            for chosen in _chosen(labels)
        ]
        return self._padded(rows, [[task] * len(row) for row in rows])

    def _padded(self, rows: list[list[int]], tasks: list[list[int]]) -> WrittenProfiles:
        ids, _ = TokenRows.from_lists(rows).padded(self.ids.pad)
        return WrittenProfiles(ids, TokenRows.from_lists(tasks).padded(-1)[0])

    def profile(self, texts: Sequence[str]) -> str:
        """Make the profile of a user from the texts that were written.

        With `per_task` each text is a value, up to the sign that ends an attribute.
        """
        if not self.per_task:
            return texts[0]
        values = [text.partition(";")[0].strip() for text in texts]
        pairs = zip(self.text.names, values, strict=True)
        return " ".join(f"{name}: {value};" for name, value in pairs)

    def masked(self, labels: LabelBatch, hidden: Tensor) -> TokenRows:
        """Write profiles of which some values are hidden: ``Stars: <mask>;``.

        `hidden` is bool (n_users, n_tasks); a missing label is left out. On the CPU.
        """
        rows = []
        for chosen, hide in zip(_chosen(labels), hidden.tolist(), strict=True):
            row: list[int] = []
            for task, classes in chosen.items():
                masked = [self.ids.mask, *self.stop]
                row += self.prefixes[task]
                row += masked if hide[task] else self.value(task, classes)
            rows.append(row)
        return TokenRows.from_lists(rows)


def _behind(
    befores: Sequence[str], part: str, encode: Callable[[str], list[int]]
) -> list[int]:
    """Tokens of a part of a text behind the first of others that it does not join.

    Those of the part alone where tokens reach over the border of all of them.
    """
    for before in befores:
        start, whole = encode(before), encode(before + part)
        if whole[: len(start)] == start:
            return whole[len(start) :]
    return encode(part)


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
