"""Tiny profile generators, and users with text, captions and pictures for them."""

from __future__ import annotations

import numpy as np
import pandas as pd
from skorch.helper import SliceDict

from sklearn_profiling.containers import ImageBags, TokenMessages, Vocabulary
from sklearn_profiling.estimators import ProfileGeneratorClassifier

# The smallest BART and ViT that learn. T5 normalises in 32 bits, whatever is asked.
BART = {
    "model_type": "bart",
    "d_model": 32,
    "encoder_layers": 1,
    "decoder_layers": 1,
    "encoder_attention_heads": 2,
    "decoder_attention_heads": 2,
    "encoder_ffn_dim": 16,
    "decoder_ffn_dim": 16,
    "max_position_embeddings": 32,
    "init_std": 0.1,
}
VIT = {
    "model_type": "vit",
    "hidden_size": 8,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 8,
    "image_size": 4,
    "patch_size": 2,
}

WORDS = Vocabulary(["bright", "dark", "good", "bad", "place", "food"])


def make_users(n_users=12, seed=0):
    """Stars show in the text, the category in pictures and captions; gaps in both."""
    drawn = np.random.RandomState(seed)
    stars, bright = np.arange(n_users) % 2, np.arange(n_users) // 2 % 2
    texts = [
        [[["bad", "good"][s], "food"], ["place"], ["food"], ["place", "food"]]
        for s in stars
    ]
    texts[3] = None
    counts = drawn.randint(1, 5, n_users)
    counts[5] = 0
    shades = np.repeat(60 + 120 * bright, counts)
    noise = drawn.randint(-40, 40, (counts.sum(), 3, 4, 4))
    pixels = (shades[:, None, None, None] + noise).astype(np.uint8)
    captions = [
        [[["dark", "bright"][b], "place"]] * n
        for b, n in zip(bright, counts, strict=True)
    ]
    X = SliceDict(
        text=TokenMessages.from_lists(texts, WORDS),
        images=ImageBags(pixels, np.concatenate([[0], np.cumsum(counts)])),
        captions=TokenMessages.from_lists(captions, WORDS),
    )
    y = pd.DataFrame(
        {
            "Stars": [[3, 4][s] for s in stars],
            "Favorite Category": [[{"Pizza"}, {"Coffee", "Pizza"}][b] for b in bright],
        },
        dtype=object,
    )
    y.iloc[0, 0] = None
    y.iloc[4, 1] = None
    return X, y


def make_generator(**params):
    """A generator that fits in a moment."""
    settings = {
        "language_model": BART,
        "image_model": VIT,
        "max_epochs": 2,
        "batch_size": 4,
        "learning_rate": 0.02,
        "max_tokens": 20,
        "random_state": 0,
    }
    return ProfileGeneratorClassifier(**{**settings, **params})
