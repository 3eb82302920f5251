"""Seeds: one ``random_state`` decides everything, the global generators nothing."""

from __future__ import annotations

import threading

import numpy as np
from sklearn.utils import check_random_state

#: Held by whoever lends torch's global generators to code that draws from them alone.
TORCH_GENERATORS = threading.Lock()

_LARGEST_SEED = np.iinfo(np.int32).max

RandomState = int | np.random.RandomState | None


def derive_seeds(random_state: RandomState, n_seeds: int) -> list[int]:
    """Draw independent integer seeds from a scikit-learn ``random_state``.

    Parameters
    ----------
    random_state : int, RandomState instance or None
        As everywhere in scikit-learn; None draws anew at each call.
    n_seeds : int
        Number of seeds.

    Returns
    -------
    list of int
        Seeds in [0, 2**31 - 1).
    """
    if random_state is None:
        # A fresh generator, since numpy's global one stays untouched.
        generator = np.random.RandomState()
    else:
        generator = check_random_state(random_state)
    return [int(seed) for seed in generator.randint(_LARGEST_SEED, size=n_seeds)]


def derive_seed(random_state: RandomState) -> int:
    """Draw one integer seed; see :func:`derive_seeds`.

    Parameters
    ----------
    random_state : int, RandomState instance or None
        As everywhere in scikit-learn; None draws anew at each call.

    Returns
    -------
    int
        A seed in [0, 2**31 - 1).
    """
    return derive_seeds(random_state, 1)[0]
