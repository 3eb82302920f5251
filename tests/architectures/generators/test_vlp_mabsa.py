"""Patches of images among tokens: averages, order, room."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from generators import BART, VIT, make_users
from hand_sources import image_source
from transformers import ViTConfig, ViTModel

from sklearn_profiling.architectures.generators._image_states import ImageStates
from sklearn_profiling.architectures.generators.vlp_mabsa import (
    AttributeAttention,
    PatchTokens,
    SimilarityGraph,
)
from sklearn_profiling.architectures.layers.images import FlatImages
from sklearn_profiling.estimators import AoMClassifier, VLPMABSAClassifier
from sklearn_profiling.exceptions import SourceError


def test_patches_are_averaged_with_their_neighbours():
    torch.manual_seed(0)
    settings = {**VIT, "image_size": (6, 10), "patch_size": 2}
    del settings["model_type"]
    model = ViTModel(ViTConfig(**settings), add_pooling_layer=False).double().eval()
    images = FlatImages(torch.randint(0, 256, (2, 3, 6, 10)), torch.arange(2), 2)
    source = image_source((3, 6, 10))
    patches = ImageStates(model, source, patches=True).double()(images)
    averages = ImageStates(model, source, grid=2).double()(images)
    table = patches.detach().numpy().reshape(2, 3, 5, 8)
    # three rows into two share the one in the middle, five columns likewise
    expected = [
        table[:, rows, columns].mean(axis=(1, 2))
        for rows in (slice(0, 2), slice(1, 3))
        for columns in (slice(0, 3), slice(2, 5))
    ]
    found = averages.detach().numpy()
    np.testing.assert_allclose(found, np.stack(expected, axis=1), rtol=0, atol=1e-6)
    fine = ImageStates(model, source, grid=9).double()(images)
    torch.testing.assert_close(fine, patches)


def test_patches_stand_between_marks_before_the_text_without_gaps():
    fusion = PatchTokens(2, 3).double()
    tokens = torch.arange(12.0, dtype=torch.float64).reshape(2, 3, 2)
    is_token = torch.tensor([[True, True, False], [True, True, True]])
    patches = torch.arange(12.0, dtype=torch.float64).reshape(2, 2, 3)
    is_patch = torch.tensor([[True, False], [False, False]])
    vectors, kinds = fusion(tokens, is_token, patches, is_patch)
    assert kinds.tolist() == [[3, 2, 3, 1, 1], [1, 1, 1, 0, 0]]
    weight = fusion.project.weight.detach().numpy()
    bias = fusion.project.bias.detach().numpy()
    marks = fusion.marks.detach().numpy()
    patch = weight @ np.array([0.0, 1.0, 2.0]) + bias
    first = [marks[0], patch, marks[1], [0.0, 1.0], [2.0, 3.0]]
    found = vectors.detach().numpy()
    np.testing.assert_allclose(found[0], np.stack(first), rtol=0, atol=1e-6)
    assert (found[1, :3] == [[6, 7], [8, 9], [10, 11]]).all()


def make(**params):
    settings = {"language_model": BART, "image_model": VIT, "max_epochs": 1}
    return VLPMABSAClassifier(**{**settings, "random_state": 0, **params})


def test_text_gets_the_places_that_patches_leave():
    X, y = make_users()
    room = {}
    for grid, most in ((1, 3), (2, 3), (2, 7)):
        model = make(patch_grid=grid, max_images=most).fit(X, y)
        room[grid, most] = model.net_.module_.max_tokens
    assert room == {(1, 3): 32 - 3 - 2, (2, 3): 32 - 12 - 2, (2, 7): 32 - 28 - 2}
    assert make(max_tokens=5).fit(X, y).net_.module_.max_tokens == 5
    assert make().fit(X["text"], y).net_.module_.max_tokens == 32
    with pytest.raises(SourceError, match="max_images=8 images of 4 patches leave no"):
        make(max_images=8).fit(X, y)
    with pytest.raises(SourceError, match="max_images must be a number"):
        make(max_images=None).fit(X, y)


def test_t5_has_places_without_end():
    X, y = make_users()
    t5 = {"model_type": "t5", "d_model": 8, "d_kv": 4, "d_ff": 8, "num_layers": 1}
    model = make(language_model={**t5, "num_heads": 2}, max_images=None)
    assert model.fit(X, y).net_.module_.max_tokens == 600
    assert model.predict(X).shape == (12, 2)


def numbers(layer):
    bias = 0.0 if layer.bias is None else layer.bias.detach().numpy()
    return layer.weight.detach().numpy(), bias


def apply(layer, rows):
    weight, bias = numbers(layer)
    return rows @ weight.T + bias


def sigmoid(values):
    return 1 / (1 + np.exp(-values))


def test_attention_to_attributes_by_hand():
    torch.manual_seed(0)
    layer = AttributeAttention(4).double()
    states = torch.randn(2, 3, 4, dtype=torch.float64)
    names = torch.randn(2, 4, dtype=torch.float64)
    found = layer(states, names).detach().numpy()
    for user in range(2):
        for k in range(3):
            h = states[user, k].numpy()
            each = [
                float(
                    apply(
                        layer.score,
                        np.tanh(apply(layer.state, h) + apply(layer.attribute, a)),
                    )[0]
                )
                for a in names.numpy()
            ]
            weights = np.exp(each) / np.exp(each).sum()
            seen = weights @ names.numpy()
            gate = sigmoid(apply(layer.gate, np.concatenate([h, seen])))
            expected = gate * h + (1 - gate) * seen
            np.testing.assert_allclose(found[user, k], expected, rtol=0, atol=1e-6)


def test_graph_by_hand():
    torch.manual_seed(1)
    graph = SimilarityGraph(2).double()
    # mark, patch, mark, a token like the patch, one unlike it, padding
    rows = [[1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0], [-1.0, 0.5], [5.0, 0.0]]
    states = torch.tensor([rows], dtype=torch.float64)
    kinds = torch.tensor([[3, 2, 3, 1, 1, 0]])
    expected = np.eye(6)
    expected[1, 3] = expected[3, 1] = 0.5**0.5
    expected /= expected.sum(axis=1, keepdims=True)
    edges = graph.edges(states, kinds).numpy()[0]
    np.testing.assert_allclose(edges, expected, rtol=0, atol=1e-6)
    nodes = np.array(rows)
    for layer in graph.layers:
        nodes = np.maximum(apply(layer, expected @ nodes), 0)
    found = graph(states, kinds)[0].detach().numpy()
    np.testing.assert_allclose(found, nodes, rtol=0, atol=1e-6)
    assert (nodes > 0).any()


def test_attributes_are_the_encoders_average_over_their_names():
    X, y = make_users()
    model = AoMClassifier(
        language_model=BART, image_model=VIT, max_epochs=1, random_state=0
    ).fit(X, y)
    module = model.net_.module_.eval()
    found = module.attributes()
    for vector, prompt in zip(found, module.prompts, strict=True):
        ids = torch.tensor([prompt.prefix])
        read = module.language_model.get_encoder()(ids).last_hidden_state[0]
        torch.testing.assert_close(vector, read.mean(dim=0), rtol=0, atol=1e-5)
    assert len(found) == 2


def test_what_the_decoder_reads_is_the_sum_of_both_steps():
    X, y = make_users()
    model = AoMClassifier(
        language_model=BART, image_model=VIT, max_epochs=1, random_state=0
    ).fit(X, y)
    module = model.net_.module_.eval()
    batch, _ = model._dataset(X).__getitems__(range(12))
    inputs = module.inputs(batch.sources)
    states, kinds = module.read(inputs)
    mixed = module.attention(states, module.attributes())
    found, there = module.encode(inputs)
    torch.testing.assert_close(found, mixed + module.graph(mixed, kinds))
    assert torch.equal(there, kinds > 0)
    # user 5 shows nothing: the graph holds each word alone
    alone = mixed[[5]]
    for layer in module.graph.layers:
        alone = torch.relu(layer(alone))
    torch.testing.assert_close(found[5], mixed[5] + alone[0], rtol=0, atol=1e-5)
