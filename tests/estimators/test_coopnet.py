"""COOPNetClassifier: models, tokens, what is missing, what is learned."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from generators import VIT, make_users
from skorch.callbacks import Callback
from skorch.helper import SliceDict
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import (
    BertConfig,
    BertForMaskedLM,
    PreTrainedTokenizerFast,
    RobertaConfig,
    T5Config,
    ViTConfig,
    ViTModel,
)

from sklearn_profiling.containers import TokenMessages, Vocabulary
from sklearn_profiling.estimators import COOPNetClassifier
from sklearn_profiling.exceptions import (
    ProfilingError,
    SourceError,
    VocabularyMismatchError,
)

BERT = {
    "model_type": "bert",
    "hidden_size": 8,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 8,
    "max_position_embeddings": 24,
}
TOKENS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "good", "bad", "place", "food"]


def make(**params):
    settings = {
        "language_model": BERT,
        "image_model": VIT,
        "n_common": 8,
        "max_epochs": 1,
        "learning_rate": 0.01,
        "random_state": 0,
    }
    return COOPNetClassifier(**{**settings, **params})


@pytest.fixture(scope="module")
def tokenizer():
    vocabulary = {word: k for k, word in enumerate(TOKENS)}
    made = Tokenizer(models.WordLevel(vocabulary, unk_token=TOKENS[1]))
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    return made


def written(X):
    """The same users, their words numbered as the tokenizer does."""
    text = X["text"].with_vocabulary(Vocabulary(TOKENS))
    return SliceDict(text=text, images=X["images"])


class Gradients(Callback):
    def on_grad_computed(self, net, named_parameters, **kwargs):
        net.seen = getattr(net, "seen", {})
        for name, parameter in named_parameters:
            most = 0.0 if parameter.grad is None else parameter.grad.abs().max()
            net.seen[name] = max(float(most), net.seen.get(name, 0.0))


def test_gradients_reach_every_parameter():
    X, y = make_users()
    settings = {"dtype": "float64", "batch_size": 12, "dropout": 0.0}
    model = make(**settings, callbacks=[Gradients()]).fit(X, y)
    assert model.net_.seen.keys() == dict(model.net_.module_.named_parameters()).keys()
    # What is added to all keys alike, softmax does not see.
    ignored = ("k_proj.bias", "key.bias")
    still = [name for name, most in model.net_.seen.items() if most < 1e-12]
    assert [name for name in still if not name.endswith(ignored)] == []


def test_eight_users_are_memorised():
    X, _ = make_users(8)
    y = [["a", {"p"}], ["b", {"p"}], ["a", {"q"}], ["b", {"p", "q"}]] * 2
    settings = {"dropout": 0.0, "source_dropout": 0.0, "max_epochs": 40}
    model = make(**settings).fit(X, y)
    assert model.score(X, y) == 1.0
    # images tell users 0 and 2 apart, the text 0 and 1
    likely = model.predict_proba(X)
    assert likely[0][0, 0] > 0.8
    assert likely[0][1, 1] > 0.8


def test_first_messages_and_images_alone_are_read():
    X, y = make_users()
    model = make(max_messages=2, max_images=1).fit(X, y)
    assert set(model._specs) == {"text", "images"}  # no captions
    read = model._dataset(X).sources
    for user in range(12):
        assert read["text"][user] == X["text"].tolist()[user][:2]
        assert np.array_equal(read["images"][user], X["images"][user][:1])


def test_what_cannot_be_read_is_named():
    X, y = make_users()
    with pytest.raises(SourceError, match="one text and one source of images"):
        make().fit(SliceDict(a=X["text"], b=X["text"]), y)
    with pytest.raises(SourceError, match="parameter source is 'other'"):
        make(source="other").fit(X, y)
    with pytest.raises(SourceError, match=r"X holds \{'network': 'vectors'\}"):
        make().fit(SliceDict(network=np.zeros((12, 2))), y)
    with pytest.raises(ProfilingError, match="parameter frozen must be"):
        make(frozen=("decoder",)).fit(X, y)
    model = make(source="a").fit(SliceDict(a=X["text"], b=X["text"]), y)
    assert set(model._specs) == {"a"}


@pytest.mark.parametrize("part", ["text_encoder", "image_encoder"])
def test_frozen_parts_stay(part):
    X, y = make_users()
    start = make(learning_rate=1e-30).fit(X, y).net_.module_.sources
    after = make(frozen=(part,)).fit(X, y).net_.module_.sources
    name = "text" if part == "text_encoder" else "images"
    for role in ("text", "images"):
        before = start.encoder(role).model.parameters()
        pairs = zip(before, after.encoder(role).model.parameters(), strict=True)
        moved = [not torch.allclose(a, b, rtol=0, atol=1e-12) for a, b in pairs]
        assert any(moved) == (role != name)


# -- models --------------------------------------------------------------------


def test_a_folder_brings_weights_and_tokens(tmp_path, tokenizer):
    X, y = make_users()
    torch.manual_seed(0)
    settings = {key: value for key, value in BERT.items() if key != "model_type"}
    given = BertForMaskedLM(BertConfig(**settings, vocab_size=len(TOKENS)))
    given.save_pretrained(tmp_path / "bert")
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token=TOKENS[1])
    fast.save_pretrained(tmp_path / "bert")
    quiet = {"language_model": tmp_path / "bert", "learning_rate": 1e-30}
    model = make(**quiet).fit(written(X), y)
    encoder = model.net_.module_.sources.encoder("text")
    assert encoder.frame == ([2], [3], 0, 0)
    assert encoder.room == 22
    table = "embeddings.word_embeddings.weight"
    assert torch.equal(
        encoder.model.get_parameter(table), given.bert.get_parameter(table)
    )
    other = make(language_model=given, tokenizer=tokenizer, learning_rate=1e-30)
    same = other.fit(written(X), y).net_.module_.sources.encoder("text")
    batch, _ = model._dataset(written(X)).__getitems__(range(12))
    text = batch.sources["text"]
    torch.testing.assert_close(same(text), encoder(text), rtol=0, atol=1e-6)
    with pytest.raises(VocabularyMismatchError, match="SubwordSegmenter"):
        make(**quiet).fit(X, y)
    with pytest.raises(SourceError, match="given as an object needs its"):
        make(language_model=given).fit(written(X), y)


def test_an_encoder_with_too_few_tokens_is_refused(tokenizer):
    X, y = make_users()
    settings = {key: value for key, value in BERT.items() if key != "model_type"}
    small = BertForMaskedLM(BertConfig(**settings, vocab_size=5))
    with pytest.raises(SourceError, match="the language model knows 5 tokens"):
        make(language_model=small, tokenizer=tokenizer).fit(written(X), y)


def test_of_an_encoder_and_decoder_the_encoder_reads():
    X, y = make_users()
    t5 = T5Config(d_model=8, d_kv=4, d_ff=8, num_layers=1, num_heads=2)
    model = make(language_model=t5).fit(X, y)
    inside = model.net_.module_.sources.encoder("text")
    assert not any("decoder" in name for name, _ in inside.named_parameters())
    assert inside.room == 600


def test_places_of_roberta_begin_behind_padding(tokenizer):
    X, y = make_users()
    settings = {key: value for key, value in BERT.items() if key != "model_type"}
    settings = {**settings, "max_position_embeddings": 6}
    roberta = RobertaConfig(**settings, pad_token_id=1)
    model = make(language_model=roberta, tokenizer=tokenizer).fit(written(X), y)
    # four places, two of them for [CLS] and [SEP]
    assert model.net_.module_.sources.encoder("text").room == 2


def test_images_of_other_channels_and_absent_folders(tmp_path):
    X, y = make_users()
    settings = {key: value for key, value in VIT.items() if key != "model_type"}
    grey = ViTModel(ViTConfig(**settings, num_channels=1))
    with pytest.raises(SourceError, match="images of 1 channels"):
        make(image_model=grey).fit(X, y)
    with pytest.raises(SourceError, match="bert-base-uncased"):
        make(language_model=tmp_path / "nowhere").fit(X, y)


def test_other_words_than_in_fit_are_refused():
    X, y = make_users()
    model = make().fit(X, y)
    other = TokenMessages.from_lists([[["good"]]] * 12)
    with pytest.raises(VocabularyMismatchError, match="another vocabulary"):
        model.predict(SliceDict(text=other, images=X["images"]))


def test_bfloat16_is_close():
    X, y = make_users()
    exact = make().fit(X, y).predict_proba(X)[0]
    fast = make(dtype="bfloat16").fit(X, y).predict_proba(X)[0]
    assert np.abs(exact - fast).max() < 0.2
