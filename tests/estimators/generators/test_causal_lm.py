"""CausalLMProfileClassifier: prompts, search, scoring, LoRA, freezing, errors."""

from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import pytest
import torch
from causal_models import (
    LLAMA,
    NEOX,
    eight_users,
    make_causal,
    make_users,
    parameters_of,
)
from skorch.callbacks import Callback
from skorch.helper import SliceDict
from tiny_models import N_TOKENS, REVIEWS, tokenizer
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from transformers import AutoModelForCausalLM, LlamaConfig, T5Config

from sklearn_profiling.containers import TokenMessages
from sklearn_profiling.exceptions import ProfilingError, SourceError
from sklearn_profiling.sources import SubwordSegmenter
from sklearn_profiling.training.checkpoint import NetCheckpoint

TOKENS = {**LLAMA, "vocab_size": N_TOKENS}


def same(one, other):
    return all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


@pytest.fixture(scope="module")
def trained():
    """Eight users with captions, memorised."""
    X, y = eight_users()
    model = make_causal(paradigm="unimodal", max_epochs=25, dtype="float64")
    return model.fit(X, y), X, y


class KilledError(Exception):
    pass


def make_dataset(model, X, y):
    """All users with their labels, as one batch."""
    labels = model._codec.encode(y)
    users = model._dataset_of(model._dataset(X).sources, labels)
    return users.__getitems__(range(len(y)))


# -- what it writes ------------------------------------------------------------


def test_eight_users_are_memorised(trained):
    model, X, y = trained
    assert model.score(X, y) == 1.0
    assert model.repairs_ == {"Stars": 0, "Favorite Category": 0}
    for text, (stars, category) in zip(model.generate(X), y.to_numpy(), strict=True):
        names = " , ".join(sorted(category))
        assert text == f"Stars : {stars} ; Favorite Category : {names} ;"
    by_score = pickle.loads(pickle.dumps(model)).set_params(decoding="scoring")
    assert by_score.score(X, y) == 1.0


def test_company_and_size_of_batches_change_nothing(trained):
    model, X, _ = trained
    texts, likely = model.generate(X), model.predict_proba(X)
    for user in range(8):
        alone = X[[user]]
        assert model.generate(alone)[0] == texts[user]
        for one, all_users in zip(model.predict_proba(alone), likely, strict=True):
            np.testing.assert_allclose(one[0], all_users[user], rtol=0, atol=1e-6)
    copy = pickle.loads(pickle.dumps(model))
    copy.net_.iterator_valid__batch_size = 3
    batches = copy.net_.get_iterator(copy._dataset(X), training=False)
    assert len([*batches]) == 3
    assert (copy.generate(X) == texts).all()
    for few, many in zip(copy.predict_proba(X), likely, strict=True):
        np.testing.assert_allclose(few, many, rtol=0, atol=1e-6)


def test_pickling_keeps_every_bit(trained):
    model, X, _ = trained
    copy = pickle.loads(pickle.dumps(model))
    assert same(copy.predict_proba(X), model.predict_proba(X))


def test_prompts_lie_on_the_right_and_begin_and_end_the_same(trained):
    model, X, _ = trained
    X = SliceDict(**{**X, "text": X["text"][[0, 0, 1, 2, 3, 4, 5, 6]]})
    texts = [None, [["good"] * 30], *X["text"].tolist()[2:]]
    words = X["text"].vocabulary
    X = SliceDict(**{**X, "text": TokenMessages.from_lists(texts, words)})
    module = model.net_.module_
    batch, _ = model._dataset(X).__getitems__(range(8))
    states, there = module.encode(module.inputs(batch.sources))
    assert (there.long().diff(dim=1) >= 0).all()
    assert there[:, -1].all()
    table = module.language_model.get_input_embeddings().weight
    for user in range(8):
        own = states[user][there[user]]
        assert torch.equal(own[0], table[module.ids.start])
        assert torch.equal(own[-1], table[module.ids.end])
    n_captions = len(X["captions"].tolist()[0][:3]) * 2
    assert int(there[0].sum()) == 2 + n_captions
    # cut before the request, never the request itself
    module.max_tokens, most = 9, module.max_tokens
    _, short = module.encode(module.inputs(batch.sources))
    module.max_tokens = most
    assert int(short.sum(dim=1).max()) == 9


