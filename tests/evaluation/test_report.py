"""Reports: one cross-validation, figures by hand, and a page that harms nobody."""

from __future__ import annotations

import itertools
import re
import sys
from collections import Counter
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.multioutput import MultiOutputClassifier
from sklearn.pipeline import make_pipeline
from sklearn.tree import DecisionTreeClassifier

from sklearn_profiling.baselines import (
    MaskedMultiOutputClassifier,
    make_majority_baseline,
    make_tfidf_baseline,
)
from sklearn_profiling.containers import SocialGraph
from sklearn_profiling.evaluation import (
    Comparison,
    MultiTaskStratifiedGroupKFold,
    ProfilingReport,
    compare,
    group_report,
    model_card,
    task_report,
)
from sklearn_profiling.evaluation.displays._canvas import drawable, fonts_of_the_reader
from sklearn_profiling.evaluation.report._data import quality_of, sources_of
from sklearn_profiling.evaluation.report._page import told_gaps
from sklearn_profiling.evaluation.splits import Fold
from sklearn_profiling.exceptions import (
    DataQualityWarning,
    MissingDependencyError,
    ProfilingWarning,
    SourceError,
    TargetError,
)

EVIL = "<script>alert(1)</script>"
WORDS = {"女": "tea", "男": "ale"}


def make_users() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Users who write a word of their class, and one who writes neither."""
    generator = np.random.default_rng(0)
    gender = np.array(["女", "男"] * 15, dtype=object)
    words = [f"w{n}" for n in range(9)]
    messages: list[Any] = [
        [WORDS[label], " ".join(generator.choice(words, 4))] for label in gender
    ]
    messages[0] = [EVIL, "\N{GRINNING FACE}" * 10_000, "\udc80"]
    messages[1] = None
    messages[2] = messages[3] = ["the very same words", "of two users"]
    ids = [f"u{n}" for n in range(30)]
    ids[0] = EVIL
    users = pd.DataFrame(
        {
            "user_id": ids,
            "messages": messages,
            "place": ["north", "south", None] * 10,
            "height": np.arange(30.0),
        }
    )
    gender[4] = None
    stage = np.array(["a_b", "x|y", EVIL] * 10, dtype=object)
    stage[[4, 5, 6]] = None
    return users, pd.DataFrame({"gender": gender, "stage": stage})


HALF = np.arange(30) // 3 % 2 == 0
FOLDS = [
    (np.flatnonzero(HALF), np.flatnonzero(~HALF)),
    (np.flatnonzero(~HALF), np.flatnonzero(HALF)),
]
SMALL: dict[str, Any] = {"cv": FOLDS, "n_bootstrap": 20, "n_explained": 0}


@pytest.fixture(scope="module")
def report() -> ProfilingReport:
    users, y = make_users()
    with pytest.warns(DataQualityWarning, match="2 users are tested by models"):
        return ProfilingReport(
            make_tfidf_baseline(),
            users,
            y,
            fairness_by="place",
            name="<b>ours</b>",
            **{**SMALL, "n_explained": 1},
        )


@pytest.fixture(scope="module")
def page(report: ProfilingReport) -> str:
    return report.to_html(title=f"{EVIL} of users")


class Page(HTMLParser):
    """Elements of a page, in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))


def test_data_are_counted(report: ProfilingReport) -> None:
    assert report.summary.loc["gender"].tolist() == [29, 1, 2, "男", 15 / 29]
    assert report.summary.loc["stage", ["n_labelled", "n_missing"]].tolist() == [27, 3]
    messages = report.sources.loc["messages"]
    assert messages.tolist() == ["text", 29, 1, 2.0, 3.0]
    assert report.sources.loc["place", ["n_users", "n_missing"]].tolist() == [20, 10]
    assert np.isnan(report.sources.loc["place", "most"])
    assert report.quality["n_users"].tolist() == [30, 1, 30, 2, 2, 2]
    assert "leakage" in report.quality["note"].iloc[4]
    assert report.quality["note"].iloc[1] == "1 of them tested, unscored"
    assert report.quality["note"].iloc[5] == "scores may look better than they are"


