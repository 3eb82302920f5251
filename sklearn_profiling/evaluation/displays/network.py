"""A map of users by their links, coloured by a task."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from sklearn_profiling._seeding import RandomState, derive_seed
from sklearn_profiling.evaluation.displays._canvas import (
    COLOURS,
    Display,
    check_positive,
    choose_task,
    drawable,
    finish,
)
from sklearn_profiling.exceptions import SourceError, TargetError
from sklearn_profiling.targets import label_table

__all__ = ["NetworkMapDisplay"]

_MARKERS = "os^DvP*"
_PALE = "#C8C8C8"  # of users without a label, and of the classes beyond the colours


@dataclass
class NetworkMapDisplay(Display):
    """Users as points, near to those with like vectors; the colour is the label.

    No links are drawn, since those of some thousands hide everything. Make it by
    :meth:`from_estimator` or :meth:`from_vectors`.

    Parameters
    ----------
    positions : ndarray of float, shape (n_users, 2)
        Places of the users.
    labels : ndarray of object, shape (n_users,)
        Label of each; None where missing.
    task : str
        The task, which is the title.

    Attributes
    ----------
    positions, labels, task
        As given.
    ax_, figure_ : matplotlib Axes and Figure
        Where it was drawn.

    Notes
    -----
    The layout is spectral: the second and third eigenvector of the normalised Laplacian
    of the graph in which two users are joined by (1 + cosine) / 2 of their vectors. It
    is computed from the vectors by a singular value decomposition, without that graph.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_profiling.evaluation import NetworkMapDisplay
    >>> vectors = np.repeat(np.eye(3), 5, axis=0)
    >>> display = NetworkMapDisplay.from_vectors(vectors, list("aaaaabbbbbccccc"))
    >>> display.positions.shape
    (15, 2)
    """

    positions: NDArray[np.float64]
    labels: NDArray[np.object_]
    task: str

    @classmethod
    def from_vectors(
        cls,
        vectors: Any,
        y: Any,
        *,
        task: str | None = None,
        max_users: int = 2000,
        random_state: RandomState = 0,
        ax: Any = None,
    ) -> NetworkMapDisplay:
        """Draw users by vectors of any kind.

        Parameters
        ----------
        vectors : array-like of shape (n_users, n_dimensions)
            Vectors; users whose vector is zero or NaN are left out.
        y : DataFrame, Series or array-like of shape (n_users,) or (n_users, n_tasks)
            Labels; None, NaN and ``pd.NA`` are missing.
        task : str, default=None
            The task; may be left out if there is only one.
        max_users : int, default=2000
            Number of users to draw, at random, 1 at least. All are used for the layout.
        random_state : int, RandomState instance or None, default=0
            Decides who is drawn.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        NetworkMapDisplay
            The picture.

        Raises
        ------
        SourceError
            If fewer than 3 users have a vector.
        TargetError
            If the labels are of other users, or there is no such task.
        ValueError
            If `max_users` is out of its range.
        MissingDependencyError
            If matplotlib is not installed.
        """
        check_positive("max_users", max_users)
        rows = np.asarray(vectors, dtype=np.float64)
        table, names, _ = label_table(y)
        number = choose_task(names, task)
        if rows.ndim != 2 or len(rows) != len(table):
            msg = f"vectors must have shape ({len(table)}, n_dimensions), as y has "
            raise TargetError(msg + f"{len(table)} users; got the shape {rows.shape}")
        kept = np.flatnonzero(np.isfinite(rows).all(axis=1) & rows.any(axis=1))
        if len(kept) < 3:
            msg = f"a map needs 3 users with a vector at least; got {len(kept)}"
            raise SourceError(msg)
        positions = _spectral(rows[kept])
        generator = np.random.default_rng(derive_seed(random_state))
        drawn = np.sort(generator.permutation(len(kept))[:max_users])
        return cls(positions[drawn], table[kept[drawn], number], names[number]).plot(ax)

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        y: Any,
        *,
        task: str | None = None,
        max_users: int = 2000,
        random_state: RandomState = 0,
        ax: Any = None,
    ) -> NetworkMapDisplay:
        """Draw users by the vectors of a fitted LINEEmbedding.

        Parameters
        ----------
        estimator : LINEEmbedding
            Fitted embedding, or another transformer of ids to vectors.
        X : sequence, Series or frame of one column, of shape (n_users,)
            Ids of the users. Those without links are left out.
        y : DataFrame, Series or array-like of shape (n_users,) or (n_users, n_tasks)
            Labels; None, NaN and ``pd.NA`` are missing.
        task : str, default=None
            The task; may be left out if there is only one.
        max_users : int, default=2000
            Number of users to draw, at random, 1 at least.
        random_state : int, RandomState instance or None, default=0
            Decides who is drawn.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        NetworkMapDisplay
            The picture.
        """
        check_is_fitted(estimator)
        vectors = np.asarray(estimator.transform(X))
        if getattr(estimator, "unknown", None) == "indicator":
            vectors = vectors[:, :-1]
        return cls.from_vectors(
            vectors,
            y,
            task=task,
            max_users=max_users,
            random_state=random_state,
            ax=ax,
        )

    def plot(self, ax: Any = None) -> NetworkMapDisplay:
        """Draw the users; grey if without a label, or beyond the seven largest classes.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        NetworkMapDisplay
            Itself.
        """
        ax = self._open(ax)
        names = np.array([_name(label) for label in self.labels], dtype=object)
        counts = Counter(name for name in names if name is not None)
        shown = [name for name, _ in counts.most_common(len(COLOURS))]
        size = float(np.clip(4000 / len(names), 6, 40))
        other = np.array([name not in shown for name in names])
        rest = "other or missing" if len(counts) > len(shown) else "missing"
        styles = [(other, rest, _PALE, "o")]
        styles += [
            (names == name, drawable(name, 18), colour, marker)
            for name, colour, marker in zip(shown, COLOURS, _MARKERS, strict=False)
        ]
        for chosen, label, colour, marker in styles:
            if chosen.any():
                ax.scatter(
                    *self.positions[chosen].T,
                    s=size,
                    color=colour,
                    marker=marker,
                    label=label,
                    alpha=0.8,
                    linewidths=0,
                )
        ax.set(xticks=[], yticks=[], title=drawable(self.task, 40))
        ax.legend(
            loc="upper center",
            bbox_to_anchor=(0.5, 0.0),
            ncols=3,
            fontsize="small",
            frameon=False,
            markerscale=max(1.0, 5 / size**0.5),
        )
        finish(ax)
        return self


def _name(label: Any) -> str | None:
    """Return a label as text; those of a set are joined."""
    if isinstance(label, frozenset):
        return ", ".join(sorted(map(str, label))) or None
    return None if label is None else str(label)


def _spectral(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    """Place users by two eigenvectors of the Laplacian of (1 + cosine) / 2."""
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    factor = np.column_stack(
        [np.ones(len(unit)), unit]
    )  # the graph is factor factor' / 2
    scale = np.sqrt(factor @ factor.sum(axis=0))[:, None]
    left, _, _ = np.linalg.svd(factor / scale, full_matrices=False)
    places = np.zeros((len(unit), 2))
    found = left[:, 1:3]
    places[:, : found.shape[1]] = found / scale
    # The sign of an eigenvector is anybody's; the largest element is made positive.
    signs = np.sign(places[np.abs(places).argmax(axis=0), [0, 1]])
    return places * np.where(signs == 0, 1, signs)
