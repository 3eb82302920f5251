"""A profile written by a decoder that reads text and images, and SelectAtt.

"Exploring Unified Training Framework for Multimodal User Profiling", ACL submission
(anonymous).

Li et al., "On Vision Features in Multimodal Machine Translation", ACL 2022.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from sklearn_profiling.architectures.generators._image_states import ImageStates
from sklearn_profiling.architectures.generators._kv_cache import (
    cache_states,
    score_answers,
    widened,
)
from sklearn_profiling.architectures.generators._tokens import (
    ProfileDescription,
    ProfileInputs,
    TaskPrompt,
    TokenRows,
)
from sklearn_profiling.architectures.layers.images import FlatImages
from sklearn_profiling.architectures.layers.sources import (
    SourceBatch,
    SourceDescription,
)
from sklearn_profiling.architectures.layers.sparsemax import sparsemax
from sklearn_profiling.architectures.layers.text import FlatText
from sklearn_profiling.exceptions import SourceError

__all__ = [
    "FUSIONS",
    "BaseGenerator",
    "ConcatenatedStates",
    "ProfileGenerator",
    "SelectAtt",
    "SelectiveAttention",
    "TextGuidedAttention",
]

# -- fusions of the states of text and images ------------------------------------------
#
# Each joins the states of a text (n_users, n_tokens, n_text) and of images (n_users,
# n_images, n_image), with masks, to the states that the decoder reads and their mask.

States = tuple[Tensor, Tensor]


class ConcatenatedStates(nn.Module):
    """Append the states of images to those of the text (eq. 3)."""

    reads_patches: ClassVar[bool] = False

    def __init__(self, n_text: int, n_image: int) -> None:
        super().__init__()
        self.project = nn.Linear(n_image, n_text)

    def forward(
        self, text: Tensor, is_token: Tensor, images: Tensor, is_image: Tensor
    ) -> States:
        """Join the states: (n_users, n_tokens + n_images, n_text)."""
        states = torch.cat([text, self.project(images)], dim=1)
        return states, torch.cat([is_token, is_image], dim=1)


class TextGuidedAttention(nn.Module):
    """Add to each text state what it attends to in the images (eq. 6 to 8).

    ``H = H_txt + IF(img) * tanh(H_txt W_T + H_img W_I) * H_img`` with ``H_img =
    FFN(sparsemax(H_txt K^T / sqrt(d)) V)``; keys and values are the image states. The
    feed-forward layer has `n_hidden` units, 4 d by default, as in transformers.
    """

    reads_patches: ClassVar[bool] = False

    def __init__(self, n_text: int, n_image: int, n_hidden: int | None = None) -> None:
        super().__init__()
        n_hidden = 4 * n_text if n_hidden is None else n_hidden
        self.project = nn.Linear(n_image, n_text)
        self.feed_forward = nn.Sequential(
            nn.Linear(n_text, n_hidden), nn.ReLU(), nn.Linear(n_hidden, n_text)
        )
        # Without a bias, so that nothing seen leaves the gate closed.
        self.gate_text = nn.Linear(n_text, n_text, bias=False)
        self.gate_image = nn.Linear(n_text, n_text, bias=False)

    def forward(
        self, text: Tensor, is_token: Tensor, images: Tensor, is_image: Tensor
    ) -> States:
        """Fuse the states: (n_users, n_tokens, n_text).

        Of a user without images they are those of the text, bit by bit.
        """
        keys = self.project(images)  # (n_users, n_images, n_text)
        scores = text @ keys.transpose(1, 2) / math.sqrt(text.shape[2])
        weights = sparsemax(scores, is_image.unsqueeze(1))
        seen = self.feed_forward(weights @ keys)  # (n_users, n_tokens, n_text)
        gate = torch.tanh(self.gate_text(text) + self.gate_image(seen))
        there = is_image.any(dim=1)[:, None, None]
        return torch.where(there, text + gate * seen, text), is_token


class SelectiveAttention(nn.Module):
    """Mix each text state with what it attends to in the images (Li et al. 2022).

    ``H = (1 - g) H_txt + g H_att`` with ``H_att = softmax(Q K^T / sqrt(d)) V`` of one
    head and ``g = sigmoid([H_att; H_txt] W)``; Q are the text states, K and V the
    states of the patches of images.
    """

    reads_patches: ClassVar[bool] = True

    def __init__(self, n_text: int, n_image: int) -> None:
        super().__init__()
        self.query = nn.Linear(n_text, n_text)
        self.key = nn.Linear(n_image, n_text)
        self.value = nn.Linear(n_image, n_text)
        self.gate = nn.Linear(2 * n_text, n_text)

    def forward(
        self, text: Tensor, is_token: Tensor, images: Tensor, is_image: Tensor
    ) -> States:
        """Fuse the states: (n_users, n_tokens, n_text).

        Of a user without images they are those of the text, bit by bit.
        """
        scores = self.query(text) @ self.key(images).transpose(1, 2)
        scores = scores / math.sqrt(text.shape[2])  # (n_users, n_tokens, n_images)
        there = is_image.any(dim=1)[:, None, None]
        # Where there is no image at all nothing is masked, or softmax would be NaN,
        # and the result is discarded below.
        hidden = ~is_image.unsqueeze(1) & there
        weights = torch.softmax(scores.masked_fill(hidden, -torch.inf), dim=2)
        seen = weights @ self.value(images)  # (n_users, n_tokens, n_text)
        gate = torch.sigmoid(self.gate(torch.cat([seen, text], dim=2)))
        return torch.where(there, (1 - gate) * text + gate * seen, text), is_token


FUSIONS: dict[
    str, type[ConcatenatedStates | TextGuidedAttention | SelectiveAttention]
] = {
    "concatenation": ConcatenatedStates,
    "attention": TextGuidedAttention,
    "selective": SelectiveAttention,
}


# -- what all generators share ---------------------------------------------------------


def image_source(sources: Sequence[SourceDescription]) -> SourceDescription:
    """Find the source of images."""
    return next(source for source in sources if source.kind == "images")


def encoder_room(
    language_model: nn.Module, profile: ProfileDescription, max_tokens: int
) -> int:
    """Tokens that an encoder reads of a user.

    Raises SourceError if the decoder has no positions for the longest profile.
    """
    most = n_positions(language_model)
    if most is None:
        return max_tokens
    if profile.longest > most:
        msg = (
            f"the language model has positions for {most} tokens; the longest profile "
            f"of these tasks takes {profile.longest}. Give it a larger "
            "max_position_embeddings"
        )
        raise SourceError(msg)
    return min(max_tokens, most)


def n_positions(language_model: nn.Module) -> int | None:
    """Tokens that a language model has positions for; None if there is no limit."""
    return getattr(language_model.config, "max_position_embeddings", None)


def _role(source: SourceDescription, captions: str | None) -> str:
    if source.kind == "images":
        return "images"
    return "captions" if source.name == captions else "text"


class BaseGenerator(nn.Module):
    """Base of generators: sources to token rows, scores of answers to logits.

    A subclass defines :meth:`encode`, and sets `image_encoder` and `fusion` where it
    reads images. The language model has an encoder and a decoder, unless a subclass
    overrides how it reads and writes.

    Around the text stand the tokens that `profile` says. Of a text that is too long the
    reviews are cut, then, down to half of the room, the
    captions or the masked profile that follow them (our choice).
    """

    # Whether the encoder reads a prompt for each task, and the decoder its value alone.
    per_task: ClassVar[bool] = False
    # Precision of matrices that are not trained; None is that of all.
    frozen_dtype: str | None = None

    def __init__(
        self,
        sources: Sequence[SourceDescription],
        *,
        language_model: nn.Module,
        profile: ProfileDescription,
        captions: str | None,
        max_tokens: int,
        scoring: Literal["sum", "mean"],
    ) -> None:
        super().__init__()
        self.language_model = language_model
        self.image_encoder: nn.Module | None = None
        self.fusion: nn.Module | None = None
        self.ids = profile.ids
        self.around = profile.around
        self.prompts = list(profile.prompts)
        # Names of the text, the captions and the images, where there are any.
        self.sources = {_role(source, captions): source.name for source in sources}
        self.max_tokens = int(max_tokens)
        self.normalise_length = scoring == "mean"

    def freezable(self) -> dict[str, list[nn.Parameter]]:
        """List the parameters of the parts that may be frozen.

        What encoder and decoder share, the table of tokens, is in neither. A head of
        its own belongs to the decoder.
        """
        model: Any = self.language_model
        encoder = list(model.get_encoder().parameters())
        decoder = list(model.get_decoder().parameters())
        decoder += model.get_output_embeddings().parameters()
        shared = {*map(id, encoder)} & {*map(id, decoder)}
        return {
            "text_encoder": [p for p in encoder if id(p) not in shared],
            "decoder": [p for p in decoder if id(p) not in shared],
            "image_encoder": self._image_parameters(),
        }

    def _image_parameters(self) -> list[nn.Parameter]:
        return [] if self.image_encoder is None else [*self.image_encoder.parameters()]

    # -- reading ---------------------------------------------------------------

    def inputs(self, sources: Mapping[str, SourceBatch]) -> ProfileInputs:
        """Take reviews, captions and images from the sources of a batch."""
        given = {role: sources[name] for role, name in self.sources.items()}
        some: Any = next(iter(given.values()))
        device = next(self.parameters()).device
        nothing = TokenRows.empty(some.n_users, device)
        images = given.get("images")
        return ProfileInputs(
            self._tokens(given["text"]) if "text" in given else nothing,
            self._tokens(given["captions"]) if "captions" in given else nothing,
            nothing,
            images if isinstance(images, FlatImages) else None,
        )

    def _tokens(self, text: Any) -> TokenRows:
        flat: FlatText = text
        users = torch.repeat_interleave(flat.message_users, flat.segment_lengths[::2])
        return TokenRows(flat.ids + self.ids.offset, users, flat.n_users)

    def readings(self, inputs: ProfileInputs) -> list[ProfileInputs]:
        """List what is read for each text to write: one profile, or a value a task."""
        return [inputs]

    def _read_text(self, inputs: ProfileInputs) -> tuple[Tensor, Tensor]:
        """Ids and mask of shape (n_users, n_tokens), each text with what is around."""
        text = self._fitting_text(
            inputs, max(0, self.max_tokens - self.around.n_tokens)
        )
        opening = TokenRows.from_lists(self._openings(inputs), text.ids.device)
        return (
            opening.join(text)
            .join(self._same(self.around.closing, text))
            .padded(self.ids.pad)
        )

    def _openings(self, inputs: ProfileInputs) -> list[list[int]]:
        """Tokens before the text of each user."""
        ((opening,), *_) = self.around.openings
        return [list(opening)] * inputs.n_users

    def _same(self, ids: Sequence[int], rows: TokenRows) -> TokenRows:
        return TokenRows.repeated(ids, rows.n_users, rows.ids.device)

    def _fitting_text(self, inputs: ProfileInputs, room: int) -> TokenRows:
        """Text of each user, cut to the tokens there is room for."""
        n_users = inputs.n_users
        extra = inputs.captions.join(inputs.profile)
        # With nothing else to read, what follows the reviews may take all the room.
        counts = torch.bincount(inputs.reviews.users, minlength=n_users)
        extra = extra.first((room - counts).clamp(min=room // 2))
        taken = torch.bincount(extra.users, minlength=n_users)
        text = inputs.reviews.first(room - taken)
        between, behind = self.around.between, self.around.behind
        if between:
            text = text.join(self._same(between, text))
        text = text.join(extra)
        return text.join(self._same(behind, text)) if behind else text

    def image_states(self, images: FlatImages | None) -> States | None:
        """States of images, those of a user side by side, and their mask.

        (n_users, n_states, n_features) and (n_users, n_states); None where nobody has
        an image.
        """
        if self.image_encoder is None or images is None or not images.n_images:
            return None
        seen = self.image_encoder(images)  # (n_images, n_states_each, n_features)
        n_each = seen.shape[1]
        counts = torch.bincount(images.image_users, minlength=images.n_users) * n_each
        steps = torch.arange(int(counts.max()), device=seen.device)
        is_image = steps < counts.unsqueeze(1)  # (n_users, n_states)
        table = seen.new_zeros(*is_image.shape, seen.shape[2])
        table[is_image] = seen.flatten(0, 1)
        return table, is_image

    def encode(self, inputs: ProfileInputs) -> States:
        """Compute the states that the decoder reads, and their mask.

        (n_users, n_states, n_features) and (n_users, n_states).
        """
        raise NotImplementedError

    # -- writing ---------------------------------------------------------------

    def token_log_likelihoods(
        self, states: Tensor, is_state: Tensor, written: Tensor
    ) -> Tensor:
        """Log-probability of each token (n_users, n_written) after those before it."""
        given = written.new_tensor(self.ids.given).expand(len(written), -1)
        before = torch.cat([given, written[:, :-1]], dim=1)
        model: Any = self.language_model
        logits = model(
            encoder_outputs=(states,),
            attention_mask=is_state.long(),
            decoder_input_ids=before,
            use_cache=False,
        ).logits[:, given.shape[1] - 1 :]
        flat = functional.cross_entropy(
            widened(logits).flatten(0, 1), written.flatten(), reduction="none"
        )
        return -flat.reshape(written.shape)

    def fill_cache(self, states: Tensor, is_state: Tensor) -> Any:
        """Let the decoder read the states once, for several answers."""
        return cache_states(self.language_model, states, is_state, self.ids.start)

    def answer_scores(
        self,
        states: Tensor,
        is_state: Tensor,
        prefixes: list[list[int]],
        prompt: TaskPrompt,
        cache: Any = None,
    ) -> Tensor:
        """Log-probability of each answer after the prefix of each user.

        (n_users, n_answers), sums or means over tokens. `cache` is that of the states,
        if it was filled before.
        """
        if cache is None:
            cache = self.fill_cache(states, is_state)
        return score_answers(
            self.language_model,
            cache,
            is_state,
            [[*self.ids.given, *row] for row in prefixes],
            prompt.answers,
            normalise_length=self.normalise_length,
        )

    def forward(
        self,
        sources: Mapping[str, SourceBatch],
        present: Mapping[str, Tensor],  # noqa: ARG002 - the signature of all of them
    ) -> tuple[Tensor, ...]:
        """Score all classes of all tasks, task by task.

        Parameters
        ----------
        sources : mapping of str to FlatText, FlatImages or Tensor
            The sources of a batch.
        present : mapping of str to Tensor of bool, shape (n_users,)
            Ignored: users without a source have no token and no image.

        Returns
        -------
        tuple of Tensor, shape (n_users, n_classes)
            Logits, one tensor a task. The best answers of the tasks before stand in the
            prefix of the next one.
        """
        states, is_state = self.encode(self.inputs(sources))
        cache = self.fill_cache(states, is_state)
        prefixes: list[list[int]] = [[] for _ in range(len(states))]
        logits = []
        for prompt in self.prompts:
            prefixes = [row + prompt.prefix for row in prefixes]
            scores = self.answer_scores(states, is_state, prefixes, prompt, cache)
            logits.append(prompt.class_logits(scores))
            best = scores.argmax(dim=1).tolist()
            prefixes = [
                row + prompt.answers[k] for row, k in zip(prefixes, best, strict=True)
            ]
        return tuple(logits)


# -- the whole -------------------------------------------------------------------------


class ProfileGenerator(BaseGenerator):
    """Encoder of text, encoder of images, fusion, decoder of profiles.

    Parameters
    ----------
    sources : sequence of SourceDescription
        A text, captions and images, or some of them; mean and scale of the images are
        those of the pixels that `image_model` expects.
    n_classes : sequence of int
        Not used: the prompts of `profile` know the classes.
    language_model : Module
        Encoder and decoder with the interface of Hugging Face's sequence-to-sequence
        models (T5, BART).
    image_model : Module or None
        Vision transformer with the interface of Hugging Face's ViT; None without
        images.
    profile : ProfileDescription
        How profiles are written with the tokens of the language model.
    captions : str or None
        Name of the source that holds captions.
    max_tokens : int
        Tokens of text to read of a user, with the one that ends it.
    scoring : {"sum", "mean"}
        Whether the score of an answer is the sum over its tokens or their mean.
    fusion : {"attention", "concatenation", "selective"}, default="attention"
        How states of text and images are joined; "selective" reads the states of
        patches, the others one state an image.
    """

    def __init__(
        self,
        sources: Sequence[SourceDescription],
        n_classes: Sequence[int],  # noqa: ARG002 - as for all architectures
        *,
        language_model: nn.Module,
        image_model: nn.Module | None,
        profile: ProfileDescription,
        captions: str | None,
        max_tokens: int,
        scoring: Literal["sum", "mean"],
        fusion: Literal["attention", "concatenation", "selective"] = "attention",
    ) -> None:
        super().__init__(
            sources,
            language_model=language_model,
            profile=profile,
            captions=captions,
            max_tokens=encoder_room(language_model, profile, max_tokens),
            scoring=scoring,
        )
        if image_model is not None:
            join = FUSIONS[fusion]
            images = ImageStates(
                image_model, image_source(sources), patches=join.reads_patches
            )
            language: Any = language_model.config
            self.image_encoder = images
            self.fusion = join(language.hidden_size, images.n_features)

    def encode(self, inputs: ProfileInputs) -> States:
        """Compute the fused states of text and images, and their mask.

        Parameters
        ----------
        inputs : ProfileInputs
            What to read.

        Returns
        -------
        states : Tensor, shape (n_users, n_states, n_features)
            States that the decoder reads.
        is_state : Tensor of bool, shape (n_users, n_states)
            False where padded.
        """
        ids, is_token = self._read_text(inputs)  # (n_users, n_tokens)
        model: Any = self.language_model
        read = model.get_encoder()(input_ids=ids, attention_mask=is_token.long())
        states, seen = read.last_hidden_state, self.image_states(inputs.images)
        if self.fusion is None or seen is None:
            return states, is_token
        fused: States = self.fusion(states, is_token, *seen)
        return fused


class SelectAtt(ProfileGenerator):
    """Encoder of text, patches of images, selective attention, decoder of profiles.

    Parameters
    ----------
    sources, n_classes, language_model, image_model : as in ProfileGenerator
        What is read, the classes, and the models.
    profile, captions, max_tokens, scoring : as in ProfileGenerator
        How profiles and texts are written and read; the fusion is "selective".
    """

    def __init__(
        self,
        sources: Sequence[SourceDescription],
        n_classes: Sequence[int],
        *,
        language_model: nn.Module,
        image_model: nn.Module | None,
        profile: ProfileDescription,
        captions: str | None,
        max_tokens: int,
        scoring: Literal["sum", "mean"],
    ) -> None:
        super().__init__(
            sources,
            n_classes,
            language_model=language_model,
            image_model=image_model,
            profile=profile,
            captions=captions,
            max_tokens=max_tokens,
            scoring=scoring,
            fusion="selective",
        )
