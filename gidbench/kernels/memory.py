"""Loads and stores of several bytes at an address: what numpy arrays cannot do unless they are aligned.

Each is one machine instruction (LLVM's unaligned loads and stores). Words are little-endian: the first
character of a text is the lowest byte of its word. With NUMBA_DISABLE_JIT=1 the same is done by ctypes.
"""

from __future__ import annotations

import ctypes
import sys
from typing import Any

import numba
import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

if sys.byteorder != "little":
    raise ImportError("gidbench writes text eight bytes at a time and needs a little-endian machine")

SLACK = 64  # bytes to allocate beyond the last that counts, wherever `store8`, `copy16` and `copy32` write
_BYTE, _HALF, _WORD, _WIDE = (ir.IntType(bits) for bits in (8, 32, 64, 128))
_BLOCK, _TWO_BLOCKS = ir.VectorType(_BYTE, 16), ir.VectorType(_BYTE, 32)


def _pointer(builder: Any, address: Any, kind: Any) -> Any:
    return builder.inttoptr(address, kind.as_pointer())


@intrinsic
def _address_of(typing, array):
    def generate(context, builder, signature, arguments):
        found = context.make_array(signature.args[0])(context, builder, arguments[0])
        return builder.ptrtoint(found.data, _WORD)

    return types.int64(array), generate


@intrinsic
def _load8(typing, address):
    def generate(context, builder, signature, arguments):
        return builder.load(_pointer(builder, arguments[0], _WORD), align=1)

    return types.uint64(types.int64), generate


@intrinsic
def _load1(typing, address):
    def generate(context, builder, signature, arguments):
        return builder.zext(builder.load(_pointer(builder, arguments[0], _BYTE), align=1), _WORD)

    return types.int64(types.int64), generate


@intrinsic
def _store8(typing, address, word):
    def generate(context, builder, signature, arguments):
        builder.store(arguments[1], _pointer(builder, arguments[0], _WORD), align=1)
        return context.get_dummy_value()

    return types.void(types.int64, types.uint64), generate


@intrinsic
def _store1(typing, address, byte):
    def generate(context, builder, signature, arguments):
        low = builder.trunc(arguments[1], _BYTE)
        builder.store(low, _pointer(builder, arguments[0], _BYTE), align=1)
        return context.get_dummy_value()

    return types.void(types.int64, types.int64), generate


def _copy(builder, arguments, kind):
    block = builder.load(_pointer(builder, arguments[1], kind), align=1)
    builder.store(block, _pointer(builder, arguments[0], kind), align=1)


@intrinsic
def _copy16(typing, target, source):
    def generate(context, builder, signature, arguments):
        _copy(builder, arguments, _BLOCK)
        return context.get_dummy_value()

    return types.void(types.int64, types.int64), generate


@intrinsic
def _copy32(typing, target, source):
    def generate(context, builder, signature, arguments):
        _copy(builder, arguments, _TWO_BLOCKS)
        return context.get_dummy_value()

    return types.void(types.int64, types.int64), generate


@intrinsic
def _and32(typing, target, left, right):
    def generate(context, builder, signature, arguments):
        blocks = [builder.load(_pointer(builder, each, _TWO_BLOCKS), align=1) for each in arguments[1:]]
        builder.store(builder.and_(*blocks), _pointer(builder, arguments[0], _TWO_BLOCKS), align=1)
        return context.get_dummy_value()

    return types.void(types.int64, types.int64, types.int64), generate


@intrinsic
def _find64(typing, address, one, two, three, four):
    def generate(context, builder, signature, arguments):
        kind = ir.VectorType(_BYTE, 64)
        block = builder.load(_pointer(builder, arguments[0], kind), align=1)
        found = ir.Constant(ir.VectorType(ir.IntType(1), 64), [0] * 64)
        for wanted in arguments[1:]:
            single = builder.insert_element(
                ir.Constant(kind, ir.Undefined), builder.trunc(wanted, _BYTE), ir.Constant(_HALF, 0)
            )
            everywhere = builder.shuffle_vector(
                single, ir.Constant(kind, ir.Undefined), ir.Constant(ir.VectorType(_HALF, 64), [0] * 64)
            )
            found = builder.or_(found, builder.icmp_unsigned("==", block, everywhere))
        return builder.bitcast(found, _WORD)

    return types.uint64(*[types.int64] * 5), generate


@intrinsic
def _equal_words(typing, address, word):
    def generate(context, builder, signature, arguments):
        kind = ir.VectorType(_WORD, 8)
        block = builder.load(_pointer(builder, arguments[0], kind), align=8)
        single = builder.insert_element(ir.Constant(kind, ir.Undefined), arguments[1], ir.Constant(_HALF, 0))
        everywhere = builder.shuffle_vector(
            single, ir.Constant(kind, ir.Undefined), ir.Constant(ir.VectorType(_HALF, 8), [0] * 8)
        )
        found = builder.bitcast(builder.icmp_unsigned("==", block, everywhere), ir.IntType(8))
        return builder.zext(found, _WORD)

    return types.uint64(types.int64, types.uint64), generate


@intrinsic
def _high64(typing, address):
    def generate(context, builder, signature, arguments):
        kind = ir.VectorType(_BYTE, 64)
        block = builder.load(_pointer(builder, arguments[0], kind), align=1)
        return builder.bitcast(builder.icmp_signed("<", block, ir.Constant(kind, [0] * 64)), _WORD)

    return types.uint64(types.int64), generate


