"""Tokens around the text of a user: special ones, turns of a chat, a prompt."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sklearn_profiling.architectures.generators._tokens import PromptTokens, TokenIds
from sklearn_profiling.exceptions import ProfilingError
from sklearn_profiling.sources.pretrained._tokenizers import (
    load_transformers_tokenizer,
    short_reason,
)

__all__: list[str] = []

_TEXT = "(the text of a user)"
_GLM = ("[gMASK]", "<sop>")
"""Tokens that begin all texts of GLM."""
_LLAVA_IMAGE = 32000
"""Token of an image, which a configuration of LLaVA need not name."""
_FIELDS = ("{text}", "{captions}")

Encode = Callable[[str], list[int]]


def prompt_tokens(
    owner: Any,
    language: dict[str, Any],
    ids: TokenIds,
    tokenizer: Any,
    *,
    n_images: int,
    llava: dict[str, Any] | None,
    captions: bool,
) -> PromptTokens:
    """Find the tokens around the text of a user with up to `n_images` images.

    They are those that the tokenizer itself puts around a text, as ``<s>`` and ``</s>``
    of BART; for a decoder alone what begins its texts, and the request; or the turns of
    a chat. The prompt of `captions`, where there are any, stands inside. Raises
    ProfilingError if `owner` asks for what its tokenizer cannot write.
    """
    prompt = owner.prompt if captions else None
    if tokenizer is None:
        _refuse_words(owner, prompt)
        causal = owner._language_kind == "causal"  # noqa: SLF001 - of the class
        start = [ids.start] if causal else []
        return PromptTokens(_openings(start, n_images), [], [], [ids.end])

    def encode(text: str) -> list[int]:
        found: list[int] = tokenizer.encode(text, add_special_tokens=False).ids
        return found

    before, closing = _own_frame(tokenizer)
    if owner._language_kind == "causal":  # noqa: SLF001 - constants of the class
        before = before or _begin(language, tokenizer, ids)
        closing = encode(owner.request) or [ids.end]
        openings = _openings(before, n_images)
        if owner.chat:
            openings, closing = _chat(owner, encode, before, n_images, llava)
    else:
        begin = [] if ids.begin is None else [ids.begin]
        openings = _openings(before or begin, 0)
        closing = closing or [ids.end]
    first, between, behind = _around_captions(prompt, encode, type(owner).__name__)
    for parts in openings:
        parts[-1] += first
    return PromptTokens(openings, between, behind, closing)


def _openings(before: list[int], n_images: int) -> list[list[list[int]]]:
    """Tokens before images, which stand side by side, for each number of them."""
    return [[list(before), *([] for _ in range(n))] for n in range(1 + n_images)]


def _own_frame(tokenizer: Any) -> tuple[list[int], list[int]]:
    """Find the special tokens that a tokenizer puts before and behind a text."""
    cut = tokenizer.encode("a")
    inside = [k for k, special in enumerate(cut.special_tokens_mask) if not special]
    if not inside:
        return [], []
    return cut.ids[: inside[0]], cut.ids[inside[-1] + 1 :]


def _begin(language: dict[str, Any], tokenizer: Any, ids: TokenIds) -> list[int]:
    """Tokens that begin the texts of a decoder whose tokenizer does not add them."""
    found = [tokenizer.token_to_id(token) for token in _GLM]
    if language["model_type"].startswith("glm") and None not in found:
        return found
    return [ids.start]


def _refuse_words(owner: Any, prompt: str | None) -> None:
    for name, given in (("chat", owner.chat), ("prompt", prompt)):
        if given:
            msg = (
                f"{type(owner).__name__}: parameter {name} needs a tokenizer, which a "
                "configuration without one does not have; give parameter tokenizer"
            )
            raise ProfilingError(msg)


def _around_captions(
    prompt: str | None, encode: Encode, owner: str
) -> tuple[list[int], list[int], list[int]]:
    """Tokens before the reviews, between them and the captions, and behind these."""
    if prompt is None:
        return [], [], []
    counts = [prompt.count(field) for field in _FIELDS]
    before, _, rest = prompt.partition(_FIELDS[0])
    between, _, behind = rest.partition(_FIELDS[1])
    if counts != [1, 1] or _FIELDS[1] not in rest:
        msg = (
            f"{owner}: parameter prompt must hold {{text}} and then {{captions}}, "
            f"each once; got {prompt!r:.60}"
        )
        raise ProfilingError(msg)
    return encode(before), encode(between), encode(behind)


# -- turns of a chat -------------------------------------------------------------------


def _chat(
    owner: Any,
    encode: Encode,
    before: list[int],
    n_images: int,
    llava: dict[str, Any] | None,
) -> tuple[list[list[list[int]]], list[int]]:
    """Write openings and closing as the chat template of a tokenizer does."""
    given = owner.language_model if owner.tokenizer is None else owner.tokenizer
    template = load_transformers_tokenizer(given, owner)
    image = None
    if llava is not None:
        place = llava.get("image_token_index", _LLAVA_IMAGE)
        image = template.convert_ids_to_tokens(place)
    openings: list[list[list[int]]] = []
    closing = ""
    for n in range(1 + n_images):
        turns = _turns(owner, template, n, of_images=image is not None)
        opening, found, closing = turns.partition(_TEXT)
        # A template without images: they stand side by side before the text.
        parts = [opening, *[""] * n] if image is None else opening.split(image)
        if not found or len(parts) != n + 1:
            msg = (
                f"{type(owner).__name__}: the chat template of the tokenizer does not "
                f"write the text of a user with {n} images before it; set chat=False"
            )
            raise ProfilingError(msg)
        tokens = [encode(part) for part in parts]
        if tokens[0][: len(before)] != before:
            tokens[0] = before + tokens[0]
        openings.append(tokens)
    return openings, encode(closing)


def _turns(owner: Any, template: Any, n_images: int, *, of_images: bool) -> str:
    """Write the turn of a user, and what begins that of the model."""
    text = f"{_TEXT} {owner.request}".rstrip()
    content: Any = text
    if of_images:
        images = [{"type": "image"}] * n_images
        content = [*images, {"type": "text", "text": text}]
    try:
        found: str = template.apply_chat_template(
            [{"role": "user", "content": content}],
            tokenize=False,
            add_generation_prompt=True,
        )
    # The tokenizer has no template, or one that fails, as any of these.
    except Exception as error:
        msg = (
            f"{type(owner).__name__}: parameter chat needs a tokenizer with a chat "
            f"template: {short_reason(error)}"
        )
        raise ProfilingError(msg) from error
    return found
