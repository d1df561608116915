r"""Kernels that find records and fields in delimited text (RFC 4180, forgiving).

A quote opens a quoted field only as the first byte of a field; inside, a doubled quote is a quote.
A record ends at \\n, \\r\\n or \\r outside quotes. Records without a single byte are passed over.
"""

from __future__ import annotations

import numpy as np

from gidbench.kernels.registry import I64, IN_I16, IN_U8, OUT_I32_2D, OUT_I64, OUT_U8, OUT_U8_2D, U8, kernel

COLUMN_COUNT, STRAY_QUOTE, OPEN_QUOTE = 1, 2, 3  # what `split` says of a record; 0 is well-formed

_LF, _CR = 10, 13


@kernel(IN_U8, I64, I64, U8, U8)
def last_record_end(data, start, end, delimiter, quote):
    r"""Position after the last record that ends inside data[start:end]; `start` where none does.

    `start` must be the start of a record. A \\r in the very last place does not count, since a \\n may
    follow it.
    """
    last = start
    at = start
    while at < end:
        if data[at] == quote:
            at += 1
            while at < end:
                if data[at] == quote:
                    if at + 1 < end and data[at + 1] == quote:
                        at += 1
                    else:
                        break
                at += 1
            at += 1
        while at < end and data[at] != delimiter and data[at] != _LF and data[at] != _CR:
            at += 1
        if at < end and data[at] != delimiter:
            if data[at] == _CR:
                if at + 1 == end:
                    break
                if data[at + 1] == _LF:
                    at += 1
            last = at + 1
        at += 1
    return last


@kernel(IN_U8, I64, I64)
def most_records(data, start, end):
    r"""An upper bound of the records that begin in data[start:end]: its \n and \r, and one.

    Counting both without looking ahead keeps the loop free of branches, so that it is vectorised.
    """
    count = 1
    for at in range(start, end):
        count += (data[at] == _LF) + (data[at] == _CR)
    return count


@kernel(IN_U8, I64, I64, U8, U8, IN_I16, OUT_U8_2D, OUT_I32_2D, OUT_I64, OUT_I64, OUT_U8)
def split(data, start, end, delimiter, quote, slots, texts, offsets, starts, lines, flags):
    """Split data[start:end] into records, and copy the wanted fields of each.

    `slots[f]` is the row of `texts` that field f goes to, or -1; a record with another number of fields
    than slots.size is flagged COLUMN_COUNT. `offsets[s]` gets the n + 1 Arrow offsets of slot s;
    `starts[n]`, `lines[n]` the position and the 0-based line on which record n begins; behind the last
    record stand `end` and the number of lines. Flagged records have empty fields.

    Returns the number of records.
    """
    wanted = texts.shape[0]
    fill = np.zeros(wanted, np.int64)
    for slot in range(wanted):
        offsets[slot, 0] = 0
    count = 0
    line = 0
    at = start
    while at < end:
        if data[at] == _LF or data[at] == _CR:  # an empty record
            if data[at] == _CR and at + 1 < end and data[at + 1] == _LF:
                at += 1
            at += 1
            line += 1
            continue
        starts[count] = at
        lines[count] = line
        flag = 0
        field = 0
        ended = False
        while not ended:
            slot = -1
            if field < slots.size:
                slot = np.int64(slots[field])
            to = np.int64(0)
            if slot >= 0:
                to = fill[slot]
            if at < end and data[at] == quote:
                at += 1
                closed = False
                while at < end:
                    byte = data[at]
                    if byte == quote:
                        if at + 1 < end and data[at + 1] == quote:
                            at += 1
                        else:
                            closed = True
                            at += 1
                            break
                    elif byte == _LF or (byte == _CR and not (at + 1 < end and data[at + 1] == _LF)):
                        line += 1
                    if slot >= 0:
                        texts[slot, to] = byte
                        to += 1
                    at += 1
                if not closed:
                    flag = OPEN_QUOTE
                elif at < end and data[at] != delimiter and data[at] != _LF and data[at] != _CR:
                    flag = STRAY_QUOTE
            if slot >= 0:
                while at < end:
                    byte = data[at]
                    if byte == delimiter or byte == _LF or byte == _CR:
                        break
                    texts[slot, to] = byte
                    to += 1
                    at += 1
                fill[slot] = to
            else:
                while at < end and data[at] != delimiter and data[at] != _LF and data[at] != _CR:
                    at += 1
            field += 1
            if at < end and data[at] == delimiter:
                at += 1
            else:
                ended = True
        if at < end:
            if data[at] == _CR and at + 1 < end and data[at + 1] == _LF:
                at += 1
            at += 1
            line += 1
        if flag == 0 and field != slots.size:
            flag = COLUMN_COUNT
        flags[count] = flag
        for slot in range(wanted):
            if flag != 0:
                fill[slot] = offsets[slot, count]
            offsets[slot, count + 1] = fill[slot]
        count += 1
    starts[count] = end
    lines[count] = line
    return count
