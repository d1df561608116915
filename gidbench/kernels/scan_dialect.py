r"""The kernel that reads delimited text of any dialect, forgiving: nothing in it stops at an error.

Other than in `gidbench.kernels.scan`, a quote closes a field only where a delimiter or a line end follows
(or the file ends); any other quote within is a part of the text, and marks the record STRAY. Where there is
an escape character, it takes the special meaning from a quote, a delimiter, a line end or another one
behind it, and stands for itself before anything else.

Modes: EXACT; TRIM, blanks around delimiters are no part of the fields; RUNS, several delimiters count as
one, and those at the ends of a record as none; GAPS, fields are separated by two blanks or more.
"""

from __future__ import annotations

import numpy as np

from gidbench.kernels.memory import address_of, store1
from gidbench.kernels.registry import (
    I64,
    IN_I16,
    IN_U8,
    OUT_I32_2D,
    OUT_I64,
    OUT_U8,
    OUT_U8_2D,
    helper,
    kernel,
)

STRAY, OPEN, MULTILINE, SURPLUS = 1, 2, 4, 8  # marks of a record
_QUOTE, _ESCAPE, _LINE, _SEPARATOR = 1, 2, 4, 8  # kinds of bytes
EXACT, TRIM, RUNS, GAPS = 0, 1, 2, 3

_LF, _CR, _SPACE = 10, 13, 32


@helper
def _kinds_of_bytes(delimiter, quote, escape):
    """What each byte may mean: one look into a table finds the next that does."""
    kinds = np.zeros(256, np.uint8)
    kinds[_LF] = kinds[_CR] = _LINE
    kinds[delimiter] |= _SEPARATOR
    if quote >= 0:
        kinds[quote] |= _QUOTE
    if escape >= 0:
        kinds[escape] |= _ESCAPE
    return kinds


@helper
def _is_line_end(byte):
    return byte == _LF or byte == _CR


@helper
def _separates(data, at, end, delimiter, mode):
    """Whether a delimiter or a line end is at `at`, or the end."""
    if at >= end or _is_line_end(data[at]):
        return True
    if data[at] != delimiter:
        return False
    return mode != GAPS or (at + 1 < end and data[at + 1] == delimiter)


@helper
def _past_blanks(data, at, end, mode):
    if mode != EXACT:
        while at < end and data[at] == _SPACE:
            at += 1
    return at


@helper
def _closes(data, at, end, delimiter, mode):
    """Whether a quote before `at` closes its field."""
    if mode == TRIM or mode == GAPS:
        solid = _past_blanks(data, at, end, mode)
        if mode == TRIM or solid >= end or _is_line_end(data[solid]):
            at = solid
    return _separates(data, at, end, delimiter, mode)


@helper
def _escaped(data, at, end, delimiter, quote, escape):
    """Whether the byte at `at` is an escape character that changes the meaning of the next."""
    if data[at] != escape or at + 1 >= end:
        return False
    following = data[at + 1]
    return following == quote or following == escape or following == delimiter or _is_line_end(following)


@helper
def _put(target, to, data, begin, end):
    """Copy data[begin:end] behind the `to` bytes at an address (0: nowhere); how many bytes are there then."""
    if target != 0:
        for at in range(begin, end):
            store1(target + to + (at - begin), data[at])
    return to + (end - begin)


@helper
def _quoted(data, at, end, delimiter, quote, escape, mode, kinds, target, to):
    """Take a field whose opening quote is before `at`; its end, the end of its text, its marks, its lines.

    `target` is the address at which the texts of its column begin, or 0.
    """
    marks = 0
    lines = 0
    begin = at
    while True:
        while at < end and not kinds[data[at]] & (_QUOTE | _ESCAPE | _LINE):
            at += 1
        if at >= end:
            marks |= OPEN
            to = _put(target, to, data, begin, end)
            break
        left_out = at
        if kinds[data[at]] & _LINE:
            if data[at] == _LF or not (at + 1 < end and data[at + 1] == _LF):
                marks |= MULTILINE
                lines += 1
            at += 1
            continue
        if kinds[data[at]] & _ESCAPE:
            at += 1
            if not _escaped(data, left_out, end, delimiter, quote, escape):
                continue
        elif at + 1 < end and data[at + 1] == quote:
            at += 1
        elif not _closes(data, at + 1, end, delimiter, mode):
            marks |= STRAY
            at += 1
            continue
        to = _put(target, to, data, begin, left_out)
        begin = at
        at += not _is_line_end(data[at])  # an escaped one counts as a line all the same
        if begin == left_out:  # the closing quote
            break
    if mode == TRIM:
        at = _past_blanks(data, at, end, mode)
    return at, to, marks, lines


@helper
def _plain(data, at, end, delimiter, quote, escape, mode, kinds, target, to):
    """Take a field without quotes from `at`; its end, the end of its text, its lines."""
    lines = 0
    begin = at
    while True:
        while at < end and not kinds[data[at]] & (_SEPARATOR | _ESCAPE | _LINE):
            at += 1
        if at >= end or kinds[data[at]] & _LINE:
            break
        if kinds[data[at]] & _ESCAPE:
            if _escaped(data, at, end, delimiter, quote, escape):
                to = _put(target, to, data, begin, at)
                at += 1
                begin = at
                lines += data[at] == _LF or (data[at] == _CR and not (at + 1 < end and data[at + 1] == _LF))
        elif _separates(data, at, end, delimiter, mode):
            break
        at += 1
    solid = at
    if mode != EXACT:
        while solid > begin and data[solid - 1] == _SPACE:
            solid -= 1
    return at, _put(target, to, data, begin, solid), lines


