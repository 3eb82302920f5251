"""Generator of reviewers with product pictures whose best accuracy is known."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from numbers import Integral, Real
from typing import Any, Literal

import numpy as np
import pandas as pd
from sklearn.utils._param_validation import Interval, StrOptions

from sklearn_profiling._decorators import validate_params
from sklearn_profiling._seeding import RandomState, derive_seed
from sklearn_profiling.datasets._bunches import GeneratedUsers
from sklearn_profiling.datasets._description import load_description
from sklearn_profiling.datasets.synthetic._reviewers_draw import (
    draw_pictures,
    write_captions,
    write_reviews,
)
from sklearn_profiling.datasets.synthetic._reviewers_model import (
    IN_PICTURES,
    IN_WORDS,
    PAIRS,
    BoolArray,
    FloatArray,
    IntArray,
    Visits,
    draw_labels,
    draw_visits,
    log_likelihood,
    membership,
    posterior,
)
from sklearn_profiling.datasets.yelp.format import (
    CATEGORIES,
    CATEGORY,
    CLASSES,
    STARS,
    TASKS,
)

__all__ = ["make_reviewers"]

_SHARE = [Interval(Real, 0, 1, closed="both")]


@validate_params(
    {
        "n_users": [Interval(Integral, 1, None, closed="left")],
        "n_reviews": [Interval(Integral, 1, None, closed="left"), tuple],
        "size": [Interval(Integral, 16, None, closed="left")],
        "noise": _SHARE,
        "mention_rate": _SHARE,
        "show_rate": _SHARE,
        "pairing": [StrOptions({"paired", "unpaired"})],
        "missing_pictures": _SHARE,
        "missing_labels": _SHARE,
        "missing_images": _SHARE,
        "missing_text": _SHARE,
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
def make_reviewers(
    n_users: int = 600,
    *,
    n_reviews: int | tuple[int, int] = (3, 6),
    size: int = 32,
    noise: float = 0.1,
    mention_rate: float = 0.7,
    show_rate: float = 0.7,
    pairing: Literal["paired", "unpaired"] = "paired",
    missing_pictures: float = 0.0,
    missing_labels: float = 0.0,
    missing_images: float = 0.0,
    missing_text: float = 0.0,
    random_state: RandomState = None,
) -> GeneratedUsers:
    """Make users with reviews, product pictures and the six attributes of a profile.

    The table and the attributes are those of :func:`load_yelp`. Reviews are written
    with a closed vocabulary of about a hundred words, pictures are drawn. The exact
    posterior of the attributes is known, and with it the best accuracy that any model
    can reach on these users.

    ===================  =====================  ======================================
    task                 reviews                pictures
    ===================  =====================  ======================================
    Stars                praise or blame        nothing
    Favorite Category    the product            the product: one of five colours, a
                                                disc or a ring
    Preferred Meal       nothing                light (Lunch) or dark (Dinner)
    Budget Range         the prices             a teal (Low) or orange (High) frame
    Discount Preference  coupons and offers     nothing
    Service Preference   nothing                a brown bag on the left (True) or a
                                                pink menu on the right (False)
    ===================  =====================  ======================================

    Parameters
    ----------
    n_users : int, default=600
        Number of users.
    n_reviews : int or tuple of (int, int), default=(3, 6)
        Number of reviews of each user, or the fewest and the most, between which it is
        drawn uniformly.
    size : int, default=32
        Height and width of the pictures in pixels, at least 16.
    noise : float, default=0.1
        Probability that what a review and its picture show of an attribute does not
        depend on the user; 1 leaves no signal.
    mention_rate : float, default=0.7
        Probability that a review says anything of an attribute that shows in reviews.
    show_rate : float, default=0.7
        Probability that a picture shows anything of an attribute that shows in
        pictures: else the product is in a grey box, the light is grey, and frame, bag
        and menu are absent.
    pairing : {"paired", "unpaired"}, default="paired"
        Whether a picture is of the visit its review tells of, or of a visit of a
        stranger, which says nothing of the user.
    missing_pictures : float, default=0
        Probability that a review has no picture (images partially missing).
    missing_labels : float, default=0
        Probability that a label is missing, for each user and task.
    missing_images : float, default=0
        Probability that a user has no pictures at all.
    missing_text : float, default=0
        Probability that a user has no reviews, though maybe pictures.
    random_state : int, RandomState instance or None, default=None
        Decides everything; None makes other users at each call.

    Returns
    -------
    Bunch
        ``data``
            DataFrame, one row a user: ``user_id``, ``messages`` (list of str, the
            reviews), ``ratings`` (list of int, the stars of each review, whether or
            not it speaks of them), ``images`` (list of read-only uint8 arrays of shape
            (size, size, 3)), ``captions`` (list of str) and ``image_reviews`` (list of
            int), the last three aligned: image k has the caption k and belongs to the
            review at place ``image_reviews[k]`` of ``messages``, -1 if the user has
            none. Lists are empty if missing.
        ``target``
            DataFrame of objects with the same index, one column a task; None where
            missing. Stars are int, the favourite category is a frozenset of two names,
            preferences are bool.
        ``graph``
            None.
        ``target_names``
            Class names per task.
        ``DESCR``
            Description of the data set.
        ``report``
            Counts, and which attribute shows where.
        ``complete_target``
            ``target`` without missing labels.
        ``bayes_accuracy``
            Per task, the expected accuracy of the best possible classifier on these
            users: the mean of the largest posterior probability, given all that words
            and pictures show. For the favourite category both must be right.
        ``bayes_accuracy_text``, ``bayes_accuracy_images``
            The same, given one source alone. Captions say what pictures show.
        ``bayes_accuracy_realized``
            Per task, the share of these users that the best classifier gets right.
        ``bayes_proba``
            Per task, the posterior given both sources: ndarray of shape (n_users,
            n_classes), columns as in ``target_names``. For the favourite category the
            probability that each of the ten is one of the two.

    Raises
    ------
    ValueError
        If a parameter is out of range.

    See Also
    --------
    load_yelp : Reads real reviewers.
    make_image_users : Users with pictures of real digits.

    Notes
    -----
    All of this is our own choice; no paper describes it. The attributes, their classes
    and the three cases of pairing follow the paper [1]_: its Figure 6 compares paired,
    unpaired and partially missing images. The posterior is that of a reader who knows
    the generator; it holds in expectation, and on few users a model may surpass it by
    luck. The same `random_state` gives the same users, labels and reviews whatever
    `pairing`, `size` and `show_rate`.

    References
    ----------
    .. [1] Exploring Unified Training Framework for Multimodal User Profiling. Anonymous
       submission to the ACL.

    Examples
    --------
    >>> from sklearn_profiling.datasets import make_reviewers
    >>> bunch = make_reviewers(100, random_state=0)
    >>> bunch.data["images"][0][0].shape, bunch.target.shape
    ((32, 32, 3), (100, 6))
    >>> bunch.bayes_accuracy_text["Preferred Meal"]
    0.5
    """
    fewest, most = _check_n_reviews(n_reviews)
    # streams of their own, so that one choice does not shift what others draw
    users, words, pictures = np.random.default_rng(derive_seed(random_state)).spawn(3)
    labels = draw_labels(n_users, users)
    n_visits = users.integers(fewest, most + 1, size=n_users)
    visits = draw_visits(labels, n_visits, noise, users)
    hidden = users.random((n_users, len(TASKS))) < missing_labels
    no_text = users.random(n_users) < missing_text
    no_images = users.random(n_users) < missing_images
    n_total = int(visits.starts[-1])
    has_review = ~np.repeat(no_text, n_visits)
    has_picture = ~np.repeat(no_images, n_visits)
    has_picture &= users.random(n_total) >= missing_pictures

    said = {t: words.random(n_total) < mention_rate for t in IN_WORDS}
    reviews = write_reviews(_visible(visits, said), words)
    pictured = visits
    if pairing == "unpaired":
        strangers = draw_labels(n_users, pictures)
        pictured = draw_visits(strangers, n_visits, noise, pictures)
    shown = {t: pictures.random(n_total) < show_rate for t in IN_PICTURES}
    seen = _visible(pictured, shown)

    ratings = [CLASSES[STARS][value] for value in visits.values[STARS].tolist()]
    complete = _target(labels)
    target = complete.mask(hidden, None)
    columns: dict[str, list[Any]] = {
        "user_id": [f"reviewer{user}" for user in range(n_users)],
        "messages": _split(reviews, visits.starts, has_review),
        "ratings": _split(ratings, visits.starts, has_review),
        "images": _split(
            draw_pictures(seen, size, pictures), visits.starts, has_picture
        ),
        "captions": _split(write_captions(seen), visits.starts, has_picture),
        "image_reviews": _split(
            _review_numbers(visits, has_review), visits.starts, has_picture
        ),
    }
    report = {
        "n_users": n_users,
        "n_messages": int(has_review.sum()),
        "n_images": int(has_picture.sum()),
        "missing_labels": {task: int(target[task].isna().sum()) for task in TASKS},
        "missing_messages": int(no_text.sum()),
        "missing_images": sum(not images for images in columns["images"]),
        "shows_in": {
            task: tuple(
                source
                for source, tasks in (("text", IN_WORDS), ("images", IN_PICTURES))
                if task in tasks
            )
            for task in TASKS
        },
    }
    in_text = {task: seen_in & has_review for task, seen_in in said.items()}
    in_images = {
        task: seen_in & has_picture & (pairing == "paired")
        for task, seen_in in shown.items()
    }
    return GeneratedUsers(
        data=pd.DataFrame(
            {name: pd.Series(cells, dtype=object) for name, cells in columns.items()}
        ),
        target=target,
        graph=None,
        target_names={task: list(CLASSES[task]) for task in TASKS},
        DESCR=load_description("reviewers"),
        report=report,
        complete_target=complete,
        **_bayes(labels, visits, in_text, in_images, noise),
    )


def _check_n_reviews(n_reviews: int | tuple[int, ...]) -> tuple[int, int]:
    if not isinstance(n_reviews, tuple):
        return n_reviews, n_reviews
    if (
        len(n_reviews) != 2
        or not all(isinstance(limit, Integral) for limit in n_reviews)
        or not 1 <= n_reviews[0] <= n_reviews[1]
    ):
        msg = (
            "n_reviews must be a number from 1 up or a tuple of the fewest and the "
            f"most, both from 1 up; got {n_reviews!r}"
        )
        raise ValueError(msg)
    return n_reviews[0], n_reviews[1]


def _visible(visits: Visits, shown: dict[str, BoolArray]) -> dict[str, IntArray]:
    """Return the values that are shown, -1 for the others."""
    return {
        task: np.where(mask, visits.values[task], -1) for task, mask in shown.items()
    }


def _review_numbers(visits: Visits, has_review: BoolArray) -> list[int]:
    """Return the place of each visit's review among the user's, -1 without one."""
    first = np.repeat(visits.starts[:-1], np.diff(visits.starts))
    numbers = np.where(has_review, np.arange(len(first)) - first, -1)
    return list(map(int, numbers))


def _split(values: Sequence[Any], starts: IntArray, kept: BoolArray) -> list[list[Any]]:
    """Return the kept values of each user."""
    keep = kept.tolist()
    return [
        [values[place] for place in range(start, end) if keep[place]]
        for start, end in pairwise(starts.tolist())
    ]


def _target(labels: dict[str, IntArray]) -> pd.DataFrame:
    pairs = [frozenset(CATEGORIES[place] for place in pair) for pair in PAIRS]
    classes = {**CLASSES, CATEGORY: pairs}
    return pd.DataFrame(
        {
            task: pd.Series([classes[task][c] for c in codes.tolist()], dtype=object)
            for task, codes in labels.items()
        }
    )


def _bayes(
    labels: dict[str, IntArray],
    visits: Visits,
    in_text: dict[str, BoolArray],
    in_images: dict[str, BoolArray],
    noise: float,
) -> dict[str, Any]:
    """Return what the best classifier reaches, with each source and with both."""
    nowhere = np.zeros(int(visits.starts[-1]), dtype=bool)
    accuracy: dict[str, dict[str, float]] = {"": {}, "_text": {}, "_images": {}}
    realized, proba = {}, {}
    for task in TASKS:
        text, images = in_text.get(task, nowhere), in_images.get(task, nowhere)
        for source, seen in (
            ("_text", text),
            ("_images", images),
            # a visit that both show counts once: they show the same value
            ("", text | images),
        ):
            found = posterior(log_likelihood(task, visits, seen, noise))
            accuracy[source][task] = float(found.max(axis=1).mean())
        realized[task] = float((found.argmax(axis=1) == labels[task]).mean())
        proba[task] = _of_classes(task, found)
    return {
        **{f"bayes_accuracy{source}": values for source, values in accuracy.items()},
        "bayes_accuracy_realized": realized,
        "bayes_proba": proba,
    }


def _of_classes(task: str, found: FloatArray) -> FloatArray:
    if task != CATEGORY:
        return found
    return np.asarray(np.einsum("up,pc->uc", found, membership().astype(np.float64)))
