"""The command line, as its users type it."""

from __future__ import annotations

import re

import joblib
import numpy as np
import pandas as pd
import pytest
from writers.mex_a3t import dump_mex_a3t

from sklearn_profiling import cli
from sklearn_profiling.cli import _options
from sklearn_profiling.cli._comparing import make_systems
from sklearn_profiling.cli._reading import jobs_of, segmenter_of
from sklearn_profiling.datasets import (
    dump_records,
    dump_smpcup2016,
    make_image_users,
    make_user_profiles,
)

QUICK = ["--max-epochs", "1", "--filters", "2", "--kernel-sizes", "1", "--jobs", "1"]


@pytest.fixture(scope="module")
def users():
    return make_user_profiles(40, missing_labels=0.1, random_state=0)


@pytest.fixture(scope="module")
def smpcup(users, tmp_path_factory):
    folder = tmp_path_factory.mktemp("smpcup")
    dump_smpcup2016(users, folder)
    return folder


@pytest.fixture(scope="module")
def records(users, tmp_path_factory):
    folder = tmp_path_factory.mktemp("records")
    dump_records(users, folder)
    return folder


def test_demo_prints_every_system_and_the_best_possible(capsys):
    assert cli.main(["demo", "--users", "40", "--folds", "2", *QUICK]) == 0
    printed = capsys.readouterr()
    for name in (
        "Majority class",
        "TF-IDF + logistic regression",
        "Text-CNN (single task)",
        "MMLUP (single task)",
        "MMLUP (without friendship network)",
        "MMLUP (without attention)",
        "MMLUP (the paper's sources)",
        "MMLUP (full architecture)",
    ):
        assert name in printed.out
    assert "Best possible (Bayes): gender 0." in printed.out
    assert "average = 0.2 gender + 0.3 age + 0.5 region" in printed.out
    assert "nan" not in printed.out
    assert "16/16" in printed.err


SMALL_IMAGES = ["--image-size", "8", "--image-filters", "2"]
IMAGE_SYSTEMS = (
    "3D-CNN, Model 1",
    "3D-CNN, Model 2",
    "Image set",
    "Images and text, gated",
)


def test_demo_of_images(capsys):
    arguments = ["demo", "--images", "--users", "40", "--folds", "2"]
    assert cli.main([*arguments, *SMALL_IMAGES, *QUICK]) == 0
    printed = capsys.readouterr().out
    for name in ("Majority class", *IMAGE_SYSTEMS):
        assert name in printed
    assert "Text-CNN" not in printed
    assert " images; " in printed
    assert "Best possible (Bayes): taste 0." in printed
    assert "nan" not in printed


def test_compare_images_of_a_mex_a3t_folder(tmp_path, capsys):
    made = make_image_users(30, n_images=(1, 2), with_text=True, random_state=0)
    target = pd.DataFrame(
        {
            "gender": made.target["coin"].map({"heads": "male", "tails": "female"}),
            "location": made.target["taste"].map(
                {"low": "north", "middle": "center", "high": "west"}
            ),
            "occupation": made.target["zero"].map({"no": "arts", "yes": "student"}),
        }
    )
    dump_mex_a3t(made.data, tmp_path, target=target)
    arguments = ["compare", str(tmp_path), "--systems", "images", "--folds", "2"]
    assert cli.main([*arguments, "--tasks", "gender", *SMALL_IMAGES, *QUICK]) == 0
    printed = capsys.readouterr().out
    for name in IMAGE_SYSTEMS:
        assert name in printed
    assert "location" not in printed
    # all tasks by default
    assert cli.main([*arguments[:2], "--systems", "majority", "--folds", "2"]) == 0
    assert "occupation: 30 labelled, 2 classes" in capsys.readouterr().out
    # one model of it reads the text, and says so
    model, out = str(tmp_path / "model.bin"), tmp_path / "out.csv"
    assert cli.main(["fit", str(tmp_path), "--model", model, *QUICK]) == 0
    assert "images are not read" in capsys.readouterr().out
    assert cli.main(["predict", model, str(tmp_path), "--out", str(out)]) == 0
    predicted = pd.read_csv(out, dtype=str)
    assert predicted["user_id"].tolist() == made.data["user_id"].tolist()
    assert set(predicted["location"]) <= {"north", "center", "west"}


def test_compare_records_chosen_systems_and_tasks(records, tmp_path, capsys):
    out = tmp_path / "scores.csv"
    arguments = ["compare", str(records), "--systems", "majority", "full"]
    arguments += ["--tasks", "gender", "occupation", "--folds", "2", "--out", str(out)]
    assert cli.main([*arguments, "--metric", "macro_f1", *QUICK]) == 0
    printed = capsys.readouterr().out
    assert "macro_f1" in printed
    assert "segmenter: JiebaSegmenter" in printed
    assert "Text-CNN" not in printed
    assert "average =" not in printed
    scores = pd.read_csv(out)
    assert set(scores["task"]) == {"gender", "occupation"}
    assert set(scores["fold"]) == {0, 1}
    assert scores["error"].isna().all()


