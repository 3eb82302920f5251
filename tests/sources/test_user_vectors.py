"""UserVectors: every file and table, the lookup of ids, faults with their place."""

from __future__ import annotations

import gzip
import pickle
import warnings

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from gensim.models import KeyedVectors
from sklearn.base import clone

from sklearn_profiling.exceptions import (
    DataFormatError,
    DataQualityWarning,
    SourceError,
)
from sklearn_profiling.sources import SourceUnion, UserVectors

IDS = ["ann", "bob"]
VECTORS = [[0.5, 1.0], [2.0, -1.5]]
NAN = [np.nan, np.nan]
WORD2VEC = "2 2\nann 0.5 1.0\nbob 2.0 -1.5\n"
TABLE = pd.DataFrame({"id": IDS, "x_0": [0.5, 2.0], "x_1": [1.0, -1.5]})


def look_up(vectors, users, *args, **parameters):
    model = UserVectors(vectors, *args, **parameters)
    return model.fit_transform(users).tolist()


def assert_ann_and_bob(vectors, *args, **parameters):
    made = UserVectors(vectors, *args, **parameters).fit(["ann"])
    found = made.transform(["bob", "eve", None, "ann"])
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, [VECTORS[1], NAN, NAN, VECTORS[0]])
    assert made.report_["n_missing"] == 2
    return made.report_["format"]


# -- text ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (WORD2VEC, "word2vec-text"),
        ("ann 0.5 1.0\nbob 2.0 -1.5\n", "glove"),
        ("ann\t0.5\t1\nbob\t2\t-1.5\n", "glove"),
        ("id,x_0,x_1\nann,0.5,1\nbob,2,-1.5\n", "csv"),
        (",0,1\nann,0.5,1\nbob,2,-1.5\n", "csv"),
        ("\t0\t1\nann\t0.5\t1\nbob\t2\t-1.5\n", "csv"),
        ("x_0,x_1,User_ID\n0.5,1,ann\n2,-1.5,bob\n", "csv"),
        ("who,a,b\nann,0.5,1\nbob,2,-1.5\n", "csv"),
        ("ann,0.5,1\nbob,2,-1.5\n", "csv"),
        ("id;x_0;x_1\nann;0,5;1,0\nbob;2,0;-1,5\n", "csv"),
        ("id\tx_0\tx_1\nann\t0.5\t1\nbob\t2\t-1.5\n", "csv"),
        ("id x_0 x_1\nann 0.5 1\nbob 2 -1.5\n", "csv"),
        ('\ufeffid,x_0,x_1\r\n\r\n ann ,0.5,1\r\n\r\n"bob",2,-1.5\r\n\r\n', "csv"),
    ],
)
def test_text(tmp_path, text, kind):
    path = tmp_path / "vectors.txt"
    path.write_bytes(text.encode())
    assert assert_ann_and_bob(path) == kind
    packed = tmp_path / "vectors.gz"
    packed.write_bytes(gzip.compress(text.encode()))
    assert assert_ann_and_bob(str(packed)) == kind


def test_binary_and_gensim(tmp_path):
    keyed = KeyedVectors(2)
    keyed.add_vectors(IDS, np.array(VECTORS, np.float32))
    keyed.save_word2vec_format(str(tmp_path / "v.bin"), binary=True)
    assert assert_ann_and_bob(tmp_path / "v.bin") == "word2vec-binary"
    keyed.save(str(tmp_path / "v.kv"))
    with pytest.raises(DataFormatError, match="trusted=True"):
        UserVectors(tmp_path / "v.kv").fit()
    assert assert_ann_and_bob(tmp_path / "v.kv", trusted=True) == "gensim"


