"""Vectors of messages: those of the model itself, whatever shares a batch."""

from __future__ import annotations

import pickle
import sys
import threading

import numpy as np
import pytest

pytest.importorskip("transformers")

import pandas as pd
import torch
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from tiny_models import N_TOKENS, REVIEWS, bert, clip, t5, tokenizer
from tokenizers import Tokenizer, models
from transformers import AutoModel, PreTrainedTokenizerFast, T5EncoderModel

from sklearn_profiling.estimators import MMLUPClassifier
from sklearn_profiling.exceptions import MissingDependencyError, SourceError
from sklearn_profiling.sources import (
    PretrainedTextVectors,
    SourceUnion,
    SubwordSegmenter,
)

TOKENIZER = tokenizer()


def vectors_of(config, **params):
    return PretrainedTextVectors(config, TOKENIZER, random_state=0, **params)


def read_alone(module, text, pooling="mean"):
    """What the model says of one message, without batches and masks."""
    ids = torch.tensor([TOKENIZER(text)["input_ids"]])
    with torch.no_grad():
        states = module(input_ids=ids).last_hidden_state[0]
    return (states[0] if pooling == "cls" else states.mean(dim=0)).numpy()


@pytest.mark.parametrize("pooling", ["mean", "cls"])
@pytest.mark.parametrize("make", [bert, t5, clip])
def test_vectors_are_those_of_the_model(make, pooling):
    fitted = vectors_of(make(), pooling=pooling, batch_size=2).fit(None)
    found = fitted.transform(REVIEWS)
    assert found.dtype == np.float32
    assert found.shape == (5, 8)
    assert np.isnan(found[[1, 3]]).all()
    for user in (0, 2, 4):
        alone = [read_alone(fitted._module, m, pooling) for m in REVIEWS[user]]
        np.testing.assert_allclose(found[user], np.mean(alone, axis=0), atol=2e-6)


def test_pooling_of_a_user():
    largest = vectors_of(bert(), user_pooling="max").fit(None)
    alone = [read_alone(largest._module, m) for m in REVIEWS[4]]
    found = largest.transform(REVIEWS)
    np.testing.assert_allclose(found[4], np.max(alone, axis=0), atol=2e-6)
    first = vectors_of(bert(), max_messages=1).fit(None).transform(REVIEWS)
    np.testing.assert_allclose(first[4], alone[0], atol=2e-6)


def test_a_user_alone_and_among_others_with_any_batches():
    fitted = vectors_of(bert()).fit(None)
    found = fitted.transform(REVIEWS)
    for user in range(len(REVIEWS)):
        alone = fitted.transform(REVIEWS[user : user + 1])
        np.testing.assert_allclose(alone[0], found[user], atol=2e-6)
    one_by_one = clone(fitted).set_params(batch_size=1).fit_transform(REVIEWS)
    np.testing.assert_allclose(one_by_one, found, atol=2e-6)
    assert fitted.transform([]).shape == (0, 8)
    assert np.isnan(fitted.transform([None, [], ["", " "]])[:2]).all()


def test_long_messages_are_cut_where_the_model_ends():
    text = "the tea was good " * 40
    fitted = vectors_of(bert(max_position_embeddings=16)).fit(None)
    found = fitted.transform([[text]])
    ids = TOKENIZER(text, truncation=True, max_length=16)["input_ids"]
    assert len(ids) == 16
    with torch.no_grad():
        states = fitted._module(input_ids=torch.tensor([ids])).last_hidden_state
    np.testing.assert_allclose(found[0], states[0].mean(dim=0), atol=2e-6)
    short = clone(fitted).set_params(max_tokens=4).fit(None)
    assert len(short._tokens([text])[0]) == 4


@pytest.mark.parametrize("limit", [{"a": 1}, 0, -5, float("nan"), "9"])
def test_unusable_limits_of_a_tokenizer(limit):
    changed = tokenizer()
    changed.model_max_length = limit
    with pytest.raises(SourceError, match=r"model_max_length .* number from 1 up"):
        PretrainedTextVectors(bert(), changed, random_state=0).fit(None)


