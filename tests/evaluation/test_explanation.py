"""Explanations find what decides, by every system, and say what they leave out."""

from __future__ import annotations

import base64
import io
import re
import time
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline

from sklearn_profiling.baselines import (
    make_link_baseline,
    make_majority_baseline,
    make_maxent_baseline,
    make_svm_baseline,
    make_tfidf_baseline,
)
from sklearn_profiling.containers import SocialGraph
from sklearn_profiling.datasets import make_image_users
from sklearn_profiling.estimators import (
    AuxLSTMClassifier,
    ImageSetClassifier,
    MMLUPClassifier,
    TextCNNClassifier,
)
from sklearn_profiling.evaluation import explain, faithfulness
from sklearn_profiling.evaluation.explanation import _links
from sklearn_profiling.exceptions import SourceError, TargetError
from sklearn_profiling.pipelines import (
    make_aux_lstm,
    make_mmlup,
    make_profiler,
    make_text_cnn,
)
from sklearn_profiling.sources import (
    AdjacencyRows,
    ImageBagTransformer,
    LINEEmbedding,
    SourceUnion,
    Word2VecTransformer,
    WordSegmenter,
)

NOISE = ["sun", "rain", "walk", "bread", "street", "window", "green", "cloud"]
SIGNS = {"f": ["tea", "novel"], "m": ["ale", "tools"]}


def _users(n_users: int, seed: int = 0) -> tuple[pd.DataFrame, Any, list[int]]:
    """Users with four messages, of which one tells their class, and links to hubs."""
    rng = np.random.default_rng(seed)
    labels = np.array(["f", "m"])[rng.integers(2, size=n_users)]
    rows, places = [], []
    for label in labels:
        texts = [" ".join(rng.choice(NOISE, 4)) for _ in range(4)]
        place = int(rng.integers(4))
        texts[place] += " " + rng.choice(SIGNS[label])
        rows.append(texts)
        places.append(place)
    ids = [f"user{n}" for n in range(n_users)]
    return pd.DataFrame({"user_id": ids, "messages": rows}), labels, places


X, LABELS, PLACES = _users(120)
Y = pd.DataFrame({"side": LABELS, "coin": np.resize(["h", "t"], 120)})
GRAPH = SocialGraph.from_edges(
    [(name, f"hub{n % 3}") for n, name in enumerate(X["user_id"])]
)


def _mmlup() -> Any:
    classifier = MMLUPClassifier(
        n_filters=4,
        kernel_sizes=(1,),
        n_shared=8,
        n_hidden=(8,),
        max_epochs=12,
        batch_size=10,
        random_state=0,
    )
    vectors = Word2VecTransformer(8, min_count=1, max_epochs=1, random_state=0)
    line = LINEEmbedding(GRAPH, 4, unknown="nan", n_samples=2000, random_state=0)
    return make_mmlup(
        GRAPH,
        segmenter=WordSegmenter(),
        word_vectors=vectors,
        network=line,
        topics="drop",
        classifier=classifier,
        random_state=0,
    )


def _aux_lstm() -> Any:
    classifier = AuxLSTMClassifier(
        main_task="side",
        n_hidden=8,
        dropout=0.1,
        word_dropout=0.0,
        source_dropout=0.0,
        max_epochs=20,
        batch_size=10,
        learning_rate=0.05,
        random_state=0,
    )
    vectors = Word2VecTransformer(8, min_count=1, max_epochs=1, random_state=0)
    return make_aux_lstm(word_vectors=vectors, classifier=classifier)


def _aux_lstm_beside_experts() -> Any:
    vectors = Word2VecTransformer(8, min_count=1, max_epochs=1, random_state=0)
    return make_aux_lstm("side", word_vectors=vectors, random_state=0)


SYSTEMS = {
    "tfidf": make_tfidf_baseline,
    "svm": lambda: make_svm_baseline(random_state=0),
    "maxent": lambda: make_maxent_baseline(stylometric="drop", random_state=0),
    "profiler": lambda: make_profiler(GRAPH, random_state=0),
    "mmlup": _mmlup,
    "aux_lstm": _aux_lstm,
    "aux_lstm, experts": _aux_lstm_beside_experts,
}


@pytest.fixture(scope="module")
def fitted() -> dict[str, Any]:
    """Systems by name, each fitted when it is first asked for."""

    class Fitted(dict):
        def __missing__(self, name: str) -> Any:
            self[name] = SYSTEMS[name]().fit(X[:90], Y[:90])
            return self[name]

    return Fitted()


