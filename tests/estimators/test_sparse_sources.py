"""Sparse matrices as sources of the classifiers that read several."""

from __future__ import annotations

import pickle

import joblib
import numpy as np
import pandas as pd
import pytest
import torch
from case_settings import HEADS, QUICK, TEXT
from cases import labels, raw_users
from contract import make, probabilities, same
from scipy import sparse
from sklearn.base import clone
from sklearn.linear_model import RidgeClassifier
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import Pipeline, make_pipeline
from skorch.helper import SliceDict

from sklearn_profiling.baselines import (
    MaskedMultiOutputClassifier,
    MetaLearningClassifier,
    OutOfFoldLogits,
)
from sklearn_profiling.containers import SocialGraph
from sklearn_profiling.estimators import CNN3DClassifier, MMLUPClassifier
from sklearn_profiling.evaluation import MultiTaskStratifiedKFold, TaskScorer
from sklearn_profiling.evaluation._fingerprints import fingerprint
from sklearn_profiling.exceptions import SourceError
from sklearn_profiling.sources import (
    AdjacencyRows,
    CharacterSegmenter,
    SourceUnion,
    TfidfVectors,
)

READERS = pytest.mark.parametrize(
    "name", ["MMLUPClassifier", "MultimodalCNN3DClassifier"]
)
FORMATS = ["csr", "csc", "coo", "lil", "dok", "bsr", "dia"]


def rows(n_users=40, n_columns=30, seed=0):
    """Rows with entries in every one but the fourth."""
    random = np.random.RandomState(seed)
    dense = random.rand(n_users, n_columns) * (random.rand(n_users, n_columns) < 0.2)
    dense[:, 0] = random.rand(n_users) + 0.1
    dense[3] = 0
    return sparse.csr_matrix(dense.astype(np.float32))


def users():
    """Sparse rows beside a dense source."""
    return SliceDict(words=rows(), network=np.random.RandomState(1).rand(40, 3))


@READERS
def test_every_reader_takes_them_beside_others_and_alone(name):
    X, y = users(), labels()
    model = make(name).fit(X, y)
    assert model._specs["words"].kind == "sparse"
    assert all(np.isfinite(p).all() for p in probabilities(model, X))
    alone = make(name, learning_rate=0.01, max_epochs=80).fit({"words": X["words"]}, y)
    known = y["gender"].notna().to_numpy()
    right = alone.predict({"words": X["words"]})[known, 0] == y["gender"][known]
    assert right.mean() > 0.9


@READERS
def test_the_table_learns_along(name):
    model = make(name).fit(users(), labels())
    before = make(name, learning_rate=1e-12).fit(users(), labels())
    table, first = (
        next(p for n, p in each.net_.module_.named_parameters() if n.endswith("table"))
        for each in (model, before)
    )
    moved = (table - first).detach().abs().sum(dim=1).numpy() > 0
    seen = np.bincount(rows()[known_rows()].indices, minlength=30) > 0
    assert (moved == seen).all()


def known_rows():
    return labels().notna().any(axis=1).to_numpy()


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("form", ["matrix", "array"])
def test_every_format_gives_the_same_bits(kind, form):
    X, y = rows(), labels()
    expected = make("MMLUPClassifier").fit({"words": X}, y).predict_proba({"words": X})
    other = getattr(sparse, f"{kind}_{form}")(X)
    before = joblib.hash(other)
    model = make("MMLUPClassifier").fit({"words": other}, y)
    assert same(model.predict_proba({"words": other}), expected)
    assert joblib.hash(other) == before


def test_a_plain_matrix_is_the_one_source():
    X, y = rows(), labels()
    model = make("MMLUPClassifier").fit(X, y)
    assert model.n_features_in_ == 30
    assert list(model._specs) == ["vectors"]
    expected = make("MMLUPClassifier").fit({"a": X}, y).predict_proba({"a": X})
    assert same(model.predict_proba(X.tocoo()), expected)
    assert same(model.predict_proba(X.toarray()), expected)
    with pytest.raises(ValueError, match="has 29 features, but MMLUPClassifier"):
        model.predict(X[:, 1:])


def test_a_row_without_entries_is_a_missing_source():
    X, y = users(), labels()
    model = make("MMLUPClassifier").fit(X, y)
    joined = model.net_.module_.sources
    with torch.no_grad():
        joined.missing[0].fill_(3.0)
    changed = probabilities(model, X)
    with torch.no_grad():
        joined.missing[0].zero_()
    differs = [
        (a != b).any(axis=1)
        for a, b in zip(changed, probabilities(model, X), strict=True)
    ]
    assert np.flatnonzero(np.any(differs, axis=0)).tolist() == [3]


