"""Whole LLaVA, GLM-4 and BART folders do what transformers does with them."""

from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import pytest
import torch
from pretrained_folders import (
    SCALE,
    make_tokenizer,
    save_bart,
    save_glm4,
    save_llava,
)
from skorch.helper import SliceDict
from transformers import AutoTokenizer

from sklearn_profiling.containers import ImageBags
from sklearn_profiling.estimators import (
    CausalLMProfileClassifier,
    LLaVAProfileClassifier,
    ODTUPClassifier,
    ProfileGeneratorClassifier,
    VLPMABSAClassifier,
)
from sklearn_profiling.exceptions import ProfilingError, SourceError
from sklearn_profiling.pipelines import make_profile_generator, make_unified_systems
from sklearn_profiling.sources import SubwordSegmenter

TEXTS = [["good place", "food"], ["bad food"], None, ["place"]]
COUNTS = [2, 1, 1, 0]
PIXELS = np.random.default_rng(0).integers(0, 256, (4, 3, 16, 16)).astype(np.uint8)
Y = pd.DataFrame({"Stars": ["3", "4"] * 2, "Category": ["Pizza", "Coffee"] * 2})


def users(folder):
    cut = SubwordSegmenter(folder)
    return SliceDict(
        text=cut.fit_transform(TEXTS),
        images=ImageBags(PIXELS, np.cumsum([0, *COUNTS])),
    )


def fit(estimator, folder, **params):
    """All weights stay as they are in the folder."""
    still = {"learning_rate": 1e-30, "max_epochs": 1, "dropout": 0.0, "n_beams": 2}
    settings = {"language_model": folder, "random_state": 0, **still, **params}
    X = users(folder)
    return estimator(**settings).fit(X, Y), X


def likelihoods(model, X, user, written):
    """What the loss reads of one user."""
    batch, _ = model._dataset(X[[user]]).__getitems__([0])
    module = model.net_.module_.eval()
    with torch.no_grad():
        reading = module.readings(module.inputs(batch.sources))[0]
        states, there = module.encode(reading)
        return module.token_log_likelihoods(states, there, written)[0], states, there


def ids_of(folder, text):
    return AutoTokenizer.from_pretrained(folder).encode(text, add_special_tokens=False)


def log_likely(logits, written):
    each = torch.log_softmax(logits.float(), dim=1)
    return each[range(len(written)), written]


PROFILE = "Stars : 3 ; Category : Pizza ;"


# -- LLaVA -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def llavas(tmp_path_factory):
    found = {}

    def get(layer=-2, strategy="default"):
        if (str(layer), strategy) not in found:
            folder = tmp_path_factory.mktemp("llava")
            model = save_llava(folder, layer=layer, strategy=strategy)
            found[str(layer), strategy] = folder, model
        return found[str(layer), strategy]

    return get


def own_llava(folder, model, user, written, *, chat, n_states):
    """What transformers makes of the prompt, written out by hand."""
    text = " ".join(TEXTS[user] or [])
    n = COUNTS[user]
    if chat:
        tokenizer = AutoTokenizer.from_pretrained(folder)
        content = [{"type": "image"}] * n + [
            {"type": "text", "text": f"{text} Profile:"}
        ]
        turns = tokenizer.apply_chat_template(
            [{"role": "user", "content": content}],
            tokenize=False,
            add_generation_prompt=True,
        )
        prompt = tokenizer.encode(turns)
    else:
        prompt = ids_of(folder, "<s> " + "<image> " * n + text + " Profile:")
    image = model.config.image_token_id
    ids = [k for t in prompt for k in ([image] * n_states if t == image else [t])]
    assert ids.count(image) == n * n_states
    first = sum(COUNTS[:user])
    mean, std = (torch.tensor(each).reshape(3, 1, 1) for each in SCALE.values())
    pixels = torch.from_numpy(PIXELS[first : first + n].copy()).float() / 255
    with torch.no_grad():
        logits = model(
            input_ids=torch.tensor([ids + written]),
            pixel_values=(pixels - mean) / std if n else None,
        ).logits[0]
    return log_likely(logits[len(ids) - 1 : -1], written)


