"""Tables of pandas, polars and Arrow give the same results wherever one is taken."""

from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_validate
from sklearn.pipeline import make_pipeline

from sklearn_profiling.baselines import (
    MaskedMultiOutputClassifier,
    MetaLearningClassifier,
    make_link_baseline,
    make_majority_baseline,
    make_maxent_baseline,
    make_tfidf_baseline,
)
from sklearn_profiling.containers import SocialGraph
from sklearn_profiling.datasets import (
    dump_pan_predictions,
    dump_records,
    dump_smpcup2016,
)
from sklearn_profiling.estimators import MMLUPClassifier
from sklearn_profiling.evaluation import (
    MultiTaskStratifiedGroupKFold,
    MultiTaskStratifiedKFold,
    TaskScorer,
    accuracy_per_task,
    compare,
    cross_val_predict_proba,
    exact_match_score,
    macro_prf,
    multi_task_train_test_split,
    task_report,
)
from sklearn_profiling.exceptions import SourceError, TargetError
from sklearn_profiling.sources import (
    CharacterSegmenter,
    ProfileAugmenter,
    RegionKeywords,
    SourceUnion,
)
from sklearn_profiling.targets import LabelCodec, label_table, mean_accuracy

N = 24
USERS = pd.DataFrame(
    {
        "user_id": [f"u{row}" for row in range(N)],
        "messages": [["good day", "tea"], ["bad night"], None] * 8,
        "n_fans": [1.0, 2.0, 0.5, 4.0] * 6,
        "vector": [[0.5, 1.0], [1.0, 0.0], None] * 8,
        "group": np.arange(N) // 2,
    }
)
LABELS = pd.DataFrame(
    {"mood": ["a", "b", None] * 8, "year": pd.array([1, 2, 2, None] * 6, "Int64")}
)
NUMBERS = USERS[["n_fans", "group"]]
EDGES = pd.DataFrame({"source": ["u0", "u1"], "target": ["u2", "u3"], "weight": [1, 2]})


def to_polars(frame):
    if isinstance(frame, pd.Series):
        return pl.Series(frame.name, _cells(frame), strict=False)
    return pl.DataFrame({name: _cells(frame[name]) for name in frame}, strict=False)


def to_arrow(frame):
    if isinstance(frame, pd.Series):
        return pa.chunked_array([pa.array(_cells(frame))])
    return pa.table({name: _cells(frame[name]) for name in frame})


def _cells(column):
    return [
        None if (np.isscalar(cell) and pd.isna(cell)) or cell is pd.NA else cell
        for cell in column.tolist()
    ]


KINDS = {"polars": to_polars, "arrow": to_arrow}
each_kind = pytest.mark.parametrize("convert", KINDS.values(), ids=KINDS)


def union():
    return SourceUnion(
        [
            ("text", CharacterSegmenter(), "messages"),
            ("counts", "passthrough", ["n_fans"]),
            ("vectors", "passthrough", "vector"),
        ]
    )


def content(source):
    return source.tolist() if hasattr(source, "tolist") else source


@each_kind
class TestTargets:
    def test_names_and_missing_labels(self, convert) -> None:
        table, names, one_dimensional = label_table(convert(LABELS))
        wanted, wanted_names, _ = label_table(LABELS)
        assert table.tolist() == wanted.tolist()
        assert names == wanted_names == ["mood", "year"]
        assert not one_dimensional
        assert table[2, 0] is None

    def test_codes(self, convert) -> None:
        codec = LabelCodec.learn(convert(LABELS))
        swapped = LABELS[["year", "mood"]]
        for y in (LABELS, convert(LABELS), convert(swapped)):
            assert codec.encode(y).codes.tolist() == codec.encode(LABELS).codes.tolist()

    def test_columns(self, convert) -> None:
        table, names, one_dimensional = label_table(convert(LABELS["mood"]))
        assert one_dimensional
        assert table[:3, 0].tolist() == ["a", "b", None]
        assert names == (["mood"] if convert is to_polars else ["task0"])

    def test_sets(self, convert) -> None:
        likes = pd.DataFrame({"likes": [["tea"], ["tea", "milk"], None]})
        table, _, _ = label_table(convert(likes))
        assert table[:, 0].tolist() == [
            frozenset({"tea"}),
            frozenset({"tea", "milk"}),
            None,
        ]

    def test_metrics(self, convert) -> None:
        predicted = LABELS.assign(mood="a")
        for measure in (
            task_report,
            macro_prf,
            accuracy_per_task,
            exact_match_score,
            mean_accuracy,
        ):
            wanted = measure(LABELS, predicted)
            for pair in (
                (convert(LABELS), convert(predicted)),
                (convert(LABELS), predicted),
                (LABELS, convert(predicted)),
            ):
                np.testing.assert_equal(np.asarray(measure(*pair)), np.asarray(wanted))
        report = task_report(convert(LABELS), convert(predicted[["year", "mood"]]))
        assert list(report.index) == ["mood", "year"]


