"""A user's profile as one line of text, and the way back to labels.

``Stars: 4; Favorite Category: Coffee, Pizza; Budget Range: Low;``

What a language model wrote need not be a profile: the way back takes the nearest valid
label by edit distance, and reports which attributes it had to repair.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

__all__ = [
    "ParsedProfile",
    "ProfileText",
    "ProfileWords",
    "canonical",
    "edit_distance",
    "text_forms",
]

_PIECES = re.compile(r"\w+|[^\w\s]")
_RESERVED = re.compile(r"[;:,]")


def canonical(text: str) -> str:
    """Words and signs in lower case with one space between."""
    return " ".join(_PIECES.findall(text)).casefold()


def text_forms(
    labels: Iterable[Any], noun: str, can_write: Callable[[str], bool] | None = None
) -> list[str]:
    """Write labels of any kind as texts that can be told apart in a profile.

    ``str(label)`` on one line, the signs ``; : ,`` replaced by ``/``; a number in
    brackets follows where two would read the same but for case or spacing. A label
    without such a text, or one that `can_write` says does not survive the tokens of a
    language model, is `noun` with its position.
    """
    forms: list[str] = []
    seen: set[str] = set()
    for position, label in enumerate(labels):
        plain = " ".join(_RESERVED.sub("/", str(label)).split())
        usable = canonical(plain) and (can_write is None or can_write(plain))
        form = plain if usable else f"{noun} {position}"
        plain, count = form, 1
        while canonical(form) in seen:
            count += 1
            form = f"{plain} ({count})"
        seen.add(canonical(form))
        forms.append(form)
    return forms


def edit_distance(one: str, other: str) -> int:
    """Count the characters to insert, delete or replace (Levenshtein distance)."""
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, start=1):
        last, row[0] = row[0], i
        for j, b in enumerate(other, start=1):
            last, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, last + (a != b))
    return row[-1]


def _nearest(text: str, forms: Sequence[str]) -> int:
    """Position of the form that is nearest; the first of several."""
    return min(range(len(forms)), key=lambda k: edit_distance(text, forms[k]))


@dataclass(frozen=True)
class ParsedProfile:
    """Classes that a text gives a user.

    For each task the positions of its classes, one or those of a set, and whether the
    text did not hold it word for word.
    """

    classes: list[tuple[int, ...]]
    repaired: list[bool]


@dataclass(frozen=True)
class ProfileText:
    """How the profiles of some tasks are written.

    `usual` are the classes of each task to assume where a text does not name it,
    and `may_be_empty` the tasks of which a user may have no class at all.

    Examples
    --------
    >>> from sklearn_profiling.training.generators.text import ProfileText
    >>> form = ProfileText(
    ...     ["Stars", "Category"],
    ...     [["3", "4"], ["Coffee", "Pizza"]],
    ...     [False, True],
    ...     [(1,), (0,)],
    ... )
    >>> form.write([(0,), (0, 1)])
    'Stars: 3; Category: Coffee, Pizza;'
    >>> form.parse("Stars: 3; Categorie: Pizzza;")
    ParsedProfile(classes=[(0,), (1,)], repaired=[False, True])
    """

    names: Sequence[str]
    classes: Sequence[Sequence[str]]
    set_valued: Sequence[bool]
    usual: Sequence[tuple[int, ...]]
    may_be_empty: Sequence[int] = ()

    def write(self, chosen: Sequence[Sequence[int] | None]) -> str:
        """Write the classes of each task, by position; None leaves a task out."""
        parts = []
        for name, forms, positions in zip(
            self.names, self.classes, chosen, strict=True
        ):
            if positions is not None:
                values = ", ".join(forms[k] for k in positions)
                parts.append(f"{name}: {values};")
        return " ".join(parts)

    def parse(self, text: str) -> ParsedProfile:
        """Read a profile, or anything else, to valid classes of every task.

        A name or value that is not known counts as the one of smallest edit distance,
        the first of several; a name that is further off than half its length is
        ignored, and a task that is not named gets its usual classes.
        """
        values, misspelt = self._assign(text)
        classes, repaired = [], []
        for task in range(len(self.names)):
            found, wrong = self._values(task, values.get(task))
            classes.append(found)
            repaired.append(wrong or task in misspelt)
        return ParsedProfile(classes, repaired)

    def _assign(self, text: str) -> tuple[dict[int, str], set[int]]:
        """Find the part of a text for each task; the first one of several."""
        names = [canonical(name) for name in self.names]
        parts = []
        for part in text.split(";"):
            name, colon, value = part.partition(":")
            if colon:
                parts.append((canonical(name), value))
        values: dict[int, str] = {}
        unknown = []
        for name, value in parts:
            if name in names:
                values.setdefault(names.index(name), value)
            else:
                unknown.append((name, value))
        misspelt: set[int] = set()
        for name, value in unknown:
            free = [task for task in range(len(names)) if task not in values]
            if not free:
                break
            task = free[_nearest(name, [names[task] for task in free])]
            if 2 * edit_distance(name, names[task]) <= len(names[task]):
                values[task] = value
                misspelt.add(task)
        return values, misspelt

    def _values(self, task: int, text: str | None) -> tuple[tuple[int, ...], bool]:
        """Classes that a value names, and whether any had to be repaired."""
        if text is None:
            return self.usual[task], True
        if task in self.may_be_empty and not canonical(text):
            return (), False
        forms = [canonical(form) for form in self.classes[task]]
        parts = text.split(",") if self.set_valued[task] else [text]
        pieces = [piece for piece in map(canonical, parts) if piece]
        if not pieces:
            return self.usual[task], True
        exact = all(piece in forms for piece in pieces)
        found = {
            forms.index(piece) if piece in forms else _nearest(piece, forms)
            for piece in pieces
        }
        return tuple(sorted(found)), not exact


class ProfileWords:
    """Words and signs of all profiles as ids: a tokenizer for models without one."""

    def __init__(self, text: ProfileText, first_id: int) -> None:
        # In the order of the profile, so that ids do not depend on how it is spelt.
        forms = [";:,", *text.names, *(form for each in text.classes for form in each)]
        pieces = [piece for form in forms for piece in _PIECES.findall(form)]
        self.words = list(dict.fromkeys(pieces))
        self.first_id = first_id

    def __len__(self) -> int:
        return len(self.words)

    def encode(self, text: str) -> list[int]:
        """Look up the words of a part of a profile, all of them known."""
        return [
            self.first_id + self.words.index(word) for word in _PIECES.findall(text)
        ]

    def decode(self, ids: Sequence[int]) -> str:
        """Write words with one space between; ids of no word are left out."""
        last = self.first_id + len(self.words)
        known = [k - self.first_id for k in ids if self.first_id <= k < last]
        return " ".join(self.words[k] for k in known)
