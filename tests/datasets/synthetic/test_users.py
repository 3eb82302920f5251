"""Synthetic users: their exact posterior, their rates, their reproducibility."""

from __future__ import annotations

import itertools
import random

import numpy as np
import pandas as pd
import pytest
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score

from sklearn_profiling.datasets import make_user_profiles
from sklearn_profiling.datasets.smpcup2016.format import AGE_CLASSES, GENDERS, REGIONS
from sklearn_profiling.datasets.synthetic._model import (
    CLASSES,
    HUBS_PER_CLASS,
    LINK_SHARES,
    N_GENERAL_HUBS,
    TASKS,
    TOPIC_RATES,
    Model,
    joint_prior,
    posteriors,
)
from sklearn_profiling.datasets.synthetic._words import (
    CLASS_WORDS,
    COMMON_WORDS,
    MENTION_MARKERS,
    OWN_MARKERS,
)


def test_no_word_stands_in_two_lists():
    revealing = [
        word for task in CLASS_WORDS.values() for ws in task.values() for word in ws
    ]
    words = [*revealing, *OWN_MARKERS, *MENTION_MARKERS, *COMMON_WORDS]
    assert len(words) == len(set(words))
    sizes = {
        task: {len(ws) for ws in lists.values()} for task, lists in CLASS_WORDS.items()
    }
    # the choice of a word within its class must not depend on the class
    assert all(len(size) == 1 for size in sizes.values())


def test_classes_are_those_of_smp_cup():
    assert CLASSES["gender"] == GENDERS
    assert CLASSES["age"] == AGE_CLASSES
    assert CLASSES["region"] == tuple(REGIONS)


def test_joint_table_is_a_distribution_with_correlations():
    prior = joint_prior()
    assert prior.shape == (2, 3, 8, 5)
    assert prior.min() > 0
    np.testing.assert_allclose(prior.sum(), 1)
    gender_occupation = prior.sum(axis=(1, 2))
    independent = np.outer(gender_occupation.sum(1), gender_occupation.sum(0))
    assert np.abs(gender_occupation - independent).max() > 0.02


def words_of(message):
    """Split a message into its words by the lists alone, longest word first."""
    known = {w for task in CLASS_WORDS.values() for ws in task.values() for w in ws}
    known |= {*OWN_MARKERS, *MENTION_MARKERS, *COMMON_WORDS}
    found, place = [], 0
    while place < len(message):
        for size in (4, 3, 2):
            if message[place : place + size] in known:
                found.append(message[place : place + size])
                place += size
                break
        else:
            place += 1
    return found


def brute_force(messages, fans, parameters):
    """Multiply out P(words, links | attributes) for each combination, word by word."""
    noise, rates = parameters["text_noise"], TOPIC_RATES
    joint = joint_prior().copy()
    for codes in itertools.product(*map(range, joint.shape)):
        own = {
            task: CLASSES[task][code] for task, code in zip(TASKS, codes, strict=True)
        }
        likelihood = 1.0
        for words in map(words_of, messages):
            is_own = any(word in OWN_MARKERS for word in words)
            if not is_own and not any(word in MENTION_MARKERS for word in words):
                likelihood *= 1 - parameters["signal_rate"] - parameters["mention_rate"]
                continue
            likelihood *= parameters["signal_rate" if is_own else "mention_rate"]
            for task, lists in CLASS_WORDS.items():
                here = [name for name, ws in lists.items() if set(ws) & set(words)]
                if not here:
                    likelihood *= 1 - rates[task]
                    continue
                uniform = 1 / len(lists)
                random_share = noise if task != "age" else (1 + noise) / 2
                share = random_share * uniform + (1 - random_share) * (
                    here[0] == own[task]
                )
                likelihood *= rates[task] * (share if is_own else uniform)
        for (task, label), linked in fans:
            if task is None:
                p = parameters["n_links"] * LINK_SHARES["general"] / N_GENERAL_HUBS
            else:
                p = parameters["n_links"] * LINK_SHARES[task] / HUBS_PER_CLASS[task]
                noise_share = parameters["network_noise"] / len(CLASSES[task])
                p *= noise_share + (1 - parameters["network_noise"]) * (
                    label == own[task]
                )
            likelihood *= p if linked else 1 - p
        joint[codes] *= likelihood
    return joint / joint.sum()