SMALL = ["--hidden", "2", "--nodes", "2", "--dimensions", "4", "--max-words", "9"]
SMALL += ["--lstm-epochs", "1", "--level", "user"]


def test_compare_both_papers_on_a_main_task(records, tmp_path, capsys):
    arguments = ["compare", str(records), "--systems", "all", "--folds", "2"]
    arguments += ["--main-task", "gender", "--aux-task", "occupation"]
    arguments += ["--results", str(tmp_path), *SMALL, *QUICK]
    assert cli.main(arguments) == 0
    printed = capsys.readouterr()
    accuracy, _, prf = printed.out.partition("macro precision, recall and F")
    for name in (
        "Majority class",
        "SVM",
        "ME",
        "bow-CNN",
        "PCNN",
        "LSTM",
        "Meta-Learning",
        "Multi-task LSTM",
        "Aux-LSTM",
        "MMLUP (full architecture)",
    ):
        assert f"\n{name} " in accuracy
        assert f"\n{name} " in prf
    assert "gender: 36 labelled" in accuracy
    assert "age" not in accuracy.replace("average", "")
    legend = "differs from LSTM: * p < 0.05, ** p < 0.01 (corrected resampled t-test"
    assert legend in accuracy
    assert legend in prf
    assert "failed" not in printed.out
    assert "32/32" in printed.err
    # All is there already; only the reference and the test are new.
    arguments += ["--reference", "svm", "--test", "t", "--metric", "macro_f1"]
    assert cli.main(arguments) == 0
    again = capsys.readouterr().out
    assert "differs from SVM: * p < 0.05, ** p < 0.01 (paired t-test, 2 folds)" in again
    assert "macro precision" not in again


@pytest.mark.parametrize(
    ("segmenter", "system", "told"),
    [("character", "svm", True), ("character", "lstm", False), ("jieba", "svm", False)],
)
def test_style_that_is_not_measured_is_told(
    records, users, segmenter, system, told, capsys
):
    options = _options.make_parser().parse_args(
        ["compare", str(records), "--segmenter", segmenter, "--systems", system]
    )
    make_systems(options, users, "cache")
    said = "stylometric features: none, CharacterSegmenter does not tag parts of"
    assert (said in capsys.readouterr().out) is told


def test_systems_by_group_name_and_part(records, users):
    def chosen(*arguments):
        options = _options.make_parser().parse_args(
            ["compare", str(records), "--segmenter", "jieba", *arguments]
        )
        return list(make_systems(options, users, "cache"))

    both, aux = chosen("--systems", "all"), chosen("--systems", "aux-lstm")
    assert both[: len(aux)] == aux
    assert aux[0] == "Majority class"
    assert aux[-1] == "Aux-LSTM"
    assert chosen() == chosen("--systems", "table3")
    assert chosen("--main-task", "age") == both
    assert chosen("--systems", "lstm") == ["LSTM"]
    assert chosen("--systems", "x-l", "-task l") == ["Multi-task LSTM", "Aux-LSTM"]
    assert len(both) == len(set(both)) == len(aux) + len(chosen()) - 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--aux-task", "age"], "--aux-task goes with --main-task"),
        (
            ["--main-task", "age", "--aux-task", "gender", "--tasks", "age"],
            "--aux-task goes with --main-task and without --tasks",
        ),
        (["--main-task", "age", "--aux-task", "age"], "'age' is the main task itself"),
        (["--main-task", "x", "--tasks", "age"], "--main-task: 'x' is not one of"),
        (["--reference", "nobody"], "--reference: 'nobody' matches none; name one of"),
        (["--reference", "mmlup"], r"--reference: 'mmlup' matches \['MMLUP"),
    ],
)
def test_tasks_and_references_that_do_not_fit(records, arguments, message, capsys):
    assert cli.main(["compare", str(records), *arguments, *QUICK]) == 2
    assert re.search(message, capsys.readouterr().err)


def test_fit_and_predict_smpcup(smpcup, users, tmp_path, capsys):
    model, out = tmp_path / "new" / "model.joblib", tmp_path / "out.csv"
    assert cli.main(["fit", str(smpcup), "--model", str(model), *QUICK]) == 0
    assert cli.main(["predict", str(model), str(smpcup), "--out", str(out)]) == 0
    table = pd.read_csv(out, dtype={"user_id": str})
    assert len(table) == len(users.data)
    assert {"gender", "gender=f", "gender=m", "region=华北"} <= set(table)
    ages = [name for name in table if name.startswith("age=")]
    np.testing.assert_allclose(table[ages].sum(axis=1), 1, atol=1e-5)
    best = table[ages].to_numpy().argmax(axis=1)
    assert [ages[b] for b in best] == [f"age={label}" for label in table["age"]]
    assert "predictions of 40 users" in capsys.readouterr().out


