"""The systems that the command line knows, by name, group and part of a name."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sklearn_profiling.cli._printing import tell
from sklearn_profiling.cli._reading import (
    net_parameters,
    segmenter_of,
    size_of,
    sizes_of,
)

_GROUPS = ("all", "table3", "aux-lstm", "images")
_WITH_STYLE = {"SVM", "ME", "Meta-Learning"}
"""Systems with stylometric features, which need a tagger of parts of speech."""


def find_system(part: str, names: Sequence[str], option: str) -> str:
    """Find the only system that a name or part of a name matches."""
    from sklearn_profiling.exceptions import SourceError

    found = _match_names(part, names)
    if len(found) != 1:
        problem = f"matches {found}" if found else "matches none"
        msg = f"{option}: {part!r} {problem}; name one of {list(names)}"
        raise SourceError(msg)
    return found[0]


def check_systems(options: argparse.Namespace) -> None:
    """Refuse names that no system has, whatever the users, before they are read."""
    single = {"--system": getattr(options, "system", None)}
    single["--reference"] = getattr(options, "reference", None)
    several = getattr(options, "systems", None) or []
    if not several and not any(single.values()):
        return
    from sklearn_profiling.sources import WordSegmenter

    groups = _make_groups(options, _user_of_all_kinds(options), WordSegmenter(), None)
    made = _merge(groups)
    for part in several:
        _named(part, groups, made)
    for option, part in single.items():
        # Of several that match, the users may leave one.
        if part is not None and not _match_names(part, made):
            find_system(part, list(made), option)


def _user_of_all_kinds(options: argparse.Namespace) -> Any:
    """Make a user whom every system reads."""
    import numpy as np
    import pandas as pd
    from sklearn.utils import Bunch

    from sklearn_profiling.containers import SocialGraph

    image = np.zeros((1, 1), np.uint8)
    row = {"user_id": ["a"], "messages": [["a"]], "images": [[image]]}
    task = getattr(options, "main_task", None) or "task"
    return Bunch(
        data=pd.DataFrame(row),
        target=pd.DataFrame({task: ["a"]}),
        graph=SocialGraph.from_edges([("a", "b")]),
    )


def choose_systems(
    options: argparse.Namespace, users: Any, cache: Any
) -> dict[str, Any]:
    """Make the systems of ``--systems``, which share the folder `cache`."""
    segmenter = segmenter_of(options, users)
    groups = _make_groups(options, users, segmenter, cache)
    made = _merge(groups)
    chosen = options.systems or ["table3" if options.main_task is None else "all"]
    names = {name for part in chosen for name in _named(part, groups, made)}
    _tell_style(options, names, segmenter)
    return {name: system for name, system in made.items() if name in names}


def choose_system(
    options: argparse.Namespace, users: Any, cache: Any = None
) -> tuple[str, Any]:
    """Make the system of ``--system``; it keeps no cache unless one is given."""
    segmenter = segmenter_of(options, users)
    groups = _make_groups(options, users, segmenter, cache)
    made = _merge(groups)
    name = find_system(options.system, list(made), "--system")
    tell(options, f"system: {name} (--system to change)")
    if "images" in groups and name not in groups["images"]:
        tell(options, f"images are not read by {name}")
    _tell_style(options, {name}, segmenter)
    return name, made[name]


def _make_groups(
    options: argparse.Namespace, users: Any, segmenter: Any, cache: Any
) -> dict[str, dict[str, Any]]:
    """Make all systems that read these users, by group."""
    profiler = _profiler(options, users, segmenter, cache)
    # First, so that it heads every table.
    groups = {"profiler": profiler} if profiler else {}
    if hasattr(options, "dimensions"):
        groups["aux-lstm"] = aux_lstm_systems(
            options, list(users.target), segmenter, cache
        )
    groups["table3"] = {
        **profiler,
        **_table3_systems(options, users, segmenter, cache),
    }
    if "images" in users.data:
        groups["images"] = _image_systems(options, segmenter, cache)
    return groups


def _merge(groups: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Join the groups; the majority class is a system of each and compared once."""
    return {name: made for group in groups.values() for name, made in group.items()}


