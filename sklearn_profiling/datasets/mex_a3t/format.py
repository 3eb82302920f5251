"""The folder of the MEX-A3T loader: names of files, one line of labels, classes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final, NamedTuple

from sklearn_profiling.datasets._files import BadLine

TRUTH: Final = "truth.txt"
TEXT_FOLDER: Final = "text"
IMAGE_FOLDER: Final = "images"
SEPARATOR: Final = ":::"
MISSING: Final = "None"

# in the order of the paper's tables
CLASSES: Final[dict[str, tuple[str, ...]]] = {
    "gender": ("male", "female"),
    "location": ("center", "southeast", "northwest", "north", "northeast", "west"),
    "occupation": (
        *("others", "arts", "student", "social"),
        *("sciences", "sports", "administrative", "health"),
    ),
}
TASKS: Final = tuple(CLASSES)
_SPANISH: Final[dict[str, dict[str, str]]] = {
    "gender": {"hombre": "male", "mujer": "female"},
    "location": {
        "centro": "center",
        "sureste": "southeast",
        "noroeste": "northwest",
        "norte": "north",
        "noreste": "northeast",
        "oeste": "west",
        "occidente": "west",
    },
    "occupation": {
        "otros": "others",
        "artes": "arts",
        "estudiante": "student",
        "ciencias": "sciences",
        "deportes": "sports",
        "administrativo": "administrative",
        "salud": "health",
    },
}

_LAYOUT = SEPARATOR.join(("user_id", *TASKS))
_NUMBER = re.compile(r"(\d+)")


class TruthRecord(NamedTuple):
    """One line of ``truth.txt``; None marks a missing label."""

    user_id: str
    gender: str | None
    location: str | None
    occupation: str | None


def parse_truth_line(line: str) -> TruthRecord:
    """Read ``user_id:::gender:::location:::occupation``."""
    fields = [field.strip() for field in line.split(SEPARATOR)]
    if len(fields) != 1 + len(TASKS):
        detail = f"expected {1 + len(TASKS)} ({_LAYOUT}), found {len(fields)}"
        raise BadLine(kind="wrong number of fields", detail=detail)
    labels = map(parse_label, TASKS, fields[1:])
    return TruthRecord(check_user_id(fields[0]), *labels)


def parse_label(task: str, field: str) -> str | None:
    """Return the class that a field names in English or Spanish; None if missing."""
    if field in ("", MISSING):
        return None
    name = field.lower()
    name = _SPANISH[task].get(name, name)
    if name not in CLASSES[task]:
        allowed = ", ".join(map(repr, CLASSES[task]))
        detail = f"must be one of {allowed} or {MISSING!r}; got {field!r}"
        raise BadLine(kind=f"unknown {task}", detail=detail)
    return name


def check_user_id(user_id: str) -> str:
    """Return the id if files and folders can be named after it."""
    is_name = Path(user_id).name == user_id != "" and not user_id.startswith(".")
    if not is_name or "\\" in user_id or SEPARATOR in user_id:
        detail = (
            "must be a file name that does not begin with a dot, without "
            f"{SEPARATOR!r}; got {user_id!r}"
        )
        raise BadLine(kind="bad user id", detail=detail)
    return user_id


def natural_order(name: str) -> tuple[list[tuple[int, str]], str]:
    """Key that sorts "2.jpg" before "10.jpg"."""
    parts = _NUMBER.split(name)
    # every second part is a number
    return [
        (int(part), "") if place % 2 else (0, part) for place, part in enumerate(parts)
    ], name