@each_kind
class TestSources:
    def test_union(self, convert) -> None:
        fitted = union().fit(USERS)
        for made in (
            union().fit_transform(convert(USERS), convert(LABELS)),
            union().fit(convert(USERS)).transform(convert(USERS)),
            fitted.transform(convert(USERS)),
        ):
            for name, source in fitted.transform(USERS).items():
                np.testing.assert_equal(content(made[name]), content(source))

    def test_learning_from_labels(self, convert) -> None:
        steps = make_pipeline(
            SourceUnion([("text", CharacterSegmenter(), "messages")]),
            SourceUnion([("region", RegionKeywords(task="mood"), "text")]),
        )
        wanted = steps.fit_transform(USERS, LABELS)["region"]
        made = steps.fit_transform(convert(USERS), convert(LABELS))["region"]
        np.testing.assert_array_equal(made, wanted)

    def test_augmenter(self, convert) -> None:
        for arguments, y in (({}, LABELS), ({"profile": ["group"]}, None)):
            augmenter = ProfileAugmenter(
                make_tfidf_baseline(), random_state=0, **arguments
            )
            wanted = augmenter.fit_transform(USERS, y)
            y = None if y is None else convert(y)
            made = augmenter.fit_transform(convert(USERS), y)
            assert made["messages"].tolist() == wanted["messages"].tolist()
            made = augmenter.fit(convert(USERS), y).transform(convert(USERS))
            assert made.shape == wanted.shape

    def test_graph(self, convert) -> None:
        wanted = SocialGraph.from_edges(EDGES)
        assert SocialGraph.from_edges(convert(EDGES)) == wanted
        pairs = convert(EDGES[["source", "target"]])
        made = SocialGraph.from_edges(pairs, weights=convert(EDGES["weight"]))
        assert made == wanted
        ids = SocialGraph.from_edges(convert(EDGES), ids=convert(USERS["user_id"])).ids
        assert list(ids) == USERS["user_id"].tolist()


@each_kind
class TestModels:
    def models(self):
        graph = SocialGraph.from_edges(EDGES)
        return {
            "majority": make_majority_baseline(),
            "words": make_tfidf_baseline(),
            "style": make_maxent_baseline(
                segmenter=CharacterSegmenter(), stylometric="drop"
            ),
            "links": make_link_baseline(graph),
            "net": make_pipeline(
                union(), MMLUPClassifier(max_epochs=1, random_state=0)
            ),
        }

    def test_fit_and_predict(self, convert) -> None:
        for name, model in self.models().items():
            wanted = model.fit(USERS, LABELS).predict(USERS)
            assert model.predict(convert(USERS)).tolist() == wanted.tolist(), name
            score = model.score(USERS, LABELS)
            model.fit(convert(USERS), convert(LABELS))
            assert (
                model[-1].task_names_ == ["mood", "year"]
                if name != "majority"
                else (model.task_names_ == ["mood", "year"])
            )
            assert model.predict(USERS).tolist() == wanted.tolist(), name
            assert model.score(convert(USERS), convert(LABELS)) == score

    def test_tables_of_numbers(self, convert) -> None:
        for model in (
            MetaLearningClassifier(LogisticRegression(), random_state=0),
            MaskedMultiOutputClassifier(LogisticRegression()),
            MMLUPClassifier(max_epochs=1, random_state=0),
        ):
            wanted = model.fit(NUMBERS, LABELS).predict(NUMBERS)
            made = model.fit(convert(NUMBERS), convert(LABELS))
            assert made.predict(convert(NUMBERS)).tolist() == wanted.tolist()


