"""The base of all classifiers: from sources and labels to a trained net."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from functools import partial
from typing import Any, ClassVar, Literal, Self

import numpy as np
import numpy.typing as npt
import torch
from scipy.sparse import issparse
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted, validate_data
from torch import nn
from torch.nn import functional

from sklearn_profiling._checkpoints import check_checkpoint
from sklearn_profiling._decorators import fit_context
from sklearn_profiling._model_selection import refuse_unreadable_labels
from sklearn_profiling._outputs import NamedPredictionsMixin, Probabilities
from sklearn_profiling._seeding import derive_seed
from sklearn_profiling.architectures.layers.offset import OffsetLogits
from sklearn_profiling.architectures.layers.separate import SeparateTasks
from sklearn_profiling.architectures.layers.sources import SourceDescription
from sklearn_profiling.containers import ImageBags, TokenMessages, Vocabulary
from sklearn_profiling.estimators._constraints import CONSTRAINTS
from sklearn_profiling.estimators._offset import (
    add_offset,
    check_offset,
    encoded_names,
    pick_offset,
    shrunk_beside_offset,
)
from sklearn_profiling.exceptions import ProfilingError, SourceError, TargetError
from sklearn_profiling.sources._grouped import groups_of
from sklearn_profiling.targets import EncodedLabels, in_task_order, mean_accuracy
from sklearn_profiling.training.batches import UserDataset
from sklearn_profiling.training.calibration import calibrate
from sklearn_profiling.training.checkpoint import net_checkpoint
from sklearn_profiling.training.directions import initial_vectors
from sklearn_profiling.training.inputs import (
    Sources,
    SourceSpec,
    TrainingUsers,
    as_in_fit,
    as_sources,
    check_specs,
    named_sources,
    one_bag,
    one_text,
    refuse_raw,
    refuse_sparse,
    tokens_of_array,
)
from sklearn_profiling.training.label_weights import (
    LabelWeights,
    read_labels,
    weigh_labels,
)
from sklearn_profiling.training.losses import resolve_loss_weights
from sklearn_profiling.training.net import (
    DTYPES,
    ProfileNet,
    TrainingPlan,
    build_module,
    compute_logits,
    make_net,
    train,
)
from sklearn_profiling.training.offset_factors import begin_at_best_factors
from sklearn_profiling.training.optimizers import Adam
from sklearn_profiling.training.processes import from_first, require_same
from sklearn_profiling.training.state import (
    Shared,
    is_finite,
    load_net_state,
    net_state,
    share_parameters,
)
from sklearn_profiling.training.statistics import source_statistics

__all__: list[str] = []


class BaseProfileClassifier(NamedPredictionsMixin, ClassifierMixin, BaseEstimator):
    """Base of the classifiers: everything but the architecture.

    A subclass names its architecture and its parameters. The architecture is built from
    the descriptions of the sources, the numbers of classes and the parameters that both
    share by name. Hooks are for what is learned from the training users before the net
    is built (`_learn`), what the architecture takes of it (`_architecture_options`),
    how to train (`_plan`, `_prepare`) and which sources are read (`_choose_sources`).
    """

    # The class of the architecture.
    _architecture: ClassVar[type[nn.Module]]
    # One text or bag, by the parameter `source`; or many, by `sources`. A plain 2-D
    # array is read as padded token ids by classifiers of text, as vectors by others.
    _reads: ClassVar[Literal["text", "images", "sources"]] = "sources"
    # The call that makes a Pipeline of the classifier, named "{}"; none for some.
    _pipeline: ClassVar[str] = ""
    _optimizer: ClassVar[type[torch.optim.Optimizer]] = Adam

    # By name, also those of parameters that a class itself does not have.
    _constraints: ClassVar[dict[str, list[Any]]] = CONSTRAINTS
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {}

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        known = {**cls._constraints, **vars(cls).get("_parameter_constraints", {})}
        names = [n for n in inspect.signature(cls).parameters if n != "kwargs"]
        unknown = [name for name in names if name not in known]
        if unknown:
            msg = (
                f"{cls.__name__}: no constraint for the parameters {unknown}; add them "
                "to its _parameter_constraints"
            )
            raise TypeError(msg)
        cls._constraints = known
        cls._parameter_constraints = {name: known[name] for name in names}

    def _build(
        self, sources: list[SourceDescription], n_classes: list[int], shared: Shared
    ) -> nn.Module:
        """Build the architecture, with the log-odds that are added to its logits."""
        names = [source.name for source in sources]
        encoded = encoded_names(self, names)
        read = [source for source in sources if source.name in encoded]
        net = self._build_module(read, n_classes, shared=shared)
        net = add_offset(self, net, names, n_classes)
        share_parameters(net, shared)
        return net

    def _build_module(
        self,
        sources: list[SourceDescription],
        n_classes: list[int],
        *,
        shared: Shared,  # noqa: ARG002 - for nets of loaded models
    ) -> nn.Module:
        """Build the architecture from its sources and numbers of classes.

        `shared` parameters are one in a net to be loaded; None is a net to be trained.
        """
        if getattr(self, "multi_task", True):
            return self._build_net(sources, n_classes)
        return SeparateTasks(self._build_net(sources, [n]) for n in n_classes)

    def _build_net(
        self, sources: list[SourceDescription], n_classes: list[int], **options: Any
    ) -> nn.Module:
        """Build one net of the parameters that class and architecture share by name.

        `options` come before what the parameters hold.
        """
        name = type(self).__name__
        architecture = getattr(type(self), "_architecture", None)
        if architecture is None:
            msg = f"{name} has no architecture; set its class attribute _architecture"
            raise TypeError(msg)
        wanted = dict(inspect.signature(architecture).parameters)
        own = {
            **self.get_params(deep=False),
            **self._architecture_options(),
            **options,
        }
        absent = [
            each
            for each, parameter in wanted.items()
            if parameter.default is parameter.empty
            and each not in {"sources", "n_classes", *own}
        ]
        if absent:
            msg = (
                f"{architecture.__name__} takes {absent}, which {name} does not have; "
                "add them to its __init__ or to its _architecture_options"
            )
            raise TypeError(msg)
        shared = {each: own[each] for each in wanted if each in own}
        shared.pop("sources", None)
        net: nn.Module = architecture(sources, n_classes, **shared)
        return net

    def _architecture_options(self) -> dict[str, Any]:
        """Options of the architecture that the parameters do not hold, or differ."""
        return {}

    def _pick_sources(self, sources: Sources) -> Sources:
        """Pick the sources to encode, and behind them those of log-odds."""
        offset = pick_offset(self, sources)
        if getattr(self, "sources", None) is None:
            sources = {name: s for name, s in sources.items() if name not in offset}
        return {**self._choose_sources(sources), **offset}

    def _choose_sources(self, sources: Sources) -> Sources:
        """Pick the sources that the architecture encodes."""
        if self._reads == "sources":
            return refuse_sparse(named_sources(sources, self.sources), self)
        pick = one_text if self._reads == "text" else one_bag
        return pick(sources, self.source, type(self).__name__)

    def _learn(self, users: TrainingUsers) -> Sources:
        """Learn from the training users what the architecture needs to be built.

        Returns the sources that the architecture encodes.
        """
        return users.sources

    def _select(self, users: TrainingUsers, *, partial: bool) -> TrainingUsers:  # noqa: ARG002 - for subclasses that choose
        """Leave out sources that are not worth training a new net on."""
        return users

    # -- fitting ---------------------------------------------------------------

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train on users.

        Parameters
        ----------
        X : mapping of str to source, TokenMessages, ImageBags or ndarray
            Sources of the users, as
            :class:`~sklearn_profiling.sources.SourceUnion` gives them, or one source.
        y : DataFrame or array-like, shape (n_users,) or (n_users, n_tasks)
            Labels of any hashable kind; None or NaN where missing. Users without any
            label are left out.
        sample_weight : array-like, shape (n_users,) or (n_users, n_tasks), default=None
            Weight of each user, or of each label, in the loss. A DataFrame is read by
            the names of its columns. A label of weight 0 counts as missing.

        Returns
        -------
        self
            The fitted classifier.

        Raises
        ------
        SourceError, TargetError
            If sources or labels are not usable.
        """
        again = self.warm_start and hasattr(self, "net_")
        return self._fit(X, y, None, sample_weight, again=again, epochs=self.max_epochs)

    @fit_context(prefer_skip_nested_validation=True)
    def partial_fit(
        self,
        X: Any,
        y: Any,
        classes: Any = None,
        sample_weight: Any = None,
    ) -> Self:
        """Train for one epoch on some users, going on from where training stands.

        Parameters
        ----------
        X : mapping of str to source, TokenMessages, ImageBags or ndarray
            Sources of the users.
        y : DataFrame or array-like, shape (n_users,) or (n_users, n_tasks)
            Labels; None or NaN where missing.
        classes : array-like, sequence of array-like or mapping, default=None
            All classes of each task, in the first call; by default those in `y`.
        sample_weight : array-like, shape (n_users,) or (n_users, n_tasks), default=None
            Weight of each user, or of each label, in the loss. A DataFrame is read by
            the names of its columns. A label of weight 0 counts as missing.

        Returns
        -------
        self
            The classifier, trained a little further.
        """
        return self._fit(
            X,
            y,
            classes,
            sample_weight,
            again=hasattr(self, "net_"),
            epochs=1,
            partial=True,
        )

    def _fit(
        self,
        X: Any,
        y: Any,
        classes: Any,
        sample_weight: Any,
        *,
        again: bool,
        epochs: int,
        partial: bool = False,
    ) -> Self:
        if y is None:
            msg = (
                f"This {type(self).__name__} estimator requires y to be passed, but "
                "the target y is None."
            )
            raise TargetError(msg)
        check_checkpoint(self)
        arrays = self._read(X, reset=not again)
        codec = self._codec if again else None
        known = read_labels(y, sample_weight, codec, classes, groups_of(X))
        n_users = next(iter(arrays.values())).shape[0]
        if len(known.labels) != n_users:
            msg = (
                f"X and y hold inconsistent numbers of users: {n_users} and "
                f"{len(known.labels)}"
            )
            raise TargetError(msg)
        labels, weights = weigh_labels(known, self.class_weight, partial=partial)
        rows = np.flatnonzero((labels.codes >= 0).any(axis=1))
        if not len(rows):
            msg = "no user has a label of weight above zero"
            raise TargetError(msg)
        arrays = {name: source[rows] for name, source in arrays.items()}
        users = TrainingUsers(
            self._sources_of(arrays, again=again),
            labels.take(rows),
            weights.take(rows),
            known.codec,
        )
        if not again:
            users = self._select(users, partial=partial)
        self._train(users, again=again, epochs=epochs, shrink=not (again or partial))
        return self

    def _train(
        self, users: TrainingUsers, *, again: bool, epochs: int, shrink: bool = False
    ) -> None:
        sources, labels, weights, codec = users
        require_same(self, users, epochs)
        if not again:
            check_offset(self, sources, codec)
            encoded = {n: sources[n] for n in encoded_names(self, sources)}
            read = self._learn(users._replace(sources=encoded))
            sources = {**read, **pick_offset(self, sources)}
            self._codec = codec
            self._specs = {name: SourceSpec.of(s) for name, s in sources.items()}
            self._statistics = {
                name: source_statistics(source, weights.users)
                for name, source in sources.items()
            }
            self._seed = from_first(derive_seed(self.random_state), self.device)
            n_columns = getattr(self, "n_features_sparse", 0)
            vectors = initial_vectors(sources, weights.users, n_columns, self._seed)
            self.net_ = self._make_net(vectors)
        plan = self._plan()
        dataset = self._dataset_of(sources, labels, weights)
        saved = net_checkpoint(self, dataset, again=again, epochs=epochs)
        # Known before training, so that an interrupted fit can predict and go on.
        classes = codec.classes
        self.classes_ = classes[0] if codec.one_dimensional else list(classes)
        self.task_names_ = list(codec.task_names)
        try:
            if not again:
                self._prepare(dataset, plan)
            with shrunk_beside_offset(self, dataset, plan, shrink=shrink):
                train(self.net_, dataset, plan, epochs=epochs, checkpoint=saved)
        except ProfilingError:
            # Never trained, or no numbers any more: neither may predict.
            if not again or not is_finite(self.net_.module_):
                del self.net_
            raise
        self.history_ = list(self.net_.history)
        self.n_iter_ = len(self.history_)

    def _prepare(self, dataset: UserDataset, plan: TrainingPlan) -> None:
        """Set what a new net takes from the training users before its first step."""
        module = self.net_.module_
        calibrate(module, dataset, self.batch_size, plan.seed)
        if isinstance(module, OffsetLogits) and dataset.labels is not None:
            begin_at_best_factors(module, dataset, dataset.labels)

    def _plan(self) -> TrainingPlan:
        return TrainingPlan(
            loss_weights=resolve_loss_weights(
                self.loss_weights, self._codec.task_names
            ),
            learning_rate=self.learning_rate,
            weight_decay=self.weight_decay,
            batch_size=self.batch_size,
            max_epochs=self.max_epochs,
            early_stopping=self.early_stopping,
            validation_fraction=self.validation_fraction,
            n_iter_no_change=self.n_iter_no_change,
            callbacks=[] if self.callbacks is None else list(self.callbacks),
            device=self.device,
            dtype=self.dtype,
            verbose=int(self.verbose),
            seed=self._seed,
            learning_rate_decay=self.learning_rate_decay,
            optimizer=self._optimizer,
        )

    def _make_net(
        self,
        vectors: Mapping[str, npt.NDArray[Any] | torch.Tensor | None],
        shared: Shared = None,
    ) -> ProfileNet:
        """Build a net; vectors of words or of sparse columns are given by name."""
        n_classes = [len(classes) for classes in self._codec.classes]
        sources = [
            spec.describe(name, self._statistics[name], vectors.get(name))
            for name, spec in self._specs.items()
        ]
        build = partial(self._build, sources, n_classes, shared)
        module = build_module(build, self._seed, self.dtype)
        return make_net(module, len(n_classes), self._plan())

    def _dataset_of(
        self,
        sources: Sources,
        labels: EncodedLabels | None = None,
        weights: LabelWeights | None = None,
    ) -> UserDataset:
        gap = getattr(self.net_.module_, "gap", 0)
        return UserDataset(sources, gap, DTYPES[self.dtype], labels, weights)

    # -- reading ---------------------------------------------------------------

    def _read(self, X: Any, *, reset: bool) -> Sources:
        """Bring X into named sources, not yet checked against those of fit."""
        # Scipy's dictionary of keys is a mapping too.
        if isinstance(X, Mapping | TokenMessages | ImageBags) and not issparse(X):
            if reset:
                for name in ("n_features_in_", "feature_names_in_"):
                    self.__dict__.pop(name, None)
            alone = "images" if isinstance(X, ImageBags) else "text"
            return self._pick_sources(as_sources(X, default_name=alone))
        refuse_raw(X, type(self).__name__, self._pipeline)
        array = validate_data(
            self,
            X,
            reset=reset,
            accept_sparse="csr" if hasattr(self, "n_features_sparse") else False,
            dtype="numeric",
            # A row of vectors may be NaN, the sign of a missing source.
            ensure_all_finite=True if self._reads == "text" else "allow-nan",
        )
        if self._reads == "text":
            # Kept as ids until the users to train on are known: words of users left
            # out must not enter the vocabulary.
            return {"text": array}
        array = as_in_fit(array, {} if reset else self._specs)
        return self._pick_sources(as_sources(array, default_name="vectors"))

    def _sources_of(self, arrays: Sources, *, again: bool) -> Sources:
        """Turn token ids of a plain array into text, and check against fit."""
        source = next(iter(arrays.values()))
        if self._reads == "text" and isinstance(source, np.ndarray):
            if not again:
                text = tokens_of_array(source)
                self._array_vocabulary: Vocabulary | None = text.vocabulary
            else:
                text = tokens_of_array(source, self._array_vocabulary)
            arrays = {"text": text}
        elif not again:
            self._array_vocabulary = None
        return check_specs(arrays, self._specs) if again else arrays

    def _dataset(self, X: Any) -> UserDataset:
        check_is_fitted(self, "net_")
        sources = self._sources_of(self._read(X, reset=False), again=True)
        if not next(iter(sources.values())).shape[0]:
            msg = "X holds no user; at least one is needed"
            raise SourceError(msg)
        return self._dataset_of(sources)

    # -- predicting ------------------------------------------------------------

    def _probabilities(self, X: Any, *, log: bool = False) -> list[npt.NDArray[Any]]:
        """Compute probabilities (n_users, n_classes) a task, or their logarithms."""
        dataset = self._dataset(X)
        logits = compute_logits(self.net_, dataset)
        # Not the logarithm of rounded probabilities.
        of_sets = functional.logsigmoid if log else torch.sigmoid
        of_one = partial(torch.log_softmax if log else torch.softmax, dim=1)
        return [
            (of_sets(scores) if sets else of_one(scores)).numpy()
            for scores, sets in zip(logits, self._codec.set_valued, strict=True)
        ]

    def predict_proba(self, X: Any) -> Probabilities:
        """Predict the probability of each class of each task.

        Parameters
        ----------
        X : mapping of str to source, TokenMessages, ImageBags or ndarray
            Sources of the users; a missing source is allowed for any of them.

        Returns
        -------
        list of ndarray of shape (n_users, n_classes), or one such array
            One array a task, columns as in ``classes_``; a single array if `y` had one
            dimension. For a set-valued task the probability that a class belongs to
            the user's set.
        """
        probabilities = self._probabilities(X)
        return probabilities[0] if self._codec.one_dimensional else probabilities

    def predict_log_proba(self, X: Any) -> Probabilities:
        """Predict the logarithm of the probability of each class of each task.

        Parameters
        ----------
        X : mapping of str to source, TokenMessages, ImageBags or ndarray
            Sources of the users, as for ``predict_proba``.

        Returns
        -------
        list of ndarray of shape (n_users, n_classes), or one such array
            As from ``predict_proba``.
        """
        likely = self._probabilities(X, log=True)
        return likely[0] if self._codec.one_dimensional else likely

    def predict(self, X: Any) -> Any:
        """Predict the label of each task.

        Parameters
        ----------
        X : mapping of str to source, TokenMessages, ImageBags or ndarray
            Sources of the users, as for ``predict_proba``.

        Returns
        -------
        ndarray of shape (n_users, n_tasks), or (n_users,)
            Labels as they were given to ``fit``; one dimension if `y` had one. A table
            that names the tasks after ``set_output(predict="pandas")``.
        """
        return self._as_output(self._predict(X), X)

    def _predict(self, X: Any) -> npt.NDArray[Any]:
        probabilities = self._probabilities(X)
        labels: npt.NDArray[Any] = self._codec.decode(probabilities)
        return labels

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Compute the mean over tasks of the accuracy on the users labelled for it.

        This differs from the exact match that scikit-learn's multi-output classifiers
        score, which is undefined where labels are missing; for that see
        :func:`~sklearn_profiling.evaluation.exact_match_score`.

        Parameters
        ----------
        X : mapping of str to source, TokenMessages, ImageBags or ndarray
            Sources of the users.
        y : DataFrame or array-like, shape (n_users,) or (n_users, n_tasks)
            True labels; None or NaN where missing.
        sample_weight : array-like, shape (n_users,) or (n_users, n_tasks), default=None
            Weight of each user, or of each label.

        Returns
        -------
        float
            The mean accuracy.
        """
        check_is_fitted(self, "net_")
        y = in_task_order(y, self.task_names_)
        return mean_accuracy(y, self.predict(X), sample_weight)

    # -- scikit-learn ----------------------------------------------------------

    def __sklearn_tags__(self) -> Tags:
        refuse_unreadable_labels()
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = hasattr(self, "n_features_sparse")
        tags.target_tags.multi_output = True
        tags.target_tags.single_output = True
        tags.non_deterministic = False
        return tags

    def __getstate__(self) -> dict[str, Any]:
        state: dict[str, Any] = dict(super().__getstate__())
        net = state.pop("net_", None)
        if net is not None:
            # Numpy arrays alone: small, and readable without trusting foreign classes.
            state["_net_state"] = net_state(net)
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        state = dict(state)
        saved = state.pop("_net_state", None)
        super().__setstate__(state)
        if saved is not None:
            # The right sizes without vectors: the saved table replaces them.
            empty = {
                name: torch.zeros(1, dtype=torch.float32).expand(
                    spec.n_words, spec.n_features
                )
                if spec.n_features
                else None
                for name, spec in self._specs.items()
                if spec.kind == "text"
            }
            self.net_ = self._make_net(empty, saved["shared"])
            load_net_state(self.net_, saved)
