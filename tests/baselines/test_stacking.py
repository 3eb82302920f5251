"""Meta-Learning: posteriors out of fold, missing labels, any container, errors."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pandas as pd
import pytest
from joblib import parallel_config
from scipy import sparse
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils.estimator_checks import parametrize_with_checks
from skorch.helper import SliceDict

from sklearn_profiling.baselines import (
    MaskedMultiOutputClassifier,
    MetaLearningClassifier,
    make_tfidf_baseline,
)
from sklearn_profiling.containers import ImageBags, TokenMessages
from sklearn_profiling.estimators import (
    AuxLSTMClassifier,
    BowCNNClassifier,
    ImageSetClassifier,
    LSTMClassifier,
    MMLUPClassifier,
    MultiTaskLSTMClassifier,
    PCNNClassifier,
)
from sklearn_profiling.evaluation import MultiTaskStratifiedKFold
from sklearn_profiling.exceptions import SourceError, TargetError
from sklearn_profiling.sources import SourceUnion

GENERATOR = np.random.default_rng(0)
X = GENERATOR.normal(size=(120, 3))
Y = pd.DataFrame(
    {
        "gender": np.where(X[:, 0] > 0, "f", "m"),
        "age": np.digitize(X[:, 1] + X[:, 0], [-0.5, 0.5]),
        "region": np.where(X[:, 2] > 0, "n", "s"),
    }
).astype(object)
MASKED = Y.mask(GENERATOR.random(Y.shape) < 0.3, None)


class Recorder(LogisticRegression):  # type: ignore[misc]
    """Keeps what it is trained on."""

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Recorder:
        self.seen_ = X
        super().fit(X, y, sample_weight)
        return self


@parametrize_with_checks(
    [
        # Grown in full, a tree knows no weights.
        MetaLearningClassifier(
            DecisionTreeClassifier(min_weight_fraction_leaf=0.01, random_state=0)
        ),
        MetaLearningClassifier(LinearSVC(dual=False)),
    ]
)
def test_scikit_learn_checks(estimator: Any, check: Any) -> None:
    check(estimator)


def stage_two(model: MetaLearningClassifier, task: int) -> Any:
    return model.estimators_[task].estimators_[0]


def test_posteriors_are_appended_as_the_paper_says() -> None:
    model = MetaLearningClassifier(
        LogisticRegression(), final_estimator=Recorder(), main_task="age", cv=KFold(4)
    ).fit(X, MASKED)
    rows = MASKED["age"].notna().to_numpy()
    seen = stage_two(model, 1).seen_
    np.testing.assert_array_equal(seen[:, :3], X[rows])
    column = 3
    for name in ("gender", "region"):
        labelled = MASKED[name].notna().to_numpy()
        y = MASKED[name].astype(str).to_numpy()
        direct = LogisticRegression().fit(X[labelled], y[labelled])
        expected = direct.predict_proba(X)
        for train, test in KFold(4).split(X):
            fold = np.isin(np.arange(120), train) & labelled
            answer = LogisticRegression().fit(X[fold], y[fold]).predict_proba(X[test])
            expected[test] = np.where(labelled[test][:, None], answer, expected[test])
        np.testing.assert_allclose(seen[:, column : column + 2], expected[rows])
        column += 2
    assert seen.shape[1] == column
    # new users: the classifiers of everybody, then the second stage
    new = GENERATOR.normal(size=(5, 3))
    direct = [
        model.auxiliary_estimators_[name].predict_proba(new)
        for name in ("gender", "region")
    ]
    wanted = stage_two(model, 1).predict_proba(np.hstack([new, *direct]))
    np.testing.assert_allclose(model.predict_proba(new)[1], wanted)
    np.testing.assert_allclose(model.predict_proba(new)[0], direct[0])


def test_main_tasks() -> None:
    every = MetaLearningClassifier(LogisticRegression(), random_state=0).fit(X, MASKED)
    assert every.main_tasks_ == every.task_names_ == ["gender", "age", "region"]
    assert list(every.auxiliary_estimators_) == every.task_names_
    assert [stage_two(every, t).n_features_in_ for t in range(3)] == [8, 7, 8]
    one = MetaLearningClassifier(
        LogisticRegression(), main_task="gender", random_state=0
    ).fit(X, MASKED)
    assert one.main_tasks_ == ["gender"]
    assert list(one.auxiliary_estimators_) == ["age", "region"]
    assert one.estimators_[1] is one.auxiliary_estimators_["age"]
    for model in (every, one):
        assert [c.tolist() for c in model.classes_] == [
            ["f", "m"],
            [0, 1, 2],
            ["n", "s"],
        ]
        assert model.predict(X).shape == (120, 3)
        assert model.score(X, MASKED) > 0.9
    np.testing.assert_allclose(
        one.predict_proba(X)[0], every.predict_proba(X)[0], rtol=1e-6
    )


def test_one_task_is_learned_alone() -> None:
    model = MetaLearningClassifier(LogisticRegression()).fit(X, MASKED["gender"])
    alone = MaskedMultiOutputClassifier(LogisticRegression()).fit(X, MASKED["gender"])
    np.testing.assert_array_equal(model.predict_proba(X), alone.predict_proba(X))
    assert model.auxiliary_estimators_ == {}
    assert model.classes_.tolist() == ["f", "m"]
    assert model.predict(X).shape == (120,)


def test_noise_does_not_become_predictable() -> None:
    generator = np.random.default_rng(1)
    X, new = generator.normal(size=(2, 400, 4))
    noise = generator.integers(0, 2, 400)

    def label(X: Any, flips: float) -> Any:
        return (X[:, 0] > 0) ^ (generator.random(400) < flips)

    # A tree learns any label by heart. Were its answers for its own users taken, the
    # second stage would see the noise and trust it for new users.
    y = pd.DataFrame({"noise": noise, "main": noise})
    model = MetaLearningClassifier(
        DecisionTreeClassifier(random_state=0),
        final_estimator=Recorder(),
        main_task="main",
        random_state=0,
    ).fit(X, y)
    posterior = stage_two(model, 1).seen_[:, 4:]
    assert abs((posterior.argmax(axis=1) == noise).mean() - 0.5) < 0.08
    assert abs((model.predict(X)[:, 1] == noise).mean() - 0.5) < 0.12
    leaking = model.auxiliary_estimators_["noise"].predict(X)
    assert (leaking == noise).all(), "the same classifier asked of its own users"

    # An auxiliary label that follows the main one, but from a tree of little use,
    # must not cost what the features know.
    main = label(X, 0.1)
    y = pd.DataFrame({"aux": main ^ (generator.random(400) < 0.4), "main": main})
    stacked = MetaLearningClassifier(
        DecisionTreeClassifier(random_state=0),
        final_estimator=LogisticRegression(),
        main_task="main",
        random_state=0,
    ).fit(X, y)
    truth = new[:, 0] > 0
    assert (stacked.predict(new)[:, 1] == truth).mean() > 0.9


def test_users_without_the_main_label_teach_the_first_stage() -> None:
    generator = np.random.default_rng(2)
    X = generator.normal(size=(600, 40))
    truth = X @ generator.normal(size=40) > 0
    y = pd.DataFrame({"main": truth, "aux": truth}).astype(object)
    y.loc[30:, "main"] = None
    y.loc[:30, "aux"] = None
    stacked = MetaLearningClassifier(
        LogisticRegression(C=100), main_task="main", random_state=0
    ).fit(X[:500], y[:500])
    alone = MaskedMultiOutputClassifier(LogisticRegression(C=100)).fit(X[:500], y[:500])
    accuracy = [
        (model.predict(X[500:])[:, 0] == truth[500:]).mean()
        for model in (stacked, alone)
    ]
    assert accuracy[0] > accuracy[1] + 0.1


def test_rare_classes_and_labels() -> None:
    y = MASKED.copy()
    y["job"] = ["a"] * 60 + ["b"] * 58 + ["c", None]
    y["once"] = ["x"] + [None] * 119
    y["same"] = "z"
    model = MetaLearningClassifier(
        LogisticRegression(), final_estimator=Recorder(), random_state=0
    ).fit(X, y)
    assert [p.shape[1] for p in model.predict_proba(X)] == [2, 3, 2, 3, 1, 1]
    seen = stage_two(model, 0).seen_
    assert seen.shape[1] == 3 + 3 + 2 + 3 + 1 + 1
    # nobody else could teach the class of row 118
    row = np.flatnonzero(np.flatnonzero(MASKED["gender"].notna()) == 118)
    if len(row):
        assert seen[row[0], 3 + 3 + 2 + 2] == 0


def test_decision_values_where_there_are_no_probabilities() -> None:
    svm = LinearSVC(dual=False)
    model = MetaLearningClassifier(
        svm, final_estimator=Recorder(), main_task="age", random_state=0
    ).fit(X, MASKED)
    seen = stage_two(model, 1).seen_
    np.testing.assert_array_equal(seen[:, 3], -seen[:, 4])
    assert np.abs(seen[:, 3:]).max() > 1
    assert model.score(X, MASKED) > 0.85
    assert not hasattr(model, "predict_proba"), "the first stage predicts two tasks"
    every = MetaLearningClassifier(svm, final_estimator=LogisticRegression())
    assert every.fit(X, MASKED).predict_proba(X)[1].shape == (120, 3)
    assert not hasattr(MetaLearningClassifier(svm), "predict_proba")
    rare = MASKED.assign(age=["a"] * 60 + ["b"] * 59 + ["c"])
    model = model.set_params(main_task="gender").fit(X, rare)
    assert stage_two(model, 0).seen_[-1, 5] == -1


@pytest.mark.parametrize("svm", [LinearSVC(dual=False), LogisticRegression()])
def test_folds_of_one_class_and_of_nobody(svm: Any) -> None:
    """Every fold answers in the scale of the estimator."""
    gender = np.array(["f"] * 60 + ["m"] * 60)
    y = Y.assign(gender=gender)[["gender", "age"]]
    females, males = np.arange(60), np.arange(60, 120)
    model = MetaLearningClassifier(svm, final_estimator=Recorder(), main_task="age")
    low = 0 if hasattr(svm, "predict_proba") else -1

    def seen(cv: Any) -> Any:
        model.set_params(cv=cv).fit(X, y)
        return stage_two(model, 1).seen_[:, 3:]

    columns = seen([(females, males), (males, females)])
    np.testing.assert_array_equal(columns[males], [[1, low]] * 60)
    np.testing.assert_array_equal(columns[females], [[low, 1]] * 60)
    nobody = females[:0]
    columns = seen([(nobody, males), (males, females)])
    np.testing.assert_array_equal(columns[males], [[(1 + low) / 2] * 2] * 60)


@pytest.mark.parametrize(
    "make",
    [
        lambda X: X.tolist(),
        lambda X: pd.DataFrame(X, columns=["a", "b", "c"]),
        sparse.csr_matrix,
        sparse.coo_array,
        sparse.csc_array,
    ],
    ids=["list", "DataFrame", "csr_matrix", "coo_array", "csc_array"],
)
def test_arrays_of_any_kind(make: Any) -> None:
    model = MetaLearningClassifier(LogisticRegression(), random_state=0)
    expected = clone(model).fit(X, MASKED).predict_proba(X)
    users = make(X)
    model.fit(users, MASKED)
    for one, two in zip(model.predict_proba(users), expected, strict=True):
        np.testing.assert_allclose(one, two, atol=1e-3)
    assert model.n_features_in_ == 3
    if isinstance(users, pd.DataFrame):
        assert model.feature_names_in_.tolist() == ["a", "b", "c"]


def test_sources_get_one_more() -> None:
    class Joiner(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
        def fit(self, X: Any, y: Any) -> Joiner:
            self.names_ = sorted(X)
            self.inner_ = LogisticRegression().fit(self._join(X), y)
            self.classes_ = self.inner_.classes_
            return self

        def predict(self, X: Any) -> Any:
            return self.inner_.predict(self._join(X))

        def predict_proba(self, X: Any) -> Any:
            return self.inner_.predict_proba(self._join(X))

        @staticmethod
        def _join(X: Any) -> Any:
            return np.hstack([X[name] for name in sorted(X)])

    sources = SliceDict(features=X)
    model = MetaLearningClassifier(Joiner(), random_state=0).fit(sources, MASKED)
    plain = MetaLearningClassifier(LogisticRegression(), random_state=0).fit(X, MASKED)
    assert stage_two(model, 0).names_ == ["features", "posteriors"]
    assert list(sources) == ["features"]
    for one, two in zip(
        model.predict_proba(sources), plain.predict_proba(X), strict=True
    ):
        np.testing.assert_allclose(one, two)


def test_sets_of_labels() -> None:
    y = MASKED.copy()
    likes = [[{"tea"}, {"tea", "wine"}, None, {"wine"}][i % 4] for i in range(120)]
    y["likes"] = likes
    model = MetaLearningClassifier(
        LogisticRegression(), final_estimator=Recorder(), random_state=0
    ).fit(X, y)
    assert stage_two(model, 0).seen_.shape[1] == 3 + 3 + 2 + 2
    assert all(isinstance(cell, frozenset) for cell in model.predict(X)[:, 3])
    svm = MetaLearningClassifier(LinearSVC(dual=False), random_state=0).fit(X, y)
    assert svm.predict(X).shape == (120, 4)


def test_seeds() -> None:
    tree = DecisionTreeClassifier(max_features=1)
    model = MetaLearningClassifier(tree, random_state=0)
    expected = clone(model).fit(X, MASKED).predict_proba(X)
    assert model.estimator.random_state is None
    with parallel_config("threading", n_jobs=2):
        together = clone(model).fit(X, MASKED).predict_proba(X)
    other = clone(model).set_params(random_state=1).fit(X, MASKED).predict_proba(X)
    for task in range(3):
        np.testing.assert_array_equal(together[task], expected[task])
    assert any((a != b).any() for a, b in zip(expected, other, strict=True))
    fixed = MetaLearningClassifier(
        CalibratedClassifierCV(DecisionTreeClassifier(random_state=7)), random_state=0
    ).fit(X, MASKED)
    inner = fixed.estimators_[0].estimators_[0].estimator
    assert inner.random_state == 7


def test_weights() -> None:
    weights = np.r_[np.ones(60), np.zeros(60)]
    model = MetaLearningClassifier(
        LogisticRegression(), cv=[(np.arange(60, 120), np.arange(60))] * 1, n_jobs=1
    )
    with pytest.raises(ValueError, match="never holds out row 60"):
        model.fit(X, Y)
    model.set_params(cv=2, random_state=0).fit(X, MASKED, sample_weight=weights)
    assert model.score(X, MASKED, weights) != model.score(X, MASKED)
    with pytest.raises(ValueError, match="KNeighborsClassifier takes no sample_weight"):
        MetaLearningClassifier(KNeighborsClassifier()).fit(X, Y, weights)
    with pytest.raises(ValueError, match="KNeighborsClassifier takes no sample_weight"):
        model.set_params(final_estimator=KNeighborsClassifier()).fit(X, Y, weights)


def test_weights_of_labels_and_classes() -> None:
    weights = GENERATOR.integers(0, 3, size=(120, 3)).astype(float)
    stacked = MetaLearningClassifier(
        Recorder(), main_task="age", cv=3, random_state=0, class_weight="balanced"
    ).fit(X, MASKED, weights)
    known = MASKED.where(weights > 0, None)
    for task, name in enumerate(["gender", "region"]):
        rows = np.flatnonzero(known[name].notna())
        alone = LogisticRegression(class_weight="balanced").fit(
            X[rows], known[name].iloc[rows].tolist(), weights[rows, 2 * task]
        )
        np.testing.assert_allclose(
            stacked.predict_proba(X)[2 * task], alone.predict_proba(X), atol=1e-4
        )
    with pytest.raises(ValueError, match="no sample_weight; leave class_weight None"):
        MetaLearningClassifier(
            KNeighborsClassifier(), class_weight={"age": "balanced"}
        ).fit(X, Y)


def test_grid_search_and_pickle() -> None:
    model = MetaLearningClassifier(LogisticRegression(), random_state=0, cv=3)
    search = GridSearchCV(
        model,
        {"estimator__C": [1e-5, 1.0], "main_task": [None, "age"]},
        cv=MultiTaskStratifiedKFold(2, random_state=0),
        error_score="raise",
    ).fit(X, MASKED)
    assert search.best_params_["estimator__C"] == 1.0
    copy = pickle.loads(pickle.dumps(search.best_estimator_))
    assert (copy.predict(X) == search.predict(X)).all()


def test_errors() -> None:
    model = MetaLearningClassifier(LogisticRegression())
    with pytest.raises(NotFittedError):
        model.predict(X)
    with pytest.raises(TargetError, match="requires y to be passed"):
        model.fit(X, None)
    with pytest.raises(TargetError, match="task 'age' has no label"):
        model.fit(X, Y.assign(age=None))
    with pytest.raises(
        TargetError, match=r"no task 'job' to be main_task; it has \['g"
    ):
        MetaLearningClassifier(LogisticRegression(), main_task="job").fit(X, Y)
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        model.fit(X[:5], Y)
    with pytest.raises(ValueError, match="'cv' parameter"):
        MetaLearningClassifier(LogisticRegression(), cv=1).fit(X, Y)
    with pytest.raises(ValueError, match="'estimator' parameter"):
        MetaLearningClassifier(SliceDict).fit(X, Y)
    ridge = MetaLearningClassifier(RidgeClassifier(), random_state=0).fit(X, Y)
    assert ridge.score(X, Y) > 0.8


TEXT = TokenMessages.from_lists([[["茶", "山"]], [["山"], ["水"]]] * 10)
TEXT_Y = pd.DataFrame({"gender": ["f", "m"] * 10, "age": ["80s", "90s"] * 10})
TINY = {"max_epochs": 1, "n_dimensions": 2, "random_state": 0}
LSTM = LSTMClassifier(n_hidden=2, n_dense=2, **TINY)
MMLUP = MMLUPClassifier(n_filters=2, n_filters_second=2, **TINY)


@pytest.mark.parametrize(
    "net",
    [
        LSTM,
        AuxLSTMClassifier(),
        MultiTaskLSTMClassifier(),
        BowCNNClassifier(),
        PCNNClassifier(),
        MMLUPClassifier(sources=["text"]),
        MaskedMultiOutputClassifier(LSTM, pass_missing=True),
        GridSearchCV(LSTM, {"n_dense": [2, 3]}),
    ],
    ids=lambda net: type(net).__name__,
)
def test_nets_that_would_not_read_the_posteriors(net: Any) -> None:
    message = (
        r"in the second stage would read the sources \['text'\] and not the source "
        "'posteriors'.* final_estimator"
    )
    for X in (TEXT, SliceDict(text=TEXT)):
        for model in (
            MetaLearningClassifier(net),
            MetaLearningClassifier(MMLUP, final_estimator=net, main_task="age"),
        ):
            with pytest.raises(SourceError, match=message):
                model.fit(X, TEXT_Y)
            assert not hasattr(model, "auxiliary_estimators_"), "no fit in vain"


def test_a_pipeline_hands_the_posteriors_on() -> None:
    def piped(net: Any, *names: tuple[str, str]) -> Any:
        union = SourceUnion([(new, "passthrough", old) for new, old in names])
        pipeline = make_pipeline(union, net)
        return MetaLearningClassifier(MMLUP, final_estimator=pipeline, cv=2)

    text, others = ("posts", "text"), ("others", "posteriors")
    for model in (piped(MMLUP, text), piped(LSTM, text, others)):
        with pytest.raises(SourceError, match=r"would read the sources \['posts'\]"):
            model.fit(TEXT, TEXT_Y)
    model = piped(MMLUP, text, others).fit(TEXT, TEXT_Y)
    assert list(model.estimators_[1].estimators_[0][-1]._specs) == ["posts", "others"]


def test_a_text_alone_is_a_source() -> None:
    model = MetaLearningClassifier(LSTM, final_estimator=MMLUP, cv=2, random_state=0)
    named = clone(model).fit(SliceDict(text=TEXT), TEXT_Y)
    alone = model.fit(TEXT, TEXT_Y)
    for one, two in zip(
        alone.predict_proba(TEXT),
        named.predict_proba(SliceDict(text=TEXT)),
        strict=True,
    ):
        np.testing.assert_array_equal(one, two)
    assert list(alone.estimators_[0].estimators_[0]._specs) == ["text", "posteriors"]
    assert alone.predict(TEXT[:3]).shape == (3, 2)
    # One task has no second stage to speak of.
    single = MetaLearningClassifier(LSTM).fit(TEXT, TEXT_Y["age"])
    assert single.predict(TEXT).shape == (20,)


def test_images_alone_are_a_source() -> None:
    images = ImageBags(np.zeros((20, 1, 2, 2), dtype=np.uint8), np.arange(21))
    message = r"would read the sources \['images'\] and not the source 'posteriors'"
    with pytest.raises(SourceError, match=message):
        MetaLearningClassifier(ImageSetClassifier()).fit(images, TEXT_Y)


def test_a_source_of_the_name_of_the_posteriors() -> None:
    sources = SliceDict(text=TEXT, posteriors=np.zeros((20, 1)))
    with pytest.raises(SourceError, match=r"must not have a source named 'posteriors'"):
        MetaLearningClassifier(MMLUP).fit(sources, TEXT_Y)


def test_tables_hold_numbers() -> None:
    X = np.random.default_rng(0).normal(size=(40, 3))
    y = pd.DataFrame({"gender": X[:, 0] > 0, "age": X[:, 1] > 0})
    users = pd.DataFrame({"id": ["a"] * 40, "messages": [["茶"]] * 40, "n": X[:, 0]})
    message = r"the columns \['id', 'messages'\] hold text or lists.*make_meta_learning"
    with pytest.raises(SourceError, match=message):
        MetaLearningClassifier(make_tfidf_baseline()).fit(users, y)
    model = MetaLearningClassifier(LogisticRegression(), random_state=0)
    numbers = pd.DataFrame(X, columns=["a", "b", "n"])
    expected = clone(model).fit(numbers, y).predict(numbers)
    objects = numbers.astype({"a": object, "b": str})
    assert (model.fit(objects, y).predict(objects) == expected).all()
    with pytest.raises(SourceError, match=r"the columns \['b'\]"):
        model.predict(numbers.assign(b="x"))
    dates = numbers.assign(b=pd.Timestamp("2020-01-01")).astype({"b": object})
    with pytest.raises(TypeError, match="Timestamp"):
        model.predict(dates)
