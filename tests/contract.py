"""What the contract tests share: which classifiers, how to ask and to compare."""

from __future__ import annotations

import numpy as np
import pytest
from cases import CASES, CLASSIFIERS, EXACT, NETS

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


def exact(name):
    """Parameters under which a net's fit follows from the users alone."""
    known = CASES[name].make().get_params()
    return {key: value for key, value in EXACT.items() if key in known}


def probabilities(model, X):
    found = model.predict_proba(X)
    return found if isinstance(found, list) else [found]


def nets_of(model):
    """All nets in a fitted classifier, of both stages where it has two."""
    parts = [
        *getattr(model, "estimators_", []),
        *getattr(model, "auxiliary_estimators_", {}).values(),
    ]
    return [net for part in parts for net in nets_of(part)] if parts else [model]


def same(one, other):
    return all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def assert_close(one, other, tolerance):
    for a, b in zip(one, other, strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=tolerance)