def test_copies_on_one_side_are_no_leak() -> None:
    users, y = make_users()
    copies = [0, 1, 2, 2, *range(3, 29)]
    cv = MultiTaskStratifiedGroupKFold(2, random_state=0)
    folds = [
        Fold(number, *parts) for number, parts in enumerate(cv.split(users, y, copies))
    ]
    found = quality_of(users, y, folds, 0)
    assert found["n_users"].tolist() == [30, 1, 29, 2, 0, 0]
    assert found["note"].iloc[1] == "in training only"
    assert found["note"].iloc[5] == ""


def test_blank_messages_are_nothing() -> None:
    users = pd.DataFrame({"user_id": [*"ab"], "messages": [["x", " "], ["", None]]})
    found = sources_of(users, [*"ab"], make_majority_baseline())
    assert found.loc["messages"].tolist()[1:] == [1, 1, 1.0, 1.0]


def test_the_network_of_a_system_is_a_source() -> None:
    users, _ = make_users()
    graph = SocialGraph.from_edges([("u1", "u2"), ("u1", "u3")], directed=True)

    class System:
        def get_params(self, deep: bool) -> dict[str, Any]:
            return {"graph": graph, "again": graph}

    found = sources_of(users, users["user_id"].tolist(), System())
    assert found.loc["(network)"].tolist() == ["links", 3, 27, 1.0, 2.0]


def test_all_sections_share_one_cross_validation(report: ProfilingReport) -> None:
    _users, y = make_users()
    table = report.compared.table("log_loss")
    # The same system as a baseline, fitted apart, on the same folds.
    np.testing.assert_allclose(table.loc["<b>ours</b>"], table.loc["TF-IDF"])
    assert report.compared.systems == ["<b>ours</b>", "majority class", "TF-IDF"]
    scores = report.compared.scores.query("metric == 'accuracy'")
    own = scores[scores["system"] == "<b>ours</b>"].groupby("task")
    values = own[["value", "n_labelled"]]
    pooled = values.apply(lambda rows: np.average(rows.value, weights=rows.n_labelled))
    for task in y:
        assert report.by_task.loc[(task, "accuracy"), "value"] == pooled[task]
        assert report.calibration.loc[task, "accuracy"] == pooled[task]
        right = np.trace(report.confusion[task].to_numpy())
        assert right / report.confusion[task].to_numpy().sum() == pooled[task]
    assert (own["n_train"].sum() == [29, 27]).all()
    expected = task_report(
        y,
        report.predictions,
        y_proba=report.probabilities,
        classes=report.classes,
        by="class",
    )
    pd.testing.assert_frame_equal(report.by_class, expected)


def test_groups_are_those_of_users(report: ProfilingReport) -> None:
    users, y = make_users()
    found = group_report(
        y,
        report.predictions,
        users["place"],
        y_proba=report.probabilities,
        classes=report.classes,
        n_bootstrap=20,
        random_state=0,
    )
    pd.testing.assert_frame_equal(report.fairness, found.by_group)
    pd.testing.assert_frame_equal(report.gaps, found.gaps)


def test_users_are_explained_by_models_that_had_not_seen_them(
    report: ProfilingReport,
) -> None:
    cases = report.cases
    assert set(cases["kind"]) == {"most wrong", "most sure"}
    for case, found in zip(cases.to_dict("records"), report.explanations, strict=True):
        assert found.task == case["task"]
        assert found.predicted == case["predicted"]
        assert found.probability == pytest.approx(case["confidence"])
        assert (case["label"] == case["predicted"]) == (case["kind"] == "most sure")
        same = (report.y[case["task"]] == report.predictions[case["task"]]).to_numpy()
        kept = same == (case["kind"] == "most sure")
        kept &= report.y[case["task"]].notna().to_numpy()
        place = list(report.y).index(case["task"])
        assert case["confidence"] == report.probabilities[place].max(axis=1)[kept].max()


