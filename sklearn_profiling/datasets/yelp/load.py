"""Loader of reviewers from the Yelp Open Dataset, with derived profiles."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from numbers import Integral
from os import PathLike
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
from sklearn.utils._param_validation import Interval, StrOptions

from sklearn_profiling._bounds import bounded_loader
from sklearn_profiling._decorators import validate_params
from sklearn_profiling._seeding import RandomState, derive_seed
from sklearn_profiling.datasets._bunches import UserBunch
from sklearn_profiling.datasets._description import load_description
from sklearn_profiling.datasets._files import (
    OnBadLines,
)
from sklearn_profiling.datasets._networks import (
    OnUnknownLinks,
    missing_in_network,
)
from sklearn_profiling.datasets.yelp.format import (
    BUSINESSES,
    CATEGORIES,
    CATEGORY,
    CLASSES,
    DISCOUNT_KEYS,
    PHOTOS,
    REVIEWS,
    SERVICE_KEYS,
    TASKS,
    USERS,
)
from sklearn_profiling.datasets.yelp.profile import ProfileRules
from sklearn_profiling.datasets.yelp.reading import (
    Image,
    Reviewer,
    ReviewFile,
    ReviewRules,
    files_of,
    find_file,
    read_businesses,
    read_friends,
    read_photos,
)
from sklearn_profiling.exceptions import DataFormatError

__all__ = ["load_yelp"]

_COUNT = [Interval(Integral, 1, None, closed="left")]
_COUNT_OR_NONE = [*_COUNT, None]
_COLUMNS = ("user_id", "messages", "ratings", "images", "captions", "image_reviews")


@validate_params(
    {
        "path": [str, PathLike],
        "photos_path": [str, PathLike, None],
        "min_reviews": _COUNT,
        "min_kept_reviews": _COUNT,
        "min_words": [Interval(Integral, 0, None, closed="left")],
        "max_words": _COUNT_OR_NONE,
        "require_images": ["boolean"],
        "images_per_review": _COUNT_OR_NONE,
        "n_reviews": _COUNT_OR_NONE,
        "profile_from": [StrOptions({"kept_reviews", "all_reviews"})],
        "categories": [list, tuple],
        "n_favorites": _COUNT,
        "high_price": [Interval(Integral, 2, 4, closed="both")],
        "discount_attributes": [list, tuple],
        "service_attributes": [list, tuple],
        "min_visits": _COUNT,
        "ties": [StrOptions({"missing", "first"})],
        "with_network": ["boolean"],
        "on_unknown_links": [StrOptions({"add", "drop", "error"})],
        "on_bad_lines": [StrOptions({"error", "skip"})],
        "random_state": ["random_state"],
        "max_bytes": _COUNT_OR_NONE,
        "follow_links": ["boolean"],
    },
    prefer_skip_nested_validation=True,
)
@bounded_loader
def load_yelp(
    path: str | PathLike[str],
    *,
    photos_path: str | PathLike[str] | None = None,
    min_reviews: int = 30,
    min_kept_reviews: int = 1,
    min_words: int = 10,
    max_words: int | None = 200,
    require_images: bool = True,
    images_per_review: int | None = 1,
    n_reviews: int | None = None,
    profile_from: Literal["kept_reviews", "all_reviews"] = "kept_reviews",
    categories: Sequence[str] = CATEGORIES,
    n_favorites: int = 2,
    high_price: int = 2,
    discount_attributes: Sequence[str] = DISCOUNT_KEYS,
    service_attributes: Sequence[str] = SERVICE_KEYS,
    min_visits: int = 1,
    ties: Literal["missing", "first"] = "missing",
    with_network: bool = False,
    on_unknown_links: OnUnknownLinks = "drop",
    on_bad_lines: OnBadLines = "error",
    random_state: RandomState = None,
    max_bytes: int | None = None,  # noqa: ARG001 - read by bounded_loader
    follow_links: bool = False,  # noqa: ARG001 - read by bounded_loader
) -> UserBunch:
    """Load reviewers with their reviews, product images and a derived profile.

    Reads the files of the Yelp Open Dataset as they are given out, plain or
    packed (``.gz``, ``.bz2``, ``.xz``, ``.zst``, ``.zip``), and derives six attributes
    of each user from the businesses they visited, as the paper [1]_
    describes in section 3 and appendix A::

        yelp_academic_dataset_review.json
        yelp_academic_dataset_business.json
        photos.json
        photos/PHOTO_ID.jpg                     or .png, .webp ...
        yelp_academic_dataset_user.json         friends, read if `with_network`

    The shorter names of other rounds (``review.json``, ``photo.json``) are read too,
    and so are their lists of categories and attributes.

    A review stays if its business is known and its text neither unusually short nor
    excessively long; then users with fewer than `min_reviews` are left out; then
    reviews without any image; then attributes are counted over the visits that the
    remaining reviews tell of.

    Parameters
    ----------
    path : str or path-like
        The folder of reviews and businesses.
    photos_path : str, path-like or None, default=None
        The folder of ``photos.json`` and ``photos``, which Yelp gives out apart; None
        for `path`.
    min_reviews : int, default=30
        Fewest reviews of a user (30 in the paper), counted before reviews without
        images are left out.
    min_kept_reviews : int, default=1
        Fewest reviews of a user afterwards (our choice).
    min_words, max_words : int or None, default=10, 200
        Shortest and longest text in words between blanks (our choice: the paper gives
        no numbers; its reviews have 58.7 words on average). None is no limit.
    require_images : bool, default=True
        Leave out reviews without an image (paper). If False, ``photos.json`` may be
        absent.
    images_per_review : int or None, default=1
        Most images of a review (our choice: the paper has 24.3 reviews and 13.7
        images a user); None takes all photos of the business.
    n_reviews : int or None, default=None
        Reviews to draw of each user at random (the paper draws three), with their
        images; their order stays, and who has fewer keeps all. The profile counts
        all. None keeps every review (our choice).
    profile_from : {"kept_reviews", "all_reviews"}, default="kept_reviews"
        Count attributes over the reviews that stay, or also over those without images
        (our choice: the paper leaves it open).
    categories : sequence of str, default=ten categories
        Among these are the favourites (the ten of the paper's Table 6). Compared
        without regard to case.
    n_favorites : int, default=2
        Number of favourite categories (2 in the paper).
    high_price : int, default=2
        Price ranges from here up, of 1 to 4, are "High" (our choice: the paper leaves
        it open; its classes are almost equally large).
    discount_attributes : sequence of str, default=("HappyHour",)
        Attributes of a business that stand for promotions (our choice: the paper does
        not name any); one must be True.
    service_attributes : sequence of str, default=("RestaurantsTakeOut", "Caters")
        Attributes that stand for "takeaway or banquet services" (paper; the names are
        our choice); one must be True.
    min_visits : int, default=1
        Visits that must speak for a label, for each favourite category too; otherwise
        it is missing (our choice).
    ties : {"missing", "first"}, default="missing"
        If two values have equally many visits: the label is missing, or is the value
        that was visited first (our choice).
    with_network : bool, default=False
        Read the friends as well.
    on_unknown_links : {"add", "drop", "error"}, default="drop"
        What becomes of friends without a row in the data: nodes of the network, left
        out and counted, or an error.
    on_bad_lines : {"error", "skip"}, default="error"
        What to do with a line that breaks its format: raise an error with file, line
        and fault, or leave it out and count it in ``report``.
    random_state : int, RandomState instance or None, default=None
        Decides the draws of `n_reviews`.
    max_bytes : int or None, default=None
        Most bytes of a file, unpacked, and of a line. None takes 100 times the size of
        the file and at least 32 MiB, and 64 MiB for a line (our choice).
    follow_links : bool, default=False
        Read symbolic links that leave the folder; False refuses them.

    Returns
    -------
    Bunch
        ``data``
            DataFrame, one row a user: ``user_id``, ``messages`` (list of str, the
            reviews), ``ratings`` (list of int, None where a review has none; aligned
            with ``messages``), ``images`` (list of paths), ``captions`` (list of str,
            "" where the photo has none) and ``image_reviews`` (list of int), the last
            three aligned: image k has the caption k and belongs to the review at place
            ``image_reviews[k]`` of ``messages``.
        ``target``
            DataFrame of objects with the same index, None where a label cannot be
            derived: "Stars" (int), "Favorite Category" (frozenset of `n_favorites`
            names), "Preferred Meal" ("Lunch", "Dinner"), "Budget Range" ("Low",
            "High"), "Discount Preference" and "Service Preference" (bool).
        ``graph``
            Undirected SocialGraph of friends, None without.
        ``target_names``
            Class names per task.
        ``DESCR``
            Description of the data set.
        ``report``
            Counts of what was read, skipped (by reason), left out and missing: among
            them "n_reviews_of_unknown_businesses", "n_reviews_too_short",
            "n_users_with_too_few_reviews", "n_reviews_not_drawn", "tied_labels", and
            under "files", "photos" "n_missing_photos" (listed, but no such file). The
            records of the file of reviews are the sum of "n_messages" and the counts of
            reviews left out.

    Raises
    ------
    DataFormatError
        If a file is missing, a line is bad under ``on_bad_lines="error"``, or no user
        stays.
    ValueError
        If a parameter has a value that is not allowed.

    See Also
    --------
    make_reviewers : Makes synthetic reviewers with the same columns and tasks.
    split_yelp : The paper's three parts.

    Notes
    -----
    Yelp's photos belong to businesses, not to reviews: the images of a review are
    photos of the business it is about, and users who were at the same place may share
    them. If a business has more than `images_per_review`, the id of the review decides
    which follow one another, so that a popular place shows different sides.

    Stars are the mean of the user's ratings rounded to whole stars, halves up. Every
    visit counts once for each category of the business and each meal it is good for;
    what a business does not say counts for nothing. The paper also filters rare
    attributes and unbalanced classes; the six attributes are what it arrived at.

    The reviews are read twice: first to count them per user, then to keep those of the
    remaining users, so the ids of all users are held, but only the kept texts. Bad
    lines and duplicate ids of businesses and photos are found the first time;
    duplicate reviews are not looked for.

    References
    ----------
    .. [1] Exploring Unified Training Framework for Multimodal User Profiling. Anonymous
       submission to the ACL.

    Examples
    --------
    >>> import json
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from sklearn_profiling.datasets import load_yelp
    >>> business = {"business_id": "b", "categories": "Pizza, Restaurants"}
    >>> review = {"review_id": "r", "user_id": "ana", "business_id": "b"}
    >>> review |= {"stars": 4, "text": "Good pizza."}
    >>> with TemporaryDirectory() as folder:
    ...     for name, record in (("business", business), ("review", review)):
    ...         file = Path(folder, f"yelp_academic_dataset_{name}.json")
    ...         _ = file.write_text(json.dumps(record))
    ...     bunch = load_yelp(folder, min_reviews=1, min_words=1, require_images=False)
    >>> bunch.data["messages"][0], bunch.target["Stars"][0]
    (['Good pizza.'], 4)
    """
    profile_rules = ProfileRules(
        *(_check_names("categories", categories, n_favorites), n_favorites, high_price),
        _check_names("discount_attributes", discount_attributes),
        _check_names("service_attributes", service_attributes),
        *(min_visits, ties),
    )
    review_rules = ReviewRules(
        min_words=min_words,
        max_words=max_words,
        min_reviews=min_reviews,
        min_kept_reviews=min_kept_reviews,
        require_images=require_images,
        images_per_review=images_per_review,
        all_reviews_vote=profile_from == "all_reviews",
    )
    folder = Path(path)
    # a folder without one of the files shall fail before minutes of reading
    paths = [find_file(folder, name) for name in (BUSINESSES, REVIEWS)]
    friends_path = find_file(folder, USERS) if with_network else None
    votes, business_counts = read_businesses(paths[0], profile_rules, on_bad_lines)
    files = {"businesses": business_counts}
    images: dict[str, list[Image]] = {}
    photos_folder = folder if photos_path is None else Path(photos_path)
    if require_images or files_of(photos_folder, PHOTOS):
        images, files["photos"] = read_photos(photos_folder, votes, on_bad_lines)
    reviews = ReviewFile(paths[1], review_rules, votes)
    files["reviews"] = reviews.count(on_bad_lines)
    reviewers = reviews.keep(images)
    if not reviewers:
        left_out = {reason: n for reason, n in reviews.counts.items() if n}
        reason = f"no user stays; lower the thresholds. Left out: {left_out}"
        raise DataFormatError(folder, None, reason)

    if n_reviews is not None:
        generator = np.random.default_rng(derive_seed(random_state))
        left = [reviewer.draw(n_reviews, generator) for reviewer in reviewers]
        reviews.counts["n_reviews_not_drawn"] = sum(left)
    user_ids = [reviewer.user_id for reviewer in reviewers]
    graph = None
    if friends_path is not None:
        graph, files["friends"] = read_friends(
            friends_path, user_ids, on_unknown_links, on_bad_lines
        )
    target, tied = _target(reviewers, profile_rules)
    report: dict[str, Any] = {
        "files": files,
        "n_users": len(reviewers),
        "n_messages": sum(len(reviewer.messages) for reviewer in reviewers),
        "n_images": sum(len(reviewer.images) for reviewer in reviewers),
        "n_captions": sum(sum(map(bool, user.captions)) for user in reviewers),
        **reviews.counts,
        "missing_images": sum(not reviewer.images for reviewer in reviewers),
        "missing_labels": {task: int(target[task].isna().sum()) for task in TASKS},
        "tied_labels": tied,
    }
    if with_network:
        report["missing_links"] = missing_in_network(user_ids, graph)
    return UserBunch(
        data=pd.DataFrame(
            {
                name: pd.Series([getattr(user, name) for user in reviewers], None, "O")
                for name in _COLUMNS
            }
        ),
        target=target,
        graph=graph,
        target_names={
            task: list(profile_rules.categories if task == CATEGORY else classes)
            for task, classes in CLASSES.items()
        },
        DESCR=load_description("yelp"),
        report=report,
    )


def _check_names(name: str, given: Sequence[str], n_least: int = 1) -> tuple[str, ...]:
    names = tuple(given)
    if not all(isinstance(entry, str) for entry in names):
        msg = f"{name} must hold strings; got {names!r}"
        raise ValueError(msg)
    if len({entry.casefold() for entry in names}) != len(names):
        msg = f"{name} must not name anything twice; got {names!r}"
        raise ValueError(msg)
    if len(names) < n_least:
        msg = f"{name} must hold at least {n_least} names; got {names!r}"
        raise ValueError(msg)
    return names


def _target(
    reviewers: Sequence[Reviewer], rules: ProfileRules
) -> tuple[pd.DataFrame, dict[str, int]]:
    profiles = []
    tied: Counter[str] = Counter()
    for reviewer in reviewers:
        labels, ties = reviewer.tally.labels(rules)
        profiles.append(labels)
        tied.update(ties)
    columns = {
        task: pd.Series([profile[task] for profile in profiles], dtype=object)
        for task in TASKS
    }
    return pd.DataFrame(columns), {task: tied[task] for task in TASKS if tied[task]}
