"""The systems that the options name."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sklearn_profiling.cli._reading import net_parameters, segmenter_of

GROUPS = ("all", "table3", "aux-lstm", "images")
_OF_STYLE = {"SVM", "ME", "Meta-Learning"}
"""Systems that read features of style where a segmenter tags parts of speech."""


def make_systems(options: argparse.Namespace, users: Any, cache: str) -> dict[str, Any]:
    """Make the chosen systems, which share what they prepare in a folder."""
    segmenter = segmenter_of(options, users)
    groups: dict[str, dict[str, Any]] = {
        "table3": _table3(options, users, segmenter, cache)
    }
    if hasattr(options, "dimensions"):
        groups = {
            "aux-lstm": make_aux_lstm(options, list(users.target), segmenter, cache),
            **groups,
        }
    if "images" in users.data:
        groups["images"] = _images(options, segmenter, cache)
    # A system of both papers, the majority class, is compared once.
    made = {name: system for group in groups.values() for name, system in group.items()}
    chosen = options.systems or ["table3" if options.main_task is None else "all"]
    names = {name for part in chosen for name in _named(part, groups, made)}
    if names & _OF_STYLE and "part_of_speech" not in segmenter.get_params():
        print(
            f"style: not measured, {type(segmenter).__name__} tags no parts of speech "
            "(--segmenter jieba does)"
        )
    return {name: system for name, system in made.items() if name in names}


def find_system(part: str, names: Sequence[str]) -> str:
    """Find the one system that is meant."""
    from sklearn_profiling.exceptions import SourceError

    found = match_names(part, names)
    if len(found) != 1:
        problem = "is part of none" if not found else f"is part of {found}; name one"
        msg = f"--reference: {part!r} {problem} of {list(names)}"
        raise SourceError(msg)
    return found[0]


def match_names(part: str, names: Iterable[str]) -> list[str]:
    """Find the systems of that name, or else those with that part in their names."""
    names = list(names)
    same = [name for name in names if name.lower() == part.lower()]
    return same or [name for name in names if part.lower() in name.lower()]


def _named(
    part: str, groups: Mapping[str, Mapping[str, Any]], made: Mapping[str, Any]
) -> list[str]:
    from sklearn_profiling.exceptions import SourceError

    if part == "all":
        return list(made)
    if part in groups:
        return list(groups[part])
    found = match_names(part, made)
    if not found:
        msg = f"--systems: {part!r} is part of none of {[*GROUPS, *made]}"
        raise SourceError(msg)
    return found


def _table3(
    options: argparse.Namespace, users: Any, segmenter: Any, cache: str
) -> dict[str, Any]:
    from sklearn_profiling.systems import make_table3_systems

    return make_table3_systems(
        users.graph,
        segmenter=segmenter,
        memory=cache,
        random_state=options.seed,
        **net_parameters(options),
    )


def _images(options: argparse.Namespace, segmenter: Any, cache: str) -> dict[str, Any]:
    from sklearn_profiling.sources import ImageBagTransformer
    from sklearn_profiling.systems import make_image_systems

    side = options.image_size
    shared = net_parameters(options)
    filters = shared.pop("n_filters")
    return make_image_systems(
        images=ImageBagTransformer(
            size=(side, side), on_bad_images="skip", memory=cache
        ),
        segmenter=segmenter,
        n_filters=(options.image_filters, options.image_filters),
        text_parameters={
            "n_filters": filters,
            "kernel_sizes": shared.pop("kernel_sizes"),
        },
        text_column="messages",
        memory=cache,
        random_state=options.seed,
        **shared,
    )


def make_aux_lstm(
    options: argparse.Namespace, tasks: Sequence[str], segmenter: Any, cache: str
) -> dict[str, Any]:
    """Make the Aux-LSTM paper's systems in the sizes of the options."""
    from sklearn_profiling.systems import make_aux_lstm_systems

    shared = net_parameters(options)
    for name in ("n_filters", "kernel_sizes"):
        del shared[name]
    return make_aux_lstm_systems(
        tasks,
        main_task=options.main_task,
        segmenter=segmenter,
        n_dimensions=options.dimensions,
        lstm_parameters={
            "n_hidden": options.hidden,
            "n_dense": options.hidden,
            "level": options.level,
            "max_words": options.max_words,
            "max_epochs": options.lstm_epochs,
        },
        cnn_parameters={"n_nodes": options.nodes},
        memory=cache,
        random_state=options.seed,
        **shared,
    )
