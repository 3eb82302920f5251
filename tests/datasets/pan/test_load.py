"""PAN corpora of each year, written by hand: layouts, labels, faults and counts."""

from __future__ import annotations

import shutil

import pandas as pd
import pytest

from sklearn_profiling import cli
from sklearn_profiling.datasets import load_pan
from sklearn_profiling.datasets.pan.format import name_columns, parse_file_name
from sklearn_profiling.datasets.pan.load import holds_authors
from sklearn_profiling.exceptions import DataFormatError

BOMB = """<?xml version="1.0"?>
<!DOCTYPE author [
  <!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;">
]>
<author lang="en"><documents><document>&c;</document></documents></author>"""


def author(*texts, lang="en", tag="document", more=""):
    inside = "".join(f"<{tag}><![CDATA[{text}]]></{tag}>" for text in texts)
    return f'<author lang="{lang}"{more}>\n\t<{tag}s>{inside}</{tag}s>\n</author>'


def write(folder, files):
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return folder


def adds_up(bunch):
    report = bunch.report
    skipped = sum(report["skipped_authors"].values())
    assert report["n_author_files"] == report["n_authors_read"] + skipped
    documents = report["n_messages"] + report["n_messages_without_text"]
    assert report["n_documents"] == documents
    assert report["n_messages"] == bunch.data["messages"].str.len().sum()
    assert report["n_users"] == len(bunch.data) == len(bunch.target)
    assert sum(report["n_users_per_language"].values()) == report["n_users"]
    for task, missing in report["missing_labels"].items():
        assert missing == bunch.target[task].isna().sum()
    for read in report["files"].values():
        counted = read["n_records"] + read["n_blank"] + sum(read["skipped"].values())
        assert counted == read["n_lines"]
    return bunch


def test_a_folder_by_hand(tmp_path):
    bunch = adds_up(
        load_pan(
            write(
                tmp_path / "en",
                {
                    "truth.txt": "b:::human:::female\n\na10:::bot:::bot\n"
                    "x:::human:::male",
                    "a10.xml": author("one", "", "  two &amp; <b>3</b>\n"),
                    "b.xml": author("¡olé! 🙂"),
                    "a9.xml": "<author><documents><document>a &amp; b</document>"
                    "<note>no</note></documents></author>",
                    ".hidden.xml": "x",
                    "__MACOSX/._b.xml": "x",
                    "readme.md": "x",
                },
            )
        )
    )
    assert bunch.data.columns.tolist() == ["user_id", "messages"]
    assert bunch.data["user_id"].tolist() == ["b", "a10", "x", "a9"]
    assert bunch.data["messages"].tolist() == [
        ["¡olé! 🙂"],
        ["one", "two &amp; <b>3</b>"],
        [],
        ["a & b"],
    ]
    assert bunch.target.columns.tolist() == ["bot", "gender"]
    assert bunch.target["bot"].tolist() == ["human", "bot", "human", None]
    assert bunch.target["gender"].tolist() == ["female", None, "male", None]
    assert bunch.target_names == {"bot": ["bot", "human"], "gender": ["female", "male"]}
    assert bunch.graph is None
    assert bunch.DESCR.startswith(".. _pan:")
    del bunch.report["files"]
    assert bunch.report == {
        "columns": ["bot", "gender"],
        "n_author_files": 3,
        "n_authors_read": 3,
        "skipped_authors": {},
        "n_documents": 5,
        "n_messages": 4,
        "n_messages_without_text": 1,
        "n_users_below_min_messages": 0,
        "n_messages_below_min": 0,
        "n_users": 4,
        "n_users_per_language": {"en": 4},
        "n_users_without_author_file": 1,
        "n_users_not_in_truth": 1,
        "n_labeled_users": 3,
        "missing_labels": {"bot": 1, "gender": 2},
        "missing_messages": 1,
        "n_images": 0,
        "n_files_ignored": 1,
    }


