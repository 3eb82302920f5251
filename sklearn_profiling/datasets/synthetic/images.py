"""Generator of users with bags of pictures whose best possible accuracy is known."""

from __future__ import annotations

from itertools import pairwise
from numbers import Integral, Real
from typing import Any

import numpy as np
import pandas as pd
from sklearn.utils._param_validation import Interval

from sklearn_profiling._decorators import validate_params
from sklearn_profiling._seeding import RandomState, derive_seed
from sklearn_profiling.datasets._bunches import GeneratedUsers
from sklearn_profiling.datasets._description import load_description
from sklearn_profiling.datasets._networks import missing_in_network
from sklearn_profiling.datasets.synthetic._images_draw import (
    CLASSES,
    TASKS,
    BoolArray,
    FloatArray,
    IntArray,
    draw_images,
    draw_pictures,
    pictures_log_likelihood,
)
from sklearn_profiling.datasets.synthetic._model import Model
from sklearn_profiling.datasets.synthetic._users_draw import (
    Links,
    Text,
    draw_links,
    draw_text,
    make_graph,
)

__all__ = ["make_image_users"]

_SIGNAL_RATE, _MENTION_RATE = 0.3, 0.1
_N_WORDS = 6.0
_N_LINKS = 15.0
_N_FRIENDS = 2
_N_REGIONS, _N_OCCUPATIONS = 8, 5

_SHARE = [Interval(Real, 0, 1, closed="both")]


