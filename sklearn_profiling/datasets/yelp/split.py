"""The three parts of the unified framework's users."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sklearn_profiling._seeding import RandomState, derive_seed
from sklearn_profiling.datasets._bunches import DividedUsers, LabeledUsers
from sklearn_profiling.exceptions import SourceError

__all__ = ["split_yelp"]

_PARTS = ("train", "valid", "test")


def split_yelp(
    users: LabeledUsers,
    *,
    sizes: Sequence[int] = (3000, 500, 500),
    random_state: RandomState = None,
) -> DividedUsers:
    """Draw reviewers to train on, to validate and to test on, as the paper does.

    Parameters
    ----------
    users : Bunch
        Users with ``data`` and ``target``, as :func:`load_yelp` and
        :func:`make_reviewers` return.
    sizes : sequence of three int, default=(3000, 500, 500)
        Users of the three parts (paper). Users beyond their sum are left out.
    random_state : int, RandomState instance or None, default=None
        Decides the draw.

    Returns
    -------
    Bunch
        ``train``, ``valid`` and ``test``, each a Bunch with the rows of ``data`` and
        ``target``; and ``rows``, a mapping from parts to row numbers of `users`.

    Raises
    ------
    SourceError
        If `sizes` are not three numbers of at least 1, or there are too few users.

    See Also
    --------
    load_yelp : Loads the users.
    sklearn_profiling.evaluation.multi_task_train_test_split : A stratified split.

    Notes
    -----
    The draw is not stratified, as in the paper [1]_, which "randomly" splits users.

    References
    ----------
    .. [1] Exploring Unified Training Framework for Multimodal User Profiling. Anonymous
       submission to the ACL. Section 6.1.

    Examples
    --------
    >>> from sklearn_profiling.datasets import make_reviewers, split_yelp
    >>> users = make_reviewers(20, random_state=0)
    >>> parts = split_yelp(users, sizes=(12, 4, 4), random_state=0)
    >>> parts.train.data.shape[0], parts.test.target.shape
    (12, (4, 6))
    """
    sizes = tuple(sizes)
    if len(sizes) != len(_PARTS) or min(sizes) < 1:
        msg = f"sizes must be three numbers of at least 1; got {sizes!r}"
        raise SourceError(msg)
    n_users = len(users.data)
    if sum(sizes) > n_users:
        msg = f"sizes {sizes} take {sum(sizes)} users; there are {n_users}"
        raise SourceError(msg)
    generator = np.random.default_rng(derive_seed(random_state))
    drawn = generator.permutation(n_users)[: sum(sizes)]
    rows = np.split(drawn, np.cumsum(sizes)[:-1])
    parts = {
        part: LabeledUsers(data=users.data.iloc[own], target=users.target.iloc[own])
        for part, own in zip(_PARTS, rows, strict=True)
    }
    return DividedUsers(**parts, rows=dict(zip(_PARTS, rows, strict=True)))
