"""Draws the messages and the links of synthetic users, and counts their evidence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

from sklearn_profiling.containers.social_graph import SocialGraph
from sklearn_profiling.datasets.synthetic._model import (
    CLASSES,
    HUBS_PER_CLASS,
    N_GENERAL_HUBS,
    TASKS,
    TOPIC_RATES,
    IntArray,
    Model,
    joint_prior,
)
from sklearn_profiling.datasets.synthetic._words import (
    CLASS_WORDS,
    COMMON_WORDS,
    ENDINGS,
    MENTION_MARKERS,
    OWN_MARKERS,
    PAUSES,
)

BoolArray = npt.NDArray[np.bool_]

_OWN, _MENTION, _CHATTER = 0, 1, 2
_PAUSE_RATES = (0.86, 0.12, 0.02)
_ENDING_RATES = (0.3, 0.4, 0.15, 0.1, 0.05)
_ROWS_AT_ONCE = 20_000


@dataclass(frozen=True)
class Text:
    """The messages of all users and what they reveal."""

    messages: list[list[str]]
    counts: dict[str, IntArray]  # task -> (n_users, n_classes), own messages only
    n_own: int
    n_mentions: int
    informative: dict[str, list[BoolArray]]  # task -> of each user, by message


@dataclass(frozen=True)
class Links:
    """The links of all users and what they reveal."""

    hub_ids: list[str]
    hub_classes: list[tuple[str | None, str | None]]
    to_hubs: sparse.csr_array  # (n_users, n_hubs)
    friends: sparse.csr_array  # (n_users, n_users), symmetric
    counts: dict[str, IntArray]  # task -> (n_users, n_classes)


def draw_attributes(n_users: int, rng: np.random.Generator) -> dict[str, IntArray]:
    """Draw the class codes of every user from the joint table."""
    prior = joint_prior()
    cells = rng.choice(prior.size, size=n_users, p=prior.ravel())
    codes = np.unravel_index(cells, prior.shape)
    return {
        task: np.asarray(code, dtype=np.int64)
        for task, code in zip(TASKS, codes, strict=True)
    }


class _Lexicon:
    """All words in one array, each list at its own offset."""

    def __init__(self) -> None:
        words: list[str] = []
        self.class_words = {}
        for task in TASKS:
            lists = [CLASS_WORDS[task][name] for name in CLASSES[task]]
            self.class_words[task] = [self._add(words, entries) for entries in lists]
        self.markers = {
            _OWN: self._add(words, OWN_MARKERS),
            _MENTION: self._add(words, MENTION_MARKERS),
        }
        self.common = self._add(words, COMMON_WORDS)
        self.words = np.array(words, dtype=object)

    @staticmethod
    def _add(words: list[str], entries: Sequence[str]) -> IntArray:
        start = len(words)
        words.extend(entries)
        return np.arange(start, len(words))


def draw_text(
    attributes: dict[str, IntArray],
    missing: BoolArray,
    model: Model,
    *,
    n_messages: float,
    n_words: float,
    rng: np.random.Generator,
) -> Text:
    """Draw the messages of every user; a user with missing text gets none."""
    n_users = len(missing)
    per_user = 1 + rng.poisson(n_messages - 1.0, size=n_users)
    per_user[missing] = 0
    user = np.repeat(np.arange(n_users), per_user)
    own, mention = model.signal_rate, model.mention_rate
    kind = rng.choice(
        3, size=len(user), p=[own, mention, max(0.0, 1.0 - own - mention)]
    )
    lexicon = _Lexicon()
    owners, words = [], []

    n_common = 1 + rng.poisson(n_words - 1.0, size=len(user))
    owners.append(np.repeat(np.arange(len(user)), n_common))
    # as in real text, a few words make up much of it
    weights = 1.0 / (10.0 + np.arange(len(lexicon.common)))
    words.append(
        rng.choice(lexicon.common, size=int(n_common.sum()), p=weights / weights.sum())
    )
    for marked, markers in lexicon.markers.items():
        owners.append(np.flatnonzero(kind == marked))
        words.append(rng.choice(markers, size=len(owners[-1])))

    counts, informative = {}, {}
    ends = np.cumsum(per_user)
    for task in TASKS:
        chosen = np.flatnonzero(
            (kind != _CHATTER) & (rng.random(len(user)) < TOPIC_RATES[task])
        )
        classes = _word_classes(
            model.word_class_probabilities(task),
            attributes[task][user[chosen]],
            kind[chosen] == _OWN,
            rng,
        )
        owners.append(chosen)
        words.append(_words_of_classes(lexicon.class_words[task], classes, rng))
        is_own = kind[chosen] == _OWN
        revealing = np.zeros(len(user), dtype=bool)
        revealing[chosen[is_own]] = True
        informative[task] = np.split(revealing, ends[:-1])
        counts[task] = _count(
            user[chosen[is_own]], classes[is_own], n_users, len(CLASSES[task])
        )
    texts = _join(np.concatenate(owners), np.concatenate(words), lexicon, rng)
    messages = [
        texts[end - size : end]
        for end, size in zip(ends.tolist(), per_user.tolist(), strict=True)
    ]
    n_own, n_mentions = int((kind == _OWN).sum()), int((kind == _MENTION).sum())
    return Text(messages, counts, n_own, n_mentions, informative)


def _word_classes(
    probabilities: npt.NDArray[np.float64],
    writer_classes: IntArray,
    is_own: BoolArray,
    rng: np.random.Generator,
) -> IntArray:
    """Draw the class of each word: by the writer's class, or uniformly for others."""
    n_classes = len(probabilities)
    draws = rng.random(len(writer_classes))
    cumulative = np.cumsum(probabilities, axis=1)[writer_classes]
    cumulative[~is_own] = np.cumsum(np.full(n_classes, 1.0 / n_classes))
    # the last border is left out: rounding could put it below a draw
    return np.asarray((draws[:, None] >= cumulative[:, :-1]).sum(axis=1), np.int64)


