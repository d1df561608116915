"""The texts of shared strings: <si><t>…</t></si>; strings in runs go to an XML parser."""

from __future__ import annotations

import numpy as np

from gidbench.kernels.memory import address_of, load8
from gidbench.kernels.registry import I64, IN_U8, OUT_I32, OUT_I64, OUT_U8, kernel
from gidbench.kernels.sheet_cells import skip_space, text_end
from gidbench.kernels.sheet_cuts import tag_end
from gidbench.kernels.xml_texts import copy_text, decode_text, decodes

_U = np.uint64
_LOW24, _LOW32, _LOW40 = (_U((1 << (8 * n)) - 1) for n in (3, 4, 5))
_START, _TEXT, _SPACED = (_U(int.from_bytes(text, "little")) for text in (b"<si", b"<t>", b"<t "))
_TEXT_END, _END = (_U(int.from_bytes(text, "little")) for text in (b"</t>", b"</si>"))
_SLASH, _GREATER = 47, 62


@kernel(IN_U8, I64, I64, OUT_I64, OUT_I32, OUT_I64, OUT_I64, OUT_U8)
def scan_strings(data, start, end, places, lengths, spans, hard, out):
    """Texts of the strings in data[start:end], which must be whole; see `sheet_cuts.cut_items`.

    For each string: `places` and `lengths` of its text in `out`, which has as much room as the data and 64
    bytes more; `spans` the position where it begins. Strings that are not a single text are HARD: `hard` gets
    their numbers, their length is 0. Returns how many are hard, or -1 where something is not known.
    """
    base, target = address_of(data), address_of(out)
    at = start
    to = 0
    count = 0
    hard_count = 0
    while True:
        at = skip_space(data, at, end)
        if at >= end:
            break
        if (load8(base + at) & _LOW24) != _START:
            return -1
        spans[count] = at
        places[count] = to
        lengths[count] = 0
        close, _ = tag_end(data, at + 3, end)
        if close < 0:
            return -1
        at = close + 1
        if data[close - 1] == _SLASH:
            count += 1
            continue
        at = skip_space(data, at, end)
        word = load8(base + at)
        simple = False
        if (word & _LOW24) == _TEXT:
            at += 3
            simple = True
        elif (word & _LOW24) == _SPACED:
            close, _ = tag_end(data, at + 2, end)
            if close < 0:
                return -1
            if data[close - 1] != _SLASH:
                at = close + 1
                simple = True
        if simple:
            text = at
            at, coded = text_end(data, base, at, end)
            length = at - text
            simple = at < end and (load8(base + at) & _LOW32) == _TEXT_END
            if simple:
                at = skip_space(data, at + 4, end)
                simple = (load8(base + at) & _LOW40) == _END
            if simple and coded:
                simple = decodes(data, text, length)
                if simple:
                    length = decode_text(data, text, length, target + to)
            elif simple:
                copy_text(target + to, base + text, length)
            if simple:
                lengths[count] = length
                to += length
                at += 5
        if not simple:
            hard[hard_count] = count
            hard_count += 1
            while at < end and (load8(base + at) & _LOW32) != (_END & _LOW32):
                at, _ = text_end(data, base, at + 1, end)
            while at < end and data[at] != _GREATER:
                at += 1
            at += 1
        count += 1
    spans[count] = end
    return hard_count