def test_2013_conversations_and_labels_in_names(tmp_path):
    files = {
        "en/1a_en_20s_male.xml": author("<p>hi</p>", "yo", tag="conversation"),
        "en/2b_en_xxx_xxx.xml": author("hey", tag="conversation"),
        "es/3c_es_10s_female.xml": author("hola", lang="ES", tag="conversation"),
    }
    bunch = adds_up(load_pan(write(tmp_path, files)))
    assert bunch.data["user_id"].tolist() == ["1a", "2b", "3c"]
    assert bunch.data["messages"][0] == ["<p>hi</p>", "yo"]
    assert bunch.data["language"].tolist() == ["en", "en", "es"]
    assert bunch.target["age_group"].tolist() == ["20s", None, "10s"]
    assert bunch.target["gender"].tolist() == ["male", None, "female"]
    assert bunch.report["n_users_not_in_truth"] == 0
    # a truth above the languages replaces the names; by id or by the file's name
    truth = "1a:::30s:::female\n3c_es_10s_female:::20s:::male\n"
    write(tmp_path, {"truth-en.txt": truth})
    bunch = adds_up(load_pan(tmp_path))
    assert bunch.data["user_id"].tolist() == ["1a", "3c", "2b"]
    assert bunch.target["age_group"].tolist() == ["30s", "20s", None]
    assert bunch.target["gender"].tolist() == ["female", "male", None]


def test_2014_attributes_of_the_root(tmp_path):
    more = ' type="twitter" age_group="25-34" gender="FEMALE" url="u"'
    hidden = ' age_group="xx-xx" gender=""'
    files = {
        "a.xml": author("", "text", more=more),
        "b.xml": author(more=hidden).replace("[]", ""),
    }
    bunch = adds_up(load_pan(write(tmp_path, files)))
    assert bunch.target.to_dict("list") == {
        "age_group": ["25-34", None],
        "gender": ["female", None],
    }
    assert bunch.report["n_messages_without_text"] == 1
    write(tmp_path, {"truth.txt": "a:::MALE:::35-49\nb:::FEMALE:::65-xx\n"})
    bunch = adds_up(load_pan(tmp_path))
    assert bunch.target.to_dict("list") == {
        "gender": ["male", "female"],
        "age_group": ["35-49", "65-xx"],
    }


BIG_FIVE = {
    "en/truth.txt": "u1:::F:::18-24:::0.1:::-0.2:::0.0:::.3:::0.5\n"
    "u2:::M:::50-XX:::0.2:::0:::-0.5:::0.25:::0.15\n",
    "it/truth.txt": "u1:::M:::XX-XX:::0.3:::0.1:::0.2:::0.1:::0.4\n",
    "en/u1.xml": author("x"),
    "en/u2.xml": author("y"),
    "it/u1.xml": author("z", lang="it"),
}


def test_2015_scores_of_personality(tmp_path):
    bunch = adds_up(load_pan(write(tmp_path, BIG_FIVE)))
    # the same id in two languages is two users
    assert bunch.data["user_id"].tolist() == ["en/u1", "u2", "it/u1"]
    assert bunch.data["language"].tolist() == ["en", "en", "it"]
    assert bunch.target.columns.tolist() == [
        *("gender", "age_group"),
        *("extroverted", "stable", "agreeable", "conscientious", "open"),
    ]
    assert bunch.target["age_group"].tolist() == ["18-24", "50-XX", None]
    assert bunch.target["stable"].tolist() == ["-0.2", "0", "0.1"]
    binned = load_pan(tmp_path, score_edges=(0, 0.2), tasks=["stable", "agreeable"])
    assert binned.target["stable"].tolist() == ["below 0", "0 to 0.2", "0 to 0.2"]
    assert binned.target["agreeable"].tolist() == ["0 to 0.2", "below 0", "0.2 or more"]
    names = ["gender", *("open", "a", "b", "c", "d", "e")]
    with pytest.raises(DataFormatError, match=r"open must be a number.*'18-24'"):
        load_pan(tmp_path, score_edges=[0], target_names=names)