def test_the_page_is_whole(page: str) -> None:
    elements = Page(page).elements
    tags = Counter(tag for tag, _ in elements)
    assert page.startswith("<!doctype html>")
    assert tags["h1"] == tags["main"] == tags["nav"] == 1
    assert tags["svg"] == 3 + 2 + 2
    levels = [int(tag[1]) for tag, _ in elements if re.fullmatch("h[1-6]", tag)]
    assert all(b <= a + 1 for a, b in itertools.pairwise(levels))
    ids = [found["id"] for _, found in elements if "id" in found]
    assert len(ids) == len(set(ids))
    links = {v for _, found in elements for k, v in found.items() if "href" in k}
    links |= {f"#{name}" for name in re.findall(r"url\(#([^)]+)\)", page)}
    links = {link for link in links if not str(link).startswith("data:image/png")}
    assert {str(link)[1:] for link in links} <= set(ids)
    regions = [found for _, found in elements if found.get("role") == "region"]
    assert len(regions) == page.count('class="scroll')
    assert all(found["tabindex"] == "0" and found["aria-label"] for found in regions)
    assert ("a", {"class": "skip", "href": "#content"}) in elements
    assert "prefers-color-scheme: dark" in page


def test_text_of_users_harms_nobody(page: str) -> None:
    elements = Page(page).elements
    assert not {"script", "link", "iframe", "object", "b"} & {
        tag for tag, _ in elements
    }
    assert not any(name.startswith("on") for _, found in elements for name in found)
    outside = re.findall(r"""(?:src|href|action)=["'](?!#|data:image/png)""", page)
    outside += re.findall(r"@import|url\((?!#)|srcset", page)
    assert outside == []
    assert EVIL not in page
    assert "&lt;script&gt;" in page
    assert "default-src 'none'" in page
    assert len(page) < 500_000
    page.encode("utf-8")


@pytest.mark.filterwarnings("ignore::sklearn_profiling.exceptions.DataQualityWarning")
def test_the_strangest_user_is_explained() -> None:
    users, y = make_users()
    labels = y["gender"].where(~HALF | (np.arange(30) == 0), None)
    model, options = make_tfidf_baseline(), {**SMALL, "cv": FOLDS[1:], "n_explained": 1}
    found = ProfilingReport(model, users, labels, systems=[], **options)
    assert found.cases["user"].tolist() == [EVIL]
    page = found.to_html()
    assert page.count("&lt;script&gt;alert(1)&lt;/script&gt;") >= 2
    assert EVIL not in page
    assert page.count("\N{GRINNING FACE}") < 1000
    assert len(page) < 150_000


def test_chinese_classes_stay_text(page: str) -> None:
    assert re.search(r"<text [^>]*>\xa0*女</text>", page)
    assert "DejaVu" not in page


def test_names_leave_room_for_the_fonts_of_readers() -> None:
    with fonts_of_the_reader():
        assert drawable("ab") == "ab"
        assert drawable("\U0010fffd\0b") == "\xa0" * 3 + "\U0010fffd\ufffdb"
    assert drawable("\U0010fffd") == "□"


def test_the_same_seed_has_the_same_bytes(report: ProfilingReport, page: str) -> None:
    assert report.to_html(title=f"{EVIL} of users") == page
    users, y = make_users()
    again = [
        ProfilingReport(
            make_tfidf_baseline(),
            users.drop([2, 3]),
            y.drop([2, 3])["gender"],
            systems=[],
            n_bootstrap=20,
            n_explained=0,
            cv=2,
            random_state=seed,
        )
        for seed in (1, 1, np.random.RandomState(1))
    ]
    text = again[0].to_html()
    assert text == again[1].to_html()
    assert "Explanations" not in text
    assert again[0].seed == 1 != again[2].seed
    assert not again[0].by_task.equals(again[2].by_task)


def test_files_notebooks_and_text(report: ProfilingReport, tmp_path: Any) -> None:
    path = tmp_path / "report.html"
    ((tag, frame),) = Page(report._repr_html_()).elements
    assert (tag, frame["srcdoc"]) == ("iframe", report.to_html(path))
    assert path.read_text("utf-8") == frame["srcdoc"]
    assert "sandbox" in frame
    assert repr(report).startswith("<b>ours</b>, 30 users, 2 folds\n")