@pytest.mark.parametrize("name", list(SYSTEMS))
def test_message_that_decides_is_ranked_first(fitted, name):
    model = fitted[name]
    found, hits = [], []
    for row in range(90, 120):
        each = explain(model, X[row : row + 1], task="side", levels=["message"])
        if each.predicted != LABELS[row]:
            continue
        found.append(each)
        hits.append(each.top("message", 1)["item"].item() == PLACES[row])
    assert len(hits) >= 25
    assert np.mean(hits) >= 0.9
    table = faithfulness(model, found, random_state=0)
    assert table["faithfulness"].mean() > 0
    assert (table["n_deleted"] == 1).all()


def test_picture_that_decides_is_ranked_first():
    users = make_image_users(160, image_noise=0.0, random_state=0)
    bags = SourceUnion([("bags", ImageBagTransformer(size=(8, 8)), "images")])
    net = ImageSetClassifier(max_epochs=15, batch_size=20, random_state=0)
    model = Pipeline([("bags", bags), ("classifier", net)])
    model.fit(users.data[:130], users.target[:130])
    found, hits = [], []
    for row in range(130, 160):
        each = explain(model, users.data[row : row + 1], task="zero", levels=["image"])
        if each.predicted == users.target["zero"][row] == "yes":
            found.append(each)
            hits.append(users.digits[row][each.table["item"].iloc[0]] == 0)
    assert len(hits) >= 8
    assert np.mean(hits) >= 0.9
    assert faithfulness(model, found, level="image").faithfulness.mean() > 0
    page = found[0].to_html()
    data = re.search(r'src="data:image/png;base64,([^"]+)"', page).group(1)
    image = pytest.importorskip("PIL.Image").open(io.BytesIO(base64.b64decode(data)))
    shown = [list(found[0].user["images"][0])[n] for n in found[0].table["item"]]
    assert any(np.array_equal(np.asarray(image), pixels) for pixels in shown)


def test_every_level_of_mmlup_in_a_second(fitted):
    model = fitted["mmlup"]
    explain(model, X[:1], task="side")
    start = time.process_time()
    found = explain(model, X[90:91], task="side")
    assert time.process_time() - start < 1
    assert set(found.table["level"]) == {
        *("source", "column", "message", "word", "neighbour")
    }
    attention = found.table["attention"].dropna()
    assert len(attention) == 4
    assert attention.sum() == pytest.approx(1, abs=1e-5)
    word = found.top("word", 1)["item"].item()
    assert word in SIGNS[found.label]
    assert set(found.gradients_["word"]) >= {word}
    assert found.weights_ is None
    assert found.table.query("level == 'neighbour'")["text"].tolist() == ["hub0"]
    assert "hub0" in str(found)


def test_gradients_add_up_to_the_change_of_the_logit():
    """Completeness: the sum over words is the logit less that of zero vectors."""
    net = TextCNNClassifier(
        n_filters=4, kernel_sizes=(1,), max_epochs=2, random_state=0
    )
    vectors = Word2VecTransformer(8, min_count=1, max_epochs=1, random_state=0)
    model = make_text_cnn(word_vectors=vectors, classifier=net)
    model = model.fit(X[:60], LABELS[:60])
    found = explain(model, X[60:61], levels=["column"])
    module = model[-1].net_.module_
    tables = [part for part in module.modules() if hasattr(part, "gap_id")]
    assert len(tables) == 1
    logs = model.predict_log_proba(X[60:61])[0]
    handle = tables[0].register_forward_hook(lambda *given: given[2] * 0)
    base = model.predict_log_proba(X[60:61])[0]
    handle.remove()
    place = model.classes_.tolist().index(found.label)
    change = (logs - base)[place] - (logs - base)[1 - place]
    assert found.gradients_["contribution"].sum() == pytest.approx(change, rel=0.05)


def test_weights_of_linear_models_and_experts(fitted):
    for name, source in (
        ("tfidf", "tfidf"),
        ("profiler", "messages_tfidf_odds"),
        ("aux_lstm, experts", "tfidf_odds"),
    ):
        found = explain(fitted[name], X[90:91], task="side", levels=["column"])
        weights = found.weights_[found.weights_["source"] == source]
        words = weights[weights["feature"].isin([*SIGNS["f"], *SIGNS["m"]])]
        assert set(words["feature"]) <= set(SIGNS[found.label])
        assert (words["contribution"] > 0).all()
        np.testing.assert_allclose(
            weights["value"] * weights["weight"], weights["contribution"]
        )
    assert any("PropagatedLabels keeps" in note for note in _all(fitted).notes_)


