"""Scikit-learn's own checks: all of them for classifiers, those without data for all.

Text and network transformers read lists of messages and ids of users, which the suite
cannot make; what it asks without data they must answer all the same.
"""

from __future__ import annotations

import os
import subprocess
import sys
import warnings
from pathlib import Path

import pytest
from cases import CASES, CLASSIFIERS, SUITE, TRANSFORMERS, public_classes
from sklearn.exceptions import SkipTestWarning
from sklearn.utils import estimator_checks
from sklearn.utils.estimator_checks import estimator_checks_generator

WITHOUT_DATA = [
    "check_estimator_cloneable",
    "check_estimator_tags_renamed",
    "check_valid_tag_types",
    "check_estimator_repr",
    "check_no_attributes_set_in_init",
    "check_do_not_raise_errors_in_init_or_set_params",
    "check_mixin_order",
    "check_get_params_invariance",
    "check_set_params",
    "check_param_validation",
    "check_parameters_default_constructible",
]


def suite(name):
    with warnings.catch_warnings():
        # Would say that some checks are left out; the count below says it better.
        warnings.simplefilter("error", SkipTestWarning)
        return list(
            estimator_checks_generator(CASES[name].checked, mark=None, legacy=True)
        )


def label(check):
    function = getattr(check, "func", check)
    keywords = {
        key: value
        for key, value in getattr(check, "keywords", {}).items()
        if key != "name"
    }
    return "-".join([function.__name__, *map(str, keywords.values())])


# Folds of users cannot be the same where a user stands there twice or weighs two; so
# scikit-learn expects it of its CalibratedClassifierCV.
EXPECTED_FAILURES = {
    (name, f"check_sample_weight_equivalence_on_{kind}_data")
    for name in (
        "AbstainingClassifier",
        "PredictionSetClassifier",
        "TemperatureScaledClassifier",
    )
    for kind in ("dense", "sparse")
}


def test_the_table_holds_every_public_class():
    assert set(CASES) == public_classes()


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_the_suite_is_the_full_one(name):
    names = {label(check) for _, check in suite(name)}
    assert len(names) > 50
    assert {
        "check_classifiers_train",
        "check_classifier_multioutput",
        "check_sample_weight_equivalence_on_dense_data",
        "check_methods_sample_order_invariance",
        "check_fit_idempotent",
    } <= names
    if CASES[name].kind != "meta":
        assert "check_estimators_partial_fit_n_features" in names


@pytest.mark.parametrize(
    ("estimator", "check"),
    [
        pytest.param(
            estimator,
            check,
            id=f"{name}-{label(check)}",
            marks=[pytest.mark.xfail(strict=True)]
            if (name, label(check)) in EXPECTED_FAILURES
            else [],
        )
        for name in SUITE
        for estimator, check in suite(name)
    ],
)
def test_full_suite(estimator, check):
    check(estimator)


ARRAY_API = """
import inspect
from cases import CASES, CLASSIFIERS
from sklearn.utils.estimator_checks import check_array_api_input
options = {"array_namespace": "numpy", "expect_only_array_outputs": False}
known = inspect.signature(check_array_api_input).parameters
options = {name: value for name, value in options.items() if name in known}
for name in CLASSIFIERS:
    check_array_api_input(name, CASES[name].checked, **options)
"""


def test_the_check_that_needs_array_api_switched_on():
    # Scipy reads the switch when it is imported, so the check skips itself above.
    tests = Path(__file__).parent
    environment = {**os.environ, "SCIPY_ARRAY_API": "1"}
    subprocess.run(
        [sys.executable, "-c", ARRAY_API], cwd=tests, env=environment, check=True
    )


@pytest.mark.parametrize("check", WITHOUT_DATA)
@pytest.mark.parametrize("name", TRANSFORMERS)
def test_checks_without_data(name, check):
    case = CASES[name]
    if case.required and check == "check_parameters_default_constructible":
        with pytest.raises(TypeError, match="required positional argument"):
            type(case.make())()
        return
    if name == "SourceUnion" and check == "check_param_validation":
        pytest.skip("a composition; its own tests hold what it refuses")
    getattr(estimator_checks, check)(name, case.make())
