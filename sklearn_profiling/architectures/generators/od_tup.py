"""OD-TUP: a language model reads a prompt for each attribute and writes its value.

Wen et al., "Towards Open-Domain Twitter User Profile Inference", Findings of ACL 2023.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from sklearn_profiling.architectures.generators._tokens import ProfileInputs, TokenRows
from sklearn_profiling.architectures.generators.profile_generator import (
    ProfileGenerator,
)
from sklearn_profiling.architectures.layers.sources import SourceBatch

__all__ = ["ODTUP"]


@dataclass(frozen=True)
class PromptedInputs(ProfileInputs):
    """What a generator may read, and behind it the tokens that ask for an attribute."""

    prompt: list[int]


class ODTUP(ProfileGenerator):
    """Reads the text of a user once for each attribute, with a prompt behind it.

    The decoder writes the value of that attribute alone.

    Parameters
    ----------
    sources, n_classes, language_model : as in ProfileGenerator
        What is read, the classes, and the model.
    image_model : None
        No image is read.
    profile : ProfileDescription
        How profiles are written; the prefix of each task is its prompt.
    captions, max_tokens, scoring, fusion : as in ProfileGenerator
        The prompt is among the `max_tokens`, and nothing is fused.
    """

    per_task: ClassVar[bool] = True

    def readings(self, inputs: ProfileInputs) -> list[ProfileInputs]:
        """Put the prompt of each task behind the text.

        Parameters
        ----------
        inputs : ProfileInputs
            What is known of the users of a batch.

        Returns
        -------
        list of ProfileInputs
            One a task.
        """
        text = inputs.reviews, inputs.captions, inputs.profile
        return [PromptedInputs(*text, None, prompt.prefix) for prompt in self.prompts]

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
            Ignored: users without a source have no token.

        Returns
        -------
        tuple of Tensor, shape (n_users, n_classes)
            Logits, one tensor a task.
        """
        inputs = self.inputs(sources)
        nothing: list[list[int]] = [[] for _ in range(inputs.n_users)]
        logits = []
        for prompt, reading in zip(self.prompts, self.readings(inputs), strict=True):
            states, is_state = self.encode(reading)
            scores = self.answer_scores(states, is_state, nothing, prompt)
            logits.append(prompt.class_logits(scores))
        return tuple(logits)
