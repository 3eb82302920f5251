"""Constraints of the parameters that classifiers share, by name.

A class names in its `_parameter_constraints` what differs, and what it alone has.
"""

from __future__ import annotations

import os
from numbers import Integral, Real
from typing import Any

from sklearn.utils._param_validation import HasMethods, Interval, Options, StrOptions
from torch import nn

from sklearn_profiling.training.net import DTYPES, HALVES

__all__: list[str] = []

POSITIVE = Interval(Integral, 1, None, closed="left")
RATE = Interval(Real, 0, 1, closed="left")
PROBABILITY = Interval(Real, 0, 1, closed="both")
LEAST_PROMPT = Interval(Integral, 8, None, closed="left")
MODELS = [str, os.PathLike, HasMethods(["to_diff_dict"]), dict, nn.Module, None]

CONSTRAINTS: dict[str, list[Any]] = {
    # sources
    "sources": ["array-like", None],
    "source": [str, None],
    "offset": ["array-like", None],
    "shrink_fraction": [RATE],
    # architecture
    "attention": [StrOptions({"softmax", "raw"}), None],
    "bag_dropout": [RATE],
    "bag_of_words": [Interval(Integral, 0, None, closed="left")],
    "dropout": [RATE],
    "image_order": [StrOptions({"given", "random"})],
    "kernel_size_second": [POSITIVE],
    "kernel_sizes": ["array-like"],
    "level": [StrOptions({"user", "message"})],
    "max_images": [POSITIVE, None],
    "max_messages": [POSITIVE, None],
    "max_tokens": [Interval(Integral, 2, None, closed="left")],
    "max_vocabulary": [POSITIVE],
    "max_words": [POSITIVE, None],
    "multi_task": ["boolean"],
    "n_attention": [POSITIVE],
    "n_dense": [POSITIVE],
    "n_dimensions": [POSITIVE],
    "n_features_image": [POSITIVE],
    "n_features_sparse": [POSITIVE],
    "n_filters": [POSITIVE],
    "n_filters_image": ["array-like"],
    "n_filters_second": [POSITIVE],
    "n_hidden": ["array-like"],
    "n_images": [POSITIVE],
    "n_nodes": [POSITIVE],
    "n_shared": [POSITIVE],
    "n_units": [POSITIVE],
    "select_sources": ["boolean"],
    "source_dropout": [RATE],
    "trainable_vectors": ["boolean"],
    "variable_stride": ["boolean"],
    "variant": [Options(Integral, {1, 2})],
    "word_dropout": [RATE],
    # pretrained models
    "frozen": ["array-like"],
    "frozen_dtype": [StrOptions(set(HALVES)), None],
    "image_model": MODELS,
    "language_model": MODELS,
    "tokenizer": [str, os.PathLike, HasMethods(["encode"]), None],
    # generators of profiles
    "captions": [str],
    "chat": ["boolean"],
    "decoding": [StrOptions({"beam", "scoring"})],
    "gradient_checkpointing": ["boolean"],
    "joint_modes": ["array-like"],
    "lora": [dict, None],
    "mask_image": [PROBABILITY],
    "mask_profile": [PROBABILITY],
    "max_sets": [POSITIVE],
    "micro_batch_size": [POSITIVE, None],
    "mixing": [StrOptions({"step", "batch", "epoch"})],
    "n_beams": [POSITIVE],
    "paradigm": [StrOptions({"multimodal", "unimodal", "both"})],
    "patch_grid": [POSITIVE],
    "prediction_batch_size": [POSITIVE],
    "prompt": [str, None],
    "request": [str],
    "scoring": [StrOptions({"sum", "mean"})],
    # training
    "batch_size": [POSITIVE],
    "callbacks": [list, None],
    "checkpoint": [str, os.PathLike, None],
    "class_weight": [StrOptions({"balanced"}), dict, list, tuple, None],
    "device": [str],
    "dtype": [StrOptions(set(DTYPES))],
    "early_stopping": ["boolean"],
    "learning_rate": [Interval(Real, 0, None, closed="neither")],
    "learning_rate_decay": ["boolean"],
    "loss_weights": ["array-like", dict, str, None],
    "max_epochs": [POSITIVE],
    "n_iter_no_change": [POSITIVE],
    "random_state": ["random_state"],
    "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
    "verbose": ["verbose"],
    "warm_start": ["boolean"],
    "weight_decay": [Interval(Real, 0, None, closed="left")],
}
