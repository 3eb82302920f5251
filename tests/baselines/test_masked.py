"""One clone per task: scikit-learn's checks, missing labels, sets, weights."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn import config_context
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.dummy import DummyClassifier
from sklearn.exceptions import NotFittedError, UnsetMetadataPassedError
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.multioutput import MultiOutputClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils.estimator_checks import parametrize_with_checks
from skorch.helper import SliceDict

from sklearn_profiling.baselines import MaskedMultiOutputClassifier
from sklearn_profiling.evaluation import MultiTaskStratifiedKFold
from sklearn_profiling.exceptions import TargetError

GENERATOR = np.random.default_rng(0)
X = GENERATOR.normal(size=(80, 3))
Y = pd.DataFrame(
    {
        "gender": np.where(X[:, 0] > 0, "f", "m"),
        "age": np.digitize(X[:, 1], [-0.5, 0.5]),
    }
).astype(object)
MASKED = Y.mask(GENERATOR.random(Y.shape) < 0.3, None)


@parametrize_with_checks(
    [
        MaskedMultiOutputClassifier(LogisticRegression()),
        # Grown in full, a tree knows no weights.
        MaskedMultiOutputClassifier(
            DecisionTreeClassifier(min_weight_fraction_leaf=0.01, random_state=0)
        ),
    ]
)
def test_scikit_learn_checks(estimator: Any, check: Any) -> None:
    check(estimator)


def test_agrees_with_scikit_learn_without_missing_labels() -> None:
    ours = MaskedMultiOutputClassifier(LogisticRegression()).fit(X, Y)
    theirs = MultiOutputClassifier(LogisticRegression()).fit(
        X, Y.astype({"age": str}).to_numpy(dtype=str)
    )
    assert (ours.predict(X).astype(str) == theirs.predict(X)).all()
    for a, b in zip(ours.predict_proba(X), theirs.predict_proba(X), strict=True):
        np.testing.assert_allclose(a, b)
    assert [c.tolist() for c in ours.classes_] == [["f", "m"], [0, 1, 2]]
    assert ours.task_names_ == ["gender", "age"]


def test_each_task_is_learned_from_its_labelled_users() -> None:
    model = MaskedMultiOutputClassifier(LogisticRegression()).fit(X, MASKED)
    for task, name in enumerate(MASKED):
        rows = MASKED[name].notna().to_numpy()
        alone = LogisticRegression().fit(X[rows], Y[name][rows].astype(str))
        np.testing.assert_allclose(
            model.predict_proba(X)[task], alone.predict_proba(X), rtol=1e-6
        )
    np.testing.assert_array_equal(
        model.score(X, MASKED),
        np.mean(
            [
                np.mean(model.predict(X)[rows, task] == MASKED.to_numpy()[rows, task])
                for task, rows in enumerate(MASKED.notna().to_numpy().T)
            ]
        ),
    )


@pytest.mark.parametrize(
    "kind",
    [
        pd.DataFrame,
        sparse.csr_matrix,
        lambda X: X.tolist(),
        lambda X: SliceDict(source=X),
    ],
    ids=["DataFrame", "sparse", "list", "SliceDict"],
)
def test_any_container_of_users(kind: Any) -> None:
    class Picker(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
        def fit(self, X: Any, y: Any) -> Picker:
            self.classes_ = np.unique(y)
            self.inner_ = LogisticRegression().fit(self._array(X), y)
            return self

        def predict(self, X: Any) -> Any:
            return self.inner_.predict(self._array(X))

        @staticmethod
        def _array(X: Any) -> Any:
            return X["source"] if isinstance(X, SliceDict) else X

    predicted = MaskedMultiOutputClassifier(Picker()).fit(kind(X), MASKED)
    expected = MaskedMultiOutputClassifier(LogisticRegression()).fit(X, MASKED)
    assert (predicted.predict(kind(X)) == expected.predict(X)).all()


def test_one_dimensional_targets() -> None:
    model = MaskedMultiOutputClassifier(LogisticRegression()).fit(X, MASKED["gender"])
    assert model.classes_.tolist() == ["f", "m"]
    assert model.task_names_ == ["gender"]
    assert model.predict(X).shape == (80,)
    assert model.predict_proba(X).shape == (80, 2)
    assert model.score(X, MASKED["gender"]) > 0.9


def test_sample_weights_of_each_task() -> None:
    weights = GENERATOR.integers(0, 3, size=80)
    weighted = MaskedMultiOutputClassifier(LogisticRegression(tol=1e-10)).fit(
        X, MASKED, sample_weight=weights
    )
    repeated = np.repeat(np.arange(80), weights)
    copied = MaskedMultiOutputClassifier(LogisticRegression(tol=1e-10)).fit(
        X[repeated], MASKED.iloc[repeated]
    )
    for a, b in zip(weighted.predict_proba(X), copied.predict_proba(X), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-4)
    score = weighted.score(X, MASKED, sample_weight=weights)
    assert score == pytest.approx(weighted.score(X[repeated], MASKED.iloc[repeated]))
    with pytest.raises(ValueError, match="KNeighborsClassifier takes no sample_weight"):
        MaskedMultiOutputClassifier(KNeighborsClassifier()).fit(X, Y, weights)


def test_weights_of_each_label() -> None:
    weights = GENERATOR.integers(0, 3, size=(80, 2)).astype(float)
    given = pd.DataFrame(weights[:, ::-1], columns=["age", "gender"])
    model = MaskedMultiOutputClassifier(LogisticRegression())
    found = clone(model).fit(X, MASKED, given).predict_proba(X)
    for task, name in enumerate(MASKED):
        rows = np.flatnonzero(MASKED[name].notna() & (weights[:, task] > 0))
        alone = LogisticRegression().fit(
            X[rows], MASKED[name].iloc[rows].tolist(), weights[rows, task]
        )
        np.testing.assert_array_equal(found[task], alone.predict_proba(X))
    score = clone(model).fit(X, Y).score(X, Y, given)
    hits = clone(model).fit(X, Y).predict(X) == Y.to_numpy()
    assert score == pytest.approx(np.average(hits, axis=0, weights=weights).mean())


@pytest.mark.parametrize("given", ["balanced", {"f": 5.0, "m": 0.5}])
def test_classes_are_weighed_as_in_scikit_learn(given: Any) -> None:
    y = MASKED["gender"]
    known = y.notna().to_numpy()
    weights = GENERATOR.uniform(0.5, 2.0, size=80)
    model = MaskedMultiOutputClassifier(
        LogisticRegression(tol=1e-10), class_weight=given
    ).fit(X, y, weights)
    alone = LogisticRegression(tol=1e-10, class_weight=given).fit(
        X[known], y[known].tolist(), weights[known]
    )
    np.testing.assert_allclose(
        model.predict_proba(X), alone.predict_proba(X), atol=1e-6
    )


@pytest.mark.parametrize("pass_missing", [False, True])
def test_a_class_of_weight_zero_has_probability_zero(pass_missing: bool) -> None:
    inner = MaskedMultiOutputClassifier(LogisticRegression())
    model = MaskedMultiOutputClassifier(
        inner if pass_missing else LogisticRegression(),
        class_weight={"age": {1: 0.0}},
        pass_missing=pass_missing,
    ).fit(X, MASKED)
    likely = model.predict_proba(X)[1]
    assert likely.shape == (80, 3)
    assert (likely[:, 1] == 0).all()
    np.testing.assert_allclose(likely.sum(axis=1), 1)
    assert set(model.predict(X)[:, 1]) == {0, 2}
    rows = np.flatnonzero(MASKED["age"].isin([0, 2]))
    alone = LogisticRegression().fit(X[rows], MASKED["age"].iloc[rows].tolist())
    np.testing.assert_allclose(likely[:, [0, 2]], alone.predict_proba(X), atol=1e-6)


def test_sets_of_labels_have_weights() -> None:
    rings = np.where(X[:, 0] > 0, "gold", "silver")
    y = pd.DataFrame(
        {"likes": [{ring, "tea"} if k % 3 else {ring} for k, ring in enumerate(rings)]}
    )
    weights = GENERATOR.uniform(0.5, 2.0, size=80)
    weights[:10] = 0.0
    model = MaskedMultiOutputClassifier(LogisticRegression()).fit(X, y, weights)
    for column, label in enumerate(["gold", "silver", "tea"]):
        inside = np.array([label in cell for cell in y["likes"]]).astype(int)
        alone = LogisticRegression().fit(X[10:], inside[10:], weights[10:])
        np.testing.assert_array_equal(
            model.predict_proba(X)[0][:, column], alone.predict_proba(X)[:, 1]
        )
    assert 0 <= model.score(X, y) <= 1
    # a class that everybody has needs no classifier
    y = pd.DataFrame({"likes": [{ring, "tea"} for ring in rings]})
    with pytest.warns(UserWarning, match="present in all training examples"):
        model.fit(X, y, weights)
    assert (model.predict_proba(X)[0][:, 2] == 1).all()


def test_class_weight_needs_an_estimator_that_takes_weights() -> None:
    model = MaskedMultiOutputClassifier(KNeighborsClassifier(), class_weight="balanced")
    with pytest.raises(ValueError, match="no sample_weight; leave class_weight None"):
        model.fit(X, Y)
    # and no request where metadata are routed, since it is a parameter
    model.set_params(estimator=LogisticRegression())
    expected = clone(model).fit(X, MASKED).predict_proba(X)
    with config_context(enable_metadata_routing=True):
        routed = clone(model).fit(X, MASKED).predict_proba(X)
    for one, other in zip(expected, routed, strict=True):
        np.testing.assert_array_equal(one, other)


class Noting(ClassifierMixin, BaseEstimator):
    """Keeps what its fit is given beside users and labels."""

    def fit(
        self, X: Any, y: Any, sample_weight: Any = None, *, days: Any = None, k: int = 0
    ) -> Noting:
        self.classes_ = np.unique(y)
        self.given_ = (len(X), sample_weight, days, k)
        return self

    def predict(self, X: Any) -> Any:
        return np.full(len(X), self.classes_[0])


def test_parameters_of_fit_reach_the_clones() -> None:
    days = np.arange(80)
    model = MaskedMultiOutputClassifier(Noting()).fit(X, MASKED, days=days, k=3)
    for task, inner in zip(MASKED, model.estimators_, strict=True):
        rows = np.flatnonzero(MASKED[task].notna())
        n_users, weights, cut, k = inner.given_
        assert (n_users, weights, k) == (len(rows), None, 3)
        np.testing.assert_array_equal(cut, days[rows])


def test_metadata_are_routed() -> None:
    weights = GENERATOR.integers(0, 3, size=80).astype(float)
    plain = MaskedMultiOutputClassifier(
        make_pipeline(StandardScaler(), LogisticRegression())
    )
    with pytest.raises(ValueError, match=r"Pipeline takes no .*metadata routing"):
        plain.fit(X, MASKED, sample_weight=weights)
    with config_context(enable_metadata_routing=True):
        with pytest.raises(UnsetMetadataPassedError, match="sample_weight"):
            plain.fit(X, MASKED, sample_weight=weights)
        asking = MaskedMultiOutputClassifier(
            make_pipeline(
                StandardScaler().set_fit_request(sample_weight=False),
                LogisticRegression().set_fit_request(sample_weight=True),
            )
        )
        found = clone(asking).fit(X, MASKED, sample_weight=weights)
        sets = pd.DataFrame({"likes": [{"a"}, {"b"}, {"a", "b"}, None] * 20})
        clone(asking).fit(X, sets, sample_weight=weights)
        # and through a search, whose score takes no weights unless it is asked to
        search = GridSearchCV(
            clone(asking).set_score_request(sample_weight=True),
            {"estimator__logisticregression__C": [1.0]},
            cv=MultiTaskStratifiedKFold(2, random_state=0),
        ).fit(X, MASKED, sample_weight=weights)
    for task, inner in zip(MASKED, found.estimators_, strict=True):
        rows = np.flatnonzero(MASKED[task].notna())
        scaled = inner[0].transform(X)
        labels = MASKED[task].iloc[rows].tolist()
        alone = LogisticRegression().fit(scaled[rows], labels, weights[rows])
        np.testing.assert_allclose(
            inner.predict_proba(X), alone.predict_proba(scaled), atol=1e-5
        )
    for best, one in zip(
        search.best_estimator_.predict_proba(X), found.predict_proba(X), strict=True
    ):
        np.testing.assert_array_equal(best, one)


def test_a_task_with_one_class_is_predicted_as_it() -> None:
    y = Y.assign(age=1)
    model = MaskedMultiOutputClassifier(LogisticRegression()).fit(X, y)
    assert (model.predict(X)[:, 1] == 1).all()
    np.testing.assert_array_equal(model.predict_proba(X)[1], np.ones((80, 1)))
    assert model.n_features_in_ == 3


@pytest.mark.parametrize("estimator", [LogisticRegression(), LinearSVC()])
def test_sets_are_learned_class_by_class(estimator: Any) -> None:
    likes = np.empty(80, dtype=object)
    for row, (a, b, _) in enumerate(X):
        likes[row] = frozenset(
            [name for name, value in (("tea", a), ("wine", b)) if value > 0] or ["none"]
        )
    likes[::7] = None
    y = pd.DataFrame({"likes": likes, "gender": Y["gender"]})
    model = MaskedMultiOutputClassifier(estimator).fit(X, y)
    assert model.score(X, y) > 0.8
    assert all(isinstance(cell, frozenset) for cell in model.predict(X)[:, 0])
    assert model.classes_[0].tolist() == ["none", "tea", "wine"]


def test_probabilities_exist_where_the_estimator_has_them() -> None:
    assert not hasattr(MaskedMultiOutputClassifier(RidgeClassifier()), "predict_proba")
    fitted = MaskedMultiOutputClassifier(RidgeClassifier()).fit(X, MASKED)
    assert not hasattr(fitted, "predict_proba")
    assert fitted.predict(X).shape == (80, 2)
    # The clone of a task with one class has probabilities; the other has none.
    for y in (Y.assign(gender="f"), Y.assign(age=1)):
        fitted = MaskedMultiOutputClassifier(LinearSVC()).fit(X, y)
        assert not hasattr(fitted, "predict_proba")
        assert fitted.predict(X).shape == (80, 2)
    fitted = MaskedMultiOutputClassifier(LinearSVC()).fit(X, ["f"] * 80)
    np.testing.assert_array_equal(fitted.predict_proba(X), np.ones((80, 1)))


class SeesAll(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Notes what it is given and predicts the commonest label."""

    def fit(self, X: Any, y: Any) -> SeesAll:
        self.n_users_, self.n_missing_ = len(X), int(y.isna().sum())
        self.name_ = y.name
        labels = [cell for cell in y if cell is not None]
        self.classes_ = sorted(set(labels), key=str)
        self.label_ = max(self.classes_, key=labels.count)
        return self

    def predict(self, X: Any) -> np.ndarray:
        labels = np.empty(len(X), dtype=object)
        labels[:] = [self.label_] * len(X)
        return labels

    def predict_proba(self, X: Any) -> list[np.ndarray]:
        return [np.full((len(X), len(self.classes_)), 1 / len(self.classes_))]


