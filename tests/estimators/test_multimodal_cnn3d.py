"""MultimodalCNN3DClassifier: learns, tells its gates, shuts out noise."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from cases import HEADS, QUICK, TEXT, labels, pictures, sourced_users
from image_users import digit_users

from sklearn_profiling.containers import TokenMessages
from sklearn_profiling.estimators import MMLUPClassifier, MultimodalCNN3DClassifier
from sklearn_profiling.exceptions import SourceError

BARE = {"dropout": 0.0, "word_dropout": 0.0, "source_dropout": 0.0}


def small(**params):
    sizes = {"n_filters_image": 4, "n_gated": 8}
    return MultimodalCNN3DClassifier(**{**HEADS, **TEXT, **QUICK, **sizes, **params})


def users():
    X = sourced_users()
    return {**X, "images": pictures(X["network"])}


@pytest.mark.parametrize("variant", [1, 2])
def test_memorises_eight_users(variant):
    X = {name: source[np.arange(13, 21)] for name, source in users().items()}
    y = labels()[13:21]
    model = small(
        variant=variant,
        gate_fraction=0.0,
        max_epochs=80,
        learning_rate=0.01,
        **BARE,
    ).fit(X, y)
    assert model.score(X, y) == 1.0


def test_gates_can_be_read():
    X, y = users(), labels()
    model = small().fit(X, y)
    gates = model.source_gates(X)
    assert list(gates.columns) == ["text", "network", "images"]
    assert gates.shape == (40, 3)
    lacking = np.isnan(X["network"][:, 0])
    assert (gates["network"][lacking] == 0).all()
    assert gates["network"][~lacking].nunique() == 1
    assert gates.max().max() == 1  # the widest is open
    assert gates.max().min() < 1
    open_ = small(gate_fraction=0.0).fit(X, y).source_gates(X)
    assert open_["text"].max() == open_["network"].max() == 1
    some = small(sources=["text", "images"]).fit(X, y)
    assert list(some.source_gates(X).columns) == ["text", "images"]
    with pytest.raises(SourceError, match="parameter sources names"):
        small(sources=["captions"]).fit(X, y)


def test_gates_stay_as_they_were_found():
    X, y = users(), labels()
    model = small().fit(X, y)
    before = model.source_gates(X)
    model.partial_fit(X, y)
    assert model.source_gates(X).equals(before)
    loaded = pickle.loads(pickle.dumps(model))
    assert loaded.source_gates(X).equals(before)


def test_noise_is_shut_out_and_signal_let_through():
    X, y = digit_users(120, n_images=2)
    noise = np.random.RandomState(1).normal(size=(120, 30))
    words = np.array(["red", "blue"])[np.random.RandomState(2).randint(0, 2, 120)]
    text = TokenMessages.from_lists([[[word]] for word in words])
    sources = {"images": X, "noise": noise, "text": text}
    y = y.assign(colour=words)
    model = small(max_epochs=1, gate_epochs=25, learning_rate=0.005)
    gates = model.fit(sources, y).source_gates(sources).iloc[0]
    assert gates["noise"] < 0.1
    assert gates["images"] > 3 * gates["noise"]
    assert gates["text"] > 3 * gates["noise"]


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("gate_fraction", 1.0),
        ("gate_epochs", 0),
        ("n_gated", 0),
        ("variant", 0),
        ("n_filters_image", 0),
        ("n_images", 0),
        ("image_order", "sorted"),
        ("n_filters", 0),
    ],
)
def test_parameters_are_checked(parameter, value):
    with pytest.raises(ValueError, match=f"'{parameter}' parameter"):
        small(**{parameter: value}).fit(users(), labels())


def test_mmlup_reads_images_as_one_more_source():
    sizes = {"n_filters_image": (4, 4), "n_features_image": 8}
    X, y = digit_users(8)
    model = MMLUPClassifier(
        **{**HEADS, **TEXT, **QUICK, **sizes, **BARE},
    ).set_params(max_epochs=80, learning_rate=0.01)
    assert model.fit(X, y["most"]).score(X, y["most"]) == 1.0
    mixed = users()
    model.set_params(max_epochs=2).fit(mixed, labels())
    assert model.predict(mixed).shape == (40, 3)
    encoder = model.net_.module_.sources.encoder("images")
    assert encoder.n_features == 8
    assert len(encoder.encoder.convolutions) == 2
