"""Word endings, word classes and tag classes that features of style count."""

from __future__ import annotations

__all__ = ["TAG_CLASSES", "WORD_CLASSES", "WORD_ENDINGS"]

#: Tags of each class of the F-measure; ``n*`` stands for all tags that begin with n.
#: The tags of "punctuation" mark what is no word.
TAG_CLASSES: dict[str, dict[str, tuple[str, ...]]] = {
    "jieba": {
        "noun": ("n*", "s", "t"),
        "adjective": ("a*", "b", "z*"),
        "preposition": ("p",),
        "article": (),
        "pronoun": ("r*",),
        "verb": ("v*",),
        "adverb": ("d*",),
        "interjection": ("e", "y", "o"),
        "punctuation": ("x", "w"),
    },
    "universal": {
        "noun": ("NOUN", "PROPN"),
        "adjective": ("ADJ",),
        "preposition": ("ADP",),
        "article": ("DET",),
        "pronoun": ("PRON",),
        "verb": ("VERB", "AUX"),
        "adverb": ("ADV",),
        "interjection": ("INTJ",),
        "punctuation": ("PUNCT", "SYM"),
    },
}

#: The endings of Corney et al. (2002) that Mukherjee and Liu (2010) count.
WORD_ENDINGS = ("able", "al", "ful", "ible", "ic", "ive", "less", "ly", "ous")

#: Short lists of our own after the themes that Argamon et al. (2007) found in blogs.
WORD_CLASSES: dict[str, tuple[str, ...]] = {
    "conversation": (
        "ask", "asked", "know", "mean", "people", "say", "saying", "talk", "talking",
        "tell", "think", "thinking",
    ),
    "family": (
        "baby", "brother", "child", "children", "dad", "daughter", "family", "father",
        "husband", "kids", "mom", "mother", "parents", "sister", "son", "wife",
    ),
    "home": (
        "bed", "clean", "cook", "dinner", "eat", "garden", "home", "house", "kitchen",
        "sleep", "tired", "wake",
    ),
    "internet": (
        "blog", "comment", "download", "email", "internet", "link", "online", "page",
        "post", "site", "software", "web", "website",
    ),
    "money": (
        "bank", "business", "buy", "company", "cost", "market", "money", "pay", "price",
        "sell", "stock",
    ),
    "politics": (
        "country", "election", "government", "law", "media", "military",
        "news", "party", "political", "president", "state", "vote", "war",
    ),
    "romance": (
        "beautiful", "cry", "dream", "feel", "forever", "heart", "hurt", "kiss", "love",
        "loved", "miss", "wish",
    ),
    "school": (
        "class", "college", "exam", "grade", "homework", "school", "student",
        "students", "study", "teacher", "test",
    ),
    "sports": (
        "ball", "baseball", "football", "game", "games", "play", "player", "race",
        "score", "team", "win", "won",
    ),
    "time": (
        "afternoon", "day", "evening", "friday", "hour", "monday", "month", "morning",
        "night", "saturday", "sunday", "today", "tomorrow", "week", "weekend",
    ),
    "work": (
        "boss", "idea", "job", "manager", "meeting", "office", "project", "work",
        "worked", "working",
    ),
}  # fmt: skip
