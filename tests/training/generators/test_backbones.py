"""Backbones: folders, configurations, objects, and tokenizers that go with them."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from generators import make_generator, make_users
from skorch.helper import SliceDict
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import (
    BertConfig,
    PreTrainedTokenizerFast,
    T5Config,
    T5ForConditionalGeneration,
    ViTConfig,
    ViTForImageClassification,
)

from sklearn_profiling.containers import TokenMessages, Vocabulary
from sklearn_profiling.exceptions import SourceError, VocabularyMismatchError
from sklearn_profiling.training.generators.backbones import (
    build_backbone,
    build_llava,
    describe_backbone,
)

TOKENS = ["<pad>", "</s>", "<unk>", "<extra_id_0>", *["Stars", "Favorite", "Category"]]
TOKENS += [*["3", "4", ":", ";", ",", "Pizza", "good", "bad", "place", "food"]]
T5 = {
    "model_type": "t5",
    "d_model": 8,
    "d_kv": 4,
    "d_ff": 8,
    "num_layers": 1,
    "num_heads": 2,
    "vocab_size": 40,
    "decoder_start_token_id": 0,
}
VIT = {
    "hidden_size": 8,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 8,
    "image_size": 4,
    "patch_size": 2,
}


@pytest.fixture(scope="module")
def tokenizer():
    vocabulary = {word: k for k, word in enumerate(TOKENS)}
    made = Tokenizer(models.WordLevel(vocabulary, unk_token=TOKENS[2]))
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    return made


@pytest.fixture(scope="module")
def users():
    X, y = make_users()
    text = X["text"].with_vocabulary(Vocabulary(TOKENS))
    return SliceDict(text=text, images=X["images"]), y


@pytest.fixture(scope="module")
def folders(tmp_path_factory, tokenizer):
    root = tmp_path_factory.mktemp("models")
    torch.manual_seed(0)
    T5ForConditionalGeneration(T5Config(**T5)).save_pretrained(root / "t5")
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token=TOKENS[2])
    fast.save_pretrained(root / "t5")
    ViTForImageClassification(ViTConfig(**VIT)).save_pretrained(root / "vit")
    settings = {"image_mean": [0.1, 0.2, 0.3], "image_std": [0.5, 0.6, 0.7]}
    (root / "vit" / "preprocessor_config.json").write_text(json.dumps(settings))
    return root


def close(one, other):
    for a, b in zip(one, other, strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=1e-6)


def test_folders_and_objects_give_the_same(folders, tokenizer, users):
    X, y = users
    settings = {"learning_rate": 1e-9, "max_epochs": 1, "fusion": "concatenation"}
    models = {"language_model": folders / "t5", "image_model": str(folders / "vit")}
    model = make_generator(**{**settings, **models}).fit(X, y)
    start = T5ForConditionalGeneration.from_pretrained(folders / "t5")
    table = model.net_.module_.language_model.shared.weight
    assert torch.allclose(table, start.shared.weight, atol=1e-6)
    encoder = model.net_.module_.image_encoder
    np.testing.assert_allclose(encoder.mean.flatten(), [0.1, 0.2, 0.3], rtol=1e-6)
    assert encoder.model.pooler is None
    # what the tokenizer cannot write has another name; what it can keeps its own
    assert model.profile_form_.names == ["Stars", "Favorite Category"]
    assert model.profile_form_.classes == [["3", "4"], ["class 0", "Pizza"]]
    assert model._parts.tokens.ids == (0, 1, 0, 3, 0, None)
    objects = {"language_model": start, "tokenizer": tokenizer, "joint_modes": ["text"]}
    other = make_generator(**{**settings, **objects}).fit(SliceDict(text=X["text"]), y)
    alone = make_generator(**{**settings, **models, "joint_modes": ["text"]})
    alone.fit(SliceDict(text=X["text"]), y)
    text = SliceDict(text=X["text"])
    close(other.predict_proba(text), alone.predict_proba(text))
    assert torch.equal(
        start.shared.weight,
        T5ForConditionalGeneration.from_pretrained(folders / "t5").shared.weight,
    )  # the user's own is left as it was


def test_a_configuration_with_a_tokenizer_reads_its_ids(tokenizer, users):
    X, y = users
    model = make_generator(
        language_model=T5Config(**T5), tokenizer=tokenizer, dropout=0.0, max_epochs=1
    ).fit(X, y)
    assert model.net_.module_.language_model.config.dropout_rate == 0.0
    assert model.predict(X).shape == (12, 2)
    small = {key: value for key, value in T5.items() if key != "vocab_size"}
    assert describe_backbone(small, "language", "X")["model_type"] == "t5"


def test_text_of_another_vocabulary_is_refused(tokenizer):
    X, y = make_users()
    with pytest.raises(VocabularyMismatchError, match="SubwordSegmenter"):
        make_generator(tokenizer=tokenizer).fit(X, y)


def test_a_model_with_too_few_tokens_is_refused(tokenizer, users):
    X, y = users
    model = T5ForConditionalGeneration(T5Config(**{**T5, "vocab_size": 8}))
    with pytest.raises(SourceError, match="knows 8 tokens"):
        make_generator(language_model=model, tokenizer=tokenizer).fit(X, y)
    with pytest.raises(SourceError, match="needs its tokenizer too"):
        make_generator(language_model=model).fit(X, y)


@pytest.mark.parametrize("kind", ["language_model", "image_model"])
def test_a_missing_folder_says_what_to_put_where(tmp_path, users, kind):
    X, y = users
    X = SliceDict(**{**X, "text": TokenMessages.from_lists([[["a"]]] * 12)})
    match = f"parameter {kind}: there is no folder .*config.json, model.safetensors"
    with pytest.raises(SourceError, match=match):
        make_generator(**{kind: tmp_path / "flan-t5-base"}).fit(X, y)
    (tmp_path / "empty").mkdir()
    with pytest.raises(SourceError, match="holds no model"):
        make_generator(**{kind: tmp_path / "empty"}).fit(X, y)


def test_models_of_no_use_are_refused(users):
    with pytest.raises(SourceError, match=r"encoder and a decoder.*'bert'"):
        describe_backbone(BertConfig(), "language", "X")
    with pytest.raises(SourceError, match="must be the path of a folder"):
        describe_backbone(torch.nn.Linear(1, 1), "language", "X")
    with pytest.raises(SourceError, match="is no configuration"):
        describe_backbone({"model_type": "nonsense"}, "image", "X")
    grey = ViTForImageClassification(ViTConfig(**VIT, num_channels=1))
    X, y = make_users()
    with pytest.raises(SourceError, match="of 1 channels; source 'images' has 3"):
        make_generator(image_model=grey).fit(X, y)


def test_code_of_the_hub_is_refused():
    kernel = {"attn_implementation": "kernels-community/flash-attn2"}
    message = "asks for 'kernels-community/flash-attn2', code of the hub"
    with pytest.raises(SourceError, match=message):
        build_backbone(None, "language", {**T5, **kernel})
    with pytest.raises(SourceError, match=message):
        build_llava(None, {"model_type": "llava", "vision_config": kernel}, T5, None)
