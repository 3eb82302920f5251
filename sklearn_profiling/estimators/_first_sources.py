"""The first messages or images of each user, where a model reads no more."""

from __future__ import annotations

import numpy as np

from sklearn_profiling.containers import ImageBags, TokenMessages

__all__: list[str] = []


def first_of_each(
    source: TokenMessages | ImageBags, most: int | None
) -> TokenMessages | ImageBags:
    """Keep the first messages or images of each user.

    Parameters
    ----------
    source : TokenMessages or ImageBags
        Texts or images of users.
    most : int or None
        How many to keep of a user; None keeps all.

    Returns
    -------
    TokenMessages or ImageBags
        The same users; `source` itself if nobody has more.
    """
    rows = source.user_starts
    if most is None or (np.diff(rows) <= most).all():
        return source
    starts = np.concatenate([[0], np.cumsum(np.diff(rows).clip(max=most))])
    where = np.repeat(rows[:-1] - starts[:-1], np.diff(starts))
    kept = where + np.arange(starts[-1])
    if isinstance(source, ImageBags):
        return ImageBags(source.pixels[kept], starts)
    lengths = np.diff(source.message_starts)[kept]
    ends = np.concatenate([[0], np.cumsum(lengths)])
    words = np.repeat(source.message_starts[kept] - ends[:-1], lengths)
    ids = source.ids[words + np.arange(ends[-1])]
    return TokenMessages(ids, ends, starts, source.vocabulary)