def test_2018_photos(tmp_path):
    files = {
        "ar/text/a.xml": author("x", lang="ar"),
        "ar/ar.txt": "a:::female\nb:::male\n",
        "ar/photo/a/a.10.jpeg": b"x",
        "ar/photo/a/a.9.png": b"x",
        "ar/photo/b/b.1.JPG": b"x",
        "ar/photo/c/1.jpg": b"x",
        "ar/photo/a/notes.pdf": b"x",
    }
    bunch = adds_up(load_pan(write(tmp_path, files)))
    assert bunch.data["user_id"].tolist() == ["a", "b", "c"]
    photos = tmp_path / "ar" / "photo"
    assert bunch.data["images"].tolist() == [
        [str(photos / "a" / "a.9.png"), str(photos / "a" / "a.10.jpeg")],
        [str(photos / "b" / "b.1.JPG")],
        [str(photos / "c" / "1.jpg")],
    ]
    assert bunch.target["gender"].tolist() == ["female", "male", None]
    assert bunch.report["n_images"] == 4
    assert bunch.report["n_files_ignored"] == 1
    # the folder of texts alone, below which the truth may lie as well
    write(tmp_path, {"ar/text/truth.txt": "a:::male"})
    assert load_pan(tmp_path / "ar" / "text").target["gender"].tolist() == ["male"]


def test_truths_of_2019_are_used_once_and_the_nearest_counts(tmp_path):
    files = {
        "en/a.xml": author("x"),
        "en/b.xml": author("x"),
        "en/truth-train.txt": "a:::human:::male\n",
        "en/truth-dev.txt": "b:::bot:::bot\n",
        "truth.txt": "a:::human:::female\nb:::human:::female\n",
    }
    bunch = adds_up(load_pan(write(tmp_path, files)))
    assert sorted(bunch.data["user_id"]) == ["a", "b"]
    labels = dict(zip(bunch.data["user_id"], bunch.target["gender"], strict=True))
    assert labels == {"a": "male", "b": None}
    write(tmp_path, {"en/truth.txt": "a:::human:::male\nb:::bot:::bot\n"})
    bunch = adds_up(load_pan(tmp_path))
    assert bunch.data["user_id"].tolist() == ["a", "b"]
    assert bunch.report["n_files_ignored"] == 2
    assert len(bunch.report["files"]) == 2


def test_languages_with_different_columns(tmp_path):
    files = {
        "en/a.xml": author("x"),
        "nl/b.xml": author("x", lang=""),
        "other/c.xml": author("x", lang=""),
        "en/truth.txt": "a:::female:::18-24",
        "nl/truth.txt": "b:::male",
        "other/truth.txt": "c:::male",
    }
    bunch = adds_up(load_pan(write(tmp_path, files)))
    assert bunch.target.to_dict("list") == {
        "gender": ["female", "male", "male"],
        "age_group": ["18-24", None, None],
    }
    assert bunch.data["language"].tolist() == ["en", "nl", None]
    counts = {"en": 1, "nl": 1, "unknown": 1}
    assert bunch.report["n_users_per_language"] == counts
    with pytest.raises(DataFormatError, match=r"1 labels after the id.*has 2"):
        load_pan(tmp_path, target_names=["g", "a"])


@pytest.mark.parametrize(
    ("rows", "names"),
    [
        (["female:::canada", "male:::great britain"], ["gender", "variety"]),
        (["portugal:::M"], ["variety", "gender"]),
        (["maghrebi"], ["variety"]),
        (["0", "1"], ["spreader"]),
        (["I", "NI"], ["irony"]),
        (["I:::0", "NI:::1"], ["irony", "label1"]),
        (["bot:::bot", "human:::male"], ["bot", "gender"]),
        (["bot:::bot"], ["bot", "gender"]),
        (["20s:::male", "xx:::female"], ["age_group", "gender"]),
        (["65-xx"], ["age_group"]),
        (["arts:::female", "sports:::male"], ["label0", "gender"]),
        (["male:::female:::None"], ["gender", "label1", "label2"]),
        (["0:::1:::0:::1:::1"], [f"label{place}" for place in range(5)]),
        (["XX:::XX:::XX:::XX:::XX"], [f"label{place}" for place in range(5)]),
    ],
)
def test_columns_by_their_values(rows, names):
    assert name_columns([row.split(":::") for row in rows]) == names


def test_names_given(tmp_path):
    files = {"a.xml": author("x"), "truth.txt": "a:::1:::M:::XX"}
    write(tmp_path, files)
    bunch = load_pan(tmp_path, target_names=["hate_speech", "gender", "age"])
    assert bunch.target.to_dict("records") == [
        {"hate_speech": "1", "gender": "male", "age": None}
    ]
    bunch = load_pan(tmp_path, target_names=["h", "g", "a"], tasks=["g"])
    assert bunch.target.to_dict("records") == [{"g": "M"}]


