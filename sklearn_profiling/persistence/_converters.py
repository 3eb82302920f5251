"""Objects that are rebuilt by a call known here, from plain parts."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd
import torch
from scipy import sparse
from sklearn.utils import Bunch

from sklearn_profiling._optional import import_optional
from sklearn_profiling._seeding import TORCH_GENERATORS
from sklearn_profiling.persistence._values import NotPlainError
from sklearn_profiling.sources.pretrained._hub_code import refuse_hub_code
from sklearn_profiling.sources.pretrained._tokenizers import with_near_ids

__all__ = ["CONVERTERS", "Converter", "converter_of"]


class Converter(NamedTuple):
    """How objects of a kind are taken apart and put together."""

    tag: str
    matches: Callable[[Any], bool]
    parts_of: Callable[[Any], Any]
    build: Callable[[Any], Any]


def _is(*kinds: type) -> Callable[[Any], bool]:
    return lambda value: type(value) in kinds


# -- randomness ------------------------------------------------------------------

_BIT_GENERATORS: Final = ("MT19937", "PCG64", "PCG64DXSM", "Philox", "SFC64")


def _random_state(state: dict[str, Any]) -> np.random.RandomState:
    made = np.random.RandomState(0)
    made.set_state(state)
    return made


def _generator(state: dict[str, Any]) -> np.random.Generator:
    name = state["bit_generator"]
    if name not in _BIT_GENERATORS:
        msg = f"numpy has no bit generator {name!s:.60}"
        raise ValueError(msg)
    bits = getattr(np.random, name)(0)
    bits.state = state
    return np.random.Generator(bits)


def _torch_generator(state: Any) -> torch.Generator:
    made = torch.Generator()
    made.set_state(torch.from_numpy(state))
    return made


# -- arrays of other packages ----------------------------------------------------

_COMPRESSED: Final = {
    kind.__name__: kind
    for kind in (
        *(sparse.csr_array, sparse.csr_matrix),
        *(sparse.csc_array, sparse.csc_matrix),
    )
}


def _compressed(parts: tuple[Any, ...]) -> Any:
    name, shape, data, indices, indptr = parts
    made = _COMPRESSED[name]((data, indices, indptr), shape=shape)
    # scipy's compiled functions believe what they are given
    made.check_format(full_check=True)
    return made


def _parts_of_tensor(value: torch.Tensor) -> tuple[Any, ...]:
    whole = value.detach().cpu().contiguous()
    if whole.dtype == torch.bfloat16:
        return whole.view(torch.int16).numpy(), True
    return whole.numpy(), False


def _tensor(parts: tuple[Any, ...]) -> torch.Tensor:
    array, is_bfloat16 = parts
    made = torch.tensor(array)
    return made.view(torch.bfloat16) if is_bfloat16 else made


def _masked(parts: tuple[Any, ...]) -> Any:
    data, mask, fill_value = parts
    return np.ma.MaskedArray(data, mask, fill_value=fill_value)


# -- tables ------------------------------------------------------------------------


def _parts_of_column(value: Any) -> tuple[Any, ...]:
    """Values and dtype of a Series or Index; an extension's values as objects."""
    if isinstance(value.dtype, np.dtype):
        return value.to_numpy(), None
    return value.astype(object).to_numpy(), str(value.dtype)


def _parts_of_index(value: Any) -> tuple[Any, ...]:
    if isinstance(value, pd.MultiIndex):
        msg = "pandas.MultiIndex"
        raise NotPlainError(msg)
    return (*_parts_of_column(value), value.name)


def _as_array(values: Any) -> Any:
    """Return an array as it is; anything else would be repeated, or counted up."""
    if not isinstance(values, np.ndarray):
        msg = f"{type(values).__name__} is no array of a table"
        raise TypeError(msg)
    return values


def _index(parts: tuple[Any, ...]) -> Any:
    values, dtype, name = parts
    values = _as_array(values)
    return pd.Index(values, dtype=dtype or values.dtype, name=name, tupleize_cols=False)


def _series(parts: tuple[Any, ...]) -> Any:
    values, dtype, name, index = parts
    values = _as_array(values)
    return pd.Series(values, dtype=dtype or values.dtype, name=name, index=index)


def _parts_of_frame(value: Any) -> tuple[Any, ...]:
    columns = [_parts_of_column(value.iloc[:, n]) for n in range(value.shape[1])]
    return columns, value.columns, value.index


def _frame(parts: tuple[Any, ...]) -> Any:
    columns, names, index = parts
    made = [_series((values, dtype, None, index)) for values, dtype in columns]
    frame = pd.DataFrame(dict(enumerate(made)), index=index)
    frame.columns = names
    return frame


# -- tokenizers and models ---------------------------------------------------------


def _of_package(package: str, kind: str) -> Callable[[Any], bool]:
    """Tell objects of an optional package, which is imported if there is one."""

    def matches(value: Any) -> bool:
        if not any(base.__module__.startswith(package) for base in type(value).__mro__):
            return False
        return isinstance(value, getattr(sys.modules[package], kind))

    return matches


