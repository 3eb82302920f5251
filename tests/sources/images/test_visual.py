"""Visual words and mean components of images: by hand, against PCA, limits, threads."""

from __future__ import annotations

import pickle
import tracemalloc

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError
from sklearn.utils._param_validation import InvalidParameterError
from threadpoolctl import threadpool_limits

from sklearn_profiling.baselines import NaiveBayesRidgeClassifier, OutOfFoldLogits
from sklearn_profiling.containers import ImageBags
from sklearn_profiling.datasets import make_image_users
from sklearn_profiling.exceptions import SourceError
from sklearn_profiling.sources import (
    ImageBagTransformer,
    MeanImageVectors,
    VisualWordCounts,
)
from sklearn_profiling.sources.images import _components, visual

BOTH = [MeanImageVectors, VisualWordCounts]
N_PARTS = 10

both = pytest.mark.parametrize("step", BOTH)


def noise(n_images, shape=(3, 20, 24), seed=0):
    return np.random.RandomState(seed).randint(0, 256, (n_images, *shape)).astype("u1")


def bags(pixels):
    """Two images a user and none for user 1; what is left is the last user's."""
    return ImageBags(pixels, [0, 2, 2, *range(4, len(pixels) - 1, 2), len(pixels)])


def dense(made):
    return made.toarray() if hasattr(made, "toarray") else made


def small(pixels):
    return np.concatenate(
        list(_components.small_images(pixels, np.arange(len(pixels))))
    )


def test_small_images_are_means_of_cells():
    pixels = noise(3, (3, 32, 48))
    by_hand = pixels.reshape(3, 3, 16, 2, 16, 3).mean(axis=(3, 5)) / 255
    np.testing.assert_allclose(small(pixels), by_hand, rtol=1e-6)
    # 18 rows in 16 cells: the first and the ninth hold two; 2 columns stay
    uneven = small(noise(1, (1, 18, 2)))[0, 0]
    rows = np.split(noise(1, (1, 18, 2))[0, 0], [2, *range(3, 10), 11, *range(12, 18)])
    expected = np.stack([row.mean(axis=0) for row in rows]) / 255
    np.testing.assert_allclose(uneven, expected, rtol=1e-6)


def test_components_are_those_of_pca():
    images = small(noise(60))
    ours = _components.PrincipalComponents(images, 5).project(images)
    pca = PCA(5, svd_solver="full").fit(images.reshape(60, -1).astype(float))
    theirs = pca.transform(images.reshape(60, -1))
    np.testing.assert_allclose(np.abs(ours), np.abs(theirs), atol=1e-4)


def test_words_count_kinds_of_images():
    kinds = np.array([0, 0, 1, 2, 1, 1, 0, 2])
    pixels = np.array([20, 120, 220])[kinds][:, None, None, None] + noise(8) % 9
    made = VisualWordCounts(3, regions=False, random_state=0)
    counts = made.fit_transform(bags(pixels.astype("u1"))).toarray()
    # the order of the words is that of k-means
    order = [counts[0].argmax(), counts[3].argmax()]
    order = [order[0], order[1], 3 - sum(order)]
    expected = [[2, 0, 0], [0, 0, 0], [0, 1, 1], [0, 2, 0], [1, 0, 1]]
    assert counts[:, order].tolist() == expected
    assert made.n_words_ == 3
    assert made.words_["whole"].shape == (3, 7)


def test_a_region_has_words_of_its_own():
    pixels = noise(80, (3, 16, 16))
    shown = np.arange(80) % 2
    pixels[:, :, 4:12, 4:12] = 40 * shown[:, None, None, None] + 100
    users = ImageBags(pixels, np.arange(81))
    made = VisualWordCounts(2, random_state=0)
    counts = made.fit_transform(users).toarray()
    names = made.get_feature_names_out().tolist()
    assert len(names) == made.n_words_ == 2 * N_PARTS
    middle = counts[:, names.index("row1_column1_0")]
    assert (middle == shown).all() or (middle == 1 - shown).all()
    assert (counts.sum(axis=1) == N_PARTS).all()
    whole = counts[:, names.index("whole_0")]
    assert 0.2 < (whole == shown).mean() < 0.8