@pytest.mark.parametrize("chat", [False, True])
@pytest.mark.parametrize(
    ("layer", "strategy", "n_states"),
    [(-2, "default", 4), (1, "full", 5), ([0, -1], "default", 4)],
)
def test_a_llava_folder_reads_as_transformers_does(
    llavas, chat, layer, strategy, n_states
):
    folder, own = llavas(layer, strategy)
    model, X = fit(LLaVAProfileClassifier, folder, chat=chat)
    written = ids_of(folder, PROFILE)
    for user in range(4):
        found, *_ = likelihoods(model, X, user, torch.tensor([written]))
        expected = own_llava(folder, own, user, written, chat=chat, n_states=n_states)
        torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)
    back = pickle.loads(pickle.dumps(model))
    for one, other in zip(back.predict_proba(X), model.predict_proba(X), strict=True):
        assert np.array_equal(one, other)


def test_all_parts_of_a_llava_are_trained_but_frozen_ones(llavas):
    folder, own = llavas()
    before = own.model.multi_modal_projector.linear_1.weight
    settings = {
        "learning_rate": 1e-3,
        "frozen": ("embeddings", "layers", "image_encoder"),
    }
    model, _ = fit(LLaVAProfileClassifier, folder, **settings)
    module = model.net_.module_
    assert not torch.equal(module.fusion.linear_1.weight, before)
    tower = own.model.vision_tower.state_dict()
    for name, value in module.image_encoder.model.state_dict().items():
        assert torch.equal(value, tower[name]), name
    lora, _ = fit(LLaVAProfileClassifier, folder, lora={"rank": 2})
    names = {n for n, p in lora.net_.module_.named_parameters() if p.requires_grad}
    assert any("lora_A" in name for name in names)


def test_a_llava_as_an_object_and_without_images(llavas):
    folder, own = llavas()
    with pytest.warns(match="nothing says how"):
        model, _ = fit(
            LLaVAProfileClassifier, folder, language_model=own, tokenizer=folder
        )
    projector = model.net_.module_.fusion
    own_projector = own.model.multi_modal_projector
    assert torch.equal(projector.linear_1.weight, own_projector.linear_1.weight)
    assert projector is not own_projector
    text = SliceDict(text=users(folder)["text"])
    for estimator in (LLaVAProfileClassifier, CausalLMProfileClassifier):
        alone = estimator(
            language_model=folder, learning_rate=1e-30, max_epochs=1, random_state=0
        ).fit(text, Y)
        written = ids_of(folder, PROFILE)
        found, *_ = likelihoods(alone, text, 3, torch.tensor([written]))
        expected = own_llava(folder, own, 3, written, chat=False, n_states=4)
        torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)


def test_the_pipeline_reads_images_of_the_size_of_a_llava(llavas):
    folder, own = llavas()
    systems = make_unified_systems(llava=folder, llm_tokenizer=folder)
    found = systems["LLaVA"].get_params()
    assert found["classifier__language_model"] == folder
    assert found["classifier__image_model"] is None
    assert found["sources__images__size"] == (16, 16)
    for given, size in ((own, (16, 16)), ("absent", (32, 32)), (None, (32, 32))):
        model = LLaVAProfileClassifier(language_model=given)
        made = make_profile_generator(classifier=model)
        assert made.get_params()["sources__images__size"] == size


def test_a_llava_of_a_configuration_has_random_weights(llavas):
    folder, own = llavas()
    model, X = fit(
        LLaVAProfileClassifier, folder, language_model=own.config, tokenizer=folder
    )
    assert model.predict(X).shape == (4, 2)


def test_a_llava_brings_its_own_vision_model(llavas):
    folder, _ = llavas()
    with pytest.raises(SourceError, match="leave image_model at None"):
        fit(LLaVAProfileClassifier, folder, image_model={"model_type": "vit"})


# -- GLM -------------------------------------------------------------------------------


@pytest.mark.parametrize("single", ["[gMASK] <sop> $A", None])
@pytest.mark.parametrize("chat", [False, True])
def test_glm_begins_and_takes_turns_as_its_tokenizer_writes(tmp_path, single, chat):
    own = save_glm4(tmp_path, single=single)
    model, X = fit(CausalLMProfileClassifier, tmp_path, chat=chat)
    text = "[gMASK]<sop>" + chat * "<|user|>" + " good place food Profile:"
    text += chat * "<|assistant|>"
    ids, written = ids_of(tmp_path, text), ids_of(tmp_path, PROFILE)
    found, _, there = likelihoods(model, X, 0, torch.tensor([written]))
    with torch.no_grad():
        logits = own(torch.tensor([ids + written])).logits[0]
    expected = log_likely(logits[len(ids) - 1 : -1], written)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)
    assert there.sum() == len(ids)
    tokenizer = AutoTokenizer.from_pretrained(tmp_path)
    end = tokenizer.convert_tokens_to_ids("<|endoftext|>")
    assert model._parts.tokens.ids[:2] == (end, end)
    # nothing that is generated is continued beyond the first end
    greedy = own.generate(
        torch.tensor([ids]),
        max_new_tokens=model._parts.tokens.longest,
        do_sample=False,
        eos_token_id=end,
        pad_token_id=end,
    )[0, len(ids) :].tolist()
    wanted = tokenizer.decode(greedy, skip_special_tokens=True)
    assert model.set_params(n_beams=1).generate(X[[0]])[0] == wanted


