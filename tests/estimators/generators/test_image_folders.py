"""Classifiers with image models of every family: what is read, and round trips."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
import torch
from generators import BART, make_users
from hand_sources import image_source
from pretrained_folders import SCALE
from transformers import AutoModel

from sklearn_profiling.architectures.generators._image_states import ImageStates
from sklearn_profiling.architectures.layers.images import FlatImages
from sklearn_profiling.estimators import (
    AoMClassifier,
    COOPNetClassifier,
    LLaVAProfileClassifier,
    ProfileGeneratorClassifier,
    SelectAttClassifier,
    VLPMABSAClassifier,
)
from sklearn_profiling.exceptions import SourceError
from sklearn_profiling.training.generators.backbones import (
    build_backbone,
    describe_backbone,
)

FAMILIES = ["ViT", "DeiT", "BEiT", "DINOv2 with registers"]
FAMILIES += ["CLIP", "CLIP vision", "SigLIP", "SigLIP vision"]
BEFORE = {"DeiT": 2, "DINOv2 with registers": 4, "SigLIP": 0, "SigLIP vision": 0}
X, y = make_users(8)


def fit(estimator, folder):
    model = estimator(image_model=folder, max_epochs=1, random_state=0)
    if "max_tokens" in model.get_params():
        model.set_params(max_tokens=20)
    if estimator not in (LLaVAProfileClassifier, COOPNetClassifier):
        model.set_params(language_model={**BART, "max_position_embeddings": 64})
    return model.fit(X, y)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("given", ["folder", "object"])
def test_states_and_patches_are_those_of_transformers(image_folders, family, given):
    folder = image_folders(family)
    own = AutoModel.from_pretrained(folder).eval()
    settings = describe_backbone(folder, "image", "X")
    made = build_backbone(folder if given == "folder" else own, "image", settings)
    rebuilt = build_backbone(None, "image", settings)
    assert [*rebuilt.state_dict()] == [*made.state_dict()]
    source = image_source((3, 16, 16))
    images = FlatImages(torch.randint(0, 256, (2, 3, 16, 16)), torch.arange(2), 2)
    scaled = (images.pixels / 255 - source.mean[:, None, None].float()) / (
        source.scale[:, None, None].float()
    )
    own = getattr(own, "vision_model", own)
    with torch.no_grad():
        output = own(pixel_values=scaled)
        state = ImageStates(made.eval(), source)(images)[:, 0]
        patches = ImageStates(made.eval(), source, patches=True)
        found = patches(images)
    pooled = family.partition(" ")[0] in ("CLIP", "SigLIP")
    expected = output.pooler_output if pooled else output.last_hidden_state[:, 0]
    torch.testing.assert_close(state, expected, rtol=1e-5, atol=1e-5)
    expected = output.last_hidden_state[:, BEFORE.get(family, 1) :]
    assert expected.shape[1] == patches.n_states == 4
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("family", ["ViT", "CLIP", "SigLIP"])
@pytest.mark.parametrize(
    "estimator",
    [
        AoMClassifier,
        COOPNetClassifier,
        LLaVAProfileClassifier,
        ProfileGeneratorClassifier,
        SelectAttClassifier,
        VLPMABSAClassifier,
    ],
)
def test_round_trips_change_no_bit(image_folders, estimator, family):
    model = fit(estimator, image_folders(family))
    expected = model.predict_proba(X)
    back = pickle.loads(pickle.dumps(model))
    for one, other in zip(back.predict_proba(X), expected, strict=True):
        assert np.array_equal(one, other)


def test_a_classifier_takes_the_scale_of_the_folder(image_folders):
    model = fit(ProfileGeneratorClassifier, image_folders("CLIP"))
    encoder = model.net_.module_.image_encoder
    np.testing.assert_allclose(encoder.mean.flatten(), SCALE["image_mean"], rtol=1e-6)
    np.testing.assert_allclose(
        encoder.deviation.flatten(), SCALE["image_std"], rtol=1e-6
    )


@pytest.mark.parametrize("family", ["Swin", "ConvNeXt"])
def test_models_without_a_state_of_the_image_are_refused(image_folders, family):
    with pytest.raises(SourceError, match=r"neither \[CLS\] nor a learned pooler"):
        fit(ProfileGeneratorClassifier, image_folders(family))