def test_all_users_are_passed_on_request() -> None:
    y = MASKED.copy()
    y["likes"] = [{"tea"}, {"tea", "wine"}] * 40
    model = MaskedMultiOutputClassifier(SeesAll(), pass_missing=True).fit(X, y)
    assert [e.n_users_ for e in model.estimators_] == [80] * 3
    assert [e.n_missing_ for e in model.estimators_] == y.isna().sum().tolist()
    assert [e.name_ for e in model.estimators_] == ["gender", "age", "likes"]
    predicted = model.predict(X)
    assert predicted[0, 0] == y["gender"].mode()[0]
    assert predicted[0, 2] in ({"tea"}, {"tea", "wine"})
    assert model.predict_proba(X)[0].shape == (80, 2)


def test_grid_search_clone_pickle_and_processes() -> None:
    model = MaskedMultiOutputClassifier(
        make_pipeline(StandardScaler(), LogisticRegression()), n_jobs=2
    )
    search = GridSearchCV(
        model,
        {"estimator__logisticregression__C": [1e-5, 1.0]},
        cv=MultiTaskStratifiedKFold(2, random_state=0),
    ).fit(X, MASKED)
    assert search.best_params_["estimator__logisticregression__C"] == 1.0
    copy = pickle.loads(pickle.dumps(search.best_estimator_))
    assert (copy.predict(X) == search.predict(X)).all()
    assert not hasattr(clone(search.best_estimator_), "estimators_")