def test_a_chat_needs_a_template(tmp_path):
    save_glm4(tmp_path)
    special = ["<|endoftext|>", "[gMASK]", "<sop>", "<|user|>", "<|assistant|>"]
    bare = make_tokenizer(special, None)
    with pytest.raises(ProfilingError, match="tokenizer with a chat template"):
        fit(CausalLMProfileClassifier, tmp_path, chat=True, tokenizer=bare)
    silent = AutoTokenizer.from_pretrained(tmp_path)
    silent.chat_template = "nothing"
    with pytest.raises(ProfilingError, match="does not write the text of a user"):
        fit(CausalLMProfileClassifier, tmp_path, chat=True, tokenizer=silent)
    config = {"model_type": "llama", "hidden_size": 8, "num_attention_heads": 2}
    with pytest.raises(ProfilingError, match="parameter chat needs a tokenizer"):
        fit(CausalLMProfileClassifier, tmp_path, language_model=config, chat=True)


def test_images_stand_before_the_text_of_a_chat_without_them(tmp_path):
    save_glm4(tmp_path)
    vit = {"model_type": "vit", "hidden_size": 8, "num_hidden_layers": 1}
    vit |= {"num_attention_heads": 2, "intermediate_size": 8}
    vit |= {"image_size": 16, "patch_size": 8}
    model, X = fit(LLaVAProfileClassifier, tmp_path, image_model=vit, chat=True)
    openings = model._parts.around.openings
    opening = ids_of(tmp_path, "[gMASK]<sop><|user|>")
    assert openings == [[opening], *([opening, *[[]] * n] for n in (1, 2, 3))]
    assert model.predict(X).shape == (4, 2)


# -- BART ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def bart(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bart")
    return folder, save_bart(folder)


def own_bart(own, ids, written):
    """The loss of transformers, whose labels are <s>, the text and </s>."""
    labels = torch.tensor([[3, *written, 1]])
    with torch.no_grad():
        logits = own(input_ids=torch.tensor([ids]), labels=labels).logits[0]
    return log_likely(logits[1:], [*written, 1])


@pytest.mark.parametrize(
    "estimator", [ProfileGeneratorClassifier, VLPMABSAClassifier, ODTUPClassifier]
)
def test_bart_reads_and_writes_its_own_begin(bart, estimator):
    folder, own = bart
    model, _ = fit(
        estimator,
        folder,
        **({} if estimator is ODTUPClassifier else {"image_model": None}),
    )
    X = SliceDict(text=users(folder)["text"])
    model = model.fit(X, Y)
    per_task = estimator is ODTUPClassifier
    asked = "Stars :" if per_task else ""
    ids = [3, *ids_of(folder, f"good place food {asked}"), 1]
    written = ids_of(folder, "3 ;" if per_task else PROFILE)
    found, states, _ = likelihoods(model, X, 0, torch.tensor([[*written, 1]]))
    torch.testing.assert_close(found, own_bart(own, ids, written), rtol=1e-4, atol=1e-4)
    with torch.no_grad():
        encoded = own.get_encoder()(torch.tensor([ids])).last_hidden_state
    torch.testing.assert_close(states, encoded, rtol=1e-4, atol=1e-4)


def test_answers_and_search_of_bart_agree_with_its_loss(bart):
    folder, own = bart
    model, X = fit(ProfileGeneratorClassifier, folder, n_beams=1, image_model=None)
    X = SliceDict(text=X["text"])
    model = model.fit(X, Y)
    ids = [3, *ids_of(folder, "good place food"), 1]
    prompt = model.net_.module_.prompts[0]
    scores = [
        float(own_bart(own, ids, prompt.prefix + answer)[2:-1].sum())
        for answer in prompt.answers
    ]
    found = torch.log(torch.tensor(model.predict_proba(X)[0][0]))
    expected = torch.tensor(scores, dtype=found.dtype).log_softmax(0)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)
    tokens = own.generate(
        torch.tensor([ids]),
        num_beams=1,
        do_sample=False,
        max_new_tokens=model._parts.tokens.longest + 1,
        forced_bos_token_id=3,
        forced_eos_token_id=None,
    )[0]
    wanted = AutoTokenizer.from_pretrained(folder).decode(
        tokens, skip_special_tokens=True
    )
    assert model.generate(X[[0]])[0] == wanted


