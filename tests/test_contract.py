"""What every classifier keeps: tasks, gaps in labels and sources, seeds, pickles."""

from __future__ import annotations

import pickle
import random
from multiprocessing.pool import ThreadPool

import joblib
import numpy as np
import pandas as pd
import pytest
import torch
from cases import (
    CASES,
    CLASSIFIERS,
    EXACT,
    NETS,
    VOCABULARY,
    join,
    labels,
    raw_users,
    sourced_users,
)
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from skorch.helper import SliceDict

from sklearn_profiling.containers import TokenMessages, Vocabulary
from sklearn_profiling.evaluation import MultiTaskStratifiedKFold, TaskScorer
from sklearn_profiling.exceptions import (
    SourceError,
    TargetError,
    VocabularyMismatchError,
)
from sklearn_profiling.sources import CharacterSegmenter, SourceUnion

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


# -- tasks and labels ----------------------------------------------------------


@every_classifier
def test_several_tasks_of_strings_with_gaps(name):
    X, y = sourced_users(), labels()
    model = make(name).fit(X, y)
    assert model.task_names_ == TASKS
    assert [c.tolist() for c in model.classes_] == [
        ["f", "m"],
        ["70s", "80s", "90s"],
        ["north", "south"],
    ]
    predicted = model.predict(X)
    assert predicted.shape == (40, 3)
    for task, classes in enumerate(model.classes_):
        assert set(predicted[:, task]) <= set(classes)
    for p, classes in zip(model.predict_proba(X), model.classes_, strict=True):
        assert p.shape == (40, len(classes))
        np.testing.assert_allclose(p.sum(axis=1), 1, atol=1e-5)
    for task, p in enumerate(model.predict_proba(X)):
        assert (model.classes_[task][p.argmax(axis=1)] == predicted[:, task]).all()


@every_classifier
def test_none_nan_and_na_are_the_same_gap(name):
    X, y = sourced_users(), labels()
    expected = make(name, loss_weights=None).fit(X, y).predict_proba(X)
    for gap in (np.nan, pd.NA):
        other = y.where(y.notna(), gap)
        assert same(
            make(name, loss_weights=None).fit(X, other).predict_proba(X), expected
        )
    array = y.to_numpy(dtype=object)
    assert same(make(name, loss_weights=None).fit(X, array).predict_proba(X), expected)


@every_classifier
def test_score_is_the_mean_accuracy_of_labelled_users(name):
    X, y = sourced_users(), labels()
    model = make(name).fit(X, y)
    predicted = model.predict(X)
    accuracies = [
        (predicted[known, task] == y.loc[known, column]).mean()
        for task, column in enumerate(TASKS)
        for known in [y[column].notna().to_numpy()]
    ]
    assert model.score(X, y) == pytest.approx(np.mean(accuracies))
    weight = np.arange(40.0)
    assert model.score(X, y, weight) != pytest.approx(model.score(X, y))


@every_classifier
def test_one_dimensional_labels_give_one_dimensional_predictions(name):
    X, y = sourced_users(), labels()["age"]
    model = make(name).fit(X, y)
    assert model.predict(X).shape == (40,)
    assert model.predict_proba(X).shape == (40, 3)
    assert model.classes_.tolist() == ["70s", "80s", "90s"]
    assert model.task_names_ == ["age"]
    assert 0 <= model.score(X, y) <= 1


@every_classifier
def test_labels_of_other_kinds_come_back_as_they_were(name):
    X, y = sourced_users(), labels()
    y["gender"] = y["gender"].map({"f": True, "m": False}).astype(object)
    y["age"] = y["age"].map({"70s": 1970, "80s": 1980, "90s": 1990}).astype(object)
    y = y.where(y.notna(), None)
    predicted = make(name).fit(X, y).predict(X)
    assert {type(label) for label in predicted[:, 0]} <= {bool}
    assert set(predicted[:, 1]) <= {1970, 1980, 1990}


@every_classifier
def test_a_cell_may_hold_a_set(name):
    X, y = sourced_users(), labels()
    y["likes"] = [[{"tea"}, {"tea", "wine"}, None, {"wine"}][i % 4] for i in range(40)]
    model = make(name).fit(X, y)
    predicted = model.predict(X)
    assert model.classes_[3].tolist() == ["tea", "wine"]
    assert all(isinstance(p, frozenset) and p for p in predicted[:, 3])
    assert 0 <= model.score(X, y) <= 1


@every_classifier
def test_users_without_any_label_are_left_out(name):
    X, y = sourced_users(), labels()
    y.iloc[[4, 7, 20]] = None
    rows = np.flatnonzero(y.notna().any(axis=1))
    with_all = make(name).fit(X, y)
    without = make(name).fit(X[rows], y.iloc[rows])
    assert same(with_all.predict_proba(X), without.predict_proba(X))


