"""Sources as estimators read them: named and checked."""

from __future__ import annotations

import joblib
import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from scipy.sparse import coo_array, csc_array, csr_array, csr_matrix
from skorch.helper import SliceDict

from sklearn_profiling.containers import ImageBags, TokenMessages, Vocabulary
from sklearn_profiling.exceptions import SourceError, VocabularyMismatchError
from sklearn_profiling.training.inputs import (
    SourceSpec,
    as_sources,
    check_specs,
    present,
    tokens_of_array,
)

TEXT = TokenMessages.from_lists([["ab"], None])
IMAGES = ImageBags(np.zeros((3, 1, 2, 4), np.uint8), [0, 3, 3])
VECTORS = np.array([[1.0, 2.0], [np.nan, np.nan]])


def read(X):
    return as_sources(X, default_name="alone")


def test_every_form_is_a_dict_of_sources():
    for X in ({"t": TEXT, "v": VECTORS}, SliceDict(t=TEXT, v=VECTORS)):
        sources = read(X)
        assert type(sources) is dict
        assert list(sources) == ["t", "v"]
        assert sources["t"] is TEXT
        assert sources["v"] is VECTORS
    assert read(TEXT) == {"alone": TEXT}
    assert read(IMAGES)["alone"] is IMAGES
    assert list(read({3: VECTORS})) == ["3"]


@pytest.mark.parametrize(
    "dense",
    [
        [[1, 2], [3, 4]],
        np.array([[1, 2], [3, 4]], dtype=np.uint8),
        np.array([[1, 2], [3, 4]], dtype=object),
        np.array([["1", "2"], ["3", "4"]]),
        pd.DataFrame({"a": [1, 3], "b": [2.0, 4.0]}),
    ],
)
def test_dense_sources_of_any_kind(dense):
    source = read(dense)["alone"]
    assert source.dtype.kind in "fiu"
    assert source.tolist() == [[1, 2], [3, 4]]
    assert present(source).tolist() == [True, True]


@pytest.mark.parametrize("kind", ["csr", "csc", "coo", "lil", "dok", "bsr", "dia"])
@pytest.mark.parametrize("make", ["array", "matrix"])
def test_sparse_sources_of_any_format(kind, make):
    matrix = csr_array([[1, 2, 0], [0, 0, 0], [0, 0, 4]])
    source = read(getattr(sparse, f"{kind}_{make}")(matrix))["alone"]
    assert isinstance(source, csr_array)
    assert source.dtype == np.float64
    assert source.toarray().tolist() == matrix.toarray().tolist()
    assert present(source).tolist() == [True, False, True]
    spec = SourceSpec.of(source)
    assert spec == SourceSpec("sparse", 3)
    assert str(spec) == "a sparse matrix with 3 features"
    assert source.indptr.tolist()[::3] == [0, 3]


def test_entries_are_added_and_in_order_and_the_matrix_stays():
    data = np.array([1, 2, 4], dtype=np.float32)
    matrix = csr_matrix((data, [1, 0, 1], [0, 3]), shape=(1, 2))
    before = joblib.hash(matrix)
    source = read(matrix)["alone"]
    assert (source.indices.tolist(), source.data.tolist()) == ([0, 1], [2.0, 5.0])
    assert source.dtype == np.float32
    assert joblib.hash(matrix) == before
    ready = csr_matrix(np.eye(2))
    assert np.shares_memory(read(ready)["alone"].data, ready.data)


def test_missing_sources():
    assert present(TEXT).tolist() == [True, False]
    assert present(VECTORS).tolist() == [True, False]
    assert present(IMAGES).tolist() == [True, False]
    empty = read(np.array([[None, None], [1, 2]], dtype=object))["alone"]
    assert present(empty).tolist() == [False, True]


@pytest.mark.parametrize(
    ("X", "message"),
    [
        ({}, "X holds no source"),
        ({"t": TEXT, "v": VECTORS[:1]}, r"the same users; they hold {'t': 2, 'v': 1}"),
        (
            {"i": ImageBags(np.zeros((1, 3, 0, 2), np.uint8), [0, 1])},
            "source 'i' holds images of 3 x 0 x 2; every side must be at least 1",
        ),
        (
            {"v": [["a", "b"]]},
            "'v' must be TokenMessages, ImageBags or a numeric array .* list",
        ),
        (
            {"v": coo_array([1.0, 2.0])},
            r"'v' must have shape .* at least one feature; got \(2,\)",
        ),
        ({"v": csr_array((2, 0))}, r"at least one feature; got \(2, 0\)"),
        ({"v": csr_array([[1j], [0]])}, "'v' must hold real .* dtype is complex128"),
        ({"v": csr_array([[0, 1], [0, np.nan]])}, "row 1 holds nan in column 1; a row"),
        (csc_array([[0, np.inf], [2, 1]]), "'alone' must be finite; row 0 holds inf"),
        (
            {"v": [[1.0], [1.0, 2.0]]},
            "'v' must be TokenMessages, ImageBags or a numeric array",
        ),
        ([1.0, 2.0], r"'alone' must have shape .* got \(2,\)"),
        (np.zeros((2, 0)), r"at least one feature; got \(2, 0\)"),
        (np.zeros((2, 1, 1)), r"got \(2, 1, 1\)"),
        ([[0.0, 1.0], [0.0, -np.inf]], "must be finite; row 1 holds infinity"),
        ([[0.0, 1.0], [0.0, np.nan]], "row 1 is NaN in column 1 but not in all"),
    ],
)
def test_sources_that_are_refused(X, message):
    with pytest.raises(SourceError, match=message):
        read(X)