def test_a_column_of_ids_that_is_named(tmp_path):
    path = tmp_path / "v.csv"
    path.write_text("id,login,x_0,x_1\n1,ann,0.5,1\n2,bob,2,-1.5\n")
    with pytest.raises(DataFormatError, match=r"line 2: column 'login' must .*'ann'"):
        UserVectors(path).fit()
    path.write_text("login,number\nNA,1\n2,2\n")
    assert look_up(path, ["2", "NA"], id_column="login") == [[2.0], [1.0]]
    path.write_text("a,b\n1,2\n")
    with pytest.raises(DataFormatError, match=r"which column .* \['a', 'b'\]"):
        UserVectors(path).fit()
    with pytest.raises(DataFormatError, match="no column 'c', the id_column, among"):
        UserVectors(path, id_column="c").fit()
    path.write_text("ann,1\nbob,2\n")
    with pytest.raises(DataFormatError, match="line 1: id_column needs a header"):
        UserVectors(path, id_column="id").fit()


def test_ids_beside_a_text_of_numbers(tmp_path):
    path = tmp_path / "v.csv"
    path.write_text("x_0,x_1\n0.5,1\n2,-1.5\n")
    assert_ann_and_bob(path, IDS)
    path.write_text("0.5,1\n2,-1.5\n")
    assert_ann_and_bob(path, IDS)
    with pytest.raises(DataFormatError, match=r"line 1: expected an id .* '0.5'"):
        UserVectors(path).fit()
    path.write_text(WORD2VEC)
    for parameter in ({"ids": IDS}, {"id_column": "id"}):
        with pytest.raises(DataFormatError, match="each line of this format begins"):
            UserVectors(path, **parameter).fit()


def test_the_ids_of_text_have_no_kind(tmp_path):
    for number, text in enumerate(("7 0.5 1\n8 2 1\n", "7.0,0.5,1\n8.0,2,1\n")):
        path = tmp_path / str(number)
        path.write_text(text)
        for seven in (7, 7.0, "7", np.int64(7)):
            assert look_up(path, [seven]) == [[0.5, 1.0]]
        ids = pd.Series([7, None, 8])
        np.testing.assert_array_equal(look_up(path, ids), [[0.5, 1.0], NAN, [2.0, 1.0]])
        np.testing.assert_array_equal(look_up(path, [7.5, "x"]), [NAN, NAN])
    large = tmp_path / "large"
    large.write_text(f"-0,0.5,1\n+{'9' * 5000},2,1\n")
    assert look_up(large, ["0", "9" * 5000]) == [[0.5, 1.0], [2.0, 1.0]]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("id,x\nann,1\n\nbob,2\nann,3\n", r", line 5: user 'ann' .* first in line 2"),
        ("ann 1 2\nbob 3 4\nann 5 6\n", r", line 3: 'ann' stands twice"),
        ("id,x\nann,1\nbob,inf\n", r", line 3: the vector of 'bob' .* not finite"),
        ("id,x\nann,1\nbob,\n", r", line 3: the vector of 'bob' holds .* missing"),
        ("id,x\nann,1\nbob,1e99\n", r", line 3: the vector of 'bob'"),
        ("id,x\nann,1\nbob,two\n", r", line 3: column 'x' must .* got 'two'"),
        ("id,x\nann,1\n,2\n", r", line 3: expected an id; there is none"),
        ("id,x\nann,1\nbob,2,3\n", "Expected 2 fields in line 3, saw 3"),
        ("id,x\nann,1,2\nbob,2,3\n", "more columns than the first"),
        ("id,x\n", "found 0 ids"),
        ("", "the file is empty"),
        ('id,x\nann,1\n"bob,2\n', "no readable table"),
        ("7 1 2\n7.0 2 3\n", r"row 1: user '7' stands twice, first in row 0"),
        (f"ann,1\nbob,{'9' * 400}\n", r", line 2: column 1 must hold .* got 999"),
        (f"ann,1\nbob,{'9' * 400}\ntim,x\n", r", line 3: column 1 must .* got 'x'"),
        (f"7 1 2\n1e{'9' * 30} 2 3\n", "is a rounded number; write ids with all"),
    ],
)
def test_faults_of_text(tmp_path, text, fault):
    path = tmp_path / "v.txt"
    path.write_text(text)
    with pytest.raises(DataFormatError, match=fault) as error:
        UserVectors(path).fit()
    assert str(path) in str(error.value)