def test_without_tasks_the_truth_is_not_read(tmp_path):
    write(tmp_path, {"a_en_20s_male.xml": author("x"), "truth.txt": "broken"})
    bunch = load_pan(tmp_path, tasks=())
    assert bunch.target.shape == (1, 0)
    assert bunch.report["files"] == {}
    assert bunch.report["n_labeled_users"] == 0


@pytest.mark.parametrize(
    ("content", "kind", "line"),
    [
        (BOMB, "document type declaration", 2),
        ('<!DOCTYPE author SYSTEM "file:///etc/passwd"><author/>', "document type", 1),
        ("<author>\n<document>&b;</document></author>", "no well-formed XML", 2),
        ("<author>\n<documents>\n", "no well-formed XML", 3),
        ("", "no well-formed XML", 1),
        ("\n<users/>", "no author: the root must be <author>; got <users>", 2),
        (b"<author>\xff</author>", "no well-formed XML", 1),
        ("<?xml version='1.0' encoding='nothing'?><author/>", "encoding", None),
    ],
)
def test_bad_authors(tmp_path, content, kind, line):
    write(tmp_path, {"bad.xml": content, "good.xml": author("x")})
    with pytest.raises(DataFormatError, match=kind) as caught:
        load_pan(tmp_path)
    assert caught.value.path == str(tmp_path / "bad.xml")
    assert caught.value.line == line
    bunch = adds_up(load_pan(tmp_path, on_bad_lines="skip"))
    assert bunch.data["user_id"].tolist() == ["good"]
    assert sum(bunch.report["skipped_authors"].values()) == 1


def test_encodings_that_xml_states(tmp_path):
    text = '<?xml version="1.0" encoding="{}"?><author><document>añ</document></author>'
    for name in ("utf-8", "utf-16", "iso-8859-1", "windows-1252"):
        write(tmp_path, {f"{name}.xml": text.format(name).encode(name)})
    write(tmp_path, {"truth.txt": "utf-16:::ñ".encode("latin-1")})
    bunch = load_pan(tmp_path, encoding=("utf-8", "latin-1"))
    assert bunch.data["messages"].tolist() == [["añ"]] * 4
    assert bunch.target["label0"].tolist() == ["ñ", None, None, None]


def test_documents_within_documents_are_one_message(tmp_path):
    inner = "<document>a <document>b</document> <i>c</i></document>"
    write(tmp_path, {"a.xml": f"<author>{inner}</author>"})
    assert load_pan(tmp_path).data["messages"][0] == ["a b c"]


def test_the_same_author_twice(tmp_path):
    write(tmp_path, {"a.xml": author("x"), "text/a.xml": author("y")})
    with pytest.raises(DataFormatError, match="duplicate author: 'a' has an earlier"):
        load_pan(tmp_path)
    bunch = adds_up(load_pan(tmp_path, on_bad_lines="skip"))
    assert bunch.report["skipped_authors"] == {"duplicate author": 1}


def test_bad_lines_of_truth(tmp_path):
    lines = ["a:::male:::20s", "b", "c:::male", "a:::male:::30s", "d:::female:::20s"]
    write(tmp_path, {"a.xml": author("x"), "truth.txt": "\n".join(lines)})
    with pytest.raises(DataFormatError, match=r"line 2: wrong number of fields.*3"):
        load_pan(tmp_path)
    bunch = adds_up(load_pan(tmp_path, on_bad_lines="skip"))
    (read,) = bunch.report["files"].values()
    assert read["skipped"] == {"wrong number of fields": 2, "duplicate user": 1}
    assert bunch.target["age_group"].tolist() == ["20s", "20s"]
    write(tmp_path, {"truth.txt": "a"})
    with pytest.raises(DataFormatError, match="expected 2 or more"):
        load_pan(tmp_path)


