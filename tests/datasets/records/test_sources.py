"""Dumps of APIs and crawlers, folders of shards, and tables in memory."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

from sklearn_profiling.containers.social_graph import SocialGraph
from sklearn_profiling.datasets import load_records, users_from_messages
from sklearn_profiling.exceptions import DataFormatError, SourceError


def lines(*rows):
    return "".join(json.dumps(row) + "\n" for row in rows)


def write(path, text):
    path.write_text(text, encoding="utf-8")
    return path


def messages_of(bunch):
    return bunch.data.set_index("user_id")["messages"].to_dict()


def tweet_v1(number, user, **more):
    return {
        "id": number,
        "id_str": str(number),
        "created_at": f"Wed Oct 10 20:19:{59 - number} +0000 2018",
        "user": {
            "id": user,
            "id_str": str(user),
            "followers_count": number,
            "bio": "b",
        },
        "entities": {"hashtags": []},
        "geo": None,
        **more,
    }


def test_twitter_v1(tmp_path):
    path = write(
        tmp_path / "t.jsonl",
        lines(
            tweet_v1(1, 123456789012345678, full_text="one"),
            tweet_v1(2, 123456789012345678, text="two"),
            tweet_v1(3, 8, text="cut", extended_tweet={"full_text": "not cut"}),
            tweet_v1(4, 123456789012345678, full_text="RT @a: three", text="RT"),
        ),
    )
    bunch = load_records(path)
    assert messages_of(bunch) == {
        "123456789012345678": ["one", "two", "RT @a: three"],
        "8": ["not cut"],
    }
    assert bunch.report["columns"]["id"] == "user.id_str"
    assert bunch.report["columns"]["text"] == [
        "extended_tweet.full_text",
        "full_text",
        "text",
    ]
    assert bunch.data["user.bio"].tolist() == ["b", "b"]
    assert "user.followers_count" in bunch.report["columns"]["left_out"]
    ordered = load_records(path, time_column="created_at")
    assert messages_of(ordered)["123456789012345678"] == ["RT @a: three", "two", "one"]
    named = load_records(path, id_column="user.id", text_column="text")
    assert messages_of(named)["8"] == ["cut"]
    assert named.report["n_null_messages"] == 1
    assert load_records(path, tasks=["user.bio"]).target["user.bio"].tolist() == [
        "b",
        "b",
    ]


PAGE = {
    "data": [
        {"id": "1", "author_id": "7", "text": "hello"},
        {"id": "2", "author_id": "8", "text": "cut", "note_tweet": {"text": "whole"}},
        {"id": "3", "author_id": "9", "text": "stranger"},
    ],
    "includes": {"users": [{"id": "7", "username": "a"}, {"id": "8", "username": "b"}]},
    "meta": {"result_count": 3},
}
NOTHING = {"meta": {"result_count": 0}}
ONE = {"data": {"id": "4", "author_id": "7", "text": "one"}, "includes": {}}


@pytest.mark.parametrize("whole", [True, False])
def test_pages_of_twitter_v2(tmp_path, whole):
    text = json.dumps([PAGE, NOTHING, ONE]) if whole else lines(PAGE, NOTHING, ONE)
    bunch = load_records(write(tmp_path / "t.json", text))
    assert messages_of(bunch) == {
        "7": ["hello", "one"],
        "8": ["whole"],
        "9": ["stranger"],
    }
    assert bunch.data["author.username"].tolist() == ["a", "b", None]
    users = bunch.report["files"]["users"]
    assert (users["n_lines"], users["n_records"]) == (4, 4)
    assert users["taken_for"] == ("a JSON array" if whole else "JSON lines of pages")
    one_page = load_records(write(tmp_path / "p.json", json.dumps(PAGE, indent=1)))
    assert one_page.report["files"]["users"]["taken_for"] == "a JSON object with rows"


def test_pages_of_messages_with_their_users(tmp_path):
    search = {
        "statuses": [tweet_v1(1, 7, text="a"), tweet_v1(2, 8, text="b")],
        "search_metadata": {"count": 2},
    }
    pushshift = {
        "data": [{"author": "ann", "body": "x"}, {"author": "bob", "body": "y"}]
    }
    mastodon = [{"id": "1", "account": {"id": "7"}, "content": "<p>a</p>"}]
    for page, found in (
        (search, {"7": ["a"], "8": ["b"]}),
        (pushshift, {"ann": ["x"], "bob": ["y"]}),
        (mastodon, {"7": ["<p>a</p>"]}),
    ):
        path = write(tmp_path / "p.json", json.dumps(page, indent=1))
        assert messages_of(load_records(path)) == found
        if page is not mastodon:
            twice = load_records(write(tmp_path / "p.jsonl", lines(page, page)))
            assert messages_of(twice) == {k: v * 2 for k, v in found.items()}


def test_flattened_twitter_v2(tmp_path):
    rows = [
        {
            "id": str(number),
            "author_id": user,
            "text": f"t{number}",
            "author": {"id": user, "username": f"u{user}"},
            "referenced_tweets": [{"type": "quoted", "id": "0"}],
        }
        for number, user in enumerate("787")
    ]
    bunch = load_records(write(tmp_path / "t.jsonl", lines(*rows)))
    assert messages_of(bunch) == {"7": ["t0", "t2"], "8": ["t1"]}
    assert bunch.data["author.username"].tolist() == ["u7", "u8"]


def test_reddit(tmp_path):
    comments = lines(
        {"author": "ann", "body": "hello", "subreddit": "x", "id": "1"},
        {"author": "[deleted]", "body": "[removed]", "subreddit": "x", "id": "2"},
        {"author": "ann", "body": "[removed]", "subreddit": "y", "id": "3"},
        {"author": "bob", "body": "hi", "subreddit": "x", "id": "4"},
    )
    posts = lines(
        {"author": "ann", "title": "A", "selftext": "below", "subreddit": "x"},
        {"author": "bob", "title": "B", "selftext": "", "subreddit": "x"},
        {"author": "bob", "title": "C", "selftext": "[removed]", "subreddit": "x"},
        {"author": "cyd", "title": None, "selftext": None, "subreddit": "x"},
    )
    packed = zstandard.ZstdCompressor().compress(comments.encode())
    (tmp_path / "RC_2019-01.zst").write_bytes(packed)
    bunch = load_records(tmp_path / "RC_2019-01.zst")
    assert messages_of(bunch) == {"ann": ["hello"], "bob": ["hi"]}
    assert bunch.report["n_removed_messages"] == 1
    users = bunch.report["files"]["users"]
    assert users["skipped"] == {"deleted author": 1}
    assert (users["n_lines"], users["n_records"]) == (4, 3)
    posted = load_records(write(tmp_path / "RS.jsonl", posts))
    assert posted.report["columns"]["text"] == ["title+selftext"]
    assert messages_of(posted) == {"ann": ["A\n\nbelow"], "bob": ["B", "C"], "cyd": []}
    assert "title" not in posted.data
    both = load_records(write(tmp_path / "both.jsonl", comments + posts))
    assert messages_of(both)["ann"] == ["hello", "A\n\nbelow"]


def test_weibo_and_other_users_with_lists_of_messages(tmp_path):
    weibo = {
        "user": {"id": "1", "gender": "f"},
        "weibo": [{"id": 10, "text": "今天"}, {"id": 11, "text": "好"}],
    }
    path = write(tmp_path / "weibo.json", json.dumps(weibo, indent=2))
    bunch = load_records(path, tasks=["user.gender"])
    assert messages_of(bunch) == {"1": ["今天", "好"]}
    assert bunch.target["user.gender"].tolist() == ["f"]
    many = write(tmp_path / "many.jsonl", lines(weibo, {**weibo, "user": {"id": 2}}))
    assert messages_of(load_records(many)) == {"1": ["今天", "好"], "2": ["今天", "好"]}
    rows = [
        {"id": user, "sex": "f", "tweets": [{"id": 5, "text": "x"}, {"text": "y"}]}
        for user in "ab"
    ]
    users = load_records(write(tmp_path / "u.jsonl", lines(*rows)), tasks=["sex"])
    assert messages_of(users) == {"a": ["x", "y"], "b": ["x", "y"]}
    assert users.target["sex"].tolist() == ["f", "f"]
    # a thread is not one user's, nor is a user with two ids
    two = {"user_id": 1, "uid": 2, "tweets": [{"text": "x"}]}
    path = write(tmp_path / "two.jsonl", lines(two, two))
    with pytest.raises(DataFormatError, match="several columns may be ids"):
        load_records(path)
    counts = {"user_id": 1, "likes": [{"n": 1}], "text": "x"}
    path = write(tmp_path / "counts.jsonl", lines(counts, counts))
    assert messages_of(load_records(path)) == {"1": ["x", "x"]}
    thread = {"author": "a", "comments": [{"author": "b", "body": "x"}]}
    with pytest.raises(DataFormatError, match="no column of messages is known"):
        load_records(write(tmp_path / "thread.jsonl", lines({**thread, "title": "t"})))


def test_objects_of_other_shapes(tmp_path):
    texts = {"ann": ["x", "y"], "bob": []}
    bunch = load_records(write(tmp_path / "t.json", json.dumps(texts)))
    assert messages_of(bunch) == texts
    by_id = pd.DataFrame({"text": ["x", "y"]}, index=["007", "8"])
    path = tmp_path / "index.json"
    by_id.to_json(path, orient="index")
    assert messages_of(load_records(path)) == {"007": ["x"], "8": ["y"]}
    one = write(tmp_path / "one.json", '{"user_id": "a",\n "messages": ["x"]}')
    assert messages_of(load_records(one)) == {"a": ["x"]}
    nested = {"user_id": "a", "messages": ["x"], "b": {"k": 1}}
    one = write(tmp_path / "one.json", json.dumps(nested, indent=1))
    assert load_records(one).data["b"].tolist() == [{"k": 1}]
    dotted = {"user_id": "a", "b": {"v1.0": {"x.y": "up"}, "v1": 2}}
    for text in (json.dumps(dotted, indent=1), json.dumps(dotted)):
        bunch = load_records(write(tmp_path / "one.json", text), tasks=["b.v1.0.x.y"])
        assert bunch.target["b.v1.0.x.y"].tolist() == ["up"]
        bunch = load_records(tmp_path / "one.json", tasks=["b.v1"])
        assert bunch.target["b.v1"].tolist() == [2]
    users = {"v": 1, "people": [{"user_id": 1, "age": 3}, {"user_id": 2, "age": 4}]}
    bunch = load_records(write(tmp_path / "users.json", json.dumps(users, indent=1)))
    assert bunch.data["age"].tolist() == [3, 4]
    taken_for = "a JSON object with rows in 'people'"
    assert bunch.report["files"]["users"]["taken_for"] == taken_for
    deep = '{"a":\n' * 100_000
    with pytest.raises(DataFormatError, match="JSON nested too deeply"):
        load_records(write(tmp_path / "deep.json", deep))
    latin = tmp_path / "latin.json"
    latin.write_bytes(b'{\n"user_id": "a",\n "text": "\xff"}')
    with pytest.raises(DataFormatError, match=r"no readable JSON .* can't decode"):
        load_records(latin)
    single = write(tmp_path / "single.json", '{"text": {"0": "x"}}')
    with pytest.raises(DataFormatError, match="no column of ids is known"):
        load_records(single)
    unlike = {"a": {"x": 1}, "b": {"y": 1}}
    path = write(tmp_path / "unlike.json", json.dumps(unlike, indent=1))
    with pytest.raises(DataFormatError, match="no column of ids is known"):
        load_records(path)
    path = write(tmp_path / "broken.json", '{"user_id": "a",\n "messages": [}')
    with pytest.raises(DataFormatError, match="line 1: invalid JSON"):
        load_records(path)


def test_batches_of_different_types(tmp_path):
    rows = [{"user_id": n % 5, "text": "x", "n": n} for n in range(9000)]
    rows[8500] |= {"n": "late", "labels": {"g": "f"}}
    rows[8600]["user_id"] = "0"
    bunch = load_records(write(tmp_path / "t.jsonl", lines(*rows)))
    assert bunch.data["user_id"].tolist() == list("01234")
    assert bunch.target["g"].tolist() == ["f", None, None, None, None]
    assert bunch.report["n_messages"] == 9000


PARTS = [
    pd.DataFrame({"user_id": ["a", "b"], "text": ["1", "2"], "n": [1, 2]}),
    pd.DataFrame({"user_id": ["a", "c"], "text": ["3", "4"], "n": [1.5, None]}),
]


def test_folders_of_spark(tmp_path):
    folder = tmp_path / "users.parquet"
    folder.mkdir()
    (folder / "_SUCCESS").touch()
    for number, part in enumerate(PARTS):
        name = f"part-0000{number}-c000.snappy.parquet"
        part.to_parquet(folder / name)
        (folder / f".{name}.crc").write_bytes(b"crc")
    for path in (folder, tmp_path):
        bunch = load_records(path)
        assert messages_of(bunch) == {"a": ["1", "3"], "b": ["2"], "c": ["4"]}
        users = bunch.report["files"]["users"]
        assert (users["n_files"], users["taken_for"]) == (2, "2 files: Parquet")
    PARTS[0].assign(user_id=[None, "b"]).to_parquet(folder / name)
    with pytest.raises(DataFormatError, match=r"part-00001-.*: row 1: no user id"):
        load_records(folder)


def test_folders_of_hive(tmp_path):
    for number, key in enumerate(("lang=en", "lang=pt%2DBR")):
        folder = tmp_path / key / f"year=202{number}"
        folder.mkdir(parents=True)
        PARTS[number].query("user_id != 'a'").to_parquet(folder / "part-0.parquet")
    other = tmp_path / "lang=__HIVE_DEFAULT_PARTITION__" / "year=2022"
    other.mkdir(parents=True)
    PARTS[0].query("user_id == 'a'").to_parquet(other / "part-0.parquet")
    bunch = load_records(tmp_path, tasks=["lang"])
    assert bunch.target["lang"].tolist() == [None, "en", "pt-BR"]
    assert bunch.data["year"].tolist() == [2022, 2020, 2021]


@pytest.mark.parametrize("names", [("t-00.csv", "t-01.csv"), ("jan.csv", "feb.csv")])
def test_folders_of_csv(tmp_path, names):
    for name, part in zip(sorted(names), PARTS, strict=True):
        part.to_csv(tmp_path / name, index=False)
    (tmp_path / "links.csv").write_text("source,target\na,b\n")
    (tmp_path / "README.md").write_text("about")
    bunch = load_records(tmp_path)
    assert messages_of(bunch) == {"a": ["1", "3"], "b": ["2"], "c": ["4"]}
    assert bunch.graph.n_edges == 1
    (tmp_path / max(names)).write_text("user_id,text,n\na,1\n")
    with pytest.raises(DataFormatError, match=rf"{max(names)}: row 2: wrong number"):
        load_records(tmp_path)


def test_folders_of_other_things(tmp_path):
    PARTS[0].to_csv(tmp_path / "tweets.csv", index=False)
    (tmp_path / "labels.csv").write_text("id,sex\na,f\n")
    with pytest.raises(DataFormatError, match="several files of users: labels"):
        load_records(tmp_path)
    bunch = load_records(tmp_path / "tweets.csv", labels=tmp_path / "labels.csv")
    assert bunch.target["sex"].tolist() == ["f", None]
    (tmp_path / "t.parquet").mkdir()
    with pytest.raises(DataFormatError, match="several files of users: labels"):
        load_records(tmp_path)


def test_empty_shards(tmp_path):
    for number in range(2):
        path = tmp_path / f"part-{number}.csv"
        path.write_text("user_id,text\n" + "a,x\n" * number)
    (tmp_path / "part-2.csv").write_bytes(b"")
    assert messages_of(load_records(tmp_path)) == {"a": ["x"]}
    (tmp_path / "part-1.csv").write_bytes(b"")
    with pytest.raises(DataFormatError, match="has no rows, only"):
        load_records(tmp_path)


def test_shards_of_other_types(tmp_path):
    for number, ids in enumerate((pa.array([1, 2]), pa.array(["2", "3"]))):
        table = pa.table({"user_id": ids, "text": ["x", "y"]})
        pq.write_table(table, tmp_path / f"part-{number}.parquet")
    assert messages_of(load_records(tmp_path)) == {
        "1": ["x"],
        "2": ["y", "x"],
        "3": ["y"],
    }


FRAME = pd.DataFrame(
    {
        "author": [7, 8, 7, 9],
        "tweet": ["a", "b", "c", None],
        "when": pd.to_datetime(["2020-01-02", "2020-01-01", "2020-01-01", None]),
        "sex": pd.Categorical(["f", "m", None, None]),
        "tags": [["p"], [], ["q"], None],
    }
)


@pytest.mark.parametrize(
    "frame",
    [
        FRAME,
        FRAME.convert_dtypes(),
        FRAME.astype(object).where(FRAME.notna(), None),
        pl.from_pandas(FRAME),
        pa.Table.from_pandas(FRAME),
    ],
    ids=["pandas", "nullable", "objects", "polars", "arrow"],
)
def test_users_from_messages(frame):
    graph = SocialGraph.from_edges([("7", "8")])
    users = users_from_messages(
        frame, user="author", text="tweet", time="when", labels=["sex"], graph=graph
    )
    assert messages_of(users) == {"7": ["c", "a"], "8": ["b"], "9": []}
    assert users.target["sex"].tolist() == ["f", "m", None]
    assert users.target_names == {"sex": ["f", "m"]}
    assert users.graph is graph
    report = users.report
    assert (report["missing_links"], report["n_null_messages"]) == (1, 1)
    assert report["columns"] == {
        "id": "author",
        "text": ["tweet"],
        "time": "when",
        "left_out": ["tags"],
    }
    few = users_from_messages(frame, user="author", text="tweet", min_messages=2)
    assert few.data["user_id"].tolist() == ["7"]
    assert few.report["n_users_below_min_messages"] == 2


def test_labels_of_users_from_messages():
    labels = pl.DataFrame({"id": [7.0, 9.0], "age": [30, 40]})
    users = users_from_messages(FRAME, user="author", text="tweet", labels=labels)
    assert users.target["age"].tolist() == [30, None, 40]
    series = pd.Series(["x", "y"], index=[7, 8], name="mood")
    users = users_from_messages(FRAME, user="author", text="tweet", labels=series)
    assert users.target["mood"].tolist() == ["x", "y", None]
    unnamed = pd.Series(["x"], index=[7])
    users = users_from_messages(FRAME, user="author", text="tweet", labels=unnamed)
    assert users.target.columns.tolist() == ["label"]


def test_float_ids_and_lists_in_frames():
    frame = pd.DataFrame(
        {
            "who": [1.0, 2.0, np.nan],
            "said": [["a", None], np.array(["b", "c"]), ("d",)],
        }
    )
    with pytest.raises(DataFormatError, match="frame: row 3: no user id"):
        users_from_messages(frame, user="who", text="said")
    users = users_from_messages(frame, user="who", text="said", on_bad_lines="skip")
    assert messages_of(users) == {"1": ["a"], "2": ["b", "c"]}
    assert users.report["n_float_ids"] == 2


def test_faults_of_users_from_messages():
    for wrong, message in (
        ({"user": "x"}, r"frame: no record has 'x' \(given as id_column\)"),
        ({"text": "x"}, r"frame: no record has 'x' \(given as text_column\)"),
        ({"labels": ["x"]}, r"frame: no record has 'x' \(given as tasks\)"),
        ({"labels": "sex"}, "labels must be a sequence of names or a table; got 'sex'"),
        ({"min_messages": -1}, "min_messages must be a whole number"),
    ):
        with pytest.raises(ValueError, match=message):
            users_from_messages(FRAME, **({"user": "author", "text": "tweet"} | wrong))
    with pytest.raises(ValueError, match="frame must be a table of messages; got list"):
        users_from_messages([], user="author", text="tweet")
    with pytest.raises(SourceError, match="LazyFrame: collect"):
        users_from_messages(pl.LazyFrame({"a": [1]}), user="a", text="a")
    with pytest.raises(
        DataFormatError, match="frame: has no rows, only the columns 'author'"
    ):
        users_from_messages(FRAME[:0], user="author", text="tweet")
    two = FRAME.assign(sex=["f", "m", "m", None])
    with pytest.raises(DataFormatError, match="frame: row 3: two labels"):
        users_from_messages(two, user="author", text="tweet", labels=["sex"])
    same = pd.concat([FRAME, FRAME["tweet"]], axis=1)
    with pytest.raises(DataFormatError, match="the column 'tweet' is there twice"):
        users_from_messages(same, user="author", text="tweet")


def test_tables_of_hugging_face(tmp_path):
    table = pa.table({"user_id": ["7", "8"], "text": ["a", "b"]})
    path = tmp_path / "data-00000-of-00001.arrow"
    with (
        pa.OSFile(str(path), "wb") as file,
        pa.ipc.new_stream(file, table.schema) as out,
    ):
        out.write_table(table)
    bunch = load_records(path)
    assert messages_of(bunch) == {"7": ["a"], "8": ["b"]}
    assert bunch.report["files"]["users"]["taken_for"] == "Arrow"


@pytest.mark.parametrize("kind", [pa.binary(), pa.large_binary()])
def test_text_that_parquet_does_not_know_as_such(tmp_path, kind):
    table = pa.table(
        {
            "user_id": pa.array([b"7", b"8"], kind),
            "text": pa.array(["é".encode(), None], kind),
            "picture": pa.array([b"\xff", b"\xfe"], kind),
        }
    )
    pq.write_table(table, tmp_path / "t.parquet")
    bunch = load_records(tmp_path / "t.parquet")
    assert messages_of(bunch) == {"7": ["é"], "8": []}
    assert bunch.data["picture"].tolist() == [b"\xff", b"\xfe"]


def test_chats_of_telegram(tmp_path):
    link = {"type": "link", "text": "http://x.y"}
    messages = [
        {"id": 1, "type": "service", "actor_id": "user1", "text": ""},
        {"id": 2, "from_id": "user1", "text": "hi"},
        {"id": 3, "from_id": "user2", "text": ["see ", link, " now"]},
        {"id": 4, "from_id": "user2", "text": [link]},
    ]
    chat = {"name": "G", "type": "public_supergroup", "id": 9, "messages": messages}
    path = write(tmp_path / "result.json", json.dumps(chat, indent=1))
    with pytest.raises(DataFormatError, match="row 1: no user id"):
        load_records(path)
    bunch = load_records(path, on_bad_lines="skip")
    assert messages_of(bunch) == {
        "user1": ["hi"],
        "user2": ["see http://x.y now", "http://x.y"],
    }
    assert bunch.report["files"]["users"]["skipped"] == {"no user id": 1}
    assert bunch.report["columns"]["id"] == "from_id"