@validate_params(
    {
        "n_users": [Interval(Integral, 1, None, closed="left")],
        "n_images": [Interval(Integral, 1, None, closed="left"), tuple],
        "size": [Interval(Integral, 8, None, closed="left")],
        "image_noise": _SHARE,
        "with_text": ["boolean"],
        "with_network": ["boolean"],
        "n_messages": [Interval(Real, 1, None, closed="left")],
        "text_noise": _SHARE,
        "network_noise": _SHARE,
        "missing_labels": _SHARE,
        "missing_images": _SHARE,
        "missing_text": _SHARE,
        "missing_network": _SHARE,
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
def make_image_users(
    n_users: int = 600,
    *,
    n_images: int | tuple[int, int] = (3, 8),
    size: int = 16,
    image_noise: float = 0.4,
    with_text: bool = False,
    with_network: bool = False,
    n_messages: float = 5.0,
    text_noise: float = 0.1,
    network_noise: float = 0.6,
    missing_labels: float = 0.0,
    missing_images: float = 0.0,
    missing_text: float = 0.0,
    missing_network: float = 0.0,
    random_state: RandomState = None,
) -> GeneratedUsers:
    """Make users with bags of handwritten digits and three attributes.

    The pictures are real: those of :func:`sklearn.datasets.load_digits`. The exact
    posterior of the attributes given which digits a user shows is known, and with it
    the best accuracy that any model can reach on these users.

    =====  =========================  =====================  ===================
    task   pictures                   text (`with_text`)     network
                                                             (`with_network`)
    =====  =========================  =====================  ===================
    taste  the bag as a whole: most   weak                   medium
           digits are 1-3 ("low"),
           4-6 ("middle") or 7-9
           ("high")
    zero   one picture: whether any   medium                 nothing
           shows a 0
    coin   nothing (control)          nothing                nothing
    =====  =========================  =====================  ===================

    Parameters
    ----------
    n_users : int, default=600
        Number of users.
    n_images : int or tuple of (int, int), default=(3, 8)
        Number of pictures of each user, or the fewest and the most, between which it
        is drawn uniformly.
    size : int, default=16
        Height and width of the pictures in pixels, at least 8. They are scaled from 8
        x 8 bilinearly.
    image_noise : float, default=0.4
        Probability that a digit does not depend on the user's taste. Squared, the
        probability that a zero is shown or not regardless of the user. 1 leaves no
        signal in the pictures.
    with_text : bool, default=False
        Make messages as well.
    with_network : bool, default=False
        Make a network as well.
    n_messages : float, default=5
        Expected number of messages of a user, at least 1: 1 + Poisson.
    text_noise : float, default=0.1
        Probability that a revealing word is of a class drawn at random instead of the
        user's; 1 leaves no signal in the text.
    network_noise : float, default=0.6
        Share of the links to hubs that do not depend on the user's own taste; 1
        leaves no signal in the network.
    missing_labels : float, default=0
        Probability that a label is missing, for each user and task.
    missing_images : float, default=0
        Probability that a user has no pictures.
    missing_text : float, default=0
        Probability that a user has no messages.
    missing_network : float, default=0
        Probability that a user has no links.
    random_state : int, RandomState instance or None, default=None
        Decides everything; None makes other users at each call.

    Returns
    -------
    Bunch
        ``data``
            DataFrame, one row a user: ``user_id`` (digits), ``images`` (list of
            read-only uint8 arrays of shape (size, size, 3), empty if missing), and
            with text ``messages`` (list of str, empty if missing).
        ``target``
            DataFrame of objects with the same index: "taste", "zero", "coin"; None
            where missing.
        ``graph``
            Undirected SocialGraph of hubs and linked users; None without a network.
            Hubs have no row in ``data``.
        ``target_names``
            Class names per task.
        ``DESCR``
            Description of the data set.
        ``report``
            Counts, and which attribute shows where.
        ``complete_target``
            ``target`` without missing labels.
        ``digits``
            Which digits each user shows: list of int arrays, in the order of
            ``images``.
        ``bayes_accuracy``
            Per task, the expected accuracy of the best possible classifier on these
            users: the mean of the largest posterior probability, given the digits,
            the words and the links that there are.
        ``bayes_accuracy_images``, ``bayes_accuracy_text``, ``bayes_accuracy_network``
            The same, given one source alone.
        ``bayes_accuracy_realized``
            Per task, the share of these users that the best classifier gets right.
        ``bayes_proba``
            Per task, the posterior given all sources: ndarray of shape
            (n_users, n_classes), columns as in ``target_names``.

    Raises
    ------
    ValueError
        If a parameter is out of range.

    See Also
    --------
    make_user_profiles : Users with text and network whose words and hubs these share.

    Notes
    -----
    All of this is our own choice; no paper describes it. The posterior is that of a
    reader who knows the generator and reads every digit, so the Bayes accuracy is an
    upper bound. It holds in expectation; on few users a model may surpass it by luck.
    There are 1,797 pictures, and users share them: a picture that stands in the
    training part may stand in the test part, with other pictures beside it.

    The words of gender of :func:`make_user_profiles` speak for "zero" here, its words
    and hubs of age for "taste"; its words and hubs of region and occupation are there
    and say nothing.

    Examples
    --------
    >>> from sklearn_profiling.datasets import make_image_users
    >>> bunch = make_image_users(100, random_state=0)
    >>> bunch.data["images"][0][0].shape, bunch.target.shape
    ((16, 16, 3), (100, 3))
    >>> bunch.bayes_accuracy["coin"]
    0.5
    """
    fewest, most = _check_n_images(n_images)
    rng = np.random.default_rng(derive_seed(random_state))
    codes = {
        task: rng.integers(len(classes), size=n_users, dtype=np.int64)
        for task, classes in CLASSES.items()
    }
    sizes = rng.integers(fewest, most + 1, size=n_users, dtype=np.int64)
    sizes[rng.random(n_users) < missing_images] = 0
    pictures = draw_pictures(codes, sizes, image_noise, rng)
    images = draw_images(pictures.digits, size, rng)
    hidden = rng.random((n_users, len(TASKS))) < missing_labels
    no_text = rng.random(n_users) < missing_text
    no_links = rng.random(n_users) < missing_network

    model = Model(
        *(_SIGNAL_RATE, _MENTION_RATE, text_noise, network_noise, _N_LINKS),
        missing_network,
    )
    attributes = _as_attributes(codes, rng)
    log_likelihoods = {"images": pictures_log_likelihood(pictures, image_noise)}
    columns: dict[str, list[Any]] = {
        "user_id": [str(1_000_000_001 + user) for user in range(n_users)],
        "images": _split(images, pictures.starts),
    }
    graph = None
    if with_text:
        text = draw_text(
            attributes, no_text, model, n_messages=n_messages, n_words=_N_WORDS, rng=rng
        )
        columns["messages"] = text.messages
        log_likelihoods["text"] = _text_log_likelihood(model, text)
    if with_network:
        links = draw_links(attributes, no_links, model, n_friends=_N_FRIENDS, rng=rng)
        graph = make_graph(columns["user_id"], links)
        log_likelihoods["network"] = _network_log_likelihood(model, links, no_links)

    complete = pd.DataFrame(
        {
            task: pd.Series(np.array(CLASSES[task], object)[code], None, object)
            for task, code in codes.items()
        }
    )
    target = complete.mask(hidden, None)
    report = {
        "n_users": n_users,
        "missing_labels": {task: int(target[task].isna().sum()) for task in TASKS},
        "missing_images": int((sizes == 0).sum()),
        "n_images": len(images),
        "shows_in": {
            "taste": ("all images", "network", "text, weakly"),
            "zero": ("single images", "text"),
            "coin": (),
        },
    }
    if with_text:
        report["missing_messages"] = int(no_text.sum())
        report["n_messages"] = sum(map(len, columns["messages"]))
    if with_network:
        report["missing_links"] = missing_in_network(columns["user_id"], graph)
    return GeneratedUsers(
        data=pd.DataFrame(
            {name: pd.Series(cells, dtype=object) for name, cells in columns.items()}
        ),
        target=target,
        graph=graph,
        target_names={task: list(CLASSES[task]) for task in TASKS},
        DESCR=load_description("image_users"),
        report=report,
        complete_target=complete,
        digits=_split(pictures.digits, pictures.starts),
        **_bayes(codes, log_likelihoods),
    )


def _check_n_images(n_images: int | tuple[int, ...]) -> tuple[int, int]:
    if not isinstance(n_images, tuple):
        return n_images, n_images
    if (
        len(n_images) != 2
        or not all(isinstance(limit, Integral) for limit in n_images)
        or not 1 <= n_images[0] <= n_images[1]
    ):
        msg = (
            "n_images must be a number from 1 up or a tuple of the fewest and the "
            f"most, both from 1 up; got {n_images!r}"
        )
        raise ValueError(msg)
    return n_images[0], n_images[1]


def _split(values: Any, starts: IntArray) -> list[Any]:
    """Return the values of each user."""
    borders = starts.tolist()
    return [values[start:end] for start, end in pairwise(borders)]


def _as_attributes(
    codes: dict[str, IntArray], rng: np.random.Generator
) -> dict[str, IntArray]:
    """Name the attributes as the words and hubs do; two of them mean nothing here."""
    n_users = len(codes["zero"])
    return {
        "gender": codes["zero"],
        "age": codes["taste"],
        "region": rng.integers(_N_REGIONS, size=n_users, dtype=np.int64),
        "occupation": rng.integers(_N_OCCUPATIONS, size=n_users, dtype=np.int64),
    }


def _text_log_likelihood(model: Model, text: Text) -> FloatArray:
    return _marginal(model.text_log_likelihood(text.counts))


def _network_log_likelihood(
    model: Model, links: Links, no_links: BoolArray
) -> FloatArray:
    linked = (np.diff(links.to_hubs.indptr) + np.diff(links.friends.indptr)) > 0
    # whoever may have friends has one, if there is anybody else to be friends with
    unlinked_is_missing = int((~no_links).sum()) > 1
    return _marginal(
        model.network_log_likelihood(
            links.counts, linked, unlinked_is_missing=unlinked_is_missing
        )
    )


def _marginal(log_likelihood: FloatArray) -> FloatArray:
    """Sum over region and occupation, all equally likely, and keep the others."""
    over_occupations = np.logaddexp.reduce(log_likelihood, axis=4)
    return np.asarray(np.logaddexp.reduce(over_occupations, axis=3))


def _bayes(
    codes: dict[str, IntArray], log_likelihoods: dict[str, FloatArray]
) -> dict[str, Any]:
    """Return what the best classifier reaches, with each source and with all."""
    nothing = np.zeros(
        (len(codes["zero"]), len(CLASSES["zero"]), len(CLASSES["taste"]))
    )
    proba = _posteriors(sum(log_likelihoods.values(), nothing))
    found: dict[str, Any] = {"bayes_accuracy": _expected(proba), "bayes_proba": proba}
    for source in ("images", "text", "network"):
        alone = _posteriors(nothing + log_likelihoods.get(source, 0.0))
        found[f"bayes_accuracy_{source}"] = _expected(alone)
    found["bayes_accuracy_realized"] = {
        task: float((proba[task].argmax(axis=1) == codes[task]).mean())
        for task in TASKS
    }
    return found


def _posteriors(log_likelihood: FloatArray) -> dict[str, FloatArray]:
    joint = np.exp(log_likelihood - log_likelihood.max(axis=(1, 2), keepdims=True))
    joint /= joint.sum(axis=(1, 2), keepdims=True)
    return {
        "taste": joint.sum(axis=1),
        "zero": joint.sum(axis=2),
        "coin": np.full((len(joint), 2), 0.5),
    }


def _expected(proba: dict[str, FloatArray]) -> dict[str, float]:
    return {task: float(proba[task].max(axis=1).mean()) for task in TASKS}