def _tell_style(options: argparse.Namespace, names: set[str], segmenter: Any) -> None:
    """Say if systems go without the stylometric features that they are known for."""
    if names & _WITH_STYLE and "part_of_speech" not in segmenter.get_params():
        tell(
            options,
            f"stylometric features: none, {type(segmenter).__name__} does not tag "
            "parts of speech (--segmenter words does)",
        )


def _named(
    part: str, groups: Mapping[str, Mapping[str, Any]], made: Mapping[str, Any]
) -> list[str]:
    """Find the systems of a group, or those that a part of a name matches."""
    from sklearn_profiling.exceptions import SourceError

    if part == "all":
        return list(made)
    if part in groups:
        return list(groups[part])
    found = _match_names(part, made)
    if not found:
        msg = f"--systems: {part!r} matches none of {[*_GROUPS, *made]}"
        raise SourceError(msg)
    return found


def _match_names(part: str, names: Iterable[str]) -> list[str]:
    """Find the system of that name, or else those whose names contain it."""
    names = list(names)
    same = [name for name in names if name.lower() == part.lower()]
    return same or [name for name in names if part.lower() in name.lower()]


def _profiler(
    options: argparse.Namespace, users: Any, segmenter: Any, cache: Any
) -> dict[str, Any]:
    """Make the recommended system of what users have, if that is more than ids."""
    from sklearn_profiling.pipelines import make_profiler
    from sklearn_profiling.sources.text.segmentation import with_punctuation

    has_links = users.graph is not None and users.graph.adjacency.nnz > 0
    columns = {} if has_links else {"user_id": "drop"}
    if not any(
        users.data[name].map(bool).any() for name in set(users.data) - {*columns}
    ):
        return {}
    system = make_profiler(
        users.graph if has_links else None,
        columns=columns,
        segmenter=with_punctuation(segmenter),
        memory=cache,
        random_state=options.seed,
    )
    return {"Profiler": system.set_params(classifier__estimator__device=options.device)}


def _table3_systems(
    options: argparse.Namespace, users: Any, segmenter: Any, cache: Any
) -> dict[str, Any]:
    """Make the systems of the MMLUP paper."""
    from sklearn_profiling.pipelines import make_table3_systems

    without_region = options.preset == "paper" and "region" not in users.target
    return make_table3_systems(
        users.graph,
        preset=options.preset,
        keywords="drop" if without_region else None,
        segmenter=segmenter,
        memory=cache,
        random_state=options.seed,
        **net_parameters(options),
    )


def _image_systems(
    options: argparse.Namespace, segmenter: Any, cache: Any
) -> dict[str, Any]:
    """Make the systems that read images, in the sizes of the options."""
    from sklearn_profiling.pipelines import make_image_systems
    from sklearn_profiling.sources import ImageBagTransformer

    side, filters = size_of(options, "image_size"), size_of(options, "image_filters")
    shared = net_parameters(options)
    images = ImageBagTransformer(on_bad_images="skip", memory=cache)
    if side is not None:
        images.set_params(size=(side, side))
    of_text: dict[str, Any] = {
        name: shared.pop(name)
        for name in ("n_filters", "kernel_sizes")
        if name in shared
    }
    return make_image_systems(
        preset=options.preset,
        images=images,
        segmenter=segmenter,
        n_filters=None if filters is None else (filters, filters),
        text_parameters=of_text,
        text_column="messages",
        memory=cache,
        random_state=options.seed,
        **shared,
    )


def aux_lstm_systems(
    options: argparse.Namespace,
    tasks: Sequence[str],
    segmenter: Any,
    cache: Any,
) -> dict[str, Any]:
    """Make the systems of the Aux-LSTM paper, in the sizes of the options."""
    from sklearn_profiling.pipelines import make_aux_lstm_systems

    shared = net_parameters(options)
    for name in ("n_filters", "kernel_sizes"):
        shared.pop(name, None)
    return make_aux_lstm_systems(
        tasks,
        preset=options.preset,
        main_task=options.main_task,
        segmenter=segmenter,
        **sizes_of(options, n_dimensions="dimensions"),
        lstm_parameters=sizes_of(
            options,
            n_hidden="hidden",
            n_dense="hidden",
            level="level",
            max_words="max_words",
            max_epochs="lstm_epochs",
        ),
        cnn_parameters=sizes_of(options, n_nodes="nodes"),
        memory=cache,
        random_state=options.seed,
        **shared,
    )