def test_net_and_experts_are_explained_side_by_side(fitted):
    found = explain(fitted["aux_lstm, experts"], X[90:91], task="side")
    assert set(found.weights_["source"]) == {"tfidf_odds", "counts_odds"}
    words = {word for text in X["messages"][90] for word in text.split()}
    assert set(found.gradients_["word"]) == words
    sources = found.table[found.table["level"] == "source"]
    assert set(sources["item"]) == {"text", "tfidf_odds", "counts_odds"}
    best = found.top("word", 1)["item"].item()
    assert best in SIGNS[found.label]


def _all(fitted: Any) -> Any:
    return explain(fitted["profiler"], X[90:91], task="side")


@pytest.mark.parametrize("normalize", [None, "degree", "l2", "symmetric"])
def test_rows_without_a_link_are_those_of_the_network_without_it(normalize):
    edges = [("a", "b"), ("a", "c"), ("b", "c"), ("c", "d")]
    ids = ["a", "b", "c", "d"]
    graph = SocialGraph.from_edges(edges, ids=ids)
    part = AdjacencyRows(graph, normalize=normalize).fit(ids)
    rows = _links._rows_without(part, graph, 0, np.array([1, 2])).toarray()
    for row, gone in zip(rows, [("a", "b"), ("a", "c"), None], strict=True):
        left = SocialGraph.from_edges([e for e in edges if e != gone], ids=ids)
        expected = AdjacencyRows(left, normalize=normalize).fit(ids).transform(["a"])
        np.testing.assert_allclose(row, expected.toarray()[0], rtol=1e-6)
    only = SocialGraph.from_edges([("a", "b")], ids=ids)
    part = AdjacencyRows(only, normalize=normalize).fit(ids)
    assert not _links._rows_without(part, only, 0, np.array([1])).toarray()[0].any()


def test_neighbours_of_a_link_baseline_and_what_is_left_out():
    links = [(n, "tea" if int(n) % 2 else "ale") for n in map(str, range(20))]
    links += [("0", "other"), ("1", "other")]
    users = pd.DataFrame({"user_id": [str(n) for n in range(20)]})
    model = make_link_baseline(SocialGraph.from_edges(links))
    model.fit(users, ["m", "f"] * 10)
    found = explain(model, users[:1])
    assert found.top("neighbour", 1)["item"].item() == "ale"
    assert explain(model, users[:1], max_items=1).left_out_ == {"neighbour": 1}
    again = explain(model, users[:1])
    pd.testing.assert_frame_equal(found.table, again.table)
    stranger = explain(model, {"user_id": "stranger"})
    assert "neighbour" not in set(stranger.table["level"])
    numbered = SocialGraph.from_edges([(1, 5), (2, 6)])
    assert _links._new_ids(numbered, 2) == [7, 8]


class OfWords(ClassifierMixin, BaseEstimator):
    """Log-odds are the sum of weights of the words of all messages."""

    classes_ = np.array(["no", "yes"])

    def fit(self, X: Any, y: Any) -> Any:
        return self

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def predict_proba(self, X: pd.DataFrame) -> Any:
        odds = []
        for cell in X["messages"]:
            text = " ".join(
                [cell] if isinstance(cell, str) else filter(None, cell or [])
            )
            odds.append(2.0 * text.count("yes") - text.count("no"))
        likely = 1 / (1 + np.exp(-np.array(odds)))
        return np.column_stack([1 - likely, likely])


def test_contributions_of_a_model_computed_by_hand():
    user = {"messages": ["yes of course", "no", None, "sure, yes"], "age": 3.0}
    found = explain(OfWords(), user)
    assert (found.task, found.label, found.predicted) == ("label", "yes", "yes")
    assert found.log_odds == pytest.approx(3)
    table = found.table.set_index(["level", "item"])["contribution"]
    assert table["column"].to_dict() == pytest.approx({"messages": 3, "age": 0})
    assert table["message"].to_dict() == pytest.approx({0: 2, 3: 2, 1: -1})
    assert table["word"]["yes"] == pytest.approx(4)
    assert table["word"]["no"] == pytest.approx(-1)
    assert found.top("message", 2)["text"].tolist() == ["yes of course", "sure, yes"]
    against = explain(OfWords(), user, label="no", levels=["message"])
    assert against.table["contribution"].tolist() == pytest.approx([1, -2, -2])
    assert "predicted: yes" in against.to_string(1)
    assert "(1 more)" in against.to_string(1)
    assert "; yes is predicted" in against.to_html()
    one = explain(OfWords(), pd.Series({"messages": "yes and yes and no"}))
    assert one.top("message")["contribution"].tolist() == pytest.approx([3])
    words = faithfulness(OfWords(), [found], level="word", random_state=0)
    assert words["top"].item() >= 4