def test_without_the_extra_the_tables_are_there(
    report: ProfilingReport, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "jinja2", None)
    with pytest.raises(MissingDependencyError, match=r"sklearn_profiling\[plots\]"):
        report.to_html()
    assert len(report.by_task) == 4


def test_a_model_card(report: ProfilingReport) -> None:
    card = model_card(make_tfidf_baseline(), report)
    lines = card.splitlines()
    assert lines[0] == r"# Model card: \<b\>ours\<\/b\>"
    assert EVIL not in card
    accuracy = report.by_task.loc[("gender", "accuracy"), "value"]
    assert any(f"| gender | accuracy | {accuracy:.3f} |" in line for line in lines)
    assert r"x\|y" in card
    for title in ("Intended use", "Uses that are forbidden", "Groups", "Limits"):
        assert any(line.lstrip("#").strip() == title for line in lines)
    assert "2 users were tested with copies in training." in card
    assert re.search(r"\| scikit\\-learn \| \d", card)
    assert r"| classifier\_\_" in card
    # Every row of a table has as many cells as its head.
    for block in card.strip().split("\n\n"):
        if block.startswith("|"):
            cells = [len(re.findall(r"(?<!\\)\|", line)) for line in block.split("\n")]
            assert len(set(cells)) == 1
    assert "at home" in model_card(
        make_tfidf_baseline(), report, intended_use="at home"
    )


