"""Files that no library reads end in this package's own errors."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sklearn_profiling.containers import SocialGraph
from sklearn_profiling.datasets import load_records
from sklearn_profiling.exceptions import DataFormatError, SourceError
from sklearn_profiling.sources import PretrainedVectors, WordSegmenter

LONG = "9" * 5000


def write(folder, name, content):
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize("column", ["user_id", "text", "g", "created_at"])
def test_text_of_parquet_that_is_no_utf_8(tmp_path, column):
    bytes_ = pa.array([b"a", b"\xff"], pa.binary())
    broken = pa.Array.from_buffers(pa.string(), 2, bytes_.buffers())
    columns = {name: pa.array(["1", "2"]) for name in ("user_id", "text", "g")}
    columns |= {"created_at": pa.array(["2020", "2021"]), column: broken}
    pq.write_table(pa.table(columns), tmp_path / "u.parquet")
    with pytest.raises(DataFormatError, match=r"u\.parquet: no readable .* UTF8"):
        load_records(tmp_path / "u.parquet", tasks=["g"], time_column="created_at")


@pytest.mark.parametrize(
    ("content", "choices"),
    [
        ('{"user_id":"a","texts":["x"],"\\ud800":1}\n', {}),
        ('{"user_id":"a","texts":["x"],"labels":{"\\udfff":1}}\n', {}),
        ('{"user_id":"a","texts":["x"],"labels":{"g":' + LONG + "}}\n", {}),
        ('{"user_id":' + LONG + ',"texts":["x"]}\n', {}),
        ('{"user_id":"a","text":"x","t":' + LONG + "}\n", {"time_column": "t"}),
        ('{"user_id":"a","text":"x","t":"' + LONG + '-01"}\n', {"time_column": "t"}),
    ],
)
def test_names_and_numbers_of_json_that_nothing_holds(tmp_path, content, choices):
    path = write(tmp_path, "u.jsonl", content)
    with pytest.raises(DataFormatError, match=r"u\.jsonl") as caught:
        load_records(path, **choices)
    assert len(str(caught.value)) < 600


@pytest.mark.parametrize(
    "content",
    [f"{LONG} 2\na 1 2\n", f"2 {LONG}\na 1 2\n", f"1 {'9' * 12}\na 1 2\n"],
)
def test_headers_of_vectors_that_nothing_holds(tmp_path, content):
    text = WordSegmenter().fit_transform([["b"]])
    path = write(tmp_path, "v.txt", content)
    with pytest.raises((DataFormatError, SourceError), match=r"v\.txt"):
        PretrainedVectors(path).fit_transform(text)


@pytest.mark.parametrize(
    ("content", "n_users"), [(f"{LONG} 1\n", 2), ("² 1\n2\n1\n", 3)]
)
def test_numbers_that_no_size_of_a_graph_has_are_ids(tmp_path, content, n_users):
    path = write(tmp_path, "l.txt", content)
    assert SocialGraph.from_links_file(path).n_users == n_users


@pytest.mark.parametrize(
    "encoding", ["nope", "rot13", "base64", "", "a\0b", "idna", "\udc80", "utf-16"]
)
def test_encodings_that_no_line_can_be_read_in(tmp_path, encoding):
    path = write(tmp_path, "u.csv", "user_id,text\na,x\n")
    text = WordSegmenter().fit_transform([["b"]])
    for use in (
        lambda: load_records(path, encoding=encoding),
        lambda: SocialGraph.from_links_file(path, encoding=encoding),
        lambda: PretrainedVectors(path, encoding=encoding).fit_transform(text),
    ):
        with pytest.raises(SourceError, match=r"encoding '.*' (is not known|does not)"):
            use()
