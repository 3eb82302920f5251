"""Rows of the tables of the unified multimodal framework, and the paper's numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

MODES = ("fusion", "text", "masked_image", "masked_profile")
NO_IMAGES = ("text",)

# Initial scale as in the package: 0.02 is meant for ten times as many units.
_SCALE = {"initializer_range": 0.1}
_UNITS = {
    **_SCALE,
    "hidden_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 128,
}
SMALL = {
    "t5": {
        "model_type": "t5",
        "is_encoder_decoder": True,
        "d_model": 64,
        "d_kv": 16,
        "d_ff": 128,
        "num_layers": 1,
        "num_heads": 4,
    },
    "bart": {
        "model_type": "bart",
        "d_model": 64,
        "encoder_layers": 1,
        "decoder_layers": 1,
        "encoder_attention_heads": 4,
        "decoder_attention_heads": 4,
        "encoder_ffn_dim": 128,
        "decoder_ffn_dim": 128,
        "init_std": 0.1,
    },
    "llama": {"model_type": "llama", "num_key_value_heads": 4, **_UNITS},
    "chatglm": {
        "model_type": "glm",
        "num_key_value_heads": 4,
        "head_dim": 16,
        **_UNITS,
    },
    "llava": {"model_type": "llama", "num_key_value_heads": 4, **_UNITS},
    "bert": {"model_type": "bert", "max_position_embeddings": 600, **_UNITS},
    "vit": {
        "model_type": "vit",
        "hidden_size": 64,
        "num_hidden_layers": 1,
        "num_attention_heads": 4,
        "intermediate_size": 128,
        "image_size": 32,
        "patch_size": 8,
        "hidden_dropout_prob": 0.0,
        **_SCALE,
    },
}
"""Models to train from scratch in a minute."""

# Average of Table 2, then those of Tables 3, 4 and 7.
PAPER = {
    "2": {
        "OD-TUP": 47.11,
        "Flan-T5": 46.01,
        "BART": 46.83,
        "LLaMA": 43.03,
        "ChatGLM": 32.58,
        "COOPNet": 48.12,
        "LLaVA": 46.69,
        "SelectAtt": 48.24,
        "VLP-MABSA": 49.22,
        "AoM": 48.87,
        "Ours": 53.91,
    },
    "3": {"Ours": 53.91, "-Uni": 52.96, "-Multi": 53.07, "-Multi -Uni": 48.53},
    "4": {
        "Text-Only": 46.01,
        "+Fusion, Multi": 48.53,
        "+Fusion, Uni": 47.49,
        "+Text, Multi": 52.05,
        "+Text, Uni": 52.21,
        "+MaskImage, Multi": 49.12,
        "+MaskImage, Uni": 48.75,
        "+MaskProfile, Multi": 49.91,
        "+MaskProfile, Uni": 49.76,
        "+Text, MaskProfile, Multi": 52.55,
        "+Text, MaskProfile, Uni": 52.57,
        "Ours, Multi": 52.96,
        "Ours, Uni": 53.07,
    },
    "5": {
        "BERT": 55.4,
        "BERT, profile": 57.6,
        "T5": 64.8,
        "T5, profile": 66.8,
        "BART": 57.0,
        "BART, profile": 59.4,
        "LLaMA": 66.4,
        "LLaMA, profile": 69.0,
        "ChatGLM": 59.2,
        "ChatGLM, profile": 61.4,
    },
    "7": {
        "BART": 46.83,
        "BART, joint": 50.80,
        "LLaMA": 43.03,
        "LLaMA, joint": 46.54,
        "OD-TUP": 47.11,
        "OD-TUP, joint": 52.06,
        "SelectAtt": 48.24,
        "SelectAtt, joint": 49.63,
        "LLaVA": 46.69,
        "LLaVA, joint": 49.27,
        "Ours": 48.53,
        "Ours, joint": 53.91,
    },
}

# Class and language model of each row of Table 2 but ours, text-only ones first.
BASELINES = {
    "OD-TUP": ("ODTUPClassifier", "t5", NO_IMAGES),
    "Flan-T5": ("ProfileGeneratorClassifier", "t5", NO_IMAGES),
    "BART": ("ProfileGeneratorClassifier", "bart", NO_IMAGES),
    "LLaMA": ("CausalLMProfileClassifier", "llama", NO_IMAGES),
    "ChatGLM": ("CausalLMProfileClassifier", "chatglm", NO_IMAGES),
    "COOPNet": ("COOPNetClassifier", "bert", ("text", "images")),
    "LLaVA": ("LLaVAProfileClassifier", "llava", ("text", "images")),
    "SelectAtt": ("SelectAttClassifier", "t5", ("text", "images")),
    "VLP-MABSA": ("VLPMABSAClassifier", "bart", ("text", "images")),
    "AoM": ("AoMClassifier", "bart", ("text", "images")),
}


# What was run in the place of a row of the paper, where it is not quite that. A LLaVA
# of two models has a new projector; VLP-MABSA and AoM have patches of a vision
# transformer instead of a detector's regions, and no multimodal pretraining.
RAN = {
    "t5": {"Flan-T5": "T5 (Flan-T5)"},
    "llava": {"LLaVA": "LLaMA with ViT patches (LLaVA)"},
    "chatglm": {"ChatGLM": "GLM (ChatGLM)"},
    "": {
        "VLP-MABSA": "BART with ViT patches (VLP-MABSA)",
        "AoM": "BART with ViT patches (AoM)",
    },
}


def name_of(row: str, folders: Mapping[str, str]) -> str:
    """Say what a row runs: with the models of these folders, or small ones."""
    system, comma, end = row.partition(",")
    for language, names in RAN.items():
        if language not in folders:
            system = names.get(system, system)
    return system + comma + end


# Rows that the paper has not: cheaper, without a language model to train.
_MMLUP = {"batch_size": 25, "max_epochs": 40, "learning_rate": 1e-3, "dropout": 0.3}
# As small as the language models above.
_SMALL_CNN = {
    "n_dimensions": 32,
    "n_filters": 16,
    "n_filters_second": 32,
    "kernel_sizes": (1, 3),
    "n_filters_image": (8, 16, 16),
}
CHEAPER = {
    "MMLUP": ("MMLUPClassifier", "t5", ("text", "small images"), _MMLUP | _SMALL_CNN),
    "MMLUP, frozen vectors": (
        *("MMLUPClassifier", "t5", ("text vectors", "image vectors"), _MMLUP),
    ),
}


@dataclass(frozen=True)
class Row:
    """One row: a class, what it reads and how it differs from the others.

    Attributes
    ----------
    kind : str
        Name of the class.
    language : str
        Which language model.
    reads : tuple of str
        Sources: "text", "captions", "images", "small images" for convolutions that
        learn from nothing, "text vectors", "image vectors".
    params : dict
        Parameters that differ.
    change : str
        What becomes of the images: "unpaired", "missing", or nothing.
    """

    kind: str = "ProfileGeneratorClassifier"
    language: str = "t5"
    reads: tuple[str, ...] = ("text", "captions", "images")
    params: dict[str, Any] = field(default_factory=dict)
    change: str = ""


def ours(paradigm: str = "both", modes: Sequence[str] = MODES, **params: Any) -> Row:
    change = params.pop("change", "")
    params = {"paradigm": paradigm, "joint_modes": tuple(modes), **params}
    return Row(params=params, change=change)


TEXT_ONLY = Row(reads=NO_IMAGES, params={"joint_modes": ("fusion",)})

# Who reads a review and says its rating, Table 5.
READERS = {
    "TF-IDF": Row("make_tfidf_baseline", ""),
    # The text half of COOPNet: BERT and a head, trained together.
    "BERT": Row("COOPNetClassifier", "bert", NO_IMAGES),
    "T5": TEXT_ONLY,
    "BART": replace(TEXT_ONLY, language="bart"),
    "LLaMA": Row("CausalLMProfileClassifier", "llama", NO_IMAGES),
    "ChatGLM": Row("CausalLMProfileClassifier", "chatglm", NO_IMAGES),
}


def _alone(row: Row) -> Row:
    """Without the joint framework, which the class has unless it is told."""
    return replace(row, params={**row.params, "joint_modes": ("fusion",)})


def rows_of(what: str) -> dict[str, Row]:
    """Rows of a table or figure by their names."""
    if what == "2":
        alone = {"Ours, fusion alone": ours("multimodal", MODES[:1])}
        others = BASELINES | CHEAPER
        found = {name: Row(*parts) for name, parts in others.items()}
        found |= {name: _alone(found[name]) for name in ("Flan-T5", "BART")}
        return {**found, **alone, "Ours": ours()}
    if what == "3":
        return {
            "Ours": ours(),
            "-Uni": ours("multimodal"),
            "-Multi": ours("unimodal"),
            "-Multi -Uni": ours("multimodal", ["fusion"]),
        }
    if what == "4":
        added = {
            "+Fusion": (),
            "+Text": ("text",),
            "+MaskImage": ("masked_image",),
            "+MaskProfile": ("masked_profile",),
            "+Text, MaskProfile": ("text", "masked_profile"),
            "Ours": MODES[1:],
        }
        return {"Text-Only": TEXT_ONLY} | {
            f"{name}, {short}": ours(paradigm, ("fusion", *modes))
            for name, modes in added.items()
            for short, paradigm in (("Multi", "multimodal"), ("Uni", "unimodal"))
        }
    if what == "5":
        return {
            f"{name}{end}": row
            for name, row in READERS.items()
            for end in ("", ", profile")
        }
    if what == "7":
        return _rows_of_table_7()
    if what == "figure 5":
        return _rows_of_figure_5()
    # Figure 6.
    return {"Text-Only": TEXT_ONLY} | {
        f"{name}, {short}": ours(paradigm, modes, change=change)
        for short, paradigm, modes in (
            ("Multi", "multimodal", MODES),
            ("Uni", "unimodal", MODES),
            # Without the other modes of training: four times as fast.
            ("fusion", "multimodal", MODES[:1]),
        )
        for name, change in (
            ("Paired", ""),
            ("Unpaired", "unpaired"),
            ("Partial Missing", "missing"),
        )
    }


def _rows_of_table_7() -> dict[str, Row]:
    joint = {"joint_modes": MODES}
    rows = {}
    for name in ("BART", "LLaMA", "OD-TUP", "SelectAtt", "LLaVA"):
        kind, language, reads = BASELINES[name]
        rows[name] = _alone(Row(kind, language, reads))
        more = dict(joint)
        if reads == NO_IMAGES:
            # Pictures reach a model of text as captions.
            reads = ("text", "captions")
            od_tup = kind == "ODTUPClassifier"
            more |= {"captions": "captions"} if od_tup else {"paradigm": "unimodal"}
        rows[f"{name}, joint"] = Row(kind, language, reads, more)
    rows["Ours"] = ours("multimodal", ["fusion"])
    return {**rows, "Ours, joint": ours()}


def _rows_of_figure_5() -> dict[str, Row]:
    rows = {}
    for images in range(6):
        read = {"max_images": images} if images else {}
        row = ours("multimodal", **read) if images else TEXT_ONLY
        rows[f"3 reviews, {images} images"] = row
    for reviews in (1, 2, 4, 5):
        name = f"{reviews} reviews, 3 images"
        rows[name] = ours("multimodal", max_messages=reviews)
    return rows