class TestOtherUsers:
    """One task, sets, numbers, no messages."""

    X = pd.DataFrame({"a": np.arange(24.0) % 3, "b": np.arange(24.0) % 2})

    def test_one_task_and_a_comparison(self) -> None:
        y = pd.Series((self.X["a"] > 0).map({True: "p", False: "q"}), name="kind")
        model = MaskedMultiOutputClassifier(DecisionTreeClassifier())
        beside = compare({"most": make_majority_baseline()}, self.X, y, cv=2)
        report = ProfilingReport(
            model, self.X, y, cv=2, n_bootstrap=5, n_explained=1, systems=beside
        )
        assert report.compared is beside
        assert "near duplicates" not in report.quality.index
        assert report.cases["kind"].tolist() == ["most sure"]
        assert report.cases["user"].tolist() == report.cases["row"].tolist()
        assert report.fairness is None
        page = report.to_html()
        assert "No groups were given" in page
        assert "1 task." in page
        assert "not known for whom" in model_card(model, report)
        other = Comparison(beside.scores.assign(task="other"))
        with pytest.raises(TargetError, match=r"has the tasks \['other'\]"):
            ProfilingReport(model, self.X, y, cv=2, systems=other)

    def test_models_that_know_no_names(self) -> None:
        y = pd.DataFrame({"a": self.X["a"] > 0, "b": self.X["b"] > 0}).astype(str)
        model = MultiOutputClassifier(DecisionTreeClassifier())
        report = ProfilingReport(
            model, self.X, y, cv=2, n_bootstrap=5, n_explained=1, systems=[]
        )
        assert [found.task for found in report.explanations] == ["0", "1"]
        assert report.compared.systems == ["pipeline"]

    def test_a_task_that_nobody_tested_is_labelled_for(self) -> None:
        y = pd.DataFrame({"a": self.X["a"] > 0, "b": self.X["b"] > 0}, dtype=object)
        y.loc[12:, "b"] = None
        report = ProfilingReport(
            MaskedMultiOutputClassifier(DecisionTreeClassifier()),
            self.X,
            y,
            cv=[(range(12), range(12, 24))],
            n_bootstrap=5,
            n_explained=1,
            systems=[],
            fairness_by="a",
        )
        assert report.cases["task"].tolist() == ["a"]
        assert "No user who was tested is labelled." in report.to_html()
        assert report.n_users == 24
        assert len(report.y) == 12

    def test_systems_that_need_all_of_a_user(self) -> None:
        model = MaskedMultiOutputClassifier(LogisticRegression())
        with pytest.warns(ProfilingWarning, match="no user is explained.*NaN"):
            report = ProfilingReport(
                model, self.X, self.X["a"] > 0, cv=2, n_bootstrap=5, systems={}
            )
        assert report.explanations == []
        assert len(report.cases) == 2
        assert "They are not explained" in report.to_html()
        words = ColumnTransformer([("words", TfidfVectorizer(), "bio")])
        users = pd.DataFrame({"bio": ["tea", "ale"] * 12}, dtype=object)
        with pytest.warns(ProfilingWarning, match="no user is explained.*lower"):
            ProfilingReport(
                make_pipeline(words, LogisticRegression()),
                *(users, users["bio"] == "tea"),
                cv=2,
                n_bootstrap=5,
                systems={},
            )

    def test_sets_of_labels_and_many_classes(self) -> None:
        kinds = [{"sea", "tax"}, {"sea"}, {"tax"}]
        likes = [frozenset(kinds[n % 3]) for n in range(210)]
        y = pd.DataFrame({"likes": likes, "town": [f"t{n % 105}" for n in range(210)]})
        X = pd.DataFrame({"a": np.arange(210.0) % 2})
        report = ProfilingReport(
            make_majority_baseline(),
            X,
            y,
            cv=[(range(105), range(105, 210)), (range(105, 210), range(105))],
            n_bootstrap=5,
            n_explained=1,
            fairness_by=["a" if n % 2 else "b" for n in range(210)],
        )
        page = report.to_html()
        assert "Memberships of likes" in page
        assert "105 classes are too many for a picture" in page
        assert report.fairness.index.names == ["task", "group"]
        assert "label sea, tax, predicted sea, tax" in page
        assert "5 more rows are not shown" in page
        assert "\n\n7 more rows." in model_card(make_majority_baseline(), report)
        assert (told_gaps(report.gaps)["gap"] > 0).all()

    def test_a_failed_system_is_named(self) -> None:
        users, y = make_users()
        broken = make_tfidf_baseline(column="absent")
        with (
            pytest.warns(DataQualityWarning),
            pytest.warns(ProfilingWarning, match="broken failed in fold"),
        ):
            report = ProfilingReport(
                make_majority_baseline(), users, y, systems={"broken": broken}, **SMALL
            )
        assert "broken failed in fold 0, 1" in report.to_html()


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"n_explained": -1}, ValueError, "n_explained must be a whole number"),
        ({"n_explained": True}, ValueError, "n_explained must be"),
        ({"n_bootstrap": 0}, ValueError, "n_bootstrap must be"),
        ({"level": 2}, ValueError, "level must"),
        ({"fairness_by": "luck"}, TargetError, "must name a task or a column"),
        ({"fairness_by": ["a"]}, TargetError, "one entry a user, 30; got 1"),
        ({"fairness_by": ["gender", "stage"]}, TargetError, "names all of them"),
        ({"fairness_by": [f"g{n}" for n in range(30)] * 2}, TargetError, "got 60"),
        ({"systems": {"pipeline": make_majority_baseline()}}, ValueError, "'pipeline'"),
        ({"cv": FOLDS * 2}, TargetError, "is in 2"),
    ],
)
@pytest.mark.filterwarnings("ignore::sklearn_profiling.exceptions.DataQualityWarning")
def test_wrong_parameters_are_named(
    options: dict[str, Any], error: type[Exception], message: str
) -> None:
    users, y = make_users()
    with pytest.raises(error, match=message):
        ProfilingReport(make_majority_baseline(), users, y, **{**SMALL, **options})


def test_wrong_systems_and_users_are_named() -> None:
    users, y = make_users()
    with pytest.raises(SourceError, match="int does not predict probabilities"):
        ProfilingReport(7, users, y)
    with pytest.raises(SourceError, match="must be a table of users; got list"):
        ProfilingReport(make_majority_baseline(), [[0]] * 30, y)
    many = users.loc[np.arange(60) % 30].assign(user_id=range(60))
    with pytest.raises(TargetError, match="60 groups, and 50 at most"):
        ProfilingReport(
            make_majority_baseline(),
            many.reset_index(drop=True),
            y.loc[np.arange(60) % 30].reset_index(drop=True),
            fairness_by="user_id",
        )
