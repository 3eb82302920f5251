"""The Aux-LSTM paper's equations by their letters, in numpy."""

from __future__ import annotations

from itertools import chain

import numpy as np


def sigmoid(values):
    return 1.0 / (1.0 + np.exp(-values))


def read_words(state, words):
    """Eq. 1 to 6 over one sequence: h of each step, shape (n_steps, n_hidden)."""
    weight = state["weight_ih_l0"], state["weight_hh_l0"]
    # Torch's order of the gates: i, f, g, o.
    w_i, w_f, w_g, w_o = np.split(weight[0], 4)
    u_i, u_f, u_g, u_o = np.split(weight[1], 4)
    b_i, b_f, b_g, b_o = np.split(state["bias_ih_l0"], 4)
    h = c = np.zeros(len(b_i))
    steps = []
    for word in words:
        i = sigmoid(w_i @ word + u_i @ h + b_i)
        f = sigmoid(w_f @ word + u_f @ h + b_f)
        o = sigmoid(w_o @ word + u_o @ h + b_o)
        g = np.tanh(w_g @ word + u_g @ h + b_g)
        c = f * c + i * g
        h = o * np.tanh(c)
        steps.append(h)
    return np.array(steps)


def part(state, prefix):
    """Parameters below a prefix, in double precision, without it."""
    return {
        name[len(prefix) :]: np.asarray(value, dtype=np.float64)
        for name, value in state.items()
        if name.startswith(prefix)
    }


def read_users(state, users, prefix, number, level, max_words=None):
    """Outputs of one LSTM of a text (eq. 7), or its missing-source embedding."""
    table = part(state, prefix)["embedding.table"]
    lstm = part(state, f"{prefix}lstms.{number}.lstm.")
    rows = []
    for user in users:
        if not user:
            rows.append(part(state, prefix)[f"missing.{number}"])
            continue
        sequences = [[*chain.from_iterable(user)]] if level == "user" else user
        steps = [read_words(lstm, table[words[:max_words]]) for words in sequences]
        rows.append(np.concatenate(steps).mean(axis=0))
    return np.array(rows)


def linear(state, prefix, values):
    weights = part(state, prefix)
    return values @ weights["weight"].T + weights["bias"]


def dense(state, prefix, values):
    """Eq. 8: ReLU of a linear layer."""
    return np.maximum(linear(state, f"{prefix}0.", values), 0.0)
