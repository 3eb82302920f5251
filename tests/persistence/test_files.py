"""Model files: damaged, hostile, of other versions; what is left out; the manifest."""

from __future__ import annotations

import copy
import functools
import importlib
import json
import os
import pickle
import re
import sys
import time
from dataclasses import replace
from hashlib import blake2b
from pathlib import Path

import joblib
import numpy as np
import pytest
import torch
from cases import GRAPH
from contract import same
from model_files import PROBE, expected, one_damage, small_model
from safetensors import safe_open
from safetensors.numpy import save as to_bytes
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_profiling import __version__
from sklearn_profiling.architectures.generators._tokens import TokenIds
from sklearn_profiling.baselines import PropagatedLabels
from sklearn_profiling.containers import SocialGraph, Vocabulary
from sklearn_profiling.exceptions import (
    DataFormatError,
    MissingDependencyError,
    ProfilingError,
    SourceError,
)
from sklearn_profiling.persistence import _allowed, _files, load, read_manifest, save
from sklearn_profiling.persistence._limits import BoundedTensors
from sklearn_profiling.pipelines import AutoSources
from sklearn_profiling.sources import (
    AdjacencyRows,
    LINEEmbedding,
    RegionKeywords,
    SubwordSegmenter,
    WordSegmenter,
)

FIXTURE = Path(__file__).parent / "format_1.safetensors"


def rewritten(source, target, change):
    """Change the state and manifest of a file, with checksums that fit again."""
    with safe_open(source, framework="numpy") as file:
        manifest = json.loads(file.metadata()["sklearn_profiling"])
        arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    state = json.loads(arrays["state"].tobytes())
    change(state, arrays, manifest)
    arrays["state"] = np.frombuffer(json.dumps(state).encode(), np.uint8)
    for name, array in arrays.items():
        digest = blake2b(f"{array.dtype.str}{array.shape}".encode(), digest_size=16)
        digest.update(array.tobytes())
        manifest["checksums"][name] = digest.hexdigest()
    text = json.dumps(manifest)
    digest = blake2b(text.encode(), digest_size=16).hexdigest()
    metadata = {"sklearn_profiling": text, "digest": digest}
    target.write_bytes(to_bytes(arrays, metadata=metadata))
    return target


@pytest.fixture(scope="module")
def model_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "model"
    save(small_model(), path)
    return path


def test_the_file_that_is_changed_for_these_tests_is_read(model_file, tmp_path):
    def change(state, arrays, manifest):
        pass

    found = load(rewritten(model_file, tmp_path / "file", change))
    assert same(found.predict_proba(PROBE), expected())


# -- damage ----------------------------------------------------------------------


def test_damage_is_told_or_has_no_effect(model_file, tmp_path):
    content = model_file.read_bytes()
    seen = [one_damage(content, tmp_path / "file", seed) for seed in range(200)]
    assert seen.count("refused") > 190


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "no model file, or a damaged one"),
        (b"text", "no model file, or a damaged one"),
        (b"\xff" * 8 + b"{}", "no model file, or a damaged one"),
        (pickle.dumps([1]), "a pickle runs the code that it holds, so none is read"),
        (to_bytes({"a": np.arange(3)}), "no model file of sklearn_profiling"),
    ],
)
def test_files_of_other_kinds(content, reason, tmp_path):
    (tmp_path / "file").write_bytes(content)
    for read in (load, read_manifest):
        with pytest.raises(DataFormatError, match=reason):
            read(tmp_path / "file")


