"""One random_state decides everything, the global generators nothing."""

from __future__ import annotations

import random

import numpy as np
import pytest
import torch

from sklearn_profiling._seeding import derive_seed, derive_seeds


def test_an_integer_gives_the_same_seeds_every_time():
    seeds = derive_seeds(7, 5)
    assert seeds == derive_seeds(7, 5)
    assert seeds[:3] == derive_seeds(7, 3)
    assert derive_seed(7) == seeds[0]
    assert len(set(seeds)) == 5
    assert derive_seeds(8, 5) != seeds
    assert derive_seeds(7, 0) == []


def test_seeds_are_plain_integers_that_every_generator_takes():
    for seed in derive_seeds(0, 200):
        assert type(seed) is int
        assert 0 <= seed < 2**31 - 1
    np.random.RandomState(seed)
    torch.Generator().manual_seed(seed)


def test_a_generator_moves_on():
    generator = np.random.RandomState(7)
    first = derive_seed(generator)
    assert first == derive_seed(7)
    assert derive_seed(generator) == derive_seeds(7, 2)[1]


def test_none_draws_anew_and_leaves_the_global_generators_alone():
    before = np.random.get_state(), random.getstate(), torch.get_rng_state()
    assert len({derive_seed(None) for _ in range(20)}) > 15
    after = np.random.get_state(), random.getstate(), torch.get_rng_state()
    assert before[0][2] == after[0][2]
    assert (before[0][1] == after[0][1]).all()
    assert before[1] == after[1]
    assert torch.equal(before[2], after[2])


def test_anything_else_is_refused():
    with pytest.raises(ValueError, match="'seven' cannot be used to seed"):
        derive_seed("seven")