def test_no_text_at_all(tmp_path):
    path = tmp_path / "v.txt"
    for data, fault in (
        (b"id,x\n\xff,1\n", "no readable table"),
        (pickle.dumps({"a,b": 1}), "a pickle"),
        (b"\x89HDF\r\n\x1a\n", "HDF5"),
        (b"\0\1\2,\0", "binary"),
    ):
        path.write_bytes(data)
        with pytest.raises(DataFormatError, match=fault):
            UserVectors(path).fit()
    with pytest.raises(DataFormatError, match="no such file"):
        UserVectors(tmp_path / "absent").fit()


# -- tables --------------------------------------------------------------------


@pytest.mark.parametrize(
    "table",
    [
        TABLE,
        TABLE.set_index("id"),
        TABLE.set_index("id").rename_axis(None),
        TABLE.rename(columns={"id": "who"}),
        TABLE[["x_0", "id", "x_1"]].sort_index(ascending=False),
        pl.from_pandas(TABLE),
        pa.Table.from_pandas(TABLE),
        pd.DataFrame({"id": IDS, "vector": VECTORS}),
        pd.DataFrame({"id": [*IDS, "eve"], "vector": [*VECTORS, None]}),
        pl.DataFrame(
            {"id": IDS, "v": VECTORS}, schema_overrides={"v": pl.Array(pl.Float32, 2)}
        ),
        dict(zip(IDS, VECTORS, strict=True)),
        dict(zip(IDS, torch.tensor(VECTORS), strict=True)),
    ],
)
def test_tables_and_mappings(table):
    assert_ann_and_bob(table)


def test_a_table_with_ids_apart():
    assert_ann_and_bob(TABLE[["x_0", "x_1"]], pd.Series(IDS))
    assert_ann_and_bob(TABLE.rename(columns={"id": "x"}), id_column="x")
    with pytest.raises(SourceError, match=r"vectors: which column holds .*\['x_0', 'x"):
        UserVectors(TABLE[["x_0", "x_1"]]).fit()
    with pytest.raises(SourceError, match="which column"):
        UserVectors(pd.DataFrame()).fit()
    with pytest.raises(SourceError, match=r"found 1 ids and vectors of shape \(2, 2\)"):
        UserVectors(pd.DataFrame({"vector": VECTORS}), ["ann"]).fit()


def test_parquet(tmp_path):
    path = tmp_path / "v.parquet"
    for table in (
        TABLE,
        TABLE.set_index("id"),
        pd.DataFrame({"id": [*IDS, "eve"], "vector": [*VECTORS, None]}),
    ):
        table.to_parquet(path)
        assert assert_ann_and_bob(path) == "parquet"
    fixed = pa.FixedSizeListArray.from_arrays(pa.array([0.5, 1.0, 2.0, -1.5]), 2)
    pq.write_table(pa.table({"id": IDS, "vector": fixed}), path)
    assert_ann_and_bob(path)
    made = UserVectors(pd.DataFrame({"id": [*IDS, "eve"], "v": [*VECTORS, None]})).fit()
    assert made.report_["n_without_vector"] == 1
    assert made.report_["n_known"] == 2
    path.write_bytes(b"PAR1 and no more")
    with pytest.raises(DataFormatError, match="no readable Parquet"):
        UserVectors(path).fit()