def test_no_file(tmp_path):
    with pytest.raises(DataFormatError, match="there is no such file"):
        load(tmp_path / "file")
    with pytest.raises(DataFormatError, match="no file"):
        load(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(DataFormatError, match="no file"):
        load(tmp_path / "pipe")
    with pytest.raises(OSError, match="path: a file is needed"):
        save(WordSegmenter(), tmp_path)
    joblib.dump([1], tmp_path / "joblib", compress=3)
    with pytest.raises(DataFormatError, match="a pickle runs the code"):
        load(tmp_path / "joblib")


# -- hostile files -----------------------------------------------------------------


def rooted(node):
    """Make a change of a file whose root is this node, of the first class listed."""

    def change(state, arrays, manifest):
        state["nodes"], state["root"] = [node], [0]

    return change


def classed(name):
    def change(state, arrays, manifest):
        state["classes"] = [name]

    return change


@pytest.mark.parametrize(
    "name",
    [
        *("os.system", "builtins.eval", "subprocess.Popen", "builtins.object", "int"),
        *("sklearn.tree._tree.Tree", "sklearn.neighbors.KDTree", "numpy.ndarray"),
        *("sklearn.base.BaseEstimator", "sklearn_profiling.cli.main", "numpy.int8"),
        *(
            "sklearn_profiling.__main__.main",
            "antigravity.x",
            "",
            "sklearn.pipeline.joblib",
        ),
        "joblib.Memory",
    ],
)
def test_a_class_that_is_not_listed_is_never_imported(
    name, model_file, tmp_path, monkeypatch
):
    imported = []

    def record(module):
        imported.append(module)
        return importlib.import_module(module)

    monkeypatch.setattr(_allowed, "import_module", record)
    _allowed.class_named.cache_clear()
    path = rewritten(model_file, tmp_path / "file", classed(name))
    with pytest.raises(DataFormatError, match="is not allowed in a model file"):
        load(path)
    assert not {"os", "subprocess", "antigravity", "joblib"} & set(imported)
    for tag in ("class", "function"):
        if name in ("int", "numpy.int8") and tag == "class":
            continue
        path = rewritten(model_file, path, rooted(["list", ["v", [tag, name]]]))
        with pytest.raises(DataFormatError, match="not allowed"):
            load(path)


@pytest.mark.parametrize(
    "node",
    [
        ["objects", [10**12], False, ["v", 1]],
        ["objects", [10**12], False, ["v"]],
        ["texts", "0", "1", "<U1000000000", [1], False],
        ["texts", "0", "1", "<U4", [-1, 10**9], False],
        ["raw", "0", "<f8", [10**12], False],
        ["raw", "0", "|O", [1], False],
        ["raw", "0", [["a", "|O"]], [1], False],
        ["array", "missing", False],
        ["list", ["s", "0", "0"]],
        ["list", ["z", "0", "0"]],
        ["tuple", ["v", [0]]],
        ["list", ["v", [5]]],
        ["list", ["v", [-1]]],
        ["list", ["v", ["unknown"]]],
        ["list", ["v", ["scalar", "|O", "AAAAAAAAAAA="]]],
        ["list", ["v", ["torch dtype", "load"]]],
        ["list", ["v", ["float", "one"]]],
        ["unknown", []],
        ["dict", ["v", 1], ["v"]],
        ["named tuple", 0, ["v", 1]],
        ["object", 99, {}],
        ["object", 0, {"_sklearn_version": []}],
        ["Generator", ["x"]],
        [],
        None,
    ],
    ids=lambda node: json.dumps(node)[:40],
)
def test_nonsense_is_refused(node, model_file, tmp_path):
    path = rewritten(model_file, tmp_path / "file", rooted(node))
    with pytest.raises(DataFormatError, match="the model cannot be read"):
        load(path)


def test_a_tuple_is_no_object(model_file, tmp_path):
    def change(state, arrays, manifest):
        state["classes"] = [f"{TokenIds.__module__}.TokenIds"]
        state["nodes"], state["root"] = [["object", 0, {}]], [0]

    path = rewritten(model_file, tmp_path / "file", change)
    with pytest.raises(DataFormatError, match="TokenIds is no object with attributes"):
        load(path)


@pytest.mark.parametrize(
    ("tag", "parts"),
    [
        ("Generator", {"bit_generator": "load"}),
        ("sparse", ("csr_array", (2, 2), [1.0], [7], [0, 1, 1])),
        ("sparse", ("coo_array", (2, 2), [1.0], [0], [0, 1, 1])),
        ("transformers tokenizer", ("{}", {"load": 1})),
        ("transformers model", ("pipeline", {}, {}, False)),
        (
            "transformers configuration",
            {"model_type": "t5", "attn_implementation": "kernels-community/flash"},
        ),
        ("tokenizer", "no JSON"),
    ],
)
def test_hostile_parts_are_refused(tag, parts, model_file, tmp_path):
    save([parts], tmp_path / "parts")

    def change(state, arrays, manifest):
        state["nodes"].append([tag, state["nodes"][0][1][1]])
        state["root"] = [len(state["nodes"]) - 1]

    path = rewritten(tmp_path / "parts", tmp_path / "file", change)
    with pytest.raises(DataFormatError, match=r"cannot be read|code of the hub"):
        load(path)


# -- files that ask for much ---------------------------------------------------------


def nested_tuples(depth):
    """A key of tuples, each a pair of another one, which takes 2 ** depth steps."""
    pairs = [["tuple", ["v", [n + 2], [n + 2]]] for n in range(depth)]
    return [["dict", ["v", [1]], ["v", 1]], *pairs, ["tuple", ["v", 1]]]


@pytest.mark.parametrize(
    ("nodes", "message"),
    [
        (nested_tuples(60), "hold one another too often"),
        ([["list", ["v", ["range", 0, 10**9, 1]]]], "range of more than 1,048,576"),
        (
            [["index", [1]], ["tuple", ["v", ["range", 0, 9, 1], None, None]]],
            "range is no array",
        ),
        (
            [["series", [1]], ["tuple", ["v", 0.0, "float64", None, 1]]],
            "float is no array",
        ),
    ],
    ids=["hash", "range", "index", "series"],
)
def test_nodes_that_ask_for_much_are_refused(nodes, message, model_file, tmp_path):
    def change(state, arrays, manifest):
        state["nodes"], state["root"] = nodes, [0]

    path = rewritten(model_file, tmp_path / "file", change)
    with pytest.raises(DataFormatError, match=message):
        load(path)


def of_wide_layers():
    return copy.deepcopy(small_model()).set_params(n_hidden=10**6)


def of_many_words():
    model = copy.deepcopy(small_model())
    specs = model._specs
    model._specs = {n: replace(each, n_words=10**9) for n, each in specs.items()}
    return model


def of_settings(**changed):
    """A model of transformers whose file states other settings than it was made by."""
    transformers = pytest.importorskip("transformers")
    small = {"d_model": 4, "d_kv": 2, "d_ff": 4, "num_layers": 1, "num_heads": 2}
    model = transformers.T5EncoderModel(transformers.T5Config(vocab_size=9, **small))
    model.config.update(changed)
    return model


@pytest.mark.parametrize(
    "make",
    [
        of_wide_layers,
        of_many_words,
        functools.partial(of_settings, d_ff=10**9),
        functools.partial(of_settings, num_layers=10**6),
    ],
    ids=["layers", "words", "transformers", "many layers"],
)
def test_layers_larger_than_the_file_are_refused(make, tmp_path):
    save({"model": make()}, tmp_path / "file")
    message = "states sizes of layers that its arrays cannot fill"
    with pytest.raises(DataFormatError, match=message):
        load(tmp_path / "file")


def test_tensors_are_counted_by_what_makes_them():
    def left(make):
        with BoundedTensors(1) as bound:
            start = bound._left
            make()
            return start - bound._left

    table = torch.zeros(3, 5_000)
    assert left(lambda: torch.zeros(3, 5_000)) == 15_000
    assert left(lambda: torch.arange(1, 20_001, 2)) == 10_000
    assert left(lambda: torch.linspace(0, 1, 9_000)) == 9_000
    assert left(table.clone) == left(lambda: table[:1].expand(3, -1) + 1) == 15_000
    assert left(lambda: torch.cat([table, table])) == 30_000
    assert left(lambda: table[0, :, None] * table[:1]) == 25_000_000
    assert left(lambda: torch.eye(100)) == 10_000
    assert left(lambda: torch.zeros(2)) == 8_192
    for free in (table.zero_, table.t, lambda: torch.zeros(9**9, device="meta")):
        assert left(free) == 0


def test_links_outside_the_network_are_refused(tmp_path):
    save(AdjacencyRows(GRAPH).fit(["a"]), tmp_path / "rows")

    def change(state, arrays, manifest):
        for name, array in arrays.items():
            if array.dtype == np.int32 and array.max() == 3:
                arrays[name] = array + 1000

    path = rewritten(tmp_path / "rows", tmp_path / "file", change)
    with pytest.raises(DataFormatError, match="the model cannot be read"):
        load(path)


def test_folders_of_a_file_are_not_used(model_file, tmp_path):
    model = Pipeline([("scale", StandardScaler())], memory=str(tmp_path / "cache"))
    save(model, tmp_path / "file")
    assert load(tmp_path / "file").memory is None
    assert model.memory == str(tmp_path / "cache")

    def change(state, arrays, manifest):
        node = next(n for n in state["nodes"] if n[0] == "object" and "memory" in n[2])
        node[2]["memory"] = "elsewhere"

    path = rewritten(tmp_path / "file", tmp_path / "other", change)
    assert load(path).memory is None


# -- versions ----------------------------------------------------------------------


def test_a_file_of_the_first_format_is_read():
    model = load(FIXTURE)
    found = np.hstack(model.predict_proba(PROBE))
    # later versions of torch may round otherwise
    np.testing.assert_allclose(found, np.load(FIXTURE.with_suffix(".npy")), atol=1e-5)
    assert read_manifest(FIXTURE)["format"] == 1


def test_a_newer_format_is_told(model_file, tmp_path):
    def change(state, arrays, manifest):
        manifest["format"] = 2
        manifest["versions"]["sklearn_profiling"] = "9.9"

    path = rewritten(model_file, tmp_path / "file", change)
    message = (
        r"file: a model file of format 2, written by sklearn_profiling 9\.9; version "
        rf"{re.escape(__version__)} reads formats up to 1"
    )
    for read in (load, read_manifest):
        with pytest.raises(DataFormatError, match=message):
            read(path)


def test_parameters_that_an_older_file_lacks(tmp_path):
    step = LogisticRegression(C=3.0)
    save(step, tmp_path / "step")

    def change(state, arrays, manifest):
        del state["nodes"][0][2]["C"]

    path = rewritten(tmp_path / "step", tmp_path / "file", change)
    assert load(path).C == LogisticRegression().C
    save(Pipeline([("scale", StandardScaler())]), tmp_path / "steps")

    def drop(state, arrays, manifest):
        del state["nodes"][0][2]["steps"]

    path = rewritten(tmp_path / "steps", tmp_path / "file", drop)
    with pytest.raises(
        DataFormatError, match=r"lacks the parameter 'steps' of Pipeline.*fit the model"
    ):
        load(path)


# -- what is stored ------------------------------------------------------------------


def test_networks_are_left_out_unless_asked_for(tmp_path):
    links = [
        (f"user {a}", f"user {(a * 7 + b) % 300}")
        for a in range(300)
        for b in range(1, 30)
    ]
    graph = SocialGraph.from_edges(links, duplicates="max")
    line = LINEEmbedding(graph, 4, solver="spectral", random_state=0).fit()
    ids, new = ["user 3", "stranger", "friend"], [("friend", "user 3"), ("x", "y")]
    save(line, tmp_path / "line")
    save(line, tmp_path / "whole", keep_graphs=True)
    for name in ("line", "whole"):
        found = load(tmp_path / name).transform(ids, new_links=new)
        assert np.array_equal(found, line.transform(ids, new_links=new))
    sizes = [(tmp_path / name).stat().st_size for name in ("line", "whole")]
    assert sizes[0] < 15_000 < 60_000 < sizes[1]
    loaded = load(tmp_path / "line")
    assert loaded.graph is None
    with pytest.raises(SourceError, match="needs the network"):
        loaded.fit()
    again = loaded.set_params(graph=graph).fit()
    assert np.array_equal(again.embedding_, line.embedding_)
    assert load(tmp_path / "whole").graph == graph
    for other in (PropagatedLabels(graph), AutoSources(graph=graph)):
        save(other, tmp_path / "other")
        assert load(tmp_path / "other").graph is None
    save(AdjacencyRows(graph), tmp_path / "other")
    assert load(tmp_path / "other").graph == graph


def test_manifest(model_file, tmp_path):
    manifest = read_manifest(model_file)
    assert manifest["versions"]["sklearn_profiling"] == __version__
    assert {"numpy", "torch", "scikit-learn"} < set(manifest["versions"])
    assert manifest["class"].endswith(".AuxLSTMClassifier")
    assert "sklearn_profiling.estimators.AuxLSTMClassifier" in manifest["classes"]
    assert manifest["tasks"] == {
        "gender": ["f", "m"],
        "age": ["70s", "80s", "90s"],
        "region": ["north", "south"],
    }
    assert manifest["data"] is None
    one = make_pipeline("passthrough", small_model())
    for number, data in enumerate([[1], [1], [2]]):
        save({"n": 1, "model": one}, tmp_path / str(number), data=(data, ["a"]))
    found = [read_manifest(tmp_path / str(number)) for number in range(3)]
    assert [each["tasks"] == manifest["tasks"] for each in found] == [True] * 3
    assert found[0]["data"] == found[1]["data"] != found[2]["data"]
    save(RegionKeywords(gazetteer="china").fit([["北京"]]), tmp_path / "file")
    assert list(read_manifest(tmp_path / "file")["tasks"]) == ["region"]
    save(StandardScaler(), tmp_path / "file")
    assert read_manifest(tmp_path / "file")["tasks"] is None


def test_packages_that_are_missing(tmp_path, monkeypatch):
    save(SubwordSegmenter(n_tokens=270).fit(["tea"]), tmp_path / "file")
    monkeypatch.setitem(sys.modules, "tokenizers", None)
    with pytest.raises(MissingDependencyError, match="A model file needs the package"):
        load(tmp_path / "file")
    monkeypatch.setattr(_files, "_PACKAGES", ("numpy", "no such package"))
    save(WordSegmenter(), tmp_path / "file")
    versions = read_manifest(tmp_path / "file")["versions"]
    assert list(versions) == ["numpy", "sklearn_profiling"]


def test_size_and_time(tmp_path):
    words = [f"词{n}" for n in range(50_000)]
    vocabulary = Vocabulary(words, np.zeros((len(words), 20)))
    step = TfidfVectorizer(vocabulary={word: n for n, word in enumerate(words)})
    save([vocabulary, step.fit(["a"])], tmp_path / "file")
    with safe_open(tmp_path / "file", framework="numpy") as file:
        sizes = {name: file.get_tensor(name).nbytes for name in file.keys()}  # noqa: SIM118
    assert sizes.pop("state") < 5_000
    pickled = len(pickle.dumps([vocabulary, step]))
    assert sum(sizes.values()) < pickled
    assert (tmp_path / "file").stat().st_size < 1.1 * sum(sizes.values())
    start = time.perf_counter()
    assert load(tmp_path / "file")[0].words == vocabulary.words
    assert time.perf_counter() - start < 2


def test_an_old_file_stays_where_the_new_one_fails(model_file, tmp_path):
    path = tmp_path / "model"
    path.write_bytes(model_file.read_bytes())
    with pytest.raises(ProfilingError):
        save([small_model(), lambda: 0], path)
    assert path.read_bytes() == model_file.read_bytes()
    assert list(tmp_path.iterdir()) == [path]
