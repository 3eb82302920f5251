"""Whole systems, written here and read by another process."""

from __future__ import annotations

import pickle
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("transformers")

from case_settings import HEADS, QUICK, TEXT
from pretrained_folders import make_readers, save_language_model
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import VotingClassifier
from sklearn.feature_extraction.text import CountVectorizer, HashingVectorizer
from sklearn.feature_selection import SelectKBest, chi2
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, RidgeClassifier, SGDClassifier
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.naive_bayes import ComplementNB, GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler
from sklearn.svm import SVC, LinearSVC
from sklearn.tree import DecisionTreeClassifier

from sklearn_profiling.baselines import (
    make_link_baseline,
    make_majority_baseline,
    make_maxent_baseline,
    make_svm_baseline,
    make_tfidf_baseline,
)
from sklearn_profiling.datasets import make_user_profiles
from sklearn_profiling.estimators import MMLUPClassifier, ProfileGeneratorClassifier
from sklearn_profiling.exceptions import ProfilingError
from sklearn_profiling.persistence import load, save
from sklearn_profiling.pipelines import make_mmlup, make_profiler
from sklearn_profiling.sources import CharacterSegmenter, RegionKeywords

USERS = make_user_profiles(40, missing_labels=0.1, random_state=0)
READERS, PROFILES = make_readers()
FLAT = USERS.target.iloc[:, 0].fillna("f").to_numpy(dtype=object)
NUMBERS = np.random.default_rng(0).random((40, 3))
TABLE = pd.DataFrame({"n": NUMBERS[:, 0], "kind": FLAT}, index=range(40))


def net():
    return MMLUPClassifier(**HEADS, **TEXT, **QUICK)


def systems(folder):
    """Unfitted models with what they are fitted on."""
    language = save_language_model(folder / "T5", "T5", tied=True)
    mmlup = make_mmlup(USERS.graph, random_state=0, classifier=net())
    mmlup.set_params(sources__network__n_samples=100)
    generator = ProfileGeneratorClassifier(
        language_model=str(language), n_beams=1, **{**QUICK, "max_epochs": 1}
    )
    ours = {
        "MMLUP": mmlup,
        "profiler": make_profiler(USERS.graph, classifier=net(), random_state=0),
        "majority": make_majority_baseline(),
        "TF-IDF": make_tfidf_baseline(),
        "characters": make_tfidf_baseline(analyzer="char"),
        "links": make_link_baseline(USERS.graph),
        "SVM": make_svm_baseline(),
        "MaxEnt": make_maxent_baseline(),
    }
    table = ColumnTransformer(
        [("n", SimpleImputer(), ["n"]), ("kind", OneHotEncoder(), slice(1, 2))]
    )
    numbers = {
        "SVC": SVC(),
        "calibrated": CalibratedClassifierCV(LinearSVC(), cv=2),
        "isotonic": CalibratedClassifierCV(GaussianNB(), cv=2, method="isotonic"),
        "ridge": make_pipeline(StandardScaler(), RidgeClassifier()),
        "SGD": SGDClassifier(random_state=0),
        "nearest": KNeighborsClassifier(algorithm="brute"),
        "MLP": MLPClassifier(3, solver="lbfgs", random_state=0),
        "chosen": make_pipeline(SelectKBest(chi2, k=2), ComplementNB()),
        "searched": GridSearchCV(
            LogisticRegression(), {"C": [1, 2]}, scoring="accuracy", cv=KFold(2)
        ),
        "voting": VotingClassifier([("a", DummyClassifier()), ("b", GaussianNB())]),
    }
    words = make_union(CountVectorizer(), HashingVectorizer(n_features=8))
    texts = [" ".join(own or [""]) for own in USERS.data["messages"]]
    return {
        **{name: (model, USERS.data, USERS.target) for name, model in ours.items()},
        "generator": (generator, READERS, PROFILES),
        **{name: (model, NUMBERS, FLAT) for name, model in numbers.items()},
        "table": (make_pipeline(table, LogisticRegression()), TABLE, FLAT),
        "ordinal": (make_pipeline(OrdinalEncoder(), GaussianNB()), TABLE, FLAT),
        "words": (make_pipeline(words, LogisticRegression()), texts, FLAT),
    }