@pytest.mark.parametrize("n_friends", [0, 2])
@pytest.mark.parametrize("noise", [0.3, 1.0])
def test_posterior_by_brute_force(n_friends, noise):
    parameters = {
        "signal_rate": 0.4,
        "mention_rate": 0.3,
        "text_noise": noise,
        "n_links": 6.0,
        "network_noise": 0.5,
    }
    bunch = make_user_profiles(
        12, n_messages=4, n_words=3, n_friends=n_friends, random_state=5, **parameters
    )
    hubs = bunch.hubs
    for row, user_id in enumerate(bunch.data["user_id"]):
        known = bunch.graph.index_of([user_id])[0] >= 0
        linked = set(bunch.graph.neighbors(user_id)) if known else set()
        fans = [
            ((task, label), hub in linked)
            for hub, task, label in hubs.itertuples(index=False)
        ]
        joint = brute_force(bunch.data["messages"][row], fans, parameters)
        for axis, task in enumerate(TASKS):
            others = tuple(other for other in range(4) if other != axis)
            np.testing.assert_allclose(
                bunch.bayes_proba[task][row], joint.sum(axis=others), atol=1e-10
            )
    for task in TASKS:
        largest = bunch.bayes_proba[task].max(axis=1)
        np.testing.assert_allclose(bunch.bayes_accuracy[task], largest.mean())


def test_unlinked_users_without_friends_may_be_missing():
    model = Model(0.2, 0.1, 0.1, 0.2, 3.0, missing_network=0.3)
    counts = {task: np.zeros((1, len(CLASSES[task])), int) for task in HUBS_PER_CLASS}
    alone = np.array([False])
    both = model.network_log_likelihood(counts, alone, unlinked_is_missing=False)
    age, region = model.hub_probabilities("age"), model.hub_probabilities("region")
    nobody = (1 - model.general_hub_probability) ** N_GENERAL_HUBS
    for a, r in itertools.product(range(3), range(8)):
        by_hand = nobody * np.prod((1 - age[a]) ** 16) * np.prod((1 - region[r]) ** 12)
        np.testing.assert_allclose(np.exp(both[0, 0, a, r, 0]), 0.3 + 0.7 * by_hand)
    certain = model.network_log_likelihood(counts, alone, unlinked_is_missing=True)
    np.testing.assert_array_equal(certain, 0)


def test_expected_number_of_links_does_not_depend_on_the_class():
    model = Model(0.2, 0.1, 0.1, 0.6, 15.0, 0.0)
    for task, n_hubs in HUBS_PER_CLASS.items():
        expected = model.hub_probabilities(task).sum(axis=1) * n_hubs
        np.testing.assert_allclose(expected, 15.0 * LINK_SHARES[task])


@pytest.mark.parametrize("n_friends", [0, 2])
def test_the_posterior_is_calibrated(n_friends):
    bunch = make_user_profiles(
        6000,
        n_links=4,
        n_friends=n_friends,
        missing_text=0.3,
        missing_network=0.3,
        random_state=1,
    )
    for task in TASKS:
        proba = bunch.bayes_proba[task]
        np.testing.assert_allclose(proba.sum(axis=1), 1)
        truth = bunch.complete_target[task].to_numpy()
        names = np.array(bunch.target_names[task])
        # what is right must equal what was promised, within four standard errors
        promised, right = proba.max(axis=1), names[proba.argmax(axis=1)] == truth
        for low, high in ((0, 0.5), (0.5, 0.8), (0.8, 1.01)):
            chosen = (promised >= low) & (promised < high)
            if chosen.sum() > 50:
                gap = abs(right[chosen].mean() - promised[chosen].mean())
                assert gap < 4 * 0.5 / np.sqrt(chosen.sum())
        assert bunch.bayes_accuracy_realized[task] == right.mean()
        share = proba.mean(axis=0) - [np.mean(truth == name) for name in names]
        assert np.abs(share).max() < 0.03


