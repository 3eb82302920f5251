"""Settings of the table of cases: small nets that fit in a moment."""

from __future__ import annotations

# Small enough that a fit takes a fraction of a second.
HEADS = {"n_hidden": (16,), "n_shared": 16, "n_attention": 4}
TEXT = {
    "n_filters": 4,
    "kernel_sizes": (1, 3),
    "n_filters_second": 8,
    "n_dimensions": 8,
}
QUICK = {"max_epochs": 2, "batch_size": 8, "random_state": 0}
# Nothing drawn at random but the start, and all users in one batch: what a fit does
# then follows from the users alone.
EXACT = {
    "dtype": "float64",
    "batch_size": 1000,
    "dropout": 0.0,
    "source_dropout": 0.0,
    "word_dropout": 0.0,
    "random_state": 0,
}
# Few epochs at a high rate; about half as many do as well.
CHECKED = {**EXACT, **HEADS, "learning_rate": 0.01, "max_epochs": 40}
# The same for nets over regions of words, which have no other layers.
REGION_CHECKED = {
    **{name: value for name, value in EXACT.items() if name != "word_dropout"},
    "n_nodes": 16,
    "n_units": 2,
    "multi_task": True,
    "max_epochs": 40,
}

# The same for LSTMs, whose Adagrad takes larger steps.
LSTM_CHECKED = {
    **EXACT,
    "n_hidden": 8,
    "n_dense": 16,
    "n_dimensions": 8,
    "learning_rate": 0.1,
    "max_epochs": 40,
}
LSTM_SIZES = {"n_hidden": 4, "n_dense": 8, "n_dimensions": 8}

IMAGE_SIZES = {"n_hidden": (16,), "n_shared": 16}
IMAGE_CHECKED = {
    **{name: value for name, value in CHECKED.items() if name in IMAGE_SIZES},
    **{name: value for name, value in EXACT.items() if name != "word_dropout"},
    "learning_rate": 0.01,
    "max_epochs": 40,
}

# The smallest models that learn, without search. T5 normalises in 32 bits, whatever is
# asked; BART does not.
GENERATOR = {
    "language_model": {
        "model_type": "bart",
        "d_model": 16,
        "encoder_layers": 1,
        "decoder_layers": 1,
        "encoder_attention_heads": 2,
        "decoder_attention_heads": 2,
        "encoder_ffn_dim": 16,
        "decoder_ffn_dim": 16,
        "max_position_embeddings": 64,
        "init_std": 0.1,
    },
    "image_model": {
        "model_type": "vit",
        "hidden_size": 8,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "intermediate_size": 8,
        "image_size": 4,
        "patch_size": 2,
    },
    "decoding": "scoring",
}
PROMPTED = {k: value for k, value in GENERATOR.items() if k != "image_model"}
GENERATOR_CHECKED = {
    **GENERATOR,
    "language_model": {**GENERATOR["language_model"], "d_model": 32},
    **{name: EXACT[name] for name in ("dtype", "batch_size", "dropout")},
    "random_state": 0,
    "learning_rate": 0.015,
    "max_epochs": 40,
}

# The same for decoders alone. LLaMA normalises in 32 bits; GPT-NeoX does not.
CAUSAL = {
    "language_model": {
        "model_type": "gpt_neox",
        "hidden_size": 16,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "intermediate_size": 16,
        "initializer_range": 0.1,
    },
    "decoding": "scoring",
}
CAUSAL_CHECKED = {
    **CAUSAL,
    "language_model": {**CAUSAL["language_model"], "hidden_size": 32},
    **{name: EXACT[name] for name in ("dtype", "batch_size", "dropout")},
    "random_state": 0,
    "learning_rate": 0.02,
    "max_epochs": 25,
}

# The smallest encoders of text and images.
COMMON_SPACE = {
    "language_model": {
        "model_type": "bert",
        "hidden_size": 16,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "intermediate_size": 16,
        "max_position_embeddings": 64,
    },
    "image_model": GENERATOR["image_model"],
    "n_common": 16,
}
COMMON_SPACE_CHECKED = {
    **COMMON_SPACE,
    **{name: value for name, value in EXACT.items() if name != "word_dropout"},
    "learning_rate": 0.02,
    "max_epochs": 40,
}
