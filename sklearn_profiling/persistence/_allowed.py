"""Classes and functions that a model file may name; every other name is refused."""

from __future__ import annotations

import functools
from collections.abc import Callable
from importlib import import_module
from typing import Any, Final

import numpy as np

__all__ = ["class_named", "function_named", "name_of_class", "name_of_function"]

# Their public classes, which are estimators, splitters and plain containers.
_PUBLIC: Final = frozenset(
    f"sklearn_profiling.{package}"
    for package in (
        *("baselines", "containers", "estimators", "evaluation", "pipelines"),
        "sources",
    )
)
# Their public estimators and splitters.
_SCIKIT_LEARN: Final = frozenset(
    f"sklearn.{module}"
    for module in (
        *("calibration", "cluster", "compose", "cross_decomposition"),
        *("decomposition", "discriminant_analysis", "dummy", "ensemble"),
        *("feature_extraction", "feature_extraction.text", "feature_selection"),
        *("impute", "isotonic", "kernel_approximation", "linear_model", "mixture"),
        *("model_selection", "multiclass", "multioutput", "naive_bayes"),
        *("neighbors", "neural_network", "pipeline", "preprocessing"),
        *("random_projection", "semi_supervised", "svm", "tree"),
    )
)
# Classes within fitted estimators, by the modules that define them.
_INTERNAL: Final[dict[str, frozenset[str]]] = {
    module: frozenset(names.split())
    for module, names in {
        "sklearn.calibration": "_CalibratedClassifier _SigmoidCalibration",
        "sklearn.compose._column_transformer": "make_column_selector",
        "sklearn.multiclass": "_ConstantPredictor",
        "sklearn.metrics._scorer": "_PassthroughScorer _Scorer",
        "sklearn.neural_network._stochastic_optimizers": "AdamOptimizer SGDOptimizer",
        "sklearn_profiling._checked_pipeline": "CheckedPipeline",
        "sklearn_profiling.architectures.coopnet": "TextFrame",
        "sklearn_profiling.architectures.generators._tokens": "PromptTokens TokenIds",
        "sklearn_profiling.baselines._inner_folds": "SparingFolds",
        "sklearn_profiling.baselines._linear": "TunedLinearClassifier",
        "sklearn_profiling.baselines._text_features": "StrengthSearch",
        "sklearn_profiling.estimators.generators._parts": "GeneratorParts",
        "sklearn_profiling.pipelines.profiler": "Topics",
        "sklearn_profiling.sources._column_kinds": "ColumnKind",
        "sklearn_profiling.sources._vectors": "VectorColumn",
        "sklearn_profiling.sources.images._components": "PrincipalComponents",
        "sklearn_profiling.sources.network._lookup": "GraphUsers",
        "sklearn_profiling.sources.text._counted_sequences": "CountedSequences",
        "sklearn_profiling.sources.text._word_sequences": "Level WordSequences",
        "sklearn_profiling.sources.text.pos_patterns": "_Level",
        "sklearn_profiling.sources.text.suited": "SuitedSegmenter",
        "sklearn_profiling.sources.text.tfidf": "_CharacterSequences _CountedParts",
        "sklearn_profiling.targets": "LabelCodec",
        "sklearn_profiling.training.inputs": "SourceSpec",
        "sklearn_profiling.training.generators.text": "ProfileText ProfileWords",
        "sklearn_profiling.training.generators.tokens": "ProfileTokens",
    }.items()
}
_FUNCTIONS: Final[dict[str, frozenset[str]]] = {
    module: frozenset(names.split())
    for module, names in {
        "sklearn_profiling.baselines._text_features": (
            "_share_weight _text_of _words_of_user"
        ),
        "sklearn_profiling.baselines.tfidf": "join_messages",
        "sklearn_profiling.pipelines.profiler": "_with_logarithms",
    }.items()
}
# Functions that compute, and do nothing else: scores.
_FUNCTIONS_OF: Final = frozenset({"sklearn.metrics", "sklearn.feature_selection"})
_BUILTIN: Final = {kind.__name__: kind for kind in (bool, int, float, str, object)}


def name_of_class(kind: type) -> str | None:
    """Return the name under which a class may stand in a file; None if it may not."""
    if kind.__name__ in _BUILTIN and _BUILTIN[kind.__name__] is kind:
        return kind.__name__
    if issubclass(kind, np.generic):
        return f"numpy.{kind.__name__}"
    return _name_of(kind, class_named)


def _name_of(value: Any, find: Callable[[str], Any]) -> str | None:
    """Return the name of a value in the first package above it that exports it."""
    module = value.__module__ or ""
    while module:
        name = f"{module}.{value.__qualname__}"
        if find(name) is value:
            return name
        module = module.rpartition(".")[0]
    return None


@functools.cache
def class_named(name: str) -> type | None:
    """Return the class that a file names; None, and nothing imported, if it may not."""
    if name in _BUILTIN:
        return _BUILTIN[name]
    module, _, own = name.rpartition(".")
    if module == "numpy":
        found: Any = np.sctypeDict.get(own)
        return found if own == getattr(found, "__name__", None) else None
    if own in _INTERNAL.get(module, ()):
        found = getattr(import_module(module), own)
        return found if isinstance(found, type) else None
    if module not in _PUBLIC and module not in _SCIKIT_LEARN:
        return None
    found = _exported(module, own)
    if not isinstance(found, type):
        return None
    # Those of scikit-learn that are compiled hold more than a Python object's state.
    allowed = module in _PUBLIC or hasattr(found, "get_metadata_routing")
    return found if allowed else None


def _exported(module: str, own: str) -> Any:
    """Return what a module makes public; None if it has no such name."""
    package = import_module(module)
    found = getattr(package, own, None)
    defined = not own.startswith("_") and getattr(found, "__module__", "") == module
    public = own in package.__all__ if hasattr(package, "__all__") else defined
    return found if public else None


def name_of_function(function: Callable[..., Any]) -> str | None:
    """Return the name under which a function may stand in a file; None if not."""
    if isinstance(function, np.ufunc):
        return f"numpy.{function.__name__}"
    return _name_of(function, function_named)


def function_named(name: str) -> Callable[..., Any] | None:
    """Return the function that a file names; None, and nothing imported, if not."""
    module, _, own = name.rpartition(".")
    if module == "numpy":
        found: Any = getattr(np, own, None)
        return found if isinstance(found, np.ufunc) else None
    if module in _FUNCTIONS_OF and not own.startswith("_"):
        found = _exported(module, own)
    elif own in _FUNCTIONS.get(module, ()):
        found = getattr(import_module(module), own)
    else:
        return None
    return found if callable(found) and not isinstance(found, type) else None
