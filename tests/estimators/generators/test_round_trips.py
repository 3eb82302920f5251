"""Saved models with folders of every family give the same probabilities, bit by bit."""

from __future__ import annotations

import copy
import io
import pickle

import joblib
import numpy as np
import pytest
import torch
from generators import VIT
from pretrained_folders import CAUSAL, SEQ2SEQ, make_readers
from transformers import AutoModelForCausalLM, AutoModelForSeq2SeqLM, T5EncoderModel

from sklearn_profiling.estimators import (
    AoMClassifier,
    CausalLMProfileClassifier,
    COOPNetClassifier,
    LLaVAProfileClassifier,
    ODTUPClassifier,
    ProfileGeneratorClassifier,
    SelectAttClassifier,
    VLPMABSAClassifier,
)
from sklearn_profiling.training.state import (
    load_numpy_state,
    share_parameters,
    shared_parameters,
    state_as_numpy,
)

READERS = [
    ProfileGeneratorClassifier,
    ODTUPClassifier,
    SelectAttClassifier,
    VLPMABSAClassifier,
    AoMClassifier,
]
CASES = [
    (estimator, family, tied)
    for families, estimators in (
        (SEQ2SEQ, READERS),
        (CAUSAL, [CausalLMProfileClassifier, LLaVAProfileClassifier]),
    )
    for family in families
    for tied in (True, False)
    for estimator in estimators
]
NAMES = [f"{e.__name__}-{f}-{'tied' if t else 'untied'}" for e, f, t in CASES]
X, y = make_readers()


def fit(estimator, **params):
    model = estimator(max_epochs=1, learning_rate=0.01, random_state=0, max_tokens=20)
    known = model.get_params()
    if "image_model" in known and "image_model" not in params:
        params["image_model"] = VIT
    return model.set_params(**params).fit(X, y)


@pytest.fixture(scope="module")
def models(language_folders):
    """Fit each estimator once."""
    found = {}

    def get(estimator, family, tied):
        case = (estimator, family, tied)
        if case not in found:
            folder = language_folders(family, tied=tied)
            found[case] = fit(estimator, language_model=folder)
        return found[case]

    return get


def through_joblib(model):
    stream = io.BytesIO()
    joblib.dump(model, stream)
    stream.seek(0)
    return joblib.load(stream)


def same(one, other):
    return all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize(("estimator", "family", "tied"), CASES, ids=NAMES)
def test_round_trips_change_no_bit(models, estimator, family, tied):
    model = models(estimator, family, tied)
    language = model.net_.module_.language_model
    head, table = language.get_output_embeddings(), language.get_input_embeddings()
    assert (head.weight is table.weight) == tied
    expected = model.predict_proba(X)
    back = pickle.loads(pickle.dumps(model))
    assert same(back.predict_proba(X), expected)
    settings = language.config.to_dict()
    rebuilt = back.net_.module_.language_model.config.to_dict()
    for each in (settings, rebuilt):
        # where the weights came from, and in what precision they lay
        each.pop("_name_or_path", None)
        each.pop("architectures", None)
    assert rebuilt == settings
    assert shared_parameters(back.net_.module_) == shared_parameters(model.net_.module_)


@pytest.mark.parametrize("family", [*SEQ2SEQ, *CAUSAL])
@pytest.mark.parametrize("way", [through_joblib, copy.deepcopy])
def test_other_ways_of_copying(models, family, way):
    estimator = READERS[0] if family in SEQ2SEQ else CausalLMProfileClassifier
    for tied in (True, False):
        model = models(estimator, family, tied)
        assert same(way(model).predict_proba(X), model.predict_proba(X))


def test_a_worker_process(models):
    fitted = [
        models(
            READERS[0] if family in SEQ2SEQ else LLaVAProfileClassifier, family, tied
        )
        for family in ("flan-T5", "BART", "LLaMA")
        for tied in (True, False)
    ]
    call = joblib.delayed(_predict)
    with joblib.parallel_config(backend="loky", n_jobs=2):
        (found,) = joblib.Parallel()([call(fitted, X)])
    expected = [model.predict_proba(X) for model in fitted]
    assert all(same(a, b) for a, b in zip(found, expected, strict=True))


def _predict(models, users):
    torch.set_num_threads(1)
    return [model.predict_proba(users) for model in models]


def test_both_tables_are_trained_after_a_round_trip(models):
    back = pickle.loads(pickle.dumps(models(ODTUPClassifier, "flan-T5", tied=False)))
    language = back.net_.module_.language_model
    tables = [language.get_input_embeddings(), language.get_output_embeddings()]
    before = [table.weight.detach().clone() for table in tables]
    back.partial_fit(X, y)
    assert back.net_.module_.language_model is language
    for table, old in zip(tables, before, strict=True):
        assert not torch.equal(table.weight, old)
    assert not torch.equal(tables[0].weight, tables[1].weight)


