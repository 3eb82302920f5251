"""The vector that is read of each family of vision models, as transformers gives it."""

from __future__ import annotations

import json
import pickle

import numpy as np
import pytest

pytest.importorskip("transformers")

import torch
from pretrained_folders import IMAGES, SCALE, save_image_model
from tiny_models import vit
from transformers import AutoConfig, AutoModel, CLIPVisionModelWithProjection, ViTModel

from sklearn_profiling._image_models import n_before_patches
from sklearn_profiling.exceptions import ProfilingWarning, SourceError
from sklearn_profiling.sources import PretrainedImageVectors
from sklearn_profiling.training.generators.backbones import describe_backbone

DRAWN = np.random.default_rng(0).integers(0, 256, (3, 16, 16, 3)).astype(np.uint8)
COLUMN = [[image] for image in DRAWN]

# Positions before the patches.
BEFORE = {
    "ViT": 1,
    "DeiT": 2,
    "BEiT": 1,
    "DINOv2": 1,
    "DINOv2 with registers": 4,
    "CLIP": 1,
    "CLIP vision": 1,
    "SigLIP": 0,
    "SigLIP vision": 0,
    "Swin": 0,
}
WITHOUT_STATE = ["Swin", "ConvNeXt", "SegFormer"]
WHOLE = ["CLIP", "SigLIP"]
NO_IMAGES = ["SigLIP2 NaFlex"]


@torch.no_grad()
def read(folder, *, whole=False):
    """What transformers makes of the images."""
    model = AutoModel.from_pretrained(folder).eval()
    pixels = torch.from_numpy(DRAWN).permute(0, 3, 1, 2).float() / 255
    mean, std = (torch.tensor(each).reshape(3, 1, 1) for each in SCALE.values())
    scaled = (pixels - mean) / std
    if whole:
        return model.get_image_features(pixel_values=scaled).pooler_output
    model = getattr(model, "vision_model", model)
    return model(pixel_values=scaled)


def vectors_of(folder, pooling):
    found = PretrainedImageVectors(folder, pooling=pooling, size=(16, 16))
    return found.fit(None).transform(COLUMN)


def close(found, expected):
    np.testing.assert_allclose(found, expected.numpy(), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    "family", [f for f in IMAGES if f not in WITHOUT_STATE + NO_IMAGES]
)
def test_the_state_of_an_image(image_folders, family):
    folder = image_folders(family)
    output = read(folder)
    # of ViT and the like the pooler is not the state of [CLS]
    pooled = family.partition(" ")[0] in WHOLE
    expected = output.pooler_output if pooled else output.last_hidden_state[:, 0]
    found = vectors_of(folder, "cls")
    close(found, expected)
    first = output.last_hidden_state[:, 0].numpy()
    assert np.allclose(found, first, atol=1e-3) == (not pooled)


@pytest.mark.parametrize("family", [f for f in IMAGES if f not in NO_IMAGES])
def test_the_mean_is_that_of_patches_alone(image_folders, family):
    folder = image_folders(family)
    output = read(folder)
    if family == "ConvNeXt":
        expected = output.pooler_output
    elif family == "SegFormer":
        expected = output.last_hidden_state.mean(dim=(2, 3))
    else:
        expected = output.last_hidden_state[:, BEFORE[family] :].mean(dim=1)
        model = AutoModel.from_pretrained(folder)
        model = getattr(model, "vision_model", model)
        assert n_before_patches(model) == BEFORE[family]
    close(vectors_of(folder, "mean"), expected)


@pytest.mark.parametrize("family", WHOLE)
def test_projected_embeddings_are_those_compared_with_text(image_folders, family):
    folder = image_folders(family)
    found = vectors_of(folder, "projected")
    close(found, read(folder, whole=True))
    assert found.shape == (3, {"CLIP": 6, "SigLIP": 8}[family])
    fitted = PretrainedImageVectors(folder, pooling="projected", size=(16, 16)).fit(0)
    copied = pickle.loads(pickle.dumps(fitted))
    assert np.array_equal(copied.transform(COLUMN), fitted.transform(COLUMN))


def test_a_vision_model_with_its_projection_alone(image_folders):
    folder = image_folders("CLIP")
    model = CLIPVisionModelWithProjection.from_pretrained(folder)
    scale = {name: tuple(each) for name, each in SCALE.items()}
    fitted = PretrainedImageVectors(model, pooling="projected", **scale).fit(None)
    close(fitted.transform(COLUMN), read(folder, whole=True))
    assert hasattr(model, "visual_projection")


@pytest.mark.parametrize("family", WITHOUT_STATE)
def test_models_without_a_state_of_the_image(image_folders, family):
    with pytest.raises(SourceError, match=r"has neither a \[CLS\].*pooling='mean'"):
        vectors_of(image_folders(family), "cls")


@pytest.mark.parametrize("family", NO_IMAGES)
def test_models_that_read_patches_are_refused(image_folders, family):
    with pytest.raises(SourceError, match=r"NaFlex .* take SigLIP2 of a fixed size"):
        PretrainedImageVectors(image_folders(family)).fit(None)
    config = AutoConfig.from_pretrained(image_folders(family)).vision_config
    with pytest.raises(SourceError, match="image_model: a NaFlex model"):
        describe_backbone(config, "image", "X")