@kernel(IN_U8, I64, I64, I64, I64, I64, I64, IN_I16, OUT_U8_2D, OUT_I32_2D, OUT_I64, OUT_I64, OUT_I64, OUT_U8)
def split_any(
    data, start, end, delimiter, quote, escape, mode, slots, texts, offsets, starts, lines, widths, marks
):
    """Split data[start:end] into records, and copy the wanted fields of each.

    `quote` and `escape` are -1 where there is none. `slots`, `texts`, `offsets`, `starts` and `lines` are
    those of `scan.split`; `widths` gets the number of fields of each record, `marks` what is odd about it:
    SURPLUS where a field beyond slots.size is not empty. Fields that a record lacks are empty.

    Returns the number of records. Those without a byte, or with blanks only in other modes than EXACT, are
    passed over.
    """
    wanted = texts.shape[0]
    for slot in range(wanted):
        offsets[slot, 0] = 0
    kinds = _kinds_of_bytes(delimiter, quote, escape)
    base, stride = address_of(texts), texts.shape[1]
    count = 0
    line = 0
    at = start
    while at < end:
        begin = at
        at = _past_blanks(data, at, end, mode)
        if mode == RUNS:
            while at < end and data[at] == delimiter:
                at += 1
        if at >= end:
            break
        if _is_line_end(data[at]):
            if data[at] == _CR and at + 1 < end and data[at + 1] == _LF:
                at += 1
            at += 1
            line += 1
            continue
        starts[count] = begin
        lines[count] = line
        for slot in range(wanted):
            offsets[slot, count + 1] = offsets[slot, count]
        found = 0
        field = 0
        while True:
            slot = -1
            to = 0
            target = 0
            if field < slots.size:
                slot = np.int64(slots[field])
                if slot >= 0:
                    to = np.int64(offsets[slot, count])
                    target = base + slot * stride
            fresh = to
            if mode == TRIM or mode == GAPS:
                at = _past_blanks(data, at, end, mode)
            if at < end and data[at] == quote:
                at, to, odd, passed = _quoted(
                    data, at + 1, end, delimiter, quote, escape, mode, kinds, target, to
                )
                found |= odd
            else:
                at, to, passed = _plain(data, at, end, delimiter, quote, escape, mode, kinds, target, to)
            line += passed
            if slot >= 0:
                offsets[slot, count + 1] = to
            if field >= slots.size and to > fresh:
                found |= SURPLUS
            field += 1
            if at >= end or _is_line_end(data[at]):
                break
            if data[at] == delimiter:
                at += 1
            if mode == RUNS:
                while at < end and data[at] == delimiter:
                    at += 1
            if mode == RUNS or mode == GAPS:
                at = _past_blanks(data, at, end, mode)
                if at >= end or _is_line_end(data[at]):
                    break
        if at < end:
            if data[at] == _CR and at + 1 < end and data[at + 1] == _LF:
                at += 1
            at += 1
            line += 1
        widths[count] = field
        marks[count] = found
        count += 1
    starts[count] = end
    lines[count] = line
    return count


@helper
def _skip_quoted(data, at, end, delimiter, quote, escape, mode, kinds):
    while True:
        while at < end and not kinds[data[at]] & (_QUOTE | _ESCAPE):
            at += 1
        if at >= end:
            return end + 1
        if kinds[data[at]] & _ESCAPE:
            at += _escaped(data, at, end, delimiter, quote, escape)
        elif at + 1 < end and data[at + 1] == quote:
            at += 1
        elif _closes(data, at + 1, end, delimiter, mode):
            return at + 1
        at += 1


@kernel(IN_U8, I64, I64, I64, I64, I64, I64)
def last_end_any(data, start, end, delimiter, quote, escape, mode):
    r"""Position after the last record of `split_any` that ends inside data[start:end]; `start` if none does.

    A \\r or a quote in the very last place does not count, since what follows it may change its meaning.
    """
    kinds = _kinds_of_bytes(delimiter, quote, escape)
    last = start
    at = start
    while at < end:
        at = _past_blanks(data, at, end, mode)
        if mode == RUNS:
            while at < end and data[at] == delimiter:
                at += 1
        if at < end and data[at] == quote:
            at = _skip_quoted(data, at + 1, end, delimiter, quote, escape, mode, kinds)
        while at < end:  # to the end of the field
            if kinds[data[at]] == 0:
                at += 1
            elif kinds[data[at]] & _ESCAPE:
                at += 1 + _escaped(data, at, end, delimiter, quote, escape)
            elif _separates(data, at, end, delimiter, mode):
                break
            else:
                at += 1
        if at >= end:
            break
        if _is_line_end(data[at]):
            if data[at] == _CR:
                if at + 1 >= end:
                    break
                at += data[at + 1] == _LF
            last = at + 1
        at += 1
    return last