def test_what_cannot_be_run_or_cut_is_told(monkeypatch):
    def no_memory(**_):
        msg = "DefaultCPUAllocator: can't allocate memory"
        raise RuntimeError(msg)

    broken = bert()
    broken.hidden_dropout_prob = float("nan")
    fitted = vectors_of(broken).fit(None)
    with pytest.raises(SourceError, match="cannot be run: dropout probability"):
        fitted.transform(REVIEWS)
    monkeypatch.setattr(fitted, "_ready_model", lambda: no_memory)
    with pytest.raises(RuntimeError, match=r"can.t allocate"):
        fitted._read_batch([np.array([1])])
    words = Tokenizer(models.WordLevel({"tea": 0, "[PAD]": 1}, "[UNK]"))
    few = PreTrainedTokenizerFast(tokenizer_object=words, pad_token="[PAD]")  # noqa: S106 - no password
    for step in (PretrainedTextVectors(bert(), few), SubwordSegmenter(few)):
        step.fit([["tea"]])
        with pytest.raises(SourceError, match=r"cannot cut a text: .*Missing .UNK"):
            step.transform([["rain"]])


def test_a_user_cannot_write_special_tokens():
    fitted = vectors_of(bert()).fit(None)
    (ids,) = fitted._tokens(["the </s> tea <mask>"])
    assert (ids < 5).tolist() == [False] * (len(ids) - 1) + [True]
    # The user's tokenizer is as it was.
    assert TOKENIZER("</s>", add_special_tokens=False)["input_ids"] == [1]
    # Nothing but the end that the tokenizer adds is no message.
    assert [len(ids) > 0 for ids in fitted._tokens(["", "tea"])] == [False, True]


def test_the_seed_decides_random_weights_and_nothing_else_moves():
    state = torch.get_rng_state()
    one, two, other = (
        PretrainedTextVectors(bert(), TOKENIZER, random_state=seed).fit(None)
        for seed in (0, 0, 1)
    )
    assert torch.equal(torch.get_rng_state(), state)
    assert one.fingerprint_ == two.fingerprint_ != other.fingerprint_
    assert np.array_equal(
        one.transform(REVIEWS), two.transform(REVIEWS), equal_nan=True
    )


def test_threads_get_the_same_weights():
    fitted = [vectors_of(bert()) for _ in range(4)]
    threads = [threading.Thread(target=one.fit, args=(None,)) for one in fitted]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({one.fingerprint_ for one in fitted}) == 1


def test_an_encoder_alone_is_that_of_the_whole(tmp_path):
    whole = AutoModel.from_config(t5())
    alone = T5EncoderModel(t5())
    alone.encoder.load_state_dict(whole.encoder.state_dict())
    alone.save_pretrained(tmp_path)
    expected = PretrainedTextVectors(whole, TOKENIZER).fit(None).transform(REVIEWS)
    for given in (alone, tmp_path):
        found = PretrainedTextVectors(given, TOKENIZER).fit(None).transform(REVIEWS)
        assert np.array_equal(found, expected, equal_nan=True)


def test_a_folder_an_object_and_a_pickle_agree(tmp_path):
    module = AutoModel.from_config(bert())
    module.train()
    module.save_pretrained(tmp_path)
    TOKENIZER.save_pretrained(tmp_path)
    from_object = PretrainedTextVectors(module, TOKENIZER).fit(None)
    expected = from_object.transform(REVIEWS)
    assert module.training
    assert all(weight.requires_grad for weight in module.parameters())
    fitted = PretrainedTextVectors(str(tmp_path)).fit(None)
    assert fitted.fingerprint_ == from_object.fingerprint_
    pickled = pickle.dumps(fitted)
    assert not any(
        isinstance(value, torch.nn.Module) for value in fitted.__getstate__().values()
    )
    for found in (
        fitted,
        pickle.loads(pickled),
        pickle.loads(pickle.dumps(from_object)),
    ):
        vectors = found.transform(REVIEWS)
        assert np.array_equal(vectors, expected, equal_nan=True)
    assert clone(fitted).fit(None).fingerprint_ == fitted.fingerprint_
    AutoModel.from_config(bert()).save_pretrained(tmp_path)
    with pytest.raises(SourceError, match=r"fitted with a model.*other weights"):
        pickle.loads(pickled).transform(REVIEWS)


