r"""Tables 1 to 7 and Figures 5 and 6 of the unified multimodal framework.

On a folder of the Yelp Open Dataset, or on synthetic reviewers, whose best possible
accuracy is known. Macro-F1 of each attribute in percent, mean over the seeds; each seed
has its own split of the users and its own initial parameters. Beside the average stands
that of the paper ("Exploring Unified Training Framework for Multimodal User Profiling",
ACL submission), where it prints one: its figures have no numbers. Its users are others,
so it shows what to expect of the order of the rows and not of the numbers.

    python benchmarks/accuracy/unified_tables.py --table 2
    python benchmarks/accuracy/unified_tables.py --figure 6 --users 1600 --seeds 3
    python benchmarks/accuracy/unified_tables.py --table 2 --data FOLDER \
        --language-model flan-t5-base --image-model vit-base-patch16-224 \
        --model bart=bart-base bert=bert-base llama=llama-2-7b llava=llava-1.5-7b-hf \
        chatglm=glm-4-9b-hf --device auto --results results

Models without a folder are small and have random weights, and a LLaVA without one is
made of llama and the image model; the names of rows say so. A row that fails is
reported and the others go on; with --results finished rows are kept, and a later call
takes them from there. Figure 5 changes the number of reviews and of images, Figure 6
gives users the images of others, or takes one of three images away. Tables 1 and 6
count users. With ``--record`` the rows are written to benchmarks/results.
"""

from __future__ import annotations

import argparse
import copy
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
import transformers
from published import BY_KEY
from results import record_counts, record_scores
from skorch.helper import SliceDict
from unified_rows import PAPER, SMALL, Row, name_of, ours, rows_of

from sklearn_profiling import estimators
from sklearn_profiling.baselines import make_tfidf_baseline
from sklearn_profiling.datasets import load_yelp, make_reviewers, split_yelp
from sklearn_profiling.evaluation import (
    Comparison,
    compare,
    multi_task_train_test_split,
)
from sklearn_profiling.evaluation.comparison import SCORE_COLUMNS
from sklearn_profiling.exceptions import ProfilingWarning
from sklearn_profiling.pipelines import make_profile_generator
from sklearn_profiling.sources import (
    ImageBagTransformer,
    ImageCaptioner,
    PretrainedImageVectors,
    PretrainedTextVectors,
    ProfileAugmenter,
    SubwordSegmenter,
)

COUNTED = ("1", "6")
"""Tables that count users."""

PAPER_SIZES = (3000, 500, 500)
"""Users to train on, to validate, which nothing here does, and to test on."""

# Models from folders are tuned as in the paper, small ones learn from nothing.
TUNED = {"max_epochs": 10, "batch_size": 4, "learning_rate": 5e-5}
FROM_NOTHING = {
    "max_epochs": 16,
    "batch_size": 8,
    "learning_rate": 1e-3,
    "dropout": 0.0,
}


