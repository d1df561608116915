"""Find the cells of rows of a sheet's XML, without a copy of what they hold.

A cell becomes one word: its kind, and where its raw text begins and how long it is. Only what is known for
certain is taken; at anything else `scan_rows` stops, and the caller reads the piece by an XML parser.
Tags have no prefix here; comments, CDATA and processing instructions were excluded by `sheet_cuts`.
"""

from __future__ import annotations

import numpy as np

from gidbench.kernels.memory import address_of, find64, load8, trailing_zeros
from gidbench.kernels.registry import (
    I64,
    IN_I32,
    IN_U8,
    OUT_I64,
    OUT_I64_2D,
    OUT_U8,
    helper,
    kernel,
)
from gidbench.kernels.sheet_cuts import is_space, tag_end
from gidbench.kernels.xml_texts import SAYS, UNCLEAR, says_something

# Kinds of cells. EMPTY is 0, so that a cleared word is a cell that is not there.
EMPTY, NUMBER, DATE, TIME, ELAPSED, PLAIN, CODED, SHARED, TRUTH, ISO, RICH = range(11)
KIND_SHIFT, LENGTH_SHIFT = 56, 28
PLACE_MASK = (1 << LENGTH_SHIFT) - 1  # of a length, too: pieces are shorter than 256 MiB
DONE, UNKNOWN, MISPLACED = 0, 1, 2  # how `scan_rows` ended
WIDEST, CELLS, STOPPED_AT, ROWS = range(4)  # places of its `found`
FOUND = 4

_U = np.uint64
_ONE = _U(1)
_LESS, _GREATER, _SLASH, _QUOTE, _AMP, _CR, _UNDERSCORE = 60, 62, 47, 34, 38, 13, 95
_APOSTROPHE, _EQUALS, _LOWER_X, _SEMICOLON = 39, 61, 120, 59
_LOW = [_U((1 << (8 * n)) - 1) for n in range(9)]
_LOW16, _LOW24, _LOW32, _LOW40, _LOW48 = _LOW[2], _LOW[3], _LOW[4], _LOW[5], _LOW[6]


def _word(text: bytes) -> np.uint64:
    return _U(int.from_bytes(text, "little"))


_ROW, _CELL, _VALUE_END, _CELL_END = _word(b"<row"), _word(b"<c"), _word(b"</v>"), _word(b"</c>")
_ROW_END, _VALUE, _INLINE, _TEXT = _word(b"</row"), _word(b"<v>"), _word(b"<is>"), _word(b"<t>")
_TEXT_END, _INLINE_END, _NO_VALUE, _NO_TEXT = _word(b"</t>"), _word(b"</is>"), _word(b"<v/>"), _word(b"<t/>")
_SPACED_TEXT, _FORMULA, _FORMULA_END = _word(b"<t "), _word(b"<f"), _word(b"</f>")
_NO_INLINE, _SPACED_VALUE = _word(b"<is/>"), _word(b"<v ")
_T_S, _T_N, _T_B, _T_E, _T_D = ord("s"), ord("n"), ord("b"), ord("e"), ord("d")
_T_STR, _T_INLINE = _word(b"str"), _word(b"inlineSt")


@helper
def text_end(data, base, at, end):
    """(position of the next <, whether what stands before needs decoding); position `end` if there is none."""
    coded = False
    while at < end:
        hits = find64(base + at, _LESS, _AMP, _CR, _UNDERSCORE)
        while hits:
            place = at + np.int64(trailing_zeros(hits))
            if place >= end:
                return end, coded
            byte = data[place]
            if byte == _LESS:
                return place, coded
            if byte != _UNDERSCORE or data[place + 1] == _LOWER_X:
                coded = True
            hits &= hits - _ONE
        at += 64
    return end, coded


@helper
def pack(kind, start, length):
    return (kind << KIND_SHIFT) | (length << LENGTH_SHIFT) | start


@helper
def skip_space(data, at, end):
    while at < end and is_space(data[at]):
        at += 1
    return at


@helper
def _inline_end(data, base, at, end):
    """Position of </is>, or `end`."""
    while at < end:
        at, _ = text_end(data, base, at, end)
        if at < end and (load8(base + at) & _LOW40) == _INLINE_END:
            return at
        at += 1
    return end


