"""ProfileGeneratorClassifier: generation, paradigms, modes, parts, checkpoints."""

from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import pytest
import torch
import transformers
from generators import BART, WORDS, make_generator, make_users
from skorch.callbacks import Callback, EpochTimer
from skorch.helper import SliceDict

from sklearn_profiling.containers import ImageBags, TokenMessages
from sklearn_profiling.exceptions import ProfilingError, SourceError
from sklearn_profiling.sources import SubwordSegmenter
from sklearn_profiling.training.checkpoint import NetCheckpoint


def same(one, other):
    return all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def parameters_of(model):
    return [p.detach().numpy() for p in model.net_.module_.parameters()]


@pytest.fixture(scope="module")
def trained():
    """Trained long enough to write profiles."""
    X, y = make_users(24)
    settings = {"max_epochs": 15, "dropout": 0.0, "learning_rate": 0.01}
    return make_generator(**settings).fit(X, y), X, y


# -- what it writes ------------------------------------------------------------


def test_profiles_are_written_and_read_back(trained):
    model, X, y = trained
    texts = model.generate(X)
    assert all("Stars :" in text and "Favorite Category :" in text for text in texts)
    predicted = model.predict(X)
    assert predicted.shape == (24, 2)
    assert set(predicted[:, 0]) <= {3, 4}
    assert all(isinstance(cell, frozenset) for cell in predicted[:, 1])
    parsed = [model.profile_form_.parse(text) for text in texts]
    assert [model.classes_[0][p.classes[0][0]] for p in parsed] == [*predicted[:, 0]]
    repairs = sum(p.repaired[0] for p in parsed)
    assert model.repairs_["Stars"] == repairs
    assert model.score(X, y) > 0.7


def test_generation_is_deterministic_and_survives_pickling(trained):
    model, X, _ = trained
    texts = model.generate(X)
    assert (model.generate(X) == texts).all()
    copy = pickle.loads(pickle.dumps(model))
    assert (copy.generate(X) == texts).all()
    assert same(copy.predict_proba(X), model.predict_proba(X))
    assert [model.generate(X[[user]])[0] for user in range(6)] == [*texts[:6]]


def test_greedy_search_and_the_best_class_agree_where_a_profile_is_certain(trained):
    model, X, _ = trained
    model = pickle.loads(pickle.dumps(model)).set_params(decoding="scoring")
    by_score = model.predict(X)
    for task, p in enumerate(model.predict_proba(X)[:1]):
        assert (model.classes_[task][p.argmax(axis=1)] == by_score[:, task]).all()
    beam = model.set_params(decoding="beam").predict(X)
    assert (beam[:, 0] == by_score[:, 0]).mean() > 0.8


def test_an_untrained_model_is_repaired_and_counted():
    X, y = make_users()
    model = make_generator(max_epochs=1, learning_rate=1e-9, n_beams=2).fit(X, y)
    predicted = model.predict(X)
    assert set(predicted[:, 0]) <= {3, 4}
    assert all(predicted[:, 1])
    assert sum(model.repairs_.values()) > 0
    for p in model.predict_proba(X):
        assert ((p > 0) & (p < 1)).all()


# -- sources and paradigms -----------------------------------------------------


@pytest.mark.parametrize("paradigm", ["multimodal", "unimodal", "both"])
def test_a_paradigm_reads_its_sources_alone(paradigm):
    X, y = make_users()
    model = make_generator(paradigm=paradigm, max_epochs=1).fit(X, y)
    expected = model.predict_proba(X)
    black = ImageBags(np.zeros_like(X["images"].pixels), X["images"].user_starts)
    silent = TokenMessages.from_lists([None] * 12, WORDS)
    no_images = model.predict_proba(SliceDict(**{**X, "images": black}))
    no_captions = model.predict_proba(SliceDict(**{**X, "captions": silent}))
    assert same(no_images, expected) == (paradigm == "unimodal")
    assert same(no_captions, expected) == (paradigm == "multimodal")


