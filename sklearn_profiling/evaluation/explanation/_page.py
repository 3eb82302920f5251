"""Explanations as an HTML fragment and as lines of text."""

from __future__ import annotations

import struct
import zlib
from base64 import b64encode
from collections.abc import Iterator
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from sklearn_profiling.exceptions import shortened

if TYPE_CHECKING:
    from sklearn_profiling.evaluation.explanation.result import Explanation

__all__ = ["page_of", "text_of"]

_FOR, _AGAINST = "46, 125, 50", "198, 40, 40"
_LONGEST = 300  # characters of a message
_MOST = 20  # messages, images and neighbours
_TITLES = {
    "source": "Sources",
    "column": "Columns",
    "message": "Messages",
    "word": "Words",
    "image": "Images",
    "neighbour": "Neighbours",
}


def page_of(found: Explanation, heading: int = 3) -> str:
    """Write one section element; everything of the user is escaped.

    Its title is a heading of that level, those of its parts one below.
    """
    style = "font-family: sans-serif; max-width: 60em"
    sure = f"Probability {found.probability:.3f}, log-odds {found.log_odds:+.2f}"
    parts = [
        f'<section class="sklearn-profiling-explanation" style="{style}">',
        f"<h{heading}>{_text(found.task)}: {_text(found.label)}</h{heading}>",
        f"<p>{sure}{_predicted(found)}. Each number is a fall of the log-odds.</p>",
    ]
    largest = float(found.table["contribution"].abs().max() or 0.0) or 1.0
    for level, rows in found.table.groupby("level", sort=False):
        shown = _strongest(rows, _MOST)
        parts.append(f"<h{heading + 1}>{_TITLES[str(level)]}</h{heading + 1}>")
        parts.append('<ul style="list-style: none; padding: 0">')
        parts += [_line(found, row, largest) for row in shown.itertuples()]
        parts.append("</ul>")
        n_more = len(rows) - len(shown) + found.left_out_.get(str(level), 0)
        if n_more:
            parts.append(f"<p>{n_more} more are not shown.</p>")
    parts += [f"<p>{_text(note)}.</p>" for note in found.notes_]
    parts.append("</section>")
    return "\n".join(parts)


def _predicted(found: Explanation) -> str:
    if found.label == found.predicted:
        return ", the predicted class"
    return f"; {_text(found.predicted)} is predicted"


def _strongest(rows: pd.DataFrame, most: int) -> pd.DataFrame:
    """Keep the rows of largest contributions, for and against, in their order."""
    chosen = rows["contribution"].abs().nlargest(most).index
    return rows.loc[rows.index.isin(chosen)]


def _text(value: Any) -> str:
    return escape(str(value).encode("utf-8", "replace").decode("utf-8"))


def _line(found: Explanation, row: Any, largest: float) -> str:
    number = f'<code style="margin-right: 1em">{row.contribution:+.2f}</code>'
    if row.level == "message":
        body = _marked(found, row)
    elif row.level == "image":
        body = _picture(found, row)
    else:
        body = _text(row.item)
    style = f"background: {_colour(row.contribution, largest)}; padding: .2em .5em"
    return f'<li style="{style}">{number}{body}</li>'


def _colour(contribution: float, largest: float) -> str:
    hue = _FOR if contribution > 0 else _AGAINST
    return f"rgba({hue}, {0.4 * min(1.0, abs(contribution) / largest):.2f})"


def _marked(found: Explanation, row: Any) -> str:
    """Mark the words of a message that were left out one by one."""
    words = found.table[
        (found.table["level"] == "word") & (found.table["source"] == row.source)
    ]
    falls = dict(zip(words["item"], words["contribution"], strict=True))
    largest = max(map(abs, falls.values()), default=0.0) or 1.0
    message, parts, end = row.text, [], 0
    for word, start, stop in found.spans.get(row.source, {}).get(row.item, []):
        if stop > _LONGEST:
            break
        if abs(falls.get(word, 0.0)) < 0.1 * largest:
            continue
        colour = _colour(falls[word], largest)
        marked = _text(message[start:stop])
        parts.append(_text(message[end:start]))
        parts.append(
            f'<mark title="{falls[word]:+.2f}" style="color: inherit; '
            f'background: {colour}">{marked}</mark>'
        )
        end = stop
    parts.append(_text(message[end : max(end, _LONGEST)]))
    return "".join(parts) + ("…" if len(message) > max(end, _LONGEST) else "")


def _picture(found: Explanation, row: Any) -> str:
    """Show the pixels of an image; of a file its path."""
    image = found.images[row.source][row.item]
    caption = _text(row.text or f"image {row.item}")
    if not isinstance(image, np.ndarray) or image.ndim not in (2, 3):
        return caption
    data = b64encode(_png(image)).decode("ascii")
    style = "min-width: 4em; max-width: 12em; vertical-align: middle"
    return f'<img alt="{caption}" style="{style}" src="data:image/png;base64,{data}">'


def _png(image: Any) -> bytes:
    """Encode uint8 pixels as PNG, which needs no library."""
    if image.ndim == 3 and image.shape[0] in (1, 3) and image.shape[2] not in (3, 4):
        image = image.transpose(1, 2, 0)
    if image.ndim == 3 and image.shape[2] == 1:
        image = image[..., 0]
    kind = {2: 0}.get(image.ndim, 6 if image.shape[-1] == 4 else 2)
    height, width = image.shape[:2]
    rows = np.ascontiguousarray(image, dtype=np.uint8).reshape(height, -1)
    scanlines = np.hstack([np.zeros((height, 1), np.uint8), rows]).tobytes()
    header = struct.pack(">IIBBBBB", width, height, 8, kind, 0, 0, 0)
    chunks = [
        (b"IHDR", header),
        (b"IDAT", zlib.compress(scanlines)),
        (b"IEND", b""),
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data))
        + name
        + data
        + struct.pack(">I", zlib.crc32(name + data))
        for name, data in chunks
    )


def text_of(found: Explanation, n_items: int) -> str:
    """Write lines: of each level what speaks for the class, then what against it."""
    sure = f"probability {found.probability:.3f}, log-odds {found.log_odds:+.2f}"
    lines = [f"{found.task}: {found.label} ({sure})"]
    if found.label != found.predicted:
        lines[0] += f"; predicted: {found.predicted}"
    for level, rows in found.table.groupby("level", sort=False):
        lines += ["", _TITLES[str(level)].lower()]
        own = rows[rows["contribution"] > 0].head(n_items)
        against = rows[rows["contribution"] < 0].tail(n_items)
        shown = pd.concat([own, against])
        lines += _lines(shown)
        n_more = len(rows) - len(shown) + found.left_out_.get(str(level), 0)
        if n_more:
            lines.append(f"         ({n_more} more)")
    lines += [f"note: {note}" for note in found.notes_]
    return "\n".join(lines)


def _lines(rows: pd.DataFrame) -> Iterator[str]:
    for row in rows.itertuples():
        name = str(row.item)
        if row.level in ("message", "image") and row.text:
            name = f"{row.item}: {shortened(row.text, 70)}"
        yield f"  {row.contribution:+6.2f}  {_plain(name)}"


def _plain(text: str) -> str:
    """Leave out control characters, which a terminal would obey."""
    return "".join(c if c.isprintable() else " " for c in text)
