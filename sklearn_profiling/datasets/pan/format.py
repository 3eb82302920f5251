"""The files of PAN's author profiling: authors in XML, lines and columns of truth."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple
from xml.parsers.expat import ErrorString, ExpatError, ParserCreate

from sklearn_profiling.datasets._files import BadLine

SEPARATOR: Final = ":::"
TEXT_FOLDER: Final = "text"
IMAGE_FOLDERS: Final = ("photo", "photos", "images")
BIG_FIVE: Final = ("extroverted", "stable", "agreeable", "conscientious", "open")
# the attributes of the tasks' output, where they differ from the names of the tasks
ATTRIBUTES: Final = {"bot": "type", "spreader": "type", "irony": "type"}

_MESSAGE_TAGS = ("document", "conversation")
# "xx-xx" and its like stand for hidden and unknown labels
_MISSING = re.compile(r"|none|nan|unk(nown)?|x+(-x+)?", re.IGNORECASE)
_GENDERS = {"m": "male", "f": "female", "male": "male", "female": "female"}
_VALUES: Final[dict[str, frozenset[str]]] = {
    # before gender, whose column of 2019 may hold "bot" as well
    "bot": frozenset({"bot", "human"}),
    "gender": frozenset({*_GENDERS, "bot"}),
    "variety": frozenset(
        {
            *("australia", "canada", "great britain", "ireland", "new zealand"),
            *("united states", "argentina", "chile", "colombia", "mexico", "peru"),
            *("spain", "venezuela", "brazil", "portugal"),
            *("egypt", "gulf", "levantine", "maghrebi"),
        }
    ),
    "irony": frozenset({"i", "ni"}),
    "spreader": frozenset({"0", "1"}),
}
_AGE = re.compile(r"\d{1,2}(s|-(\d{1,2}|xx|plus)|\+)|xx-xx", re.IGNORECASE)
_SCORE = re.compile(r"-?0?\.\d+|-?[01](\.0+)?")
_NAMED = re.compile(
    r"(?P<user_id>.+)_(?P<lang>[a-z]{2})_(?P<age_group>\d\ds|\d\d-\w\w|x+(-x+)?)"
    r"_(?P<gender>male|female|x+)",
    re.IGNORECASE,
)


class BadAuthor(BadLine):
    """An author's file breaks the format at a line, None if it has none."""

    def __init__(self, kind: str, detail: str, line: int | None) -> None:
        self.line = line
        super().__init__(kind, detail)


class Author(NamedTuple):
    """One author's file; the attributes are those of its root, lower-case names."""

    attributes: dict[str, str]
    messages: list[str]
    n_without_text: int


class FileName(NamedTuple):
    """What the name of an author's file tells."""

    user_id: str
    language: str | None
    labels: dict[str, str | None]


class _Reader:
    """Collects the messages of an author from the events of an XML parser."""

    def __init__(self) -> None:
        self.attributes: dict[str, str] | None = None
        self.messages: list[str] = []
        self.n_without_text = 0
        self._inside: list[str] = []
        self._text: list[str] = []

    def doctype(self, name: str, *_: object) -> None:
        raise BadLine(
            kind="document type declaration",
            detail=f"<!DOCTYPE {name:.60}> may declare entities, as none of PAN does",
        )

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if self.attributes is None:
            if name != "author":
                detail = f"the root must be <author>; got <{name:.60}>"
                raise BadLine(kind="no author", detail=detail)
            self.attributes = {key.lower(): attributes[key] for key in attributes}
        elif name in _MESSAGE_TAGS:
            self._inside.append(name)

    def text(self, data: str) -> None:
        if self._inside:
            self._text.append(data)

    def end(self, name: str) -> None:
        if not self._inside or name not in _MESSAGE_TAGS:
            return
        self._inside.pop()
        if self._inside:
            return
        message = "".join(self._text).strip()
        self._text.clear()
        if message:
            self.messages.append(message)
        else:
            self.n_without_text += 1


