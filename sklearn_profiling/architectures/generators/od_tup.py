"""A prompt for each attribute, answered by a language model (OD-TUP)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor

from sklearn_profiling.architectures.generators._token_rows import TokenRows
from sklearn_profiling.architectures.generators.profile_generator import (
    ProfileGenerator,
    ProfileInputs,
)
from sklearn_profiling.architectures.layers.sources import SourceBatch

__all__ = ["ODTUP"]


@dataclass(frozen=True)
class PromptedInputs(ProfileInputs):
    """What a generator may read, and the prompt behind it.

    Attributes
    ----------
    prompt : list of int
        Tokens that ask about one attribute.
    """

    prompt: list[int]


class ODTUP(ProfileGenerator):
    """Reads the text of a user once for each attribute, with a prompt behind it.

    The decoder writes the value of that attribute alone.

    Parameters
    ----------
    language_model : Module
        Encoder and decoder, as for :class:`ProfileGenerator`.
    image_encoder : None
        No image is read.
    fusion : None
        Goes with `image_encoder`.
    ids : TokenIds
        Ids of the language model.
    questions : sequence of Question
        What to ask about each task; the header of each is its prompt.
    sources : mapping of {"text", "captions"} to str
        Names of the sources to read.
    max_tokens : int
        Tokens to read of a user, the prompt among them.
    normalise_length : bool
        Whether the score of an answer is the mean over its tokens, not the sum.
    """

    def prompted(self, inputs: ProfileInputs, task: int) -> PromptedInputs:
        """Ask about a task.

        Parameters
        ----------
        inputs : ProfileInputs
            What is known of the users of a batch.
        task : int
            The task.

        Returns
        -------
        PromptedInputs
            The same with the name of the task as prompt.
        """
        return PromptedInputs(
            inputs.reviews,
            inputs.captions,
            inputs.profile,
            None,
            self.questions[task].header,
        )

    def _fitting_text(self, inputs: ProfileInputs, room: int) -> TokenRows:
        """Text of each user, cut so that the prompt is whole."""
        prompt = inputs.prompt if isinstance(inputs, PromptedInputs) else []
        text = super()._fitting_text(inputs, max(0, room - len(prompt)))
        rows = [prompt] * inputs.n_users
        return text.join(TokenRows.from_lists(rows, text.ids.device))

    def forward(
        self,
        sources: Mapping[str, SourceBatch],
        present: Mapping[str, Tensor],  # noqa: ARG002 - the signature of all of them
    ) -> tuple[Tensor, ...]:
        """Score all classes of all tasks, each behind its own prompt.

        Parameters
        ----------
        sources : mapping of str to FlatText or Tensor
            The sources of a batch.
        present : mapping of str to Tensor of bool, shape (n_users,)
            Not used: who lacks a source has no token.

        Returns
        -------
        tuple of Tensor, shape (n_users, n_classes)
            Logits, one tensor a task.
        """
        inputs = self.inputs(sources)
        nothing: list[list[int]] = [[] for _ in range(inputs.n_users)]
        logits = []
        for task, question in enumerate(self.questions):
            states, is_state = self.encode(self.prompted(inputs, task))
            scores = self.answer_scores(states, is_state, nothing, question)
            logits.append(question.class_logits(scores))
        return tuple(logits)
