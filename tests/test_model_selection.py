"""Tests of what scikit-learn's model selection says of labels it cannot read."""

import warnings

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score, get_scorer, make_scorer
from sklearn.model_selection import (
    GridSearchCV,
    KFold,
    cross_val_predict,
    cross_val_score,
    cross_validate,
    learning_curve,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import get_tags

from sklearn_profiling._model_selection import refuse_unreadable_labels
from sklearn_profiling.baselines import (
    MaskedMultiOutputClassifier,
    MetaLearningClassifier,
    make_majority_baseline,
)
from sklearn_profiling.estimators import MMLUPClassifier
from sklearn_profiling.evaluation import (
    MultiTaskStratifiedKFold,
    TaskScorer,
    exact_match_score,
)
from sklearn_profiling.exceptions import ProfilingError

N = 24
X = np.random.default_rng(0).normal(size=(N, 3))
GENDER = ["f", "m"] * 12
AGE = ["old", "old", "young"] * 8
FOLDS = MultiTaskStratifiedKFold(3, random_state=0)
CLASSIFIERS = {
    "net": MMLUPClassifier(max_epochs=1),
    "baseline": make_majority_baseline(),
    "stacking": MetaLearningClassifier(LogisticRegression()),
    "pipeline": make_pipeline(StandardScaler(), MMLUPClassifier(max_epochs=1)),
    "nested": make_pipeline(
        StandardScaler(),
        GridSearchCV(
            MaskedMultiOutputClassifier(LogisticRegression()),
            {"estimator__C": [1.0]},
            cv=MultiTaskStratifiedKFold(2),
        ),
    ),
}


def column(values):
    return pd.Series(values, dtype=object, name="gender")


def missing(*rows):
    return column([None if row in rows else g for row, g in enumerate(GENDER)])


PARTLY = {
    "first": missing(0),
    "last": missing(N - 1),
    "nan": column([np.nan, *GENDER[1:]]),
    "float": pd.Series([1.0, 2.0] * 11 + [1.0, np.nan]),
    "NA": pd.Series([1, 2] * 11 + [1, None], dtype="Int64"),
    "category": pd.Series(pd.Categorical([*GENDER[1:], None])),
    "sets": column([*[{"a"}, {"b", "a"}] * 11, {"a"}, None]),
    "polars": pl.Series("gender", [*GENDER[1:], None]),
    "list": [*GENDER[1:], None],
    "several": pd.DataFrame({"gender": missing(3), "age": AGE}),
    "second": pd.DataFrame({"gender": GENDER, "age": [*AGE[1:], None]}),
    "array": np.array([*zip(GENDER[1:], AGE[1:], strict=True), (None, "old")]),
    "frame of polars": pl.DataFrame({"gender": [*GENDER[1:], None], "age": AGE}),
}
COMPLETE = {
    "one": column(GENDER),
    "numbers": [0, 1] * 12,
    "several": pd.DataFrame({"gender": GENDER, "age": AGE}),
    "sets": column([{"a"}, {"b"}] * 12),
    "polars": pl.DataFrame({"gender": GENDER, "age": AGE}),
}
BOTH = "MultiTaskStratifiedKFold.*TaskScorer|TaskScorer.*MultiTaskStratifiedKFold"


class TestStratified:
    @pytest.mark.parametrize("name", CLASSIFIERS)
    @pytest.mark.parametrize("cv", [3, np.int64(3), None])
    def test_every_classifier_refuses_a_number_of_folds(self, name, cv):
        with pytest.raises(ProfilingError, match=BOTH) as caught:
            cross_val_score(CLASSIFIERS[name], X, missing(2, 5), cv=cv)
        assert "2 of 24 users have no label of task 'gender'" in str(caught.value)
        assert f"MultiTaskStratifiedKFold({cv or 5})" in str(caught.value)

    @pytest.mark.parametrize("y", PARTLY.values(), ids=PARTLY)
    def test_every_kind_of_missing_label(self, y):
        with pytest.raises(ProfilingError, match=BOTH):
            cross_validate(make_majority_baseline(), X, y, cv=3)

    @pytest.mark.parametrize("y", COMPLETE.values(), ids=COMPLETE)
    def test_complete_labels_are_scikit_learns_affair(self, y):
        scores = cross_val_score(make_majority_baseline(), X, y, cv=3)
        assert np.isfinite(scores).all()

    def test_labels_of_several_kinds(self):
        y = pd.DataFrame({"gender": GENDER, "year": [1990, 1980] * 12})
        with pytest.raises(ProfilingError, match=BOTH) as caught:
            cross_val_score(make_majority_baseline(), X, y, cv=3)
        assert "cannot compare the labels" in str(caught.value)
        assert cross_val_score(make_majority_baseline(), X, y, cv=FOLDS).shape == (3,)

    def test_every_function(self):
        model, y = make_majority_baseline(), missing(4)
        for function in (cross_validate, cross_val_predict, learning_curve):
            with pytest.raises(ProfilingError, match=BOTH):
                function(model, X, y, cv=3)
        with pytest.raises(ProfilingError, match=BOTH):
            GridSearchCV(model, {"estimator__strategy": ["prior"]}, cv=3).fit(X, y)

    def test_splitters_are_welcome(self):
        y = missing(4)
        for cv in (FOLDS, KFold(2), list(KFold(2).split(X))):
            scores = cross_val_score(make_majority_baseline(), X, y, cv=cv)
            assert np.isfinite(scores).all()

    def test_what_is_no_label_is_refused_by_fit(self):
        with pytest.raises(ValueError, match="fits failed"):
            cross_val_score(make_majority_baseline(), X, np.zeros((N, 1, 1)), cv=2)


class TestEncoded:
    def test_probabilities_of_a_phantom_class(self):
        with pytest.raises(ProfilingError, match="cross_val_predict_proba"):
            cross_val_predict(
                make_majority_baseline(),
                X,
                missing(4),
                cv=KFold(3),
                method="predict_proba",
            )

    def test_complete_labels(self):
        found = cross_val_predict(
            make_majority_baseline(), X, GENDER, cv=3, method="predict_proba"
        )
        assert found.shape == (N, 2)


class TestScored:
    @pytest.mark.parametrize("scoring", ["accuracy", ["accuracy"], {"f": "f1_macro"}])
    def test_several_tasks_are_refused_before_the_first_fit(self, scoring):
        y = pd.DataFrame({"gender": missing(3), "age": AGE})
        for each in (y, y.assign(gender=GENDER)):
            with pytest.raises(ProfilingError, match=BOTH):
                cross_validate(
                    make_majority_baseline(), X, each, cv=FOLDS, scoring=scoring
                )

    def test_a_search(self):
        y = pd.DataFrame({"gender": missing(3), "age": AGE})
        search = GridSearchCV(
            make_majority_baseline(),
            {"estimator__strategy": ["prior"]},
            cv=FOLDS,
            scoring="accuracy",
        )
        with pytest.raises(ProfilingError, match=BOTH):
            search.fit(X, y)
        search.set_params(scoring=TaskScorer()).fit(X, y)
        assert search.best_score_ > 0.4

    def test_one_task_on_test_parts_with_labels(self):
        # Users without a label are in no test part of the package's folds.
        scores = cross_val_score(
            make_majority_baseline(), X, missing(3), cv=FOLDS, scoring="accuracy"
        )
        assert np.isfinite(scores).all()

    @pytest.mark.parametrize("scoring", ["f1_macro", make_scorer(f1_score)])
    def test_one_task_with_a_missing_label_to_score(self, scoring):
        arguments = (make_majority_baseline(), X, missing(3))
        with pytest.raises(ProfilingError, match=BOTH):
            cross_val_score(
                *arguments, cv=KFold(2), scoring=scoring, error_score="raise"
            )
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            scores = cross_val_score(*arguments, cv=KFold(2), scoring=scoring)
        assert np.isnan(scores).any()
        text = " ".join(str(each.message) for each in caught)
        assert "TaskScorer" in text
        assert "MultiTaskStratifiedKFold" in text

    def test_a_scorer_alone(self):
        model = make_majority_baseline().fit(X, missing(3))
        with pytest.raises(ProfilingError, match="1 of 24 users"):
            get_scorer("balanced_accuracy")(model, X, missing(3))
        assert get_scorer("accuracy")(model, X, GENDER) == 0.5

    def test_metrics_that_mask_labels_themselves(self):
        y = pd.DataFrame({"gender": missing(3), "age": AGE})
        scores = cross_val_score(
            make_majority_baseline(),
            X,
            y,
            cv=FOLDS,
            scoring=make_scorer(exact_match_score),
        )
        assert np.isfinite(scores).all()

    def test_label_indicators(self):
        y = np.array([[0, 1], [1, 1]] * 12)
        scores = cross_val_score(
            make_majority_baseline(), X, y, cv=3, scoring="accuracy"
        )
        assert np.isfinite(scores).all()


def deep(levels):
    return get_tags(make_majority_baseline()) if not levels else deep(levels - 1)


def test_without_a_question_nothing_is_read():
    assert refuse_unreadable_labels() is None
    assert deep(0).target_tags.multi_output
    assert deep(100).target_tags.multi_output


def test_other_functions_ask_in_peace():
    def fit(y, cv):
        """Ask as scikit-learn's own functions do, from another module."""
        from sklearn.base import is_classifier

        return is_classifier(make_majority_baseline()), y, cv

    assert fit(missing(3), 3)[0]


def test_a_question_at_the_top():
    # As from a debugger or another thread, whose first frame it is.
    import threading

    from sklearn.base import is_classifier

    answers = []
    threading.Thread(
        target=lambda: answers.append(is_classifier(make_majority_baseline()))
    ).start()
    while not answers:
        pass
    assert answers == [True]
