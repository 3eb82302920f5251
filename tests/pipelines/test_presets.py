"""The presets: what the page of settings says, and rows that differ as named."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from sklearn_profiling.exceptions import SourceError
from sklearn_profiling.pipelines import (
    make_aux_lstm,
    make_aux_lstm_systems,
    make_cnn3d,
    make_image_systems,
    make_lstm,
    make_mmlup,
    make_multi_task_lstm,
    make_profile_generator,
    make_table3_systems,
    make_text_cnn,
    make_unified_systems,
)
from sklearn_profiling.sources import SubwordSegmenter
from sklearn_profiling.training.callbacks import InverseTimeDecay

PAGE = Path(__file__).parents[2] / "docs" / "settings.md"
EDGES = [("a", "b")]
CAPTIONS = {
    "caption_column": "captions",
    "segmenter": SubwordSegmenter("a folder"),
}
MAKERS = {
    "make_mmlup": lambda **preset: make_mmlup(EDGES, **preset),
    "make_text_cnn": make_text_cnn,
    "make_lstm": make_lstm,
    "make_aux_lstm": make_aux_lstm,
    "make_multi_task_lstm": lambda **preset: make_multi_task_lstm(["age"], **preset),
    "make_cnn3d": make_cnn3d,
    "make_profile_generator": lambda **preset: make_profile_generator(
        **CAPTIONS, **preset
    ),
}

# Of sources that a preset lacks: their own parameters.
PARTS = (
    "sources__topics__",
    "sources__captions",
    "sources__tfidf_odds",
    "sources__counts_odds",
)


def value_of(published):
    """The value that a paper prints, or the words that stand for it."""
    try:
        return ast.literal_eval(published.partition(" (150")[0])
    except (SyntaxError, ValueError):
        return published


def tables():
    """The page's rows by system: setting, paper, preset, default, source."""
    found = {}
    for line in PAGE.read_text("utf-8").splitlines():
        if name := re.match(r"`(make_\w+)`", line):
            rows = found.setdefault(name[1], [])
        elif line.startswith("| ") and not line.startswith("| setting"):
            rows.append([cell.strip() for cell in line.strip("|").split("|")])
    return found


def shown(value):
    return type(value).__name__ if hasattr(value, "fit") else repr(value)


@pytest.mark.skipif(not PAGE.is_file(), reason="needs the files of a checkout")
@pytest.mark.parametrize("name", MAKERS)
def test_the_page_of_settings_holds(name):
    paper = MAKERS[name](preset="paper").get_params()
    default = MAKERS[name]().get_params()
    rows = tables()[name]
    assert len(rows) > 10
    for setting, published, preset, ours, _ in rows:
        assert shown(paper[setting]) == preset, setting
        same = shown(default[setting]) == preset
        assert ours == ("same" if same else shown(default[setting])), setting
        value = value_of(published)
        # The weights of the losses are those of gender, age and region.
        if value != published and value != (1, 3, 1):
            assert value == paper[setting], setting


@pytest.mark.skipif(not PAGE.is_file(), reason="needs the files of a checkout")
def test_the_page_names_every_setting_that_the_preset_changes():
    for name, make in MAKERS.items():
        paper, default = make(preset="paper").get_params(), make().get_params()
        changed = {
            setting
            for setting in {*paper, *default}
            if shown(paper.get(setting)) != shown(default.get(setting))
            and not setting.endswith("random_state")
            and not setting.startswith(PARTS)
            and setting not in {"steps", "sources", "classifier", "sources__sources"}
        }
        assert changed <= {row[0] for row in tables()[name]} | {"segmenter__sources"}, (
            name
        )


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
def test_other_presets_are_refused(make):
    with pytest.raises(SourceError, match="preset must be 'default' or 'paper'"):
        make(preset="ours")


def differing(one, other):
    """The settings in which two systems differ, but for the parts that hold them."""
    first, second = one.get_params(), other.get_params()
    return {
        name
        for name in {*first, *second}
        if shown(first.get(name)) != shown(second.get(name))
        and name not in {"steps", "sources", "classifier"}
    }


