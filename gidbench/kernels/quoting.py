"""Kernels that find and put quotes where CSV needs them (RFC 4180)."""

from __future__ import annotations

import numpy as np

from gidbench.kernels.memory import address_of, find64
from gidbench.kernels.registry import I64, IN_I32, IN_U8, OUT_I32, OUT_U8, helper, kernel

QUOTE, COMMA, LINE_FEED, CARRIAGE_RETURN, APOSTROPHE = 34, 44, 10, 13, 39


@kernel(IN_U8)
def holds_special(data):
    """Whether a quote, comma or line end is among the bytes: 64 of them at a time."""
    start = address_of(data)
    found = np.uint64(0)
    for place in range(0, data.size - 63, 64):
        found |= find64(start + place, QUOTE, COMMA, LINE_FEED, CARRIAGE_RETURN)
    if found != np.uint64(0):
        return True
    return holds_special_byte(data, data.size - data.size % 64, data.size) != 0


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
