"""Language and vision models with random weights, small enough for a test."""

from __future__ import annotations

import torch
from transformers import (
    BertConfig,
    Blip2Config,
    CLIPConfig,
    GPT2Config,
    ResNetConfig,
    T5Config,
    VisionEncoderDecoderConfig,
    VisionEncoderDecoderModel,
    ViTConfig,
)

from sklearn_profiling.sources import SubwordSegmenter

N_TOKENS = 280
REVIEWS = [
    ["the tea was good", "the teapot was not"],
    None,
    ["the tea"],
    [],
    ["the tea was good", "what a long way to go for a pot of tea, then", "the tea"],
]

_LAYER = {
    "hidden_size": 8,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 8,
}
_IMAGE = {"image_size": 16, "patch_size": 8}


def tokenizer():
    """A tokenizer that knows every text."""
    return SubwordSegmenter(n_tokens=N_TOKENS).fit(REVIEWS).to_transformers()


def bert(**changes):
    return BertConfig(**{"vocab_size": N_TOKENS, **_LAYER, **changes})


def t5():
    return T5Config(
        vocab_size=N_TOKENS, d_model=8, d_kv=4, d_ff=8, num_layers=1, num_heads=2
    )


def vit(**changes):
    return ViTConfig(**{**_LAYER, **_IMAGE, **changes})


def resnet():
    return ResNetConfig(
        embedding_size=4, hidden_sizes=[4, 8], depths=[1, 1], layer_type="basic"
    )


def clip():
    text = {"vocab_size": N_TOKENS, "bos_token_id": 3, "eos_token_id": 1, **_LAYER}
    return CLIPConfig(text_config=text, vision_config={**_LAYER, **_IMAGE})


def captioner():
    """A model that says something about every image, not the same of each."""
    decoder = GPT2Config(
        vocab_size=N_TOKENS,
        n_embd=8,
        n_layer=1,
        n_head=2,
        bos_token_id=3,
        eos_token_id=1,
        pad_token_id=0,
        initializer_range=0.5,
    )
    config = VisionEncoderDecoderConfig.from_encoder_decoder_configs(
        vit(initializer_range=0.5), decoder
    )
    config.decoder_start_token_id = 3
    config.pad_token_id = 0
    config.eos_token_id = 1
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return VisionEncoderDecoderModel(config)


def blip2():
    """Images to a few queries, these to T5: the captioner of the paper, tiny."""
    t5_text = {"model_type": "t5", **t5().to_diff_dict()}
    return Blip2Config(
        vision_config={**_LAYER, **_IMAGE},
        qformer_config={**_LAYER, "encoder_hidden_size": 8, "vocab_size": N_TOKENS},
        text_config={**t5_text, "bos_token_id": 3, "decoder_start_token_id": 0},
        num_query_tokens=2,
        image_token_index=N_TOKENS - 1,
    )
