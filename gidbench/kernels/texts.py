"""Kernels that make text columns: choices, free text, UUIDs, slugs."""

from __future__ import annotations

import numpy as np

from gidbench.kernels.memory import address_of, copy16, store1, store8
from gidbench.kernels.mixing import GAMMA, mix64
from gidbench.kernels.registry import (
    IN_I32,
    IN_I64,
    IN_U8,
    IN_U64,
    OUT_I32,
    OUT_U8,
    helper,
    kernel,
)

WORD_STRIDE = 16  # bytes per entry of the pool of words, its blank included
_WORDS_PER_DRAW = 5  # of 12 bits each
UUID_BYTES = 36
_U = np.uint64
_FULL_STOP, _BLANK = 46, 32
_HEX_LETTERS = _U(ord("a") - ord("9") - 1)


@kernel(IN_I64, IN_I32, IN_U8, OUT_I32, OUT_U8)
def choose_texts(choices, table_offsets, table, offsets, out):
    """Texts of a table by number. `table` is readable, `out` writable, 16 bytes beyond their ends."""
    source, target = address_of(table), address_of(out)
    at = 0
    offsets[0] = 0
    for row in range(choices.size):
        start = np.int64(table_offsets[choices[row]])
        length = np.int64(table_offsets[choices[row] + 1]) - start
        for done in range(0, length, 16):
            copy16(target + at + done, source + start + done)
        at += length
        offsets[row + 1] = at


@kernel(IN_U64, IN_I64, IN_U8, IN_U8, OUT_I32, OUT_U8)
def word_texts(bits, lengths, pool, pool_lengths, offsets, out):
    """Words between blanks, cut at exactly the length of each text; a last blank becomes a full stop.

    `pool` holds 4,096 entries of WORD_STRIDE bytes, each a word and a blank of `pool_lengths` in all.
    """
    source, target = address_of(pool), address_of(out)
    at = 0
    offsets[0] = 0
    for row in range(bits.size):
        end = at + lengths[row]
        word = bits[row]
        while at < end:
            left = word
            for _ in range(_WORDS_PER_DRAW):
                entry = np.int64(left & _U(4095))
                left >>= _U(12)
                copy16(target + at, source + entry * WORD_STRIDE)
                at += np.int64(pool_lengths[entry])
                if at >= end:
                    break
            word = mix64(word + GAMMA)
        at = end
        if lengths[row] > 0 and out[at - 1] == _BLANK:
            out[at - 1] = _FULL_STOP
        offsets[row + 1] = at


@helper
def hex_digits(value):
    """Eight lower-case hexadecimal digits of 32 bits, the most significant first, as text in a word."""
    spread = ((value >> _U(16)) | (value << _U(32))) & _U(0x0000FFFF0000FFFF)
    spread = ((spread >> _U(8)) | (spread << _U(16))) & _U(0x00FF00FF00FF00FF)
    spread = ((spread >> _U(4)) | (spread << _U(8))) & _U(0x0F0F0F0F0F0F0F0F)
    letters = ((spread + _U(0x0606060606060606)) >> _U(4)) & _U(0x0101010101010101)
    return spread + _U(0x3030303030303030) + letters * _HEX_LETTERS


@kernel(IN_U64, IN_U64, OUT_U8)
def uuid_texts(highs, lows, out):
    """UUIDs of version 4 (RFC 9562, 5.4): 60 random bits of highs, 62 of lows; UUID_BYTES each, then SLACK.

    Version and variant take the place of the top four and two bits of their halves.
    """
    target = address_of(out)
    for row in range(highs.size):
        high = (highs[row] & _U(0xFFFFFFFFFFFF0FFF)) | _U(0x4000)
        low = (lows[row] & _U(0x3FFFFFFFFFFFFFFF)) | _U(0x8000000000000000)
        at = target + row * UUID_BYTES
        first, second = hex_digits(high >> _U(32)), hex_digits(high & _U(0xFFFFFFFF))
        third, fourth = hex_digits(low >> _U(32)), hex_digits(low & _U(0xFFFFFFFF))
        store8(at, first)
        store8(at + 9, second)
        store8(at + 14, second >> _U(32))
        store8(at + 19, third)
        store8(at + 24, (third >> _U(32)) | (fourth << _U(32)))
        store8(at + 28, fourth)
        for dash in (8, 13, 18, 23):
            store1(at + dash, 45)


@kernel(IN_I32, IN_U8, OUT_I32, OUT_U8)
def slug_texts(offsets, data, out_offsets, out):
    """Lower-case ASCII letters and digits of each text; a run of anything else between them is one dot."""
    at = 0
    out_offsets[0] = 0
    for row in range(offsets.size - 1):
        begin = at
        gap = False
        for place in range(offsets[row], offsets[row + 1]):
            byte = data[place]
            if 65 <= byte <= 90:
                byte += 32
            if 97 <= byte <= 122 or 48 <= byte <= 57:
                if gap and at > begin:
                    out[at] = _FULL_STOP
                    at += 1
                gap = False
                out[at] = byte
                at += 1
            else:
                gap = True
        out_offsets[row + 1] = at