def test_new_users_are_embedded_from_their_links(records, tmp_path, capsys):
    model = tmp_path / "model.joblib"
    assert cli.main(["fit", str(records), "--model", str(model), *QUICK]) == 0
    known = pd.read_csv(records / "links.tsv", sep="\t", header=None)[1].iloc[0]
    outs = []
    for name, links in (("without", ""), ("linked", f"new\t{known}\t1\n")):
        folder = tmp_path / name
        folder.mkdir()
        line = '{"user_id": "new", "labels": {}, "texts": ["今天天气不错"]}\n'
        (folder / "users.jsonl").write_text(line, "utf-8")
        (folder / "links.tsv").write_text(links or "a\tb\t1\n", "utf-8")
        out = tmp_path / f"{name}.csv"
        assert cli.main(["predict", str(model), str(folder), "--out", str(out)]) == 0
        outs.append(pd.read_csv(out).filter(like="=").to_numpy())
    assert outs[0].shape == outs[1].shape
    assert np.abs(outs[0] - outs[1]).max() > 1e-6
    capsys.readouterr()


def test_links_are_read_in_any_format(records, tmp_path, capsys):
    lines = (records / "links.tsv").read_text("utf-8").splitlines()
    links = tmp_path / "links.txt"
    text = "".join(f"{line.partition(chr(9))[0]} {n}\n" for n, line in enumerate(lines))
    links.write_text("# a comment\n" + text, "utf-8")
    path = str(records / "users.jsonl")
    fit = ["fit", path, "--links", str(links), *QUICK]
    assert cli.main([*fit, "--model", str(tmp_path / "model.joblib")]) == 0
    assert "links: read as edges separated by blanks" in capsys.readouterr().out
    named = [*fit, "--model", str(tmp_path / "m.joblib"), "--links-format", "gml"]
    assert cli.main(named) == 2
    assert "no readable gml" in capsys.readouterr().err


def test_errors_are_one_line_and_exit_with_2(records, tmp_path, capsys):
    assert cli.main(["compare", str(tmp_path / "absent"), *QUICK]) == 2
    assert "absent" in capsys.readouterr().err
    assert cli.main(["compare", str(records), "--systems", "nobody", *QUICK]) == 2
    assert "'nobody'" in capsys.readouterr().err
    model = tmp_path / "model.joblib"
    joblib.dump(["no model"], model)
    out = str(tmp_path / "out.csv")
    assert cli.main(["predict", str(model), str(records), "--out", out]) == 2
    assert "not a model" in capsys.readouterr().err


def test_records_without_tasks_say_so(tmp_path, capsys):
    path = tmp_path / "users.jsonl"
    path.write_text('{"user_id": "a", "texts": ["茶"]}\n', "utf-8")
    assert cli.main(["compare", str(path), *QUICK]) == 2
    assert "--tasks" in capsys.readouterr().err


def test_skipped_lines_are_counted(smpcup, tmp_path, capsys):
    folder = tmp_path / "bad"
    folder.mkdir()
    for file in smpcup.iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    with (folder / "labels.txt").open("a", encoding="utf-8") as file:
        file.write("broken\n")
    arguments = ["compare", str(folder), "--systems", "majority", "--folds", "2"]
    assert cli.main([*arguments, *QUICK]) == 2
    assert "labels.txt, line 41" in capsys.readouterr().err
    assert cli.main([*arguments, "--on-bad-lines", "skip", *QUICK]) == 0
    assert "1 lines skipped" in capsys.readouterr().out


def test_interrupt(monkeypatch, capsys):
    def interrupt(options):
        raise KeyboardInterrupt

    monkeypatch.setattr(_options, "run_demo", interrupt)
    assert cli.main(["demo"]) == 130
    assert "interrupted" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["--folds", "1"], ["--users", "0"]])
def test_numbers_out_of_range(arguments, capsys):
    with pytest.raises(SystemExit) as ended:
        cli.main(["demo", *arguments])
    assert ended.value.code == 2
    assert "must be at least" in capsys.readouterr().err


def test_another_version_is_told(records, tmp_path, capsys):
    model = tmp_path / "model.joblib"
    assert cli.main(["fit", str(records), "--model", str(model), *QUICK]) == 0
    saved = joblib.load(model)
    joblib.dump({**saved, "version": "0.0.0"}, model)
    out = str(tmp_path / "out.csv")
    assert cli.main(["predict", str(model), str(records), "--out", out]) == 0
    assert "model of version 0.0.0" in capsys.readouterr().err


def test_jobs_default_to_the_cores(users):
    options = _options.make_parser().parse_args(["demo"])
    assert jobs_of(options) == joblib.cpu_count()


def test_segmenter_can_be_named(users, capsys):
    for name, kind in (
        ("jieba", "JiebaSegmenter"),
        ("character", "CharacterSegmenter"),
    ):
        options = _options.make_parser().parse_args(["demo", "--segmenter", name])
        assert type(segmenter_of(options, users)).__name__ == kind