def test_means_are_means():
    images = noise(7)
    made = MeanImageVectors(4).fit(bags(images))
    each = made.transform(ImageBags(images, np.arange(8)))
    means = made.transform(bags(images))
    assert means.dtype == np.float32
    np.testing.assert_allclose(means[0], each[:2].mean(axis=0), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(means[-1], each[4:].mean(axis=0), rtol=1e-5, atol=1e-6)
    assert np.isnan(means).tolist() == [[False] * 4, [True] * 4, *[[False] * 4] * 2]


def test_users_without_images_are_missing_in_log_odds():
    users = make_image_users(60, missing_images=0.2, random_state=0)
    found = ImageBagTransformer(size=(16, 16)).fit_transform(users.data["images"])
    counts = VisualWordCounts(8, random_state=0).fit_transform(found)
    assert ((counts.getnnz(axis=1) == 0) == found.missing).all()
    odds = OutOfFoldLogits(NaiveBayesRidgeClassifier(2.0), random_state=0)
    rows = odds.fit_transform(counts, users.target)
    assert (np.isnan(rows).all(axis=1) == found.missing).all()
    assert found.missing.any()


def test_digits_are_told_apart():
    users = make_image_users(400, random_state=0)
    found = ImageBagTransformer(size=(32, 32)).fit_transform(users.data["images"])
    words = VisualWordCounts(random_state=0).fit(found[:300])
    taste = users.target["taste"].to_numpy(str)
    model = NaiveBayesRidgeClassifier(2.0)
    model.fit(words.transform(found[:300]), taste[:300])
    # 0.90 is the best that is possible, 0.33 chance
    assert model.score(words.transform(found[300:]), taste[300:]) > 0.75


@both
def test_few_different_images(step):
    same = bags(np.repeat(noise(1), 6, axis=0))
    one = step(random_state=0).fit(same)
    assert one.n_components_ == 1
    n_columns = dense(one.transform(same)).shape[1]
    assert n_columns == (1 if step is MeanImageVectors else N_PARTS)
    three = step(random_state=0).fit(bags(np.repeat(noise(3), 20, axis=0)))
    assert three.n_components_ == 2
    if step is VisualWordCounts:
        assert three.n_words_ == 3 * N_PARTS


@both
@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 2, 3), (3, 5, 40), (2, 300, 17)])
def test_any_size_and_channels(step, shape):
    users = bags(noise(9, shape))
    made = step(random_state=0)
    rows = dense(made.fit_transform(users))
    assert rows.shape == (5, len(made.get_feature_names_out()))
    assert len(set(made.get_feature_names_out())) == rows.shape[1]
    assert np.array_equal(
        rows, dense(pickle.loads(pickle.dumps(made)).transform(users)), equal_nan=True
    )


@both
def test_same_bits_for_any_number_of_threads(step):
    users = bags(noise(600))
    rows = []
    for n_threads in (1, 2):
        with threadpool_limits(limits=n_threads):
            rows.append(dense(step(random_state=0).fit_transform(users)))
    np.testing.assert_array_equal(*rows)


@both
def test_random_state_decides_what_is_learned_from(step, monkeypatch):
    monkeypatch.setattr(visual, "_N_TO_FIT", 30)
    users = bags(noise(100))
    state = np.random.get_state()[1].copy()
    made = step(random_state=0)
    first = dense(made.fit_transform(users))
    assert made.n_components_ == 29
    np.testing.assert_array_equal(first, dense(clone(made).fit_transform(users)))
    other = dense(clone(made).set_params(random_state=1).fit_transform(users))
    assert not np.array_equal(first, other, equal_nan=True)
    assert (np.random.get_state()[1] == state).all()


@both
def test_a_user_does_not_depend_on_the_others(step, monkeypatch):
    users = bags(noise(60))
    made = step(4, random_state=0).fit(users)
    rows = dense(made.transform(users))
    monkeypatch.setattr(_components, "_PIXELS_AT_ONCE", 3 * 20 * 24 * 7)
    np.testing.assert_allclose(dense(made.transform(users)), rows, atol=1e-5)
    np.testing.assert_allclose(dense(made.transform(users[3:5])), rows[3:5], atol=1e-5)


@both
def test_pixels_are_read_in_parts(step):
    users = bags(noise(1500, (3, 64, 64)))
    made = step(8, random_state=0).fit(users[:50])
    tracemalloc.start()
    made.transform(users)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 0.6 * 4 * users.pixels.size


@both
def test_what_cannot_be_read(step):
    made = step(random_state=0)
    with pytest.raises(SourceError, match=r"takes ImageBags, .* got builtins\.list"):
        made.fit([["photo.jpg"]])
    for empty in (noise(0), noise(2, (3, 0, 0))):
        with pytest.raises(SourceError, match="and no user has any"):
            made.fit(ImageBags(empty, [0, 0, len(empty)]))
    with pytest.raises(NotFittedError):
        made.transform(bags(noise(6)))
    with pytest.raises(NotFittedError):
        made.get_feature_names_out()
    made.fit(bags(noise(6)))
    for shape, given in [((1, 20, 24), "1 x 20 x 24"), ((3, 20, 20), "3 x 20 x 20")]:
        with pytest.raises(SourceError, match=f"of 3 x 20 x 24 .*; got {given}"):
            made.transform(bags(noise(6, shape)))
    with pytest.raises(SourceError, match="Put an ImageBagTransformer before"):
        made.transform(np.zeros((2, 3)))
    with pytest.raises(InvalidParameterError, match="'n_components'"):
        step(n_components=0).fit(bags(noise(6)))
    nobody = dense(made.transform(ImageBags(noise(0, (3, 0, 0)), [0, 0, 0])))
    assert (np.isnan(nobody) | (nobody == 0)).all()
    assert len(nobody) == 2
