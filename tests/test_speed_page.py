"""The tables of speed: how rows are read from scripts, kept and shown."""

from __future__ import annotations

import importlib
import json
import math
from importlib.metadata import version
from pathlib import Path

import pytest
import torch

FOLDER = Path(__file__).parents[1] / "benchmarks"

pytestmark = pytest.mark.skipif(
    not (FOLDER / "peers.py").is_file(), reason="needs the files of a checkout"
)


@pytest.fixture
def modules(monkeypatch):
    for name in ("accuracy", "speed", "."):
        monkeypatch.syspath_prepend(str(FOLDER / name))
    return [importlib.import_module(name) for name in ("peers", "scale", "speed_page")]


def test_every_row_is_one_script_or_absent(modules):
    peers, _, _ = modules
    assert len({(peer.part, peer.against) for peer in peers.ROWS}) == len(peers.ROWS)
    for peer in peers.ROWS:
        if peer.script is None:
            assert peer.package or peer.note
        else:
            assert (FOLDER / "speed" / peer.script.file).is_file()
            assert peer.figure


def test_a_row_reads_the_lines_of_both_sides(modules):
    peers, _, _ = modules
    lines = [{"way": "a", "s": 2.0}, {"way": "b", "s": 5.0, "other": 1.0}]
    seconds = peers.Peer("", "", None, "s", {"way": "a"}, {"way": "b"})
    assert seconds.figures(lines) == {"ours": 2.0, "theirs": 5.0, "ratio": 2.5}
    rate = peers.Peer("", "", None, "s", {"way": "b"}, {"way": "a"}, rate=True)
    assert rate.figures(lines) == {"ours": 5.0, "theirs": 2.0, "ratio": 2.5}
    both = peers.Peer("", "", None, "s", {"way": "b"}, {"way": "b"}, "other")
    assert both.figures(lines)["ratio"] == 0.2
    none = peers.Peer("", "", None, "s", {"way": "c"}, {"way": "b"})
    with pytest.raises(LookupError, match="the script prints no line"):
        none.figures(lines)
    assert seconds.figures([{**lines[0], "s": 0.0}, lines[1]])["ratio"] == math.inf


def test_a_script_is_run_once_and_nested_figures_are_named(modules, monkeypatch):
    peers, _, _ = modules
    calls = []

    def run(command, **_):
        calls.append(command)
        printed = 'said\n{"a": 1, "net": {"seconds": 3}}\n'
        return type("Done", (), {"stdout": printed})

    monkeypatch.setattr(peers.subprocess, "run", run)
    script = peers.Script("line", "--full 1", "--quick 1")
    rows = [
        peers.Peer("x", "y", script, "net.seconds", their_figure="a"),
        peers.Peer("x", "z", script, "a", package="no_such_package"),
    ]
    found = peers.measure(rows, quick=True, program=None)
    assert [call[1:] for call in calls] == [
        [str(FOLDER / "speed" / "bench_line.py"), "--quick", "1"]
    ]
    assert found[0]["figures"] == {"ours": 3, "theirs": 1, "ratio": 0.33}
    assert found[1]["figures"] == {}
    program = peers.Peer("x", "p", peers.LINE, "a", package="--line-program")
    assert peers.measure([program], quick=True, program=None)[0]["figures"] == {}
    assert peers.measure([program], quick=True, program="/x/line")[0]["figures"]
    assert calls[-1][-2:] == ["--program", "/x/line"]
    with pytest.raises(SystemExit):
        peers.main(["--only", "nothing of this name"])


def test_rows_are_recorded_and_shown(modules, monkeypatch, tmp_path):
    peers, scale, page = modules
    target = tmp_path / "docs" / "_speed.md"
    with pytest.raises(page.NoResultsError, match="speed_peers, speed_scale"):
        page.write_speed(target, tmp_path)
    record = importlib.import_module("results").record

    def kept(table, rows, **said):
        record(table, rows, folder=tmp_path, **said)

    monkeypatch.setattr(peers, "record", kept)
    monkeypatch.setattr(
        peers, "run", lambda *_, **__: [{"system": "tfidf", "cpu_seconds": 2.0} | line]
    )
    line = {"their_cpu_seconds": 3.0}
    monkeypatch.setattr(peers, "find_spec", lambda _: None)
    monkeypatch.setattr(peers, "version", lambda name: f"of {name}")
    peers.main(["--only", "make_tfidf_baseline", "ensmallen", "--record"])
    monkeypatch.setattr("results.record", kept)
    figures = {"seconds": 1.5, "cpu_seconds": 2.5, "peak_gb": 0.25, "microseconds": 2.5}
    monkeypatch.setattr(
        scale,
        "_alone",
        lambda *given: json.dumps(figures) if "--stage" in given else "",
    )
    scale.main(["--edges", "1e6", "1e7", "--users", "100", "200", "--record"])
    page.write_speed(target, tmp_path)
    assert (target.parent / "growth.svg").is_file()
    page.write_planning(target.parent / "_planning.md", tmp_path)
    planned = (target.parent / "_planning.md").read_text("utf-8")
    assert "stops scaling first" in planned
    shown = target.read_text("utf-8")
    start = (
        "| make_tfidf_baseline, a fit | scikit-learn's tf-idf and logistic regression "
        "(scikit-learn of scikit-learn) |"
    )
    assert f"{start} 2 s | 3 s | 1.5 | `bench_systems.py --only tfidf" in shown
    assert "| LINE | ensmallen | absent | absent | absent |  |  |" in shown
    assert "| expansion | 1,000,000 | 1.5 | 2.5 | 0.25 | 2.5 |" in shown
    assert "2 threads; python 3" in shown


def test_rows_name_the_versions_of_what_they_are_against(modules):
    peers, _, _ = modules
    by_name = {(peer.part, peer.against): peer for peer in peers.ROWS}
    versions = by_name["segmentation of Chinese", "jieba"].their_versions()
    assert versions == {"jieba": version("jieba")}
    program = by_name["LINE, 10,000 users, 334,000 links", "the authors' program"]
    assert program.their_versions() == {}
    nets = by_name["LSTMClassifier, a fit", "padded LSTM by skorch"]
    assert list(nets.their_versions()) == ["skorch", "torch"]


def test_padded_nets_are_padded_to_their_batch(modules):
    systems = importlib.import_module("bench_systems")
    ids = torch.zeros(2, 5, 9, dtype=torch.long)
    ids[0, :2, :4] = 1
    ids[1, :1, :6] = 1
    assert systems.trimmed(ids).shape == (2, 2, 6)
    for net in (systems.PaddedTextCNN(3), systems.PaddedLSTM(3)):
        net.eval()
        torch.testing.assert_close(net(ids), net(ids[:, :2, :6]))


def test_links_are_written_with_their_network(modules, tmp_path, capsys):
    _, scale, _ = modules
    scale.main(["--write", str(tmp_path), "--size", "2000"])
    scale.work("links file to graph", tmp_path, 2000, 1)
    figures = json.loads(capsys.readouterr().out)
    assert figures["peak_gb"] >= figures["peak_before_gb"] > 0
    matrix = scale.load(tmp_path)
    assert matrix.shape[0] <= 20
    assert (matrix != matrix.T).nnz == 0
