"""The commands that compare systems, as their users type them."""

from __future__ import annotations

import io
import json
import re

import joblib
import pandas as pd
import pytest
from quick_options import NET, QUICK, SMALL, SMALL_IMAGES
from sklearn.utils import Bunch
from writers.mex_a3t import dump_mex_a3t

from sklearn_profiling import cli
from sklearn_profiling.baselines import MaskedMultiOutputClassifier
from sklearn_profiling.cli import _options
from sklearn_profiling.cli._comparing import _reference
from sklearn_profiling.cli._reading import jobs_of
from sklearn_profiling.cli._systems import choose_systems
from sklearn_profiling.containers import SocialGraph
from sklearn_profiling.datasets import make_image_users
from sklearn_profiling.exceptions import SourceError
from sklearn_profiling.persistence import load


def test_demo_prints_every_system_and_the_best_possible(capsys):
    assert cli.main(["demo", "--users", "40", "--folds", "2", *QUICK]) == 0
    printed = capsys.readouterr()
    for name in (
        "Profiler",
        "Majority class",
        "TF-IDF + ridge",
        "SVM on n-grams",
        "Links + ridge",
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
    assert "22/22" in printed.err


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
    assert cli.main(["fit", str(tmp_path), "--model", model, *NET]) == 0
    assert "images are not read by Profiler" in capsys.readouterr().out
    assert cli.main(["predict", model, str(tmp_path), "--out", str(out)]) == 0
    predicted = pd.read_csv(out, dtype=str)
    assert predicted["user_id"].tolist() == made.data["user_id"].tolist()
    assert set(predicted["location"]) <= {"north", "center", "west"}


def test_compare_records_chosen_systems_and_tasks(records, tmp_path, capsys):
    out = tmp_path / "new" / "scores.csv"
    arguments = ["compare", str(records), "--systems", "majority", "full"]
    arguments += ["--tasks", "gender", "occupation", "--folds", "2", "--out", str(out)]
    assert cli.main([*arguments, "--metric", "macro_f1", *QUICK]) == 0
    printed = capsys.readouterr().out
    assert "macro_f1" in printed
    assert "segmenter: WordSegmenter" in printed
    assert "Text-CNN" not in printed
    assert "average =" not in printed
    scores = pd.read_csv(out)
    assert set(scores["task"]) == {"gender", "occupation"}
    assert set(scores["fold"]) == {0, 1}
    assert scores["error"].isna().all()


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
    assert "  age: " not in accuracy
    legend = "differs from LSTM: * p < 0.05, ** p < 0.01 (corrected resampled t-test"
    assert legend in accuracy
    assert legend in prf
    assert "failed" not in printed.out
    assert "38/38" in printed.err
    # All is there already; only the reference and the test are new.
    arguments += ["--reference", "svm", "--test", "t", "--metric", "macro_f1"]
    assert cli.main(arguments) == 0
    again = capsys.readouterr().out
    legend = "differs from SVM: * p < 0.05, ** p < 0.01 (paired t-test, 2 folds, not "
    assert f"{legend}corrected for " in again
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
    choose_systems(options, users, "cache")
    said = "stylometric features: none, CharacterSegmenter does not tag parts of"
    assert (said in capsys.readouterr().out) is told


def test_systems_by_group_name_and_part(records, users):
    def chosen(*arguments):
        options = _options.make_parser().parse_args(
            ["compare", str(records), "--segmenter", "jieba", *arguments]
        )
        return list(choose_systems(options, users, "cache"))

    both, aux = chosen("--systems", "all"), chosen("--systems", "aux-lstm")
    assert both[0] == chosen()[0] == "Profiler"
    assert both[1 : len(aux) + 1] == aux
    assert aux[0] == "Majority class"
    assert aux[-1] == "Aux-LSTM"
    assert chosen() == chosen("--systems", "table3")
    assert chosen("--main-task", "age") == both
    assert chosen("--systems", "lstm") == ["LSTM"]
    assert chosen("--systems", "profiler") == ["Profiler"]
    (system,) = choose_systems(
        _options.make_parser().parse_args(
            ["compare", str(records), "--systems", "profiler", "--segmenter", "words"]
        ),
        users,
        None,
    ).values()
    assert system.get_params()["sources__segmenter__punctuation"] == "keep"
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


def test_the_profiler_reads_what_users_have(records, users):
    def names(texts, graph):
        given = Bunch(
            data=users.data.assign(messages=texts), target=users.target, graph=graph
        )
        options = _options.make_parser().parse_args(["compare", str(records)])
        systems = choose_systems(options, given, None)
        if "Profiler" not in systems:
            return []
        fitted = systems["Profiler"]["sources"].fit(given.data, given.target)
        return list(fitted.union_.named_sources_)

    texts, nothing = users.data["messages"], [[] for _ in users.data["messages"]]
    graph = SocialGraph.from_edges([], ids=users.data["user_id"])
    of_text = ["messages_tfidf_odds", "messages_counts_odds", "messages_topics"]
    of_links = ["links_odds", "neighbors_odds", "network"]
    assert names(texts, users.graph) == of_text + of_links
    assert names(texts, graph) == names(texts, None) == of_text
    assert names(nothing, users.graph) == of_links
    assert names(nothing, graph) == []


def test_jobs_default_to_the_cores(users):
    options = _options.make_parser().parse_args(["demo"])
    assert jobs_of(options) == joblib.cpu_count()


def test_the_table_marks_the_best_and_fits_eighty_columns(records, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    arguments = ["compare", str(records), "--folds", "2", *QUICK]
    assert cli.main([*arguments, "--systems", "majority", "tf-idf", "full"]) == 0
    printed = capsys.readouterr().out
    table = printed.partition("accuracy, mean")[2]
    assert max(map(len, table.splitlines())) <= 80
    # four tasks and the average, in blocks that repeat the systems
    assert table.count("Majority class") > 1
    assert table.count(">") >= 5


def test_results_as_csv_and_json_stand_alone(records, capsys):
    arguments = ["compare", str(records), "--folds", "2", "--jobs", "1"]
    arguments += ["--systems", "majority", "tf-idf"]
    assert cli.main([*arguments, "--format", "csv"]) == 0
    printed = capsys.readouterr()
    table = pd.read_csv(io.StringIO(printed.out))
    assert set(table["system"]) == {"Majority class", "TF-IDF + ridge"}
    assert set(table["task"]) == {"gender", "age", "region", "occupation", "average"}
    assert {"accuracy", "macro_f1"} <= set(table["metric"])
    assert table["mean"].between(0, 1).all()
    assert "40 users" in printed.err
    assert cli.main([*arguments, "--format", "json", "--metric", "accuracy"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {row["metric"] for row in rows} == {"accuracy"}
    wanted = table[table["metric"] == "accuracy"]["mean"].tolist()
    assert [row["mean"] for row in rows] == pytest.approx(wanted)


def test_quiet_prints_the_result_alone(records, capsys):
    arguments = ["compare", str(records), "--folds", "2", "--jobs", "1", "--quiet"]
    assert cli.main([*arguments, "--systems", "majority"]) == 0
    printed = capsys.readouterr()
    assert printed.err == ""
    assert printed.out.strip().startswith("accuracy, mean")


def test_a_failed_system_is_told_by_the_status(records, capsys, monkeypatch):
    def fail(self, X, y):
        msg = "nothing learned"
        raise SourceError(msg)

    monkeypatch.setattr(MaskedMultiOutputClassifier, "fit", fail)
    arguments = ["compare", str(records), "--folds", "2", "--jobs", "1"]
    assert cli.main([*arguments, "--systems", "tf-idf", "majority"]) == 1
    printed = capsys.readouterr()
    assert "failed in fold 0, 1: SourceError: nothing learned" in printed.out
    warning = "sklearn-profiling: warning: TF-IDF + ridge failed in fold"
    assert warning in printed.err
    assert ".py" not in printed.err
    assert cli.main([*arguments, "--systems", "tf-idf", "--format", "csv"]) == 1
    table = pd.read_csv(io.StringIO(capsys.readouterr().out))
    assert table["mean"].isna().all()
    assert set(table["error"]) == {"SourceError: nothing learned"}


def test_the_best_system_is_trained_and_written(records, tmp_path, capsys):
    model, out = tmp_path / "best", tmp_path / "out.csv"
    arguments = ["compare", str(records), "--folds", "2", *QUICK, "--model", str(model)]
    assert cli.main([*arguments, "--systems", "majority", "tf-idf"]) == 0
    printed = capsys.readouterr().out
    # the average is the last column of the last block
    best = re.findall(r"^(\S.*?)  .*>\S+ ± \S+$", printed, re.M)[-1]
    assert f"best on average, trained on all users: {best}\n" in printed
    assert cli.main(["predict", str(model), str(records), "--out", str(out)]) == 0
    assert len(pd.read_csv(out)) == 40


def test_the_least_loss_is_the_best(records, tmp_path, capsys):
    arguments = ["compare", str(records), "--folds", "2", *QUICK]
    arguments += ["--metric", "log_loss", "--model", str(tmp_path / "best")]
    assert cli.main([*arguments, "--systems", "majority", "tf-idf"]) == 0
    table = capsys.readouterr().out.partition("log_loss")[2]
    rows = re.findall(r"^\S.* ± [\d.]+$", table, re.M)
    averages = {row.split("  ")[0]: float(row.split()[-3].strip(">")) for row in rows}
    best = min(averages, key=averages.get)
    assert load(tmp_path / "best")["system"] == best


def test_no_model_is_written_if_every_system_fails(
    records, tmp_path, capsys, monkeypatch
):
    def fail(self, X, y):
        msg = "nothing learned"
        raise SourceError(msg)

    monkeypatch.setattr(MaskedMultiOutputClassifier, "fit", fail)
    arguments = ["compare", str(records), "--folds", "2", "--jobs", "1"]
    arguments += ["--systems", "tf-idf", "--model", str(tmp_path / "best")]
    assert cli.main(arguments) == 1
    assert "no model is written" in capsys.readouterr().out
    assert not (tmp_path / "best").exists()


def test_the_papers_preset_leaves_sizes_to_the_papers(records, users):
    def made(*arguments):
        options = _options.make_parser().parse_args(
            ["compare", str(records), *arguments]
        )
        options.systems = ["all"]
        data = users.data.assign(images=[[]] * len(users.data))
        with_images = Bunch(data=data, target=users.target, graph=users.graph)
        return choose_systems(options, with_images, None)

    ours = made()
    theirs = made("--preset", "paper", "--main-task", "age")
    assert {name.removesuffix(", paper") for name in theirs} < set(ours)

    def net(systems, name):
        return systems[name].named_steps["classifier"].get_params()

    full = net(theirs, "MMLUP (full architecture), paper")
    assert (full["n_filters"], full["n_hidden"]) == (64, (128, 64, 32))
    assert (full["max_epochs"], full["batch_size"]) == (20, 50)
    assert net(ours, "MMLUP (full architecture)")["n_filters"] == 16
    lstm, aux = net(theirs, "LSTM, paper"), net(theirs, "Aux-LSTM, paper")
    assert (lstm["level"], lstm["n_hidden"], lstm["max_words"]) == ("user", 64, None)
    assert aux["main_task"] == "age"
    assert net(ours, "LSTM")["level"] == "message"
    volume = theirs["3D-CNN, Model 1, paper"]
    assert volume["classifier"].max_epochs == 100
    assert volume.get_params()["sources__images__size"] == (64, 64)
    # What is given counts with either preset.
    given = made("--preset", "paper", "--filters", "3", "--image-size", "8")
    assert net(given, "MMLUP (full architecture), paper")["n_filters"] == 3
    volume = given["3D-CNN, Model 2, paper"]
    assert volume.get_params()["sources__images__size"] == (8, 8)
    # Users without regions have no regional dictionary.
    assert full["sources"] is None
    assert "keywords" in str(theirs["MMLUP (full architecture), paper"]["sources"])


def test_lstm_is_the_reference_with_either_preset():
    for preset, name in (("default", "LSTM"), ("paper", "LSTM, paper")):
        options = _options.make_parser().parse_args(
            ["compare", "users", "--main-task", "age", "--preset", preset]
        )
        assert _reference(options, ["SVM", name]) == name
        assert _reference(options, [name]) is None