def test_scores_are_the_chain_rule(trained):
    model, X, _ = trained
    module = model.net_.module_.eval()
    batch, _ = model._dataset(X[:2]).__getitems__([0, 1])
    with torch.no_grad():
        states, there = module.encode(module.inputs(batch.sources))
        prompt = module.prompts[1]
        prefixes = [[7, 8, *prompt.prefix], prompt.prefix]
        found = module.answer_scores(states, there, prefixes, prompt)
        module.normalise_length = True
        means = module.answer_scores(states, there, prefixes, prompt)
        module.normalise_length = False
        for user in range(2):
            read = states[user][there[user]]
            for k, answer in enumerate(prompt.answers):
                row = torch.tensor(prefixes[user] + answer)
                vectors = module.language_model.get_input_embeddings()(row)
                logits = module.language_model(
                    inputs_embeds=torch.cat([read, vectors]).unsqueeze(0)
                ).logits[0, len(read) - 1 : -1]
                each = torch.log_softmax(logits, dim=1)[range(len(row)), row]
                expected = float(each[len(prefixes[user]) :].sum())
                assert float(found[user, k]) == pytest.approx(expected, abs=1e-5)
                mean = expected / len(answer)
                assert float(means[user, k]) == pytest.approx(mean, abs=1e-5)


def test_the_search_continues_as_the_loss_does(trained):
    """Greedy search takes the token that the loss calls most likely, step by step."""
    model, X, _ = trained
    model = pickle.loads(pickle.dumps(model)).set_params(n_beams=1)
    module = model.net_.module_.eval()
    batch, _ = model._dataset(X[:1]).__getitems__([0])
    with torch.no_grad():
        states, there = module.encode(module.inputs(batch.sources))
        written: list[int] = []
        n_words = module.language_model.config.vocab_size
        while len(written) < 20 and module.ids.end not in written:
            tries = torch.tensor([[*written, k] for k in range(n_words)])
            likely = module.token_log_likelihoods(
                states.expand(n_words, -1, -1), there.expand(n_words, -1), tries
            )
            written.append(int(likely[:, -1].argmax()))
    assert model._parts.decode(written[:-1]) == model.generate(X[:1])[0]


# -- kinds of models -----------------------------------------------------------


def test_a_decoder_without_positions_reads_what_it_is_told_to():
    X, y = eight_users()
    alibi = {"model_type": "bloom", "hidden_size": 32, "n_layer": 1, "n_head": 2}
    model = make_causal(language_model=alibi, n_beams=1).fit(X, y)
    assert model.net_.module_.max_tokens == model.max_tokens
    assert model.predict(X).shape == (8, 2)


@pytest.mark.parametrize(
    "kind",
    [
        {"model_type": "gpt2"},
        {"model_type": "glm", "head_dim": 16},
        {"model_type": "opt", "word_embed_proj_dim": 32, "ffn_dim": 32},
    ],
    ids=lambda kind: kind["model_type"],
)
def test_other_decoders_do_the_same_alone_and_in_company(kind):
    X, y = eight_users()
    language = {**LLAMA, **kind}
    if kind["model_type"] == "gpt2":
        del language["num_key_value_heads"]
    model = make_causal(language_model=language, dropout=0.3, dtype="float64")
    model = model.fit(X, y)
    texts, likely = model.generate(X), model.predict_proba(X)[0]
    for user in range(4):
        alone = model.predict_proba(X[[user]])[0]
        np.testing.assert_allclose(alone[0], likely[user], rtol=0, atol=1e-6)
        assert model.generate(X[[user]])[0] == texts[user]
    config = model.net_.module_.language_model.config
    assert 0.3 in [getattr(config, k, 0) for k in ("attention_dropout", "attn_pdrop")]


