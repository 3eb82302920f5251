"""Writer of the folder that the MEX-A3T loader reads."""

from __future__ import annotations

import os
import shutil
from collections import Counter
from os import PathLike
from pathlib import Path
from typing import Any, get_args

import pandas as pd
from sklearn.utils import Bunch

from sklearn_profiling._image_formats import image_endings
from sklearn_profiling._optional import import_optional
from sklearn_profiling.datasets._dumping import (
    OnUnwritable,
    is_missing,
    messages_of,
    prepare_folder,
    unpack,
    without_newlines,
)
from sklearn_profiling.datasets._files import BadLine, check_choice
from sklearn_profiling.datasets.mex_a3t.format import (
    IMAGE_FOLDER,
    MISSING,
    SEPARATOR,
    TASKS,
    TEXT_FOLDER,
    TRUTH,
    check_user_id,
    parse_label,
)
from sklearn_profiling.exceptions import DataFormatError

__all__ = ["dump_mex_a3t"]


def dump_mex_a3t(
    data: Bunch | pd.DataFrame,
    path: str | PathLike[str],
    *,
    target: pd.DataFrame | None = None,
    on_unwritable: OnUnwritable = "error",
) -> dict[str, Any]:
    """Write users as a folder that :func:`load_mex_a3t` reads; return counts.

    `data` is a bunch, or a table with ``user_id`` and optionally ``messages`` and
    ``images`` (paths, PIL images or uint8 arrays). With ``on_unwritable="replace"`` a
    line end in a message becomes a blank, and messages without text are left out.

    Every user gets a line in ``truth.txt``, with ``None`` for each missing label, so
    that the order of users and users without messages and images survive. Image files
    are copied, other images are written as PNG; both are numbered in their order.
    """
    check_choice("on_unwritable", on_unwritable, get_args(OnUnwritable))
    data, target, _ = unpack(data, target, None, columns=("user_id",))
    folder = Path(path)
    prepare_folder(folder, [TRUTH, TEXT_FOLDER, IMAGE_FOLDER])
    lines = _truth_lines(data, target, folder / TRUTH)
    (folder / TRUTH).write_text("".join(lines), encoding="utf-8", newline="\n")
    replaced: Counter[str] = Counter()
    n_messages = n_images = 0
    for user_id, messages, images in zip(
        map(str, data["user_id"]), *_cells(data, "messages", "images"), strict=True
    ):
        text = folder / TEXT_FOLDER / f"{user_id}.txt"
        written, faults = _writable(messages_of(messages, text, user_id))
        if faults and on_unwritable == "error":
            reason = f"{faults[0]}; on_unwritable='replace' writes the nearest"
            raise DataFormatError(text, None, reason)
        replaced.update(fault.kind for fault in faults)
        if written:
            text.parent.mkdir(exist_ok=True)
            lines = [f"{message}\n" for message in written]
            text.write_text("".join(lines), encoding="utf-8", newline="\n")
        n_messages += len(written)
        n_images += _write_images(images, folder / IMAGE_FOLDER / user_id)
    return {
        "n_users": len(data),
        "n_messages": n_messages,
        "n_images": n_images,
        "replaced": dict(replaced),
        "tasks_left_out": [str(name) for name in target.columns if name not in TASKS],
    }


def _cells(data: pd.DataFrame, *names: str) -> list[list[Any]]:
    nothing = [None] * len(data)
    return [data[name].tolist() if name in data.columns else nothing for name in names]


def _truth_lines(data: pd.DataFrame, target: pd.DataFrame, path: Path) -> list[str]:
    lines = []
    seen: set[str] = set()
    labels = _cells(target, *TASKS)
    for row, user_id in enumerate(map(str, data["user_id"])):
        given = {task: cells[row] for task, cells in zip(TASKS, labels, strict=True)}
        try:
            check_user_id(user_id)
            fields = [
                parse_label(task, MISSING if is_missing(label) else str(label))
                for task, label in given.items()
            ]
        except BadLine as fault:
            raise DataFormatError(path, None, f"row {row} of data: {fault}") from fault
        if user_id in seen:
            reason = f"duplicate user {user_id!r} in data"
            raise DataFormatError(path, None, reason)
        seen.add(user_id)
        line = SEPARATOR.join([user_id, *(field or MISSING for field in fields)])
        lines.append(f"{line}\n")
    return lines


def _writable(messages: list[str]) -> tuple[list[str], list[BadLine]]:
    """Return the messages as lines can hold them, and what had to be changed."""
    lines, faults = [], []
    for message in messages:
        line = without_newlines(message)
        if not line.strip():
            faults.append(BadLine("message without text", repr(message)))
            continue
        if line != message:
            faults.append(BadLine("line end in a text", f"{message!r:.80}"))
        lines.append(line)
    return lines, faults


def _write_images(cell: Any, folder: Path) -> int:
    if is_missing(cell):
        return 0
    images = list(cell)
    if images:
        folder.mkdir(parents=True)
    width = len(str(max(0, len(images) - 1)))
    for number, image in enumerate(images):
        name = f"{number:0{width}d}"
        if not isinstance(image, str | os.PathLike):
            pillow = import_optional(
                "PIL.Image", extra="multimodal", purpose="Writing images"
            )
            picture = image if hasattr(image, "save") else pillow.fromarray(image)
            picture.save(folder / f"{name}.png")
            continue
        source = Path(image)
        if source.suffix.lower() not in image_endings():
            allowed = ", ".join(sorted(image_endings()))
            reason = f"image {number} must end in one of {allowed}; got {str(image)!r}"
            raise DataFormatError(folder, None, reason)
        shutil.copyfile(source, folder / f"{name}{source.suffix}")
    return len(images)
