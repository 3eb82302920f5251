"""Writer of the files of the Yelp Open Dataset."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.utils import Bunch

from sklearn_profiling._image_formats import image_endings
from sklearn_profiling._optional import import_optional
from sklearn_profiling.containers.social_graph import SocialGraph
from sklearn_profiling.datasets._dumping import (
    is_missing,
    messages_of,
    prepare_folder,
    unpack,
    write_lines,
)
from sklearn_profiling.datasets.yelp.format import (
    BUDGET,
    BUSINESSES,
    CATEGORY,
    CLASSES,
    DISCOUNT,
    DISCOUNT_KEYS,
    MEAL,
    MEALS_KEY,
    PHOTO_FOLDER,
    PHOTOS,
    PRICE_KEY,
    REVIEWS,
    SERVICE,
    SERVICE_KEYS,
    STARS,
    TASKS,
    USERS,
)
from sklearn_profiling.exceptions import DataFormatError

__all__ = ["dump_yelp"]

# the ends of the range, so that any border between them reads back the same
_PRICES = {"Low": "1", "High": "4"}


@dataclass
class _Row:
    """One user as it will be written."""

    user_id: str
    messages: list[str]
    images: list[Any]
    captions: list[str]
    image_reviews: list[int]
    labels: dict[str, Any]


def dump_yelp(
    data: Bunch | pd.DataFrame,
    path: str | PathLike[str],
    *,
    target: pd.DataFrame | None = None,
    graph: SocialGraph | None = None,
    compress: bool = False,
) -> dict[str, Any]:
    """Write reviewers as files of the Yelp Open Dataset; return counts.

    `data` is a bunch, or a table with ``user_id``, ``messages`` and optionally
    ``images`` (paths, PIL images or uint8 arrays), ``captions`` and ``image_reviews``;
    without the last, image k belongs to review k, and those beyond to the last.

    A review is of a business of its own, which has the user's labels as attributes and
    the review's images as photos: so labels, and which image belongs to which review,
    survive. Labels that are missing leave the attributes out, and the stars null. The
    format has no place for users without reviews and images without a review: both are
    left out and counted. Image files are copied, other images are written as PNG.
    """
    data, target, graph = unpack(data, target, graph)
    folder = Path(path)
    prepare_folder(folder, [BUSINESSES, REVIEWS, PHOTOS, USERS, PHOTO_FOLDER])
    rows = _rows(data, target, folder)
    written = [row for row in rows if row.messages]
    friends = _friends(written, graph)

    def write(name: str, records: Iterable[Mapping[str, Any]]) -> int:
        file = folder / (f"{name}.gz" if compress else name)
        return _write(file, records, compress=compress)

    write(BUSINESSES, _business_lines(written))
    n_reviews = write(REVIEWS, _review_lines(written))
    n_images = 0
    if any(place >= 0 for row in written for place in row.image_reviews):
        (folder / PHOTO_FOLDER).mkdir()
        n_images = write(PHOTOS, _photo_lines(written, folder / PHOTO_FOLDER))
    if friends:
        write(USERS, ({"user_id": u, "friends": f} for u, f in friends.items()))
    return {
        "n_users": len(written),
        "n_messages": n_reviews,
        "n_images": n_images,
        "n_users_left_out": len(rows) - len(written),
        "n_images_left_out": sum(len(row.images) for row in rows) - n_images,
        "tasks_left_out": [str(name) for name in target.columns if name not in TASKS],
    }


def _write(path: Path, records: Iterable[Mapping[str, Any]], *, compress: bool) -> int:
    n_lines = 0
    with write_lines(path, compress=compress) as file:
        for record in records:
            # ASCII alone, so that no text can fail to be written
            file.write(json.dumps(record).encode("ascii") + b"\n")
            n_lines += 1
    return n_lines


def _rows(data: pd.DataFrame, target: pd.DataFrame, folder: Path) -> list[_Row]:
    rows = []
    seen: set[str] = set()
    nothing = [None] * len(data)
    cells = {
        name: data[name].tolist() if name in data.columns else nothing
        for name in ("images", "captions", "image_reviews")
    }
    labels = {task: target[task].tolist() for task in TASKS if task in target.columns}
    messages = data["messages"].tolist()
    for number, user_id in enumerate(map(str, data["user_id"])):
        if user_id in seen or not user_id.strip():
            fault = "duplicate" if user_id in seen else "empty"
            reason = f"row {number} of data: {fault} user id {user_id!r}"
            raise DataFormatError(folder, None, reason)
        seen.add(user_id)
        images = _list(cells["images"][number])
        texts = messages_of(messages[number], folder / REVIEWS, user_id)
        row = _Row(
            user_id=user_id,
            messages=texts,
            images=images,
            captions=_list(cells["captions"][number]) or [""] * len(images),
            image_reviews=_image_reviews(
                cells["image_reviews"][number], len(images), len(texts)
            ),
            labels={
                task: _checked_label(task, column[number], user_id, folder)
                for task, column in labels.items()
            },
        )
        _check_alignment(row, folder)
        rows.append(row)
    return rows


def _list(cell: Any) -> list[Any]:
    return [] if is_missing(cell) else list(cell)


def _image_reviews(cell: Any, n_images: int, n_messages: int) -> list[int]:
    if is_missing(cell):
        return [min(place, n_messages - 1) for place in range(n_images)]
    return [int(place) for place in cell]


def _check_alignment(row: _Row, folder: Path) -> None:
    for name in ("captions", "image_reviews"):
        n_found = len(getattr(row, name))
        if n_found != len(row.images):
            reason = (
                f"user {row.user_id!r} has {len(row.images)} images and {n_found} "
                f"{name}; one each is needed"
            )
            raise DataFormatError(folder, None, reason)
    if any(place >= len(row.messages) for place in row.image_reviews):
        reason = (
            f"image_reviews of user {row.user_id!r} must be below the number of "
            f"messages, {len(row.messages)}; got {row.image_reviews}"
        )
        raise DataFormatError(folder, None, reason)


def _checked_label(task: str, label: Any, user_id: str, folder: Path) -> Any:
    """Return the label as a plain value; None if missing."""
    if is_missing(label):
        return None
    if task == CATEGORY:
        names = [label] if isinstance(label, str) else sorted(label)
        if all(n and n == n.strip() and "," not in n for n in names):
            return names
        allowed = "names without commas and outer blanks"
    else:
        plain = label.item() if isinstance(label, np.generic) else label
        classes = CLASSES[task]
        # True equals 1, and is no number of stars
        is_kind = isinstance(plain, bool) == isinstance(classes[0], bool)
        if is_kind and plain in classes:
            return classes[classes.index(plain)]
        allowed = f"one of {', '.join(map(repr, classes))}"
    reason = f"{task} of user {user_id!r} must be {allowed}, or missing; got {label!r}"
    raise DataFormatError(folder, None, reason)


def _reviews(rows: list[_Row]) -> Iterator[tuple[str, int, _Row]]:
    """Yield the id that each review shares with its business, its place and user."""
    for number, row in enumerate(rows):
        for place in range(len(row.messages)):
            yield f"{number}-{place}", place, row


def _business_lines(rows: list[_Row]) -> Iterator[dict[str, Any]]:
    for business_id, _, row in _reviews(rows):
        categories = row.labels.get(CATEGORY)
        yield {
            "business_id": business_id,
            "categories": ", ".join(categories) if categories else None,
            "attributes": _attributes(row.labels) or None,
        }


def _attributes(labels: Mapping[str, Any]) -> dict[str, str]:
    """Return what a business says of the labels, in Yelp's way of writing."""
    said: dict[str, str] = {}
    meal = labels.get(MEAL)
    if meal is not None:
        good_for = {name.lower(): name == meal for name in CLASSES[MEAL]}
        said[MEALS_KEY] = str(good_for)
    if labels.get(BUDGET) is not None:
        said[PRICE_KEY] = _PRICES[labels[BUDGET]]
    for task, keys in ((DISCOUNT, DISCOUNT_KEYS), (SERVICE, SERVICE_KEYS)):
        if labels.get(task) is not None:
            said[keys[0]] = str(labels[task])
    return said


