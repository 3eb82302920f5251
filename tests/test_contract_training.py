"""The contract of every classifier: seeds, weights, further training, odd inputs."""

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
    VOCABULARY,
    labels,
    raw_users,
)
from contract import (
    TASKS,
    assert_close,
    every_classifier,
    every_net,
    every_reader_of_images,
    every_reader_of_text,
    exact,
    joined,
    make,
    probabilities,
    same,
    users_of,
)
from skorch.helper import SliceDict

from sklearn_profiling.containers import ImageBags, TokenMessages, Vocabulary
from sklearn_profiling.exceptions import (
    SourceError,
    TargetError,
    VocabularyMismatchError,
)

# -- chance --------------------------------------------------------------------


@every_classifier
def test_same_seed_same_bits_alone_and_in_threads(name):
    X, y = users_of(name), labels()

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

    X, y = users_of(name), labels()
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
    X = users_of(name)
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
    extra = joined(name, texts[:5] + long, np.vstack([network[:5], network[:3]]))
    company = [p[:5] for p in probabilities(model, extra)]
    assert_close(
        company, probabilities(model, joined(name, texts[:5], network[:5])), tolerance
    )


@every_net
@pytest.mark.parametrize("batch_size", [1, 3, 100])
def test_batch_size_of_prediction_changes_nothing(name, batch_size):
    X = users_of(name)
    model = make(name, dtype="float64").fit(X, labels())
    expected = probabilities(model, X)
    # What predicts, also where it differs from the batches of training.
    model.net_.iterator_valid__batch_size = batch_size
    assert_close(probabilities(model, X), expected, 1e-12)


# -- weights, going on ---------------------------------------------------------


@every_net
def test_a_weight_of_two_is_the_user_twice(name):
    X, y = users_of(name), labels()
    times = np.random.RandomState(2).randint(0, 3, 40)
    rows = np.repeat(np.arange(40), times)
    settings = {**exact(name), "max_epochs": 5}
    weighted = make(name, **settings).fit(X, y, sample_weight=times)
    repeated = make(name, **settings).fit(X[rows], y.iloc[rows])
    assert_close(probabilities(weighted, X), probabilities(repeated, X), 1e-9)
    plain = make(name, **settings).fit(X, y)
    assert not same(probabilities(weighted, X), probabilities(plain, X))


@every_net
def test_unusable_weights_are_refused(name):
    X, y = users_of(name), labels()
    with pytest.raises(TargetError, match="both a label and a sample_weight"):
        make(name).fit(X, y, sample_weight=np.eye(40)[0])  # user 0 has no label
    with pytest.raises(TargetError, match="both a label and a sample_weight"):
        make(name).fit(X, y, sample_weight=np.zeros(40))
    with pytest.raises(TargetError, match=r"not negative; got row 0, -1\.0"):
        make(name).fit(X, y, sample_weight=-np.ones(40))
    with pytest.raises(TargetError, match=r"sample_weight must have shape \(40,\)"):
        make(name).fit(X, y, sample_weight=np.ones(39))


@every_net
def test_warm_start_goes_on_and_refit_forgets(name):
    X, y = users_of(name), labels()
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
    X, y = users_of(name), labels()
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
    X, y = users_of(name), labels()
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


@every_reader_of_text
def test_another_vocabulary_is_refused(name):
    X, y = users_of(name), labels()
    model = make(name).fit(X, y)
    for other in (Vocabulary(["山", "海"]), VOCABULARY.with_vectors(np.ones((8, 5)))):
        text = X["text"].with_vocabulary(other)
        with pytest.raises(VocabularyMismatchError, match="another vocabulary"):
            model.predict(SliceDict(**{**X, "text": text}))
    again = X["text"].with_vocabulary(Vocabulary(VOCABULARY.words, VOCABULARY.vectors))
    model.predict(SliceDict(**{**X, "text": again}))


@every_classifier
def test_read_only_memory_maps(name, tmp_path):
    X, y = users_of(name), labels()
    joblib.dump(X, tmp_path / "users")
    mapped = joblib.load(tmp_path / "users", mmap_mode="r")
    assert not any(
        array.flags.writeable
        for array in mapped.values()
        if isinstance(array, np.ndarray)
    )
    model = make(name).fit(mapped, y)
    expected = make(name).fit(X, y).predict_proba(X)
    assert same(model.predict_proba(mapped), expected)


@every_classifier
def test_inputs_are_not_changed(name):
    X, y = users_of(name), labels()
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
    model.fit(users_of(name), labels())
    assert not hasattr(model, "n_features_in_")
    assert not hasattr(model, "feature_names_in_")
    with pytest.raises((SourceError, VocabularyMismatchError)):
        model.predict(array.to_numpy())


@every_net
def test_one_text_or_one_source_of_images_alone_is_enough(name):
    X, y = users_of(name), labels()
    source = "images" if "images" in X else "text"
    assert isinstance(X[source], TokenMessages | ImageBags)
    model = make(name).fit(X[source], y)
    expected = model.predict_proba(X[source])
    assert same(model.predict_proba({source: X[source]}), expected)


@every_reader_of_images
def test_images_of_another_shape_are_refused(name):
    X, y = users_of(name), labels()
    model = make(name).fit(X, y)
    narrow = ImageBags(X["images"].pixels[..., :-1], X["images"].user_starts)
    with pytest.raises(SourceError, match="images of 2 x 4 x 5 in fit; it is images"):
        model.predict(SliceDict(**{**X, "images": narrow}))


@every_net
def test_no_user_no_prediction(name):
    X = users_of(name)
    model = make(name).fit(X, labels())
    with pytest.raises(SourceError, match="no user"):
        model.predict(X[:0])
