"""LLaVAProfileClassifier: images before text, users without any, parts, room."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
import torch
from causal_models import LLAMA, SMALL, VIT, eight_users, make_users, parameters_of
from skorch.callbacks import Callback
from skorch.helper import SliceDict

from sklearn_profiling.architectures.generators._tokens import ProfileInputs
from sklearn_profiling.architectures.generators.llava import ProjectedImages
from sklearn_profiling.containers import ImageBags
from sklearn_profiling.estimators import LLaVAProfileClassifier
from sklearn_profiling.exceptions import SourceError


def make_llava(**params):
    """A model that fits in a moment."""
    return LLaVAProfileClassifier(
        **{**SMALL, "image_model": VIT, "max_epochs": 1, **params}
    )


@pytest.fixture(scope="module")
def trained():
    """Eight users, memorised: stars in the text, the category in images."""
    X, y = eight_users()
    model = make_llava(max_epochs=40, learning_rate=0.01, dtype="float64")
    return model.fit(X, y), X, y


def prompts(model, X, rows):
    batch, _ = model._dataset(X[rows]).__getitems__(range(len(rows)))
    module = model.net_.module_.eval()
    inputs = module.inputs(batch.sources)
    return module, inputs, *module.encode(inputs)


def test_eight_users_are_memorised(trained):
    model, X, y = trained
    assert model.score(X, y) == 1.0
    assert model.repairs_ == {"Stars": 0, "Favorite Category": 0}
    other = ImageBags(255 - X["images"].pixels, X["images"].user_starts)
    moved = SliceDict(**{**X, "images": other})
    assert (model.predict(moved)[:, 1] != y["Favorite Category"].to_numpy()).any()


def test_company_changes_nothing_and_pickling_no_bit(trained):
    model, X, _ = trained
    texts, likely = model.generate(X), model.predict_proba(X)
    for user in range(4):
        assert model.generate(X[[user]])[0] == texts[user]
        for one, many in zip(model.predict_proba(X[[user]]), likely, strict=True):
            np.testing.assert_allclose(one[0], many[user], rtol=0, atol=1e-6)
    copy = pickle.loads(pickle.dumps(model))
    for one, other in zip(copy.predict_proba(X), likely, strict=True):
        assert np.array_equal(one, other)


def test_without_images_the_prompt_is_the_text(trained):
    model, _, _ = trained
    X, _ = make_users(16)
    nobody = 5
    assert np.diff(X["images"].user_starts)[nobody] == 0
    module, inputs, states, there = prompts(model, X, [4, nobody, 6])
    text = ProfileInputs(inputs.reviews, inputs.captions, inputs.profile, None)
    alone, is_token = module.encode(text)
    assert torch.equal(states[1][there[1]], alone[1][is_token[1]])
    _, _, own, _ = prompts(model, X, [nobody])
    assert torch.equal(own[0], alone[1][is_token[1]])
    assert there[0].sum() > is_token[0].sum()
    without = SliceDict(**{**X, "images": X["images"][[nobody] * 16]})
    company, single = model.predict_proba(X)[0], model.predict_proba(without)[0]
    np.testing.assert_allclose(company[nobody], single[nobody], rtol=0, atol=1e-6)


def test_patches_stand_between_the_start_and_the_text(trained):
    model, X, _ = trained
    module, inputs, states, there = prompts(model, X, [0, 1])
    counts = np.diff(X["images"].user_starts)[:2].clip(max=3)
    seen, is_image = module.image_states(inputs.images)
    assert is_image.sum(dim=1).tolist() == [4 * n for n in counts]  # 2 x 2 patches
    for user, n_images in enumerate(counts):
        own = states[user][there[user]]
        expected = module.fusion.project(seen[user, : 4 * n_images])
        torch.testing.assert_close(own[1 : 1 + 4 * n_images], expected)


def test_the_projector_is_two_layers_with_gelu():
    fusion = ProjectedImages(2, 1)
    with torch.no_grad():
        for layer, weight in ((0, [[1.0], [-1.0]]), (2, [[1.0, 0.0], [0.0, 2.0]])):
            fusion.project[layer].weight.copy_(torch.tensor(weight))
            fusion.project[layer].bias.zero_()
        found = fusion(torch.tensor([[[1.0]]]))
    # GELU(1) = 0.841345, GELU(-1) = -0.158655
    expected = torch.tensor([[0.841345, -0.317311]])
    torch.testing.assert_close(found[0], expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize("settings", [{}, {"lora": {"rank": 2}}])
def test_gradients_reach_all_that_is_trained(settings):
    X, y = eight_users()
    norms = {}

    class Norms(Callback):
        def on_grad_computed(self, net, named_parameters, **kwargs):
            for name, value in named_parameters:
                if value.requires_grad:
                    # B of LoRA begins as zero, and so does the gradient of A.
                    seen = norms.get(name, 0.0)
                    norms[name] = max(seen, float(value.grad.norm()))

    make_llava(callbacks=[Norms()], max_epochs=2, **settings).fit(X, y)
    assert min(norms.values()) > 0
    language = [name for name in norms if name.startswith("language_model")]
    assert all("lora_" in name for name in language) == bool(settings)
    assert "fusion.project.2.weight" in norms
    assert any(name.startswith("image_encoder") for name in norms)


def test_the_projector_alone_can_be_trained():
    X, y = eight_users()
    frozen = ("embeddings", "layers", "image_encoder")
    start = parameters_of(make_llava(learning_rate=1e-30).fit(X, y))
    model = make_llava(frozen=frozen).fit(X, y)
    moved = {
        name
        for name, value in parameters_of(model).items()
        if not torch.allclose(value, start[name], rtol=0, atol=1e-20)
    }
    projector = {f"fusion.project.{k}.{p}" for k in (0, 2) for p in ("weight", "bias")}
    assert moved == {*projector, "language_model.lm_head.weight"}


def test_text_alone_and_images_alone_will_do():
    X, y = eight_users()
    for name in ("text", "images"):
        some = SliceDict(**{name: X[name]})
        model = make_llava(frozen=("image_encoder",), n_beams=2).fit(some, y)
        assert model.predict(some).shape == (8, 2)
    with pytest.raises(SourceError, match="reads text, images"):
        make_llava().fit(SliceDict(network=np.zeros((8, 2))), y)


def test_images_take_room_of_the_text():
    X, y = eight_users()
    longest = make_llava().fit(X, y)._parts.tokens.longest
    language = {**LLAMA, "max_position_embeddings": longest + 12 + 5}
    model = make_llava(language_model=language, n_beams=2).fit(X, y)
    assert model.net_.module_.max_tokens == 5
    *_, there = prompts(model, X, range(8))
    assert int(there.sum(dim=1).max()) <= 17
    assert model.predict(X).shape == (8, 2)
    language["max_position_embeddings"] = longest + 12 + 2
    with pytest.raises(SourceError, match="and images 12, so that no text"):
        make_llava(language_model=language).fit(X, y)


def test_an_absent_folder_says_what_to_put_there(tmp_path):
    X, y = eight_users()
    with pytest.raises(SourceError, match=r"image_model.*no folder.*vit-base-patch16"):
        make_llava(image_model=tmp_path / "absent").fit(X, y)
    with pytest.raises(SourceError, match=r"language_model.*no folder.*Llama-2-7b"):
        make_llava(language_model=tmp_path / "absent").fit(X, y)