def test_folders_without_users(tmp_path):
    with pytest.raises(DataFormatError, match="is not a folder"):
        load_pan(tmp_path / "absent")
    with pytest.raises(DataFormatError, match=r"no users: \*\.xml"):
        load_pan(write(tmp_path, {"notes.txt": "x"}))


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        (
            {"tasks": "gender"},
            "tasks must be None or a sequence of names; got 'gender'",
        ),
        ({"tasks": ["gender", "gender"]}, "tasks must not name a task twice"),
        ({"tasks": ["age"]}, "each of tasks must be one of 'gender'; got 'age'"),
        ({"target_names": [1]}, "target_names must be None or a sequence of names"),
        ({"score_edges": []}, "score_edges must be None or finite rising numbers"),
        ({"score_edges": [1, 1]}, "score_edges must be None or finite rising"),
        ({"score_edges": [float("nan")]}, "score_edges must be None or finite rising"),
        ({"on_bad_lines": "drop"}, "on_bad_lines must be one of 'error', 'skip'"),
        ({"encoding": "klingon"}, "encoding 'klingon' is not known"),
    ],
)
def test_parameters(tmp_path, parameters, message):
    write(tmp_path, {"a.xml": author("x"), "truth.txt": "a:::male"})
    with pytest.raises(ValueError, match=message):
        load_pan(tmp_path, **parameters)


def test_file_names():
    assert parse_file_name("a_b_en_30s_FEMALE") == (
        "a_b",
        "en",
        {"age_group": "30s", "gender": "female"},
    )
    assert parse_file_name("user_of_no_year") == ("user_of_no_year", None, {})


def test_corpora_are_known_by_an_author(tmp_path):
    assert not holds_authors(tmp_path)
    write(tmp_path, {".x.xml": "<author/>", "en/a.xml": "<settings/>"})
    assert not holds_authors(tmp_path)
    shutil.rmtree(tmp_path / "en")
    write(tmp_path, {"en/text/a.xml": author("x")})
    assert holds_authors(tmp_path)
    assert not holds_authors(tmp_path / "en" / "text" / "a.xml")


def test_the_command_line_reads_a_corpus(tmp_path, capsys):
    words = {"female": "garden rain", "male": "match beer"}
    genders = ["female", "male"] * 5
    corpus = tmp_path / "en"
    files = {f"u{n}.xml": author(words[g], words[g]) for n, g in enumerate(genders)}
    truth = [f"u{n}:::human:::{gender}" for n, gender in enumerate(genders)]
    write(corpus, {**files, "bad.xml": "x", "truth.txt": "\n".join(truth)})
    arguments = ["compare", str(corpus), "--systems", "majority", "--folds", "2"]
    assert cli.main([*arguments, "--tasks", "gender", "--on-bad-lines", "skip"]) == 0
    printed = capsys.readouterr().out
    assert "gender: 10 labelled, 2 classes, 0 missing" in printed
    assert "1 files of authors skipped: no well-formed XML" in printed


def test_the_columns_hold_objects(tmp_path):
    bunch = load_pan(write(tmp_path, BIG_FIVE))
    assert set(map(str, bunch.target.dtypes)) == {"object"}
    assert isinstance(bunch.data.index, pd.RangeIndex)


def test_ages_that_are_all_hidden(tmp_path):
    scores = ":::0.2:::0.1:::-0.3:::0.5:::0.0"
    truth = f"u1:::F:::XX-XX{scores}\nu2:::M:::xx-xx{scores}\n"
    files = {"u1.xml": author("a"), "u2.xml": author("b"), "Truth.TXT": truth}
    bunch = adds_up(load_pan(write(tmp_path, files)))
    assert bunch.report["columns"][:2] == ["gender", "age_group"]
    assert bunch.target["age_group"].tolist() == [None, None]
    assert bunch.target["gender"].tolist() == ["female", "male"]


def test_ids_of_the_truth_with_the_ending_of_the_file(tmp_path):
    files = {"u1.xml": author("a"), "truth.txt": "u1.xml:::female\n"}
    bunch = adds_up(load_pan(write(tmp_path, files)))
    assert bunch.data["user_id"].tolist() == ["u1"]
    assert bunch.target["gender"].tolist() == ["female"]


def test_the_truth_of_another_corpus(tmp_path):
    files = {"ABC.xml": author("a"), "truth.txt": f"{'x' * 90}:::male\n"}
    fault = (
        r"the truth labels none of the users: it has 'x+\.\.\., the files are of 'ABC'"
    )
    with pytest.raises(DataFormatError, match=fault):
        load_pan(write(tmp_path, files))
