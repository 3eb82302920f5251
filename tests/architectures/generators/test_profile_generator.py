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
from sklearn_profiling.training.generators.modes import TextMode


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
    state = model.net_.module_.state_dict()
    assert sum("embed_tokens" in name or "shared" in name for name in state) == 1
    model.net_.module_.load_state_dict(state)


def test_text_mode_is_the_fusion_without_images(fitted):
    model, X = fitted
    module, inputs = inputs_of(model, X)
    states, _ = module.encode(TextMode()(inputs, None, None))
    assert states.shape[0] == 12
