"""Labels along links: by hand, no leak, homophily and monophily, gaps, sets, errors."""

from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import KFold

from sklearn_profiling.baselines import PropagatedLabels
from sklearn_profiling.containers import SocialGraph
from sklearn_profiling.exceptions import SourceError, TargetError

RNG = np.random.default_rng(0)


def network(likely, seed=0):
    """Draw links of the probabilities (n_users, n_users)."""
    drawn = np.triu(np.random.default_rng(seed).random(likely.shape) < likely, 1)
    return SocialGraph.from_edges(np.argwhere(drawn), ids=np.arange(len(likely)))


SIDE = RNG.permutation(np.arange(200) % 2)
FRIENDS = network(np.where(SIDE[:, None] == SIDE, 0.12, 0.02))
LABELS = np.array(["f", "m"], dtype=object)[SIDE]
IDS = np.arange(200)


def test_the_spread_by_hand():
    # a - b, c apart from them and linked to d: S of each pair has 1/2 everywhere.
    graph = SocialGraph.from_edges([("a", "b"), ("c", "d")])
    model = PropagatedLabels(graph, damping=(0.0, 0.5), n_steps=2, cv=KFold(2))
    ids, labels = ["a", "c"], ["x", "y"]
    model.fit(ids, labels)
    # S Y is 1/2 (Y_a + Y_b) with Y_a = (1/2, -1/2); S^2 = S; the sum has 1.5 times it.
    found = model._spread(
        np.full((2, 2), 0.5, np.float32), np.array([[0.5, -0.5], [0, 0]], np.float32)
    )
    np.testing.assert_allclose(found[0], [[0.25, -0.25]] * 2)
    np.testing.assert_allclose(found[1], [[0.375, -0.375]] * 2)
    # Out of fold nobody's neighbours have a label, so there is nothing to weigh.
    assert (model.fit_transform(ids, labels) == 0).all()


def test_neighbours_of_one_kind_are_found():
    model = PropagatedLabels(FRIENDS, random_state=0)
    odds = model.fit_transform(IDS[:150], LABELS[:150])
    assert odds.dtype == np.float32
    np.testing.assert_allclose(odds.sum(axis=1), 0, atol=1e-5)
    assert ((odds[:, 1] > 0) == SIDE[:150]).mean() > 0.9
    assert ((model.transform(IDS[150:])[:, 1] > 0) == SIDE[150:]).mean() > 0.9
    assert model.scores_[0] == ((odds[:, 1] > 0) == SIDE[:150]).mean()
    assert model.weights_.shape == (1, 4)
    assert model.get_feature_names_out().tolist() == ["task0=f", "task0=m"]


def test_friends_of_friends_are_alike_where_friends_are_not():
    other = network(np.where(SIDE[:, None] == SIDE, 0.02, 0.12), seed=1)
    model = PropagatedLabels(other, random_state=0).fit(IDS[:150], LABELS[:150])
    assert ((model.transform(IDS[150:])[:, 1] > 0) == SIDE[150:]).mean() > 0.9
    assert model.weights_[0, 0] < 0


def test_labels_of_the_fold_are_not_seen():
    # Two users of the first fold swap labels, so that the shares stay at one half and
    # the log-odds of that fold may differ by a common factor alone.
    swapped = LABELS.copy()
    pair = [np.flatnonzero(SIDE[:40] == side)[0] for side in (0, 1)]
    swapped[pair] = LABELS[pair[::-1]]

    def learn(labels):
        model = PropagatedLabels(FRIENDS, damping=(0.5,), cv=list(KFold(5).split(IDS)))
        odds = model.fit_transform(IDS, labels)[:40, 1]
        return odds / odds[0], model.transform(IDS)[:40, 1] / odds[0]

    (odds, seen), (odds_swapped, seen_swapped) = learn(LABELS), learn(swapped)
    np.testing.assert_allclose(odds, odds_swapped, rtol=1e-3, atol=1e-4)
    assert np.abs(seen - seen_swapped).max() > 0.05


def test_a_label_that_a_user_alone_has():
    labels = np.arange(200).astype(object)
    odds = PropagatedLabels(FRIENDS, random_state=0).fit_transform(IDS, labels)
    assert (odds.argmax(axis=1) == IDS).mean() < 0.05