def test_where_each_attribute_shows():
    bunch = make_user_profiles(3000, random_state=0)
    text, network = bunch.bayes_accuracy_text, bunch.bayes_accuracy_network
    both = bunch.bayes_accuracy
    majority = {
        task: bunch.target[task].value_counts(normalize=True).iloc[0] for task in TASKS
    }
    assert both["gender"] == pytest.approx(text["gender"], abs=0.01)
    assert network["gender"] == pytest.approx(majority["gender"], abs=0.03)
    assert majority["age"] + 0.1 < text["age"] < network["age"] - 0.1
    assert max(text["region"], network["region"]) < both["region"] - 0.05
    assert min(text["region"], network["region"]) > majority["region"] + 0.3
    assert network["occupation"] < majority["occupation"] + 0.2
    for task, limits in {
        "gender": (0.87, 0.96),
        "age": (0.83, 0.92),
        "region": (0.87, 0.95),
        "occupation": (0.75, 0.9),
    }.items():
        assert limits[0] < both[task] < limits[1]
    assert set(bunch.report["shows_in"]) == set(TASKS)


def test_limits_of_the_noise():
    certain = make_user_profiles(
        300, n_messages=80, text_noise=0, network_noise=0, n_links=10, random_state=0
    )
    assert certain.bayes_accuracy["gender"] > 0.999
    assert certain.bayes_accuracy_realized["region"] > 0.999
    blind = make_user_profiles(300, text_noise=1, network_noise=1, random_state=0)
    prior = joint_prior()
    for axis, task in enumerate(TASKS):
        largest = prior.sum(axis=tuple(o for o in range(4) if o != axis)).max()
        if task == "age":
            largest = blind.bayes_accuracy[task]
            assert largest < 0.46
        assert blind.bayes_accuracy[task] == pytest.approx(largest, abs=1e-9)


def test_models_lie_between_majority_and_the_best_possible():
    bunch = make_user_profiles(1500, random_state=0)
    everything = [" ".join(words_of("".join(m))) for m in bunch.data["messages"]]
    own = [
        " ".join(
            word
            for message in messages
            if any(marker in message for marker in OWN_MARKERS)
            for word in words_of(message)
        )
        for messages in bunch.data["messages"]
    ]
    model = LogisticRegression(C=0.3, max_iter=300)
    gender = bunch.target["gender"]
    scores = [
        cross_val_score(
            model,
            CountVectorizer(analyzer=str.split).fit_transform(texts),
            gender,
            cv=3,
        ).mean()
        for texts in (everything, own)
    ]
    majority = gender.value_counts(normalize=True).iloc[0]
    # telling messages apart pays: that is what attention is for
    assert majority + 0.1 < scores[0] < scores[1] - 0.05
    assert scores[1] < bunch.bayes_accuracy["gender"] + 0.02
    rows = bunch.graph.adjacency.tocsr()[bunch.graph.index_of(bunch.data["user_id"])]
    age = cross_val_score(model, rows, bunch.target["age"], cv=3).mean()
    assert 0.7 < age < bunch.bayes_accuracy["age"] + 0.02


def test_counts_and_missing_parts():
    bunch = make_user_profiles(
        2000,
        n_messages=5,
        missing_labels=0.3,
        missing_text=0.2,
        missing_network=0.1,
        random_state=0,
    )
    report, data = bunch.report, bunch.data
    assert report["n_users"] == len(data) == data["user_id"].nunique() == 2000
    assert report["missing_messages"] == sum(not m for m in data["messages"])
    assert report["missing_messages"] == pytest.approx(400, abs=80)
    unlinked = bunch.graph.index_of(data["user_id"]) < 0
    assert report["missing_links"] == unlinked.sum() == pytest.approx(200, abs=60)
    assert not set(bunch.hubs["user_id"]) & set(data["user_id"])
    n_messages = data["messages"].map(len)
    assert report["n_messages"] == n_messages.sum()
    assert n_messages[n_messages > 0].mean() == pytest.approx(5, abs=0.2)
    share = report["n_messages_about_writer"] / report["n_messages"]
    assert share == pytest.approx(0.2, abs=0.02)
    assert bunch.graph.n_edges == (
        report["n_links_to_hubs"] + report["n_links_to_friends"]
    )
    assert report["n_links_to_hubs"] / 1800 == pytest.approx(15, abs=0.5)
    for task in TASKS:
        missing = bunch.target[task].isna()
        assert report["missing_labels"][task] == missing.sum()
        assert missing.mean() == pytest.approx(0.3, abs=0.05)
        assert bunch.target[task][~missing].equals(
            bunch.complete_target[task][~missing]
        )
        assert bunch.target[task][missing].map(lambda label: label is None).all()


