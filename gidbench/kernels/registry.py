"""How kernels are declared.

A kernel is serial, holds no lock (`nogil`) and is cached on disk, so that only the first run on a machine
compiles. Each declares its one signature, which lets `warmup.compile_all` work before any data is there,
and keeps a caller with slightly different arrays from compiling a second version.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numba
from numba import types

from gidbench.errors import InputError

Function = Callable[..., Any]

U64, I64, I32, U8 = types.uint64, types.int64, types.int32, types.uint8


def _in(dtype: Any) -> Any:
    """An array that the kernel only reads: Arrow's buffers come read-only, and writable ones convert."""
    return types.Array(dtype, 1, "C", readonly=True)


def _out(dtype: Any) -> Any:
    return types.Array(dtype, 1, "C")


IN_U8, IN_U16, IN_I16, IN_I32, IN_I64, IN_U64 = (
    _in(t) for t in (types.uint8, types.uint16, types.int16, types.int32, types.int64, types.uint64)
)
IN_I64_2D = types.Array(types.int64, 2, "C", readonly=True)
OUT_U8, OUT_I32, OUT_I64, OUT_U64 = (_out(t) for t in (types.uint8, types.int32, types.int64, types.uint64))
OUT_F64 = _out(types.float64)
OUT_U8_2D, OUT_I32_2D, OUT_I64_2D = (types.Array(t, 2, "C") for t in (types.uint8, types.int32, types.int64))

_kernels: list[tuple[Any, tuple[Any, ...]]] = []
_compiling = threading.Lock()


def kernel(*argument_types: Any) -> Callable[[Function], Function]:
    """Declare a kernel with the types of its arguments."""

    def declare(function: Function) -> Function:
        dispatcher = _compiled(function, nogil=True, boundscheck=False)
        if not hasattr(dispatcher, "compile"):  # NUMBA_DISABLE_JIT=1: it is the function itself
            plain: Function = dispatcher
            return plain
        _kernels.append((dispatcher, argument_types))
        return Kernel(dispatcher, argument_types)

    return declare


class Kernel:
    """A dispatcher that compiles for its declared types before its first call, whatever comes with it."""

    def __init__(self, dispatcher: Any, argument_types: tuple[Any, ...]) -> None:
        self._dispatcher, self._argument_types = dispatcher, argument_types
        self._ready = False

    def __call__(self, *arguments: Any) -> Any:
        if not self._ready:
            make_ready(self._dispatcher, self._argument_types)
            self._ready = True
        return self._dispatcher(*arguments)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._dispatcher, name)


def make_ready(dispatcher: Any, argument_types: tuple[Any, ...]) -> None:
    """Compile a kernel for its declared types, or load it from the cache, and let it compile no more."""
    with _compiling:
        if not dispatcher.signatures:
            dispatcher.compile(argument_types)
            dispatcher.disable_compile()


def helper(function: Function) -> Function:
    """A small function that kernels call; it is compiled into each of them."""
    inlined: Function = _compiled(function, nogil=True, inline="never")
    return inlined


def _compiled(function: Function, **options: Any) -> Any:
    """A function that numba compiles and keeps on disk; without a place to keep it, every start would take a minute."""
    try:
        return numba.njit(cache=True, **options)(function)
    except RuntimeError as error:
        if "cannot cache function" not in str(error):
            raise
        raise InputError(
            "compiled kernels can be kept nowhere: neither gidbench's folder nor the user's cache can be written",
            "Set NUMBA_CACHE_DIR to a folder that can be",
        ) from None


def registered() -> list[tuple[Any, tuple[Any, ...]]]:
    """(dispatcher, argument types) of every kernel declared so far."""
    return _kernels
