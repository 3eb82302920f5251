"""CSV as other programs write it: quotes, missing cells, and lists as text."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sklearn_profiling.datasets import load_records
from sklearn_profiling.exceptions import DataFormatError


def write(folder, text, name="tweets.csv"):
    path = Path(folder) / name
    path.write_text(text, encoding="utf-8", newline="")
    return path


def messages_of(bunch):
    return bunch.data.set_index("user_id")["messages"].to_dict()


@pytest.mark.parametrize("policy", ["error", "skip"])
def test_quotes_escaped_by_a_backslash_are_an_error(tmp_path, policy):
    path = write(tmp_path, 'user_id,text\n7,a\n8,"she said \\"yes\\" ok"\n')
    fault = 'row 3: bad quotes: .*a quote within quotes must be doubled, ""'
    with pytest.raises(DataFormatError, match=fault):
        load_records(path, on_bad_lines=policy)
    # a backslash that ends a field, or stands before a quote of the text
    good = 'user_id,text\n7,"C:\\"\n8,"a\\""b"\n'
    good = write(tmp_path, good, "good.csv")
    assert messages_of(load_records(good)) == {"7": ["C:\\"], "8": ['a\\"b']}
    long = write(tmp_path, f'user_id,text\n7,"C:\\"\n8,"{"x" * (1 << 18)}"\n', "l.csv")
    assert len(messages_of(load_records(long))["8"][0]) == 1 << 18


def test_cells_that_mysql_and_python_write_for_nothing(tmp_path):
    path = write(
        tmp_path,
        "user_id\ttext\tsex\tage\n7\t\\N\tf\tNone\n8\ta\t\\N\t3\nNone\tb\tm\t<NA>\n",
    )
    bunch = load_records(path, tasks=["sex"], on_bad_lines="skip")
    assert messages_of(bunch) == {"7": [], "8": ["a"]}
    assert bunch.target["sex"].tolist() == ["f", None]
    np.testing.assert_array_equal(bunch.data["age"], [np.nan, 3])
    assert bunch.report["n_null_messages"] == 1
    assert bunch.report["files"]["users"]["skipped"] == {"no user id": 1}
    with pytest.raises(DataFormatError, match="row 4: no user id"):
        load_records(path)


def test_marks_among_names_are_names(tmp_path):
    path = write(tmp_path, "user_id,text\nnan,a\nann,b\n")
    assert messages_of(load_records(path)) == {"nan": ["a"], "ann": ["b"]}


def test_lists_that_pandas_wrote_as_text(tmp_path):
    frame = pd.DataFrame(
        {
            "user_id": [1, 2, 3],
            "tweets": [["it's", 'a "b"'], [], None],
            "sex": list("fmf"),
        }
    )
    path = tmp_path / "t.csv"
    frame.to_csv(path)
    bunch = load_records(path, tasks=["sex"])
    assert bunch.report["one_row"] == "user"
    assert messages_of(bunch) == {"1": ["it's", 'a "b"'], "2": [], "3": []}
    frame = frame.head(2).assign(tweets=frame["tweets"].map(json.dumps))
    frame.to_csv(path)
    assert messages_of(load_records(path))["1"] == ["it's", 'a "b"']


@pytest.mark.parametrize("cell", ["['a' 'b']", "[oh] no", "plain " * 20, "['a', ...]"])
def test_text_where_other_rows_have_lists(tmp_path, cell):
    rows = ["user_id,text", *[f"{n},['a']" for n in range(100)]]
    path = write(tmp_path, "\n".join([*rows, f'x,"{cell}"']))
    with pytest.raises(DataFormatError, match="row 102: bad messages: ") as raised:
        load_records(path)
    assert len(str(raised.value)) < 170 + len(str(path))
    alone = write(tmp_path, f'user_id,text\n7,"{cell}"\n', "alone.csv")
    assert messages_of(load_records(alone)) == {"7": [cell]}