def test_users_all_of_whom_lack_it():
    X = SliceDict(words=sparse.csr_array((40, 5)), network=users()["network"])
    model = make("MMLUPClassifier").fit(X, labels())
    other = SliceDict(words=rows(40, 5), network=X["network"])
    assert all(np.isfinite(p).all() for p in probabilities(model, other))


def test_pickles_clones_and_slices_predict_the_same():
    X, y = users(), labels()
    model = make("MMLUPClassifier").fit(X, y)
    expected = model.predict_proba(X)
    assert same(pickle.loads(pickle.dumps(model)).predict_proba(X), expected)
    assert same(clone(model).fit(X, y).predict_proba(X), expected)
    part = model.predict_proba(X[[5, 3]])
    for p, q in zip(part, expected, strict=True):
        np.testing.assert_allclose(p, q[[5, 3]], atol=1e-6)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_threads_change_no_bit(dtype):
    # enough entries in a batch for torch to share them out, and batches of one size:
    # dense layers of few users depend on the number of threads
    X, y = rows(200, 1500), labels()
    y = pd.concat([y[known_rows()]] * 10, ignore_index=True)[:200]
    found = []
    before = torch.get_num_threads()
    try:
        for n_threads in (1, 2):
            torch.set_num_threads(n_threads)
            model = make("MMLUPClassifier", dtype=dtype).fit({"words": X}, y)
            found.append(model.predict_proba({"words": X}))
    finally:
        torch.set_num_threads(before)
    assert same(*found)


def test_partial_fit_goes_on():
    X, y = users(), labels()
    model = make("MMLUPClassifier", learning_rate=0.01)
    losses = [model.partial_fit(X, y).history_[-1]["train_loss"] for _ in range(20)]
    assert losses[-1] < losses[0]


def test_a_weight_of_two_is_the_user_twice():
    X, y = rows(), labels()
    times = np.random.RandomState(2).randint(0, 3, 40)
    repeated = np.repeat(np.arange(40), times)
    settings = {
        "learning_rate_decay": False,
        "batch_size": 1000,
        "dropout": 0.0,
        "source_dropout": 0.0,
        "max_epochs": 3,
        "n_features_sparse": 4,
        "dtype": "float64",
    }
    one = make("MMLUPClassifier", **settings).fit(X, y, sample_weight=times)
    other = make("MMLUPClassifier", **settings).fit(X[repeated], y.iloc[repeated])
    for p, q in zip(one.predict_proba(X), other.predict_proba(X), strict=True):
        np.testing.assert_allclose(p, q, atol=1e-4)


# -- in scikit-learn's tools ---------------------------------------------------


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_grid_search_and_workers(n_jobs):
    X, y = users(), labels()
    folds = MultiTaskStratifiedKFold(2, random_state=0)
    search = GridSearchCV(
        make("MMLUPClassifier"),
        {"n_features_sparse": [2, 5]},
        cv=folds,
        n_jobs=n_jobs,
        scoring=TaskScorer("accuracy"),
        error_score="raise",
    ).fit(X, y)
    table = next(iter(search.best_estimator_.net_.module_.sources.encoders)).table
    assert table.shape == (30, search.best_params_["n_features_sparse"])


def test_systems_of_sparse_sources_are_cached(tmp_path):
    texts = [user and ["".join(words) for words in user] for user in raw_users()[0]]
    graph = SocialGraph.from_edges([(k, k + 1) for k in range(39)])
    table = pd.DataFrame({"messages": texts, "id": range(40)})
    tfidf = make_pipeline(CharacterSegmenter(), TfidfVectors())
    union = SourceUnion(
        [
            ("words", tfidf, "messages"),
            ("links", AdjacencyRows(graph, normalize="degree"), "id"),
        ]
    )
    steps = [("sources", union), ("classifier", make("MMLUPClassifier"))]
    system = Pipeline(steps, memory=str(tmp_path / "cache"))
    once, again = (
        clone(system).fit(table, labels()).predict_proba(table) for _ in range(2)
    )
    assert same(once, again)
    made = union.fit_transform(table)
    assert all(sparse.issparse(source) for source in made.values())
    scores = cross_val_score(
        system,
        table,
        labels(),
        cv=MultiTaskStratifiedKFold(2, random_state=0),
        error_score="raise",
    )
    assert np.isfinite(scores).all()


