"""A profile written from text that looks into the patches of images (SelectAtt)."""

from __future__ import annotations

from sklearn_profiling.architectures.generators.profile_generator import (
    ProfileGenerator,
)

__all__ = ["SelectAtt"]


class SelectAtt(ProfileGenerator):
    """Encoder of text, patches of images, selective attention, decoder of profiles.

    :class:`ProfileGenerator` whose `image_encoder` gives the states of patches, and
    whose `fusion` is a
    :class:`~sklearn_profiling.architectures.generators._fusion.SelectiveAttention`.

    Parameters
    ----------
    language_model : Module
        Encoder and decoder with the interface of Hugging Face's sequence-to-sequence
        models (T5, BART).
    image_encoder : Module or None
        From FlatImages to the states of the patches of each image; None reads no image.
    fusion : Module or None
        The selective attention; goes with `image_encoder`.
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
    """
