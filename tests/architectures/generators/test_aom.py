"""Attention to attributes and the graph over similarity, by hand."""

from __future__ import annotations

import numpy as np
import torch
from generators import BART, VIT, make_users

from sklearn_profiling.architectures.generators.aom import (
    AttributeAttention,
    SimilarityGraph,
)
from sklearn_profiling.estimators import AoMClassifier


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
