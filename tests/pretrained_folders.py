"""Folders of tiny models with random weights, as their own classes save them."""

from __future__ import annotations

import json
from pathlib import Path

import torch
import transformers
from generators import make_users
from skorch.helper import SliceDict
from tokenizers import Tokenizer, models, pre_tokenizers
from torch import nn

from sklearn_profiling.containers import Vocabulary

TOKENS = ["<pad>", "</s>", "<unk>", "<s>", "<extra_id_0>", "Stars", "Favorite"]
TOKENS += ["Category", *"34:;,", "Pizza", "Coffee", "bright", "dark"]
TOKENS += ["good", "bad", "place", "food"]

_T5 = {
    "d_model": 8,
    "d_kv": 4,
    "d_ff": 8,
    "num_layers": 1,
    "num_heads": 2,
    "decoder_start_token_id": 0,
}
_FLAN = {**_T5, "feed_forward_proj": "gated-gelu"}
_BART = {
    "d_model": 8,
    "encoder_layers": 1,
    "decoder_layers": 1,
    "encoder_attention_heads": 2,
    "decoder_attention_heads": 2,
    "encoder_ffn_dim": 8,
    "decoder_ffn_dim": 8,
    "max_position_embeddings": 64,
}
_SPECIAL = {"pad_token_id": 0, "eos_token_id": 1, "bos_token_id": 3}
_LAYERS = {
    "hidden_size": 8,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 8,
}
_LLAMA = {**_LAYERS, **_SPECIAL, "max_position_embeddings": 128}
_GLM = {**_LLAMA, "head_dim": 4, "num_key_value_heads": 1}
_GPT2 = {**_SPECIAL, "n_embd": 8, "n_layer": 1, "n_head": 2, "n_positions": 128}

SEQ2SEQ = {
    "T5": ("T5ForConditionalGeneration", _T5),
    "flan-T5": ("T5ForConditionalGeneration", _FLAN),
    "mT5": ("MT5ForConditionalGeneration", _T5),
    "BART": ("BartForConditionalGeneration", {**_BART, **_SPECIAL}),
}
CAUSAL = {
    "LLaMA": ("LlamaForCausalLM", _LLAMA),
    "GLM": ("GlmForCausalLM", _GLM),
    "GPT-2": ("GPT2LMHeadModel", _GPT2),
}


def save_language_model(folder: Path, family: str, *, tied: bool) -> Path:
    """Save a model with its tokenizer; an untied one has a head of its own."""
    name, settings = {**SEQ2SEQ, **CAUSAL}[family]
    kind = getattr(transformers, name)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        config = kind.config_class(
            **{"vocab_size": len(TOKENS), **settings}, tie_word_embeddings=tied
        )
        model = kind(config)
        for value in model.parameters():
            # Large enough for every part to have an effect.
            nn.init.normal_(value, std=0.3)
        if not tied:
            head = torch.randn(model.get_output_embeddings().weight.shape)
            model.get_output_embeddings().weight = nn.Parameter(head)
    model.save_pretrained(folder)
    # As in the folders of flan-T5 on the hub, which an older version wrote.
    path = folder / "config.json"
    saved = {**json.loads(path.read_text("utf-8")), "tie_word_embeddings": tied}
    saved.pop("scale_decoder_outputs", None)
    path.write_text(json.dumps(saved), "utf-8")
    tokenizer = Tokenizer(
        models.WordLevel({word: k for k, word in enumerate(TOKENS)}, "<unk>")
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    fast = transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, unk_token=TOKENS[2]
    )
    fast.save_pretrained(folder)
    return folder


def make_readers(n_users: int = 8) -> tuple[SliceDict, object]:
    """Users whose text has the tokens of the folders."""
    X, y = make_users(n_users)
    text = X["text"].with_vocabulary(Vocabulary(TOKENS))
    return SliceDict(text=text, images=X["images"]), y


_PATCHES = {"image_size": 16, "patch_size": 8}
_TEXT = {"vocab_size": len(TOKENS), **_LAYERS, **_SPECIAL}
_TOWERS = {
    "text_config": _TEXT,
    "vision_config": {**_LAYERS, **_PATCHES, "projection_dim": 6},
}

IMAGES = {
    "ViT": ("ViTForImageClassification", {**_LAYERS, **_PATCHES}),
    "DeiT": ("DeiTForImageClassificationWithTeacher", {**_LAYERS, **_PATCHES}),
    "BEiT": ("BeitModel", {**_LAYERS, **_PATCHES}),
    "DINOv2": ("Dinov2Model", {**_LAYERS, **_PATCHES}),
    "DINOv2 with registers": (
        "Dinov2WithRegistersModel",
        {**_LAYERS, **_PATCHES, "num_register_tokens": 3},
    ),
    "CLIP": ("CLIPModel", {**_TOWERS, "projection_dim": 6}),
    "CLIP vision": ("CLIPVisionModel", {**_LAYERS, **_PATCHES}),
    "SigLIP": ("SiglipModel", _TOWERS),
    "SigLIP vision": ("SiglipVisionModel", {**_LAYERS, **_PATCHES}),
    "Swin": (
        "SwinModel",
        {
            "image_size": 16,
            "patch_size": 2,
            "embed_dim": 4,
            "depths": [1, 1],
            "num_heads": [1, 2],
            "window_size": 2,
        },
    ),
    "ConvNeXt": (
        "ConvNextModel",
        {"num_stages": 2, "hidden_sizes": [4, 8], "depths": [1, 1], "image_size": 16},
    ),
    "SegFormer": (
        "SegformerModel",
        {
            "num_encoder_blocks": 1,
            "depths": [1],
            "sr_ratios": [1],
            "hidden_sizes": [8],
            "patch_sizes": [3],
            "strides": [4],
            "num_attention_heads": [2],
            "mlp_ratios": [1],
        },
    ),
}
SCALE = {"image_mean": [0.4, 0.5, 0.6], "image_std": [0.2, 0.3, 0.4]}


def save_image_model(folder: Path, family: str) -> Path:
    """Save a model that reads images, and how it scales them."""
    name, settings = IMAGES[family]
    kind = getattr(transformers, name)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = kind(kind.config_class(**settings))
        for value in model.parameters():
            nn.init.normal_(value, std=0.3)
    model.save_pretrained(folder)
    (folder / "preprocessor_config.json").write_text(json.dumps(SCALE), "utf-8")
    return folder
