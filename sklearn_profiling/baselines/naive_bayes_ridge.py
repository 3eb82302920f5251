"""Ridge regression on counts that are scaled by the ratios of naive Bayes."""

from __future__ import annotations

from numbers import Real
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import Ridge
from sklearn.utils import Tags
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import (
    _check_sample_weight,
    check_is_fitted,
    check_non_negative,
    validate_data,
)

from sklearn_profiling._decorators import fit_context
from sklearn_profiling._threads import fixed_threads
from sklearn_profiling.exceptions import TargetError
from sklearn_profiling.sources._sparse_output import unit_rows
from sklearn_profiling.targets import LabelCodec

__all__ = ["NaiveBayesRidgeClassifier"]

Floats = NDArray[np.float64]


class NaiveBayesRidgeClassifier(ClassifierMixin, BaseEstimator):
    """Ridge regression on word counts scaled by their log-count ratios.

    A word is scaled by how differently the classes use it, as naive Bayes measures it;
    then each user's row is brought to length 1, and a ridge regression learns 1 for the
    user's class and -1 for the others. It reads counts, where a ridge on tf-idf reads
    presence, and both together are better than either.

    Parameters
    ----------
    alpha : float, default=2.0
        Strength of the ridge regression (our choice, on poets and synthetic users).
    smoothing : float, default=1.0
        Added to the count of each word in each class (Laplace, as in the paper).

    Attributes
    ----------
    classes_ : ndarray, shape (n_classes,)
        Classes in sorted order.
    scale_ : ndarray of float, shape (n_features,)
        Root mean square over the classes of the log-count ratio of each word.
    coef_ : ndarray of float, shape (n_classes, n_features)
        Weights of the scaled counts.
    intercept_ : ndarray of float, shape (n_classes,)
        Intercept of each class.
    n_features_in_ : int
        Number of features seen in ``fit``.

    See Also
    --------
    OutOfFoldLogits : Log-odds of such classifiers as features or offsets.
    sklearn.naive_bayes.ComplementNB : Naive Bayes alone.

    Notes
    -----
    The paper scales by the ratio of one class to the others, so that each class has
    features of its own, and takes an SVM on the presence of words. One scale for all
    classes needs one product of matrices for any number of classes, and was as accurate
    on our data. The squared loss takes the place of the SVM's.

    References
    ----------
    Wang and Manning, "Baselines and Bigrams: Simple, Good Sentiment and Topic
    Classification", ACL 2012.

    Examples
    --------
    >>> from sklearn_profiling.baselines import NaiveBayesRidgeClassifier
    >>> counts = [[3, 0, 1], [2, 1, 0], [0, 4, 1], [1, 3, 0]]
    >>> model = NaiveBayesRidgeClassifier().fit(counts, ["tea", "tea", "ale", "ale"])
    >>> model.predict([[5, 1, 0]]).tolist()
    ['tea']
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "alpha": [Interval(Real, 0, None, closed="neither")],
        "smoothing": [Interval(Real, 0, None, closed="neither")],
    }

    def __init__(self, alpha: float = 2.0, *, smoothing: float = 1.0) -> None:
        self.alpha = alpha
        self.smoothing = smoothing

    @fit_context(prefer_skip_nested_validation=True)
    @fixed_threads()
    def fit(self, X: Any, y: Any, sample_weight: ArrayLike | None = None) -> Self:
        """Learn the scale of the words and the regression.

        Parameters
        ----------
        X : array-like or sparse matrix, shape (n_users, n_features)
            Counts, 0 or more.
        y : array-like, shape (n_users,)
            Classes.
        sample_weight : array-like, shape (n_users,), default=None
            Weight of each user, in the counts and in the regression.

        Returns
        -------
        self
            The fitted classifier.

        Raises
        ------
        ValueError
            If a count is negative.
        TargetError
            If a label is missing, a set, or continuous.
        """
        X, y = validate_data(self, X, y, accept_sparse="csr", dtype=np.float64)
        check_non_negative(X, f"{type(self).__name__} (input X)")
        codec = LabelCodec.learn(y)
        codes = codec.encode(y).codes[:, 0]
        if codec.set_valued[0] or (codes < 0).any():
            msg = (
                f"{type(self).__name__} learns one class of each user; for sets of "
                "labels and missing ones put it into MaskedMultiOutputClassifier"
            )
            raise TargetError(msg)
        weight = _check_sample_weight(sample_weight, X)
        self.classes_ = codec.classes[0]
        member = np.zeros((len(codes), len(self.classes_)))
        member[np.arange(len(codes)), codes] = 1.0
        counts = np.asarray((sparse.csr_array(X).T @ (member * weight[:, None])).T)
        self.scale_ = _log_count_scale(counts, self.smoothing)
        # The primal problem with one solver, whatever the shape of the matrix.
        ridge = Ridge(alpha=self.alpha, solver="sparse_cg", tol=1e-6)
        ridge.fit(self._scaled(X), 2 * member - 1, sample_weight=weight)
        self.coef_ = np.atleast_2d(ridge.coef_)
        self.intercept_ = np.atleast_1d(ridge.intercept_)
        return self

    def _scaled(self, X: Any) -> Any:
        """Scale the counts of (n_users, n_features), then the rows to length 1."""
        rows = sparse.csr_array(X)
        if not rows.has_canonical_format:
            rows = rows.copy()
            rows.sum_duplicates()
        scaled = rows.data * self.scale_[rows.indices]
        # csr_matrix, as scikit-learn itself has it
        return unit_rows(
            sparse.csr_matrix((scaled, rows.indices, rows.indptr), shape=rows.shape)
        )

    @fixed_threads()
    def decision_function(self, X: Any) -> Floats:
        """Compute the value of each class.

        Parameters
        ----------
        X : array-like or sparse matrix, shape (n_users, n_features)
            Counts.

        Returns
        -------
        ndarray of float, shape (n_users, n_classes), or (n_users,) for two classes
            Values of the regressions; the second's less the first's for two classes.
        """
        check_is_fitted(self)
        X = validate_data(self, X, reset=False, accept_sparse="csr", dtype=np.float64)
        check_non_negative(X, f"{type(self).__name__} (input X)")
        values: Floats = self._scaled(X) @ self.coef_.T + self.intercept_
        return values[:, 1] - values[:, 0] if values.shape[1] == 2 else values

    def predict(self, X: Any) -> NDArray[Any]:
        """Predict the class of users.

        Parameters
        ----------
        X : array-like or sparse matrix, shape (n_users, n_features)
            Counts.

        Returns
        -------
        ndarray, shape (n_users,)
            Classes.
        """
        values = self.decision_function(X)
        best = (values > 0).astype(int) if values.ndim == 1 else values.argmax(axis=1)
        classes: NDArray[Any] = self.classes_[best]
        return classes

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.input_tags.positive_only = True
        # Of points in the plane, as of other classifiers of counts.
        tags.classifier_tags.poor_score = True
        return tags


def _log_count_scale(counts: Floats, smoothing: float) -> Floats:
    """Root mean square of the ratios of (n_classes, n_features): (n_features,)."""
    own = counts + smoothing
    others = counts.sum(axis=0) - counts + smoothing
    own = own / own.sum(axis=1, keepdims=True)
    others = others / others.sum(axis=1, keepdims=True)
    ratios = np.log(own) - np.log(others)
    scale: Floats = np.sqrt((ratios**2).mean(axis=0))
    # A word that all classes use alike, as all words where there is but one class.
    return np.where(scale > 0, scale, 1.0)
