"""Comparison and prediction: who the users are and what they have is told first."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import sklearn
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.utils.fixes import parse_version

from sklearn_profiling.baselines import (
    MaskedMultiOutputClassifier,
    make_majority_baseline,
    make_tfidf_baseline,
)
from sklearn_profiling.evaluation import (
    MultiTaskStratifiedGroupKFold,
    MultiTaskStratifiedKFold,
    TaskScorer,
    compare,
    cross_val_predict_proba,
)
from sklearn_profiling.exceptions import (
    DataQualityWarning,
    ProfilingWarning,
    SourceError,
    TargetError,
)

N = 24
USERS = pd.DataFrame(
    {
        "user_id": [f"user{row}" for row in range(N)],
        # a message of one's own, since compare warns of copies
        "messages": [
            [f"{'bad' if row % 2 else 'good'} day", f"w{row}"] for row in range(N)
        ],
    }
)
LABELS = pd.DataFrame({"mood": ["a", "b"] * 12, "time": ["day", None] * 12})
BOTH = [
    lambda X, y, **more: compare(make_tfidf_baseline(), X, y, cv=2, **more).table(),
    lambda X, y, **more: cross_val_predict_proba(
        make_tfidf_baseline(), X, y, cv=2, **more
    ).probabilities[0],
]
both = pytest.mark.parametrize("run", BOTH, ids=["compare", "cross_val_predict_proba"])


def with_cell(row, cell, column="messages"):
    cells = USERS["messages"].tolist()
    cells[row] = cell
    return USERS.assign(**{column: pd.Series(cells, dtype=object)})


@both
class TestRepeatedUsers:
    X = USERS.assign(user_id=[f"user{row // 2}" for row in range(N)])

    def test_are_an_error(self, run) -> None:
        with pytest.raises(TargetError, match="'user0' stands in 2 rows of X"):
            run(self.X, LABELS)
        with pytest.raises(TargetError, match="'user0' stands in 2 rows of X"):
            run(
                self.X.rename(columns={"user_id": "author"}), LABELS, id_column="author"
            )

    def test_but_for_groups(self, run) -> None:
        assert np.isfinite(run(self.X, LABELS, groups=self.X["user_id"])).all(axis=None)
        with pytest.raises(TargetError, match="training and the test part"):
            run(self.X, LABELS, groups=np.arange(N))


@both
class TestOrder:
    def test_another_order_is_refused(self, run) -> None:
        with pytest.raises(TargetError, match="another order"):
            run(USERS, LABELS.sample(frac=1, random_state=0))
        with pytest.raises(TargetError, match="different indices"):
            run(USERS, LABELS.set_axis(range(N, 2 * N)))
        with pytest.raises(
            TargetError, match="inconsistent numbers of users: 24 and 2"
        ):
            run(USERS, LABELS[:2])


@both
class TestContents:
    def test_nulls_among_messages_are_counted(self, run) -> None:
        X = with_cell(2, ["good", None, "day", np.nan])
        X.at[4, "messages"] = np.array(["tea", pd.NA], dtype=object)
        with pytest.warns(DataQualityWarning, match="3 nulls among the messages of 2"):
            run(X, LABELS)
        assert X.loc[2, "messages"] == ["good", None, "day", np.nan]

    @pytest.mark.parametrize(
        ("cell", "said"),
        [
            (["fine", 7], "message 1 must be a str; got 7"),
            (["fine", ["nested " * 1000]], "message 1 must be a str; got"),
            (3.5, "must be a list of str"),
            ({"text": "secret " * 1000}, "must be a list of str"),
        ],
    )
    def test_anything_else_names_user_and_element(self, run, cell, said) -> None:
        with pytest.raises(SourceError, match=r"X, row 5 \('user5'\)") as caught:
            run(with_cell(5, cell), LABELS)
        assert said in str(caught.value)
        assert len(str(caught.value)) < 250
        with pytest.raises(SourceError, match="X, row 5 "):
            run(with_cell(5, cell).drop(columns="user_id"), LABELS)

    def test_images(self, run) -> None:
        X = with_cell(3, ["a.png", 5], "images")
        with pytest.raises(SourceError, match=r"X, row 3 \('user3'\): image 1 must be"):
            run(X, LABELS)
        with pytest.warns(DataQualityWarning, match="1 nulls among the images of 1"):
            run(with_cell(3, ["a.png", None], "images"), LABELS)


def test_what_is_no_text_is_left_alone() -> None:
    X = pd.DataFrame({"messages": np.arange(N), "images": np.arange(N) % 2.0})
    model = MaskedMultiOutputClassifier(LogisticRegression())
    assert compare(model, X, LABELS, cv=2).failures.empty
    twice = pd.DataFrame(np.zeros((N, 2)), columns=["messages", "messages"])
    if parse_version(sklearn.__version__) >= parse_version("1.9"):  # refuses it itself
        with pytest.warns(ProfilingWarning, match="unique column names"):
            compare(make_majority_baseline(), twice, LABELS, cv=2)
    missing = USERS.assign(messages=None)
    assert compare(make_majority_baseline(), missing, LABELS, cv=2).failures.empty


class TestNames:
    def test_one_model_and_several(self) -> None:
        majority = make_majority_baseline()
        search = GridSearchCV(make_tfidf_baseline(), {}, cv=[(range(4), range(4))])
        name = "MaskedMultiOutputClassifier(DummyClassifier)"
        assert compare(majority, USERS, LABELS, cv=2).systems == [name]
        words = "MaskedMultiOutputClassifier(LinearSVC)"
        found = compare(
            [majority, make_tfidf_baseline(), majority, majority, search],
            USERS,
            LABELS,
            cv=2,
            metrics="accuracy",
        )
        named = type(make_tfidf_baseline()[-1].estimator).__name__
        words = f"MaskedMultiOutputClassifier({named})"
        assert found.systems == [
            name,
            words,
            f"{name} (2)",
            f"{name} (3)",
            f"GridSearchCV({words})",
        ]
        table = found.table()
        assert table.loc[f"{name} (2)"].tolist() == table.loc[name].tolist()

    @pytest.mark.parametrize("wrong", ["mmlup", [LogisticRegression], {"a": None}])
    def test_what_is_no_classifier(self, wrong) -> None:
        with pytest.raises(ValueError, match="systems must be a classifier, a list"):
            compare(wrong, USERS, LABELS)
        with pytest.raises(ValueError, match="one estimator at least"):
            compare([], USERS, LABELS)


def test_an_error_of_another_package_is_cut() -> None:
    X = USERS.assign(messages=USERS["user_id"] + "all that a user wrote " * 200)
    X = X[["messages"]]
    model = MaskedMultiOutputClassifier(LogisticRegression())
    with pytest.warns(ProfilingWarning, match="could not convert string"):
        found = compare(model, X, LABELS, cv=2)
    assert found.failures["error"].str.len().tolist() == [500, 500]
    assert found.failures["error"].str.endswith("...").all()


def test_groups_with_a_splitter() -> None:
    groups = np.arange(N) // 4
    given = MultiTaskStratifiedGroupKFold(2, random_state=0)
    found = cross_val_predict_proba(
        make_majority_baseline(), USERS, LABELS, cv=given, groups=groups
    )
    same = cross_val_predict_proba(
        make_majority_baseline(), USERS, LABELS, cv=2, groups=groups
    )
    assert found.probabilities[0].tolist() == same.probabilities[0].tolist()


def test_folds_within_the_model_of_a_task() -> None:
    search = GridSearchCV(
        make_tfidf_baseline(),
        {"classifier__estimator__C": [1.0, 5.0]},
        cv=MultiTaskStratifiedKFold(2, random_state=0),
        scoring=TaskScorer(),
        error_score="raise",
    )
    model = MaskedMultiOutputClassifier(search, pass_missing=True)
    rows = np.arange(N)[::-1]
    model.fit(USERS.iloc[rows], LABELS.iloc[rows])
    assert model.score(USERS, LABELS) == 1
