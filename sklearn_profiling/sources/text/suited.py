"""The segmenter that suits a text, chosen when it is seen."""

from __future__ import annotations

from typing import Any, Self

import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted

from sklearn_profiling.sources._columns import read_messages
from sklearn_profiling.sources.text.segmentation import (
    choose_segmenter,
    with_punctuation,
)

__all__ = ["SuitedSegmenter"]


# scikit-learn has no types, so its mixin is Any to mypy.
class SuitedSegmenter(TransformerMixin, BaseEstimator):  # type: ignore[misc, unused-ignore]
    """The segmenter that suits the text of ``fit``, with punctuation kept."""

    def fit(self, X: Any, y: object = None) -> Self:
        """Choose by messages (n_users,)."""
        del y
        messages = pd.Series(read_messages(X, "messages"), dtype=object)
        self.segmenter_ = with_punctuation(choose_segmenter(messages))
        return self

    def transform(self, X: Any) -> Any:
        """Cut messages (n_users,) into words."""
        check_is_fitted(self)
        return self.segmenter_.transform(X)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.string = True
        return tags