def test_no_message_is_read_twice(tmp_path, monkeypatch):
    read = []
    plain = PretrainedTextVectors._read_batch

    def counted(self, tokens):
        read.append(len(tokens))
        return plain(self, tokens)

    monkeypatch.setattr(PretrainedTextVectors, "_read_batch", counted)
    expected = vectors_of(bert()).fit_transform(REVIEWS)
    # Five messages, one of them twice and another twice: three different and one more.
    assert sum(read) == len({m for user in REVIEWS for m in user or []}) == 4
    read.clear()
    stored = vectors_of(bert(), memory=tmp_path)
    found = stored.fit_transform(REVIEWS[:3])
    np.testing.assert_allclose(found, expected[:3], atol=2e-6)
    assert sum(read) == 3
    again = clone(stored).fit_transform(REVIEWS)
    np.testing.assert_allclose(again, expected, atol=2e-6)
    assert sum(read) == 4
    # Other weights and other ways to pool have vectors of their own.
    clone(stored).set_params(random_state=1).fit_transform(REVIEWS)
    clone(stored).set_params(pooling="cls").fit_transform(REVIEWS)
    assert sum(read) == 12


@pytest.mark.parametrize(
    ("dtype", "tolerance"), [("float64", 1e-5), ("bfloat16", 0.1), ("float16", 0.05)]
)
def test_precision(dtype, tolerance):
    expected = vectors_of(bert()).fit_transform(REVIEWS)
    found = vectors_of(bert(), dtype=dtype, device="auto").fit_transform(REVIEWS)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, atol=tolerance)


def test_another_precision_after_fit_begins_with_the_weights_as_they_were():
    rounded = vectors_of(bert(), dtype="bfloat16").fit(None)
    expected = vectors_of(bert()).fit_transform(REVIEWS)
    found = rounded.set_params(dtype="float32").transform(REVIEWS)
    assert np.array_equal(found, expected, equal_nan=True)


def test_names_and_progress(capsys):
    fitted = vectors_of(bert(), verbose=1).fit(None)
    names = fitted.get_feature_names_out()
    assert names[0] == "pretrainedtextvectors0"
    assert len(names) == fitted.n_dimensions_ == 8
    fitted.transform(REVIEWS)
    assert "4/4" in capsys.readouterr().err


def test_in_pipelines():
    users = pd.DataFrame({"reviews": REVIEWS * 2})
    y = pd.DataFrame({"stars": [1, 2] * 5, "meal": ["tea", None] * 5})
    network = MMLUPClassifier(n_hidden=(8,), n_shared=8, max_epochs=1, random_state=0)
    union = SourceUnion([("text", vectors_of(bert()), "reviews")])
    assert make_pipeline(union, network).fit(users, y).predict(users).shape == (10, 2)
    present = users.iloc[[0, 2, 4]]["reviews"]
    logistic = make_pipeline(vectors_of(bert()), LogisticRegression())
    assert logistic.fit(present, [0, 1, 0]).predict(present).shape == (3,)


def test_errors(tmp_path):
    with pytest.raises(
        SourceError, match=r"google/bert.*no such folder.*config\.json.*nothing is down"
    ):
        PretrainedTextVectors("google/bert", TOKENIZER).fit(None)
    with pytest.raises(SourceError, match=r"folder with a model: [^\n]*Put there"):
        PretrainedTextVectors(tmp_path, TOKENIZER).fit(None)
    with pytest.raises(SourceError, match=r"no such folder.*tokenizer"):
        PretrainedTextVectors(tmp_path / "nowhere").fit(None)
    with pytest.raises(SourceError, match="needs a tokenizer"):
        PretrainedTextVectors(bert()).fit(None)
    with pytest.raises(SourceError, match=f"{len(TOKENIZER)} tokens .* knows 9"):
        PretrainedTextVectors(bert(vocab_size=9), TOKENIZER).fit(None)
    with pytest.raises(SourceError, match=r"row 0: .*got 3 \(int\)"):
        vectors_of(bert()).fit(None).transform([3])
    assert len(TOKENIZER) == N_TOKENS


def test_other_objects():
    class Settings:
        def to_dict(self):
            return {}

    for other, name in ((Settings(), "Settings"), (torch.nn.Linear(1, 1), "Linear")):
        with pytest.raises(SourceError, match=f"configuration of transformers.*{name}"):
            PretrainedTextVectors(other, TOKENIZER).fit(None)


def test_without_the_package(monkeypatch):
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(MissingDependencyError, match=r"\[multimodal\]"):
        vectors_of(bert()).fit(None)