@pytest.mark.parametrize("preset", ["default", "paper"])
def test_rows_of_table_3_differ_in_what_they_say(preset):
    systems = make_table3_systems(
        EDGES, preset=preset, random_state=0, max_epochs=3, dropout=0.2
    )
    end = ", paper" if preset == "paper" else ""
    full = systems[f"MMLUP (full architecture){end}"]
    assert full["classifier"].max_epochs == 3
    for row, changed in {
        "MMLUP (single task)": "multi_task",
        "MMLUP (without friendship network)": "sources",
        "MMLUP (without attention)": "attention",
    }.items():
        assert differing(systems[row + end], full) == {f"classifier__{changed}"}
    # Text-CNN lacks the other sources, what reads them, and the shared net.
    text_cnn = systems[f"Text-CNN (single task){end}"]
    other_sources = ("select_sources", "n_features_", "n_filters_image", "source")
    for name in differing(text_cnn, full):
        step, _, setting = name.partition("__")
        if step == "classifier":
            allowed = setting == "multi_task" or setting in {"source", "sources"}
            assert allowed or setting.startswith(other_sources), name
            assert setting not in {"source_dropout"}
        elif step == "sources":
            assert not setting.startswith("text"), name
        else:
            # The ids pass the first step for the network alone.
            assert name in {"segmenter__sources", "segmenter__user_id"}
    both = set(text_cnn["classifier"].get_params())
    both &= set(full["classifier"].get_params())
    assert {"dropout", "kernel_sizes", "attention", "n_hidden", "max_epochs"} <= both


def test_names_say_the_preset():
    for make in (
        lambda preset: make_table3_systems(EDGES, preset=preset),
        lambda preset: make_aux_lstm_systems(["age"], preset=preset),
        lambda preset: make_image_systems(preset=preset),
    ):
        ours, theirs = make("default"), make("paper")
        assert not any(name.endswith(", paper") for name in ours)
        of_paper = [name for name in theirs if name.endswith(", paper")]
        assert len(of_paper) >= 2
        assert {name.removesuffix(", paper") for name in theirs} <= set(ours)


def test_lstm_is_aux_lstm_without_the_other_task():
    for preset in ("default", "paper"):
        systems = make_aux_lstm_systems(
            ["gender", "age"], preset=preset, main_task="age", random_state=0
        )
        end = ", paper" if preset == "paper" else ""
        lstm, aux = systems[f"LSTM{end}"], systems[f"Aux-LSTM{end}"]
        own = {"multi_task", "main_task", "main_weight", "auxiliary"}
        assert differing(lstm, aux) == {f"classifier__{name}" for name in own}
        several = systems[f"Multi-task LSTM{end}"]["classifier"].get_params()
        alone = lstm["classifier"].get_params()
        changed = {n for n in alone if n in several and alone[n] != several[n]}
        assert changed == {"source", "trainable_vectors", "learning_rate"}
    fixed = make_aux_lstm_systems(
        ["age"], preset="paper", trainable_vectors=False, lstm_parameters={"level": "x"}
    )["Multi-task LSTM, paper"]["classifier"]
    assert (fixed.trainable_vectors, fixed.level) == (False, "x")


def test_the_unified_systems_have_the_papers_settings():
    of_ours = make_profile_generator(preset="paper", **CAPTIONS)["classifier"]
    paper = of_ours.get_params()
    shared = ("max_tokens", "batch_size", "max_epochs", "learning_rate", "n_beams")
    for name, system in make_unified_systems().items():
        settings = system["classifier"].get_params(deep=False)
        for setting in (*shared, "max_messages", "max_images", "learning_rate_decay"):
            assert settings.get(setting, paper[setting]) == paper[setting], name
        assert settings["batch_size"] == 4


def test_models_1_and_2_train_alike_in_the_paper():
    nets = [
        make_image_systems(preset="paper", random_state=0)[f"3D-CNN, Model {n}, paper"]
        for n in (1, 2)
    ]
    assert differing(*nets) == {"classifier__variant"}
    assert nets[0]["classifier"].image_order == "given"
    given = make_image_systems(preset="paper", image_order="random", max_epochs=2)
    net = given["3D-CNN, Model 2, paper"]["classifier"]
    assert (net.image_order, net.max_epochs) == ("random", 2)


def test_the_learning_rate_falls_by_the_batches():
    class Net:
        class optimizer_:  # noqa: N801 - skorch's name
            param_groups = ({"lr": 0.05},)

    decay = InverseTimeDecay(0.7)
    for _ in range(2):
        Net.optimizer_.param_groups[0]["lr"] = 0.05
        decay.on_train_begin(Net)
        rates = []
        for training in (True, False, True, True):
            decay.on_batch_begin(Net, training=training)
            rates.append(Net.optimizer_.param_groups[0]["lr"])
        assert rates == pytest.approx([0.05, 0.05, 0.05 / 1.7, 0.05 / 2.4])