def _words_of_classes(
    lists: list[IntArray], classes: IntArray, rng: np.random.Generator
) -> IntArray:
    starts = np.array([entries[0] for entries in lists])
    sizes = np.array([len(entries) for entries in lists])
    return np.asarray(starts[classes] + rng.integers(sizes[classes]), np.int64)


def _count(rows: IntArray, columns: IntArray, n_rows: int, n_columns: int) -> IntArray:
    flat = np.bincount(rows * n_columns + columns, minlength=n_rows * n_columns)
    return flat.reshape(n_rows, n_columns).astype(np.int64)


def _join(
    owners: IntArray, words: IntArray, lexicon: _Lexicon, rng: np.random.Generator
) -> list[str]:
    """Shuffle the words of each message and write them without blanks."""
    order = np.lexsort((rng.random(len(owners)), owners))
    owners, words = owners[order], words[order]
    is_last = np.append(owners[1:] != owners[:-1], True)[: len(owners)]
    marks = rng.choice(np.array(PAUSES, dtype=object), size=len(words), p=_PAUSE_RATES)
    marks[is_last] = rng.choice(
        np.array(ENDINGS, dtype=object), size=int(is_last.sum()), p=_ENDING_RATES
    )
    pieces = (lexicon.words[words] + marks).tolist()
    ends = (np.flatnonzero(is_last) + 1).tolist()
    if not ends:
        return []
    starts = [0, *ends[:-1]]
    return ["".join(pieces[a:b]) for a, b in zip(starts, ends, strict=True)]


def draw_links(
    attributes: dict[str, IntArray],
    missing: BoolArray,
    model: Model,
    *,
    n_friends: int,
    rng: np.random.Generator,
) -> Links:
    """Draw the links of every user to hubs and to other users."""
    hub_classes: list[tuple[str | None, str | None]] = [
        (task, name)
        for task, n_hubs in HUBS_PER_CLASS.items()
        for name in CLASSES[task]
        for _ in range(n_hubs)
    ]
    hub_classes += [(None, None)] * N_GENERAL_HUBS
    blocks = []
    for first in range(0, len(missing), _ROWS_AT_ONCE):
        rows = slice(first, first + _ROWS_AT_ONCE)
        linked = _hub_links({t: c[rows] for t, c in attributes.items()}, model, rng)
        blocks.append(sparse.csr_array(linked & ~missing[rows, None]))
    to_hubs = sparse.csr_array(sparse.vstack(blocks))
    counts, start = {}, 0
    for task, n_hubs in HUBS_PER_CLASS.items():
        n_classes = len(CLASSES[task])
        block = to_hubs[:, start : start + n_classes * n_hubs].astype(np.int64)
        members = np.repeat(np.eye(n_classes, dtype=np.int64), n_hubs, axis=0)
        counts[task] = np.asarray(block @ members)
        start += n_classes * n_hubs
    hub_ids = [str(9_000_000_001 + hub) for hub in range(len(hub_classes))]
    friends = _friends(missing, n_friends, rng)
    return Links(hub_ids, hub_classes, to_hubs, friends, counts)


def _hub_links(
    attributes: dict[str, IntArray], model: Model, rng: np.random.Generator
) -> BoolArray:
    tables = [
        np.repeat(model.hub_probabilities(task), n_hubs, axis=1)[attributes[task]]
        for task, n_hubs in HUBS_PER_CLASS.items()
    ]
    n_users = len(tables[0])
    general = np.full((n_users, N_GENERAL_HUBS), model.general_hub_probability)
    probabilities = np.hstack([*tables, general])
    return np.asarray(rng.random(probabilities.shape) < probabilities)


def _friends(
    missing: BoolArray, n_friends: int, rng: np.random.Generator
) -> sparse.csr_array:
    """Let every present user follow others, regardless of anybody's attributes."""
    present = np.flatnonzero(~missing)
    per_user = n_friends if len(present) > 1 else 0
    rows = np.repeat(np.arange(len(present)), per_user)
    # a shift by at least one place never leads back to the user
    shifts = rng.integers(1, max(2, len(present)), size=len(rows))
    columns = (rows + shifts) % max(1, len(present))
    shape = (len(missing), len(missing))
    ones = np.ones(len(rows), dtype=np.float32)
    arcs = sparse.csr_array((ones, (present[rows], present[columns])), shape=shape)
    friends: Any = arcs + arcs.T
    friends.data[:] = 1.0
    return sparse.csr_array(friends)


def make_graph(user_ids: list[str], links: Links) -> SocialGraph | None:
    """Return the network of the hubs and of the linked users; None without any."""
    hubs: Any = links.to_hubs.astype(np.float32)
    adjacency = sparse.csr_array(sparse.bmat([[None, hubs.T], [hubs, links.friends]]))
    linked = np.flatnonzero(np.diff(adjacency.indptr))
    if not len(linked):
        return None
    # hubs come first, so that dump_smpcup2016 lists their fans in one line
    ids = np.array([*links.hub_ids, *user_ids], dtype=object)[linked]
    return SocialGraph(adjacency[linked][:, linked], ids, directed=False)