@pytest.mark.parametrize(
    ("table", "fault"),
    [
        (TABLE.assign(id=["ann", "ann"]), r"vectors: row 1: user 'ann' .* in row 0"),
        (TABLE.assign(x_1=[1, np.nan]), r"vectors: row 1: the vector of 'bob'"),
        (TABLE.assign(x_1=["1", "b"]), r"vectors: row 1: column 'x_1' must .* got 'b'"),
        (TABLE.assign(id=["ann", None]), r"vectors: ids: row 1 holds no id"),
        (TABLE.assign(x_1=["a" * 99, "b"]), r"got 'a{56}\.\.\.$"),
        ({"ann": "x", "bob": "y"}, "expected a vector, an array or list of numbers"),
        ({"ann": [1.0], "bob": [1.0, 2.0]}, "row 1"),
        ({}, "expected a vector"),
    ],
)
def test_faults_of_tables(table, fault):
    with pytest.raises(SourceError, match=fault):
        UserVectors(table).fit()


# -- arrays --------------------------------------------------------------------


def test_arrays(tmp_path):
    array = np.array(VECTORS)
    for given in (VECTORS, array, torch.tensor(VECTORS, requires_grad=True)):
        for ids in (IDS, np.array(IDS), pd.Series(IDS), tuple(IDS)):
            assert_ann_and_bob(given, ids)
    np.save(tmp_path / "v.npy", array)
    assert_ann_and_bob(tmp_path / "v.npy", IDS)
    (tmp_path / "ids.txt").write_text("ann\nbob\n\n")
    assert assert_ann_and_bob(tmp_path / "v.npy", tmp_path / "ids.txt") == "npy"
    np.save(tmp_path / "ids.npy", np.array(IDS))
    assert_ann_and_bob(str(tmp_path / "v.npy"), str(tmp_path / "ids.npy"))
    (tmp_path / "ids.txt").write_text("7\n8\n")
    assert look_up(array, [7], tmp_path / "ids.txt") == VECTORS[:1]


def test_archives_of_arrays(tmp_path):
    path = tmp_path / "v.npz"
    np.savez(path, vectors=VECTORS, names=IDS)
    assert assert_ann_and_bob(path) == "npz"
    np.savez_compressed(path, vectors=VECTORS, anything=IDS)
    assert_ann_and_bob(path)
    np.savez(path, vectors=VECTORS, degree=[1, 2], logins=IDS)
    with pytest.raises(DataFormatError, match=r"vectors \(2, 2\), degree \(2,\),"):
        UserVectors(path).fit()
    assert_ann_and_bob(path, id_column="logins")
    assert_ann_and_bob(path, IDS)
    with pytest.raises(DataFormatError, match="expected one array of vectors"):
        UserVectors(path, id_column="absent").fit()


def test_faults_of_arrays(tmp_path):
    with pytest.raises(SourceError, match="needs ids, one for each row"):
        UserVectors(VECTORS).fit()
    with pytest.raises(SourceError, match=r"found 1 ids and vectors of shape \(2, 2\)"):
        UserVectors(VECTORS, ["ann"]).fit()
    with pytest.raises(SourceError, match=r"got list of float64 of shape \(2,\)"):
        UserVectors([1.0, 2.0], IDS).fit()
    path = tmp_path / "ids"
    path.write_text("ann\n\nbob\n")
    with pytest.raises(DataFormatError, match="line 2: expected an id; there is none"):
        UserVectors(VECTORS, path).fit()
    path.write_bytes(b"\xff\n")
    with pytest.raises(DataFormatError, match="ids must be UTF-8"):
        UserVectors(VECTORS, path).fit()
    np.save(tmp_path / "o.npy", np.array(IDS, dtype=object))
    with pytest.raises(DataFormatError, match="which can run any code"):
        UserVectors(VECTORS, tmp_path / "o.npy").fit()


# -- the lookup ----------------------------------------------------------------


