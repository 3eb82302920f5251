"""Two workers give what one process gives, and may die."""

from __future__ import annotations

import os
import time

import joblib
import numpy as np
import pandas as pd
import pytest
from cluster_models import Counted, Deadly, nested
from dask import dataframe as dd
from distributed import Client, LocalCluster
from sklearn.model_selection import GridSearchCV, cross_validate

from sklearn_profiling import dask as on_dask
from sklearn_profiling._cluster import n_threads
from sklearn_profiling.baselines import (
    MaskedMultiOutputClassifier,
    make_link_baseline,
)
from sklearn_profiling.datasets import make_user_profiles
from sklearn_profiling.evaluation import MultiTaskStratifiedKFold, compare
from sklearn_profiling.pipelines import make_text_cnn
from sklearn_profiling.sources import Word2VecTransformer

pytestmark = pytest.mark.timeout(300)
USERS = make_user_profiles(300, missing_labels=0.1, random_state=0)
CV = MultiTaskStratifiedKFold(2, random_state=0)


@pytest.fixture(scope="module")
def cluster():
    with (
        LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0"
        ) as cluster,
        Client(cluster) as client,
    ):
        yield client


@pytest.fixture
def client(cluster):
    """The cluster with both workers, though one has just died."""
    try:
        cluster.wait_for_workers(2, timeout=20)
    except TimeoutError:  # Dask does not always start another
        cluster.cluster.scale(len(cluster.cluster.worker_spec) + 1)
        cluster.wait_for_workers(2, timeout=120)
    return cluster


@pytest.fixture
def folders(tmp_path):
    """One in which two fits have begun, and one in which the second fit kills."""
    harmless, deadly = tmp_path / "harmless", tmp_path / "deadly"
    harmless.mkdir()
    deadly.mkdir()
    for number in range(3):
        (harmless / str(number)).touch()
    return harmless, deadly


def workers(client):
    return set(client.run(os.getpid).values())


def test_compare_is_that_of_one_process_though_a_worker_dies(client, folders, tmp_path):
    words = Word2VecTransformer(8, max_epochs=1, random_state=0)
    net = make_text_cnn(word_vectors=words, random_state=0)
    systems = {
        "links": make_link_baseline(USERS.graph),
        "words": net.set_params(classifier__max_epochs=1),
    }

    def scores(folder=None, **settings):
        last = {} if folder is None else {"dummy": MaskedMultiOutputClassifier(folder)}
        made = compare({**systems, **last}, *users, cv=CV, **settings).scores
        return made.drop(columns=["fit_seconds", "predict_seconds"])

    users = USERS.data, USERS.target
    serial = scores(Deadly(str(folders[0])))
    before = workers(client)
    stored = tmp_path / "results"
    with joblib.parallel_config("dask"):
        found = scores(Deadly(str(folders[1])), results_folder=stored)
    assert workers(client) != before
    assert serial["error"].isna().all()
    pd.testing.assert_frame_equal(found, serial, check_exact=True)
    # A later call goes on from what the cluster has stored.
    now = time.time_ns()
    again = scores(results_folder=stored)
    own = serial[serial["system"] != "dummy"]
    pd.testing.assert_frame_equal(again, own, check_exact=True)
    assert all(path.stat().st_mtime_ns < now for path in stored.glob("*.json"))
    assert len(list(stored.glob("*.json"))) == 6


def test_a_search_outlives_a_worker(client, folders):
    X = np.arange(400.0).reshape(200, 2)  # large enough to be sent by itself
    y = np.arange(200) % 3

    def search(folder):
        grid = {"strategy": ["prior", "most_frequent"]}
        return GridSearchCV(Deadly(str(folder)), grid, cv=3).fit(X, y)

    serial = search(folders[0])
    with on_dask.parallel_config():
        found = search(folders[1])
        scores = cross_validate(serial.best_estimator_, X, y, cv=3)["test_score"]
    assert (folders[1] / "2").exists()
    for name in ("mean_test_score", "std_test_score"):
        assert (found.cv_results_[name] == serial.cv_results_[name]).all()
    assert scores.shape == (3,)


def test_a_model_is_read_once_a_worker(client, tmp_path):
    table = pd.DataFrame({"posts": np.arange(40.0)})
    model = Counted(str(tmp_path)).fit(table, ["f", "m"] * 20)
    frame = dd.from_pandas(table, npartitions=8)
    found = on_dask.predict(model, frame).compute()
    assert (found["task0"] == model.predict(table)).all()
    notes = [path.read_text() for path in tmp_path.iterdir()]
    assert 1 <= len(notes) <= 2
    assert set(notes) == {"read\n"}


def test_threads_are_those_of_this_process(client):
    with joblib.parallel_config("dask"):
        assert joblib.effective_n_jobs(3) == 2
        assert n_threads(None) == 1
        assert n_threads(3) == 3
    assert n_threads(None) == 1


def test_a_worker_keeps_the_parts_of_its_task(client):
    with joblib.parallel_config("dask"):
        (answer,) = joblib.Parallel()([joblib.delayed(nested)()])
    assert answer == (True, 1, True)