def test_shuffled_labels_are_at_chance():
    shuffled = np.random.default_rng(3).permutation(LABELS)
    odds = PropagatedLabels(FRIENDS, random_state=0).fit_transform(IDS, shuffled)
    assert abs(((odds[:, 1] > 0) == (shuffled == "m")).mean() - 0.5) < 0.1
    assert np.abs(odds).mean() < 0.4


def test_rows_of_one_user_are_held_out_together():
    twice, labels = np.tile(IDS, 2), np.tile(np.arange(200), 2).astype(object)
    odds = PropagatedLabels(FRIENDS, random_state=0).fit_transform(twice, labels)
    assert (odds.argmax(axis=1) == twice).mean() < 0.05
    np.testing.assert_array_equal(odds[:200], odds[200:])


def test_users_without_links_or_labels():
    y = pd.DataFrame({"side": LABELS, "rare": None, "same": "k"}, dtype=object)
    y.loc[::4, "side"] = None
    ids = IDS.astype(object)
    ids[[3, 9]] = None, 10_000
    y.loc[[3, 9], "rare"] = ["a", "b"]  # nobody with links
    model = PropagatedLabels(FRIENDS, random_state=0)
    odds = model.fit_transform(ids, y)
    assert np.flatnonzero(np.isnan(odds).all(axis=1)).tolist() == [3, 9]
    assert np.isfinite(np.delete(odds, [3, 9], axis=0)).all()
    rest = np.setdiff1d(IDS, [3, 9])
    assert (odds[rest, 2:] == 0).all()
    assert (model.weights_[1] == 0).all()
    unlabelled = rest[rest % 4 == 0]
    np.testing.assert_array_equal(odds[unlabelled], model.transform(unlabelled))
    assert ((odds[unlabelled, 1] > 0) == SIDE[unlabelled]).mean() > 0.9
    assert np.isnan(model.transform([None, 10_000])).all()


def test_sets_of_labels():
    likes = [{"tea"} | ({"ale"} if side else set()) for side in SIDE]
    y = pd.DataFrame({"likes": likes})
    model = PropagatedLabels(FRIENDS, random_state=0)
    odds = model.fit_transform(IDS, y)
    assert ((odds[:, 0] > 0) == SIDE).mean() > 0.9
    assert (odds[:, 1] > 2).all()


def test_weights_seeds_and_pickles():
    half = np.where(IDS < 150, 2.0, 0.0)
    weighted = PropagatedLabels(FRIENDS, random_state=0).fit(IDS, LABELS, half)
    masked = np.where(IDS < 150, LABELS, None)
    fewer = PropagatedLabels(FRIENDS, random_state=0).fit(IDS, masked)
    np.testing.assert_allclose(
        weighted.transform(IDS), fewer.transform(IDS), rtol=1e-2, atol=1e-3
    )
    again = clone(weighted).fit_transform(IDS, LABELS)
    np.testing.assert_array_equal(again, clone(weighted).fit_transform(IDS, LABELS))
    other = clone(weighted).set_params(random_state=1).fit_transform(IDS, LABELS)
    assert (again != other).any()
    copy = pickle.loads(pickle.dumps(weighted))
    np.testing.assert_array_equal(copy.transform(IDS), weighted.transform(IDS))


def test_errors():
    with pytest.raises(TargetError, match="requires y to be passed"):
        PropagatedLabels(FRIENDS).fit(IDS, None)
    with pytest.raises(ValueError, match="inconsistent numbers"):
        PropagatedLabels(FRIENDS).fit(IDS, LABELS[:50])
    for damping in [(), (1.0,), (-0.1,), [[0.5]]]:
        with pytest.raises(ValueError, match="damping must be one number or more"):
            PropagatedLabels(FRIENDS, damping=damping).fit(IDS, LABELS)
    with pytest.raises(SourceError, match="of another kind"):
        PropagatedLabels(FRIENDS).fit(["x"] * 200, LABELS)
    with pytest.raises(SourceError, match="network of 2 users has no links"):
        PropagatedLabels(SocialGraph.from_edges([], ids=[0, 1])).fit([0], ["f"])
    with pytest.raises(NotFittedError):
        PropagatedLabels(FRIENDS).transform(IDS)
