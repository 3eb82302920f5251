"""Tokenizers of language models: read from a folder, given as objects or trained."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from sklearn_profiling._optional import import_optional
from sklearn_profiling.containers import Vocabulary
from sklearn_profiling.exceptions import SourceError
from sklearn_profiling.sources.pretrained._folders import check_folder

__all__ = [
    "SPECIAL_TOKENS",
    "as_transformers_tokenizer",
    "cutting",
    "load_tokenizer",
    "load_transformers_tokenizer",
    "short_reason",
    "train_tokenizer",
    "vocabulary_of",
    "with_near_ids",
]

#: Ids that any tokenizer may have, however few its tokens.
_ALWAYS: Final = 1 << 20

#: Special tokens of a trained tokenizer in the order of their ids, which begins as T5's
#: does: padding 0, end 1, unknown 2.
SPECIAL_TOKENS: Final = {
    "pad_token": "<pad>",
    "eos_token": "</s>",
    "unk_token": "<unk>",
    "bos_token": "<s>",
    "mask_token": "<mask>",
}


def _tokenizers(owner: object) -> ModuleType:
    name = type(owner).__name__
    return import_optional("tokenizers", extra="multimodal", purpose=name)


def load_tokenizer(tokenizer: Any, owner: object) -> Any:
    """Return a copy as a ``tokenizers.Tokenizer``, without truncation or padding.

    Takes a folder, a ``tokenizers.Tokenizer`` or a ``PreTrainedTokenizerFast``; `owner`
    is the step that errors name.
    """
    kind = _tokenizers(owner).Tokenizer
    if isinstance(tokenizer, str | os.PathLike):
        tokenizer = _read_folder(Path(tokenizer), kind, owner)
    found = getattr(tokenizer, "backend_tokenizer", tokenizer)
    if not isinstance(found, kind):
        msg = (
            f"{type(owner).__name__}: tokenizer must be a folder, a "
            "tokenizers.Tokenizer or a PreTrainedTokenizerFast; got "
            f"{type(tokenizer).__module__}.{type(tokenizer).__qualname__}"
        )
        raise SourceError(msg)
    copy = kind.from_str(found.to_str())
    copy.no_truncation()
    copy.no_padding()
    return copy


def load_transformers_tokenizer(tokenizer: Any, owner: object) -> Any:
    """Return a ``PreTrainedTokenizerFast`` as it is, or that of a folder."""
    if isinstance(tokenizer, str | os.PathLike):
        tokenizer = _read_configured(Path(tokenizer), owner)
    if not hasattr(tokenizer, "backend_tokenizer"):
        msg = (
            f"{type(owner).__name__}: tokenizer must be a folder or a "
            "PreTrainedTokenizerFast, which knows its special tokens; got "
            f"{type(tokenizer).__module__}.{type(tokenizer).__qualname__}"
        )
        raise SourceError(msg)
    return tokenizer


def _read_folder(folder: Path, kind: Any, owner: object) -> Any:
    if folder.is_dir():
        check_folder(folder)
    single = folder / "tokenizer.json"
    if not single.is_file() or _is_configured(folder):
        return _read_configured(folder, owner)
    try:
        return with_near_ids(kind.from_file(os.fspath(single)))
    except Exception as error:  # the package raises no other
        raise SourceError(_unreadable(folder, error, owner)) from error


def _is_configured(folder: Path) -> bool:
    names = ("tokenizer_config.json", "config.json")
    return any((folder / name).is_file() for name in names)


def _read_configured(folder: Path, owner: object) -> Any:
    """Read a tokenizer whose class is named by a file beside it."""
    transformers = import_optional(
        "transformers", extra="multimodal", purpose=type(owner).__name__
    )
    if not folder.is_dir():
        raise SourceError(_unreadable(folder, "there is no such folder", owner))
    check_folder(folder)
    single = folder / "tokenizer.json"
    try:
        if single.is_file():  # before transformers, which copies its list of tokens
            with_near_ids(_tokenizers(owner).Tokenizer.from_file(os.fspath(single)))
        made = transformers.AutoTokenizer.from_pretrained(
            folder, local_files_only=True, trust_remote_code=False
        )
        return with_near_ids(made) if hasattr(made, "backend_tokenizer") else made
    # A file that is absent or damaged shows as nearly any.
    except Exception as error:
        raise SourceError(_unreadable(folder, error, owner)) from error


def with_near_ids(tokenizer: Any) -> Any:
    """Return a tokenizer, whose copies list all ids up to the largest."""
    ids = tokenizer.get_vocab()
    largest = max(ids.values(), default=0)
    if largest > _ALWAYS + 2 * len(ids):
        msg = f"the id {largest:,} is far beyond its {len(ids):,} tokens"
        raise SourceError(msg)
    return tokenizer


def _unreadable(folder: Path, reason: object, owner: object) -> str:
    return (
        f"{type(owner).__name__}: tokenizer={os.fspath(folder)!r} is to be the path of "
        f"a folder with a tokenizer: {short_reason(reason)}. Put there the files of a "
        "Hugging Face tokenizer (tokenizer.json and tokenizer_config.json), as its "
        "save_pretrained writes them; nothing is downloaded, so a name on the hub will "
        "not do"
    )


def short_reason(reason: object) -> str:
    """Give the first line of transformers' reasons, which may have many."""
    # The error that is raised from this one has them all.
    text = str(reason)
    if "trust_remote_code" in text:
        # It advises to trust it.
        return "it needs Python code of its own (auto_map), which is never run"
    return text.partition("\n")[0].rstrip(" .:")