def test_many_messages_are_left_out_in_groups_first():
    texts = [f"word{n}" for n in range(50)]
    texts[37] += " yes"
    found = explain(OfWords(), {"messages": texts}, max_items=10)
    assert found.top("message", 1)["item"].item() == 37
    assert found.left_out_["word"] == 51 - (found.table["level"] == "word").sum()
    assert found.top("word", 1)["item"].item() == "yes"
    n_left_out = found.left_out_["message"]
    assert f"{n_left_out} more" in found.to_html()
    assert (found.table["level"] == "message").sum() == 50 - n_left_out <= 10


def test_text_of_the_user_is_escaped():
    evil = "<script>alert(1)</script> yes \x1b[31m \ud800 " + "\U0001f600" * 10_000
    user = {"messages": [evil, "no"], "<b>": "<i>"}
    found = explain(OfWords(), user)
    page = found._repr_html_()
    assert "<script" not in page
    assert "<b>" not in page
    assert "<i>" not in page
    assert "&lt;script&gt;" in re.sub(r"</?mark[^>]*>", "", page)
    assert '<mark title="+2.00"' in page
    page.encode("utf-8")
    assert len(page) < 10_000
    assert "\x1b" not in repr(found)


def test_columns_of_any_kind_are_left_out():
    table = pd.DataFrame(
        {
            "messages": [["yes"]],
            "born": pd.to_datetime(["2001-01-01"]),
            "n_fans": [3],
            "photos": [["a.png", {"path": "b.png"}]],
            "nothing": [None],
            "numbers": [[1.0, 2.0]],
        }
    )
    found = explain(OfWords(), table)
    columns = found.table[found.table["level"] == "column"]
    assert set(columns["item"]) == {"messages", "born", "n_fans", "photos", "numbers"}
    images = found.table[found.table["level"] == "image"]
    assert images["text"].tolist() == ["a.png", "b.png"]
    assert "a.png" in found.to_html()


def test_sets_and_arrays_without_names():
    labels = pd.DataFrame({"likes": [frozenset("a"), frozenset("b")] * 20})
    model = make_tfidf_baseline().fit(X[:40], labels)
    found = explain(model, X[:1], label="b", levels=["column"])
    assert found.log_odds == pytest.approx(0, abs=3)
    plain = LogisticRegression().fit(pd.DataFrame({"n": [0.0, 1.0] * 5}), [0, 1] * 5)
    shown = explain(plain, {"n": 1.0}, levels=["message"])
    assert shown.table.empty
    assert shown.to_html().count("<li") == 0


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ({"X_user": X[:2]}, SourceError, "one user: .* DataFrame of shape"),
        ({"X_user": 3}, SourceError, "got int"),
        (
            {"X_user": pd.DataFrame([[1, 2]], columns=["a", "a"])},
            SourceError,
            "one name",
        ),
        ({"task": None}, TargetError, "one of .'side', 'coin'.; got None"),
        ({"task": "side", "label": "x"}, TargetError, "label must be one of"),
        ({"levels": ["sound"]}, ValueError, "levels must be a list of some of"),
        ({"levels": "word"}, ValueError, "levels must be a list of some of"),
        ({"max_items": 0}, ValueError, "max_items must be a whole number from 1 up"),
        ({"pipeline": WordSegmenter()}, SourceError, "does not predict probabilities"),
    ],
)
def test_bad_input_is_named(fitted, given, error, message):
    usual = {"pipeline": fitted["tfidf"], "X_user": X[:1], "task": "side"}
    with pytest.raises(error, match=message):
        explain(**{**usual, **given})


def test_bad_faithfulness_is_named(fitted):
    found = explain(OfWords(), {"messages": ["yes"]})
    with pytest.raises(ValueError, match="level must be one of"):
        faithfulness(OfWords(), [found], level="column")
    with pytest.raises(ValueError, match="share must be above 0"):
        faithfulness(OfWords(), [found], share=1.0)
    with pytest.raises(ValueError, match="no explanation has two or more"):
        faithfulness(OfWords(), [found])
    with pytest.raises(ValueError, match="level must be one of"):
        found.top("sound")


def test_majority_has_nothing_to_say():
    model = make_majority_baseline().fit(X[:9], LABELS[:9])
    found = explain(model, X[:1], levels=["message"])
    assert (found.table["contribution"] == 0).all()