class Users:
    """Users, and what the rows read of them, each cut or scaled once.

    Parameters
    ----------
    settings : Namespace
        The options.
    """

    def __init__(self, settings: argparse.Namespace) -> None:
        self.settings = settings
        self.found = read_users(settings)
        self.data, self.target = self.found.data, self.found.target
        if settings.captioner is not None:
            captioner = ImageCaptioner(
                settings.captioner, max_images=5, device=settings.device
            )
            captions = captioner.fit_transform(self.data["images"])
            self.data = self.data.assign(captions=captions)
        self._texts: dict[str | None, SubwordSegmenter] = {}
        self._sources: dict[tuple[str, str], Any] = {}

    def segmenter(self, language: str) -> SubwordSegmenter:
        """One for text and captions: the tokenizer of a folder, or a learned one."""
        folder = self.settings.models.get(language)
        if folder not in self._texts:
            texts = [*self.data["messages"], *self.data["captions"]]
            cut = SubwordSegmenter(folder, n_tokens=1000, drop_duplicates=False)
            self._texts[folder] = cut.fit(texts)
        return self._texts[folder]

    def sources(self, row: Row) -> SliceDict:
        """Collect what a row reads; images and captions of a user change together."""
        found = {}
        for name in row.reads:
            key = (name, self.settings.models.get(row.language, ""))
            if key not in self._sources:
                self._sources[key] = self._source(name, row.language)
            source = self._sources[key]
            if name != "text" and row.change == "unpaired":
                # Everybody gets what the next one showed.
                source = source[np.roll(np.arange(len(source)), 1)]
            found[name] = source
        if row.change == "missing":
            found |= self._fewer(row)
        return SliceDict(**found)

    def _source(self, name: str, language: str) -> Any:
        if name.endswith("images"):
            side = self.settings.image_size
            side = side if name == "images" else min(side, 32)
            bags = ImageBagTransformer(size=(side, side), on_bad_images="skip")
            return bags.fit_transform(self.data["images"])
        if name.endswith("vectors"):
            return self._vectors(name, language)
        column = {"text": "messages"}.get(name, name)
        cut = copy.copy(self.segmenter(language))
        cut.set_params(keep_all=name == "captions")
        return cut.transform(self.data[column])

    def _vectors(self, name: str, language: str) -> Any:
        """One vector a user from the encoders, which stay as they are."""
        folders = self.settings.models
        if name == "image vectors":
            model = folders.get("vit") or configuration(SMALL["vit"])
            images = PretrainedImageVectors(model, max_images=3, random_state=0)
            return images.fit_transform(self.data["images"])
        cut = self.segmenter(language).to_transformers()
        small = configuration({**SMALL[language], "vocab_size": len(cut)})
        text = PretrainedTextVectors(
            folders.get(language, small),
            None if language in folders else cut,
            random_state=0,
        )
        return text.fit_transform(self.data["messages"].map(lambda cell: cell[:3]))

    def _fewer(self, row: Row) -> dict[str, Any]:
        """Images and captions without the second of the three that would be read."""
        side = self.settings.image_size
        fewer = {
            name: pd.Series([cell[:3:2] for cell in self.data[name]], dtype=object)
            for name in ("images", "captions")
        }
        bags = ImageBagTransformer(size=(side, side), on_bad_images="skip")
        cut = copy.copy(self.segmenter(row.language)).set_params(keep_all=True)
        return {
            "images": bags.fit_transform(fewer["images"]),
            "captions": cut.transform(fewer["captions"]),
        }


def configuration(values: dict[str, Any]) -> Any:
    return transformers.AutoConfig.for_model(**values)


def read_users(settings: argparse.Namespace) -> Any:
    n_reviews = 5 if settings.what == "figure 5" else 3
    if settings.data == "synthetic":
        return make_reviewers(settings.users, n_reviews=n_reviews, random_state=0)
    # The counts are of all reviews, and one more than is read is rated.
    every = settings.what in (*COUNTED, "5")
    return load_yelp(
        settings.data,
        min_reviews=settings.min_reviews,
        min_words=settings.min_words,
        n_reviews=None if every else n_reviews,
        random_state=0,
    )


def split_of(users: Users, seed: int) -> tuple[Any, Any]:
    """Draw rows to train and to test on, as many of a Yelp folder as the paper."""
    settings, rows = users.settings, np.arange(len(users.data))
    sizes = settings.sizes
    if sizes is None and settings.data != "synthetic" and len(rows) >= sum(PAPER_SIZES):
        sizes = PAPER_SIZES
    if sizes is not None:
        drawn = split_yelp(users.found, sizes=sizes, random_state=seed).rows
        return drawn["train"], drawn["test"]
    train, test, *_ = multi_task_train_test_split(
        rows, users.target, test_size=settings.test_share, random_state=seed
    )
    return train, test


