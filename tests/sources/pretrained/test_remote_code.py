"""A folder with code runs none of it, and nobody is asked."""

from __future__ import annotations

import json

import pytest

pytest.importorskip("transformers")

from generators import make_generator
from pretrained_folders import make_readers
from transformers import AutoTokenizer

from sklearn_profiling.estimators import CausalLMProfileClassifier, COOPNetClassifier
from sklearn_profiling.exceptions import SourceError
from sklearn_profiling.sources import (
    ImageCaptioner,
    PretrainedImageVectors,
    PretrainedTextVectors,
    SubwordSegmenter,
)

CODE = """
from pathlib import Path
Path(__file__).with_name("ran").touch()
raise SystemExit("this code must not run")
"""
NEVER = "it needs Python code of its own .auto_map., which is never run"
KINDS = ("Config", "Model", "ModelForCausalLM", "ModelForSeq2SeqLM")
KINDS += ("ModelForImageTextToText", "ImageProcessor", "Processor")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    def asked(*_):
        raise AssertionError("the user was asked")

    monkeypatch.setattr("builtins.input", asked)
    monkeypatch.setenv("HF_MODULES_CACHE", str(tmp_path / "modules"))
    made = tmp_path / "model"
    made.mkdir()
    names = {f"Auto{kind}": f"code.Own{kind}" for kind in KINDS}
    names["AutoTokenizer"] = ["code.OwnTokenizer", None]
    settings = {"model_type": "own", "auto_map": names}
    for name in ("config.json", "tokenizer_config.json", "preprocessor_config.json"):
        (made / name).write_text(json.dumps(settings), "utf-8")
    (made / "code.py").write_text(CODE, "utf-8")
    yield made
    assert not list(tmp_path.rglob("ran"))


@pytest.mark.parametrize(
    "make",
    [
        PretrainedImageVectors,
        PretrainedTextVectors,
        lambda folder: ImageCaptioner(folder, folder),
        SubwordSegmenter,
    ],
)
def test_sources(folder, make):
    with pytest.raises(SourceError, match=NEVER):
        make(folder).fit([["a text"]])


@pytest.mark.parametrize("parameter", ["language_model", "image_model"])
def test_generators(folder, parameter):
    X, y = make_readers()
    with pytest.raises(SourceError, match=f"holds no model .{NEVER}"):
        make_generator(**{parameter: folder}).fit(X, y)
    with pytest.raises(SourceError, match=f"holds no model .{NEVER}"):
        COOPNetClassifier(**{parameter: folder}).fit(X, y)


def test_decoders(folder):
    X, y = make_readers()
    with pytest.raises(SourceError, match=f"holds no model .{NEVER}"):
        CausalLMProfileClassifier(language_model=folder).fit(X, y)


def test_the_folder_would_run_its_code_if_it_were_trusted(folder, tmp_path):
    with pytest.raises(SystemExit, match="must not run"):
        AutoTokenizer.from_pretrained(folder, trust_remote_code=True)
    for path in tmp_path.rglob("ran"):
        path.unlink()
