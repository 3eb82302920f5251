r"""Tables 1 to 5 of the 3D-CNN paper on a MEX-A3T folder, or on users with digits.

Tables 1, 2 and 4 have macro F, accuracy, macro P and macro R of a task, Tables 3 and 5
the share of each class that is found. Systems are trained on 70 % of the users and
tested on the others, as 3,500 and 1,500 users of the paper. The published rows
(Valdez-Rodriguez, Calvo, Felipe-Riveron, IberLEF 2019) stand below ours, with "paper"
before their names; those of CerpamidTeam read text. Without a folder the users are
those of make_image_users, whose tasks have no published row; best possible accuracies
stand there instead. F is the mean of the classes' F, as the published numbers must be:
some lie below both P and R.

``--noise 100`` adds a source of 100 random numbers a user and compares the gated net
with and without it, over several seeds. ``--order given`` trains on each user's images
in the order of the paper, the one they come in, and ``--preset paper`` with all of the
paper's settings. ``--record`` writes the rows to benchmarks/results; of users with
digits, "zero" stands for gender, "taste" for location and "coin" for occupation.

    python benchmarks/accuracy/cnn3d_tables.py PATH --size 64 --filters 32 64 \
        --dtype bfloat16
    python benchmarks/accuracy/cnn3d_tables.py --users 900
    python benchmarks/accuracy/cnn3d_tables.py --noise 100 --seeds 3
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from sklearn_profiling.datasets import load_mex_a3t, make_image_users
from sklearn_profiling.estimators import MultimodalCNN3DClassifier
from sklearn_profiling.evaluation import (
    accuracy_per_task,
    macro_prf,
    multi_task_train_test_split,
)
from sklearn_profiling.pipelines import make_image_systems
from sklearn_profiling.sources import FrequentWords, ImageBagTransformer, JiebaSegmenter

# F, accuracy, P and R of Tables 1, 2 and 4.
PAPER = {
    "gender": {
        "CerpamidTeam 1": (0.8366, 0.8347, 0.8412, 0.8347),
        "CerpamidTeam 2": (0.8331, 0.8313, 0.8392, 0.8313),
        "3D-CNN, Model 2": (0.5227, 0.5227, 0.5230, 0.5227),
        "3D-CNN, Model 1": (0.4711, 0.4840, 0.4823, 0.4840),
    },
    "location": {
        "CerpamidTeam 1": (0.5020, 0.6307, 0.5214, 0.4934),
        "CerpamidTeam 2": (0.4844, 0.6153, 0.4988, 0.4766),
        "3D-CNN, Model 1": (0.1482, 0.2393, 0.1645, 0.1573),
        "3D-CNN, Model 2": (0.1098, 0.1687, 0.1674, 0.1846),
    },
    "occupation": {
        "CerpamidTeam 1": (0.3957, 0.6587, 0.4331, 0.3744),
        "CerpamidTeam 2": (0.3824, 0.6613, 0.4201, 0.3619),
        "3D-CNN, Model 1": (0.1196, 0.2693, 0.1235, 0.1284),
        "3D-CNN, Model 2": (0.0951, 0.2300, 0.1402, 0.1260),
    },
}

# Tables 3 and 5: classes, and the share of each that is found.
PAPER_CLASSES = {
    "location": (
        ("center", "southeast", "northwest", "north", "northeast", "west"),
        {
            "CerpamidTeam 1": (0.6889, 0.3864, 0.6667, 0.1667, 0.7091, 0.2890),
            "CerpamidTeam 2": (0.7021, 0.3984, 0.6651, 0.2535, 0.7297, 0.2634),
            "3D-CNN, Model 1": (0.4177, 0.0430, 0.0952, 0.0260, 0.2066, 0.1008),
            "3D-CNN, Model 2": (0.3606, 0.0000, 0.0867, 0.0491, 0.1377, 0.0250),
        },
    ),
    "occupation": (
        (
            *("others", "arts", "student", "social"),
            *("sciences", "sports", "administrative", "health"),
        ),
        {
            "CerpamidTeam 1": (
                *(0.1026, 0.2514, 0.8597, 0.5695, 0.1982, 0.3077, 0.5134, 0.2564),
            ),
            "CerpamidTeam 2": (
                *(0.1333, 0.3333, 0.8648, 0.5508, 0.2075, 0.3500, 0.4785, 0.2469),
            ),
            "3D-CNN, Model 1": (
                *(0.0000, 0.0902, 0.4495, 0.1390, 0.0654, 0.0000, 0.2131, 0.0000),
            ),
            "3D-CNN, Model 2": (
                *(0.0000, 0.1181, 0.4394, 0.0701, 0.0408, 0.0000, 0.0926, 0.0000),
            ),
        },
    ),
}

NUMBERS = ("1 and none", "2 and 3", "4 and 5")
STANDS_FOR = {"zero": "gender", "taste": "location", "coin": "occupation"}


def read_users(settings: argparse.Namespace) -> Any:
    if settings.path is not None:
        return load_mex_a3t(settings.path)
    return make_image_users(
        settings.users, size=settings.size, with_text=True, random_state=settings.seed
    )


def predictions(settings, users, cache) -> tuple[pd.DataFrame, dict[str, pd.DataFrame]]:
    """Labels of the test users, and what each system says they are."""
    sizes = {"max_epochs": settings.epochs, "batch_size": settings.batch_size}
    systems = make_image_systems(
        preset=settings.preset,
        images=ImageBagTransformer(
            size=(settings.size, settings.size), on_bad_images="skip", memory=cache
        ),
        n_filters=tuple(settings.filters),
        image_order=settings.order,
        text_parameters={"n_filters": 16, "kernel_sizes": (1, 3)},
        text_column="messages",
        random_state=settings.seed,
        **{name: value for name, value in sizes.items() if value is not None},
        dtype=settings.dtype,
    )
    X, X_test, y, y_test = multi_task_train_test_split(
        users.data, users.target, test_size=0.3, random_state=settings.seed
    )
    found = {}
    for name, system in systems.items():
        start = time.perf_counter()
        system.fit(X, y)
        seconds = time.perf_counter() - start
        labels = system.predict(X_test)
        found[name] = pd.DataFrame(labels, columns=y.columns, index=y_test.index)
        found[name].attrs["seconds"] = round(seconds, 1)
    return y_test, found


def record_tables(
    settings: argparse.Namespace, truth: pd.DataFrame, found: dict[str, pd.DataFrame]
) -> None:
    """Write the rows of the five tables."""
    # The list of tables reads this module's numbers.
    from published import BY_KEY
    from results import record

    tables = {"gender": ("1", None), "location": ("2", "3"), "occupation": ("4", "5")}
    data = "digit users" if settings.path is None else settings.path.name
    epochs = settings.epochs or "the preset's"
    said = {
        "data": f"{data}, {len(truth)} of them tested",
        "setting": f"{epochs} epochs, images of "
        f"{settings.size} x {settings.size}, filters {settings.filters}",
    }
    for task in truth:
        paper = STANDS_FOR.get(task, task)
        whole, classes = tables[paper]
        numbers = whole_table(task, truth, found).loc[list(found)]
        shares = class_table(task, truth, found).loc[list(found)]
        rows, found_of = [], []
        for name, labels in found.items():
            own = {"row": name, "seed": settings.seed, **labels.attrs}
            figures = numbers.loc[name].round(4).to_dict()
            rows.append({**own, "task": paper, "figures": figures})
            found_of += [
                {**own, "task": str(label), "figures": {"found": round(share, 4)}}
                for label, share in shares.loc[name].items()
            ]
        record(BY_KEY[f"cnn3d_table_{whole}"], rows, **said)
        if classes is not None:
            record(BY_KEY[f"cnn3d_table_{classes}"], found_of, **said)


def whole_table(task: str, truth: pd.DataFrame, found: dict[str, Any]) -> pd.DataFrame:
    rows = {}
    for name, labels in found.items():
        prf = macro_prf(truth[[task]], labels[[task]]).iloc[0]
        accuracy = accuracy_per_task(truth[[task]], labels[[task]]).iloc[0]
        rows[name] = (prf["f"], accuracy, prf["precision"], prf["recall"])
    rows |= {f"paper: {name}": row for name, row in PAPER.get(task, {}).items()}
    return pd.DataFrame.from_dict(rows, orient="index", columns=["F", "Acc", "P", "R"])


def class_table(task: str, truth: pd.DataFrame, found: dict[str, Any]) -> pd.DataFrame:
    known = truth[task].notna()
    classes, published = PAPER_CLASSES.get(task, ((), {}))
    names = list(classes) or sorted(truth.loc[known, task].unique())
    rows = {}
    for name, labels in found.items():
        right = (labels[task] == truth[task])[known]
        shares = right.groupby(truth.loc[known, task]).mean()
        rows[name] = [shares.get(label, np.nan) for label in names]
    rows |= {f"paper: {name}": row for name, row in published.items()}
    return pd.DataFrame.from_dict(rows, orient="index", columns=names)


def print_tables(settings: argparse.Namespace) -> None:
    users = read_users(settings)
    with tempfile.TemporaryDirectory(prefix="sklearn-profiling-") as cache:
        truth, found = predictions(settings, users, cache)
    if settings.record:
        record_tables(settings, truth, found)
    best = users.get("bayes_accuracy", {})
    for number, task in enumerate(truth):
        known = NUMBERS[number] if task in PAPER else "1 to 5, on other users"
        print(f"\nTables {known}: {task}, {truth[task].notna().sum()} test users")
        print(whole_table(task, truth, found).round(4).to_string())
        if task in best:
            print(f"best possible accuracy {best[task]:.4f}")
        print(class_table(task, truth, found).round(4).to_string())


def print_noise(settings: argparse.Namespace) -> None:
    """Measure what random numbers cost, with gates learned and with open ones."""
    users = read_users(settings)
    side = (settings.size, settings.size)
    bags = ImageBagTransformer(size=side).fit_transform(users.data["images"])
    words = JiebaSegmenter().fit_transform(users.data["messages"])
    noise = np.random.RandomState(settings.seed).normal(
        size=(len(bags), settings.noise)
    )
    rows = np.arange(len(bags))
    train, test, y, y_test = multi_task_train_test_split(
        rows, users.target, test_size=settings.test_share, random_state=settings.seed
    )
    vocabulary = FrequentWords().fit(words[train])
    sources = {"images": bags, "text": vocabulary.transform(words), "noise": noise}
    for gates in settings.gates:
        fraction = settings.gate_fraction if gates == "learned" else 0.0
        for names in (["images", "text"], ["images", "text", "noise"]):
            scores, found = [], []
            for seed in range(settings.seeds):
                model = MultimodalCNN3DClassifier(
                    sources=names,
                    gate_fraction=fraction,
                    n_filters_image=settings.filters[0],
                    image_order=settings.order or "random",
                    n_filters=16,
                    kernel_sizes=(1, 3),
                    max_epochs=settings.epochs,
                    batch_size=settings.batch_size,
                    dtype=settings.dtype,
                    random_state=seed,
                ).fit({name: s[train] for name, s in sources.items()}, y)
                of_test = {name: source[test] for name, source in sources.items()}
                labels = pd.DataFrame(
                    model.predict(of_test), columns=y.columns, index=y_test.index
                )
                scores.append(accuracy_per_task(y_test, labels))
                found.append(model.source_gates(of_test).max())
            result = {
                "benchmark": "cnn3d_noise", "gates": gates, "sources": names,
                "accuracy": pd.DataFrame(scores).mean().round(4).to_dict(),
                "gate": pd.DataFrame(found).mean().round(3).to_dict(),
                "seeds": settings.seeds, "users": len(train), "test_users": len(test),
                "noise": settings.noise,
            }  # fmt: skip
            print(json.dumps(result), flush=True)


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("path", type=Path, nargs="?", help="folder of MEX-A3T")
    parser.add_argument("--users", type=int, default=600, help="users with digits")
    parser.add_argument("--size", type=int, default=16, help="side of images")
    parser.add_argument("--filters", type=int, nargs=2, default=[16, 16])
    parser.add_argument("--order", choices=["given", "random"])
    parser.add_argument("--preset", choices=["default", "paper"], default="default")
    parser.add_argument("--epochs", type=int, help="25, or those of the paper's preset")
    parser.add_argument("--batch-size", type=int, help="13, as in the paper")
    parser.add_argument("--record", action="store_true", help="write the rows")
    parser.add_argument("--dtype", default="float32")
    parser.add_argument("--noise", type=int, help="random numbers a user")
    parser.add_argument(
        "--gates", nargs="+", choices=["learned", "open"], default=["learned", "open"]
    )
    parser.add_argument("--gate-fraction", type=float, default=0.35)
    parser.add_argument("--test-share", type=float, default=0.3, help="with --noise")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    settings = parser.parse_args(arguments)
    if settings.preset == "default":
        settings.epochs = settings.epochs or 25
        settings.batch_size = settings.batch_size or 13
    return settings


def main(arguments: Sequence[str] | None = None) -> None:
    settings = parse(arguments)
    torch.set_num_threads(settings.threads)
    if settings.noise is None:
        print_tables(settings)
    else:
        print_noise(settings)


if __name__ == "__main__":
    main()