def test_the_first_messages_and_images_are_read():
    X, y = make_users()
    model = make_generator(max_messages=2, max_images=1, max_epochs=1).fit(X, y)
    read = model._dataset(X).sources
    full = X["text"].tolist(), [X["images"][user] for user in range(12)]
    for user in range(12):
        assert read["text"][user] == full[0][user][:2]
        assert np.array_equal(read["images"][user], full[1][user][:1])
    everything = make_generator(max_messages=None, max_images=None)
    assert everything._choose_sources(dict(X))["text"] is X["text"]


def test_images_or_captions_alone_will_do():
    X, y = make_users()
    for alone, paradigm in (("images", "multimodal"), ("captions", "unimodal")):
        model = make_generator(paradigm=paradigm, max_epochs=1)
        some = SliceDict(**{alone: X[alone]})
        assert model.fit(some, y).predict(some).shape == (12, 2)


def test_what_cannot_be_read_is_named():
    X, y = make_users()
    without = SliceDict(text=X["text"])
    with pytest.raises(SourceError, match="paradigm='unimodal' reads captions"):
        make_generator(paradigm="unimodal").fit(without, y)
    with pytest.raises(SourceError, match="reads one text"):
        make_generator().fit(SliceDict(a=X["text"], b=X["text"]), y)
    with pytest.raises(SourceError, match="reads one text"):
        make_generator(source="other").fit(X, y)
    assert make_generator(source="a", max_epochs=1).fit(
        SliceDict(a=X["text"], b=X["text"]), y
    )
    with pytest.raises(SourceError, match="reads text, images and captions; X holds"):
        make_generator().fit(SliceDict(network=np.zeros((12, 2))), y)
    other = TokenMessages.from_lists([[["good"]]] * 12)
    with pytest.raises(SourceError, match="share one vocabulary"):
        make_generator(paradigm="both").fit(SliceDict(**{**X, "captions": other}), y)


def test_a_profile_longer_than_the_decoder_is_refused():
    X, y = make_users()
    short = {**BART, "max_position_embeddings": 8}
    with pytest.raises(SourceError, match=r"positions for 8 tokens; .* takes \d+"):
        make_generator(language_model=short).fit(X, y)


# -- training ------------------------------------------------------------------


def test_parts_of_a_batch_add_up_to_the_batch():
    X, y = make_users()
    settings = {"dtype": "float64", "dropout": 0.0, "batch_size": 12, "max_epochs": 1}
    modes = {"joint_modes": ("fusion", "text")}
    for weights in (None, "uncertainty", {"Stars": 3.0}):
        one = make_generator(**settings, **modes, loss_weights=weights).fit(X, y)
        parts = make_generator(
            **settings, **modes, loss_weights=weights, micro_batch_size=5
        ).fit(X, y)
        assert one.history_[0]["train_loss"] == pytest.approx(
            parts.history_[0]["train_loss"], abs=1e-9
        )
        for a, b in zip(parameters_of(one), parameters_of(parts), strict=True):
            np.testing.assert_allclose(a, b, rtol=0, atol=1e-7)


def test_modes_share_a_step_or_take_turns():
    X, y = make_users()

    class Steps(Callback):
        def on_grad_computed(self, net, named_parameters, **kwargs):
            seen.extend(type(mode).__name__ for mode in net._modes_of_step)
            steps.append(len(net._modes_of_step))

    orders, sizes = {}, {}
    for mixing in ("step", "batch", "epoch"):
        seen, steps = [], []
        make_generator(
            mixing=mixing, max_epochs=1, batch_size=6, callbacks=[Steps()]
        ).fit(X, y)
        orders[mixing], sizes[mixing] = seen, steps
    modes = ["FusionMode", "TextMode", "MaskedImageMode", "MaskedProfileMode"]
    assert sizes == {"step": [4] * 2, "batch": [1] * 8, "epoch": [1] * 8}
    assert orders["step"] == orders["batch"] == modes * 2
    assert orders["epoch"] == [mode for mode in modes for _ in range(2)]


