"""How much of a net is added to its offset."""

from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.special import log_softmax
from skorch.helper import SliceDict

from sklearn_profiling.estimators import MMLUPClassifier
from sklearn_profiling.training import offset_shares
from sklearn_profiling.training.batches import LabelBatch
from sklearn_profiling.training.offset_shares import _best_share

N_USERS = 160
RNG = np.random.default_rng(0)
TRUTH = RNG.integers(0, 2, size=(N_USERS, 2))
SIGNS = 2.0 * TRUTH - 1
# The offset knows most of the task "known" and nothing of "new"; the vectors are the
# other way round, with columns of noise to overfit.
KNOWN = 1.2 * SIGNS[:, 0] + RNG.normal(size=N_USERS)
NOTHING = np.zeros(N_USERS)
X = SliceDict(
    vectors=np.column_stack([SIGNS[:, 1], RNG.normal(size=(N_USERS, 40))]),
    odds=np.column_stack([-KNOWN, KNOWN, NOTHING, NOTHING]),
)
Y = pd.DataFrame(TRUTH, columns=["known", "new"])


def make(**parameters):
    settings = {"max_epochs": 15, "learning_rate": 0.01, "dropout": 0.0}
    return MMLUPClassifier(
        sources=["vectors"],
        offset=["odds"],
        random_state=0,
        **{**settings, **parameters},
    )


def shares_of(model):
    return model.net_.module_.shares.tolist()


@pytest.fixture(scope="module")
def shrunk():
    return make().fit(X, Y)


def test_a_net_is_added_as_far_as_it_helps_each_task(shrunk):
    known, new = shares_of(shrunk)
    assert known < 0.3
    assert new > 0.9


def test_the_share_is_all_that_differs(shrunk):
    whole = make(shrink_fraction=0.0).fit(X, Y)
    assert shares_of(whole) == [1.0, 1.0]
    trained = whole.net_.module_.state_dict()
    for name, value in shrunk.net_.module_.state_dict().items():
        assert name == "shares" or torch.equal(value, trained[name])
    silent = SliceDict(vectors=X["vectors"], odds=np.zeros_like(X["odds"]))
    for share, part, all_of_it in zip(
        shares_of(shrunk),
        shrunk.predict_log_proba(silent),
        whole.predict_log_proba(silent),
        strict=True,
    ):
        np.testing.assert_allclose(
            part, log_softmax(share * all_of_it, axis=1), atol=1e-5
        )


def test_models_keep_their_shares(shrunk):
    copy = pickle.loads(pickle.dumps(shrunk))
    assert shares_of(copy) == shares_of(shrunk)
    before = shares_of(copy)
    copy.set_params(warm_start=True, max_epochs=1).fit(X, Y)
    assert shares_of(copy.partial_fit(X, Y)) == before
    assert copy.n_iter_ == 2  # the history is not kept


def test_tasks_with_few_held_out_labels_get_the_whole_net():
    twice = SliceDict(vectors=X["vectors"], odds=X["odds"][:, [0, 1, 0, 1]])
    y = pd.DataFrame({"few": Y["known"].astype(float), "all": Y["known"]})
    y.loc[60:, "few"] = np.nan
    few, all_ = shares_of(make().fit(twice, y))
    assert few == 1.0
    assert all_ < 0.5


def test_no_trial_where_nobody_would_tell(monkeypatch):
    def refuse(*args, **options):
        raise AssertionError("a trial net was trained")

    monkeypatch.setattr(offset_shares, "train", refuse)
    started = make().partial_fit(X, Y, classes=[[0, 1], [0, 1]])
    few = make(max_epochs=1).fit(X[:90], Y[:90])
    whole = make(max_epochs=1, shrink_fraction=0.0).fit(X, Y)
    for model in (started, few, whole):
        assert shares_of(model) == [1.0, 1.0]
    with pytest.raises(AssertionError, match="trial net"):
        make(max_epochs=1).fit(X, Y)


def labels_of(codes, members=None):
    return LabelBatch(
        torch.tensor(codes)[:, None],
        {} if members is None else {0: torch.tensor(members)},
        torch.ones(len(codes), 1),
    )


@pytest.mark.parametrize(("sign", "best"), [(1.0, 1.0), (-1.0, 0.0)])
def test_shares_reach_nothing_and_all(sign, best):
    offset = torch.zeros(2, 2)
    right = torch.tensor([[1.0, -1.0], [-1.0, 1.0]])
    assert _best_share(offset, sign * right, labels_of([0, 1]), 0) == best


def test_shares_of_labels_and_of_sets_by_hand():
    # Three of four users are right: the loss is least at the log-odds of 3 to 1.
    offset, whole = torch.zeros(4, 2), torch.tensor([[4.0, 0.0]] * 4)
    found = _best_share(offset, whole, labels_of([0, 0, 0, 1]), 0)
    assert found == pytest.approx(np.log(3) / 4, abs=1e-3)
    members = [[1.0, 0.0]] * 3 + [[0.0, 0.0]]
    found = _best_share(offset, whole, labels_of([0, 0, 0, 0], members), 0)
    assert found == pytest.approx(np.log(3) / 4, abs=1e-3)