def answers(model, X):
    """All that a model says of users."""
    likely = model.predict_proba(X) if hasattr(model, "predict_proba") else []
    return [model.predict(X), *(likely if isinstance(likely, list) else [likely])]


READ = """
import pickle, sys, time
import sklearn_profiling.pipelines, sklearn_profiling.estimators, sklearn.calibration
import transformers.models.t5.modeling_t5
sys.path.insert(0, sys.argv[2])
from sklearn_profiling.persistence import load
users = pickle.load(open(sys.argv[1] + "/users", "rb"))
found = {}
for name, X in users.items():
    start = time.perf_counter()
    model = load(f"{sys.argv[1]}/{name}")
    assert time.perf_counter() - start < 2, name
    likely = model.predict_proba(X) if hasattr(model, "predict_proba") else []
    found[name] = [
        model.predict(X), *(likely if isinstance(likely, list) else [likely])
    ]
pickle.dump(found, open(sys.argv[1] + "/found", "wb"))
"""


@pytest.mark.filterwarnings("ignore:.*ConvergenceWarning", "ignore:lbfgs failed")
def test_another_process_predicts_bit_for_bit_the_same(tmp_path):
    expected, users = {}, {}
    for name, (model, X, y) in systems(tmp_path).items():
        model.fit(X, y)
        save(model, tmp_path / name)
        expected[name], users[name] = answers(model, X), X
    (tmp_path / "users").write_bytes(pickle.dumps(users))
    command = [sys.executable, "-W", "ignore", "-c", READ, str(tmp_path), "tests"]
    subprocess.run(command, check=True)
    found = pickle.loads((tmp_path / "found").read_bytes())
    for name, own in expected.items():
        for one, other in zip(found[name], own, strict=True):
            assert np.array_equal(np.asarray(one), np.asarray(other)), name


@pytest.mark.parametrize(
    ("model", "place"),
    [
        (DecisionTreeClassifier(), r"DecisionTreeClassifier\.tree_ holds sklearn"),
        (KNeighborsClassifier(), r"KNeighborsClassifier\._tree holds sklearn"),
    ],
    ids=["tree", "neighbours"],
)
def test_compiled_trees_are_refused(model, place, tmp_path):
    with pytest.raises(ProfilingError, match=rf"^{place}.*skops"):
        save(model.fit(NUMBERS, FLAT), tmp_path / "model")


def test_skops_reads_our_models_without_trust_in_other_classes(tmp_path):
    skops = pytest.importorskip("skops.io")
    models = {
        name: each
        for name, each in systems(tmp_path).items()
        if name in ("TF-IDF", "links", "SVM", "MaxEnt", "MMLUP")
    }
    keywords = make_pipeline(
        CharacterSegmenter(), RegionKeywords(cv=2, min_users=1, random_state=0)
    )
    models["keywords"] = (keywords, USERS.data["messages"], USERS.target)
    for name, (model, X, y) in models.items():
        file = skops.dumps(model.fit(X, y))
        foreign = skops.get_untrusted_types(data=file)
        assert all(each.startswith("sklearn_profiling.") for each in foreign), name
        again = skops.loads(file, trusted=foreign)
        if hasattr(model, "predict"):
            assert (again.predict(X) == model.predict(X)).all()
        else:
            one, other = again.transform(X), model.transform(X)
            assert np.array_equal(one, other, equal_nan=True)


@pytest.mark.parametrize("effort", ["fast", "balanced", "best"])
def test_the_default_of_every_effort_can_be_saved(effort, tmp_path):
    model = make_profiler(effort=effort, random_state=0)
    save(model, tmp_path / "model")
    assert repr(load(tmp_path / "model")) == repr(model)