def test_feature_names() -> None:
    table = pd.DataFrame(X, columns=["a", "b", "c"])
    model = MaskedMultiOutputClassifier(LogisticRegression()).fit(table, MASKED)
    assert model.feature_names_in_.tolist() == ["a", "b", "c"]
    unnamed = MaskedMultiOutputClassifier(LogisticRegression()).fit(X, MASKED)
    with pytest.raises(AttributeError, match="no attribute 'feature_names_in_'"):
        _ = unnamed.feature_names_in_


def test_errors() -> None:
    model = MaskedMultiOutputClassifier(DummyClassifier())
    with pytest.raises(NotFittedError):
        model.predict(X)
    with pytest.raises(TargetError, match="requires y to be passed"):
        model.fit(X, None)
    with pytest.raises(TargetError, match="task 'age' has no label"):
        model.fit(X, Y.assign(age=None))
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        model.fit(X[:5], Y)


@pytest.mark.parametrize("one_class", ["some", "all", "nobody else"])
def test_sets_of_the_only_class_there_is(one_class):
    X = np.array([[0.0], [1.0]] * 6)
    sets = {
        "some": [set(), {"tea"}] * 6,
        "all": [{"tea"}] * 12,
        "nobody else": [None, {"tea"}] * 6,
    }[one_class]
    y = pd.DataFrame({"drinks": sets, "sign": ["-", "+"] * 6})
    model = MaskedMultiOutputClassifier(LogisticRegression(C=100)).fit(X, y)
    expected = [set() if one_class == "some" else {"tea"}, {"tea"}]
    assert model.predict(X[:2])[:, 0].tolist() == expected
    likely, _ = model.predict_proba(X[:2])
    assert likely.shape == (2, 1)
    assert (likely[:, 0] > 0.5).tolist() == [bool(each) for each in expected]