def classifier(row: Row, settings: argparse.Namespace, seed: int) -> Any:
    """Make the classifier of a row, or say why there is none."""
    kind = getattr(estimators, row.kind, None)
    if kind is None:
        msg = f"there is no {row.kind} in sklearn_profiling.estimators"
        raise LookupError(msg)
    params = {
        "language_model": settings.models.get(row.language, SMALL.get(row.language)),
        "image_model": None
        if row.language == "llava" and settings.whole_llava
        else settings.models.get("vit", SMALL["vit"]),
        "learning_rate_decay": True,
        "decoding": settings.decoding,
        "mixing": settings.mixing,
        "prompt": settings.prompt,
        "device": settings.device,
        "dtype": settings.dtype,
        "random_state": seed,
        **(TUNED if row.language in settings.models else FROM_NOTHING),
    }
    asked = {
        "learning_rate": settings.learning_rate,
        "batch_size": settings.batch_size,
        "max_epochs": settings.epochs,
    }
    params |= {name: value for name, value in asked.items() if value is not None}
    # What a class has no use for, such as an image model without images.
    known = set(kind().get_params())
    missing = set(row.params) - known
    if missing:
        msg = f"{row.kind} has no parameter {', '.join(sorted(missing))}"
        raise LookupError(msg)
    used = {k: v for k, v in params.items() if k in known and v is not None}
    return kind(**{**used, **row.params})


def score(
    name: str, model: Any, X: Any, y: Any, split: Any, folder: Path | None
) -> pd.DataFrame:
    """Fit and score one row on one split, or take it from the folder."""
    with warnings.catch_warnings():
        # A row that fails is reported below, and rows of other settings may stand in
        # the folder.
        warnings.simplefilter("ignore", ProfilingWarning)
        return compare(
            {name: model},
            X,
            y,
            cv=[split],
            metrics=("macro_f1", "accuracy"),
            results_folder=folder,
        ).scores


def failed(name: str, tasks: Sequence[str], error: Exception) -> pd.DataFrame:
    """Scores of a row that could not even be made."""
    rows = [
        {"system": name, "fold": 0, "task": task, "metric": metric, "error": str(error)}
        for task in tasks
        for metric in ("macro_f1", "accuracy")
    ]
    return pd.DataFrame(rows, columns=list(SCORE_COLUMNS))


def measure(settings: argparse.Namespace) -> tuple[Comparison, Any]:
    """Score all rows with all seeds, one fold a seed."""
    users = Users(settings)
    scores = []
    for seed in range(settings.seeds):
        folder = None if settings.results is None else settings.results / f"seed{seed}"
        split = split_of(users, seed)
        rated = Ratings(users, split, seed) if settings.what == "5" else None
        for name, row in rows_of(settings.what).items():
            if settings.systems and name not in settings.systems:
                continue
            target = users.target if rated is None else rated.target
            try:
                if rated is None:
                    X, model = users.sources(row), classifier(row, settings, seed)
                else:
                    X, model = rated.reader(name, row)
                found = score(name, model, X, target, split, folder)
            except (ValueError, LookupError) as error:
                found = failed(name, list(target), error)
            scores.append(found.assign(fold=seed))
            seconds = found["fit_seconds"].iloc[0]
            state = found["error"].iloc[0] or f"{seconds:.0f} s"
            print(f"seed {seed}: {name}: {state}", file=sys.stderr, flush=True)
    return Comparison(pd.concat(scores, ignore_index=True)), users.found


