"""Inner folds: every class stays in every training part, classes of any size."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.svm import LinearSVC

from sklearn_profiling.baselines._inner_folds import SparingFolds, deal

Y = np.array(["a"] * 9 + ["b"] * 4 + ["c"] * 2 + ["d"])


def test_dealing_spreads_classes_and_sizes() -> None:
    codes = np.repeat(np.arange(4), [9, 4, 2, 1])
    folds = deal(codes, 3, seed=0)
    assert sorted(np.bincount(folds)) == [5, 5, 6]
    for code in range(4):
        counts = np.bincount(folds[codes == code], minlength=3)
        assert counts.max() - counts.min() <= 1
    assert (deal(codes, 3, seed=0) == folds).all()
    assert (deal(codes, 3, seed=1) != folds).any()


def test_every_class_is_in_every_training_part() -> None:
    folds = SparingFolds(3, random_state=0)
    splits = list(folds.split(None, Y))
    assert len(splits) == folds.get_n_splits(None, Y) == 3
    for train, test in splits:
        assert set(Y[train]) == set("abcd")
        assert not set(train) & set(test)
        assert len(train) + len(test) == len(Y)
    held_out = np.concatenate([test for _, test in splits])
    assert sorted(held_out) == list(range(15)), "all but the only member of d"


def test_fewer_folds_for_small_classes() -> None:
    folds = SparingFolds(5)
    assert folds.get_n_splits() == 5
    assert folds.get_n_splits(None, ["a", "a", "b"]) == 2
    ((train, test),) = folds.split(None, ["a", "b"])
    assert train.tolist() == test.tolist() == [0, 1]
    assert repr(folds) == "SparingFolds(5, random_state=None)"


@pytest.mark.parametrize("y", [Y, Y[-4:], Y[[0, -1]], Y[[0, 9, 13, 15]]])
def test_calibration_over_classes_of_any_size(y: np.ndarray) -> None:
    X = np.random.default_rng(0).normal(size=(len(y), 3))
    model = CalibratedClassifierCV(LinearSVC(random_state=0), cv=SparingFolds(3, 0))
    probabilities = clone(model).fit(X, y).predict_proba(X)
    assert probabilities.shape == (len(y), len(set(y)))
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)
