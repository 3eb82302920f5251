"""The commands that train and predict, as their users type them."""

from __future__ import annotations

import io
import json
import re

import numpy as np
import pandas as pd
import pytest
from quick_options import NET, SMALL

from sklearn_profiling import cli
from sklearn_profiling.baselines import MaskedMultiOutputClassifier
from sklearn_profiling.persistence import load, save


def test_fit_and_predict_smpcup(smpcup, users, tmp_path, capsys):
    model, out = tmp_path / "new" / "model.safetensors", tmp_path / "out.csv"
    assert cli.main(["fit", str(smpcup), "--model", str(model), *NET]) == 0
    assert cli.main(["predict", str(model), str(smpcup), "--out", str(out)]) == 0
    table = pd.read_csv(out, dtype={"user_id": str})
    assert len(table) == len(users.data)
    assert {"gender", "gender=f", "gender=m", "region=华北"} <= set(table)
    ages = [name for name in table if name.startswith("age=")]
    np.testing.assert_allclose(table[ages].sum(axis=1), 1, atol=1e-5)
    best = table[ages].to_numpy().argmax(axis=1)
    assert [ages[b] for b in best] == [f"age={label}" for label in table["age"]]
    assert "predictions of 40 users" in capsys.readouterr().err


def test_new_users_are_embedded_from_their_links(records, tmp_path, capsys):
    model = tmp_path / "model.safetensors"
    assert cli.main(["fit", str(records), "--model", str(model), *NET]) == 0
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


def test_another_version_is_told(records, tmp_path, capsys):
    model = tmp_path / "model.safetensors"
    assert cli.main(["fit", str(records), "--model", str(model), *NET]) == 0
    save({**load(model), "version": "0.0.0"}, model)
    out = str(tmp_path / "out.csv")
    assert cli.main(["predict", str(model), str(records), "--out", out]) == 0
    assert "model of version 0.0.0" in capsys.readouterr().err


@pytest.mark.parametrize("system", ["TF-IDF", "majority", "SVM", "lstm"])
def test_fit_trains_the_system_that_is_named(records, users, tmp_path, system, capsys):
    model, out = str(tmp_path / "model"), tmp_path / "out.json"
    arguments = ["fit", str(records), "--model", model, "--system", system, "--quiet"]
    assert cli.main([*arguments, *NET, *SMALL, "--tasks", "gender", "age"]) == 0
    assert capsys.readouterr().out == ""
    predict = ["predict", model, str(records), "--format", "json", "--out", str(out)]
    assert cli.main([*predict, "--quiet"]) == 0
    assert capsys.readouterr().err == ""
    rows = [json.loads(line) for line in out.read_text("utf-8").splitlines()]
    assert [row["user_id"] for row in rows] == users.data["user_id"].tolist()
    known = users.target[["gender", "age"]].notna()
    assert [row["known"] for row in rows] == [
        " ".join(known.columns[row]) for row in known.to_numpy()
    ]
    assert {row["gender"] for row in rows} <= {"f", "m"}


def test_fit_refuses_a_system_that_is_none_or_several(records, tmp_path, capsys):
    arguments = ["fit", str(records), "--model", str(tmp_path / "m"), "--system"]
    assert cli.main([*arguments, "nothing"]) == 2
    assert "--system: 'nothing' matches none; name one of" in capsys.readouterr().err
    assert cli.main([*arguments, "mmlup"]) == 2
    assert "--system: 'mmlup' matches ['MMLUP" in capsys.readouterr().err
    assert not (tmp_path / "m").exists()


def test_users_a_system_cannot_be_trained_on(tmp_path, capsys, monkeypatch):
    file = tmp_path / "users.jsonl"
    users = [{"user_id": str(i), "messages": [], "sex": "fm"[i % 2]} for i in range(6)]
    file.write_text("\n".join(map(json.dumps, users)))
    model = tmp_path / "m"
    arguments = ["fit", str(file), "--model", str(model), "--system", "tf-idf"]
    assert cli.main([*arguments, "--tasks", "sex"]) == 2
    said = capsys.readouterr().err
    assert "error: TfidfVectors: no sequence is written by min_users=1 or more" in said
    unlabelled = [{**user, "messages": ["hello"], "sex": None} for user in users]
    file.write_text("\n".join(map(json.dumps, unlabelled)))
    assert cli.main([*arguments, "--tasks", "sex"]) == 2
    assert "error: task 'sex' has no label" in capsys.readouterr().err
    # labels are looked at before the words
    written = [{**user, "messages": ["hello"]} for user in users]
    file.write_text("\n".join(map(json.dumps, written)))

    def fail(self, X, y):
        msg = "empty vocabulary"
        raise ValueError(msg)

    monkeypatch.setattr(MaskedMultiOutputClassifier, "fit", fail)
    assert cli.main([*arguments, "--tasks", "sex"]) == 2
    said = capsys.readouterr().err
    assert "ridge cannot be trained on these users: empty vocabulary" in said
    assert not model.exists()


def test_labels_that_stand_in_the_file_are_known_too(records, tmp_path, capsys):
    model = str(tmp_path / "model")
    arguments = ["fit", str(records), "--model", model, "--system", "majority"]
    assert cli.main(arguments) == 0
    lines = [
        {"user_id": "new", "labels": {"gender": "f", "age": None}},
        {"user_id": "newer", "labels": {}},
    ]
    path = tmp_path / "users.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
    capsys.readouterr()
    assert cli.main(["predict", model, str(path), "--format", "table"]) == 0
    printed = capsys.readouterr().out
    assert re.search(r"\n +new +[fm] 0\.\d\d .* gender\n +newer ", printed)
    assert cli.main(["predict", model, str(path), "--show"]) == 0
    assert "new: gender=f\n" in capsys.readouterr().out
    assert cli.main(["predict", model, str(path), "--quiet"]) == 0
    table = pd.read_csv(io.StringIO(capsys.readouterr().out), keep_default_na=False)
    assert table["known"].tolist() == ["gender", ""]


def test_sets_of_labels_are_written_side_by_side(tmp_path, capsys):
    lines = [
        {"user_id": str(n), "texts": ["茶"], "labels": {"likes": ["tea", "wine"]}}
        for n in range(6)
    ]
    path = tmp_path / "users.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
    model = str(tmp_path / "model")
    assert cli.main(["fit", str(path), "--model", model, "--system", "tf-idf"]) == 0
    capsys.readouterr()
    assert cli.main(["predict", model, str(path), "--quiet"]) == 0
    table = pd.read_csv(io.StringIO(capsys.readouterr().out))
    assert set(table["likes"]) == {"tea|wine"}


def test_a_model_of_another_kind_of_file_is_refused(records, tmp_path, capsys):
    model = tmp_path / "model"
    save({"version": "0.1.0", "model": None}, model)
    assert cli.main(["predict", str(model), str(records)]) == 2
    said = capsys.readouterr().err
    assert (
        "a model of version 0.1.0, which lacks ['columns', 'known', 'labels', 'system']"
    ) in said
    save(MaskedMultiOutputClassifier(None), model)
    assert cli.main(["predict", str(model), str(records)]) == 2
    assert "not one written by 'sklearn-profiling fit'" in capsys.readouterr().err
    model.write_text("text")
    assert cli.main(["predict", str(model), str(records)]) == 2
    assert "no model file, or a damaged one" in capsys.readouterr().err
