"""What the contract tests share: which classifiers, how to ask and to compare."""

from __future__ import annotations

import numpy as np
import pytest
from cases import CASES, CLASSIFIERS, NETS

every_classifier = pytest.mark.parametrize("name", CLASSIFIERS)
every_net = pytest.mark.parametrize("name", NETS)
TASKS = ["gender", "age", "region"]


def make(name, **params):
    """A case's classifier, with parameters of the net set wherever it is."""
    model = CASES[name].make()
    inner = {
        f"estimator__{key}" if CASES[name].kind == "meta" else key: value
        for key, value in params.items()
    }
    return model.set_params(**inner)


def probabilities(model, X):
    found = model.predict_proba(X)
    return found if isinstance(found, list) else [found]


def same(one, other):
    return all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def assert_close(one, other, tolerance):
    for a, b in zip(one, other, strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=tolerance)