@every_classifier
def test_a_task_without_any_label_is_named(name):
    X, y = sourced_users(), labels()
    y["age"] = None
    with pytest.raises(TargetError, match="'age'"):
        make(name).fit(X, y)
    with pytest.raises(ValueError, match=r"requires y to be passed"):
        make(name).fit(X, None)
    with pytest.raises(ValueError, match="inconsistent numbers"):
        make(name).fit(X, labels(39))


# -- missing sources -----------------------------------------------------------


@every_classifier
def test_any_user_may_lack_any_source(name):
    texts, network = raw_users()
    X = join(texts, network)
    model = make(name).fit(sourced_users(), labels())
    before = probabilities(model, X)
    for gaps in (("text",), ("network",), ("text", "network")):
        fewer, holes = list(texts), network.copy()
        if "text" in gaps:
            fewer[7] = None
        if "network" in gaps:
            holes[7] = np.nan
        after = probabilities(model, join(fewer, holes))
        for a, b in zip(after, before, strict=True):
            assert np.isfinite(a).all()
            others = np.arange(40) != 7
            np.testing.assert_allclose(a[others], b[others], rtol=0, atol=1e-6)


@every_classifier
def test_nobody_has_a_source(name):
    model = make(name).fit(sourced_users(), labels())
    nothing = join([None] * 40, np.full((40, 3), np.nan))
    for p in probabilities(model, nothing):
        assert np.isfinite(p).all()
        np.testing.assert_allclose(p, p[:1].repeat(40, axis=0), atol=1e-7)


@every_classifier
def test_fit_where_nobody_has_a_text_or_links(name):
    texts, network = raw_users()
    for X in (join([None] * 40, network), join(texts, np.full_like(network, np.nan))):
        model = make(name).fit(X, labels())
        full = probabilities(model, join(texts, network))
        assert all(np.isfinite(p).all() for p in full)


# -- scikit-learn --------------------------------------------------------------


@every_classifier
def test_clone(name):
    X, y = sourced_users(), labels()
    model = make(name).fit(X, y)
    copy = clone(model)
    with pytest.raises(NotFittedError):
        copy.predict(X)
    assert repr(copy) == repr(clone(copy))
    assert same(copy.fit(X, y).predict_proba(X), model.predict_proba(X))


@every_classifier
def test_pickle_is_small_and_predicts_the_same(name, tmp_path):
    X, y = sourced_users(), labels()
    model = make(name).fit(X, y)
    saved = pickle.dumps(model)
    loaded = pickle.loads(saved)
    assert same(loaded.predict_proba(X), model.predict_proba(X))
    assert (loaded.predict(X) == model.predict(X)).all()
    assert pickle.loads(pickle.dumps(loaded)).score(X, y) == model.score(X, y)
    nets = getattr(model, "estimators_", [model])
    numbers = sum(p.numel() for net in nets for p in net.net_.module_.parameters())
    assert len(saved) < 4 * numbers + 12_000 * len(nets)
    assert b"skorch" not in saved
    # read back from a memory map, as joblib's workers get it
    joblib.dump(model, tmp_path / "model")
    mapped = joblib.load(tmp_path / "model", mmap_mode="r")
    assert same(mapped.predict_proba(X), model.predict_proba(X))


@every_classifier
def test_grid_search_over_users_as_they_come(name):
    texts, network = raw_users()
    users = pd.DataFrame(
        {
            "messages": [["".join(words) for words in user] for user in texts],
            "links": range(40),
            "fans": network[:, 0],
        }
    )
    users.loc[[3, 5], "messages"] = None
    users.loc[[3, 4], ["links", "fans"]] = np.nan
    y = labels()
    union = SourceUnion(
        [
            ("text", CharacterSegmenter(), "messages"),
            ("network", "passthrough", ["links", "fans"]),
        ]
    )
    X = union.fit_transform(users)
    assert isinstance(X, SliceDict)
    parameter = "learning_rate"
    if CASES[name].kind == "meta":
        parameter = f"estimator__{parameter}"
    folds = MultiTaskStratifiedKFold(3)
    search = GridSearchCV(
        make(name), {parameter: [0.001, 0.01]}, cv=folds, error_score="raise"
    ).fit(X, y)
    assert search.predict(X).shape == (40, 3)
    assert set(search.cv_results_["params"][0]) == {parameter}
    # the whole way at once, scored on one task
    scores = cross_val_score(
        make_pipeline(union, make(name)),
        users,
        y,
        cv=folds,
        scoring=TaskScorer("accuracy", task="age"),
        error_score="raise",
    )
    assert np.isfinite(scores).all()