class Ratings:
    """One review of each user and its rating, for Table 5.

    The profile is predicted from the other reviews and the images, by our system with
    all modes; those of the training users by models that were not shown their labels.

    Parameters
    ----------
    users : Users
        The users.
    split : tuple of array
        Rows to train on and to test on.
    seed : int
        Decides the models.
    """

    def __init__(self, users: Users, split: Any, seed: int) -> None:
        self.users, self.seed = users, seed
        data = users.data
        rated = data["ratings"].map(lambda cell: bool(cell) and cell[-1] is not None)
        last = [
            cell[-1] if ok else None
            for cell, ok in zip(data["ratings"], rated, strict=True)
        ]
        self.target = pd.DataFrame({"Rating": pd.Series(last, dtype=object)})
        self.review = data["messages"].map(lambda cell: cell[-1:])
        self._told: pd.Series | None = None
        self._split = split

    def told(self) -> pd.Series:
        """Put profiles behind the same reviews; predicted at the first call."""
        if self._told is not None:
            return self._told
        settings, cut = self.users.settings, self.users.segmenter("t5")
        side = settings.image_size
        generator = make_profile_generator(
            classifier=classifier(ours(), settings, self.seed),
            segmenter=SubwordSegmenter(cut.tokenizer_, drop_duplicates=False),
            images=ImageBagTransformer(size=(side, side), on_bad_images="skip"),
            caption_column="captions",
        )
        others = self.users.data["messages"].map(lambda cell: cell[:-1])
        table = self.users.data.assign(messages=others, review=self.review)
        table[list(self.users.target)] = self.users.target
        augmenter = ProfileAugmenter(
            generator,
            messages="review",
            profile=list(self.users.target),
            separator=" ",
            cv=2,
            random_state=self.seed,
        )
        train, test = (table.iloc[rows] for rows in self._split)
        told = [augmenter.fit_transform(train), augmenter.transform(test)]
        self._told = pd.concat(told)["review"].reindex(table.index)
        return self._told

    def reader(self, name: str, row: Row) -> tuple[Any, Any]:
        """Return what a row reads, and its classifier."""
        review = self.told() if name.endswith(", profile") else self.review
        if row.kind == "make_tfidf_baseline":
            model = make_tfidf_baseline(
                column="review",
                analyzer="char",
                ngram_range=(1, 4),
                loss="log",
                C=5.0,
            )
            return review.to_frame("review"), model
        text = self.users.segmenter(row.language).transform(review)
        return SliceDict(text=text), classifier(row, self.users.settings, self.seed)


def table(found: Comparison, settings: argparse.Namespace, metric: str) -> pd.DataFrame:
    """Percent of each row, and the paper's average of macro-F1 at the right."""
    what, folders = settings.what, settings.models
    percent = (100 * found.table(metric)).round(2)
    if metric == "macro_f1" and what in PAPER:
        percent["paper"] = pd.Series(PAPER[what]).reindex(percent.index)
    seconds = found.scores.groupby("system", sort=False)["fit_seconds"].mean()
    percent["seconds to fit"] = seconds.round(0)
    whole = {k: v for k, v in folders.items() if k != "llava" or settings.whole_llava}
    return percent.rename(index=lambda row: name_of(row, whole))


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    chosen = parser.add_mutually_exclusive_group(required=True)
    chosen.add_argument("--table", choices=["1", "2", "3", "4", "5", "6", "7"])
    chosen.add_argument("--figure", choices=["5", "6"])
    parser.add_argument("--data", default="synthetic", help="folder of Yelp's files")
    parser.add_argument("--min-reviews", type=int, default=30, help="of Yelp's users")
    parser.add_argument("--min-words", type=int, default=10, help="of their reviews")
    parser.add_argument("--users", type=int, default=1600, help="synthetic users")
    parser.add_argument("--test-share", type=float, default=0.25)
    parser.add_argument(
        "--sizes",
        type=int,
        nargs=3,
        metavar=("TRAIN", "VALID", "TEST"),
        help="users, instead of a share; of a Yelp folder the paper's 3000 500 500",
    )
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--systems", nargs="+", default=[], help="rows, by their names")
    parser.add_argument("--language-model", metavar="FOLDER", help="as flan-t5-base")
    parser.add_argument("--image-model", metavar="FOLDER", help="as vit-base")
    parser.add_argument(
        *("--model", "--models"),
        nargs="+",
        default=[],
        metavar="NAME=FOLDER",
        help="of the other rows: bart, bert, llama, llava, chatglm",
    )
    parser.add_argument(
        "--captioner", metavar="FOLDER", help="as blip2: writes all captions anew"
    )
    parser.add_argument(
        "--prompt", help="around text and captions: '{text} Images: {captions}'"
    )
    parser.add_argument("--epochs", type=int, help="16, with a folder 10 (paper)")
    parser.add_argument("--batch-size", type=int, help="8, with a folder 4 (paper)")
    parser.add_argument("--learning-rate", type=float, help="1e-3, or 5e-5 (paper)")
    parser.add_argument(
        "--image-size", type=int, help="32, with a folder 224, with a LLaVA 336"
    )
    parser.add_argument(
        "--mixing", choices=["step", "batch"], help="of the modes of joint training"
    )
    parser.add_argument("--decoding", choices=["beam", "scoring"], default="beam")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--dtype", default="float32")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--results", type=Path, help="folder that keeps finished rows")
    parser.add_argument("--record", action="store_true", help="write the rows")
    settings = parser.parse_args(arguments)
    settings.what = settings.table or f"figure {settings.figure}"
    given = {"t5": settings.language_model, "vit": settings.image_model}
    for pair in settings.model:
        name, _, folder = pair.partition("=")
        if name not in SMALL or not folder:
            parser.error(f"--model: {pair!r} is no NAME=FOLDER out of {list(SMALL)}")
        given[name] = folder
    settings.models = {name: folder for name, folder in given.items() if folder}
    settings.whole_llava = "llava" in settings.models
    if "llama" in settings.models:
        settings.models.setdefault("llava", settings.models["llama"])
    counted = settings.what in COUNTED
    unknown = set(settings.systems) - set({} if counted else rows_of(settings.what))
    if unknown:
        known = list(rows_of(settings.what))
        parser.error(f"--systems: {sorted(unknown)} are none of {known}")
    if settings.image_size is None:
        settings.image_size = 224 if "vit" in settings.models else 32
        if settings.whole_llava:
            settings.image_size = 336
    return settings


