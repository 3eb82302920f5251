"""Contribution of what a user has to the prediction of a class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from sklearn_profiling._threads import fixed_threads
from sklearn_profiling.evaluation.explanation._linear import linear_weights
from sklearn_profiling.evaluation.explanation._links import without_links
from sklearn_profiling.evaluation.explanation._model import ClassModel, Floats
from sklearn_profiling.evaluation.explanation._net import (
    message_attention,
    word_gradients,
)
from sklearn_profiling.evaluation.explanation._occlusion import (
    Item,
    contents_of,
    copies,
    read_user,
    without_columns,
    without_members,
    without_words,
)
from sklearn_profiling.evaluation.explanation._words import Spans, spans_of_messages
from sklearn_profiling.evaluation.explanation.result import LEVELS, Explanation

__all__ = ["explain"]


@fixed_threads()
def explain(
    pipeline: Any,
    X_user: Any,
    *,
    task: str | None = None,
    label: Any = None,
    levels: Sequence[str] = LEVELS,
    max_items: int = 100,
) -> Explanation:
    """Measure what each thing that a user has contributes to a prediction.

    One thing after the other is left out of the raw data: a column, a message, a word
    wherever it stands, an image, a link to a neighbour, and, of a Pipeline whose last
    step reads several sources, a source. Its contribution is how far the log-odds of
    the class fall. This works for every classifier with probabilities.

    Parameters
    ----------
    pipeline : estimator
        Fitted classifier or Pipeline with ``predict_proba`` that reads tables of users.
    X_user : DataFrame of one row, Series or mapping of str to cell
        The user, as the pipeline reads users.
    task : str, default=None
        Task to explain; None where there is but one.
    label : object, default=None
        Class to explain; None is the predicted one.
    levels : sequence of str, default=LEVELS
        What is left out in turn: "source", "column", "message", "word", "image",
        "neighbour".
    max_items : int, default=100
        Number of messages and images of a column, and of words and neighbours, that are
        left out one by one (our choice). Of more messages or images, groups of
        neighbouring ones come first, of which the half that matters more is looked at
        again, until few enough are left; words are of the messages that matter most.
        ``left_out_`` counts the others.

    Returns
    -------
    Explanation
        Its ``table`` has a row a thing; it shows itself as HTML and as text.

    Raises
    ------
    SourceError
        If `X_user` is not one user, or the pipeline does not predict probabilities.
    TargetError
        If there is no such task or label.
    ValueError
        If `levels` or `max_items` is out of range.

    See Also
    --------
    faithfulness : Whether what is ranked first matters most.
    differential_language : Which words go with which class, over many users.

    Notes
    -----
    The contribution of a message or an image is the mean of two differences of
    log-odds: between the user with and without it, and between a user who has nothing
    else in the column and one who has nothing there. The first alone hides what other
    messages say as well, the second alone what only the whole tells. A message weighs
    more where there is no other, most of all in nets that average, so both are first
    brought to the same mean size, that of the two together.

    A word is replaced by a blank wherever it stands. A column is replaced by None, a
    source by that of a user who has nothing. Without a link, rows of the adjacency
    matrix lack it, and an embedding gives the vector of a new user with the links that
    are left; ``notes_`` says which parts cannot be cut.

    ``weights_`` and ``gradients_`` stand beside: of linear models the weight of each
    feature times its value; of nets that read word vectors their integrated gradients
    from a text of zero vectors. Attention stands in the column "attention" of messages;
    it says where a net looks, not what follows from it.

    Examples
    --------
    >>> import pandas as pd
    >>> from sklearn_profiling.baselines import make_tfidf_baseline
    >>> from sklearn_profiling.evaluation import explain
    >>> users = pd.DataFrame({"messages": [["red tea", "rain"], ["ale", "rain"]] * 4})
    >>> model = make_tfidf_baseline().fit(users, ["f", "m"] * 4)
    >>> found = explain(model, users[:1])
    >>> found.label, found.top("message").text.tolist()[0]
    ('f', 'red tea')
    """
    unknown = [level for level in levels if level not in LEVELS]
    if isinstance(levels, str) or unknown:
        msg = f"levels must be a list of some of {list(LEVELS)}; got {levels!r}"
        raise ValueError(msg)
    if isinstance(max_items, bool) or not isinstance(max_items, int) or max_items < 1:
        msg = f"max_items must be a whole number from 1 up; got {max_items!r}"
        raise ValueError(msg)
    user = read_user(X_user)
    model = ClassModel(pipeline, user, task, label)
    return _Explainer(model, user, levels, max_items).run()


class _Explainer:
    """Leaves things out level by level and collects how far the log-odds fall."""

    def __init__(
        self, model: ClassModel, user: pd.DataFrame, levels: Sequence[str], most: int
    ) -> None:
        self.model = model
        self.user = user
        self.levels = levels
        self.most = most
        self.contents = contents_of(user)
        self.rows: list[dict[str, Any]] = []
        self.left_out: dict[str, int] = {}
        self.notes: list[str] = []
        self.spans: dict[str, Spans] = {}

    def run(self) -> Explanation:
        """Go through the levels."""
        if "source" in self.levels:
            odds = self.model.without_sources(self.user)
            for name, left in odds.items():
                self._add("source", name, "", name, self.model.whole - left)
        if "column" in self.levels:
            items = without_columns(self.user)
            for item, fall in zip(items, self._falls(items), strict=True):
                self._add(*item[:4], fall)
        ranked = {
            column: self._members("message", column, members)
            for column, members in self.contents.messages.items()
            if {"message", "word"} & set(self.levels)
        }
        for column, order in ranked.items():
            if "word" in self.levels:
                self._words(column, order)
        if "image" in self.levels:
            for column, members in self.contents.images.items():
                self._members("image", column, members)
        if "neighbour" in self.levels:
            self._neighbours()
        return self._result()

    def _falls(self, items: Sequence[Item]) -> Floats:
        """Compute how far the log-odds fall without each item."""
        if not items:
            return np.zeros(0)
        falls: Floats = self.model.whole - self.model.log_odds(copies(self.user, items))
        return falls

    def _members(
        self, level: str, column: str, members: Mapping[int, Any]
    ) -> list[int]:
        """Leave out messages or images; return positions, what matters most first."""
        places = np.array(list(members))
        while len(places) > self.most:
            parts = np.array_split(places, max(2, self.most))
            falls = self._both(level, column, [part.tolist() for part in parts])
            best = np.argsort(-np.abs(falls), kind="stable")[: (len(parts) + 1) // 2]
            places = np.concatenate([parts[number] for number in sorted(best)])
        if len(places) < len(members):
            self._count(level, len(members) - len(places))
        groups = [[int(place)] for place in places]
        falls = self._both(level, column, groups)
        if level in self.levels:
            items = without_members(self.user, level, column, groups)
            for item, fall in zip(items, falls, strict=True):
                self._add(*item[:4], fall)
        order = np.argsort(-np.abs(falls), kind="stable")
        return [groups[number][0] for number in order]

    def _both(self, level: str, column: str, groups: list[list[int]]) -> Floats:
        """Average the fall without each group and the rise with it alone.

        Both are brought to the same mean size first, that of the two together.
        """
        items = list(without_members(self.user, level, column, groups))
        cell = self.user[column].iloc[0]
        if isinstance(cell, str):
            return self._falls(items)
        alone = [
            Item(level, 0, "", column, {column: [cell[place] for place in group]})
            for group in [*groups, []]
        ]
        falls = self._falls([*items, *alone])
        differences = np.stack(
            [falls[: len(items)], falls[-1] - falls[len(items) : -1]]
        )
        sizes = np.abs(differences).mean(axis=1, keepdims=True)
        alike = np.divide(
            differences, sizes, out=np.zeros_like(differences), where=sizes > 0
        )
        mean: Floats = sizes.mean() * alike.mean(axis=0)
        return mean

    def _words(self, column: str, order: Sequence[int]) -> None:
        """Leave out the words of the messages that matter most."""
        messages = self.contents.messages[column]
        spans = spans_of_messages(self.model.system, self.user, column, messages)
        self.spans[column] = spans
        kinds = {word: None for place in order for word, *_ in spans[place]}
        everything = {word for found in spans.values() for word, *_ in found}
        words = list(kinds)[: self.most]
        if len(everything) > len(words):
            self._count("word", len(everything) - len(words))
        items = list(
            without_words(self.user, column, spans, [[word] for word in words])
        )
        for item, fall in zip(items, self._falls(items), strict=True):
            self._add(*item[:4], fall)

    def _neighbours(self) -> None:
        found = without_links(self.model, self.user, self.most)
        if found is None:
            return
        self.notes += found.notes
        if found.n_left_out:
            self._count("neighbour", found.n_left_out)
        for other, fall in zip(found.ids, found.falls, strict=True):
            self._add("neighbour", other, str(other), found.column, fall)

    def _add(
        self, level: str, item: Any, text: str, source: str, contribution: Any
    ) -> None:
        self.rows.append(
            {
                "level": level,
                "item": item,
                "text": text,
                "contribution": float(contribution),
                "source": source,
            }
        )

    def _count(self, level: str, number: int) -> None:
        self.left_out[level] = self.left_out.get(level, 0) + number

    def _result(self) -> Explanation:
        columns = ["level", "item", "text", "contribution", "source"]
        # Of objects, since pandas' strings refuse lone surrogates.
        table = pd.DataFrame(self.rows, columns=columns, dtype=object)
        table["contribution"] = table["contribution"].astype(float)
        rank = table["level"].map({level: n for n, level in enumerate(LEVELS)})
        order = np.lexsort((-table["contribution"], rank))
        table = table.iloc[order].reset_index(drop=True)
        self._attend(table)
        return Explanation(
            task=self.model.task,
            label=self.model.label,
            predicted=self.model.predicted,
            probability=self.model.probability,
            log_odds=self.model.whole,
            table=table,
            weights_=linear_weights(self.model, self.user),
            gradients_=word_gradients(self.model, self.user),
            left_out_=self.left_out,
            notes_=self.notes,
            images=self.contents.images,
            messages=self.contents.messages,
            spans=self.spans,
            user=self.user,
        )

    def _attend(self, table: pd.DataFrame) -> None:
        """Add the attention of a net, where it has a weight for every message."""
        weights = message_attention(self.model, self.user)
        messages = [(c, p) for c, own in self.contents.messages.items() for p in own]
        if weights is None or "message" not in self.levels:
            return
        if len(weights) != len(messages):
            self.notes.append(
                f"attention is not shown: the net reads {len(weights)} of the "
                f"{len(messages)} messages"
            )
            return
        known = dict(zip(messages, weights, strict=True))
        is_message = table["level"] == "message"
        table["attention"] = [
            known.get((source, item), np.nan) if message else np.nan
            for source, item, message in zip(
                table["source"], table["item"], is_message, strict=True
            )
        ]