def test_a_step_of_all_modes_follows_their_mean():
    X, y = make_users()

    class Gradients(Callback):
        def on_grad_computed(self, net, named_parameters, **kwargs):
            seen.append(
                [
                    torch.zeros_like(value)
                    if value.grad is None
                    else value.grad.clone()
                    for _, value in named_parameters
                ]
            )

    found = {}
    for mixing in ("step", "batch"):
        seen = []
        # So slow that all modes see the same net.
        make_generator(
            mixing=mixing,
            max_epochs=1,
            batch_size=len(y),
            learning_rate=1e-30,
            dtype="float64",
            callbacks=[Gradients()],
        ).fit(X, y)
        found[mixing] = seen
    (together,) = found["step"]
    assert len(found["batch"]) == 4
    for whole, *parts in zip(together, *found["batch"], strict=True):
        torch.testing.assert_close(whole, sum(parts) / 4, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(
    ("frozen", "still"),
    [
        (("text_encoder",), ".encoder.layers"),
        (("decoder",), ".decoder.layers"),
        (("image_encoder",), "image_encoder.model"),
    ],
)
def test_frozen_parts_stay(frozen, still):
    X, y = make_users()
    start = make_generator(learning_rate=1e-30, max_epochs=1).fit(X, y)
    model = make_generator(frozen=frozen, max_epochs=1).fit(X, y)
    before = dict(start.net_.module_.named_parameters())
    for name, after in model.net_.module_.named_parameters():
        if still in name:
            assert torch.allclose(after, before[name], rtol=0, atol=1e-20)
    table = "language_model.model.shared.weight"
    assert not torch.equal(model.net_.module_.get_parameter(table), before[table])


def test_lora_trains_small_matrices_alone():
    X, y = make_users()
    settings = {"lora": {"rank": 2}, "max_epochs": 1, "decoding": "scoring"}
    start = make_generator(**{**settings, "learning_rate": 1e-30}).fit(X, y)
    model = make_generator(**settings).fit(X, y)
    before = dict(start.net_.module_.named_parameters())
    changed = {
        name
        for name, after in model.net_.module_.named_parameters()
        if not torch.allclose(after, before[name], rtol=0, atol=1e-20)
    }
    language = {name for name in changed if name.startswith("language_model.")}
    assert language
    assert all("lora_" in name for name in language)
    assert any(name.startswith("fusion.") for name in changed)
    copy = pickle.loads(pickle.dumps(model))
    assert same(copy.predict_proba(X), model.predict_proba(X))


def test_recomputed_activations_give_the_same_net():
    X, y = make_users()
    plain = make_generator(max_epochs=1).fit(X, y)
    saving = make_generator(max_epochs=1, gradient_checkpointing=True).fit(X, y)
    for a, b in zip(parameters_of(plain), parameters_of(saving), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)


def test_early_stopping_keeps_the_best_epoch():
    X, y = make_users()
    model = make_generator(early_stopping=True, validation_fraction=0.3).fit(X, y)
    assert all(np.isfinite(epoch["valid_loss"]) for epoch in model.history_)


def test_bfloat16_is_close():
    X, y = make_users()
    exact = make_generator(max_epochs=1).fit(X, y).predict_proba(X)[0]
    fast = make_generator(max_epochs=1, dtype="bfloat16").fit(X, y).predict_proba(X)[0]
    assert np.abs(exact - fast).max() < 0.2


def test_users_without_any_class_of_a_set_are_told_from_the_others():
    text = TokenMessages.from_lists([[["tea"]], [["hills"]], [["rain"]]] * 4)
    y = [["calm", {"tea"}], ["fit", {"tea", "walks"}], ["calm", set()]] * 4
    model = make_generator(
        language_model=None, learning_rate=0.01, max_epochs=20, dropout=0.0
    ).fit(text, y)
    expected = [frozenset({"tea"}), frozenset({"tea", "walks"}), frozenset()]
    assert model.predict(text[:3])[:, 1].tolist() == expected
    assert not any(model.repairs_.values())
    _, likely = model.predict_proba(text[:3])
    assert (likely > 0.5).tolist() == [[True, False], [True, True], [False, False]]


def test_what_a_folder_asks_of_searches_is_left_out(tmp_path):
    tokenizer = SubwordSegmenter(n_tokens=280).fit([["tea", "no"]])
    known = tokenizer.to_transformers()
    sizes = {"vocab_size": len(known), "max_position_embeddings": 128}
    config = transformers.AutoConfig.for_model(**{**BART, **sizes})
    model = transformers.AutoModelForSeq2SeqLM.from_config(config)
    model.generation_config = transformers.GenerationConfig(
        no_repeat_ngram_size=1, repetition_penalty=3.0
    )
    model.save_pretrained(tmp_path)
    known.save_pretrained(tmp_path)
    text = tokenizer.transform([["tea"], ["no"]] * 4)
    y = pd.DataFrame({"no": ["no", "tea"] * 4, "tea": ["no", "tea"] * 4})
    found = make_generator(language_model=tmp_path, max_epochs=20).fit(text, y)
    plain = found.net_.module_.language_model.generation_config
    assert (plain.no_repeat_ngram_size, plain.repetition_penalty) == (None, None)
    assert found.predict(text).tolist() == y.to_numpy().tolist()


# -- checkpoints ---------------------------------------------------------------


class KilledError(Exception):
    pass


@pytest.mark.parametrize("verbose", [0, 1])
def test_a_killed_training_goes_on_to_the_same_bits(tmp_path, monkeypatch, verbose):
    class Local(Callback):
        """One that no pickle can hold; it records a number of numpy's."""

        def on_epoch_end(self, net, **kwargs):
            net.history.record("seen", np.int64(len(net.history)))

    X, y = make_users()
    settings = {"max_epochs": 3, "learning_rate_decay": True, "verbose": verbose}
    settings["callbacks"] = [("local", Local()), Local, EpochTimer()]
    whole = make_generator(**settings).fit(X, y)
    folder = tmp_path / "new" / "folder"
    model = make_generator(**settings, checkpoint=folder)
    save = NetCheckpoint.save

    def save_and_die(self, net):
        save(self, net)
        if len(net.history) == 2:
            raise KilledError

    monkeypatch.setattr(NetCheckpoint, "save", save_and_die)
    with pytest.raises(KilledError):
        model.fit(X, y)
    monkeypatch.undo()
    assert [path.suffix for path in folder.iterdir()] == [".checkpoint"]
    # Another training in the same folder neither takes the file nor touches it.
    make_generator(checkpoint=folder, max_epochs=1).fit(X, y)
    assert [path.suffix for path in folder.iterdir()] == [".checkpoint"]
    model.fit(X, y)
    assert model.n_iter_ == 3
    assert same(model.predict_proba(X), whole.predict_proba(X))
    assert not [*folder.iterdir()]


def test_the_folder_of_checkpoints_is_checked_before_the_work(tmp_path, monkeypatch):
    file = tmp_path / "file"
    file.touch()
    monkeypatch.setattr(type(make_generator()), "_learn", None)
    with pytest.raises(NotADirectoryError, match="checkpoint: a folder"):
        make_generator(checkpoint=file).fit(*make_users())


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("joint_modes", ()),
        ("joint_modes", ("fusion", "fusion")),
        ("joint_modes", ("mask",)),
        ("frozen", ("head",)),
    ],
)
def test_unknown_names_are_refused(parameter, value):
    X, y = make_users()
    with pytest.raises(ProfilingError, match=f"parameter {parameter} must be"):
        make_generator(**{parameter: value}).fit(X, y)
