"""Tiny decoders alone, and users for them."""

from __future__ import annotations

from generators import VIT, make_users

from sklearn_profiling.estimators import CausalLMProfileClassifier

# LLaMA normalises in 32 bits, whatever is asked; GPT-NeoX does not.
LLAMA = {
    "model_type": "llama",
    "hidden_size": 32,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "num_key_value_heads": 2,
    "intermediate_size": 32,
    "initializer_range": 0.1,
}
NEOX = {**LLAMA, "model_type": "gpt_neox"}
SMALL = {"language_model": LLAMA, "learning_rate": 0.02, "random_state": 0}


def eight_users():
    """Users who can be told apart by text and images, all with both labels."""
    X, y = make_users(16)
    rows = [1, 2, 6, 7, 8, 9, 10, 11]
    return X[rows], y.iloc[rows]


def make_causal(**params):
    """A decoder that fits in a moment."""
    return CausalLMProfileClassifier(**{**SMALL, "max_epochs": 1, **params})


def parameters_of(model):
    """Name and value of each parameter."""
    return {
        name: value.detach().clone()
        for name, value in model.net_.module_.named_parameters()
    }


__all__ = [
    "LLAMA",
    "NEOX",
    "SMALL",
    "VIT",
    "eight_users",
    "make_causal",
    "make_users",
    "parameters_of",
]