def test_nothing_but_missing_parts():
    bunch = make_user_profiles(20, missing_text=1, missing_network=1, random_state=0)
    assert bunch.graph is None
    assert bunch.data["messages"].tolist() == [[]] * 20
    prior = joint_prior().sum(axis=(1, 2, 3))
    np.testing.assert_allclose(bunch.bayes_proba["gender"], np.tile(prior, (20, 1)))
    lonely = make_user_profiles(1, n_links=0, random_state=0)
    assert lonely.graph is None
    assert lonely.report["missing_links"] == 1


def test_same_seed_same_users():
    first, again, other = (make_user_profiles(40, random_state=s) for s in (7, 7, 8))
    pd.testing.assert_frame_equal(first.data, again.data)
    pd.testing.assert_frame_equal(first.target, again.target)
    assert first.graph == again.graph
    assert first.bayes_accuracy == again.bayes_accuracy
    assert first.data["messages"].tolist() != other.data["messages"].tolist()
    state = np.random.RandomState(3)
    drawn = make_user_profiles(40, random_state=state)
    assert (
        drawn.data["messages"].tolist()
        != make_user_profiles(40, random_state=state).data["messages"].tolist()
    )


def test_global_generators_are_untouched():
    before = (np.random.get_state()[1].tolist(), random.getstate())
    make_user_profiles(10)
    assert before == (np.random.get_state()[1].tolist(), random.getstate())


def test_many_users_are_made_in_parts(monkeypatch):
    whole = make_user_profiles(50, random_state=0)
    module = "sklearn_profiling.datasets.synthetic.users._ROWS_AT_ONCE"
    monkeypatch.setattr(module, 7)
    parts = make_user_profiles(50, random_state=0)
    for task in TASKS:
        np.testing.assert_allclose(
            whole.bayes_proba[task], parts.bayes_proba[task], rtol=1e-12
        )
    monkeypatch.setattr(module.replace("_synthetic.", "_synthetic_draw."), 7)
    assert make_user_profiles(50, random_state=0).graph == whole.graph


def test_posteriors_of_no_evidence_are_the_prior():
    prior = joint_prior()
    result = posteriors(np.zeros((2, 1, 1, 1, 1)))
    np.testing.assert_allclose(result["region"], [prior.sum(axis=(0, 1, 3))] * 2)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"n_users": 0}, "n_users"),
        ({"n_messages": 0.5}, "n_messages"),
        ({"text_noise": 1.1}, "text_noise"),
        ({"n_friends": -1}, "n_friends"),
        ({"random_state": "x"}, "random_state"),
        ({"signal_rate": 0.7, "mention_rate": 0.4}, "must not exceed 1 together"),
        ({"n_links": 400}, r"n_links must be at most \d+.*got 400"),
        ({"n_links": 31, "network_noise": 0.0}, "n_links must be at most 30"),
    ],
)
def test_bad_parameters(parameters, message):
    with pytest.raises(ValueError, match=message):
        make_user_profiles(**parameters)


def test_informative_messages_are_those_with_a_word_of_the_task():
    users = make_user_profiles(40, mention_rate=0.0, missing_text=0.1, random_state=0)
    assert list(users.informative) == list(TASKS)
    for task in TASKS:
        words = [word for own in CLASS_WORDS[task].values() for word in own]
        for messages, known in zip(
            users.data["messages"], users.informative[task], strict=True
        ):
            assert known.dtype == bool
            assert len(known) == len(messages)
            for message, is_informative in zip(messages, known, strict=True):
                if is_informative:
                    assert any(word in message for word in words)
                    assert any(word in message for word in OWN_MARKERS)
    n_informative = sum(known.sum() for known in users.informative["gender"])
    share = n_informative / users.report["n_messages_about_writer"]
    assert share == pytest.approx(TOPIC_RATES["gender"], abs=0.15)
