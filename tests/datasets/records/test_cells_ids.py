"""Ids in tables: no digit is lost, and rounded floats are refused with the row."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from sklearn_profiling.datasets import load_records
from sklearn_profiling.exceptions import DataFormatError

HASHES = [2**63 + 5, 2**70 + 1, 2**53 + 1, 3]


@pytest.fixture
def messages(tmp_path: Path) -> Path:
    path = tmp_path / "messages.jsonl"
    lines = [json.dumps({"user_id": user, "text": "word"}) for user in HASHES]
    path.write_text("\n".join(lines))
    return path


@pytest.mark.parametrize(
    "ids",
    [
        HASHES,
        pd.Categorical(HASHES),
        [HASHES[0], str(HASHES[1]), np.int64(HASHES[2]), 3.0],
    ],
    ids=["integers", "categories", "mixed"],
)
def test_labels_find_users_of_long_ids(messages: Path, ids: Any) -> None:
    labels = pd.DataFrame({"user_id": ids, "age": [1, 2, 3, 4]})
    users = load_records(messages, labels=labels)
    assert users.data["user_id"].tolist() == list(map(str, HASHES))
    assert users.target["age"].tolist() == [1, 2, 3, 4]


def test_categories_beside_missing_ids_stay_whole(messages: Path) -> None:
    ids = pd.Categorical([2**53 + 1, None, 3])
    labels = pd.DataFrame({"user_id": ids, "age": [1, 2, 3]})
    users = load_records(messages, labels=labels, on_bad_lines="skip")
    assert users.target["age"].tolist() == [None, None, 1, 3]


@pytest.mark.parametrize(
    ("kind", "end"), [(np.float64, 2**53), (np.float32, 2**24), (np.float16, 2**11)]
)
def test_rounded_ids_are_refused(messages: Path, kind: Any, end: int) -> None:
    for path in (messages, messages.with_name("ids.parquet")):
        frame = pd.DataFrame({"user_id": np.array([3, end], dtype=kind), "text": "w"})
        if path != messages:
            frame.to_parquet(path)
        labels = None if path != messages else frame.rename(columns={"text": "age"})
        with pytest.raises(DataFormatError, match=f"bad user id: {end}.0 is a rounded"):
            load_records(path, labels=labels)
