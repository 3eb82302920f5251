"""A profile written by a decoder that reads text and images (the unified framework)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from sklearn_profiling.architectures.generators._kv_cache import (
    read_states,
    score_answers,
)
from sklearn_profiling.architectures.generators._token_rows import TokenRows
from sklearn_profiling.architectures.layers.images import FlatImages
from sklearn_profiling.architectures.layers.sources import SourceBatch
from sklearn_profiling.architectures.layers.text import FlatText

__all__ = ["ProfileGenerator", "ProfileInputs", "Question", "TokenIds"]


class TokenIds(NamedTuple):
    """Ids that mean something to the language model.

    Attributes
    ----------
    pad, end, start, mask : int
        What fills rows, ends a text, begins what the decoder writes, and stands for
        what is hidden.
    offset : int
        What to add to the ids of a text to get those of the model.
    """

    pad: int
    end: int
    start: int
    mask: int
    offset: int


class Question(NamedTuple):
    """What the decoder is asked about one task.

    Attributes
    ----------
    header : list of int
        Tokens of the task's name.
    answers : list of list of int
        Tokens of each possible answer.
    members : Tensor of bool, shape (n_answers, n_classes)
        Which classes an answer names.
    is_set : bool
        Whether an answer may name several.
    """

    header: list[int]
    answers: list[list[int]]
    members: Tensor
    is_set: bool

    def class_logits(self, scores: Tensor) -> Tensor:
        """Turn scores of answers into logits of classes.

        Parameters
        ----------
        scores : Tensor, shape (n_users, n_answers)
            Logarithms, up to a constant, of the probabilities of the answers.

        Returns
        -------
        Tensor, shape (n_users, n_classes)
            Logits, for softmax; for sigmoid where answers name several classes.
        """
        members = self.members.to(scores.device)
        if not self.is_set:
            return scores[:, members.int().argmax(dim=0)]
        each = scores.unsqueeze(2)  # (n_users, n_answers, 1)
        inside = each.masked_fill(~members, -torch.inf).logsumexp(dim=1)
        outside = each.masked_fill(members, -torch.inf).logsumexp(dim=1)
        return inside - outside


@dataclass(frozen=True)
class ProfileInputs:
    """What a generator may read of the users of a batch.

    Attributes
    ----------
    reviews : TokenRows
        Text of the users.
    captions : TokenRows
        Text about their images.
    profile : TokenRows
        A profile of which parts are masked; usually empty.
    images : FlatImages or None
        Their images.
    """

    reviews: TokenRows
    captions: TokenRows
    profile: TokenRows
    images: FlatImages | None

    @property
    def n_users(self) -> int:
        """Number of users."""
        return self.reviews.n_users

    def part(self, start: int, stop: int) -> ProfileInputs:
        """Choose neighbouring users.

        Parameters
        ----------
        start, stop : int
            Rows from `start` to before `stop`.

        Returns
        -------
        ProfileInputs
            Their inputs.
        """
        images = self.images
        if images is not None:
            users = images.image_users
            inside = (users >= start) & (users < stop)
            images = FlatImages(
                images.pixels[inside], users[inside] - start, stop - start
            )
        return ProfileInputs(
            self.reviews.part(start, stop),
            self.captions.part(start, stop),
            self.profile.part(start, stop),
            images,
        )


class ProfileGenerator(nn.Module):
    """Encoder of text, encoder of images, fusion, decoder of profiles.

    Parameters
    ----------
    language_model : Module
        Encoder and decoder with the interface of Hugging Face's sequence-to-sequence
        models (T5, BART).
    image_encoder : Module or None
        From FlatImages to one state an image, or several; None reads no image.
    fusion : Module or None
        One of :mod:`~sklearn_profiling.architectures.generators._fusion`; goes with
        `image_encoder`.
    ids : TokenIds
        Ids of the language model.
    questions : sequence of Question
        What to ask about each task, in the order of the profile.
    sources : mapping of {"text", "captions", "images"} to str
        Names of the sources to read.
    max_tokens : int
        Tokens of text to read of a user, with the one that ends it.
    normalise_length : bool
        Whether the score of an answer is the mean over its tokens, not the sum.

    Notes
    -----
    Of a text that is too long the reviews are cut, then, down to half of the room, the
    captions or the masked profile that follow them (our choice).
    """

    def __init__(
        self,
        language_model: nn.Module,
        image_encoder: nn.Module | None,
        fusion: nn.Module | None,
        *,
        ids: TokenIds,
        questions: Sequence[Question],
        sources: Mapping[str, str],
        max_tokens: int,
        normalise_length: bool,
    ) -> None:
        super().__init__()
        self.language_model = language_model
        self.image_encoder = image_encoder
        self.fusion = fusion
        self.ids = ids
        self.questions = list(questions)
        self.sources = dict(sources)
        self.max_tokens = max_tokens
        self.normalise_length = normalise_length
        # Parameters that stand under several names are saved under the first.
        first: dict[int, str] = {}
        self._aliases = {
            name: first[id(value)]
            for name, value in self.named_parameters(remove_duplicate=False)
            if first.setdefault(id(value), name) != name
        }
        self.register_state_dict_post_hook(_drop_aliases)  # type: ignore[no-untyped-call]
        self.register_load_state_dict_pre_hook(_restore_aliases)  # type: ignore[no-untyped-call]

    def inputs(self, sources: Mapping[str, SourceBatch]) -> ProfileInputs:
        """Take what is read from the sources of a batch.

        Parameters
        ----------
        sources : mapping of str to FlatText, FlatImages or Tensor
            The sources of a batch.

        Returns
        -------
        ProfileInputs
            Reviews, captions and images.
        """
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

    def _read_text(self, inputs: ProfileInputs) -> tuple[Tensor, Tensor]:
        """Ids and mask of shape (n_users, n_tokens), each text with its end."""
        n_users = inputs.n_users
        text = self._fitting_text(inputs, self.max_tokens - 1)
        everybody = torch.arange(n_users, device=text.ids.device)
        end = TokenRows(torch.full_like(everybody, self.ids.end), everybody, n_users)
        return text.join(end).padded(self.ids.pad)

    def _fitting_text(self, inputs: ProfileInputs, room: int) -> TokenRows:
        """Text of each user, cut to the tokens there is room for."""
        n_users = inputs.n_users
        extra = inputs.captions.join(inputs.profile)
        # With nothing else to read, what follows the reviews may take all the room.
        counts = torch.bincount(inputs.reviews.users, minlength=n_users)
        extra = extra.first((room - counts).clamp(min=room // 2))
        taken = torch.bincount(extra.users, minlength=n_users)
        return inputs.reviews.first(room - taken).join(extra)

    def encode(self, inputs: ProfileInputs) -> tuple[Tensor, Tensor]:
        """Compute the states that the decoder reads.

        Parameters
        ----------
        inputs : ProfileInputs
            What to read.

        Returns
        -------
        states : Tensor, shape (n_users, n_states, n_features)
            States.
        is_state : Tensor of bool, shape (n_users, n_states)
            False where padded.
        """
        ids, is_token = self._read_text(inputs)
        model: Any = self.language_model
        read = model.get_encoder()(input_ids=ids, attention_mask=is_token.long())
        states, seen = read.last_hidden_state, self.image_states(inputs.images)
        if self.fusion is None or seen is None:
            return states, is_token
        fused: tuple[Tensor, Tensor] = self.fusion(states, is_token, *seen)
        return fused

    def image_states(self, images: FlatImages | None) -> tuple[Tensor, Tensor] | None:
        """Compute states of images, those of a user side by side.

        Parameters
        ----------
        images : FlatImages or None
            Images.

        Returns
        -------
        table : Tensor, shape (n_users, n_states, n_features)
            States; None instead of both where nobody has an image.
        is_image : Tensor of bool, shape (n_users, n_states)
            False where padded.
        """
        if self.image_encoder is None or images is None or not images.n_images:
            return None
        seen = self.image_encoder(images)  # (n_images, n_states_each, n_features)
        n_each = seen.shape[1]
        counts = torch.bincount(images.image_users, minlength=images.n_users) * n_each
        steps = torch.arange(int(counts.max()), device=seen.device)
        is_image = steps < counts.unsqueeze(1)
        table = seen.new_zeros(*is_image.shape, seen.shape[2])
        table[is_image] = seen.flatten(0, 1)
        return table, is_image

    def token_log_likelihoods(
        self, states: Tensor, is_state: Tensor, written: Tensor
    ) -> Tensor:
        """Compute how likely each token of a text is after those before it.

        Parameters
        ----------
        states : Tensor, shape (n_users, n_states, n_features)
            What :meth:`encode` gives.
        is_state : Tensor of bool, shape (n_users, n_states)
            False where padded.
        written : Tensor of int64, shape (n_users, n_written)
            Tokens.

        Returns
        -------
        Tensor, shape (n_users, n_written)
            Logarithms of probabilities.
        """
        before = torch.roll(written, 1, dims=1)
        before[:, 0] = self.ids.start
        model: Any = self.language_model
        logits = model(
            encoder_outputs=(states,),
            attention_mask=is_state.long(),
            decoder_input_ids=before,
            use_cache=False,
        ).logits
        flat = functional.cross_entropy(
            logits.flatten(0, 1), written.flatten(), reduction="none"
        )
        return -flat.reshape(written.shape)

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
            Not used: who lacks a source has no token and no image.

        Returns
        -------
        tuple of Tensor, shape (n_users, n_classes)
            Logits, one tensor a task. The best answer to each question stands before
            the next one.
        """
        states, is_state = self.encode(self.inputs(sources))
        memory = self._remember(states, is_state)
        said: list[list[int]] = [[] for _ in range(len(states))]
        logits = []
        for question in self.questions:
            said = [row + question.header for row in said]
            scores = self.answer_scores(states, is_state, said, question, memory)
            logits.append(question.class_logits(scores))
            best = scores.argmax(dim=1).tolist()
            said = self._after(said, question, best)
        return tuple(logits)

    def _remember(self, states: Tensor, is_state: Tensor) -> Any:
        """Let the decoder read the states once, for several answers."""
        return read_states(self.language_model, states, is_state, self.ids.start)

    def _after(
        self, said: list[list[int]], question: Question, best: list[int]
    ) -> list[list[int]]:
        """Append the answers, so that they stand before the next question."""
        return [row + question.answers[k] for row, k in zip(said, best, strict=True)]

    def answer_scores(
        self,
        states: Tensor,
        is_state: Tensor,
        said: list[list[int]],
        question: Question,
        memory: Any = None,
    ) -> Tensor:
        """Score each answer to a question.

        Parameters
        ----------
        states : Tensor, shape (n_users, n_states, n_features)
            What :meth:`encode` gives.
        is_state : Tensor of bool, shape (n_users, n_states)
            False where padded.
        said : list of list of int
            Tokens before the answer, for each user.
        question : Question
            The answers.
        memory : Cache, default=None
            What the decoder remembers of the states, if it has read them before.

        Returns
        -------
        Tensor, shape (n_users, n_answers)
            Sum, or mean, of the logarithms of the probabilities of its tokens.
        """
        if memory is None:
            memory = self._remember(states, is_state)
        return score_answers(
            self.language_model,
            memory,
            is_state,
            [[self.ids.start, *row] for row in said],
            question.answers,
            normalise_length=self.normalise_length,
        )


def _drop_aliases(
    module: nn.Module, state: dict[str, Tensor], prefix: str, metadata: object
) -> None:
    del metadata
    for name in module._aliases:  # type: ignore[union-attr]  # noqa: SLF001
        state.pop(prefix + str(name), None)


def _restore_aliases(
    module: nn.Module, state: dict[str, Tensor], prefix: str, *others: object
) -> None:
    del others
    for name, first in module._aliases.items():  # type: ignore[union-attr, operator]  # noqa: SLF001
        state[prefix + name] = state[prefix + first]


class SelectAtt(ProfileGenerator):
    """Encoder of text, patches of images, selective attention, decoder of profiles.

    :class:`ProfileGenerator`, with its parameters, whose `image_encoder` gives the
    states of patches and whose `fusion` is the selective attention.
    """
