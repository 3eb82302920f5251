"""Displays: the figures that they show, by hand, and that nothing is cut off."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from sklearn import metrics as sklearn_metrics
from sklearn import model_selection
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from sklearn_profiling import evaluation
from sklearn_profiling.baselines import (
    MaskedMultiOutputClassifier,
    make_tfidf_baseline,
)
from sklearn_profiling.containers import SocialGraph
from sklearn_profiling.estimators import MMLUPClassifier
from sklearn_profiling.evaluation import (
    Comparison,
    ComparisonDisplay,
    MessageAttentionDisplay,
    NetworkMapDisplay,
    ReliabilityDisplay,
    TaskConfusionDisplay,
    TaskRelatednessDisplay,
    TrainingCurveDisplay,
    WordContributionDisplay,
    calibration_report,
    explain,
    task_relatedness,
)
from sklearn_profiling.evaluation.comparison import SCORE_COLUMNS
from sklearn_profiling.evaluation.displays._canvas import drawable
from sklearn_profiling.exceptions import (
    MissingDependencyError,
    ProfilingError,
    SourceError,
    TargetError,
)
from sklearn_profiling.sources import (
    LINEEmbedding,
    SourceUnion,
    Word2VecTransformer,
    WordSegmenter,
)

mpl.use("agg")
GENERATOR = np.random.default_rng(0)


@pytest.fixture
def ax() -> Iterator[Any]:
    """Axes of four inches, which are drawn and looked at after the test."""
    figure, axes = plt.subplots(figsize=(4, 3.4), layout="constrained")
    yield axes
    figure.canvas.draw()
    box = axes.get_tightbbox()
    assert box.x0 > -1
    assert box.y0 > -1
    assert box.x1 < figure.bbox.x1 + 1
    assert box.y1 < figure.bbox.y1 + 1
    plt.close(figure)


def texts(axes: Any) -> list[str]:
    return [text.get_text() for text in axes.texts]


def ticks(axis: Any) -> list[str]:
    return [text.get_text() for text in axis.get_ticklabels()]


def test_names_are_not_those_of_scikit_learn() -> None:
    ours = {name for name in evaluation.__all__ if name.endswith("Display")}
    assert len(ours) == 8
    assert not ours & {*sklearn_metrics.__all__, *model_selection.__all__}


Y = pd.DataFrame(
    {
        "gender": ["女", "女", "男", None, "男"],
        "age": ["old", "young", "old", "old", "a very old and $long$ name"],
    }
)


def test_confusion(ax: Any) -> None:
    predicted = Y.assign(gender=["女", "男", "男", "男", None])
    display = TaskConfusionDisplay.from_predictions(Y, predicted, task="gender", ax=ax)
    assert display.classes == ["女", "男"]
    assert display.confusion.tolist() == [[1, 1, 0], [0, 1, 1]]
    assert ticks(ax.xaxis)[2] == "none"
    assert texts(ax) == list("110011")
    assert ax.get_title() == "gender"
    np.testing.assert_allclose(display.im_.get_array(), display.confusion / 2)


def test_confusion_of_an_estimator_and_many_classes(ax: Any) -> None:
    X = GENERATOR.normal(size=(60, 2))
    y = pd.DataFrame({"region": np.arange(60) % 15})
    model = MaskedMultiOutputClassifier(LogisticRegression()).fit(X, y)
    display = TaskConfusionDisplay.from_estimator(model, X, y, ax=ax)
    hits = (model.predict(X)[:, 0] == y["region"]).sum()
    assert np.trace(display.confusion) == hits
    assert texts(ax) == []  # numbers do not fit
    assert TaskConfusionDisplay(np.eye(2), ["a", "b"], "t").plot().figure_
    plt.close()


@pytest.mark.parametrize(
    ("y", "task", "text"),
    [
        (Y, None, r"one of \['gender', 'age'\]; got None"),
        (Y, "job", "got 'job'"),
        ([{"a"}, {"b"}], None, "holds sets of labels"),
        ([None, None], None, "nobody is labelled for task 'task0'"),
    ],
)
def test_no_confusion(y: Any, task: str | None, text: str) -> None:
    with pytest.raises(TargetError, match=text):
        TaskConfusionDisplay.from_predictions(y, y, task=task)


def comparison(values: dict[str, list[float]]) -> Comparison:
    rows = [
        (system, fold, "gender", "accuracy", value, 20, 80, 1.0, 1.0, error)
        for system, scores in values.items()
        for fold, value in enumerate(scores)
        for error in ["broken" if np.isnan(value) else None]
    ]
    return Comparison(pd.DataFrame(rows, columns=list(SCORE_COLUMNS)))


def test_comparison(ax: Any) -> None:
    scores = {
        "good": [0.8, 0.82, 0.81],
        "a name that is longer than the picture": [0.5, 0.52, 0.51],
        "near": [0.8, 0.8, 0.82],
        "bad": [np.nan, 0.3, 0.4],
    }
    result = comparison(scores)
    display = result.plot(task="gender", ax=ax)
    assert isinstance(display, ComparisonDisplay)
    assert texts(ax) == ["", "**", "", "failed"]
    assert ticks(ax.yaxis)[1] == "a name that is longer th…"
    assert "against the best" in ax.get_xlabel()
    points = [line for line in ax.lines if line.get_marker() == "o"]
    np.testing.assert_allclose(
        [p.get_xdata()[0] for p in points], [0.81, 0.51, 0.8067], atol=1e-4
    )
    fills = [p.get_markerfacecolor() == p.get_color() for p in points]
    assert fills == [True, False, False]
    bars = [line for line in ax.lines if line.get_marker() != "o"]
    wanted = display.summary[["low", "high"]][:3].to_numpy()
    np.testing.assert_allclose([bar.get_xdata() for bar in bars], wanted)


def test_comparison_of_one_fold(ax: Any) -> None:
    display = ComparisonDisplay.from_comparison(
        comparison({"a": [0.5], "b": [0.6]}), ax=ax
    )
    assert display.summary["low"].isna().all()
    assert len(ax.lines) == 2
    assert ax.get_xlabel() == "accuracy"
    with pytest.raises(ValueError, match=r"\['gender', 'average'\]; got 'age'"):
        comparison({"a": [0.5]}).plot(task="age")


def test_reliability(ax: Any) -> None:
    proba = np.array([[0.9, 0.1], [0.8, 0.2], [0.35, 0.65], [0.55, 0.45], [0.5, 0.5]])
    y = ["f", "m", "m", "m", None]
    display = ReliabilityDisplay.from_predictions(y, proba, ["f", "m"], n_bins=5, ax=ax)
    # A bin holds its upper bound, 0.8 here, as in the table and the report.
    np.testing.assert_allclose(display.confidence, [0.55, 0.725, 0.9])
    assert display.accuracy.tolist() == [0, 0.5, 1]
    assert display.n_users.tolist() == [1, 2, 1]
    error = (0.55 + 2 * 0.225 + 0.1) / 4
    assert np.isclose(display.calibration_error, error)
    report = calibration_report(y, proba, ["f", "m"], n_bins=5)
    assert display.calibration_error == report["ece"].iloc[0]
    assert ax.get_legend().get_texts()[1].get_text() == f"ECE {error:.3f}"


def test_reliability_of_several_tasks_and_of_sets(ax: Any) -> None:
    X = GENERATOR.normal(size=(60, 2))
    y = pd.DataFrame({"a": X[:, 0] > 0, "b": X[:, 1] > 0}).astype(object)
    model = MaskedMultiOutputClassifier(LogisticRegression()).fit(X, y)
    display = ReliabilityDisplay.from_estimator(model, X, y, task="b", ax=ax)
    right = model.predict(X)[:, 1] == y["b"]
    assert np.isclose(
        np.average(display.accuracy, weights=display.n_users), right.mean()
    )
    proba, classes = [[0.9, 0.1], [0.2, 0.8], [np.nan, np.nan]], ["p", "q"]
    sets = [{"p", "q"}, {"p"}, {"q"}]
    for given in (proba, [np.array(proba)]):
        known = classes if given is proba else [classes]
        found = ReliabilityDisplay.from_predictions(sets, given, known, n_bins=1, ax=ax)
        assert found.accuracy.tolist() == [0.5]


def test_no_reliability() -> None:
    with pytest.raises(
        ValueError, match="n_bins must be an integer of 1 at least; got 0"
    ):
        ReliabilityDisplay.from_predictions(["a"], np.ones((1, 1)), ["a"], n_bins=0)
    with pytest.raises(TargetError, match="row for each of the 2 users"):
        ReliabilityDisplay.from_predictions(["a", "b"], np.ones((1, 1)), ["a"])
    with pytest.raises(TargetError, match="nobody is labelled for task 'task0'"):
        ReliabilityDisplay.from_predictions([None], np.ones((1, 1)), ["a"])


WORDS = [["sea", "moon"], ["tax", "cost"]]
USERS = [[" ".join(WORDS[u % 2]), " ".join([*WORDS[u % 2], "day"])] for u in range(8)]


def make_union(words: Any) -> SourceUnion:
    return SourceUnion([("text", make_pipeline(WordSegmenter(), words), "messages")])


@pytest.fixture(scope="module")
def net() -> Any:
    words = Word2VecTransformer(4, min_count=1, max_epochs=1, random_state=0)
    model = MMLUPClassifier(
        attention="softmax", max_epochs=2, n_filters=2, random_state=0
    )
    y = pd.DataFrame({"job": ["poet", "clerk"] * 4})
    return make_pipeline(make_union(words), model).fit(USERS, y)


def test_training_curve(ax: Any, net: Any) -> None:
    display = TrainingCurveDisplay.from_estimator(net, ax=ax)
    losses = [epoch["train_loss"] for epoch in net[-1].history_]
    np.testing.assert_allclose(ax.lines[0].get_ydata(), losses)
    assert list(display.losses) == ["train_loss"]
    with pytest.raises(ProfilingError, match="LogisticRegression has none"):
        TrainingCurveDisplay.from_estimator(LogisticRegression())


def test_training_curve_with_validation(ax: Any) -> None:
    class Wrapped:
        estimator_ = type("Net", (), {})()

    Wrapped.estimator_.history_ = [
        {"train_loss": 3.0 - e, "valid_loss": v} for e, v in enumerate([2.0, 1.0, 1.5])
    ]
    TrainingCurveDisplay.from_estimator(Wrapped(), ax=ax)
    point = ax.lines[-1]
    assert (point.get_xdata()[0], point.get_ydata()[0]) == (2, 1.0)


def test_network_map(ax: Any) -> None:
    links = [
        (a, b)
        for g in "xyz"
        for i in range(10)
        for a, b in [(f"{g}{i}", f"{g}{(i + step) % 10}") for step in (1, 2, 4)]
    ]
    links += [("x0", "y0"), ("y0", "z0")]
    line = LINEEmbedding(
        SocialGraph.from_edges(links), 6, solver="spectral", random_state=0
    )
    ids = [f"{g}{i}" for g in "xyz" for i in range(10)]
    line.fit()
    y = pd.DataFrame({"town": [*(i[0] for i in ids), "x"], "n": 0}).astype(object)
    y.loc[0, "town"] = None
    display = NetworkMapDisplay.from_estimator(
        line, [*ids, "stranger"], y, task="town", ax=ax
    )
    assert display.positions.shape == (30, 2)  # but for the stranger
    names = [text.get_text() for text in ax.get_legend().get_texts()]
    assert names[0] == "missing"
    assert sorted(names[1:]) == ["x", "y", "z"]
    town = np.array([i[0] for i in ids])
    centres = np.array([display.positions[town == g].mean(axis=0) for g in "xyz"])
    nearest = ((display.positions[:, None] - centres) ** 2).sum(axis=2).argmin(axis=1)
    assert (np.array(list("xyz"))[nearest] == town).mean() > 0.9
    nans = LINEEmbedding(
        line.graph, 6, solver="spectral", unknown="nan", random_state=0
    )
    again = NetworkMapDisplay.from_estimator(
        nans.fit(), [*ids, "stranger"], y, task="n", ax=ax
    )
    np.testing.assert_allclose(again.positions, display.positions)


def test_the_layout_is_that_of_the_laplacian(ax: Any) -> None:
    vectors = GENERATOR.normal(size=(12, 3)) + np.eye(3)[0]
    labels = [frozenset({str(u), "a"}) if u else frozenset() for u in range(12)]
    display = NetworkMapDisplay.from_vectors(vectors, labels, ax=ax)
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    graph = (1 + unit @ unit.T) / 2
    degrees = graph.sum(axis=1)
    values, found = np.linalg.eig(graph / degrees[:, None])
    order = np.argsort(-values.real)[1:3]
    for axis, number in enumerate(order):
        one, two = display.positions[:, axis], found[:, number].real
        assert abs(one @ two) > 0.999 * np.linalg.norm(one) * np.linalg.norm(two)
    names = [text.get_text() for text in ax.get_legend().get_texts()]
    assert names[0] == "other or missing"
    assert len(names) == 8
    few = NetworkMapDisplay.from_vectors(vectors, labels, max_users=5, ax=ax)
    assert len(few.positions) == len(few.labels) == 5
    assert NetworkMapDisplay.from_vectors(np.ones((3, 1)), [1, 1, 2], ax=ax)


def test_no_map() -> None:
    with pytest.raises(ValueError, match="max_users must be an integer"):
        NetworkMapDisplay.from_vectors(np.eye(3), [1, 2, 3], max_users=0)
    with pytest.raises(TargetError, match=r"shape \(2, n_dim.*got the shape \(3, 3\)"):
        NetworkMapDisplay.from_vectors(np.eye(3), [1, 2])
    with pytest.raises(SourceError, match="3 users with a vector at least; got 2"):
        NetworkMapDisplay.from_vectors(np.eye(3)[:, :2], [1, 2, 3])


def test_attention(ax: Any, net: Any) -> None:
    display = MessageAttentionDisplay.from_estimator(net, USERS, 1, task="job", ax=ax)
    weights = net[-1].message_attention(net[:-1].transform(USERS[1:2]))[0]
    np.testing.assert_allclose(display.weights, weights)
    assert texts(ax)[::2] == ["tax cost", "tax cost day"]
    assert texts(ax)[1] == f"{weights[0]:.2f}"
    bare = net[:-1].transform(USERS)
    alone = MessageAttentionDisplay.from_estimator(net[-1], bare, 1, ax=ax)
    np.testing.assert_allclose(alone.weights, weights, rtol=1e-6)
    MessageAttentionDisplay.from_estimator(net, USERS, 1, source="text", ax=ax)
    with pytest.raises(SourceError, match="source must be one of"):
        MessageAttentionDisplay.from_estimator(net, USERS, 1, source="words")
    y = pd.DataFrame({"job": ["poet", "clerk"] * 4})
    single = make_pipeline(clone(net[-1]).set_params(max_epochs=1)).fit(bare["text"], y)
    found = MessageAttentionDisplay.from_estimator(single, bare["text"], 1, ax=ax)
    assert found.messages == ["tax cost", "tax cost day"]


def test_attention_of_many_long_messages(ax: Any) -> None:
    long = ["word " * 40, "字" * 90, "", "a\nb", "$x$ y"] * 6
    weights = np.arange(30) / 435
    MessageAttentionDisplay(weights, long, "user 3").plot(ax)
    assert len(texts(ax)) == 24
    assert texts(ax)[1] == "0.04"
    assert ax.get_xlabel() == "18 messages with less attention left out"
    ax.figure.canvas.draw()
    right = ax.get_window_extent().x1
    for text in ax.texts:
        assert text.get_window_extent().x1 <= right
    pairs = zip(ax.texts[::2], ax.texts[1::2], strict=True)
    for message, weight in pairs:
        assert message.get_window_extent().x1 < weight.get_window_extent().x0


def test_attention_in_a_figure_without_layout() -> None:
    figure, axes = plt.subplots(figsize=(4, 3))
    MessageAttentionDisplay([0.0], ["word " * 40]).plot(axes)
    figure.canvas.draw()
    first, second = (text.get_window_extent() for text in axes.texts)
    assert first.x1 < second.x0
    plt.close(figure)


def test_no_attention(net: Any) -> None:
    with pytest.raises(SourceError, match="a row from 0 to 7; got 8"):
        MessageAttentionDisplay.from_estimator(net, USERS, 8)
    with pytest.raises(ProfilingError, match="LogisticRegression has no attention"):
        MessageAttentionDisplay.from_estimator(LogisticRegression(), USERS)
    with pytest.raises(ValueError, match="max_messages must be an integer"):
        MessageAttentionDisplay([1], ["a"]).plot(max_messages=0)
    with pytest.raises(SourceError, match="user 0 has no message"):
        MessageAttentionDisplay.from_estimator(net, [[], *USERS])
    with pytest.raises(
        SourceError, match=r"one entry a message, 1; got the shape \(2,\)"
    ):
        MessageAttentionDisplay([1, 2], ["a"])


def test_relatedness(ax: Any) -> None:
    y = pd.DataFrame({"a": list("xy") * 20, "b": list("pq") * 20, "c": ["r"] * 40})
    display = TaskRelatednessDisplay.from_estimator(
        None, np.zeros((40, 1)), y, cv=2, ax=ax
    )
    assert texts(ax) == ["+50.0", "+0.0", "+50.0", "+0.0", "+0.0", "+0.0"]
    weights = [text.get_fontweight() for text in ax.texts]
    assert weights == ["bold", "normal", "bold", "normal", "normal", "normal"]
    assert display.im_.get_clim() == (-50, 50)
    assert ticks(ax.yaxis) == ["a", "b", "c"]


def test_relatedness_of_many_tasks(ax: Any) -> None:
    y = pd.DataFrame({f"t{i}": ["x", "y"] * 4 for i in range(9)})
    found = task_relatedness(np.zeros((8, 1)), y, cv=2, n_bootstraps=2)
    TaskRelatednessDisplay(found).plot(ax)
    assert texts(ax) == []
    with pytest.raises(ValueError, match=r"\['low'\] are missing"):
        TaskRelatednessDisplay(found.drop(columns="low", level=0))
    with pytest.raises(ValueError, match="returned; got DataFrame"):
        TaskRelatednessDisplay(found["gain"])


def test_words(ax: Any) -> None:
    table = pd.DataFrame(
        {
            "word": ["海", *(f"w{i}" for i in range(30))],
            "contribution": [-9, *range(30)],
        }
    )
    display = WordContributionDisplay(table, "poet").plot(ax, max_words=22)
    assert ticks(ax.yaxis)[:2] == ["w29", "w28"]
    assert drawable("海") in ticks(ax.yaxis)
    widths = [bar.get_width() for bar in display.bars_]
    assert widths[:2] == [29, 28]
    colours = {bar.get_facecolor() for bar in display.bars_ if bar.get_width() < 0}
    assert len(colours) == 1
    assert colours.isdisjoint({display.bars_[0].get_facecolor()})
    display.plot(ax.figure.add_axes((0.3, 0.3, 0.6, 0.6)), max_words=3)


@pytest.mark.parametrize(
    ("table", "text"),
    [
        ([1], "must be a table .* got list"),
        (pd.DataFrame({"word": ["a"]}), r"got \['word'\]"),
        (
            pd.DataFrame({"word": ["a", "b"], "contribution": [1, "x"]}),
            "row 1 does not",
        ),
        (pd.DataFrame({"word": [], "contribution": []}), "of one word at least$"),
    ],
)
def test_no_words(table: Any, text: str) -> None:
    with pytest.raises(SourceError, match=text):
        WordContributionDisplay(table)
    table = pd.DataFrame({"word": ["a"], "contribution": [1]})
    with pytest.raises(ValueError, match="max_words must be an integer"):
        WordContributionDisplay(table).plot(max_words=0)


def test_words_of_an_explanation(ax: Any) -> None:
    users = pd.DataFrame({"messages": USERS})
    model = make_tfidf_baseline().fit(users, pd.Series(["poet", "clerk"] * 4))
    found = explain(model, users[:1], levels=["word"])
    display = WordContributionDisplay.from_explanation(found, max_words=2, ax=ax)
    assert display.title == f"{found.task}: poet"
    words = found.table.set_index("item")["contribution"]
    assert len(words) == 3
    assert ticks(ax.yaxis) == words.abs().nlargest(2).index.tolist()
    assert sorted(display.contributions["contribution"]) == sorted(words)
    with pytest.raises(SourceError, match="needs 'word'"):
        WordContributionDisplay.from_explanation(
            explain(model, users[:1], levels=["message"])
        )


def test_texts_fit_and_can_be_drawn() -> None:
    assert drawable("a\n b\t c") == "a b c"
    assert drawable("x" * 30) == "x" * 24 + "…"
    assert len(drawable("字" * 30)) == 13
    assert drawable("\U0010fffd") == "□"  # of private use, which no font has
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        display = WordContributionDisplay(
            pd.DataFrame({"word": ["海\U0010fffd", "$"], "contribution": [1, 2]})
        ).plot()
        display.figure_.canvas.draw()
    plt.close()


def test_further_fonts_are_used_where_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    from sklearn_profiling.evaluation.displays import _canvas

    assert drawable("\uf6c5") in ("□", "\uf6c5")
    monkeypatch.setattr(_canvas, "_FURTHER_FONTS", ("DejaVu Sans", "STIXNonUnicode"))
    assert _canvas._families() == ("DejaVu Sans", "STIXNonUnicode")
    assert drawable("\ue000") == "\ue000"


def test_without_matplotlib(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(MissingDependencyError, match=r"Drawing needs.*\[plots\]"):
        TaskConfusionDisplay(np.eye(2), ["a", "b"], "t").plot()