@pytest.mark.parametrize(
    "users",
    [
        ["bob"],
        pd.Series(["bob"]),
        pd.DataFrame({"user_id": ["bob"]}),
        np.array([["bob"]]),
        pl.Series(["bob"]),
        pl.DataFrame({"user_id": ["bob"]}),
        pa.array(["bob"]),
    ],
)
def test_columns_of_ids(users):
    assert look_up(VECTORS, users, IDS) == VECTORS[1:]


def test_ids_of_another_kind_are_refused():
    numbers = UserVectors(VECTORS, [1, 2]).fit()
    assert numbers.transform(pd.Series([2.0, np.nan]))[0].tolist() == VECTORS[1]
    with pytest.raises(SourceError, match=r"such as '1' .* of the vectors, such as 1:"):
        numbers.transform(["1", None])
    with pytest.raises(SourceError, match=r"such as 'a{56}\.\.\. are"):
        numbers.fit(["a" * 999])
    with pytest.raises(SourceError, match="such as 1 are"):
        UserVectors(VECTORS, IDS).fit([1])
    with pytest.raises(SourceError, match="hashable"):
        numbers.transform([[1]])
    with pytest.raises(SourceError, match="one column"):
        numbers.transform(np.ones((2, 2)))


def test_vectors_of_other_users_are_a_warning(tmp_path):
    path = tmp_path / "v.txt"
    path.write_text("ann 1\nbob 2\ncyd 3\ndan 4\n")
    users = ["ann", *map(str, range(10))]
    expected = (
        r"v.txt: only 1 of 11 users have a vector. Users are for example 'ann', '0', "
        "'1'; ids of vectors 'bob', 'cyd', 'dan'."
    )
    with pytest.warns(DataQualityWarning, match=expected) as caught:
        UserVectors(path).fit(users)
    assert caught[0].filename == __file__
    with pytest.warns(DataQualityWarning, match="^UserVectors: only 0 of 10"):
        UserVectors(VECTORS, IDS).fit(users[1:])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        UserVectors(path).fit(users[:9]).transform(users[1:])
        UserVectors(path).fit(users[:10])


def test_a_source_of_a_union(tmp_path):
    path = tmp_path / "v.txt"
    path.write_text(WORD2VEC)
    union = SourceUnion([("network", UserVectors(path), "user_id")])
    users = pd.DataFrame({"user_id": ["bob", "eve"]})
    made = union.fit_transform(users)["network"]
    np.testing.assert_array_equal(made, [VECTORS[1], NAN])
    path.unlink()  # what was read is kept
    again = pickle.loads(pickle.dumps(union)).transform(users)["network"]
    np.testing.assert_array_equal(again, made)


def test_names_and_parameters():
    model = UserVectors(TABLE, id_column="id")
    assert clone(model).get_params().keys() == model.get_params().keys()
    made = model.set_output(transform="pandas").fit_transform(
        pd.Series(IDS, list("xy"))
    )
    assert made.columns.tolist() == ["uservectors0", "uservectors1"]
    assert made.index.tolist() == ["x", "y"]
    with pytest.raises(ValueError, match="'id_column'"):
        UserVectors(TABLE, id_column=3).fit()


def test_decimal_commas_that_begin_late(tmp_path):
    path = tmp_path / "v.csv"
    path.write_text("id;x;y\na;1;2\nb;0,5;3\n")
    vectors = UserVectors(path).fit_transform(["a", "b"])
    np.testing.assert_array_equal(vectors, np.float32([[1, 2], [0.5, 3]]))


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ('{"1": [0.1, 0.2]}', "the file is JSON: load it, and give a mapping"),
        ('[{"id": 1, "v": [0.1]}]', "the file is JSON"),
        ("9 2\n1 0.1 0.2\n2 0.3 0.4\n", "states 9 words .*; correct the line"),
    ],
)
def test_files_that_are_none_of_vectors(tmp_path, text, fault):
    path = tmp_path / "v"
    path.write_text(text)
    with pytest.raises(DataFormatError, match=fault):
        UserVectors(path).fit(["1"])
