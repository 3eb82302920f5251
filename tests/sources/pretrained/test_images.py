"""Vectors of images: those of the model itself, whatever shares a batch."""

from __future__ import annotations

import json
import pickle

import numpy as np
import pytest

pytest.importorskip("transformers")

import torch
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from tiny_models import bert, clip, resnet, vit
from transformers import AutoModel

from sklearn_profiling.containers import ImageBags
from sklearn_profiling.estimators import MMLUPClassifier
from sklearn_profiling.exceptions import ProfilingWarning, SourceError
from sklearn_profiling.sources import PretrainedImageVectors, SourceUnion

DRAWN = np.random.default_rng(0).integers(0, 256, (4, 16, 16, 3)).astype(np.uint8)
# User 4 shows the first picture twice more.
COLUMN = [[DRAWN[0], DRAWN[1]], None, [DRAWN[2]], [], [DRAWN[0], DRAWN[3], DRAWN[0]]]


def vectors_of(config, **params):
    return PretrainedImageVectors(config, random_state=0, **params)


def seen_alone(fitted, image, pooling="cls"):
    pixels = torch.from_numpy(image).permute(2, 0, 1)[None].float() / 255
    with torch.no_grad():
        model = getattr(fitted._module, "vision_model", fitted._module)
        read = model(pixel_values=(pixels - 0.5) / 0.5)
    states = read.last_hidden_state[0]
    if states.ndim == 3:
        return states.mean(dim=(1, 2)).numpy()
    if hasattr(model, "post_layernorm"):
        return read.pooler_output[0].numpy()
    return (states[0] if pooling == "cls" else states[1:].mean(dim=0)).numpy()


@pytest.mark.parametrize(
    ("make", "params"),
    [
        (vit, {}),
        (vit, {"pooling": "mean"}),
        (clip, {}),
        (resnet, {"pooling": "mean", "size": (16, 16)}),
    ],
)
def test_vectors_are_those_of_the_model(make, params):
    fitted = vectors_of(make(), batch_size=3, **params).fit(None)
    found = fitted.transform(COLUMN)
    assert found.shape == (5, fitted.n_dimensions_) == (5, 8)
    assert found.dtype == np.float32
    assert np.isnan(found[[1, 3]]).all()
    pooling = params.get("pooling", "cls")
    for user in (0, 2, 4):
        alone = [seen_alone(fitted, image, pooling) for image in COLUMN[user]]
        np.testing.assert_allclose(found[user], np.mean(alone, axis=0), atol=2e-6)


def test_pooling_of_a_user_and_the_first_images():
    largest = vectors_of(vit(), user_pooling="max").fit(None)
    alone = [seen_alone(largest, image) for image in COLUMN[4]]
    found = largest.transform(COLUMN)
    np.testing.assert_allclose(found[4], np.max(alone, axis=0), atol=2e-6)
    first = vectors_of(vit(), max_images=1).fit(None)
    bags = ImageBags(DRAWN.transpose(0, 3, 1, 2), [0, 3, 4])
    for users in (COLUMN[4:], bags[[1]], bags):
        assert np.isfinite(first.transform(users)).all()
    np.testing.assert_allclose(
        first.transform(bags)[0], seen_alone(first, DRAWN[0]), atol=2e-6
    )


def test_bags_of_another_size_and_grey_ones():
    fitted = vectors_of(vit()).fit(None)
    # Each pixel four times: scaling down by two gives the picture back but for the
    # filter, which flat pictures do not show.
    flat = np.full((1, 3, 32, 32), 77, np.uint8)
    grey = np.full((1, 1, 16, 16), 77, np.uint8)
    expected = fitted.transform([[np.full((16, 16), 77, np.uint8)]])
    for pixels in (flat, grey):
        found = fitted.transform(ImageBags(pixels, [0, 1]))
        np.testing.assert_allclose(found, expected, atol=2e-6)
    with pytest.raises(SourceError, match="grey or RGB images; got 2 channels"):
        fitted.transform(ImageBags(np.zeros((1, 2, 4, 4), np.uint8), [0, 1]))


def test_a_user_alone_and_among_others():
    fitted = vectors_of(vit()).fit(None)
    found = fitted.transform(COLUMN)
    for user in range(len(COLUMN)):
        alone = fitted.transform(COLUMN[user : user + 1])
        np.testing.assert_allclose(alone[0], found[user], atol=2e-6)
    assert fitted.transform([]).shape == (0, 8)


