"""The parameter `offset`: log-odds of other classifiers beside the sources of a net."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from torch import nn

from sklearn_profiling.architectures.layers.heads import LogitLayer
from sklearn_profiling.architectures.layers.offset import OffsetLogits
from sklearn_profiling.exceptions import SourceError
from sklearn_profiling.targets import LabelCodec
from sklearn_profiling.training.batches import UserDataset
from sklearn_profiling.training.inputs import Sources, SourceSpec, matching_names
from sklearn_profiling.training.net import TrainingPlan
from sklearn_profiling.training.offset_shares import learn_shares
from sklearn_profiling.training.processes import from_first

__all__ = [
    "add_offset",
    "check_offset",
    "encoded_names",
    "offset_names",
    "pick_offset",
    "shrunk_beside_offset",
]


def offset_names(classifier: Any, names: Iterable[str]) -> list[str]:
    """Names of the sources of log-odds, out of those that there are.

    None for classifiers without the parameter.
    """
    entries = getattr(classifier, "offset", None)
    return [] if entries is None else matching_names(entries, names)


def encoded_names(classifier: Any, names: Iterable[str]) -> list[str]:
    """Names of the sources that the architecture encodes, out of those that are read.

    Log-odds are encoded only where the parameter `sources` names them too.
    """
    names = list(names)
    entries = getattr(classifier, "sources", None)
    named = [] if entries is None else matching_names(entries, names)
    offset = offset_names(classifier, names)
    return [name for name in names if name not in offset or name in named]


def pick_offset(classifier: Any, sources: Sources) -> Sources:
    """Pick the sources of log-odds."""
    offset = offset_names(classifier, sources)
    absent = [name for name in offset if name not in sources]
    if absent:
        msg = f"parameter offset names {absent}; X holds {list(sources)}"
        raise SourceError(msg)
    return {name: sources[name] for name in offset}


def check_offset(classifier: Any, sources: Sources, codec: LabelCodec) -> None:
    """Refuse an offset without a column for each class, or with no source beside it."""
    n_classes = sum(map(len, codec.classes))
    offset = pick_offset(classifier, sources)
    for name, source in offset.items():
        spec = SourceSpec.of(source)
        if spec.kind != "vectors" or spec.n_features != n_classes:
            msg = (
                f"offset {name!r} must be log-odds, one column for each of the "
                f"{n_classes} classes of the tasks {codec.task_names}; it is {spec}"
            )
            raise SourceError(msg)
    if offset and not encoded_names(classifier, sources):
        msg = (
            f"X holds no source beside the offset {list(offset)}; add one, or name "
            "the offset in the parameter sources too, so that it is also encoded"
        )
        raise SourceError(msg)


def add_offset(
    classifier: Any, net: nn.Module, names: Iterable[str], n_classes: list[int]
) -> nn.Module:
    """Add the log-odds to the logits of a net, which begin at zero then.

    `names` are those of all sources that are read.
    """
    offset = offset_names(classifier, names)
    if not offset:
        return net
    last = [layer for layer in net.modules() if isinstance(layer, LogitLayer)]
    if not last:
        msg = (
            f"{type(net).__name__} has no LogitLayer, so no offset can be added; make "
            "one the last layer of each task"
        )
        raise TypeError(msg)
    for layer in last:
        layer.begin_at_zero()
    return OffsetLogits(net, offset, n_classes)


@contextmanager
def shrunk_beside_offset(
    classifier: Any, dataset: UserDataset, plan: TrainingPlan, *, shrink: bool
) -> Iterator[None]:
    """Learn before a net is trained how much of it to add, and do so afterwards."""
    module = classifier.net_.module_
    fraction = getattr(classifier, "shrink_fraction", 0.0)
    if not (shrink and fraction and isinstance(module, OffsetLogits)):
        yield
        return
    shares = learn_shares(
        module, dataset, plan, fraction=fraction, epochs=plan.max_epochs
    )
    shares = from_first(shares, plan.device)
    yield
    module.shares.copy_(shares)