def test_patches_of_vlp_mabsa_stand_before_the_text_of_bart(bart):
    folder, own = bart
    vit = {"model_type": "vit", "hidden_size": 8, "num_hidden_layers": 1}
    vit |= {"num_attention_heads": 2, "intermediate_size": 8}
    vit |= {"image_size": 16, "patch_size": 8}
    model, X = fit(VLPMABSAClassifier, folder, image_model=vit)
    batch, _ = model._dataset(X[[1]]).__getitems__([0])
    module = model.net_.module_.eval()
    with torch.no_grad():
        inputs = module.inputs(batch.sources)
        states, _ = module.encode(inputs)
        seen, _ = module.image_states(inputs.images)
        words = own.get_input_embeddings()(
            torch.tensor([[3, *ids_of(folder, "bad food"), 1]])
        )
        marks = module.fusion.marks[:, None].unsqueeze(1)
        vectors = [marks[0], module.fusion.project(seen), marks[1], words]
        read = own.get_encoder()(inputs_embeds=torch.cat(vectors, dim=1))
    torch.testing.assert_close(states, read.last_hidden_state, rtol=1e-4, atol=1e-4)


# -- the prompt of captions ------------------------------------------------------------


@pytest.mark.parametrize(
    "estimator",
    [ProfileGeneratorClassifier, CausalLMProfileClassifier, ODTUPClassifier],
)
def test_the_prompt_of_captions(tmp_path, estimator):
    causal = estimator is CausalLMProfileClassifier
    (save_glm4 if causal else save_bart)(tmp_path)
    text = users(tmp_path)["text"]
    X = SliceDict(text=text, captions=text[[1, 0, 2, 3]])
    more = {"captions": "captions"}
    if estimator is not ODTUPClassifier:
        more["paradigm"] = "unimodal"
    model = estimator(
        language_model=tmp_path,
        learning_rate=1e-30,
        max_epochs=1,
        random_state=0,
        prompt="place : {text} dark : {captions} bright",
        **more,
    ).fit(X, Y)
    batch, _ = model._dataset(X).__getitems__(range(4))
    module = model.net_.module_
    ids, there = module._read_text(module.readings(module.inputs(batch.sources))[0])
    decoded = AutoTokenizer.from_pretrained(tmp_path)
    behind = " Profile :" if causal else ""
    asked = " Stars :" if estimator is ODTUPClassifier else ""
    for user, (one, other) in enumerate(zip([0, 1, 2, 3], [1, 0, 2, 3], strict=True)):
        row = decoded.decode(ids[user][there[user]], skip_special_tokens=True)
        texts = [" ".join(TEXTS[k] or []) for k in (one, other)]
        wanted = f"place : {texts[0]} dark : {texts[1]} bright{asked}{behind}"
        assert row.split() == wanted.split()
    assert int(there.sum(dim=1).max()) <= module.max_tokens
    module.max_tokens = module.around.n_tokens + 2 + len(asked.split())
    ids, there = module._read_text(module.readings(module.inputs(batch.sources))[0])
    assert int(there.sum(dim=1).max()) == module.max_tokens


@pytest.mark.parametrize("prompt", ["{text}", "{captions} {text}", "{text}{text}"])
def test_a_prompt_without_its_fields_is_refused(tmp_path, prompt):
    save_bart(tmp_path)
    text = users(tmp_path)["text"]
    X = SliceDict(text=text, captions=text)
    model = ProfileGeneratorClassifier(
        language_model=tmp_path, paradigm="unimodal", prompt=prompt
    )
    with pytest.raises(ProfilingError, match=r"must hold \{text\} and then"):
        model.fit(X, Y)
    words = {"model_type": "t5", "d_model": 8}
    model.set_params(language_model=words, prompt="{text} {captions}")
    with pytest.raises(ProfilingError, match="parameter prompt needs a tokenizer"):
        model.fit(X, Y)
