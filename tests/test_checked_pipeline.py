"""What would fail after the work fails before it."""

from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn import config_context
from sklearn.base import clone
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline

from sklearn_profiling._checked_pipeline import CheckedPipeline, _count_users
from sklearn_profiling.baselines import (
    make_link_baseline,
    make_svm_baseline,
    make_tfidf_baseline,
)
from sklearn_profiling.containers import SocialGraph
from sklearn_profiling.datasets import make_user_profiles
from sklearn_profiling.evaluation import MultiTaskStratifiedKFold, TaskScorer
from sklearn_profiling.exceptions import (
    ProfilingError,
    TargetError,
)
from sklearn_profiling.pipelines import (
    make_aux_lstm,
    make_cnn3d,
    make_mmlup,
    make_profile_generator,
    make_profiler,
)
from sklearn_profiling.sources import SourceUnion

USERS = make_user_profiles(12, missing_labels=0.0, random_state=0)
GRAPH = SocialGraph.from_edges([("a", "b")])
UNHASHABLE = pd.DataFrame({"t": pd.Series([{}] * 12, dtype=object)})
CONTINUOUS = USERS.target.assign(age=np.arange(12) / 7)

MADE = {
    "mmlup": lambda: make_mmlup(USERS.graph, random_state=0),
    "profiler": lambda: make_profiler(USERS.graph, random_state=0),
    "best profiler": lambda: make_profiler(USERS.graph, effort="best"),
    "aux-lstm": lambda: make_aux_lstm(random_state=0),
    "images": make_cnn3d,
    "generator": make_profile_generator,
    "links": lambda: make_link_baseline(GRAPH),
    "svm": make_svm_baseline,
    "tf-idf": make_tfidf_baseline,
}


@pytest.fixture
def idle(monkeypatch):
    """Nothing may begin to fit."""

    def begin(*_, **__):
        pytest.fail("the work has begun")

    monkeypatch.setattr(SourceUnion, "fit_transform", begin)
    monkeypatch.setattr(Pipeline, "_fit", begin)


@pytest.mark.usefixtures("idle")
@pytest.mark.parametrize("name", MADE)
def test_labels_and_weights_are_looked_at_before_the_first_step(name):
    model, y = MADE[name](), USERS.target
    assert isinstance(model, CheckedPipeline)
    weight = f"{model.steps[-1][0]}__sample_weight"
    for labels, params, message in [
        (None, {}, "requires y to be passed"),
        (UNHASHABLE, {}, "must be hashable; task 't', row 0"),
        (CONTINUOUS, {}, "Unknown label type: continuous. Task 'age'"),
        (y.assign(age=None), {}, "task 'age' has no label"),
        (y[:5], {}, "inconsistent numbers of users: 12 and 5"),
        (y, {weight: [1.0] * 3}, r"sample_weight must have shape \(12,\)"),
        (y, {weight: [-1.0] * 12}, "sample_weight must be finite and not negative"),
        (y, {weight: [0.0] * 12}, "no user has both a label and a sample_weight"),
    ]:
        with pytest.raises(TargetError, match=message):
            model.fit(USERS.data, labels, **params)


@pytest.mark.usefixtures("idle")
@pytest.mark.parametrize(
    ("name", "params", "message"),
    [
        ("mmlup", {"classifier__max_epochs": 0}, "The 'max_epochs' parameter of MML"),
        ("mmlup", {"classifier__device": "abacus"}, "device='abacus' cannot be used"),
        ("mmlup", {"classifier__loss_weights": {"luck": 1}}, "loss_weights names .'lu"),
        ("mmlup", {"classifier__class_weight": {"luck": None}}, "class_weight names"),
        ("mmlup", {"sources__text__n_dimensions": 0}, "The 'n_dimensions' par"),
        ("aux-lstm", {"classifier__main_task": "luck"}, "main_task must be one of the"),
        ("profiler", {"classifier__estimator__batch_size": 0}, "The 'batch_size' par"),
        ("profiler", {"classifier__estimator__device": "abacus"}, "device='abacus'"),
        ("tf-idf", {"classifier__class_weight": {"luck": None}}, "class_weight names"),
    ],
)
def test_parameters_are_looked_at_before_the_first_step(name, params, message):
    model = MADE[name]().set_params(**params)
    with pytest.raises((ProfilingError, ValueError), match=message):
        model.fit(USERS.data, USERS.target)


@pytest.mark.filterwarnings("ignore:All labelled users with text are 'f'")
@pytest.mark.parametrize("name", ["tf-idf", "mmlup", "profiler"])
def test_a_task_of_one_class_is_learned_as_that_class_and_costs_no_other(name):
    model = MADE[name]()
    y = USERS.target.assign(gender=["f", None] * 6)
    model.fit(USERS.data, y)
    predicted = model.predict(USERS.data)
    assert set(predicted[:, list(y).index("gender")]) == {"f"}
    assert set(predicted[:, list(y).index("age")]) <= set(y["age"])


def test_it_is_a_pipeline_of_scikit_learn():
    model = make_tfidf_baseline()
    assert isinstance(model, Pipeline)
    again = pickle.loads(pickle.dumps(clone(model)))
    assert again.get_params().keys() == model.get_params().keys()
    assert "CheckedPipeline" in model._repr_html_()
    search = GridSearchCV(
        model,
        {"classifier__n_jobs": [None, 1]},
        scoring=TaskScorer(),
        cv=MultiTaskStratifiedKFold(2, random_state=0),
    )
    found = search.fit(USERS.data, USERS.target[["gender"]])
    assert 0 <= found.best_score_ <= 1


@pytest.mark.parametrize(
    ("X", "n_users"),
    [(["a", "b"], 2), (np.zeros((3, 1)), 3), (USERS.data, 12), ({"a": [1]}, None)],
)
def test_users_are_counted_where_a_container_has_rows(X, n_users):
    assert _count_users(X) == n_users


def test_weights_are_found_where_metadata_are_routed():
    with config_context(enable_metadata_routing=True):
        model = make_mmlup(None, random_state=0)
        model["classifier"].set_fit_request(sample_weight=True)
        with pytest.raises(TargetError, match="sample_weight must have shape"):
            model.fit(USERS.data, USERS.target, sample_weight=[1.0])


def test_a_last_step_that_is_no_classifier_learns_from_any_target():
    X, y = [[0.0], [1.0]], [0.5, 1.5]
    model = CheckedPipeline([("line", LinearRegression())]).fit(X, y)
    assert model.predict(X).tolist() == pytest.approx(y)
    assert CheckedPipeline([("nothing", "passthrough")]).fit(X).steps
