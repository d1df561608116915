r"""The kernel that reads delimited text of any dialect, forgiving: nothing in it stops at an error.

Other than in `gidbench.kernels.scan`, a quote closes a field only where a delimiter or a line end follows
(or the file ends); any other quote within is a part of the text, and marks the record STRAY. Where there is
an escape character, it takes the special meaning from a quote, a delimiter, a line end or another one
behind it, and stands for itself before anything else.

Modes: EXACT; TRIM, blanks around delimiters are no part of the fields; RUNS, several delimiters count as
one, and those at the ends of a record as none; GAPS, fields are separated by two blanks or more.
"""

from __future__ import annotations

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
EXACT, TRIM, RUNS, GAPS = 0, 1, 2, 3

_LF, _CR, _SPACE = 10, 13, 32


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
def _quoted(data, at, end, delimiter, quote, escape, mode, texts, slot, to):
    """Take a field whose opening quote is before `at`; its end, the end of its text, its marks, its lines."""
    marks = 0
    lines = 0
    while True:
        if at >= end:
            marks |= OPEN
            break
        byte = data[at]
        if escape >= 0 and _escaped(data, at, end, delimiter, quote, escape):
            at += 1
            byte = data[at]
        elif byte == quote:
            if at + 1 < end and data[at + 1] == quote:
                at += 1
            elif _closes(data, at + 1, end, delimiter, mode):
                at += 1
                break
            else:
                marks |= STRAY
        if byte == _LF or (byte == _CR and not (at + 1 < end and data[at + 1] == _LF)):
            marks |= MULTILINE
            lines += 1
        if slot >= 0:
            texts[slot, to] = byte
        to += 1
        at += 1
    if mode == TRIM:
        at = _past_blanks(data, at, end, mode)
    return at, to, marks, lines


@helper
def _plain(data, at, end, delimiter, quote, escape, mode, texts, slot, to):
    """Take a field without quotes from `at`; its end and the end of its text."""
    solid = to
    while not _separates(data, at, end, delimiter, mode):
        byte = data[at]
        if escape >= 0 and _escaped(data, at, end, delimiter, quote, escape):
            at += 1
            byte = data[at]
        if slot >= 0:
            texts[slot, to] = byte
        to += 1
        at += 1
        if byte != _SPACE:
            solid = to
    return at, solid if mode != EXACT else to


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
            if field < slots.size:
                slot = slots[field]
                if slot >= 0:
                    to = offsets[slot, count]
            fresh = to
            if mode == TRIM or mode == GAPS:
                at = _past_blanks(data, at, end, mode)
            if at < end and data[at] == quote:
                at, to, odd, passed = _quoted(
                    data, at + 1, end, delimiter, quote, escape, mode, texts, slot, to
                )
                found |= odd
                line += passed
            else:
                at, to = _plain(data, at, end, delimiter, quote, escape, mode, texts, slot, to)
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
def _skip_quoted(data, at, end, delimiter, quote, escape, mode):
    while at < end:
        if escape >= 0 and _escaped(data, at, end, delimiter, quote, escape):
            at += 1
        elif data[at] == quote:
            if at + 1 < end and data[at + 1] == quote:
                at += 1
            elif _closes(data, at + 1, end, delimiter, mode):
                return at + 1
        at += 1
    return end + 1


@kernel(IN_U8, I64, I64, I64, I64, I64, I64)
def last_end_any(data, start, end, delimiter, quote, escape, mode):
    r"""Position after the last record of `split_any` that ends inside data[start:end]; `start` if none does.

    A \\r or a quote in the very last place does not count, since what follows it may change its meaning.
    """
    last = start
    at = start
    opening = True
    while at < end:
        if opening:
            at = _past_blanks(data, at, end, mode)
            if mode == RUNS:
                while at < end and data[at] == delimiter:
                    at += 1
            opening = False
            if at < end and data[at] == quote:
                at = _skip_quoted(data, at + 1, end, delimiter, quote, escape, mode)
                if at >= end:
                    break
            continue
        if escape >= 0 and _escaped(data, at, end, delimiter, quote, escape):
            at += 2
            continue
        if _is_line_end(data[at]):
            if data[at] == _CR:
                if at + 1 >= end:
                    break
                if data[at + 1] == _LF:
                    at += 1
            last = at + 1
            opening = True
        elif _separates(data, at, end, delimiter, mode):
            opening = True
        at += 1
    return last