@each_kind
class TestEvaluation:
    folds = MultiTaskStratifiedKFold(3, random_state=0)

    def test_splits(self, convert) -> None:
        grouped = MultiTaskStratifiedGroupKFold(3, random_state=0)
        groups = USERS["group"]
        for (train, test), (other_train, other_test) in zip(
            [
                *self.folds.split(USERS, LABELS),
                *grouped.split(USERS, LABELS, groups),
            ],
            [
                *self.folds.split(convert(USERS), convert(LABELS)),
                *grouped.split(convert(USERS), convert(LABELS), convert(groups)),
            ],
            strict=True,
        ):
            assert train.tolist() == other_train.tolist()
            assert test.tolist() == other_test.tolist()
        with pytest.raises(TargetError, match="'u1' stands in 2 rows"):
            next(
                self.folds.split(
                    convert(USERS.assign(user_id=["u1", "u1", *USERS["user_id"][2:]])),
                    LABELS,
                )
            )

    def test_one_split(self, convert) -> None:
        wanted = multi_task_train_test_split(USERS, LABELS, random_state=0)
        made = multi_task_train_test_split(
            convert(USERS), convert(LABELS), random_state=0
        )
        assert type(made[0]) is type(convert(USERS))
        assert label_table(made[3])[0].tolist() == label_table(wanted[3])[0].tolist()

    def test_compare(self, convert, tmp_path) -> None:
        def run(X, y, **more):
            scores = compare(make_tfidf_baseline(), X, y, cv=2, **more).scores
            return scores.drop(columns=["fit_seconds", "predict_seconds"])

        # a message of one's own, since compare warns of copies
        users = USERS.assign(
            messages=[
                None if each is None else [*each, f"w{row}"]
                for row, each in enumerate(USERS["messages"])
            ]
        )
        wanted = run(users, LABELS, results_folder=tmp_path)
        made = run(convert(users), convert(LABELS), results_folder=tmp_path)
        pd.testing.assert_frame_equal(made, wanted)
        # An index of pandas that is left of a selection is no reason to refuse.
        rows = LABELS.index[::-1]
        made = run(users.loc[rows], convert(LABELS.loc[rows]))
        assert made["error"].isna().all()
        made = run(convert(users.loc[rows]), LABELS.loc[rows])
        assert made["error"].isna().all()

    def test_probabilities(self, convert) -> None:
        wanted = cross_val_predict_proba(make_tfidf_baseline(), USERS, LABELS, cv=2)
        made = cross_val_predict_proba(
            make_tfidf_baseline(), convert(USERS), convert(LABELS), cv=2
        )
        np.testing.assert_equal(made.probabilities, wanted.probabilities)
        assert made.task_names == ["mood", "year"]

    def test_inside_scikit_learn(self, convert) -> None:
        pipeline = make_pipeline(union(), MMLUPClassifier(max_epochs=1, random_state=0))
        results = []
        for X, y in ((USERS, LABELS), (convert(USERS), convert(LABELS))):
            scores = cross_validate(
                pipeline, X, y, cv=self.folds, scoring=TaskScorer(), error_score="raise"
            )
            search = GridSearchCV(
                make_tfidf_baseline(),
                {"classifier__estimator__C": [0.1, 5.0]},
                cv=self.folds,
                scoring=TaskScorer("macro_f1", task="mood"),
                error_score="raise",
            ).fit(X, y)
            results.append([*scores["test_score"], search.best_score_])
        assert results[0] == results[1]


@each_kind
class TestDumps:
    def test_files_are_equal(self, convert, tmp_path) -> None:
        users = USERS[["user_id", "messages"]]
        labels = pd.DataFrame({"gender": ["m", "f", None] * 8})
        for name, change in (("wanted", lambda table: table), ("made", convert)):
            folder = tmp_path / name
            dump_records(change(users), folder / "records", target=change(LABELS))
            dump_smpcup2016(change(users), folder / "smp", target=change(labels))
            dump_pan_predictions(
                folder / "pan", change(users), change(labels), language="en"
            )
            dump_pan_predictions(
                folder / "ids", change(users["user_id"]), change(labels), language="en"
            )
        wanted = sorted(p for p in (tmp_path / "wanted").rglob("*") if p.is_file())
        assert len(wanted) > 2 * N
        for path in wanted:
            made = tmp_path / "made" / path.relative_to(tmp_path / "wanted")
            assert made.read_bytes() == path.read_bytes()

    def test_predictions_beside_a_selection_of_pandas(self, convert, tmp_path) -> None:
        users, labels = USERS[4:6], LABELS[["mood"]][4:6]
        report = dump_pan_predictions(tmp_path, users, convert(labels))
        assert report["n_users"] == 2


def test_what_is_not_in_memory_is_refused() -> None:
    with pytest.raises(SourceError, match="in memory"):
        union().fit(to_polars(USERS).lazy())


LONG = "what a user wrote " * 200


@pytest.mark.parametrize(
    "fail",
    [
        lambda: LabelCodec.learn(["a", "b"]).encode([LONG, "a"]),
        lambda: LabelCodec.learn([LONG + str(row) for row in range(50)]).encode(["a"]),
        lambda: label_table([["a"], [LONG, LONG]]),
        lambda: label_table(pd.Series([{"a"}, LONG], dtype=object)),
        lambda: SocialGraph.from_edges([("a", "b"), ("a", "b", LONG, LONG)]),
        lambda: SocialGraph.from_edges([("a", LONG)], ids=["a"]),
        lambda: SocialGraph.from_edges([("a", "b")], ids=["a", "b", LONG, LONG]),
        lambda: SocialGraph.from_edges([("a", 1), (LONG, 2)]),
        lambda: SocialGraph.from_edges([("a", "b")]).neighbors(LONG),
        lambda: SourceUnion([("n", "passthrough", ["t"])]).fit({"t": [LONG]}),
        lambda: SourceUnion([("n", LONG, "t")]).fit({"t": [LONG]}),
        lambda: SourceUnion(LONG).fit({"t": [LONG]}),
        lambda: make_tfidf_baseline().fit(pd.DataFrame({"messages": [[LONG, 3]]}), [0]),
    ],
)
def test_no_error_repeats_what_a_user_wrote(fail) -> None:
    with pytest.raises(ValueError, match=r".") as caught:
        fail()
    assert len(str(caught.value)) < 400
    assert "what a user wrote " * 4 not in str(caught.value)
