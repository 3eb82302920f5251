"""KV cache of a decoder: what it saves changes no score and no text."""

from __future__ import annotations

import pytest
import torch
from generators import BART
from transformers import AutoConfig, AutoModelForSeq2SeqLM
from transformers.modeling_outputs import BaseModelOutput

from sklearn_profiling.architectures.generators._kv_cache import (
    RepeatedLayer,
    cache_name,
    cache_states,
    score_answers,
    select_rows,
)

T5 = {"d_model": 16, "d_kv": 4, "d_ff": 16, "num_layers": 2, "num_heads": 2}
MODELS = {
    "t5": {
        "model_type": "t5",
        **T5,
        "is_encoder_decoder": True,
        "decoder_start_token_id": 0,
    },
    "bart": {**BART, "decoder_layers": 2, "decoder_start_token_id": 0},
}
ANSWERS = [[5, 6, 7], [5, 8], [9, 6, 3, 4], [4]]
PREFIXES = [[0, 5, 6], [0, 3], [0, 7, 8]]


@pytest.fixture(params=MODELS)
def model(request):
    config = AutoConfig.for_model(
        **MODELS[request.param],
        vocab_size=12,
        eos_token_id=1,
        pad_token_id=0,
        tie_word_embeddings=False,
    )
    with torch.random.fork_rng():
        torch.manual_seed(0)
        made = AutoModelForSeq2SeqLM.from_config(config)
        # Random weights hardly tell states apart; larger ones do.
        with torch.no_grad():
            for weight in made.parameters():
                weight.mul_(2.0)
    return made.eval()


@pytest.fixture
def states(model):
    drawn = torch.Generator().manual_seed(1)
    states = torch.randn(3, 6, model.config.hidden_size, generator=drawn)
    is_state = torch.arange(6) < torch.tensor([[6], [2], [4]])
    return states, is_state


def whole_rows(model, states, is_state, *, mean):
    """Each answer scored as a text of its own, from its first token on."""
    scores = torch.zeros(len(PREFIXES), len(ANSWERS))
    for user, before in enumerate(PREFIXES):
        for k, answer in enumerate(ANSWERS):
            row = before + answer
            logits = model(
                encoder_outputs=(states[[user]],),
                attention_mask=is_state[[user]].long(),
                decoder_input_ids=torch.tensor([row[:-1]]),
                use_cache=False,
            ).logits[0]
            each = logits.log_softmax(dim=1)[range(len(row) - 1), row[1:]]
            each = each[len(before) - 1 :]
            scores[user, k] = each.mean() if mean else each.sum()
    return scores


@pytest.mark.parametrize("mean", [False, True])
def test_scores_are_those_of_whole_rows(model, states, mean):
    with torch.no_grad():
        expected = whole_rows(model, *states, mean=mean)
        cache = cache_states(model, *states, 0)
        for _ in range(2):  # the cache is left as it was
            scores = score_answers(
                model, cache, states[1], PREFIXES, ANSWERS, normalise_length=mean
            )
            torch.testing.assert_close(scores, expected, rtol=1e-6, atol=1e-5)
        short = score_answers(
            model, cache, states[1], PREFIXES, [[5], [4]], normalise_length=mean
        )
    torch.testing.assert_close(short[:, 1], expected[:, 3], rtol=1e-6, atol=1e-5)


def test_many_answers_are_scored_in_parts(model, states, monkeypatch):
    name = "sklearn_profiling.architectures.generators._kv_cache._ROWS_AT_ONCE"
    with torch.no_grad():
        cache = cache_states(model, *states, 0)
        arguments = (model, cache, states[1], PREFIXES, ANSWERS)
        expected = score_answers(*arguments, normalise_length=False)
        monkeypatch.setattr(name, 1)
        parts = score_answers(*arguments, normalise_length=False)
    torch.testing.assert_close(parts, expected, rtol=1e-6, atol=1e-5)


def test_states_are_projected_once_a_user(model, states):
    cross = [
        module
        for name, module in model.named_modules()
        if name.endswith(("EncDecAttention.k", "encoder_attn.k_proj"))
    ]
    assert len(cross) == 2
    rows = []
    for layer in cross:
        layer.register_forward_hook(lambda _, given, __: rows.append(len(given[0])))
    with torch.no_grad():
        cache = cache_states(model, *states, 0)
        for _ in range(3):
            score_answers(
                model, cache, states[1], PREFIXES, ANSWERS, normalise_length=False
            )
    assert rows == [3, 3]


@pytest.mark.parametrize("n_beams", [1, 3])
def test_beam_search_writes_what_it_writes_without_the_cache(model, states, n_beams):
    how = {"num_beams": n_beams, "max_new_tokens": 8, "do_sample": False}
    mask = states[1].long()
    with torch.no_grad():
        expected = model.generate(
            encoder_outputs=BaseModelOutput(last_hidden_state=states[0].clone()),
            attention_mask=mask,
            **how,
        )
        cache = cache_states(model, *states, 0)
        found = model.generate(
            encoder_outputs=BaseModelOutput(last_hidden_state=states[0].clone()),
            attention_mask=mask,
            **{
                cache_name(model): select_rows(
                    cache, torch.arange(3), n_beams, at_once=True
                )
            },
            **how,
        )
    assert torch.equal(found, expected)
    assert len({tuple(row) for row in found.tolist()}) > 1


def test_layers_are_repeated_when_read():
    keys, values = torch.rand(2, 1, 3, 4), torch.rand(2, 1, 3, 4)
    shared = RepeatedLayer(keys, values, 2)
    assert torch.equal(shared.keys, keys[[0, 0, 1, 1]])
    assert torch.equal(shared.values, values[[0, 0, 1, 1]])
    assert shared.get_seq_length() == 3
    assert RepeatedLayer(keys, values, 1).keys is keys


def test_a_cache_is_given_by_the_name_that_the_model_knows() -> None:
    class Old:
        def forward(self, past_key_values: object) -> None: ...

    class New:
        def forward(self, cache: object) -> None: ...

    assert (cache_name(Old()), cache_name(New())) == ("past_key_values", "cache")