def test_a_folder_and_an_object_give_the_same_weights(tmp_path):
    config = LlamaConfig(**{**TOKENS, "pad_token_id": None, "eos_token_id": [1, 2]})
    with torch.random.fork_rng():
        given = AutoModelForCausalLM.from_config(config)
    given.generation_config.eos_token_id = 1
    given.save_pretrained(tmp_path)
    own = tokenizer()
    own.save_pretrained(tmp_path)
    X = SubwordSegmenter(tmp_path).fit_transform(REVIEWS)
    y = pd.DataFrame({"Stars": [1, 2, 1, 2, 1]})
    still = {"learning_rate": 1e-30, "n_beams": 2}
    folder = make_causal(language_model=tmp_path, **still).fit(X, y)
    same_object = make_causal(language_model=given, tokenizer=own, **still).fit(X, y)
    table = given.get_input_embeddings().weight
    for model in (folder, same_object):
        language = model.net_.module_.language_model
        assert torch.allclose(language.get_input_embeddings().weight, table)
        ids = model._parts.tokens.ids
        assert (ids.end, ids.pad, ids.start) == (1, 0, 1)
        assert (
            model._parts.decode(model.net_.module_.around.closing).strip() == "Profile:"
        )
    assert same(folder.predict_proba(X), same_object.predict_proba(X))
    assert set(folder.predict(X)[:, 0]) <= {1, 2}
    # a configuration has no weights, so that the tokenizer's own ids count
    fresh = make_causal(language_model=TOKENS, tokenizer=own, request="").fit(X, y)
    assert fresh._parts.tokens.ids[:3] == (0, 1, 3)
    assert fresh.net_.module_.around.closing == [1]


def test_a_model_that_cannot_be_read_is_named(tmp_path):
    X, y = eight_users()
    with pytest.raises(SourceError, match=r"no folder.*example of Llama-2-7b-hf"):
        make_causal(language_model=tmp_path / "absent").fit(X, y)
    with pytest.raises(SourceError, match=r"a decoder that continues a text.*'t5'"):
        make_causal(language_model=T5Config()).fit(X, y)
    words = Tokenizer(WordLevel({"good": 0, "[U]": 1}, unk_token="[U]"))  # noqa: S106 - no password
    endless = {**LLAMA, "model_type": "qwen2"}
    with pytest.raises(SourceError, match="no token that ends a text"):
        make_causal(language_model=endless, tokenizer=words).fit(
            SubwordSegmenter(words).fit_transform([["good"]] * 8), y
        )
    short = {**LLAMA, "max_position_embeddings": 12}
    with pytest.raises(SourceError, match="reads 12 tokens; the longest profile"):
        make_causal(language_model=short).fit(X, y)
    with pytest.raises(SourceError, match="reads text"):
        make_causal().fit(SliceDict(images=X["images"]), y)
    with pytest.raises(SourceError, match="paradigm='unimodal' reads captions"):
        make_causal(paradigm="unimodal").fit(SliceDict(text=X["text"]), y)


# -- training ------------------------------------------------------------------


@pytest.mark.parametrize("settings", [{}, {"gradient_checkpointing": True}])
def test_gradients_reach_every_parameter(settings):
    X, y = eight_users()
    norms = {}

    class Norms(Callback):
        def on_grad_computed(self, net, named_parameters, **kwargs):
            for name, value in named_parameters:
                norms[name] = float(value.grad.norm())

    make_causal(callbacks=[Norms()], **settings).fit(X, y)
    assert norms
    assert min(norms.values()) > 0


def test_parts_of_a_batch_add_up_and_missing_labels_cost_nothing():
    X, y = make_users()
    exact = {"language_model": NEOX, "dtype": "float64", "dropout": 0.0}
    exact["batch_size"] = 12
    whole = make_causal(**exact).fit(X, y)
    parts = make_causal(**exact, micro_batch_size=5).fit(X, y)
    for name, value in parameters_of(whole).items():
        torch.testing.assert_close(value, parameters_of(parts)[name], rtol=0, atol=1e-7)
    # User 0 has no Stars, user 4 no category; nothing is asked of the net about them.
    batch, labels = make_dataset(whole, X, y)
    inputs = whole.net_.module_.inputs(batch.sources)
    for user, task in ((0, 0), (4, 1)):
        part = labels.part(user, user + 1)
        costs = whole.net_._task_losses(inputs.part(user, user + 1), part)
        assert costs[task] == 0.0
        assert costs[1 - task] > 0.0