@kernel(IN_U8, I64, I64, I64, I64, I64, IN_I32, IN_U8, IN_I32, OUT_I64_2D, OUT_I64, OUT_I64, OUT_U8, OUT_I64)
def scan_rows(
    data,
    start,
    end,
    last_row,
    first_row,
    dense,
    slots,
    classes,
    shared,
    cells,
    numbers,
    starts,
    filled,
    found,
):
    """Cells of the rows in data[start:end], which must be whole; see `sheet_cuts.cut_items`.

    Rows that have no number count on from `last_row`; those before `first_row` are passed over. `slots[c]`
    is the row of `cells` for column c, or -1; `classes[s]` the kind of number under style s; `shared` the
    length of each shared string. A row of the sheet goes to the next place, or, if `dense`, to the place
    that is as far on as its number. For each place: `numbers`, its row's number; `starts`, its position
    (n + 1 of them); `filled`, 1 where a cell of it holds something.

    `found` gets the number of columns up to the last cell that holds something, the number of cells, where
    the scan stopped, and the number of places in use. Returns DONE, UNKNOWN or MISPLACED.
    """
    base = address_of(data)
    at = start
    row = last_row
    before = max(last_row, first_row - 1)
    count = 0
    widest = 0
    cell_count = 0
    status = DONE
    while status == DONE:
        at = skip_space(data, at, end)
        if at >= end:
            break
        if (load8(base + at) & _LOW32) != _ROW:
            status = UNKNOWN
            break
        row_start = at
        close, number = tag_end(data, at + 4, end)
        if close < 0:
            status = UNKNOWN
            break
        row = number if number > 0 else row + 1
        wanted = row >= first_row
        place = row - before - 1 if dense else count
        if wanted:
            numbers[place] = row
            starts[place] = row_start
            filled[place] = 0
            count += 1
        at = close + 1
        if data[close - 1] == _SLASH:
            continue
        column = -1
        holds = False
        while True:
            at = skip_space(data, at, end)
            word = load8(base + at)
            if (word & _LOW16) != _CELL:
                if (word & _LOW40) == _ROW_END:
                    at += 5
                    at = skip_space(data, at, end)
                    at += 1
                else:
                    status = UNKNOWN
                break
            # the cell's attributes
            at += 2
            column += 1
            style = np.int64(0)
            kind_at = np.int64(0)
            kind_length = np.int64(0)
            childless = False
            while True:
                if data[at] == _GREATER:
                    at += 1
                    break
                if data[at] == _SLASH:
                    if data[at + 1] != _GREATER:
                        status = UNKNOWN
                    childless = True
                    at += 2
                    break
                if not is_space(data[at]):
                    status = UNKNOWN
                    break
                at = skip_space(data, at, end)
                if data[at] == _GREATER or data[at] == _SLASH:
                    continue
                name = data[at]
                name_at = at
                while at < end and data[at] != _EQUALS and data[at] != _GREATER and data[at] != _LESS:
                    at += 1
                if at >= end or data[at] != _EQUALS:
                    status = UNKNOWN
                    break
                length = at - name_at
                quote = data[at + 1]
                if (quote != _QUOTE and quote != _APOSTROPHE) or (length >= 5 and name == _LOWER_X):
                    status = UNKNOWN
                    break
                at += 2
                value = at
                if length == 1 and name == 114:  # r: letters, then the row
                    column = np.int64(0)
                    while 65 <= (data[at] & 223) <= 90:
                        column = column * 26 + np.int64(data[at] & 223) - 64
                        at += 1
                    letters = at - value
                    number = np.int64(0)
                    while 48 <= data[at] <= 57 and at - value < 20:
                        number = number * 10 + np.int64(data[at]) - 48
                        at += 1
                    if letters == 0 or letters > 3 or data[at] != quote:
                        status = UNKNOWN
                        break
                    if number != row:
                        status = MISPLACED
                        break
                    column -= 1
                elif length == 1 and name == 115:  # s
                    while 48 <= data[at] <= 57 and at - value < 9:
                        style = style * 10 + np.int64(data[at]) - 48
                        at += 1
                    if data[at] != quote or at == value:
                        status = UNKNOWN
                        break
                else:
                    while at < end and data[at] != quote and data[at] != _LESS:
                        at += 1
                    if at >= end or data[at] == _LESS:
                        status = UNKNOWN
                        break
                    if length == 1 and name == 116:  # t
                        kind_at = value
                        kind_length = at - value
                at += 1
            if status != DONE:
                break
            cell_count += 1
            kind = NUMBER
            inline = False
            if kind_length == 1:
                letter = data[kind_at]
                if letter == _T_S:
                    kind = SHARED
                elif letter == _T_B:
                    kind = TRUTH
                elif letter == _T_E:
                    kind = PLAIN
                elif letter == _T_D:
                    kind = ISO
                elif letter != _T_N:
                    status = UNKNOWN
            elif kind_length == 3 and (load8(base + kind_at) & _LOW24) == _T_STR:
                kind = PLAIN
            elif kind_length == 9 and load8(base + kind_at) == _T_INLINE and data[kind_at + 8] == 114:
                inline = True
            elif kind_length > 0:
                status = UNKNOWN
            elif style < classes.size:
                kind = np.int64(classes[style])
            if kind_length == 1 and kind == NUMBER and style < classes.size:
                kind = np.int64(classes[style])
            packed = np.int64(0)
            while status == DONE and not childless:
                at = skip_space(data, at, end)
                word = load8(base + at)
                if (word & _LOW32) == _CELL_END:
                    at += 4
                    break
                if (word & _LOW24) == _VALUE and not inline and packed == 0:
                    begin = at + 3
                    at, coded = text_end(data, base, begin, end)
                    if at >= end or (load8(base + at) & _LOW32) != _VALUE_END:
                        status = UNKNOWN
                        break
                    if at - begin > PLACE_MASK:
                        status = UNKNOWN
                        break
                    if at > begin:
                        if coded and kind == PLAIN:
                            packed = pack(CODED, begin, at - begin)
                        elif coded:
                            status = UNKNOWN
                            break
                        elif kind == SHARED:
                            index = np.int64(0)
                            for digit_at in range(begin, at):
                                digit = np.int64(data[digit_at]) - 48
                                if digit < 0 or digit > 9 or index > PLACE_MASK:
                                    status = UNKNOWN
                                    break
                                index = index * 10 + digit
                            if status != DONE or index >= shared.size:
                                status = UNKNOWN
                                break
                            if shared[index] > 0:
                                packed = pack(SHARED, index, 1)
                        else:
                            packed = pack(kind, begin, at - begin)
                    at += 4
                elif (word & _LOW32) == _INLINE and inline and packed == 0:
                    at += 4
                    begin = at
                    word = load8(base + at)
                    simple = False
                    if (word & _LOW24) == _TEXT:
                        at += 3
                        simple = True
                    elif (word & _LOW24) == _SPACED_TEXT:
                        close, _ = tag_end(data, at + 2, end)
                        if close > 0 and data[close - 1] != _SLASH:
                            at = close + 1
                            simple = True
                    if simple:
                        text = at
                        at, coded = text_end(data, base, at, end)
                        length = at - text
                        ended = at < end and (load8(base + at) & _LOW32) == _TEXT_END
                        if ended and (load8(base + at + 4) & _LOW40) == _INLINE_END:
                            if length > PLACE_MASK:
                                status = UNKNOWN
                                break
                            if length > 0:
                                packed = pack(CODED if coded else PLAIN, text, length)
                            at += 9
                            continue
                    close = _inline_end(data, base, begin, end)
                    said = says_something(data, base, begin, close)
                    if close >= end or close - begin > PLACE_MASK or said == UNCLEAR:
                        status = UNKNOWN
                        break
                    if said == SAYS:
                        packed = pack(RICH, begin, close - begin)
                    at = close + 5
                elif (word & _LOW16) == _FORMULA:
                    close, _ = tag_end(data, at + 2, end)
                    if close < 0:
                        status = UNKNOWN
                        break
                    at = close + 1
                    if data[close - 1] != _SLASH:
                        at, _ = text_end(data, base, at, end)
                        if at >= end or (load8(base + at) & _LOW32) != _FORMULA_END:
                            status = UNKNOWN
                            break
                        at += 4
                elif (word & _LOW32) == _NO_VALUE and packed == 0:
                    at += 4
                elif (word & _LOW40) == _NO_INLINE and inline and packed == 0:
                    at += 5
                else:
                    status = UNKNOWN
            if status != DONE:
                break
            if packed != 0:
                holds = True
                if column >= widest:
                    widest = column + 1
            if wanted and column < slots.size:
                slot = slots[column]
                if slot >= 0:
                    cells[slot, place] = packed
        if status == DONE and wanted and holds:
            filled[place] = 1
    used = row - before if dense else count
    if used < 0:
        used = 0
    if status == DONE and not dense:
        starts[count] = end
    found[WIDEST] = widest
    found[CELLS] = cell_count
    found[STOPPED_AT] = at
    found[ROWS] = used
    return status