def _transformers() -> Any:
    return import_optional("transformers", extra="multimodal", purpose="A model file")


def _tokenizer(text: str) -> Any:
    package = import_optional("tokenizers", extra="multimodal", purpose="A model file")
    return with_near_ids(package.Tokenizer.from_str(text))


_SPECIAL_TOKENS: Final = tuple(
    f"{name}_token" for name in ("bos", "eos", "unk", "sep", "pad", "cls", "mask")
)
_TOKENIZER_OPTIONS: Final = (
    *("padding_side", "truncation_side", "model_max_length", "model_input_names"),
    "clean_up_tokenization_spaces",
)


def _parts_of_fast_tokenizer(value: Any) -> tuple[Any, ...]:
    names = (*_SPECIAL_TOKENS, *_TOKENIZER_OPTIONS)
    options = {name: getattr(value, name, None) for name in names}
    known = {name: each for name, each in options.items() if each is not None}
    return value.backend_tokenizer.to_str(), known


def _fast_tokenizer(parts: tuple[Any, ...]) -> Any:
    text, options = parts
    unknown = options.keys() - {*_SPECIAL_TOKENS, *_TOKENIZER_OPTIONS}
    if unknown:
        msg = f"a tokenizer has no options {sorted(unknown)!s:.60}"
        raise ValueError(msg)
    made = _transformers().PreTrainedTokenizerFast
    return made(tokenizer_object=_tokenizer(text), **options)


def _configuration(settings: dict[str, Any]) -> Any:
    refuse_hub_code(settings)
    return _transformers().AutoConfig.for_model(**settings)


def _parts_of_model(value: Any) -> tuple[Any, ...]:
    name = type(value).__name__
    if getattr(_transformers(), name, None) is not type(value):
        msg = f"{type(value).__module__}.{name}"
        raise NotPlainError(msg)
    return name, value.config.to_dict(), dict(value.state_dict()), value.training


def _model(parts: tuple[Any, ...]) -> Any:
    name, settings, state, training = parts
    package = _transformers()
    kind = getattr(package, name, None)
    if not (isinstance(kind, type) and issubclass(kind, package.PreTrainedModel)):
        msg = f"transformers has no model {name!s:.60}"
        raise TypeError(msg)
    with TORCH_GENERATORS, torch.random.fork_rng(devices=[]):
        made: Any = kind(_configuration(settings))
    dtypes = {name: each.dtype for name, each in state.items()}
    for name, each in (*made.named_parameters(), *made.named_buffers()):
        each.data = each.data.to(dtypes.get(name, each.dtype))
    made.load_state_dict(state)
    return made.train(training)


_ALL: Final = (
    Converter(
        "RandomState",
        _is(np.random.RandomState),
        lambda value: value.get_state(legacy=False),
        _random_state,
    ),
    Converter(
        "Generator",
        _is(np.random.Generator),
        lambda value: value.bit_generator.state,
        _generator,
    ),
    Converter(
        "torch generator",
        _is(torch.Generator),
        lambda value: value.get_state().numpy(),
        _torch_generator,
    ),
    Converter(
        "sparse",
        _is(*_COMPRESSED.values()),
        lambda v: (type(v).__name__, v.shape, v.data, v.indices, v.indptr),
        _compressed,
    ),
    Converter("tensor", _is(torch.Tensor), _parts_of_tensor, _tensor),
    Converter(
        "masked array",
        _is(np.ma.MaskedArray),
        lambda value: (value.data, np.ma.getmaskarray(value), value.fill_value),
        _masked,
    ),
    Converter(
        "index", lambda value: isinstance(value, pd.Index), _parts_of_index, _index
    ),
    Converter(
        "series",
        _is(pd.Series),
        lambda value: (*_parts_of_column(value), value.name, value.index),
        _series,
    ),
    Converter("frame", _is(pd.DataFrame), _parts_of_frame, _frame),
    Converter(
        "partial",
        _is(functools.partial),
        lambda value: (value.func, value.args, value.keywords),
        lambda parts: functools.partial(parts[0], *parts[1], **parts[2]),
    ),
    Converter("Bunch", _is(Bunch), dict, lambda parts: Bunch(**parts)),
    Converter(
        "tokenizer",
        _of_package("tokenizers", "Tokenizer"),
        lambda value: value.to_str(),
        _tokenizer,
    ),
    Converter(
        "transformers tokenizer",
        _of_package("transformers", "PreTrainedTokenizerFast"),
        _parts_of_fast_tokenizer,
        _fast_tokenizer,
    ),
    Converter(
        "transformers configuration",
        _of_package("transformers", "PreTrainedConfig"),
        lambda value: value.to_dict(),
        _configuration,
    ),
    Converter(
        "transformers model",
        _of_package("transformers", "PreTrainedModel"),
        _parts_of_model,
        _model,
    ),
)
CONVERTERS: Final = {each.tag: each for each in _ALL}


def converter_of(value: Any) -> Converter | None:
    """Return the converter of an object; None if there is none."""
    return next((each for each in _ALL if each.matches(value)), None)
