"""A profile written by a decoder that reads images as tokens before text (LLaVA)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from sklearn_profiling.architectures.generators.causal_lm import CausalLM

__all__ = ["LLaVA", "ProjectedImages"]


class ProjectedImages(nn.Module):
    """Bring states of images to vectors of tokens, and put them before the text.

    ``W_2 GELU(W_1 h + b_1) + b_2`` of each state h, both layers as long as the vector
    of a token (LLaVA 1.5).

    Parameters
    ----------
    n_text : int
        Length of a vector of a token.
    n_image : int
        Length of a state of an image.
    """

    def __init__(self, n_text: int, n_image: int) -> None:
        super().__init__()
        self.project = nn.Sequential(
            nn.Linear(n_image, n_text), nn.GELU(), nn.Linear(n_text, n_text)
        )

    def forward(
        self, text: Tensor, is_token: Tensor, images: Tensor, is_image: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Join the vectors.

        Parameters
        ----------
        text : Tensor, shape (n_users, n_tokens, n_text)
            Vectors of the tokens; the first of each user starts the prompt.
        is_token : Tensor of bool, shape (n_users, n_tokens)
            False where padded.
        images : Tensor, shape (n_users, n_states, n_image)
            States of the images.
        is_image : Tensor of bool, shape (n_users, n_states)
            False where a user has fewer images.

        Returns
        -------
        vectors : Tensor, shape (n_users, n_states + n_tokens, n_text)
            The first token, the images, the other tokens.
        is_state : Tensor of bool, shape (n_users, n_states + n_tokens)
            False where there is nothing to read.
        """
        vectors = torch.cat([text[:, :1], self.project(images), text[:, 1:]], dim=1)
        there = torch.cat([is_token[:, :1], is_image, is_token[:, 1:]], dim=1)
        return vectors, there


class LLaVA(CausalLM):
    """Decoder that reads images and text of a user and writes the profile after them.

    :class:`CausalLM` whose `image_encoder` gives the states of patches, and whose
    `fusion` is a :class:`ProjectedImages`.

    Parameters
    ----------
    language_model : Module
        Decoder with the interface of Hugging Face's models for causal language
        modelling (LLaMA, GLM, GPT-2), whose attention keeps a cache.
    image_encoder : Module or None
        From FlatImages to the states of the patches of each image; None reads no image.
    fusion : Module or None
        What puts them into the prompt; goes with `image_encoder`.
    ids : TokenIds
        Ids of the language model.
    questions : sequence of Question
        What to ask about each task, in the order of the profile.
    sources : mapping of {"text", "captions", "images"} to str
        Names of the sources to read.
    max_tokens : int
        Tokens of text to read of a user, with those that begin and end the prompt.
    normalise_length : bool
        Whether the score of an answer is the mean over its tokens, not the sum.
    request : sequence of int
        Tokens that end the prompt, at least one.
    """
