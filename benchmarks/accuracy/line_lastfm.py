"""LINE on the LastFM and Deezer networks, as JSON lines.

Logistic regression (C=1) on 128 components in five stratified folds. Country of
LastFM users shows in who knows whom; gender of Deezer users does not, so anything
far above the majority there would be a leak.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_score

from sklearn_profiling.containers.social_graph import SocialGraph
from sklearn_profiling.sources.network import LINEEmbedding

NETWORKS = {
    "lastfm country": "lastfm_asia",
    "deezer gender": "deezer_gendered",
}


def data_folder() -> Path:
    """Find the real data, or end with what to set."""
    root = Path(__file__).resolve().parents[2]
    given = os.environ.get("SKLEARN_PROFILING_DATA")
    folder = Path(given) if given else root.parent / "shared" / "data"
    if not (folder / "lastfm_deezer").is_dir():
        sys.exit(f"No lastfm_deezer in {folder}: set SKLEARN_PROFILING_DATA.")
    return folder / "lastfm_deezer"


def load(folder: Path, name: str) -> tuple[SocialGraph, np.ndarray, np.ndarray]:
    """Read a network and the label of each user."""
    labels = pd.read_csv(folder / f"{name}_target.csv")
    edges = pd.read_csv(folder / f"{name}_edges.csv")
    graph = SocialGraph.from_edges(
        edges, source="node_1", target="node_2", ids=labels["id"]
    )
    return graph, labels["id"].to_numpy(), labels["target"].to_numpy()


def commit() -> str:
    """Name the measured state of the code."""
    command = ["git", "rev-parse", "--short", "HEAD"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    return result.stdout.strip() or "unknown"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    folder = data_folder()
    folds = StratifiedKFold(5, shuffle=True, random_state=given.seed)
    for task, name in NETWORKS.items():
        graph, users, labels = load(folder, name)
        majority = pd.Series(labels).value_counts(normalize=True).iloc[0]
        for solver in ("sgd", "spectral"):
            line = LINEEmbedding(
                graph,
                128,
                solver=solver,
                n_jobs=given.jobs,
                random_state=given.seed,
            )
            start = time.perf_counter()
            vectors = line.fit_transform(users)
            seconds = time.perf_counter() - start
            scores = cross_val_score(
                LogisticRegression(C=1, max_iter=500), vectors, labels, cv=folds
            )
            result = {
                "benchmark": "line_accuracy",
                "task": task,
                "solver": solver,
                "accuracy": round(float(scores.mean()), 4),
                "std": round(float(scores.std()), 4),
                "majority": round(float(majority), 4),
                "seconds": round(seconds, 2),
                "seed": given.seed,
                "commit": commit(),
            }
            print(json.dumps(result), flush=True)


if __name__ == "__main__":
    main()