def counts(users: Any, what: str) -> dict[str, dict[str, float]]:
    """Count as Table 1 does, or the labels of each attribute as Table 6."""
    if what == "1":
        messages = users.data["messages"]
        words = messages.map(lambda cell: np.mean([len(text.split()) for text in cell]))
        row = {
            "users": len(users.data),
            "reviews a user": messages.str.len().mean(),
            "words a review": words.mean(),
            "images a user": users.data["images"].str.len().mean(),
        }
        return {"ours": row}
    found: dict[str, dict[str, float]] = {}
    for task in users.target:
        # Sets of favourites count as each of theirs.
        labels = (
            users.target[task]
            .dropna()
            .map(lambda cell: list(cell) if isinstance(cell, frozenset) else [cell])
        )
        for label, count in labels.explode().value_counts().sort_index().items():
            found.setdefault(str(label), {})[task] = count
    return found


def record_tables(settings: argparse.Namespace, found: Comparison, users: Any) -> None:
    """Write the rows; each seed has its own."""
    key = settings.what.replace(" ", "_")
    key = key if key.startswith("figure") else f"table_{key}"
    trained = {name: Path(folder).name for name, folder in settings.models.items()}
    record_scores(
        BY_KEY[f"unified_{key}"],
        found.scores,
        {"macro_f1": "macro-F1"},
        data=f"{Path(settings.data).name}, {len(users.data)} users",
        setting=f"models {trained or 'small and random'}, "
        f"{settings.epochs or 'usual'} epochs",
        scale=100.0,
        average="average",
    )


def main(arguments: Sequence[str] | None = None) -> None:
    settings = parse(arguments)
    torch.set_num_threads(settings.threads)
    if settings.what in COUNTED:
        users = read_users(settings)
        counted = counts(users, settings.what)
        print(pd.DataFrame(counted).T.round(1).to_string(na_rep=""))
        if settings.record:
            table_of = BY_KEY[f"unified_table_{settings.what}"]
            record_counts(table_of, counted, data=Path(settings.data).name)
        return
    found, users = measure(settings)
    if settings.record:
        record_tables(settings, found, users)
    title = f"Table {settings.table}" if settings.table else f"Figure {settings.figure}"
    print(f"\n{title}: macro-F1, {settings.seeds} seeds, {len(users.data)} users")
    print(table(found, settings, "macro_f1").to_string(na_rep=""))
    print("\nAccuracy")
    print(table(found, settings, "accuracy").to_string(na_rep=""))
    small = [name for name in SMALL if name not in settings.models]
    print(f"Small models with random weights: {', '.join(small) or 'none'}")
    if settings.what != "5" and "bayes_accuracy" in users:
        for title, end in (("all", ""), ("text", "_text"), ("images", "_images")):
            best = pd.Series(users[f"bayes_accuracy{end}"])
            print(f"best possible, {title}: {(100 * best).round(1).to_dict()}")
    for row in found.failures.itertuples():
        print(f"{row.system}, seed {row.fold}, failed: {row.error}")


if __name__ == "__main__":
    main()
