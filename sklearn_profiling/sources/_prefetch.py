"""Cache lines asked for before compiled loops need them."""

from __future__ import annotations

from typing import Any

from llvmlite import ir  # type: ignore[import-untyped]  # it has none
from numba.core import types
from numba.core.cgutils import get_or_insert_function
from numba.core.typing.templates import Signature
from numba.extending import intrinsic

__all__ = ["prefetch_for_write"]


def _write_prefetch(
    typing_context: Any,  # noqa: ARG001 - numba's signature
    array: types.Array,
    position: types.Integer,  # noqa: ARG001 - numba's signature
) -> tuple[Signature, Any]:
    """Ask for the cache line of ``array.ravel()[position]``; no effect on results."""

    def generate(context: Any, builder: Any, signature: Signature, args: Any) -> Any:
        fields = context.make_array(signature.args[0])(context, builder, args[0])
        pointer = builder.gep(fields.data, [args[1]])
        byte_pointer = builder.bitcast(pointer, ir.IntType(8).as_pointer())
        number = ir.IntType(32)
        function_type = ir.FunctionType(
            ir.VoidType(), [byte_pointer.type, number, number, number]
        )
        function = get_or_insert_function(
            builder.module, function_type, "llvm.prefetch.p0"
        )
        # write access, kept in all cache levels, data cache
        arguments = [byte_pointer, number(1), number(3), number(1)]
        builder.call(function, arguments)
        return context.get_dummy_value()

    return types.void(array, types.intp), generate


prefetch_for_write: Any = intrinsic(_write_prefetch)
