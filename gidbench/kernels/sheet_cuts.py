"""Cut the XML of a sheet, or of shared strings, into pieces of whole items: rows, or strings.

What makes a cut uncertain is refused here, so that every piece stands for itself: comments, CDATA sections
and processing instructions (which may hold what looks like a tag), and whatever stands between two items.
Tags have no prefix here; the caller takes off the one in use.
"""

from __future__ import annotations

import numpy as np

from gidbench.kernels.memory import address_of, find64, load8, trailing_zeros
from gidbench.kernels.registry import I64, IN_U8, OUT_I64, U64, helper, kernel

MORE, OVER, STRANGE, UNORDERED = 0, 1, 2, 3  # how `cut_items` ended
CUT, LAST_ROW, COUNT, STATUS, NEXT_ROW = range(5)  # places of its `found`
FOUND = 5
MOST_ROW = 1 << 40

_U = np.uint64
ROW = _U(int.from_bytes(b"row", "little"))
STRING = _U(int.from_bytes(b"si", "little"))
_LOW24, _ONE = _U(0xFFFFFF), _U(1)
_TAB, _LF, _CR, _BLANK, _MARK, _QUOTE, _APOSTROPHE = 9, 10, 13, 32, 33, 34, 39
_SLASH, _EQUALS, _LESS, _GREATER, _QUESTION = 47, 61, 60, 62, 63
_LETTER_R, _LETTER_S = ord("r"), ord("s")


@helper
def is_space(byte):
    return byte == _BLANK or byte == _LF or byte == _TAB or byte == _CR


@helper
def tag_end(data, at, end):
    """(position of the tag's >, the number in its attribute r or -1) from behind its name on.

    The position is -1 where the tag goes on beyond `end`, -2 where it is strange: a namespace is declared,
    or it is not well-formed.
    """
    number = np.int64(-1)
    while True:
        gap = at
        while at < end and is_space(data[at]):
            at += 1
        if at >= end:
            return -1, number
        byte = data[at]
        if byte == _GREATER:
            return at, number
        if byte == _SLASH:
            if at + 1 >= end:
                return -1, number
            if data[at + 1] != _GREATER:
                return -2, number
            return at + 1, number
        if gap == at:
            return -2, number
        name = at
        while at < end and data[at] != _EQUALS:
            if data[at] == _GREATER or data[at] == _LESS or is_space(data[at]):
                return -2, number
            at += 1
        if at + 1 >= end:
            return -1, number
        if at - name >= 5 and data[name] == 120 and data[name + 3] == 110:  # xmlns, as far as it matters
            return -2, number
        quote = data[at + 1]
        if quote != _QUOTE and quote != _APOSTROPHE:
            return -2, number
        is_number = at - name == 1 and data[name] == _LETTER_R
        at += 2
        value = at
        if is_number:
            number = np.int64(0)
        while at < end and data[at] != quote:
            if is_number:
                digit = np.int64(data[at]) - 48
                if digit < 0 or digit > 9 or number > MOST_ROW:
                    return -2, number
                number = number * 10 + digit
            if data[at] == _LESS:
                return -2, number
            at += 1
        if at >= end:
            return -1, number
        if is_number and (at == value or number == 0):
            return -2, number
        at += 1


@kernel(IN_U8, I64, I64, U64, I64, I64, I64, I64, OUT_I64)
def cut_items(data, start, end, name, name_length, last_row, most, dense, found):
    """Find how far data[start:end] consists of whole items (`ROW`, 3 or `STRING`, 2), `most` at the most.

    `data` must be readable 80 bytes beyond `end`. Where `dense`, rows that are left out count, too.
    `found` gets the position after the last item, the number of the last row, the number of items, how it
    ended, and the number of the row that was too many (or 0).
    """
    base = address_of(data)
    first = np.int64(name & _U(255))
    end_letter = _LETTER_S
    mask = (_ONE << (_U(8) * _U(name_length))) - _ONE
    inside = False
    cut = start
    row = last_row
    pending = last_row
    count = 0
    status = MORE
    next_row = 0
    seen = start  # tags before are looked at
    block = start
    checked = False  # whether what follows `cut` is known to be an item or the end
    while block < end and status == MORE and next_row == 0:
        opening = find64(base + block, _LESS, _LESS, _LESS, _LESS)
        second = find64(base + block + 1, first, _MARK, _QUESTION, _MARK)
        slash = find64(base + block + 1, _SLASH, _SLASH, _SLASH, _SLASH)
        third = find64(base + block + 2, first, end_letter, first, end_letter)
        hits = opening & (second | (slash & third))
        while hits:
            at = block + np.int64(trailing_zeros(hits))
            hits &= hits - _ONE
            if at < seen:
                continue
            if at + 12 > end:
                block = end
                break
            byte = data[at + 1]
            if byte == _MARK or byte == _QUESTION:
                status = STRANGE
                break
            if byte == _SLASH:
                word = load8(base + at + 2)
                after = data[at + 2 + name_length]
                if (word & mask) == name and (after == _GREATER or is_space(after)):
                    close = at + 2 + name_length
                    while close < end and is_space(data[close]):
                        close += 1
                    if close >= end:
                        block = end
                        break
                    if not inside or data[close] != _GREATER:
                        status = STRANGE
                        break
                    inside = False
                    count += 1
                    cut = close + 1
                    row = pending
                    checked = False
                elif not inside and data[at + 2] == _LETTER_S and data[at + 3] != 105:  # not </si
                    status = OVER
                    break
            else:
                word = load8(base + at + 1)
                after = data[at + 1 + name_length]
                if (word & mask) != name or not (after == _GREATER or after == _SLASH or is_space(after)):
                    continue
                if inside:
                    status = STRANGE
                    break
                if not _only_space(data, cut, at):
                    status = STRANGE
                    break
                checked = True
                close, number = tag_end(data, at + 1 + name_length, end)
                if close == -1:
                    block = end
                    break
                if close == -2:
                    status = STRANGE
                    break
                if name_length == 3:
                    if number < 0:
                        number = row + 1
                    if number <= row:
                        status = UNORDERED
                        break
                    if (dense and number - last_row > most) or count >= most:
                        next_row = number
                        break
                    pending = number
                elif count >= most:
                    next_row = 1
                    break
                seen = close
                if data[close - 1] == _SLASH:
                    count += 1
                    cut = close + 1
                    row = pending
                    checked = False
                else:
                    inside = True
        block += 64
    if status == OVER and not checked:
        at = cut
        while at < end and is_space(data[at]):
            at += 1
        if data[at] != _LESS or data[at + 1] != _SLASH:
            status = STRANGE
    found[CUT] = cut
    found[LAST_ROW] = row
    found[COUNT] = count
    found[STATUS] = status
    found[NEXT_ROW] = next_row


@helper
def _only_space(data, start, end):
    at = start
    while at < end and is_space(data[at]):
        at += 1
    return at >= end
