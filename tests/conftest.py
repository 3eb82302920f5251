"""Fixtures shared by all tests."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cache
from pathlib import Path

import hypothesis
import pytest

# An example that is slow on a busy machine is no fault.
hypothesis.settings.register_profile("untimed", deadline=None)
hypothesis.settings.load_profile("untimed")

# Before anything imports transformers: no test may reach for the hub.
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TRANSFORMERS_OFFLINE"] = "1"


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real data, or a skip that says where it was looked for."""
    repository = Path(__file__).resolve().parents[1]
    candidates = [repository.parent / "shared" / "data"]
    if "SKLEARN_PROFILING_DATA" in os.environ:
        candidates.insert(0, Path(os.environ["SKLEARN_PROFILING_DATA"]))
    for folder in candidates:
        if folder.is_dir():
            return folder
    pytest.skip(
        "no real data: set SKLEARN_PROFILING_DATA or put it at "
        + " or ".join(map(str, candidates))
    )


@pytest.fixture(scope="session")
def language_folders(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Folders of language models by family, tied or not, each made once."""
    pytest.importorskip("transformers")
    from pretrained_folders import save_language_model

    root = tmp_path_factory.mktemp("language_models")

    @cache
    def get(family: str, *, tied: bool) -> Path:
        return save_language_model(root / f"{family}-{tied}", family, tied=tied)

    return get


@pytest.fixture(scope="session")
def image_folders(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Folders of vision models by family, each made once."""
    pytest.importorskip("transformers")
    from pretrained_folders import save_image_model

    root = tmp_path_factory.mktemp("image_models")

    @cache
    def get(family: str) -> Path:
        return save_image_model(root / family.replace(" ", "-"), family)

    return get
