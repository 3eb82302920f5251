"""Folders of models: regular files, and sizes that their weights can have."""

from __future__ import annotations

import json
import os

import pytest

from sklearn_profiling.exceptions import DataFormatError, SourceError
from sklearn_profiling.sources import PretrainedTextVectors
from sklearn_profiling.sources.pretrained import _folders
from sklearn_profiling.sources.pretrained._folders import check_folder
from sklearn_profiling.sources.pretrained._hub_code import refuse_hub_code


def configured(folder, **sizes):
    (folder / "config.json").write_text(json.dumps(sizes), "utf-8")
    (folder / "model.safetensors").write_bytes(bytes(100))
    (folder / "folder").mkdir()
    return folder


@pytest.mark.parametrize(
    "sizes",
    [
        {"vocab_size": 10**9},
        {"num_hidden_layers": 20_000},
        {"vocab_size": 10**6, "hidden_size": 1024},
        {"text_config": {"d_model": 10**12}},
        {"towers": [{"n_layer": 10**5}]},
    ],
)
def test_sizes_beyond_the_weights_are_refused(sizes, tmp_path):
    with pytest.raises(DataFormatError, match="and the weights beside have 100 bytes"):
        check_folder(configured(tmp_path, **sizes))


@pytest.mark.parametrize(
    "settings",
    [
        {"attn_implementation": "kernels-community/flash-attn2"},
        {"text_config": {"_attn_implementation_internal": "kernels-community/x"}},
        {
            "experts_implementation": {
                "": "eager",
                "text_config": "me/kernels-community/",
            }
        },
        {"towers": [{"attn_implementation": "kernels-community/flash-attn2@main"}]},
    ],
)
def test_code_of_the_hub_is_refused(settings, tmp_path):
    with pytest.raises(
        DataFormatError, match=r"asks for '.*kernels-.*, code of the hub"
    ):
        check_folder(configured(tmp_path, **settings))
    with pytest.raises(SourceError, match="code of the hub"):
        refuse_hub_code(settings)


def test_implementations_of_transformers_are_taken(tmp_path):
    given = {"text_config": "sdpa", "": None}
    check_folder(configured(tmp_path, attn_implementation=given, a="b/c"))


def test_sizes_of_tiny_models_are_taken(tmp_path):
    sizes = {"max_position_embeddings": 1 << 20, "tie": True, "eps": 1e-6, "a": None}
    check_folder(configured(tmp_path, vocab_size=100, hidden_size=8, **sizes))


@pytest.mark.parametrize("content", [b"{", b"[" * 5000, b"7", b"\xff"])
def test_faults_are_left_to_the_library(content, tmp_path):
    (tmp_path / "config.json").write_bytes(content)
    check_folder(tmp_path)


def test_a_large_file_of_json_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(_folders, "_LARGEST_JSON", 5)
    with pytest.raises(DataFormatError, match="JSON may have 5"):
        check_folder(configured(tmp_path, vocab_size=100))


@pytest.mark.timeout(60)
def test_a_pipe_is_refused(tmp_path):
    os.mkfifo(tmp_path / "config.json")
    with pytest.raises(DataFormatError, match="is a named pipe"):
        PretrainedTextVectors(tmp_path).fit(["a"])
