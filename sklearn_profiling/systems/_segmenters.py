"""The choice between words and characters."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from sklearn_profiling.sources import CharacterSegmenter, JiebaSegmenter

_MOSTLY_SINGLE = 0.75
"""Share of one-character words from which on characters serve as words."""


def choose_segmenter(messages: pd.Series, n_users: int = 200) -> Any:
    """Choose words or characters by what jieba makes of a sample of the text.

    In classical Chinese nearly every character is a word: jieba's dictionary knows few
    of the longer ones, and what its model of unknown words joins is mostly chance.

    Parameters
    ----------
    messages : Series of list of str
        Messages of users.
    n_users : int, default=200
        Users to look at, evenly spread.

    Returns
    -------
    CharacterSegmenter or JiebaSegmenter
        Characters if, by jieba's dictionary alone, three quarters of the words are one
        character long (modern text has about half).
    """
    step = max(1, len(messages) // n_users)
    sample = messages.iloc[::step]
    words = JiebaSegmenter(drop_duplicates=False, hmm=False).transform(sample)
    lengths = np.array(
        # Punctuation is no word.
        [len(word) * word.isalnum() for word in words.vocabulary.words],
        dtype=np.int64,
    )
    counts = words.word_counts()
    single, all_words = counts[lengths == 1].sum(), counts[lengths > 0].sum()
    if single >= _MOSTLY_SINGLE * max(all_words, 1):
        return CharacterSegmenter()
    return JiebaSegmenter()
