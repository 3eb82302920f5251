"""Where the vision models of transformers keep the state of an image.

A vision transformer has positions before its patches: [CLS], the distillation token of
DeiT, the registers of DINOv2. Others have a learned pooler (SigLIP), or none (Swin).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sklearn_profiling.exceptions import SourceError

if TYPE_CHECKING:
    from torch import Tensor

__all__ = [
    "image_state",
    "n_before_patches",
    "patch_states",
    "refuse_patches",
    "vision_part",
]

_CLS = ("cls_token", "class_embedding")
_OTHERS = ("distillation_token", "register_tokens")


def vision_part(whole: Any) -> Any:
    """Return what reads images in a model, or a configuration, of images and text."""
    for name in ("vision_model", "vision_config"):
        part = getattr(whole, name, None)
        if part is not None:
            return part
    return whole


def refuse_patches(config: Any, owner: str) -> None:
    """Raise SourceError for the configuration of a model that reads no whole images.

    NaFlex SigLIP2 takes patches of images of any shape with their places.
    """
    if getattr(config, "model_type", None) == "siglip2_vision_model":
        msg = (
            f"{owner}: a NaFlex model of SigLIP2 reads patches of images of any shape, "
            "not images of one size; take SigLIP2 of a fixed size, such as "
            "siglip2-base-patch16-224"
        )
        raise SourceError(msg)


def _tokens(model: Any, names: tuple[str, ...]) -> int:
    """Count the positions whose states a model learns, by the names of parameters."""
    found = 0
    for name, value in model.named_parameters():
        if name.rpartition(".")[2] in names:
            # Of shape (1, n_tokens, n_features), or that of CLIP's [CLS]: (n_features,)
            found += value.shape[-2] if value.ndim > 1 else 1
    return found


def n_before_patches(model: Any) -> int:
    """Count the positions before the patches."""
    return _tokens(model, _CLS + _OTHERS)


def image_state(model: Any, read: Any) -> Tensor | None:
    """Return the state of each image, (n_images, n_features), from what was `read`.

    That of [CLS], after CLIP's last normalisation, else what a learned pooler makes;
    None where a model has neither.
    """
    pooled: Tensor | None = getattr(read, "pooler_output", None)
    if _tokens(model, _CLS):
        first: Tensor = read.last_hidden_state[:, 0]
        return pooled if hasattr(model, "post_layernorm") else first
    # SigLIP's attention with a learned query.
    return pooled if hasattr(model, "head") else None


def patch_states(model: Any, read: Any) -> Tensor:
    """Return the states of patches, (n_images, n_patches, n_features)."""
    states: Tensor = read.last_hidden_state
    if states.ndim == 4:  # (n_images, n_features, rows, columns)
        return states.flatten(2).transpose(1, 2)
    return states[:, n_before_patches(model) :]