@pytest.mark.parametrize("tied", [True, False])
def test_a_frozen_decoder_keeps_a_head_of_its_own(language_folders, tied):
    folder = language_folders("flan-T5", tied=tied)
    model = fit(ODTUPClassifier, language_model=folder, frozen=("decoder",))
    for each in (model, pickle.loads(pickle.dumps(model))):
        language = each.net_.module_.language_model
        # what the encoder reads too is trained
        assert language.get_output_embeddings().weight.requires_grad == tied
        assert language.get_input_embeddings().weight.requires_grad
        assert not any(
            value.requires_grad for value in language.decoder.block.parameters()
        )


def test_a_model_tied_by_hand_stays_tied(language_folders):
    folder = language_folders("BART", tied=False)
    given = AutoModelForSeq2SeqLM.from_pretrained(folder)
    given.lm_head.weight = given.model.shared.weight
    given.model.encoder.embed_tokens.weight = given.model.shared.weight
    model = fit(READERS[0], language_model=given, tokenizer=folder)
    back = pickle.loads(pickle.dumps(model))
    assert same(back.predict_proba(X), model.predict_proba(X))
    shared = shared_parameters(back.net_.module_)
    assert shared == shared_parameters(model.net_.module_)
    assert len(shared) == 2


@pytest.mark.parametrize("family", ["flan-T5", "LLaMA"])
@pytest.mark.parametrize("as_object", [True, False])
def test_a_model_in_16_bits(language_folders, tmp_path, family, as_object):
    folder = language_folders(family, tied=False)
    loader = AutoModelForSeq2SeqLM if family in SEQ2SEQ else AutoModelForCausalLM
    given = loader.from_pretrained(folder, dtype=torch.bfloat16)
    given.save_pretrained(tmp_path)
    estimator = READERS[0] if family in SEQ2SEQ else CausalLMProfileClassifier
    model = fit(
        estimator,
        language_model=given if as_object else tmp_path,
        tokenizer=folder,
    )
    back = pickle.loads(pickle.dumps(model))
    assert same(back.predict_proba(X), model.predict_proba(X))


def test_a_model_keeps_how_it_computes_attention(language_folders):
    folder = language_folders("BART", tied=True)
    given = AutoModelForSeq2SeqLM.from_pretrained(folder, attn_implementation="eager")
    model = fit(READERS[0], language_model=given, tokenizer=folder)
    back = pickle.loads(pickle.dumps(model))
    assert back.net_.module_.language_model.config._attn_implementation == "eager"
    assert same(back.predict_proba(X), model.predict_proba(X))


@pytest.mark.parametrize("family", ["T5", "BART"])
def test_coopnet_with_the_encoder_of_a_folder(language_folders, family):
    model = fit(COOPNetClassifier, language_model=language_folders(family, tied=False))
    back = pickle.loads(pickle.dumps(model))
    assert same(back.predict_proba(X), model.predict_proba(X))


@pytest.mark.parametrize("as_object", [True, False])
def test_coopnet_with_an_encoder_alone(language_folders, tmp_path, as_object):
    folder = language_folders("T5", tied=True)
    encoder = T5EncoderModel.from_pretrained(folder)
    encoder.save_pretrained(tmp_path)
    model = fit(
        COOPNetClassifier,
        language_model=encoder if as_object else tmp_path,
        tokenizer=folder,
        frozen=("text_encoder",),
    )
    back = pickle.loads(pickle.dumps(model))
    assert same(back.predict_proba(X), model.predict_proba(X))
    expected = encoder.get_encoder().state_dict()
    for each in (model, back):
        state = each.net_.module_.sources.encoder("text").model.state_dict()
        assert [*state] == [*expected]
        assert all(torch.equal(state[name], expected[name]) for name in state)


class Pair(torch.nn.Module):
    """Two layers, which may be one."""

    def __init__(self):
        super().__init__()
        self.one = torch.nn.Linear(2, 2, bias=False)
        self.other = torch.nn.Linear(2, 2, bias=False)


def test_parameters_share_what_they_are_told_to():
    pair, names = Pair(), {"other.weight": "one.weight"}
    assert shared_parameters(pair) == {}
    share_parameters(pair, names)
    assert pair.other.weight is pair.one.weight
    assert shared_parameters(pair) == names
    state = state_as_numpy(pair)
    assert [*state] == ["one.weight"]
    twin = Pair()
    share_parameters(twin, names)
    load_numpy_state(twin, state)
    assert torch.equal(twin.other.weight, pair.one.weight)
    pair.one.weight.requires_grad = False
    share_parameters(pair, {})
    assert pair.other.weight is not pair.one.weight
    assert torch.equal(pair.other.weight, pair.one.weight)
    assert not pair.other.weight.requires_grad
    with pytest.raises(RuntimeError, match=r"Missing key.*other\.weight"):
        load_numpy_state(Pair(), state)