def test_all_modes_of_the_framework_teach_a_decoder():
    X, y = eight_users()
    seen = []

    class Steps(Callback):
        def on_grad_computed(self, net, named_parameters, **kwargs):
            seen.extend(type(mode).__name__ for mode in net._modes_of_step)

    settings = {"paradigm": "unimodal", "batch_size": 8}
    modes = ("fusion", "text", "masked_image", "masked_profile")
    model = make_causal(joint_modes=modes, callbacks=[Steps()], **settings).fit(X, y)
    assert seen == ["FusionMode", "TextMode", "MaskedImageMode", "MaskedProfileMode"]
    assert len({*model._parts.tokens.ids[:4]}) == 4
    assert model._parts.tokens.ids.mask < model._parts.tokens.ids.offset


def test_a_killed_training_with_lora_goes_on_to_the_same_bits(tmp_path, monkeypatch):
    X, y = eight_users()
    settings = {"lora": {"dropout": 0.1}, "max_epochs": 2}
    whole = make_causal(**settings).fit(X, y)
    model = make_causal(**settings, checkpoint=tmp_path)
    save = NetCheckpoint.save

    def save_and_die(self, net):
        save(self, net)
        raise KilledError

    monkeypatch.setattr(NetCheckpoint, "save", save_and_die)
    with pytest.raises(KilledError):
        model.fit(X, y)
    monkeypatch.undo()
    assert len([*tmp_path.iterdir()]) == 1
    model.fit(X, y)
    assert same(model.predict_proba(X), whole.predict_proba(X))
    assert not [*tmp_path.iterdir()]


def test_lora_trains_its_matrices_alone():
    X, y = eight_users()
    settings = {"lora": {"rank": 2, "alpha": 4}, "learning_rate": 0.05}
    start = make_causal(**{**settings, "learning_rate": 1e-30}).fit(X, y)
    model = make_causal(**settings, max_epochs=3).fit(X, y)
    before, after = parameters_of(start), parameters_of(model)
    moved = {name for name in after if not torch.allclose(after[name], before[name])}
    assert moved
    assert all("lora_" in name for name in moved)
    assert moved == {name for name in after if "lora_" in name}
    assert after[next(n for n in after if "lora_A" in n)].shape == (2, 32)
    assert model.history_[-1]["train_loss"] < start.history_[-1]["train_loss"]
    copy = pickle.loads(pickle.dumps(model))
    assert same(copy.predict_proba(X), model.predict_proba(X))
    everywhere = {"target_modules": ["q_proj", "o_proj"], "dropout": 0.1}
    model = make_causal(lora=everywhere).fit(X, y)
    assert any("o_proj.lora_B" in name for name in parameters_of(model))


@pytest.mark.parametrize(
    ("lora", "message"),
    [
        ({"ranks": 2}, r"takes the keys \['rank'.*got \['ranks'\]"),
        ({"rank": 0}, "a rank of at least 1"),
        ({"target_modules": ["nothing"]}, "no layers to adapt in a model of type"),
    ],
)
def test_lora_that_cannot_be_is_refused(lora, message):
    X, y = eight_users()
    with pytest.raises(ProfilingError, match=message):
        make_causal(lora=lora).fit(X, y)


@pytest.mark.parametrize("part", ["embeddings", "layers"])
def test_frozen_parts_stay(part):
    X, y = eight_users()
    start = parameters_of(make_causal(learning_rate=1e-30).fit(X, y))
    model = make_causal(frozen=(part,)).fit(X, y)
    for name, value in parameters_of(model).items():
        still = part == ("embeddings" if "embed_tokens" in name else "layers")
        still = still and "lm_head" not in name
        assert torch.allclose(value, start[name], rtol=0, atol=1e-20) == still, name


def test_something_must_be_left_to_train():
    X, y = eight_users()
    tied = {**LLAMA, "tie_word_embeddings": True}
    with pytest.raises(ProfilingError, match="nothing is left to train"):
        make_causal(language_model=tied, frozen=("embeddings", "layers")).fit(X, y)
    with pytest.raises(ProfilingError, match="parameter frozen must be"):
        make_causal(frozen=("decoder",)).fit(X, y)
