"""Seeds from ``random_state`` alone; the global generators stay untouched."""

from __future__ import annotations

import threading

import numpy as np
from sklearn.utils import check_random_state

#: Held while torch's global generators are lent to code that draws from no others.
TORCH_GENERATORS = threading.Lock()

_LARGEST_SEED = np.iinfo(np.int32).max

RandomState = int | np.random.RandomState | None


def derive_seeds(random_state: RandomState, n_seeds: int) -> list[int]:
    """Draw independent seeds in [0, 2**31 - 1) from a scikit-learn ``random_state``.

    None draws anew at each call.
    """
    if random_state is None:
        # A fresh generator, since numpy's global one stays untouched.
        generator = np.random.RandomState()
    else:
        generator = check_random_state(random_state)
    return [int(seed) for seed in generator.randint(_LARGEST_SEED, size=n_seeds)]


def derive_seed(random_state: RandomState) -> int:
    """Draw one seed; see :func:`derive_seeds`."""
    return derive_seeds(random_state, 1)[0]
