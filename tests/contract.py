"""Shared by the contract tests: which classifiers, how to ask and to compare."""

from __future__ import annotations

import numpy as np
import pytest
from case_settings import EXACT
from cases import CASES, CLASSIFIERS, NETS, join, pictures, sourced_users
from skorch.helper import SliceDict

every_classifier = pytest.mark.parametrize("name", CLASSIFIERS)
every_net = pytest.mark.parametrize("name", NETS)
every_reader_of_images = pytest.mark.parametrize(
    "name", [name for name in NETS if CASES[name].kind in {"image net", "mixed net"}]
)
every_reader_of_text = pytest.mark.parametrize(
    "name", [name for name in CLASSIFIERS if CASES[name].kind != "image net"]
)
TASKS = ["gender", "age", "region"]


def make(name, **params):
    """A case's classifier, with parameters of the net set wherever it is."""
    model = CASES[name].make()
    inner = {
        f"estimator__{key}" if CASES[name].kind == "meta" else key: value
        for key, value in params.items()
    }
    return model.set_params(**inner)


def users_of(name):
    """Users with gaps, and the sources that a classifier reads."""
    return _readable(name, sourced_users())


def joined(name, texts, network):
    """Messages and vectors as the sources that a classifier reads."""
    return _readable(name, join(texts, network))


def _readable(name, X):
    images = pictures(X["network"])
    if CASES[name].kind == "image net":
        return SliceDict(images=images)
    if CASES[name].kind == "mixed net":
        return SliceDict(images=images, **X)
    return X


def exact(name):
    """Parameters under which a net's fit follows from the users alone."""
    known = CASES[name].make().get_params()
    # Users held out and what is masked are drawn at random too.
    settings = {
        **EXACT,
        "bag_dropout": 0.0,
        "gate_fraction": 0.0,
        "mask_image": 0.0,
        "mask_profile": 0.0,
    }
    return {key: value for key, value in settings.items() if key in known}


def probabilities(model, X):
    found = model.predict_proba(X)
    return found if isinstance(found, list) else [found]


def nets_of(model):
    """All nets in a fitted classifier, of both stages where it has two."""
    parts = [
        *getattr(model, "estimators_", []),
        *([model.estimator_] if hasattr(model, "estimator_") else []),
        *getattr(model, "auxiliary_estimators_", {}).values(),
    ]
    return [net for part in parts for net in nets_of(part)] if parts else [model]


def same(one, other):
    return all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def assert_close(one, other, tolerance):
    for a, b in zip(one, other, strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=tolerance)