@intrinsic
def _prefetch(typing, address):
    def generate(context, builder, signature, arguments):
        place = _pointer(builder, arguments[0], _BYTE)
        kind = ir.FunctionType(ir.VoidType(), [_BYTE.as_pointer(), _HALF, _HALF, _HALF])
        function = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0i8")
        builder.call(function, [place, *(ir.Constant(_HALF, hint) for hint in (1, 3, 1))])
        return context.get_dummy_value()

    return types.void(types.int64), generate


def _array_from(dtype: Any) -> Any:
    """A function of (address, count): the array of a type that stands there."""

    @intrinsic
    def pointer_to(typing, address):
        def generate(context, builder, signature, arguments):
            return _pointer(builder, arguments[0], context.get_data_type(dtype))

        return types.CPointer(dtype)(types.int64), generate

    @numba.njit(nogil=True)
    def array_from(address, count):
        return numba.carray(pointer_to(address), count)

    return array_from


@intrinsic
def _high_product(typing, left, right):
    def generate(context, builder, signature, arguments):
        product = builder.mul(*(builder.zext(argument, _WIDE) for argument in arguments))
        return builder.trunc(builder.lshr(product, ir.Constant(_WIDE, 64)), _WORD)

    return types.uint64(types.uint64, types.uint64), generate


@intrinsic
def _trailing_zeros(typing, word):
    def generate(context, builder, signature, arguments):
        return builder.cttz(arguments[0], cgutils.false_bit)

    return types.uint64(types.uint64), generate


@intrinsic
def _count_ones(typing, word):
    def generate(context, builder, signature, arguments):
        return builder.ctpop(arguments[0])

    return types.int64(types.uint64), generate


address_of: Any
load8: Any
load1: Any
store8: Any
store1: Any
copy16: Any
copy32: Any
and32: Any
find64: Any
high64: Any
equal_words: Any
prefetch: Any
count_ones: Any
high_product: Any
trailing_zeros: Any
int32_at: Any
int64_at: Any
uint8_at: Any
uint64_at: Any

if numba.config.DISABLE_JIT:  # type: ignore[attr-defined]

    def _plain_address_of(array):
        return np.int64(array.ctypes.data)

    def _plain_load8(address):
        return np.uint64(ctypes.c_uint64.from_address(int(address)).value)

    def _plain_load1(address):
        return np.int64(ctypes.c_uint8.from_address(int(address)).value)

    def _plain_store8(address, word):
        ctypes.c_uint64.from_address(int(address)).value = int(word)

    def _plain_store1(address, byte):
        ctypes.c_uint8.from_address(int(address)).value = int(byte)

    def _plain_copy16(target, source):
        ctypes.memmove(int(target), int(source), 16)

    def _plain_copy32(target, source):
        ctypes.memmove(int(target), int(source), 32)

    def _plain_and32(target, left, right):
        one, other = (int.from_bytes(ctypes.string_at(int(each), 32), "little") for each in (left, right))
        ctypes.memmove(int(target), (one & other).to_bytes(32, "little"), 32)

    def _plain_find64(address, *wanted):
        block = ctypes.string_at(int(address), 64)
        return np.uint64(sum(1 << place for place, byte in enumerate(block) if byte in wanted))

    def _plain_high64(address):
        block = ctypes.string_at(int(address), 64)
        return np.uint64(sum(1 << place for place, byte in enumerate(block) if byte > 127))

    def _plain_equal_words(address, word):
        block = (ctypes.c_uint64 * 8).from_address(int(address))
        return np.uint64(sum(1 << place for place, held in enumerate(block) if held == int(word)))

    def _plain_prefetch(address):
        pass

    def _plain_count_ones(word):
        return int(word).bit_count()

    def _plain_array_from(kind: Any) -> Any:
        def array_from(address, count):
            return np.ctypeslib.as_array((kind * int(count)).from_address(int(address)))

        return array_from

    def _plain_high_product(left, right):
        return np.uint64(int(left) * int(right) >> 64)

    def _plain_trailing_zeros(word):
        bits = int(word)
        return np.uint64((bits & -bits).bit_length() - 1 if bits else 64)

    address_of = _plain_address_of
    load8, load1 = _plain_load8, _plain_load1
    store8, store1, copy16, copy32 = _plain_store8, _plain_store1, _plain_copy16, _plain_copy32
    and32, find64 = _plain_and32, _plain_find64
    high64, prefetch, count_ones = _plain_high64, _plain_prefetch, _plain_count_ones
    equal_words = _plain_equal_words
    int32_at, int64_at = _plain_array_from(ctypes.c_int32), _plain_array_from(ctypes.c_int64)
    uint8_at, uint64_at = _plain_array_from(ctypes.c_uint8), _plain_array_from(ctypes.c_uint64)
    high_product, trailing_zeros = _plain_high_product, _plain_trailing_zeros
else:
    address_of = _address_of
    load8, load1 = _load8, _load1
    store8, store1, copy16, copy32 = _store8, _store1, _copy16, _copy32
    and32, find64 = _and32, _find64
    high64, prefetch, count_ones = _high64, _prefetch, _count_ones
    equal_words = _equal_words
    int32_at, int64_at = _array_from(types.int32), _array_from(types.int64)
    uint8_at, uint64_at = _array_from(types.uint8), _array_from(types.uint64)
    high_product, trailing_zeros = _high_product, _trailing_zeros
