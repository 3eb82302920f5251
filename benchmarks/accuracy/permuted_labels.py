"""Is what a system predicts better than chance true? A permutation test on one fold.

A system is trained and tested on one fold, and then again with labels that are permuted
among the training users, and among the test users. So shares of the classes, folds and
users stay as they are, and only what users have in common with their labels is gone. A
system that is above the majority class with permuted labels has a leak. DATA is what
``real_users.py`` reads.

    python benchmarks/accuracy/permuted_labels.py target.csv+edges.csv --folds 3

The p value is that of ``permutation_test_score``: (1 + number of permutations that are
as accurate) / (1 + number of permutations).
"""

from __future__ import annotations

import argparse
import time

import numpy as np
from real_users import all_systems, read
from sklearn.model_selection import permutation_test_score

from sklearn_profiling.evaluation import MultiTaskStratifiedKFold


def main() -> None:
    """Print the accuracy of each task, and of its permutations."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", metavar="DATA")
    parser.add_argument("--tasks", nargs="+")
    parser.add_argument("--system", default="Links + ridge")
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--permutations", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    users = read(given.data, given.tasks)
    model = all_systems(users, given.seed, [], with_nets=True)[given.system]
    folds = MultiTaskStratifiedKFold(given.folds, random_state=given.seed)
    train, test = next(iter(folds.split(users.data, users.target)))
    is_test = np.isin(np.arange(len(users.data)), test)
    for task in users.target:
        start = time.process_time()
        labels = users.target[task]
        score, permuted, p = permutation_test_score(
            model,
            users.data,
            labels,
            groups=is_test,  # labels are permuted within these
            cv=[(train, test)],
            n_permutations=given.permutations,
            random_state=given.seed,
        )
        majority = (labels.iloc[test] == labels.iloc[train].mode()[0]).mean()
        print(
            f"{task}: {score:.4f}, majority {majority:.4f}; permuted "
            f"{permuted.mean():.4f}, from {permuted.min():.4f} to "
            f"{permuted.max():.4f}; p {p:.3f}; "
            f"{time.process_time() - start:.0f} seconds of CPU",
            flush=True,
        )


if __name__ == "__main__":
    main()