def _review_lines(rows: list[_Row]) -> Iterator[dict[str, Any]]:
    for review_id, place, row in _reviews(rows):
        yield {
            "review_id": review_id,
            "user_id": row.user_id,
            "business_id": review_id,
            "stars": row.labels.get(STARS),
            "text": row.messages[place],
        }


def _photo_lines(rows: list[_Row], folder: Path) -> Iterator[dict[str, Any]]:
    for number, row in enumerate(rows):
        for k, image in enumerate(row.images):
            if row.image_reviews[k] < 0:
                continue
            photo_id = f"{number}-photo-{k}"
            _write_image(image, folder / photo_id)
            yield {
                "photo_id": photo_id,
                "business_id": f"{number}-{row.image_reviews[k]}",
                "caption": row.captions[k],
            }


def _write_image(image: Any, path: Path) -> None:
    """Write or copy an image; the path gets its ending."""
    if not isinstance(image, str | os.PathLike):
        pillow = import_optional(
            "PIL.Image", extra="multimodal", purpose="Writing images"
        )
        picture = image if hasattr(image, "save") else pillow.fromarray(image)
        picture.save(path.with_suffix(".png"))
        return
    source = Path(image)
    if source.suffix.lower() not in image_endings():
        allowed = ", ".join(sorted(image_endings()))
        reason = f"an image must end in one of {allowed}; got {str(image)!r}"
        raise DataFormatError(path, None, reason)
    shutil.copyfile(source, path.with_suffix(source.suffix))


def _friends(rows: list[_Row], graph: SocialGraph | None) -> dict[str, str]:
    """Return the friends of each user as Yelp writes them."""
    if graph is None:
        return {}
    user_ids = [row.user_id for row in rows]
    nodes = graph.index_of(user_ids)
    user_of = {int(n): user for n, user in zip(nodes, user_ids, strict=True) if n >= 0}
    friends = {}
    for user_id, node in zip(user_ids, nodes.tolist(), strict=True):
        found = graph.adjacency[[node]].indices.tolist() if node >= 0 else []
        names = [user_of[other] for other in found if other in user_of]
        friends[user_id] = ", ".join(names) or "None"
    return friends
