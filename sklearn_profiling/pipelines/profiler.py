"""The recommended system: experts on all that users have, corrected by a net."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal, Self

import joblib
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.compose import ColumnTransformer, make_column_selector
from sklearn.decomposition import TruncatedSVD
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, RidgeClassifierCV
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler
from sklearn.utils.validation import check_is_fitted

from sklearn_profiling._checked_pipeline import CheckedPipeline
from sklearn_profiling._seeding import RandomState, derive_seed, derive_seeds
from sklearn_profiling.architectures.layers.offset import OffsetLogits
from sklearn_profiling.baselines import (
    NaiveBayesRidgeClassifier,
    OutOfFoldLogits,
    PropagatedLabels,
)
from sklearn_profiling.containers._any_graph import as_social_graph
from sklearn_profiling.estimators import MMLUPClassifier
from sklearn_profiling.evaluation import (
    MultiTaskStratifiedKFold,
    TaskScorer,
    TemperatureScaledClassifier,
)
from sklearn_profiling.pipelines._experts import make_counts_expert
from sklearn_profiling.pipelines.auto_sources import ODDS, AutoSources
from sklearn_profiling.sources import (
    AdjacencyRows,
    GloVeTransformer,
    ImageBagTransformer,
    LINEEmbedding,
    MeanImageVectors,
    TfidfVectors,
    VisualWordCounts,
)

__all__ = ["Profiler", "make_profiler"]


class Profiler(CheckedPipeline):
    """Pipeline of :class:`AutoSources` and a classifier, which can describe itself.

    Made by :func:`make_profiler`; parameters are those of scikit-learn's Pipeline.

    Parameters
    ----------
    steps : list of (str, estimator)
        "sources" and "classifier".
    transform_input : list of str, default=None
        As of Pipeline.
    memory : str or joblib.Memory, default=None
        Folder for the cache of the sources.
    verbose : bool, default=False
        Whether to print the time of each step.

    See Also
    --------
    make_profiler : Makes one.

    Examples
    --------
    >>> from sklearn_profiling.pipelines import make_profiler
    >>> list(make_profiler().named_steps)
    ['sources', 'classifier']
    """

    def describe(self) -> pd.DataFrame:
        """Tell what was built of each column, why, and how good each expert is.

        Returns
        -------
        DataFrame
            One row a source, or a column that is left out: "column", "holds", "why",
            "source" and "role". For experts, the accuracy of each task on users whose
            own label was held out, as "accuracy of TASK", and the factor of their
            log-odds in the net, as "factor of TASK".

        Raises
        ------
        NotFittedError
            If the Pipeline is not fitted.

        Examples
        --------
        >>> from sklearn_profiling.datasets import make_user_profiles
        >>> from sklearn_profiling.pipelines import make_profiler
        >>> users = make_user_profiles(60, random_state=0)
        >>> model = make_profiler(random_state=0).fit(users.data, users.target)
        >>> model.describe()[["column", "holds", "source", "role"]].iloc[1:]
             column holds                source               role
        1  messages  text   messages_tfidf_odds  expert and source
        2  messages  text  messages_counts_odds  expert and source
        3  messages  text       messages_topics             source
        """
        check_is_fitted(self)
        auto: AutoSources = self["sources"]
        factors = _factors_of(self["classifier"])
        rows = []
        for column, (kind, why) in auto.kinds_.items():
            own: list[tuple[Any, Any]] = [
                (name, made)
                for name, made, _ in auto.union_.sources_
                if column in auto.columns_of_[name]
            ]
            for name, made in own or [(None, None)]:
                row = {"column": column, "holds": kind, "why": why, "source": name}
                rows.append({**row, **_role_of(name, made, factors)})
        return pd.DataFrame(rows)


def _factors_of(classifier: Any) -> dict[str, dict[str, float]]:
    """Find the factor of each source of log-odds and task."""
    for inner in ("estimator_", "best_estimator_"):
        classifier = getattr(classifier, inner, classifier)
    module: Any = getattr(getattr(classifier, "net_", None), "module_", None)
    if not isinstance(module, OffsetLogits):
        return {}
    return {
        name: dict(zip(classifier.task_names_, factors.tolist(), strict=True))
        for name, factors in zip(module.names, module.factors, strict=True)
    }


def _role_of(name: str | None, made: Any, factors: Any) -> dict[str, Any]:
    """Tell what a source is for and, of an expert, how good it is."""
    if name is None:
        return {"role": "left out"}
    if not name.endswith(ODDS):
        return {"role": "source"}
    role: dict[str, Any] = {"role": "expert and source"}
    logits = made[-1] if isinstance(made, Pipeline) else made
    tasks = getattr(logits, "task_names_", [])
    scores = getattr(logits, "scores_", [np.nan] * len(tasks))
    role |= {f"accuracy of {t}": s for t, s in zip(tasks, scores, strict=True)}
    role |= {f"factor of {t}": f for t, f in factors.get(name, {}).items()}
    return role


def make_profiler(
    graph: Any = None,
    *,
    columns: Literal["auto"] | Mapping[str, str] = "auto",
    effort: Literal["fast", "balanced", "best"] = "fast",
    segmenter: Any = "auto",
    classifier: Any = None,
    memory: str | joblib.Memory | None = None,
    random_state: RandomState = None,
) -> Profiler:
    """Make the recommended system: fast, and ahead of its parts on our data.

    It looks at the columns of the users' table. Linear experts read what stands there,
    the words of texts by tf-idf and by counts, links, looks of images, vectors, numbers
    and categories. Their out-of-fold log-odds are the offset of a small net, which
    begins as their best weighted sum and learns from all tasks together what they miss:
    from their log-odds, from topics of the texts, an embedding of the network, and
    whatever else is dense.

    Parameters
    ----------
    graph : SocialGraph, networkx.Graph, sparse matrix, DataFrame, array, list or None
        Network of the users, or its edges: pairs, or a table with the columns "source"
        and "target". None leaves it out.
    columns : "auto" or mapping of str to str, default="auto"
        What columns hold, as for :class:`AutoSources`: a mapping such as
        ``{"name": "drop", "code": "categories"}`` for columns that are not to be looked
        at.
    effort : {"fast", "balanced", "best"}, default="fast"
        What the net reads beside the experts. "fast" is what is dense, in seconds.
        "balanced" adds encoders of words, from vectors of GloVe on, and of images, and
        drops each source that earns nothing on held-out users; it takes minutes. "best"
        also chooses epochs and dropout by inner folds, at ten times the cost.
    segmenter : transformer or "auto", default="auto"
        From messages to words. "auto" takes characters for classical Chinese and words
        for everything else, with punctuation and symbols kept, since they tell much of
        a writer.
    classifier : classifier, default=None
        None is :class:`~sklearn_profiling.estimators.MMLUPClassifier` for 10 epochs,
        its probabilities calibrated by
        :class:`~sklearn_profiling.evaluation.TemperatureScaledClassifier`; `effort`
        says the rest.
    memory : str or joblib.Memory, default=None
        Folder for the caches of the Pipeline, of LINE and of images.
    random_state : int, RandomState instance or None, default=None
        Decides all parts.

    Returns
    -------
    Profiler
        A Pipeline with the steps "sources" and "classifier"; not fitted. Users may lack
        any source and any label. Its parts are parameters, such as
        ``sources__tfidf__max_words``; its method ``describe`` tells in a table
        what was built and why.

    Raises
    ------
    ValueError
        If `effort` is none of the three.

    See Also
    --------
    make_mmlup : The paper's system.
    AutoSources : What counts as text, image, number or category.
    sklearn_profiling.baselines.OutOfFoldLogits : The experts' log-odds.

    Notes
    -----
    The experts are ridge classifiers: of texts on tf-idf of one and two words and of
    two to four characters (``alpha=0.1``), and on counts of words scaled by naive Bayes
    (:class:`~sklearn_profiling.baselines.NaiveBayesRidgeClassifier`); of links on rows
    of the adjacency matrix, symmetrically normalised with a link to oneself, beside
    labels that spread along the links
    (:class:`~sklearn_profiling.baselines.PropagatedLabels`); of images on counts of
    visual words, as of texts; of vectors with a strength chosen by leave-one-out. Mean
    looks of images, numbers and categories are read by logistic regression,
    numbers on a logarithmic scale beside their own. The shares of the classes are mixed
    into the probabilities as far as held-out users are predicted better; tasks of which
    they show nothing get the largest class. All settings are our choice, made on poets,
    LastFM and synthetic users.

    Examples
    --------
    >>> from sklearn_profiling.datasets import make_user_profiles
    >>> from sklearn_profiling.pipelines import make_profiler
    >>> users = make_user_profiles(60, random_state=0)
    >>> model = make_profiler(users.graph, random_state=0)
    >>> model.fit(users.data, users.target).predict(users.data).shape
    (60, 4)
    """
    if effort not in ("fast", "balanced", "best"):
        msg = f"effort must be 'fast', 'balanced' or 'best'; got {effort!r}"
        raise ValueError(msg)
    graph = None if graph is None else as_social_graph(graph)
    seeds = iter(derive_seeds(random_state, 17))
    location = memory.location if isinstance(memory, joblib.Memory) else memory

    def expert(estimator: Any = None) -> OutOfFoldLogits:
        return OutOfFoldLogits(estimator, random_state=next(seeds))

    parts: dict[str, Any] = {
        "tfidf": TfidfVectors(),
        "tfidf_expert": expert(),
        "counts_expert": make_counts_expert(next(seeds)),
        "topics": Topics(100, random_state=next(seeds)),
        "visual_words": Pipeline(
            [
                ("words", VisualWordCounts(random_state=next(seeds))),
                ("logits", expert(NaiveBayesRidgeClassifier())),
            ]
        ),
        "image_means": MeanImageVectors(random_state=next(seeds)),
        "image_expert": Pipeline(
            [
                ("means", MeanImageVectors(random_state=next(seeds))),
                ("scaler", StandardScaler()),
                ("logits", expert(LogisticRegression(max_iter=1000))),
            ]
        ),
        "vectors": "passthrough",
        "vector_expert": Pipeline(
            [
                ("scaler", StandardScaler()),
                ("logits", expert(RidgeClassifierCV(np.logspace(0, 4, 5)))),
            ]
        ),
        "table": _table_encoder(),
        "table_expert": Pipeline(
            [
                ("table", _table_encoder()),
                ("logits", expert(LogisticRegression(max_iter=1000))),
            ]
        ),
    }
    if effort != "fast":
        vectors = GloVeTransformer(unknown="characters", random_state=next(seeds))
        parts |= {"words": vectors, "bags": "passthrough"}
    if graph is not None:
        rows = AdjacencyRows(graph, normalize="symmetric")
        parts["links"] = Pipeline([("rows", rows), ("logits", expert())])
        parts["embedding"] = LINEEmbedding(
            graph, 128, unknown="nan", memory=location, random_state=next(seeds)
        )
        parts["neighbors"] = PropagatedLabels(graph, random_state=next(seeds))
    sources = AutoSources(
        graph,
        columns=columns,
        segmenter=segmenter,
        decoder=ImageBagTransformer(
            size=(32, 32), on_bad_images="skip", memory=location
        ),
        **parts,
    )
    if classifier is None:
        classifier = _make_classifier(effort, seeds)
    return Profiler([("sources", sources), ("classifier", classifier)], memory=memory)


def _make_classifier(effort: str, seeds: Iterator[int]) -> TemperatureScaledClassifier:
    net = MMLUPClassifier(
        sources=["*"],
        offset=[f"*{ODDS}"],
        select_sources=effort != "fast",
        # Of dense sources alone, shares of the net brought no accuracy.
        shrink_fraction=0.0 if effort == "fast" else 0.2,
        batch_size=100,
        learning_rate=2e-3,
        max_epochs=10,
        random_state=next(seeds),
    )
    if effort == "best":
        net = GridSearchCV(
            net,
            {"max_epochs": [5, 10, 20], "dropout": [0.3, 0.5]},
            scoring=TaskScorer("log_loss"),
            cv=MultiTaskStratifiedKFold(2, random_state=next(seeds)),
        )
    return TemperatureScaledClassifier(
        net,
        cv=3 if effort == "fast" else 2,
        mix_shares=True,
        random_state=next(seeds),
    )


class Topics(TransformerMixin, BaseEstimator):
    """Latent semantic analysis of sparse rows, of no more topics than these allow.

    Users without text, rows without entries, get a row of NaN.
    """

    def __init__(
        self, n_components: int = 100, *, random_state: RandomState = None
    ) -> None:
        self.n_components = n_components
        self.random_state = random_state

    def fit(self, X: Any, y: Any = None) -> Self:
        """Learn topics of rows (n_users, n_features)."""
        del y
        self.decomposition_ = TruncatedSVD(
            min(self.n_components, *X.shape),
            n_iter=2,  # enough for directions that a net goes on from
            random_state=derive_seed(self.random_state),
        )
        # Explained variance, not used here, is 0 / 0 where all users write alike.
        with np.errstate(divide="ignore", invalid="ignore"):
            self.decomposition_.fit(X)
        # In this order a product with sparse rows copies nothing.
        components = np.asfortranarray(self.decomposition_.components_)
        self.decomposition_.components_ = components
        return self

    def transform(self, X: Any) -> NDArray[np.float32]:
        """Project rows (n_users, n_features)."""
        projected: NDArray[np.float32] = X @ self.decomposition_.components_.T
        projected = projected.astype(np.float32, copy=False)
        projected[np.diff(X.indptr) == 0] = np.nan
        return projected


def _table_encoder() -> ColumnTransformer:
    """Make numbers, on their own and on a logarithmic scale, and one column a value."""
    numbers = make_pipeline(
        SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True),
        FunctionTransformer(_with_logarithms),
        StandardScaler(),
    )
    categories = OneHotEncoder(
        handle_unknown="infrequent_if_exist", max_categories=50, sparse_output=False
    )
    by_kind = make_column_selector(dtype_include="number")
    return ColumnTransformer(
        [
            ("numbers", numbers, by_kind),
            ("categories", categories, make_column_selector(dtype_exclude="number")),
        ]
    )


def _with_logarithms(numbers: Any) -> Any:
    """Put the logarithm of 1 + the size, with its sign, beside each number."""
    return np.hstack([numbers, np.sign(numbers) * np.log1p(np.abs(numbers))])
