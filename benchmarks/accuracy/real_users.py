"""The recommended system and the baselines on any users, on the same folds.

Each DATA is what ``sklearn-profiling compare`` reads, a table, or a folder of records
with a table of links; or "TABLE+LINKS", a table and its links; or users that are made,
"synthetic:4000", "images:1000", "reviewers:600". Systems that read what the users have
are compared, with ``--nets`` those of the papers too, with ``--efforts balanced`` the
profiler with that effort, with ``--only`` some of them.

    python benchmarks/accuracy/real_users.py poets/ --folds 5 --results results/
    python benchmarks/accuracy/real_users.py "target.csv+edges.csv" --tasks target

One table a data set: accuracy of each task and their average, with stars where a system
differs from the profiler. Below, the mean seconds of a fold to fit and to predict, and
the peak memory of the process that ran all folds of a system. Folds that ``--results``
holds are not run again.
"""

from __future__ import annotations

import argparse
import resource
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd

from sklearn_profiling.baselines import (
    make_link_baseline,
    make_majority_baseline,
    make_svm_baseline,
    make_tfidf_baseline,
)
from sklearn_profiling.datasets import (
    load_records,
    make_image_users,
    make_reviewers,
    make_user_profiles,
)
from sklearn_profiling.evaluation import MultiTaskStratifiedKFold, compare
from sklearn_profiling.pipelines import make_image_systems, make_mmlup, make_profiler
from sklearn_profiling.sources import ImageBagTransformer, choose_segmenter
from sklearn_profiling.sources.text.segmentation import with_punctuation

MAKERS = {
    "synthetic": partial(make_user_profiles, signal_rate=0.3),
    "images": make_image_users,
    "reviewers": make_reviewers,
}


def read(name: str, tasks: list[str] | None) -> Any:
    """Read users from a path, or from a table and its links, or make them."""
    kind, _, number = name.partition(":")
    if kind in MAKERS:
        return MAKERS[kind](int(number), random_state=0)
    chosen: dict[str, Any] = {} if tasks is None else {"tasks": tuple(tasks)}
    table, _, links = name.partition("+")
    if links:
        chosen |= {"links": links, "text_column": False}
    return load_records(Path(table), on_unknown_links="add", **chosen)


def make_systems(users: Any, given: argparse.Namespace) -> dict[str, Any]:
    """Make the systems that read what the users have, or those that are named."""
    systems = all_systems(users, given.seed, given.efforts, with_nets=given.nets)
    return {name: systems[name] for name in given.only or systems}


def all_systems(
    users: Any, seed: int, efforts: list[Any], *, with_nets: bool
) -> dict[str, Any]:
    """Make all systems that read what the users have."""
    messages = users.data.get("messages")
    has_text = messages is not None and messages.map(bool).any()
    has_links = users.graph is not None and users.graph.adjacency.nnz > 0
    graph = users.graph if has_links else None
    segmenter = choose_segmenter(messages) if has_text else None
    own = with_punctuation(segmenter)
    systems: dict[str, Any] = {
        "Profiler": make_profiler(graph, random_state=seed),
        "Majority class": make_majority_baseline(),
    }
    for effort in efforts:
        name = f"Profiler, {effort}"
        systems[name] = make_profiler(graph, effort=effort, random_state=seed)
    if has_text:
        systems["TF-IDF + ridge"] = make_tfidf_baseline(segmenter=own)
        systems["SVM"] = make_svm_baseline(segmenter=own, random_state=seed)
        systems["SVM (paper)"] = make_svm_baseline(
            preset="paper", segmenter=segmenter, random_state=seed
        )
    if graph is not None:
        systems["Links + ridge"] = make_link_baseline(graph)
    if with_nets and "images" in users.data:
        systems |= make_image_systems(
            images=ImageBagTransformer(size=(32, 32)),
            text_column="messages" if has_text else None,
            random_state=seed,
        )
    if with_nets and has_text:
        systems["MMLUP"] = make_mmlup(graph, random_state=seed)
    return systems


def run(name: str, given: argparse.Namespace, folder: Path, system: str | None) -> Any:
    """Compare all systems, or one alone; folds that the folder holds are read."""
    users = read(name, given.tasks)
    systems = make_systems(users, given)
    return compare(
        {each: systems[each] for each in ([system] if system else systems)},
        users.data,
        users.target,
        cv=MultiTaskStratifiedKFold(given.folds, random_state=given.seed),
        metrics="accuracy",
        n_jobs=given.jobs,
        results_folder=folder,
    )


def peak_of(name: str, given: argparse.Namespace, folder: Path, system: str) -> float:
    """Run one system in this process, and return the most memory it had, in MB."""
    run(name, given, folder, system)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def report(name: str, given: argparse.Namespace, folder: Path) -> None:
    """Run each system in a process of its own, then print the table of all."""
    users = read(name, given.tasks)
    # One process a task, so that the peak is that of one system, users included.
    with ProcessPoolExecutor(
        1, mp_context=get_context("spawn"), max_tasks_per_child=1
    ) as pool:
        peaks = {
            system: pool.submit(peak_of, name, given, folder, system).result()
            for system in make_systems(users, given)
        }
    result = run(name, given, folder, None)
    print(f"\n{name}: {len(users.data)} users, {given.folds} folds")
    reference = "Profiler" if "Profiler" in result.scores["system"].values else None
    print(result.to_string("accuracy", reference=reference))
    folds = result.scores.drop_duplicates(["system", "fold"])
    means = folds.groupby("system", sort=False)[["fit_seconds", "predict_seconds"]]
    print(means.mean().assign(peak_mb=pd.Series(peaks)).round(1).to_string())
    for failure in result.failures.itertuples():
        print(f"failed: {failure.system}, fold {failure.fold}: {failure.error}")


def main() -> None:
    """Compare the systems on each data set."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", nargs="+", metavar="DATA")
    parser.add_argument("--tasks", nargs="+")
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--nets", action="store_true", help="the papers' nets, minutes")
    parser.add_argument(
        "--efforts",
        nargs="+",
        choices=["balanced", "best"],
        default=[],
        help="the profiler with these too, as 'Profiler, balanced'",
    )
    parser.add_argument("--only", nargs="+", metavar="SYSTEM")
    parser.add_argument("--results", type=Path)
    given = parser.parse_args()
    with TemporaryDirectory() as kept:
        for name in given.data:
            report(name, given, (given.results or Path(kept)) / Path(name).name)


if __name__ == "__main__":
    main()
