"""Segmentation, and vectors of words and of users."""

from __future__ import annotations

from typing import Any, ClassVar

from bench_glove import make_text
from bench_segmentation import make_messages, make_tweets

from sklearn_profiling.sources import GloVeTransformer, LatentSemanticVectors
from sklearn_profiling.sources.text import JiebaSegmenter, WordSegmenter


class Segmentation:
    """Chinese to word ids and to lists, and tweets."""

    sizes: ClassVar[dict[str, Any]] = {"megabytes": 2.0}
    tiny: ClassVar[dict[str, Any]] = {"megabytes": 0.01}

    def setup(self) -> None:
        self.chinese = make_messages(self.sizes["megabytes"], 0)
        self.tweets = make_tweets(self.sizes["megabytes"], 0, [*"etaoinshrdlu"])
        JiebaSegmenter().transform([self.chinese[:50]])

    def time_ids(self) -> None:
        JiebaSegmenter().transform([self.chinese])

    def time_ids_of_two_threads(self) -> None:
        JiebaSegmenter(n_jobs=2).transform([self.chinese])

    def time_lists(self) -> None:
        JiebaSegmenter().transform([self.chinese]).tolist()

    def time_tweets(self) -> None:
        WordSegmenter().transform([self.tweets])


class Vectors:
    """Vectors of words by GloVe, and of users by latent semantic analysis."""

    sizes: ClassVar[dict[str, Any]] = {"n_words": 200_000, "n_vocabulary": 5000}
    tiny: ClassVar[dict[str, Any]] = {"n_words": 2000, "n_vocabulary": 50}

    def setup(self) -> None:
        self.text = make_text(**self.sizes, seed=0)
        self.topics = LatentSemanticVectors(n_components=20, random_state=0)
        # Compiled before the clock starts.
        GloVeTransformer(8, max_epochs=1, random_state=0).fit(self.text)

    def time_glove(self) -> None:
        GloVeTransformer(50, max_epochs=1, random_state=0).fit(self.text)

    def time_topics(self) -> None:
        self.topics.fit(self.text)
