"""Types of the fields of what loaders and generators return, each a plain Bunch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sklearn.utils import Bunch

from sklearn_profiling.containers import SocialGraph

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

__all__ = ["DividedUsers", "GeneratedUsers", "LabeledUsers", "UserBunch"]

if TYPE_CHECKING:

    class LabeledUsers(Bunch):
        """Users and their labels, one row each."""

        data: pd.DataFrame
        target: pd.DataFrame

    class UserBunch(LabeledUsers):
        """All that a loader returns."""

        graph: SocialGraph | None
        target_names: dict[str, list[Any]]
        DESCR: str
        report: dict[str, Any]

    class GeneratedUsers(UserBunch):
        """All that is known of generated users; further fields are the generator's."""

        complete_target: pd.DataFrame
        bayes_accuracy: dict[str, float]
        bayes_accuracy_realized: dict[str, float]
        bayes_proba: dict[str, NDArray[np.float64]]

    class DividedUsers(Bunch):
        """Three parts of users, and the rows of each."""

        train: LabeledUsers
        valid: LabeledUsers
        test: LabeledUsers
        rows: dict[str, NDArray[np.intp]]

else:
    DividedUsers = GeneratedUsers = LabeledUsers = UserBunch = Bunch
