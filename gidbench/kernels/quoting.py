"""Kernels that find and put quotes where CSV needs them (RFC 4180)."""

from __future__ import annotations

import numpy as np

from gidbench.kernels.memory import address_of, find64, load1
from gidbench.kernels.registry import I64, IN_I32, IN_U8, OUT_I32, OUT_U8, helper, kernel

QUOTE, COMMA, LINE_FEED, CARRIAGE_RETURN, APOSTROPHE = 34, 44, 10, 13, 39


@helper
def holds_special(at, length):
    """Whether a quote, comma or line end is among bytes at an address: 64 of them at a time."""
    end, found = at + length, np.uint64(0)
    for place in range(at, end - 63, 64):
        found |= find64(place, QUOTE, COMMA, LINE_FEED, CARRIAGE_RETURN)
    if length >= 64:
        found |= find64(end - 64, QUOTE, COMMA, LINE_FEED, CARRIAGE_RETURN)
        return found != np.uint64(0)
    special = False
    for place in range(at, end):
        special |= _is_special(load1(place))
    return special


@helper
def _is_special(byte):
    return byte == QUOTE or byte == COMMA or byte == LINE_FEED or byte == CARRIAGE_RETURN


@kernel(IN_I32, IN_U8, I64, OUT_I32, OUT_U8)
def quote_texts(offsets, data, quote_empty, out_offsets, out):
    """Each text as a CSV field: within quotes where it needs them, its own quotes doubled.

    `out` holds twice the bytes of the texts and two for each. With `quote_empty` an empty text is two quotes.
    """
    at = 0
    out_offsets[0] = 0
    for row in range(offsets.size - 1):
        start, end = offsets[row], offsets[row + 1]
        special = bool(quote_empty) if start == end else holds_special(address_of(data) + start, end - start)
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