@pytest.mark.parametrize("family", ["ViT", "CLIP vision", "Swin"])
def test_models_that_project_nothing(image_folders, family):
    with pytest.raises(SourceError, match="takes a whole CLIP or SigLIP model"):
        vectors_of(image_folders(family), "projected")


@pytest.mark.parametrize("family", ["ViT", "DeiT"])
def test_weights_that_a_folder_lacks_change_nothing(image_folders, family):
    # A classifier of images has no pooler, which a model without a head would draw.
    folder = image_folders(family)
    before = torch.random.get_rng_state()
    one, other = (PretrainedImageVectors(folder).fit(None) for _ in range(2))
    assert one.fingerprint_ == other.fingerprint_
    copied = pickle.loads(pickle.dumps(one))
    assert np.array_equal(copied.transform(COLUMN), one.transform(COLUMN))
    assert torch.equal(torch.random.get_rng_state(), before)


# -- the scale of pixels ---------------------------------------------------------------


def scale_of(folder, name, settings):
    for each in ("processor_config.json", "preprocessor_config.json"):
        (folder / each).unlink(missing_ok=True)
    (folder / name).write_text(
        settings if isinstance(settings, str) else json.dumps(settings), "utf-8"
    )
    fitted = PretrainedImageVectors(folder).fit(None)
    return np.array([fitted.image_mean_, fitted.image_std_])


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return save_image_model(tmp_path_factory.mktemp("own") / "vit", "ViT")


def test_files_of_several_versions(folder):
    expected = [*SCALE.values()]
    old, new = "preprocessor_config.json", "processor_config.json"
    assert np.array_equal(scale_of(folder, old, SCALE), expected)
    nested = {"image_processor": SCALE, "processor_class": "CLIPProcessor"}
    assert np.array_equal(scale_of(folder, new, nested), expected)
    # the newer one counts where both are there
    (folder / old).write_text(json.dumps({"do_normalize": False}), "utf-8")
    fitted = PretrainedImageVectors(folder).fit(None)
    assert fitted.image_mean_ == tuple(SCALE["image_mean"])
    # a processor without images beside an image processor of its own
    (folder / new).write_text("{}", "utf-8")
    fitted = PretrainedImageVectors(folder).fit(None)
    assert (fitted.image_mean_, fitted.image_std_) == ((0.0,) * 3, (1.0,) * 3)


@pytest.mark.parametrize(
    ("settings", "made"),
    [
        ({"do_normalize": False}, lambda p: p / 255),
        ({"do_normalize": False, "do_rescale": False}, lambda p: p),
        ({**SCALE, "do_rescale": False}, None),
        ({"image_mean": [0.5], "image_std": 0.25}, lambda p: (p / 255 - 0.5) / 0.25),
        (
            {
                "do_normalize": False,
                "rescale_factor": 1 / 127.5,
                "rescale_offset": True,
            },
            lambda p: p / 127.5 - 1,
        ),
    ],
)
def test_pixels_reach_the_model_as_its_own_processor_makes_them(folder, settings, made):
    mean, std = scale_of(folder, "preprocessor_config.json", settings)
    pixels = np.arange(0, 256, 15.0)
    for channel in range(3):
        found = (pixels / 255 - mean[channel]) / std[channel]
        if made is None:
            own = SCALE["image_mean"][channel], SCALE["image_std"][channel]
            expected = (pixels - own[0]) / own[1]
        else:
            expected = made(pixels)
        np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("settings", [{}, {"image_mean": [0.1] * 3}])
def test_a_guessed_scale_is_said(folder, settings):
    with pytest.warns(ProfilingWarning, match="nothing says how .*vit.*pixels"):
        scale_of(folder, "preprocessor_config.json", settings)
    model = ViTModel(vit())
    with pytest.warns(ProfilingWarning, match="nothing says how 'ViTModel'"):
        PretrainedImageVectors(model).fit(None)
    given = {"image_mean": (0.5,) * 3, "image_std": (0.5,) * 3}
    PretrainedImageVectors(model, **given).fit(None)


@pytest.mark.parametrize(
    ("settings", "match"),
    [
        ({"image_mean": [0.5, 0.5], "image_std": 1}, "image_mean .* 3 channels"),
        ({"image_mean": 0.5, "image_std": ["a"]}, "image_std .* one number"),
        ({"image_mean": 0.5, "image_std": 0}, r"deviations of \(0.0, 0.0, 0.0\)"),
        ({"image_mean": 0.5, "image_std": float("nan")}, "must be above 0; give"),
        ("{", "preprocessor_config.json' is no JSON"),
        pytest.param("[" * 100_000, "preprocessor_config.json' is no JSON", id="deep"),
    ],
)
def test_unusable_scales_are_refused(folder, settings, match):
    with pytest.raises(SourceError, match=match):
        scale_of(folder, "preprocessor_config.json", settings)
