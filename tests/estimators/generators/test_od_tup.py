"""ODTUPClassifier: prompts, answers, captions."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from generators import BART, WORDS, make_users
from skorch.helper import SliceDict

from sklearn_profiling.architectures.generators._tokens import ProfileInputs, TokenRows
from sklearn_profiling.containers import TokenMessages
from sklearn_profiling.estimators import ODTUPClassifier
from sklearn_profiling.exceptions import SourceError


def make(**params):
    settings = {
        "language_model": BART,
        "max_epochs": 1,
        "learning_rate": 0.01,
        "max_tokens": 20,
        "dropout": 0.0,
        "random_state": 0,
    }
    return ODTUPClassifier(**{**settings, **params})


@pytest.fixture(scope="module")
def trained():
    X, y = make_users(24)
    return make(max_epochs=15, captions="captions").fit(X, y), X, y


def test_answers_are_written_and_read_back(trained):
    model, X, y = trained
    texts = model.generate(X)
    for text in texts:
        assert text.startswith("Stars: ")
        assert "; Favorite Category: " in text
        assert text.count(";") == 2
    predicted = model.predict(X)
    parsed = [model.profile_form_.parse(text) for text in texts]
    assert [model.classes_[0][p.classes[0][0]] for p in parsed] == [*predicted[:, 0]]
    assert model.repairs_["Stars"] == sum(p.repaired[0] for p in parsed)
    assert model.score(X, y) > 0.7
    assert [model.generate(X[[user]])[0] for user in range(3)] == [*texts[:3]]


def test_each_answer_follows_its_own_prompt(trained):
    model, X, _ = trained
    model = make(dtype="float64", captions="captions").fit(X, trained[2])
    module = model.net_.module_.eval()
    batch, _ = model._dataset(X).__getitems__(range(3))
    inputs = module.inputs(batch.sources)
    with torch.no_grad():
        logits = module(batch.sources, {})
        for task, prompt in enumerate(module.prompts[:1]):
            states, is_state = module.encode(module.readings(inputs)[task])
            for k, answer in enumerate(prompt.answers):
                rows = torch.tensor([answer] * 3)
                each = module.token_log_likelihoods(states, is_state, rows)
                torch.testing.assert_close(
                    logits[task][:, k], each.sum(dim=1), rtol=0, atol=1e-10
                )
        one, other = (module.encode(each)[0] for each in module.readings(inputs))
    assert not torch.equal(one[:, 0], other[:, 0])


def test_the_loss_is_what_the_answers_cost():
    X, y = make_users()
    model = make(
        dtype="float64", batch_size=12, learning_rate=1e-30, source="text"
    ).fit(X, y)
    module = model.net_.module_.eval()
    batch, _ = model._dataset(X).__getitems__(range(12))
    inputs = module.inputs(batch.sources)
    expected = 0.0
    tokens = model._parts.tokens
    with torch.no_grad():
        for task, column in enumerate(y.columns):
            states, is_state = module.encode(module.readings(inputs)[task])
            costs = []
            for user, label in enumerate(y[column]):
                if label is None:
                    continue
                given = sorted(label) if task else [label]
                chosen = [list(model.classes_[task]).index(each) for each in given]
                row = torch.tensor([[*tokens.value(task, chosen), tokens.ids.end]])
                some = states[[user]], is_state[[user]]
                costs.append(-float(module.token_log_likelihoods(*some, row).sum()))
            assert len(costs) == 11
            expected += np.mean(costs)
    assert model.history_[0]["train_loss"] == pytest.approx(expected, abs=1e-9)


def test_a_batch_without_a_label_of_a_task_teaches_the_others():
    X, y = make_users()
    y.iloc[6:, 1] = None
    model = make(batch_size=1, decoding="scoring", source="text").fit(X, y)
    assert np.isfinite(model.history_[0]["train_loss"])
    assert model.predict(X).shape == (12, 2)


def test_the_prompt_of_a_long_text_is_whole(trained):
    module = trained[0].net_.module_
    reviews = TokenRows.from_lists([[5] * 30, []])
    captions = TokenRows.from_lists([[6] * 30, [6] * 2])
    inputs = ProfileInputs(reviews, captions, TokenRows.empty(2), None)
    ids, is_token = module._read_text(module.readings(inputs)[1])
    prompt = module.prompts[1].prefix
    end = [*prompt, module.ids.end]
    assert ids.shape[1] == module.max_tokens == 20
    assert ids[0].tolist()[-len(end) :] == end
    assert ids[1][is_token[1]].tolist() == [6, 6, *end]


def test_captions_are_read_where_they_are_named():
    X, y = make_users()
    silent = TokenMessages.from_lists([None] * 12, WORDS)
    without = SliceDict(**{**X, "captions": silent})
    for captions in (None, "captions"):
        model = make(captions=captions, source="text").fit(X, y)
        pairs = zip(model.predict_proba(X), model.predict_proba(without), strict=True)
        same = all(np.array_equal(a, b) for a, b in pairs)
        assert same == (captions is None)
    with pytest.raises(SourceError, match="images alone"):
        make().fit(SliceDict(images=X["images"]), y)


def test_all_modes_of_training_go_with_captions():
    X, y = make_users()
    modes = ("fusion", "text", "masked_image", "masked_profile")
    one = make(captions="captions", joint_modes=modes).fit(X, y)
    other = make(captions="captions").fit(X, y)
    assert set(one.net_.modes) == set(modes)
    assert set(other.net_.modes) == {"fusion"}
    assert one.history_[0]["train_loss"] != other.history_[0]["train_loss"]
