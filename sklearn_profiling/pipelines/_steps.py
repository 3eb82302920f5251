"""The three steps of every system that reads words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import joblib

from sklearn_profiling._checked_pipeline import CheckedPipeline
from sklearn_profiling.sources import SourceUnion
from sklearn_profiling.sources.text.segmentation import default_segmenter

__all__ = ["make_text_system"]


def make_text_system(
    segmenter: Any,
    sources: list[tuple[str, Any, str]],
    classifier: Any,
    *,
    text_column: str,
    kept_columns: Sequence[str] = (),
    memory: str | joblib.Memory | None,
) -> CheckedPipeline:
    """Join "segmenter", "sources" and "classifier" to a Pipeline.

    The sources read the column "words", which the segmenter makes of `text_column`, and
    the `kept_columns`, which pass the first step unchanged.
    """
    columns = [("words", default_segmenter(segmenter), text_column)]
    columns += [(column, "passthrough", column) for column in kept_columns]
    return CheckedPipeline(
        [
            ("segmenter", SourceUnion(columns)),
            ("sources", SourceUnion(sources)),
            ("classifier", classifier),
        ],
        memory=memory,
    )
