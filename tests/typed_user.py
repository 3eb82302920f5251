"""A user's typed script, which mypy checks: nothing that it asserts is Any."""

from __future__ import annotations

from typing import Any, assert_type

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sklearn_profiling import baselines, datasets, evaluation, pipelines
from sklearn_profiling.containers import SocialGraph
from sklearn_profiling.estimators import MMLUPClassifier

Floats = NDArray[np.floating[Any]]


def loaded(folder: str) -> None:
    users = datasets.load_pan(folder)
    assert_type(users.data, pd.DataFrame)
    assert_type(users.target, pd.DataFrame)
    assert_type(users.graph, SocialGraph | None)
    assert_type(users.target_names, dict[str, list[Any]])
    assert_type(users.DESCR, str)
    assert_type(users.report, dict[str, Any])
    assert_type(datasets.load_mex_a3t(folder).data, pd.DataFrame)
    assert_type(datasets.load_records(folder, tasks=["gender"]).data, pd.DataFrame)
    assert_type(datasets.load_smpcup2016(folder).data, pd.DataFrame)
    assert_type(datasets.load_yelp(folder).data, pd.DataFrame)
    parts = datasets.split_yelp(datasets.make_reviewers(9), sizes=(3, 3, 3))
    assert_type(parts.train.data, pd.DataFrame)
    assert_type(parts.rows["test"], NDArray[np.intp])


def generated() -> None:
    users = datasets.make_user_profiles(60, random_state=0)
    assert_type(users.complete_target, pd.DataFrame)
    assert_type(users.bayes_accuracy, dict[str, float])
    assert_type(datasets.make_image_users(9).bayes_proba["coin"], NDArray[np.float64])


def predicted(users: pd.DataFrame, labels: pd.DataFrame) -> list[Floats]:
    for made in (
        pipelines.make_mmlup(None),
        pipelines.make_text_cnn(),
        pipelines.make_aux_lstm(),
        pipelines.make_profiler(),
        baselines.make_tfidf_baseline(),
        baselines.make_svm_baseline(),
    ):
        assert_type(made.predict_proba(users), Floats | list[Floats])
        assert_type(made.score(users, labels), float)
    model = pipelines.make_mmlup(None, random_state=0).set_params(memory=None)
    model = model.fit(users, labels)
    assert_type(model.steps, list[tuple[str, Any]])
    net = MMLUPClassifier().fit(users, labels)
    assert_type(net.predict_proba(users), Floats | list[Floats])
    found = evaluation.cross_val_predict_proba(model, users, labels)
    assert_type(found.probabilities, list[NDArray[np.float64]])
    assert_type(found.task_names, list[str])
    probabilities = model.predict_proba(users)
    return probabilities if isinstance(probabilities, list) else [probabilities]