@contextmanager
def cutting(owner: object) -> Iterator[None]:
    """Say of a tokenizer that fails, as one without a token for unknown words."""
    try:
        yield
    except Exception as error:  # the package raises no other
        reason = f"the tokenizer cannot cut a text: {short_reason(error):.60}"
        msg = f"{type(owner).__name__}: {reason}"
        raise SourceError(msg) from error


def train_tokenizer(messages: Iterable[str], n_tokens: int, owner: object) -> Any:
    """Learn a byte-level byte-pair encoding of at most `n_tokens` tokens.

    These are the special tokens, 256 bytes and the most frequent merges, so that any
    text can be encoded.
    """
    package = _tokenizers(owner)
    tokenizer = package.Tokenizer(package.models.BPE())
    bytes_ = package.pre_tokenizers.ByteLevel
    tokenizer.pre_tokenizer = bytes_(add_prefix_space=False)
    tokenizer.decoder = package.decoders.ByteLevel()
    trainer = package.trainers.BpeTrainer(
        vocab_size=n_tokens,
        special_tokens=list(SPECIAL_TOKENS.values()),
        initial_alphabet=bytes_.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(messages, trainer)
    return tokenizer


def as_transformers_tokenizer(tokenizer: Any, owner: object) -> Any:
    """Return a trained tokenizer as a ``PreTrainedTokenizerFast``.

    It knows its special tokens and ends each text with the end token, as T5's does.
    """
    package = _tokenizers(owner)
    transformers = import_optional(
        "transformers", extra="multimodal", purpose=type(owner).__name__
    )
    copy = package.Tokenizer.from_str(tokenizer.to_str())
    end = SPECIAL_TOKENS["eos_token"]
    copy.post_processor = package.processors.TemplateProcessing(
        single=f"$A {end}",
        pair=f"$A {end} $B {end}",
        special_tokens=[(end, copy.token_to_id(end))],
    )
    return transformers.PreTrainedTokenizerFast(tokenizer_object=copy, **SPECIAL_TOKENS)


def vocabulary_of(tokenizer: Any) -> Vocabulary:
    """List the tokens by id; ids that are not in use are named ``<unused id>``."""
    ids = tokenizer.get_vocab(with_added_tokens=True)
    words = [f"<unused {i}>" for i in range(max(ids.values(), default=-1) + 1)]
    for token, i in ids.items():
        words[i] = token
    return Vocabulary(words)
