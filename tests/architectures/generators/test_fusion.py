"""Fusion of text and images: by hand, without images, in company."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from sklearn_profiling.architectures.generators.profile_generator import (
    ConcatenatedStates,
    SelectiveAttention,
    TextGuidedAttention,
)

FUSIONS = {
    "attention": lambda: TextGuidedAttention(6, 4, 12),
    "selective": lambda: SelectiveAttention(6, 4),
}


def states(n_users=3, n_tokens=5, n_images=2):
    torch.manual_seed(0)
    text = torch.randn(n_users, n_tokens, 6, dtype=torch.float64)
    images = torch.randn(n_users, n_images, 4, dtype=torch.float64)
    is_token = torch.ones(n_users, n_tokens, dtype=torch.bool)
    is_image = torch.ones(n_users, n_images, dtype=torch.bool)
    return text, is_token, images, is_image


@pytest.mark.parametrize("name", FUSIONS)
def test_without_an_image_the_text_state_is_left_bit_by_bit(name):
    fusion = FUSIONS[name]().double()
    text, is_token, images, is_image = states()
    is_image[1] = False
    fused, mask = fusion(text, is_token, images, is_image)
    assert torch.equal(fused[1], text[1])
    assert not torch.equal(fused[0], text[0])
    assert torch.equal(mask, is_token)
    # whatever stands in the place of the image, and its gradient is zero, not NaN
    images = images.clone().requires_grad_()
    fusion(text, is_token, images, is_image)[0].square().sum().backward()
    assert (images.grad[1] == 0).all()
    assert images.grad.isfinite().all()


@pytest.mark.parametrize("name", FUSIONS)
def test_company_and_padding_change_nothing(name):
    fusion = FUSIONS[name]().double()
    text, is_token, images, is_image = states()
    is_image[0, 1] = False
    fused, _ = fusion(text, is_token, images, is_image)
    alone, _ = fusion(text[:1], is_token[:1], images[:1, :1], is_image[:1, :1])
    torch.testing.assert_close(fused[:1], alone, rtol=0, atol=1e-12)


def test_text_guided_attention_by_hand():
    fusion = TextGuidedAttention(2, 2, 2).double()
    with torch.no_grad():
        for layer in (fusion.project, fusion.feed_forward[0], fusion.feed_forward[2]):
            layer.weight.copy_(torch.eye(2))
            layer.bias.zero_()
        fusion.gate_text.weight.copy_(torch.eye(2))
        fusion.gate_image.weight.copy_(2 * torch.eye(2))
    text = torch.tensor([[[1.0, 0.0]]], dtype=torch.float64)
    images = torch.tensor([[[1.0, 0.0], [0.0, 1.0]]], dtype=torch.float64)
    there = torch.ones(1, 2, dtype=torch.bool)
    fused, _ = fusion(text, there[:, :1], images, there)
    # scores 1/sqrt 2 and 0, so the weights are (1 + 1/sqrt 2)/2 and (1 - 1/sqrt 2)/2
    seen = np.array([(1 + 0.5**0.5) / 2, (1 - 0.5**0.5) / 2])
    expected = np.array([1.0, 0.0]) + np.tanh([1 + 2 * seen[0], 2 * seen[1]]) * seen
    np.testing.assert_allclose(fused[0, 0].detach().numpy(), expected, atol=1e-12)


def test_attention_leaves_images_out_that_say_nothing_of_the_text():
    fusion = TextGuidedAttention(2, 2, 2).double()
    with torch.no_grad():
        fusion.project.weight.copy_(torch.eye(2))
        fusion.project.bias.zero_()
    text = torch.tensor([[[9.0, 0.0]]], dtype=torch.float64)
    images = torch.tensor([[[1.0, 0.0], [-1.0, 5.0]]], dtype=torch.float64)
    there = torch.ones(1, 2, dtype=torch.bool)
    images.requires_grad_()
    fusion(text, there[:, :1], images, there)[0].sum().backward()
    assert (images.grad[0, 1] == 0).all()
    assert (images.grad[0, 0] != 0).any()


def test_concatenation_appends_and_masks():
    fusion = ConcatenatedStates(6, 4).double()
    text, is_token, images, is_image = states()
    is_image[1] = False
    fused, mask = fusion(text, is_token, images, is_image)
    assert fused.shape == (3, 7, 6)
    assert torch.equal(fused[:, :5], text)
    torch.testing.assert_close(fused[:, 5:], fusion.project(images))
    assert mask[1].tolist() == [True] * 5 + [False] * 2


def test_selective_attention_by_hand():
    fusion = SelectiveAttention(2, 2).double()
    with torch.no_grad():
        for layer in (fusion.query, fusion.key, fusion.value):
            layer.weight.copy_(torch.eye(2))
            layer.bias.zero_()
        fusion.gate.weight.zero_()
        fusion.gate.bias.fill_(np.log(3.0))
    text = torch.tensor([[[2.0**0.5, 0.0]]], dtype=torch.float64)
    images = torch.tensor([[[1.0, 0.0], [0.0, 1.0]]], dtype=torch.float64)
    there = torch.ones(1, 2, dtype=torch.bool)
    fused, _ = fusion(text, there[:, :1], images, there)
    first = np.e / (np.e + 1)
    expected = [0.25 * 2**0.5 + 0.75 * first, 0.75 * (1 - first)]
    np.testing.assert_allclose(fused[0, 0].detach().numpy(), expected, atol=1e-12)
