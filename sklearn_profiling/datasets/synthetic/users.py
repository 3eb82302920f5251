"""Generator of synthetic users whose best possible accuracy is known."""

from __future__ import annotations

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
from sklearn_profiling.datasets.synthetic._model import (
    CLASSES,
    TASKS,
    FloatArray,
    IntArray,
    Model,
    posteriors,
)
from sklearn_profiling.datasets.synthetic._users_draw import (
    Links,
    Text,
    draw_attributes,
    draw_links,
    draw_text,
    make_graph,
)

__all__ = ["make_user_profiles"]

_ROWS_AT_ONCE = 20_000
_SHARE = [Interval(Real, 0, 1, closed="both")]
_AT_LEAST_1 = [Interval(Real, 1, None, closed="left")]


@validate_params(
    {
        "n_users": [Interval(Integral, 1, None, closed="left")],
        "n_messages": _AT_LEAST_1,
        "n_words": _AT_LEAST_1,
        "signal_rate": _SHARE,
        "mention_rate": _SHARE,
        "text_noise": _SHARE,
        "n_links": [Interval(Real, 0, None, closed="left")],
        "network_noise": _SHARE,
        "n_friends": [Interval(Integral, 0, None, closed="left")],
        "missing_labels": _SHARE,
        "missing_text": _SHARE,
        "missing_network": _SHARE,
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
def make_user_profiles(
    n_users: int = 500,
    *,
    n_messages: float = 15.0,
    n_words: float = 10.0,
    signal_rate: float = 0.2,
    mention_rate: float = 0.1,
    text_noise: float = 0.1,
    n_links: float = 15.0,
    network_noise: float = 0.6,
    n_friends: int = 2,
    missing_labels: float = 0.0,
    missing_text: float = 0.0,
    missing_network: float = 0.0,
    random_state: RandomState = None,
) -> GeneratedUsers:
    """Make synthetic Chinese users with messages, links and four attributes.

    Gender, age, region and occupation are correlated. Most messages are noise; some
    are about their writer and reveal attributes, and some are about others and
    use the same words without revealing anything. Links go to hubs, accounts that
    users of a region or an age like to follow. The exact posterior of the attributes
    given text and links is known, and with it the best accuracy that any model can
    reach on these users.

    ==========  ====================  ==================================
    task        text                  network
    ==========  ====================  ==================================
    gender      strong                nothing
    age         weak                  strong
    region      medium (place names)  medium
    occupation  medium                nothing of its own (through age)
    ==========  ====================  ==================================

    Parameters
    ----------
    n_users : int, default=500
        Number of users.
    n_messages : float, default=15
        Expected number of messages of a user, at least 1: 1 + Poisson.
    n_words : float, default=10
        Expected number of common words in a message, at least 1: 1 + Poisson. Words
        that reveal something come on top.
    signal_rate : float, default=0.2
        Share of the messages that are about their writer. Only these reveal
        attributes.
    mention_rate : float, default=0.1
        Share of the messages about others: with the same kinds of words, of classes
        drawn uniformly, and marked by words such as 听说. A reader who does not tell
        them from the messages about the writer loses accuracy.
    text_noise : float, default=0.1
        Probability that a revealing word is of a class drawn at random instead of the
        writer's; 1 leaves no signal in the text. For age (1 + `text_noise`) / 2.
    n_links : float, default=15
        Expected number of links of a user to hubs: 40 % to hubs of regions (12 for
        each), 40 % to hubs of ages (16 for each), 20 % to 24 general ones.
    network_noise : float, default=0.6
        Share of the links to hubs of regions and ages that do not depend on the
        user's own; 1 leaves no signal in the network.
    n_friends : int, default=2
        Number of links from each user to others drawn regardless of attributes. They
        carry no information.
    missing_labels : float, default=0
        Probability that a label is missing, for each user and task.
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
            DataFrame, one row a user: ``user_id`` (digits) and ``messages`` (list of
            str, empty if missing).
        ``target``
            DataFrame of objects with the same index: "gender", "age", "region",
            "occupation"; None where missing. The first three have the classes of
            :func:`load_smpcup2016`.
        ``graph``
            Undirected SocialGraph of hubs and linked users; None without any link.
            Hubs have no row in ``data``.
        ``target_names``
            Class names per task.
        ``DESCR``
            Description of the data set.
        ``report``
            Counts, the parameters, and which attribute shows where.
        ``complete_target``
            ``target`` without missing labels.
        ``informative``
            DataFrame like ``target``: of each task and user a bool array, one entry a
            message, whether it is about its writer and has a word of the task.
        ``hubs``
            DataFrame of the hubs: ``user_id``, ``task`` and ``label`` (None for
            general hubs).
        ``bayes_accuracy``
            Per task, the expected accuracy of the best possible classifier on these
            users: the mean of the largest posterior probability, given all their
            text and links. Users with missing sources count with what they have.
        ``bayes_accuracy_text``, ``bayes_accuracy_network``
            The same, given only the text or only the links.
        ``bayes_accuracy_realized``
            Per task, the share of these users that the best classifier gets right.
        ``bayes_proba``
            Per task, the posterior given text and links: ndarray of shape
            (n_users, n_classes), columns as in ``target_names``.

    Raises
    ------
    ValueError
        If a parameter is out of range, `signal_rate` and `mention_rate` exceed 1
        together, or `n_links` is more than there are hubs to link to.

    See Also
    --------
    dump_smpcup2016 : Writes the users as SMP CUP 2016 files, without occupation.

    Notes
    -----
    All of this is our own choice; no paper describes it. The posterior is that of a
    reader who knows the generator and sees the words. Messages are written without
    blanks, so a model sees at most as much, and has to learn the rest: the Bayes
    accuracy is an upper bound. It holds in expectation; on few users a model may
    surpass it by luck.

    Given the attributes, words and links to hubs are independent, so the posterior
    is exact: a product over the revealing words of the messages about the writer, and
    over all hubs, linked or not. A user without links may be one whose links are
    missing or, if `n_friends` is 0, one who follows nobody, and both are accounted
    for. Labels of other tasks and of other users are not used by it.

    Examples
    --------
    >>> from sklearn_profiling.datasets import make_user_profiles
    >>> bunch = make_user_profiles(200, random_state=0)
    >>> bunch.data.shape, bunch.target.shape
    ((200, 2), (200, 4))
    >>> bunch.target_names["gender"]
    ['m', 'f']
    >>> bunch.bayes_accuracy_text["age"] < bunch.bayes_accuracy["age"]
    True
    """
    model = Model(
        signal_rate, mention_rate, text_noise, network_noise, n_links, missing_network
    )
    _check_feasible(model)
    rng = np.random.default_rng(derive_seed(random_state))
    attributes = draw_attributes(n_users, rng)
    no_text = rng.random(n_users) < missing_text
    no_links = rng.random(n_users) < missing_network
    text = draw_text(
        attributes, no_text, model, n_messages=n_messages, n_words=n_words, rng=rng
    )
    links = draw_links(attributes, no_links, model, n_friends=n_friends, rng=rng)

    user_ids = [str(1_000_000_001 + user) for user in range(n_users)]
    complete = pd.DataFrame(
        {
            task: pd.Series(
                np.array(CLASSES[task], object)[attributes[task]], None, object
            )
            for task in TASKS
        }
    )
    hidden = rng.random(complete.shape) < missing_labels
    target = complete.mask(hidden, None)
    graph = make_graph(user_ids, links)
    # with friends, everybody whose links are not missing has at least one
    unlinked_is_missing = n_friends > 0 and int((~no_links).sum()) > 1
    bayes = _bayes(
        model, attributes, text, links, unlinked_is_missing=unlinked_is_missing
    )
    report = {
        "n_users": n_users,
        "missing_labels": {task: int(target[task].isna().sum()) for task in TASKS},
        "missing_messages": int(no_text.sum()),
        "missing_links": missing_in_network(user_ids, graph),
        "n_messages": sum(map(len, text.messages)),
        "n_messages_about_writer": text.n_own,
        "n_messages_about_others": text.n_mentions,
        "n_links_to_hubs": int(links.to_hubs.nnz),
        "n_links_to_friends": int(links.friends.nnz) // 2,
        "shows_in": {
            "gender": ("text",),
            "age": ("network", "text, weakly"),
            "region": ("text", "network"),
            "occupation": ("text", "age and gender"),
        },
    }
    return GeneratedUsers(
        data=pd.DataFrame(
            {
                "user_id": pd.Series(user_ids, dtype=object),
                "messages": pd.Series(text.messages, dtype=object),
            }
        ),
        target=target,
        graph=graph,
        target_names={task: list(CLASSES[task]) for task in TASKS},
        DESCR=load_description("user_profiles"),
        report=report,
        complete_target=complete,
        informative=pd.DataFrame(
            {
                task: pd.Series(rows, dtype=object)
                for task, rows in text.informative.items()
            }
        ),
        hubs=pd.DataFrame(
            [
                (hub, *about)
                for hub, about in zip(links.hub_ids, links.hub_classes, strict=True)
            ],
            columns=["user_id", "task", "label"],
            dtype=object,
        ),
        **bayes,
    )


def _check_feasible(model: Model) -> None:
    if model.signal_rate + model.mention_rate > 1.0:
        msg = (
            f"signal_rate and mention_rate are shares of all messages and must not "
            f"exceed 1 together; got {model.signal_rate} and {model.mention_rate}"
        )
        raise ValueError(msg)
    if model.largest_probability > 1.0:
        limit = model.n_links / model.largest_probability
        msg = (
            f"n_links must be at most {limit:.4g} at network_noise="
            f"{model.network_noise}, as there are not more hubs to link to; "
            f"got {model.n_links}"
        )
        raise ValueError(msg)


def _bayes(
    model: Model,
    attributes: dict[str, IntArray],
    text: Text,
    links: Links,
    *,
    unlinked_is_missing: bool,
) -> dict[str, Any]:
    """Return what the best classifier reaches, with each source and with both."""
    linked = (np.diff(links.to_hubs.indptr) + np.diff(links.friends.indptr)) > 0
    parts: dict[str, list[dict[str, FloatArray]]] = {"text": [], "network": [], "": []}
    for first in range(0, len(linked), _ROWS_AT_ONCE):
        rows = slice(first, first + _ROWS_AT_ONCE)
        words = model.text_log_likelihood({t: c[rows] for t, c in text.counts.items()})
        hubs = model.network_log_likelihood(
            {t: c[rows] for t, c in links.counts.items()},
            linked[rows],
            unlinked_is_missing=unlinked_is_missing,
        )
        parts["text"].append(posteriors(words))
        parts["network"].append(posteriors(hubs))
        parts[""].append(posteriors(words + hubs))
    proba = {
        source: {task: np.concatenate([p[task] for p in pieces]) for task in TASKS}
        for source, pieces in parts.items()
    }
    accuracy = {
        source: {task: float(p[task].max(axis=1).mean()) for task in TASKS}
        for source, p in proba.items()
    }
    realized = {
        task: float((proba[""][task].argmax(axis=1) == attributes[task]).mean())
        for task in TASKS
    }
    return {
        "bayes_accuracy": accuracy[""],
        "bayes_accuracy_text": accuracy["text"],
        "bayes_accuracy_network": accuracy["network"],
        "bayes_accuracy_realized": realized,
        "bayes_proba": proba[""],
    }
