"""Folders of tiny models with random weights, as their own classes save them."""

from __future__ import annotations

import json
from pathlib import Path

import torch
import transformers
from generators import make_users
from skorch.helper import SliceDict
from tokenizers import Tokenizer, models, pre_tokenizers, processors
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
    "SigLIP2 NaFlex": (
        "Siglip2Model",
        {"text_config": _TEXT, "vision_config": {**_LAYERS, "num_patches": 4}},
    ),
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


# -- whole models, with their special tokens -------------------------------------------

CHAT = (
    "{% for turn in messages %}{{ turn['role'] | upper + ': ' }}"
    "{% for part in turn['content'] if part['type'] == 'image' %}{{ '<image> ' }}"
    "{% endfor %}{% for part in turn['content'] if part['type'] == 'text' %}"
    "{{ part['text'] + ' ' }}{% endfor %}{% endfor %}"
    "{% if add_generation_prompt %}{{ 'ASSISTANT:' }}{% endif %}"
)
GLM_CHAT = (
    "[gMASK]<sop>{% for turn in messages %}{{ '<|' + turn['role'] + '|>' }}"
    "{{ turn['content'] }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"
)


def make_tokenizer(special: list[str], single: str | None, chat: str | None = None):
    """Words of the folders, special ones behind them, and what is put around a text."""
    words = [*TOKENS, "USER", "ASSISTANT", "Profile", *special]
    ids = {word: k for k, word in enumerate(words)}
    tokenizer = Tokenizer(models.WordLevel(ids, "<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.add_special_tokens([*TOKENS[:4], *special])
    if single is not None:
        around = [part for part in single.split() if part != "$A"]
        tokenizer.post_processor = processors.TemplateProcessing(
            single=single, special_tokens=[(part, ids[part]) for part in around]
        )
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, unk_token=TOKENS[2], chat_template=chat
    )


def save_whole(folder: Path, model: nn.Module, tokenizer: object) -> nn.Module:
    """Draw weights that have an effect, and save a model with its tokenizer."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        for value in model.parameters():
            nn.init.normal_(value, std=0.3)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return model.eval()


def save_llava(folder: Path, *, layer: int | list[int] = -2, strategy: str = "default"):
    """Save a whole LLaVA, with its own projector, and its processor."""
    tokenizer = make_tokenizer(["<image>"], "<s> $A", CHAT)
    config = transformers.LlavaConfig(
        text_config={"model_type": "llama", **_LLAMA, "vocab_size": len(tokenizer)},
        vision_config={
            "model_type": "clip_vision_model",
            **(_LAYERS | _PATCHES | {"num_hidden_layers": 3}),
        },
        image_token_index=len(tokenizer) - 1,
        vision_feature_layer=layer,
        vision_feature_select_strategy=strategy,
    )
    model = transformers.LlavaForConditionalGeneration(config)
    settings = {"image_processor": SCALE, "patch_size": 8}
    save_whole(folder, model, tokenizer)
    path = folder / "processor_config.json"
    path.write_text(json.dumps(settings), "utf-8")
    return model


def save_bert(folder: Path):
    """Save a BERT whose tokenizer writes <s> and </s> around a text."""
    tokenizer = make_tokenizer([], "<s> $A </s>")
    config = transformers.BertConfig(
        **_LAYERS, vocab_size=len(tokenizer), pad_token_id=0, max_position_embeddings=64
    )
    return save_whole(folder, transformers.BertModel(config), tokenizer)


def save_glm4(folder: Path, *, single: str | None = "[gMASK] <sop> $A"):
    """Save a GLM-4 with the special tokens and the roles of a chat as the hub has."""
    special = ["<|endoftext|>", "[gMASK]", "<sop>", "<|user|>", "<|assistant|>"]
    tokenizer = make_tokenizer(special, single, GLM_CHAT)
    end, user = (tokenizer.convert_tokens_to_ids(special[k]) for k in (0, 3))
    config = transformers.Glm4Config(
        **{**_GLM, "vocab_size": len(tokenizer), "bos_token_id": None}
    )
    config.eos_token_id, config.pad_token_id = [end, user], end
    return save_whole(folder, transformers.Glm4ForCausalLM(config), tokenizer)


def save_bart(folder: Path):
    """Save a BART whose tokenizer writes <s> and </s> around a text."""
    tokenizer = make_tokenizer([], "<s> $A </s>")
    config = transformers.BartConfig(
        **{**_BART, **_SPECIAL, "decoder_start_token_id": 1},
        vocab_size=len(tokenizer),
    )
    return save_whole(
        folder, transformers.BartForConditionalGeneration(config), tokenizer
    )
