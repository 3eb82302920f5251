"""Axes, colours and fonts of all displays."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import lru_cache
from numbers import Integral
from typing import Any

from sklearn_profiling._optional import import_optional
from sklearn_profiling.exceptions import TargetError

__all__ = [
    "COLOURS",
    "GREY",
    "Display",
    "check_positive",
    "choose_task",
    "drawable",
    "finish",
    "fonts_of_the_reader",
    "name_cells",
]

# Okabe and Ito's colours, which readers with any colour vision tell apart, without the
# yellow that is hard to see on white.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
GREY = "#999999"

# Fonts with Chinese, Japanese or Korean characters, then with emoji and other scripts.
_FURTHER_FONTS = (
    *("Noto Sans CJK SC", "Noto Sans CJK JP", "Noto Sans SC", "Source Han Sans SC"),
    *("Source Han Sans CN", "WenQuanYi Zen Hei", "WenQuanYi Micro Hei", "PingFang SC"),
    *("Hiragino Sans GB", "Heiti TC", "Microsoft YaHei", "SimHei", "SimSun"),
    *("Droid Sans Fallback", "Arial Unicode MS", "Noto Sans", "Noto Sans Arabic"),
    *("Noto Sans Thai", "Noto Sans Devanagari", "Segoe UI Emoji", "Segoe UI Symbol"),
    "Symbola",
)
_ABSENT = "\N{WHITE SQUARE}"  # in place of characters that no font has
_of_reader: ContextVar[bool] = ContextVar("_of_reader", default=False)


@dataclass
class Display:
    """Base of the displays: where each was drawn."""

    ax_: Any = field(default=None, init=False, repr=False)
    figure_: Any = field(default=None, init=False, repr=False)

    def _open(self, ax: Any) -> Any:
        """Return axes to draw in, those of a new figure if none are given."""
        pyplot = import_optional("matplotlib.pyplot", extra="plots", purpose="Drawing")
        self.ax_ = pyplot.subplots(layout="constrained")[1] if ax is None else ax
        self.figure_ = self.ax_.figure
        return self.ax_


def choose_task(tasks: Sequence[str], task: str | None) -> int:
    """Return the number of the task to draw; None will do where there is one."""
    if task is None and len(tasks) == 1:
        return 0
    if task not in tasks:
        msg = f"task must be one of {list(tasks)}; got {task!r}"
        raise TargetError(msg)
    return list(tasks).index(str(task))


def name_cells(
    ax: Any, rows: Sequence[Any], columns: Sequence[Any], limit: int
) -> None:
    """Name the rows and columns of a matrix, each in `limit` columns of text."""
    ax.set_xticks(range(len(columns)), [drawable(each, limit) for each in columns])
    ax.set_yticks(range(len(rows)), [drawable(each, limit) for each in rows])
    ax.tick_params(axis="x", labelrotation=45)
    for label in ax.get_xticklabels():
        label.set(ha="right", rotation_mode="anchor")


def check_positive(name: str, value: Any) -> None:
    """Refuse what is no integer of 1 at least."""
    if not isinstance(value, Integral) or value < 1:
        msg = f"{name} must be an integer of 1 at least; got {value!r}"
        raise ValueError(msg)


@contextmanager
def fonts_of_the_reader() -> Iterator[None]:
    """Draw for a reader whose fonts are unknown here, such as that of an SVG file.

    Texts keep characters that no font has here, with room for them.
    """
    token = _of_reader.set(True)
    try:
        yield
    finally:
        _of_reader.reset(token)


def drawable(value: object, limit: int = 24) -> str:
    """Return a text in one line of `limit` columns that can be drawn without gaps.

    Wide characters take two columns; those that no font has become squares.
    """
    text = _cut(" ".join(str(value).split()), limit)
    known = set().union(*(_characters(name) for name in _families()))
    if not _of_reader.get():
        return "".join(c if ord(c) in known or c == "…" else _ABSENT for c in text)
    # For an absent character 0.6 em are kept free here, of the 1 em of a wide one.
    n_blanks = math.ceil(4 / 3 * sum(ord(c) not in known for c in text))
    return "\N{NO-BREAK SPACE}" * n_blanks + "".join(
        "\N{REPLACEMENT CHARACTER}" if unicodedata.category(c) in ("Cc", "Cs") else c
        for c in text
    )


def _cut(text: str, limit: int) -> str:
    """Return the beginning of a text that fits into `limit` columns."""
    width = 0
    for place, character in enumerate(text):
        width += 2 if unicodedata.east_asian_width(character) in "WF" else 1
        if width > limit:
            return text[:place].rstrip() + "…"
    return text


def finish(ax: Any) -> None:
    """Give every text of the axes the fonts it needs; no text is a formula."""
    text_class = import_optional("matplotlib.text", extra="plots", purpose="Drawing")
    ax.get_xticklabels()
    ax.get_yticklabels()  # made when asked for
    families = list(_families())
    for text in ax.findobj(text_class.Text):
        text.set_fontfamily(families)
        text.set_parse_math(False)


def _families() -> tuple[str, ...]:
    """Return the font of the user's settings, and those beside it that there are."""
    fonts = import_optional("matplotlib.font_manager", extra="plots", purpose="Drawing")
    first = fonts.get_font(fonts.findfont(fonts.FontProperties())).family_name
    there = {font.name for font in fonts.fontManager.ttflist}
    further = (name for name in _FURTHER_FONTS if name in there and name != first)
    return (first, *further)


@lru_cache(maxsize=32)
def _characters(family: str) -> frozenset[int]:
    fonts = import_optional("matplotlib.font_manager", extra="plots", purpose="Drawing")
    path = fonts.findfont(fonts.FontProperties(family=[family]))
    return frozenset(fonts.get_font(path).get_charmap())
