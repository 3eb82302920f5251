"""The generator as a whole: what it reads, what a user's company changes, scores."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from generators import make_generator, make_users

from sklearn_profiling.architectures.generators._tokens import (
    ProfileInputs,
    TaskPrompt,
    TokenRows,
)
from sklearn_profiling.architectures.generators.profile_generator import (
    ConcatenatedStates,
    SelectiveAttention,
    TextGuidedAttention,
)
from sklearn_profiling.training.generators.modes import TextMode
from sklearn_profiling.training.state import load_numpy_state, state_as_numpy


@pytest.fixture(scope="module")
def fitted():
    X, y = make_users()
    settings = {"paradigm": "both", "dtype": "float64", "max_epochs": 1}
    return make_generator(**settings).fit(X, y), X


def inputs_of(model, X):
    batch, _ = model._dataset(X).__getitems__(range(len(X["text"])))
    module = model.net_.module_.eval()
    return module, module.inputs(batch.sources)


def test_without_images_the_state_is_that_of_the_text(fitted):
    model, X = fitted
    module, inputs = inputs_of(model, X)
    states, mask = module.encode(inputs)
    no_images = ProfileInputs(inputs.reviews, inputs.captions, inputs.profile, None)
    text, same_mask = module.encode(no_images)
    assert torch.equal(mask, same_mask)
    assert torch.equal(states[5], text[5])  # nobody's pictures
    assert not torch.equal(states[0], text[0])
    # and where nobody of the batch has an image
    empty = X["images"][[5, 5]].user_starts
    assert empty[-1] == 0
    module, alone = inputs_of(model, X[[5]])
    assert alone.images.n_images == 0
    one, one_mask = module.encode(alone)
    torch.testing.assert_close(one[0], states[5][mask[5]], rtol=0, atol=1e-12)
    assert one_mask.all()


def test_a_user_with_images_is_the_same_alone_and_in_company(fitted):
    model, X = fitted
    module, inputs = inputs_of(model, X)
    states, mask = module.encode(inputs)
    _, alone = inputs_of(model, X[[2]])
    one, _ = module.encode(alone)
    torch.testing.assert_close(one[0], states[2][mask[2]], rtol=0, atol=1e-12)
    part, part_mask = module.encode(inputs.part(2, 6))
    torch.testing.assert_close(part[0][part_mask[0]], one[0], rtol=0, atol=1e-12)


def test_long_texts_lose_reviews_first(fitted):
    model, X = fitted
    module, _ = inputs_of(model, X)
    reviews = TokenRows.from_lists([[5] * 30, [5] * 30, [], [5] * 2])
    captions = TokenRows.from_lists([[6] * 3, [6] * 30, [6] * 30, []])
    inputs = ProfileInputs(reviews, captions, TokenRows.empty(4), None)
    ids, is_token = module._read_text(inputs)
    rows = [row[there].tolist() for row, there in zip(ids, is_token, strict=True)]
    assert module.max_tokens == 20
    assert rows == [
        [5] * 16 + [6] * 3 + [1],
        [5] * 10 + [6] * 9 + [1],
        [6] * 19 + [1],
        [5, 5, 1],
    ]


def test_scores_are_the_chain_rule(fitted):
    model, X = fitted
    module, inputs = inputs_of(model, X)
    with torch.no_grad():
        states, mask = module.encode(inputs.part(0, 2))
        prompt = module.prompts[0]
        prefixes = [[7, 8, *prompt.prefix], prompt.prefix]
        scores = module.answer_scores(states, mask, prefixes, prompt)
        module.normalise_length = True
        mean = module.answer_scores(states, mask, prefixes, prompt)
        module.normalise_length = False
        for user in range(2):
            for k, answer in enumerate(prompt.answers):
                row = prefixes[user] + answer
                before = torch.tensor([[module.ids.start, *row[:-1]]])
                logits = module.language_model(
                    encoder_outputs=(states[[user]],),
                    attention_mask=mask[[user]].long(),
                    decoder_input_ids=before,
                ).logits[0]
                each = torch.log_softmax(logits, dim=1)[range(len(row)), row]
                expected = float(each[len(prefixes[user]) :].sum())
                assert float(scores[user, k]) == pytest.approx(expected, abs=1e-10)
                short = expected / len(answer)
                assert float(mean[user, k]) == pytest.approx(short, abs=1e-10)


def test_classes_of_sets_have_the_probability_of_their_sets():
    members = torch.tensor([[1, 1, 0], [0, 1, 0], [0, 0, 1]], dtype=torch.bool)
    prompt = TaskPrompt([], [[1], [2], [3]], members, is_set=True)
    scores = torch.tensor([[0.5, 0.3, 0.2]]).log()
    found = torch.sigmoid(prompt.class_logits(scores))
    np.testing.assert_allclose(found.numpy(), [[0.5, 0.8, 0.2]], rtol=1e-6)
    single = prompt._replace(members=torch.eye(3, dtype=torch.bool), is_set=False)
    torch.testing.assert_close(single.class_logits(scores), scores)
    everywhere = TaskPrompt([], [[1]], torch.ones(1, 1, dtype=torch.bool), is_set=True)
    assert torch.sigmoid(everywhere.class_logits(torch.zeros(2, 1))).eq(1).all()


def test_tied_tables_are_saved_once(fitted):
    model, _ = fitted
    state = state_as_numpy(model.net_.module_)
    assert sum("embed_tokens" in name or "shared" in name for name in state) == 1
    load_numpy_state(model.net_.module_, state)


def test_text_mode_is_the_fusion_without_images(fitted):
    model, X = fitted
    module, inputs = inputs_of(model, X)
    states, _ = module.encode(TextMode()(inputs, None, None))
    assert states.shape[0] == 12


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