# -- chance --------------------------------------------------------------------


@every_classifier
def test_same_seed_same_bits_alone_and_in_threads(name):
    X, y = sourced_users(), labels()

    def fitted(seed):
        return make(name, random_state=seed).fit(X, y).predict_proba(X)

    alone = fitted(0), fitted(1)
    assert same(fitted(0), alone[0])
    assert not same(*alone)
    with ThreadPool(2) as pool:
        for k, together in enumerate(pool.map(fitted, [0, 1, 0, 1], chunksize=1)):
            assert same(together, alone[k % 2])


@every_classifier
def test_global_generators_are_left_alone(name):
    def states():
        return (
            random.getstate(),
            np.random.get_state()[1].tolist(),
            torch.get_rng_state().tolist(),
        )

    X, y = sourced_users(), labels()
    before = states()
    model = make(name).fit(X, y)
    model.predict_proba(X)
    assert states() == before
    # and decide nothing
    torch.manual_seed(5)
    np.random.seed(5)
    random.seed(5)
    assert same(make(name).fit(X, y).predict_proba(X), model.predict_proba(X))


@every_classifier
@pytest.mark.parametrize(
    ("dtype", "tolerance"), [("float32", 1e-6), ("float64", 1e-12)]
)
def test_company_in_a_batch_changes_no_prediction(name, dtype, tolerance):
    X = sourced_users()
    model = make(name, dtype=dtype).fit(X, labels())
    together = probabilities(model, X)
    one_by_one = [probabilities(model, X[[user]]) for user in range(40)]
    for task, p in enumerate(together):
        alone = np.vstack([each[task] for each in one_by_one])
        np.testing.assert_allclose(alone, p, rtol=0, atol=tolerance)
    order = np.random.RandomState(1).permutation(40)
    assert_close(
        probabilities(model, X[order]), [p[order] for p in together], tolerance
    )
    # beside users with many long messages, who would pad everybody else's
    texts, network = raw_users()
    long = [[list("山水茶酒" * 30)] * 40] * 3
    extra = join(texts[:5] + long, np.vstack([network[:5], network[:3]]))
    company = [p[:5] for p in probabilities(model, extra)]
    assert_close(company, probabilities(model, join(texts[:5], network[:5])), tolerance)


@every_net
@pytest.mark.parametrize("batch_size", [1, 3, 100])
def test_batch_size_of_prediction_changes_nothing(name, batch_size):
    X = sourced_users()
    model = make(name, dtype="float64").fit(X, labels())
    expected = probabilities(model, X)
    model.net_.set_params(batch_size=batch_size)
    assert_close(probabilities(model, X), expected, 1e-12)


# -- weights, going on ---------------------------------------------------------


@every_net
def test_a_weight_of_two_is_the_user_twice(name):
    X, y = sourced_users(), labels()
    times = np.random.RandomState(2).randint(0, 3, 40)
    rows = np.repeat(np.arange(40), times)
    settings = {**EXACT, "max_epochs": 5}
    weighted = make(name, **settings).fit(X, y, sample_weight=times)
    repeated = make(name, **settings).fit(X[rows], y.iloc[rows])
    assert_close(probabilities(weighted, X), probabilities(repeated, X), 1e-9)
    plain = make(name, **settings).fit(X, y)
    assert not same(probabilities(weighted, X), probabilities(plain, X))


@every_net
def test_unusable_weights_are_refused(name):
    X, y = sourced_users(), labels()
    with pytest.raises(TargetError, match="both a label and a sample_weight"):
        make(name).fit(X, y, sample_weight=np.eye(40)[0])  # user 0 has no label
    with pytest.raises(ValueError, match="non-zero"):
        make(name).fit(X, y, sample_weight=np.zeros(40))
    with pytest.raises(ValueError, match=r"[Nn]egative"):
        make(name).fit(X, y, sample_weight=-np.ones(40))
    with pytest.raises(ValueError, match="sample_weight"):
        make(name).fit(X, y, sample_weight=np.ones(39))


@every_net
def test_warm_start_goes_on_and_refit_forgets(name):
    X, y = sourced_users(), labels()
    model = make(name).fit(X, y)
    once = probabilities(model, X)
    assert model.n_iter_ == 2
    assert model.fit(X, y).n_iter_ == 2
    assert same(probabilities(model, X), once)
    model.set_params(warm_start=True).fit(X, y)
    assert model.n_iter_ == len(model.history_) == 4
    assert not same(probabilities(model, X), once)
    # a warm start from nothing is a start
    fresh = make(name, warm_start=True).fit(X, y)
    assert same(probabilities(fresh, X), once)