def test_hashes_depend_on_the_entries_alone():
    X, y = users(), labels()
    before = joblib.hash(X)
    made = joblib.hash(SliceDict(words=rows(), network=X["network"]))
    make("MMLUPClassifier").fit(X, y).predict(X)
    assert joblib.hash(X) == joblib.hash(X[np.arange(40)]) == made == before
    prints = {fingerprint(getattr(rows(), f"to{kind}")()) for kind in FORMATS}
    looked_at = rows()
    assert looked_at.has_canonical_format
    assert prints == {fingerprint(looked_at)}
    other = rows()
    other.data[0] += 1
    assert fingerprint(other) not in prints
    empty, turned = sparse.csr_array((3, 4)), sparse.csr_array((4, 3))
    assert fingerprint(empty) != fingerprint(turned)


def test_other_classifiers_of_sources():
    X, y = users(), labels()
    net = MMLUPClassifier(**HEADS, **TEXT, **QUICK)
    masked = MaskedMultiOutputClassifier(net, pass_missing=True).fit(X, y)
    assert masked.predict(X).shape == (40, 3)
    stacked = MetaLearningClassifier(
        net, final_estimator=net, cv=2, random_state=0
    ).fit(X, y)
    assert stacked.predict(X).shape == (40, 3)
    odds = OutOfFoldLogits(net, random_state=0)
    for words in (X["words"], X["words"].tocsc()):
        found = odds.fit_transform(SliceDict(words=words), y)
        assert np.flatnonzero(np.isnan(found).all(axis=1)).tolist() == [3]
    of_rows = OutOfFoldLogits(RidgeClassifier(), random_state=0)
    both = SliceDict(words=X["words"], odds=of_rows.fit_transform(X["words"], y))
    corrected = make("MMLUPClassifier", offset=["odds"]).fit(both, y)
    assert corrected.predict(both).shape == (40, 3)


# -- what is refused -----------------------------------------------------------


def spoilt(value):
    matrix = rows()
    matrix[7, 0] = value
    return matrix


@pytest.mark.parametrize(
    ("matrix", "message"),
    [
        (spoilt(np.nan), r"'words' must be finite; row 7 holds nan in column 0"),
        (spoilt(np.inf), r"'words' must be finite; row 7 holds inf in column 0"),
        (spoilt(-np.inf).tocsc(), r"row 7 holds -inf in column 0.*without entries"),
        (rows().astype(complex), "'words' must hold real numbers; its dtype is compl"),
        (sparse.coo_array(np.ones(40)), r"at least one feature; got \(40,\)"),
        (sparse.csr_matrix((40, 0)), r"at least one feature; got \(40, 0\)"),
        (rows(39), "must hold the same users; they hold {'words': 39, 'network': 40}"),
    ],
)
def test_matrices_that_are_refused(matrix, message):
    X = {"words": matrix, "network": users()["network"]}
    with pytest.raises(SourceError, match=message):
        make("MMLUPClassifier").fit(X, labels())


def test_a_matrix_that_is_not_that_of_fit():
    X, y = users(), labels()
    model = make("MMLUPClassifier").fit(X, y)
    sparse_then = "source 'words' was a sparse matrix with 30 features in fit; it is "
    for now, is_now in (
        (X["words"][:, :29], "a sparse matrix with 29 features"),
        (X["words"].toarray(), "vectors with 30 features"),
    ):
        with pytest.raises(SourceError, match=sparse_then + is_now):
            model.predict(SliceDict(words=now, network=X["network"]))


def test_classifiers_that_do_not_read_them():
    X, y = {"words": rows()}, labels()
    with pytest.raises(SourceError, match=r"CNN3DClassifier reads one .*'sparse'"):
        CNN3DClassifier().fit(X, y)
    with pytest.raises(TypeError, match="Sparse data was passed"):
        CNN3DClassifier().fit(rows(), y)
    odds = SliceDict(words=rows(), odds=sparse.csr_array(np.ones((40, 7))))
    with pytest.raises(SourceError, match="it is a sparse matrix with 7 features"):
        make("MMLUPClassifier", offset=["odds"]).fit(odds, y)

    class Own(MMLUPClassifier):
        """A net from before there were sparse sources."""

        def __init__(self, *, max_epochs=2):
            super().__init__(max_epochs=max_epochs)
            del self.n_features_sparse

    with pytest.raises(SourceError, match=r"Own reads no sparse .*'words'.*Truncated"):
        Own().fit(X, y)