def test_a_folder_says_how_pixels_are_scaled(tmp_path):
    AutoModel.from_config(vit(image_size=24)).save_pretrained(tmp_path)
    with pytest.warns(ProfilingWarning, match="PretrainedImageVectors: nothing says"):
        plain = PretrainedImageVectors(tmp_path).fit(None)
    assert plain.size_ == (24, 24)
    assert plain.image_mean_ == plain.image_std_ == (0.5, 0.5, 0.5)
    settings = tmp_path / "preprocessor_config.json"
    three = {"image_mean": [0.1, 0.2, 0.3], "image_std": [1, 1, 1]}
    settings.write_text(json.dumps(three))
    read = PretrainedImageVectors(tmp_path, image_std=(1, 2, 4)).fit(None)
    assert (read.image_mean_, read.image_std_) == ((0.1, 0.2, 0.3), (1.0, 2.0, 4.0))
    prepared = read._prepared(np.full((1, 3, 24, 24), 255, np.uint8))
    expected = [0.9, 0.4, 0.175]
    np.testing.assert_allclose(prepared[0, :, 3, 5], expected, rtol=1e-6)
    settings.write_text(json.dumps({"do_normalize": False}))
    raw = PretrainedImageVectors(tmp_path).fit(None)
    assert (raw.image_mean_, raw.image_std_) == ((0.0,) * 3, (1.0,) * 3)


def test_a_pickle_reads_the_folder_again(tmp_path):
    AutoModel.from_config(vit()).save_pretrained(tmp_path)
    three = {"image_mean": [0.5] * 3, "image_std": [0.5] * 3}
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(three))
    fitted = PretrainedImageVectors(tmp_path).fit(None)
    copy = pickle.loads(pickle.dumps(fitted))
    found = copy.transform(COLUMN)
    assert np.array_equal(found, fitted.transform(COLUMN), equal_nan=True)
    assert clone(fitted).fit(None).fingerprint_ == fitted.fingerprint_


def test_no_image_is_seen_twice(tmp_path, monkeypatch):
    seen = []
    plain = PretrainedImageVectors._see

    def counted(self, pixels):
        seen.append(len(pixels))
        return plain(self, pixels)

    expected = vectors_of(vit()).fit_transform(COLUMN)
    stored = vectors_of(vit(), memory=tmp_path).fit(None)
    monkeypatch.setattr(PretrainedImageVectors, "_see", counted)
    for users, n_seen in ((COLUMN[:3], 3), (COLUMN, 4), (COLUMN, 4)):
        found = stored.transform(users)
        np.testing.assert_allclose(found, expected[: len(users)], atol=2e-6)
        assert sum(seen) == n_seen
    stored.set_params(pooling="mean").transform(COLUMN)
    assert sum(seen) == 8


def test_names_progress_and_a_network(capsys):
    fitted = vectors_of(vit(), verbose=1).fit(None)
    assert fitted.get_feature_names_out()[-1] == "pretrainedimagevectors7"
    fitted.transform(COLUMN)
    assert "4/4" in capsys.readouterr().err
    union = SourceUnion([("pictures", vectors_of(vit()), "images")])
    network = MMLUPClassifier(n_hidden=(8,), n_shared=8, max_epochs=1, random_state=0)
    users = {"images": COLUMN}
    model = make_pipeline(union, network).fit(users, [0, 1, 0, 1, 1])
    assert model.predict(users).shape == (5,)


def test_errors(tmp_path):
    with pytest.raises(SourceError, match=r"google/vit.*no such folder.*config\.json"):
        PretrainedImageVectors("google/vit").fit(None)
    with pytest.raises(SourceError, match=r"ResNetModel has neither a \[CLS\]"):
        vectors_of(resnet(), size=(16, 16)).fit(None)
    with pytest.raises(SourceError, match=r"BertModel does not take images of 224 x"):
        vectors_of(bert()).fit(None)
    with pytest.raises(SourceError, match="does not take images of 20 x 16 pixels"):
        vectors_of(vit(), size=(20, 16)).fit(None)
    with pytest.raises(ValueError, match=r"size must be \(height, width\).*\(3,\)"):
        vectors_of(vit(), size=(3,)).fit(None)
    with pytest.raises(ValueError, match="image_mean must hold a number for red"):
        vectors_of(vit(), image_mean=(1, 2)).fit(None)
    with pytest.raises(ValueError, match="image_std must be above 0"):
        vectors_of(vit(), image_std=(1, 0, 1)).fit(None)
    with pytest.raises(SourceError, match="no such file"):
        vectors_of(vit()).fit(None).transform([[str(tmp_path / "none.png")]])