def test_specs_say_what_fit_saw():
    vocabulary = Vocabulary(["a", "b"], np.eye(2, 3))
    text = TokenMessages.from_lists([["ab"]], vocabulary)
    assert SourceSpec.of(text) == SourceSpec("text", 3, vocabulary.fingerprint, 2)
    assert SourceSpec.of(VECTORS) == SourceSpec("vectors", 2)
    spec = SourceSpec.of(IMAGES)
    assert spec == SourceSpec("images", 8, image_shape=(1, 2, 4))
    assert str(spec) == "images of 1 x 2 x 4"


def test_sources_come_back_in_the_order_of_fit():
    fitted = {"t": TEXT, "v": VECTORS}
    specs = {name: SourceSpec.of(source) for name, source in fitted.items()}
    assert list(check_specs({"v": VECTORS, "t": TEXT[:0]}, specs)) == ["t", "v"]


@pytest.mark.parametrize(
    ("sources", "error", "message"),
    [
        ({"t": TEXT}, SourceError, r"seen in fit, \['t', 'v'\]; it holds \['t'\]"),
        ({"t": TEXT, "v": VECTORS, "w": VECTORS}, SourceError, "seen in fit"),
        (
            {"t": TEXT, "v": VECTORS[:, :1]},
            SourceError,
            "'v' was vectors with 2 features in fit; it is vectors with 1",
        ),
        (
            {"t": TEXT, "v": csr_array(np.eye(2))},
            SourceError,
            "'v' was vectors with 2 features in fit; it is a sparse matrix with 2",
        ),
        ({"t": VECTORS, "v": VECTORS}, SourceError, "'t' was text .* it is vectors"),
        ({"t": IMAGES, "v": VECTORS}, SourceError, "'t' was text .* it is images of 1"),
        (
            {"t": TokenMessages.from_lists([["abc"], None]), "v": VECTORS},
            VocabularyMismatchError,
            r"another vocabulary than in fit \(3 words against 2\)",
        ),
        (
            {
                "t": TEXT.with_vocabulary(TEXT.vocabulary.with_vectors(np.eye(2))),
                "v": VECTORS,
            },
            VocabularyMismatchError,
            "another vocabulary",
        ),
    ],
)
def test_sources_other_than_in_fit(sources, error, message):
    fitted = {"t": TEXT, "v": VECTORS}
    specs = {name: SourceSpec.of(source) for name, source in fitted.items()}
    with pytest.raises(error, match=message):
        check_specs(sources, specs)


@pytest.mark.parametrize("shape", [(1, 4, 2), (2, 2, 2), (1, 2, 2)])
def test_images_of_another_shape_than_in_fit(shape):
    specs = {"i": SourceSpec.of(IMAGES)}
    assert check_specs({"i": IMAGES[1:]}, specs)["i"].image_shape == (1, 2, 4)
    other = ImageBags(np.zeros((1, *shape), np.uint8), [0, 1, 1])
    message = f"'i' was images of 1 x 2 x 4 in fit; it is images of {shape[0]} x"
    with pytest.raises(SourceError, match=message):
        check_specs({"i": other}, specs)


def test_padded_ids_are_one_message_a_user():
    X = np.array([[3, 1, 0, 3], [0, 0, 0, 0], [0, 7, 0, 1]])
    text = tokens_of_array(X)
    assert text.tolist() == [[["3.0", "1.0", "3.0"]], [], [["7.0", "1.0"]]]
    assert "0.0" not in text.vocabulary
    # Integers, floats and another array read alike; unknown tokens are left out.
    assert tokens_of_array(X.astype(np.float32)) == text
    other = tokens_of_array(
        np.array([[9.0, 7.0, 0.0], [9.0, 9.0, -0.0]]), text.vocabulary
    )
    assert other.tolist() == [[["7.0"]], []]
    assert other.vocabulary == text.vocabulary
    assert tokens_of_array(np.zeros((2, 3))).missing.all()
