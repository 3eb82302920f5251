"""Displays as SVG elements that stand in one page together."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Callable
from html import escape
from typing import Any

from sklearn_profiling._optional import import_optional
from sklearn_profiling.evaluation.displays._canvas import fonts_of_the_reader

__all__ = ["svg_of"]

_SETTINGS = {
    # Text stays text: it can be searched and read aloud, and the reader has the fonts.
    "svg.fonttype": "none",
    "svg.hashsalt": "sklearn_profiling",
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "legend.facecolor": "none",
    "legend.framealpha": 0,
}
_NO_METADATA = {"Creator": None, "Date": None, "Format": None, "Type": None}
_ID = re.compile(r'(\bid="|url\(#|href="#)')
# As matplotlib before and from 3.11 on names fonts.
_FONT = re.compile(r'font: ([\d.]+px)[^;"]*')
_FAMILY = re.compile(r';? ?font-family:[^;"]*')


def svg_of(
    draw: Callable[[Any], Any], name: str, label: str, size: tuple[float, float]
) -> str:
    """Draw into axes and return an ``svg`` element of its own ids.

    `name` is the beginning of all ids, `label` what is read aloud, and `size` the width
    and height in inches. The same picture has the same bytes.
    """
    mpl = import_optional("matplotlib", extra="plots", purpose="Drawing")
    figures = import_optional("matplotlib.figure", extra="plots", purpose="Drawing")
    styles = import_optional("matplotlib.style", extra="plots", purpose="Drawing")
    stream = io.StringIO()
    with (
        styles.context("default"),
        mpl.rc_context(_SETTINGS),
        warnings.catch_warnings(),
        fonts_of_the_reader(),
    ):
        # The reader's fonts draw what is absent here.
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        figure = figures.Figure(figsize=size, layout="constrained")
        draw(figure.add_subplot())
        figure.savefig(stream, format="svg", metadata=_NO_METADATA)
    return _element(stream.getvalue(), name, label)


def _element(document: str, name: str, label: str) -> str:
    """Return the ``svg`` element of a document, its ids beginning with `name`."""
    text = document[document.index("<svg") :]
    text = re.sub(r"\s*<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = _ID.sub(rf"\g<1>{name}-", text)
    text = _FAMILY.sub("", _FONT.sub(r"font-size: \1", text))
    spoken = f'<svg role="img" aria-label="{escape(label)}" '
    return text.replace("<svg ", spoken, 1)