@every_net
def test_partial_fit_learns_from_users_as_they_come(name):
    X, y = sourced_users(), labels()
    part = y["gender"].to_numpy() == "f"
    part[0] = True  # a user without labels does no harm
    first, rest = np.flatnonzero(part), np.flatnonzero(~part)
    model = make(name)
    classes = {"gender": ["f", "m"], "age": ["90s", "80s", "70s"], "region": ["x", "y"]}
    with pytest.raises(TargetError, match="no class of task 'region'"):
        model.partial_fit(X, y, classes=classes)
    classes["region"] = ["north", "south"]
    model.partial_fit(X[first], y.iloc[first], classes=classes)
    assert model.n_iter_ == 1
    model.partial_fit(X[rest], y.iloc[rest], sample_weight=np.ones(len(rest)))
    assert model.n_iter_ == 2
    assert [c.tolist() for c in model.classes_] == [sorted(c) for c in classes.values()]
    assert [p.shape for p in model.predict_proba(X)] == [(40, 2), (40, 3), (40, 2)]
    # and again after pickling
    pickle.loads(pickle.dumps(model)).partial_fit(X, y)


@every_net
def test_columns_of_labels_are_taken_by_name(name):
    X, y = sourced_users(), labels()
    turned = y[TASKS[::-1]]
    model = make(name).fit(X, y)
    assert model.score(X, turned) == pytest.approx(model.score(X, y))
    other = make(name).fit(X, y)
    model.partial_fit(X, y)
    other.partial_fit(X, turned)
    assert same(probabilities(model, X), probabilities(other, X))
    numbered = make(name).fit(X, y.set_axis([2, 1, 0], axis=1))
    assert numbered.task_names_ == ["2", "1", "0"]
    turned = turned.set_axis([0, 1, 2], axis=1)
    assert numbered.score(X, turned) == pytest.approx(numbered.score(X, y))


# -- inputs --------------------------------------------------------------------


@every_classifier
def test_another_vocabulary_is_refused(name):
    X, y = sourced_users(), labels()
    model = make(name).fit(X, y)
    for other in (Vocabulary(["山", "海"]), VOCABULARY.with_vectors(np.ones((8, 5)))):
        text = X["text"].with_vocabulary(other)
        with pytest.raises(VocabularyMismatchError, match="another vocabulary"):
            model.predict(SliceDict(text=text, network=X["network"]))
    again = X["text"].with_vocabulary(Vocabulary(VOCABULARY.words, VOCABULARY.vectors))
    model.predict(SliceDict(text=again, network=X["network"]))


@every_classifier
def test_read_only_memory_maps(name, tmp_path):
    X, y = sourced_users(), labels()
    joblib.dump(X, tmp_path / "users")
    mapped = joblib.load(tmp_path / "users", mmap_mode="r")
    assert not mapped["network"].flags.writeable
    model = make(name).fit(mapped, y)
    expected = make(name).fit(X, y).predict_proba(X)
    assert same(model.predict_proba(mapped), expected)


@every_classifier
def test_inputs_are_not_changed(name):
    X, y = sourced_users(), labels()
    before = joblib.hash([X, y])
    make(name).fit(X, y).predict(X)
    assert joblib.hash([X, y]) == before


@every_net
def test_columns_of_a_plain_array_are_held_against_fit(name):
    array = pd.DataFrame(
        np.random.RandomState(0).randint(0, 5, (20, 3)).astype(float),
        columns=["a", "b", "c"],
    )
    y = ["f", "m"] * 10
    model = make(name).fit(array, y)
    assert model.n_features_in_ == 3
    assert model.feature_names_in_.tolist() == ["a", "b", "c"]
    with pytest.raises(ValueError, match="feature names should match"):
        model.predict(array[["a", "c", "b"]])
    with pytest.raises(ValueError, match="3 features"):
        make(name).fit(array.to_numpy(), y).predict(array.to_numpy()[:, :2])
    # a fit on named sources forgets them
    model.fit(sourced_users(), labels())
    assert not hasattr(model, "n_features_in_")
    assert not hasattr(model, "feature_names_in_")
    with pytest.raises((SourceError, VocabularyMismatchError)):
        model.predict(array.to_numpy())


@every_net
def test_one_text_alone_is_enough(name):
    X, y = sourced_users(), labels()
    model = make(name).fit(X["text"], y)
    assert isinstance(X["text"], TokenMessages)
    expected = model.predict_proba(X["text"])
    assert same(model.predict_proba({"text": X["text"]}), expected)


@every_net
def test_no_user_no_prediction(name):
    X = sourced_users()
    model = make(name).fit(X, labels())
    with pytest.raises(SourceError, match="no user"):
        model.predict(X[:0])