def parse_author(content: bytes) -> Author:
    """Read an author's XML; declarations of document types and entities are refused."""
    reader = _Reader()
    parser = ParserCreate()
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = reader.doctype
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    try:
        parser.Parse(content, True)  # noqa: FBT003 - it takes no keywords
    except BadLine as fault:
        line = parser.CurrentLineNumber
        raise BadAuthor(fault.kind, fault.detail, line) from fault
    except ExpatError as error:
        kind, detail = "no well-formed XML", ErrorString(error.code)
        raise BadAuthor(kind, detail, error.lineno) from error
    except (LookupError, ValueError) as error:
        kind = "unreadable encoding"
        raise BadAuthor(kind, str(error), None) from error
    return Author(reader.attributes or {}, reader.messages, reader.n_without_text)


def parse_file_name(stem: str) -> FileName:
    """Return the id, and what names of 2013 add: ``id_lang_age_gender``."""
    named = _NAMED.fullmatch(stem)
    if named is None:
        return FileName(stem, None, {})
    labels = {task: clean_label(task, named[task]) for task in ("age_group", "gender")}
    return FileName(named["user_id"], named["lang"].lower(), labels)


def parse_truth_line(line: str, n_labels: int | None) -> list[str]:
    """Read ``user_id:::label[:::label ...]``, with as many labels as before."""
    fields = [field.strip() for field in line.split(SEPARATOR)]
    if len(fields) < 2 or (n_labels is not None and len(fields) != 1 + n_labels):
        wanted = "2 or more" if n_labels is None else 1 + n_labels
        detail = f"expected {wanted} (user_id:::label ...), found {len(fields)}"
        raise BadLine(kind="wrong number of fields", detail=detail)
    return fields


def clean_label(task: str, label: str) -> str | None:
    """Return the label; None if missing. Genders are male, female; bots have none."""
    if _MISSING.fullmatch(label):
        return None
    if task == "gender":
        return None if label.lower() == "bot" else _GENDERS.get(label.lower(), label)
    return label


def bin_score(score: str, edges: Sequence[float]) -> str:
    """Return the interval between rising edges that holds a score."""
    place = bisect_right(edges, float(score))
    if place == 0:
        return f"below {edges[0]:g}"
    if place == len(edges):
        return f"{edges[-1]:g} or more"
    return f"{edges[place - 1]:g} to {edges[place]:g}"


def labels_of(attributes: Mapping[str, str]) -> dict[str, str | None]:
    """Return the labels among the attributes of an author's root."""
    labels: dict[str, str | None] = {}
    for task in ("age_group", "gender"):
        if task in attributes:
            labels[task] = clean_label(task, attributes[task])
    return labels


def name_columns(rows: Sequence[Sequence[str]]) -> list[str]:
    """Name each column of labels by its values; unknown ones are label0, label1 ..."""
    columns = [
        {label.lower() for label in column if not _MISSING.fullmatch(label)}
        # the ages of 2015 that are all hidden
        or {"xx-xx"}.intersection(map(str.lower, column))
        for column in zip(*rows, strict=True)
    ]
    names: list[str] = []
    scores = columns[-len(BIG_FIVE) :]
    if len(scores) == len(BIG_FIVE) and all(map(_are_scores, scores)):
        columns = columns[: -len(BIG_FIVE)]
    for place, values in enumerate(columns):
        # two digits alone tell a task only if there is no other
        unlikely = names if len(rows[0]) == 1 else [*names, "spreader"]
        known = (name for name in _names_of(values) if name not in unlikely)
        names.append(next(known, f"label{place}"))
    return names + (list(BIG_FIVE) if len(columns) < len(rows[0]) else [])


def _are_scores(values: set[str]) -> bool:
    return any("." in text for text in values) and all(map(_SCORE.fullmatch, values))


def _names_of(values: set[str]) -> list[str]:
    """Return the tasks that may have such labels; none without any label."""
    if not values:
        return []
    if all(map(_AGE.fullmatch, values)):
        return ["age_group"]
    return [name for name, allowed in _VALUES.items() if values <= allowed]
