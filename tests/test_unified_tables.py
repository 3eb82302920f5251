"""The benchmark of the unified framework's tables and figures, on few users."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import numpy as np
import pytest
from writers.yelp import dump_yelp

from sklearn_profiling.datasets import make_reviewers
from tests import pretrained_folders
from tests.generators import BART, VIT

FOLDER = Path(__file__).parents[1] / "benchmarks" / "accuracy"

pytestmark = pytest.mark.skipif(
    not (FOLDER / "unified_tables.py").is_file(), reason="needs the files of a checkout"
)
QUICK = ["--users", "16", "--seeds", "1", "--epochs", "1"]


@pytest.fixture
def tables(monkeypatch):
    monkeypatch.syspath_prepend(str(FOLDER))
    module = importlib.import_module("unified_tables")
    # One pass over few users says nothing, so the smallest models do.
    bart = {**BART, "max_position_embeddings": 128}
    small = {"t5": bart, "bart": bart, "vit": VIT}
    monkeypatch.setattr(module, "SMALL", {**module.SMALL, **small})
    return module


def numbers(printed, row):
    """The numbers of a row of the first table."""
    line = next(line for line in printed.splitlines() if line.startswith(row))
    return [float(n) for n in re.findall(r"\d+\.\d+", line.removeprefix(row))]


def test_rows_stand_beside_the_papers(tables, tmp_path, capsys):
    arguments = ["--table", "4", *QUICK, "--results", str(tmp_path)]
    arguments += ["--systems", "Text-Only", "+Fusion, Multi", "+Text, Uni"]
    tables.main(arguments)
    printed = capsys.readouterr().out
    assert "Table 4: macro-F1, 1 seeds, 16 users" in printed
    for row, paper in (
        ("Text-Only", 46.01),
        ("+Fusion, Multi", 48.53),
        ("+Text, Uni", 52.21),
    ):
        *tasks, average, published, _ = numbers(printed, row)
        assert len(tasks) == 6
        assert average == pytest.approx(sum(tasks) / 6, abs=0.02)
        assert published == paper
    assert "best possible, images" in printed
    assert len(list((tmp_path / "seed0").iterdir())) == 3
    # What is finished is taken from the folder, times and all.
    tables.main(arguments)
    assert capsys.readouterr().out == printed
    assert len(list((tmp_path / "seed0").iterdir())) == 3


def test_a_row_that_fails_does_not_stop_the_others(tables, monkeypatch, capsys):
    rows = {
        "absent": tables.Row("NoSuchClassifier"),
        "odd": tables.Row(params={"colour": "red"}),
        "broken": tables.Row(params={"n_beams": 0}),
        "Text-Only": tables.Row(reads=("text",)),
    }
    monkeypatch.setattr(tables, "rows_of", lambda what: rows)
    tables.main(["--table", "4", *QUICK])
    printed = capsys.readouterr().out
    assert "absent, seed 0, failed: there is no NoSuchClassifier" in printed
    assert "odd, seed 0, failed: ProfileGeneratorClassifier has no parameter" in printed
    assert "broken, seed 0, failed: InvalidParameterError" in printed
    assert len(numbers(printed, "Text-Only")) == 6 + 3


def test_figure_6_gives_users_what_others_showed(tables):
    settings = tables.parse(["--figure", "6", *QUICK])
    users = tables.Users(settings)
    rows = tables.rows_of("figure 6")
    paired = users.sources(rows["Paired, Multi"])
    unpaired = users.sources(rows["Unpaired, Multi"])
    missing = users.sources(rows["Partial Missing, Multi"])
    n_users = len(users.data)
    assert n_users == 16
    for user in range(n_users):
        other = (user - 1) % n_users
        assert unpaired["text"][user] == paired["text"][user]
        assert unpaired["captions"][user] == paired["captions"][other]
        assert (unpaired["images"][user] == paired["images"][other]).all()
        assert missing["captions"][user] == paired["captions"][user][::2]
        assert (missing["images"][user] == paired["images"][user][::2]).all()


def test_ratings_with_profiles_from_a_yelp_folder(tables, tmp_path, capsys):
    dump_yelp(make_reviewers(16, n_reviews=3, random_state=0), tmp_path)
    arguments = ["--table", "5", *QUICK, "--data", str(tmp_path), "--min-reviews", "3"]
    arguments += ["--min-words", "1"]
    tables.main([*arguments, "--systems", "TF-IDF", "TF-IDF, profile", "T5, profile"])
    printed = capsys.readouterr().out
    assert "Table 5" in printed
    assert "failed" not in printed
    assert numbers(printed, "T5, profile")[2] == 66.8


def test_a_yelp_folder_is_drawn_and_split_as_in_the_paper(
    tables, tmp_path, monkeypatch
):
    dump_yelp(make_reviewers(16, n_reviews=5, random_state=0), tmp_path)
    few = ["--data", str(tmp_path), "--min-reviews", "3", "--min-words", "1"]

    def made(*arguments):
        return tables.Users(tables.parse([*arguments, *few]))

    users = made("--table", "2")
    assert users.data["messages"].str.len().max() == 3
    assert made("--table", "5").data["messages"].str.len().max() == 5
    assert made("--figure", "5").data["messages"].str.len().max() == 5
    train, test = tables.split_of(users, 0)
    assert (len(train), len(test)) == (12, 4)
    monkeypatch.setattr(tables, "PAPER_SIZES", (9, 3, 4))
    train, test = tables.split_of(users, 0)
    assert (len(train), len(test)) == (9, 4)
    assert not set(train) & set(test)
    asked = made("--table", "2", "--sizes", "5", "2", "3")
    assert [len(part) for part in tables.split_of(asked, 1)] == [5, 3]


def test_every_row_has_its_number(tables):
    for what, published in tables.PAPER.items():
        assert set(published) <= set(tables.rows_of(what))
        assert all(20 < number < 80 for number in published.values())
    # Tables of one paper agree where they show the same.
    paper = tables.PAPER
    assert paper["3"]["-Uni"] == paper["4"]["Ours, Multi"]
    assert paper["3"]["-Multi -Uni"] == paper["7"]["Ours"]
    assert paper["2"]["Ours"] == paper["3"]["Ours"] == paper["7"]["Ours, joint"]
    assert paper["2"]["BART"] == paper["7"]["BART"]
    assert len(tables.rows_of("figure 5")) == 10


@pytest.mark.parametrize("what", ["2", "3", "4", "5", "7", "figure 5", "figure 6"])
def test_every_row_has_its_classifier(tables, what):
    kind, _, number = what.rpartition(" ")
    settings = tables.parse([f"--{kind or 'table'}", number])
    for row in tables.rows_of(what).values():
        if row.kind == "make_tfidf_baseline":
            continue
        made = tables.classifier(row, settings, 7)
        assert type(made).__name__ == row.kind
        found = made.get_params(deep=False)
        assert found["random_state"] == 7
        assert all(found[key] == value for key, value in row.params.items())


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--systems", "theirs"], "are none of"),
        (["--model", "t6=folder"], "NAME=FOLDER"),
        (["--model", "bart"], "NAME=FOLDER"),
    ],
)
def test_what_is_unknown_is_said(tables, capsys, arguments, said):
    with pytest.raises(SystemExit):
        tables.parse(["--table", "2", *arguments])
    assert said in capsys.readouterr().err


def test_models_from_folders_are_tuned_as_in_the_paper(tables):
    arguments = ["--table", "2", "--language-model", "a", "--model", "bart=b"]
    settings = tables.parse(arguments)
    assert settings.models == {"t5": "a", "bart": "b"}
    assert settings.image_size == 32
    assert tables.parse([*arguments, "--image-model", "c"]).image_size == 224

    def made(language, settings=settings):
        params = tables.classifier(tables.Row(language=language), settings, 0)
        names = ("max_epochs", "batch_size", "learning_rate", "dropout")
        return [params.get_params()[name] for name in names]

    mixed = tables.parse([*arguments, "--mixing", "batch"])
    assert tables.classifier(tables.ours(), mixed, 0).mixing == "batch"
    assert tables.classifier(tables.ours(), settings, 0).mixing == "step"
    # A small model that learns from nothing beside them is not.
    assert made("t5") == made("bart") == [10, 4, 5e-5, None]
    assert made("bert") == [16, 8, 1e-3, 0.0]
    asked = tables.parse([*arguments, "--epochs", "3", "--learning-rate", "0.1"])
    assert made("t5", asked) == [3, 4, 0.1, None]
    assert made("bert", asked) == [3, 8, 0.1, 0.0]


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """A folder of each family of Table 2, as its own class saves it."""
    where = tmp_path_factory.mktemp("folders")
    names = ("flan", "bart", "bert", "llama", "glm", "llava", "ViT", "CLIP")
    found = {name: where / name for name in names}
    with pytest.MonkeyPatch.context() as patch:
        # As long as the texts.
        for sizes in (pretrained_folders._BART, pretrained_folders._LLAMA):
            patch.setitem(sizes, "max_position_embeddings", 1024)
        pretrained_folders.save_language_model(found["flan"], "flan-T5", tied=False)
        pretrained_folders.save_language_model(found["llama"], "LLaMA", tied=False)
        for name in ("bart", "bert", "llava"):
            getattr(pretrained_folders, f"save_{name}")(found[name])
        pretrained_folders.save_glm4(found["glm"])
    for name in ("ViT", "CLIP"):
        pretrained_folders.save_image_model(found[name], name)
    return found


@pytest.mark.parametrize(
    ("image_model", "rows"),
    [("ViT", ()), ("CLIP", ("COOPNet", "SelectAtt", "VLP-MABSA", "AoM", "Ours"))],
)
def test_table_2_from_folders(tables, folders, image_model, rows, capsys):
    found = {**folders, "chatglm": folders["glm"]}
    arguments = ["--table", "2", *QUICK, "--language-model", str(folders["flan"])]
    arguments += ["--image-model", str(folders[image_model]), "--image-size", "16"]
    arguments += ["--model"]
    arguments += [
        f"{name}={found[name]}"
        for name in ("bart", "bert", "llama", "llava", "chatglm")
    ]
    tables.main([*arguments, *(("--systems", *rows) if rows else ())])
    printed = capsys.readouterr().out
    assert "failed" not in printed
    assert "Small models with random weights: none" in printed
    shown = tables.name_of
    for name in rows or tables.rows_of("2"):
        line = numbers(printed, f"{shown(name, found | {'t5': ''})} ")
        published = tables.PAPER["2"].get(name)
        assert len(line) == 6 + 2 + (published is not None)
        assert published in {None, line[-2]}


def test_names_say_what_was_run(tables, tmp_path, capsys):
    tables.main(["--table", "2", *QUICK, "--systems", "VLP-MABSA"])
    printed = capsys.readouterr().out
    assert numbers(printed, "BART with ViT patches (VLP-MABSA)")[-2] == 49.22
    assert "Small models with random weights: t5, bart" in printed
    names = ["LLaVA", "LLaVA, joint", "Flan-T5", "T5", "AoM"]
    small = [tables.name_of(name, {}) for name in names]
    llava = "LLaMA with ViT patches (LLaVA)"
    patches = "BART with ViT patches (AoM)"
    assert small == [llava, f"{llava}, joint", "T5 (Flan-T5)", "T5", patches]
    folders = {"t5": "a", "llava": "b"}
    assert [tables.name_of(name, folders) for name in names] == [*names[:4], patches]

    def made(arguments):
        settings = tables.parse(["--table", "2", *arguments])
        model = tables.classifier(tables.rows_of("2")["LLaVA"], settings, 0)
        return settings.image_size, model.language_model, model.image_model

    whole = ["--model", "llama=c", "llava=b", "--image-model", "d"]
    assert made(whole) == (336, "b", None)
    assert made(["--model", "llava=b"]) == (336, "b", None)
    assert made(["--model", "llama=c", "--image-model", "d"]) == (224, "c", "d")


def test_partly_missing_users_keep_two_of_the_three_images_read(tables):
    users = tables.Users(tables.parse(["--figure", "6", "--users", "16"]))
    images = [[cell[0]] * 5 for cell in users.data["images"]]
    users.data = users.data.assign(images=images)
    users.data["captions"] = [["a cup"] * 5 for _ in images]
    found = users.sources(tables.ours("both", change="missing"))
    assert set(np.diff(found["images"].user_starts)) == {2}
    assert set(np.diff(found["captions"].user_starts)) == {2}


def test_rows_differ_in_what_they_say(tables):
    rows = {what: tables.rows_of(what) for what in ("2", "3", "4", "5", "7")}

    def parts(row):
        settings = tables.parse(["--table", "2"])
        made = tables.classifier(row, settings, 0)
        return {"reads": row.reads, "class": row.kind, **made.get_params()}

    def differing(one, other):
        first, second = parts(one), parts(other)
        return {name for name in first if first[name] != second.get(name)}

    table = rows["3"]
    for name, changed in {
        "-Uni": {"paradigm"},
        "-Multi": {"paradigm"},
        "-Multi -Uni": {"paradigm", "joint_modes"},
    }.items():
        assert differing(table[name], table["Ours"]) == changed
    for name, row in rows["4"].items():
        end = "Uni" if name.endswith("Uni") else "Multi"
        ours = rows["4"][f"Ours, {end}"]
        changed = {"reads", "joint_modes"} if name == "Text-Only" else {"joint_modes"}
        assert differing(row, ours) == (set() if name.startswith("Ours") else changed)
    # The joint framework gives captions to models of text; nothing else changes.
    for name in ("BART", "LLaMA", "OD-TUP", "SelectAtt", "LLaVA", "Ours"):
        changed = differing(rows["7"][name], rows["7"][f"{name}, joint"])
        assert "joint_modes" in changed
        assert changed <= {"joint_modes", "paradigm", "captions", "reads"}
        assert rows["7"][name].params["joint_modes"] == ("fusion",)
    for name in ("T5", "BART", "LLaMA", "ChatGLM"):
        assert rows["5"][name] == rows["5"][f"{name}, profile"]
    alone = rows["2"]["Flan-T5"]
    assert differing(alone, rows["4"]["Text-Only"]) == set()
    assert rows["2"]["BART"].params == alone.params
