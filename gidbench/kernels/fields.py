r"""Kernels that find fields in delimited text without copying them, 64 bytes at a time.

They know what nearly every file is like: records end with \n or \r\n, and what a quote opens a quote closes, right
before a delimiter or the end of the record. Of anything else `find_separators` says so, and `scan.split` takes
that part of the file. A field that was found is an address and a length.
"""

from __future__ import annotations

import numpy as np

from gidbench.kernels.memory import (
    address_of,
    copy16,
    copy32,
    count_ones,
    find64,
    high64,
    load1,
    load8,
    store1,
    trailing_zeros,
)
from gidbench.kernels.registry import (
    I64,
    IN_I16,
    IN_I32,
    IN_I64,
    IN_U8,
    OUT_I32,
    OUT_I32_2D,
    OUT_I64,
    OUT_I64_2D,
    OUT_U8,
    U8,
    helper,
    kernel,
)
from gidbench.kernels.scan import COLUMN_COUNT

BLOCK = 64
AT_ONCE = 8  # positions that are written at once, whether so many are wanted or not
NOT_PLAIN = -1
NOT_UTF8 = 4  # flag beside those of `scan`
# What `find_separators` tells in `facts`: how many quotes are doubled, and how many blocks are not all ASCII.
DOUBLED, ODD = 0, 1
FACTS = 2

_U = np.uint64
_ZERO, _ONE, _HIGH_BITS = _U(0), _U(1), _U(0x8080808080808080)
_LF, _CR = 10, 13


@helper
def _write_positions(mask, base, positions, total):
    """The positions of the bits of a mask, AT_ONCE or more of them."""
    count = count_ones(mask)
    done = 0
    while True:
        for place in range(AT_ONCE):
            positions[total + done + place] = base + np.int64(trailing_zeros(mask))
            mask &= mask - _ONE
        done += AT_ONCE
        if done >= count:
            return count


@kernel(IN_U8, I64, I64, U8, U8, OUT_I32, OUT_I32, OUT_I32, OUT_I32, OUT_I64)
def find_separators(data, start, end, delimiter, quote, positions, ends, lines, odd, facts):
    r"""Where fields end in data[start:end], which begins with a record.

    positions[1 ...] are the positions, from `start` on, of delimiters and line ends (\n) outside quotes; that of
    the end where the last record has none; positions[0] is -1. ends[i] is the place in `positions` of the i-th
    line end, and lines[i] the number of lines up to it. `odd` are the blocks of 64 bytes that are not all ASCII.
    `facts` see above. There is room for end - start + 2 * AT_ONCE positions, for as many line ends as \n, and two,
    and for all blocks, and one.

    Returns the number of line ends, or NOT_PLAIN.
    """
    base = address_of(data) + start
    size = end - start
    tail = np.zeros(BLOCK, np.uint8)
    positions[0] = -1
    total, count, extra = 1, 0, 0
    skip = -1  # the second of two quotes
    quoted = False
    doubled = 0
    strange = 0
    carried = _ZERO
    for at in range(0, size, BLOCK):
        block = base + at
        left = size - at
        if left < BLOCK:
            for place in range(left):
                tail[place] = data[start + at + place]
            block = address_of(tail)
        odd[strange] = at // BLOCK
        strange += 1 if high64(block) != _ZERO else 0
        kept = ~_ZERO if left >= BLOCK else (_ONE << _U(left)) - _ONE
        ends_here = find64(block, _LF, _LF, _LF, _LF)
        returns = find64(block, _CR, _CR, _CR, _CR)
        quotes = find64(block, quote, quote, quote, quote) & kept
        delimiters = find64(block, delimiter, delimiter, delimiter, delimiter) & kept
        if quotes == _ZERO and not quoted:
            if ((returns << _ONE) | carried) & ~ends_here != _ZERO:
                return NOT_PLAIN
            carried = returns >> _U(63)
            separators = delimiters | ends_here
            if separators != _ZERO:
                found = _write_positions(separators, at, positions, total)
                below = ends_here & (_ZERO - ends_here)
                ends[count] = total + count_ones(separators & (below - _ONE))
                lines[count] = count + 1 + extra
                more = ends_here & (ends_here - _ONE) if ends_here != _ZERO else _ZERO
                count += 1 if ends_here != _ZERO else 0
                while more != _ZERO:
                    below = more & (_ZERO - more)
                    ends[count] = total + count_ones(separators & (below - _ONE))
                    lines[count] = count + 1 + extra
                    count += 1
                    more &= more - _ONE
                total += found
            continue
        if carried & ~ends_here != _ZERO:
            return NOT_PLAIN
        carried = _ZERO
        events = ends_here | returns | quotes | delimiters
        while events != _ZERO:
            place = at + np.int64(trailing_zeros(events))
            events &= events - _ONE
            if place == skip:
                continue
            byte = data[start + place]
            following = np.int64(data[start + place + 1]) if place + 1 < size else -1
            if quoted:
                if byte == quote:
                    if following == quote:
                        skip = place + 1
                        doubled += 1
                    elif following != delimiter and following != _LF and following != _CR and following != -1:
                        return NOT_PLAIN
                    else:
                        quoted = False
                elif byte == _LF or (byte == _CR and following != _LF):
                    extra += 1
            elif byte == quote:
                quoted = place == np.int64(positions[total - 1]) + 1
            elif byte == _CR:
                if following != _LF:
                    return NOT_PLAIN
            else:
                positions[total] = place
                if byte == _LF:
                    ends[count] = total
                    lines[count] = count + 1 + extra
                    count += 1
                total += 1
    if quoted or carried != _ZERO:
        return NOT_PLAIN
    if size > 0 and (count == 0 or positions[ends[count - 1]] + 1 < size):
        positions[total] = size
        ends[count] = total
        lines[count] = count + extra  # its line does not end
        count += 1
        total += 1
    facts[DOUBLED], facts[ODD] = doubled, strange
    return count


@kernel(IN_U8, I64, I64, IN_I32, IN_I32, IN_I32, I64, OUT_I32, OUT_I64, OUT_I64, OUT_U8)
def find_records(data, start, count, positions, ends, lines, width, firsts, starts, record_lines, flags):
    """Records of `width` fields from what `find_separators` found; blank ones are passed over.

    firsts[r] is the place in `positions` of the separator before record r, starts[r] the position in `data` it
    begins at, and record_lines[r] its line, from 0 on; flags[r] is COLUMN_COUNT where it has another number of fields.

    Returns the number of records.
    """
    found = 0
    before = 0
    line = 0
    for row in range(count):
        last = np.int64(ends[row])
        begin = np.int64(positions[before]) + 1
        fields = last - before
        if fields == 1:
            length = np.int64(positions[last]) - begin
            if length == 0 or (length == 1 and data[start + begin] == _CR):
                before = last
                line = lines[row]
                continue
        firsts[found] = before
        starts[found] = start + begin
        record_lines[found] = line
        flags[found] = 0 if fields == width else COLUMN_COUNT
        found += 1
        before = last
        line = lines[row]
    return found


@kernel(IN_I64, I64, I64, IN_I32, OUT_I32)
def find_odd(starts, end, first, blocks, rows):
    """Records, which begin at `starts`, that reach into one of the blocks counted from `first`; how many."""
    found = 0
    block = 0
    for row in range(starts.size):
        low = starts[row]
        high = starts[row + 1] if row + 1 < starts.size else end
        while block < blocks.size and first + BLOCK * np.int64(blocks[block]) + BLOCK <= low:
            block += 1
        if block == blocks.size:
            break
        if first + BLOCK * np.int64(blocks[block]) < high:
            rows[found] = row
            found += 1
    return found


@kernel(IN_U8, I64, U8, IN_I16, I64, IN_I32, IN_I32, IN_U8, OUT_U8, OUT_I64_2D, OUT_I32_2D)
def locate(data, start, quote, wanted, width, positions, firsts, flags, extra, addresses, lengths):
    r"""Address and length of the fields `wanted` (positions in a record) of each record, without quotes around.

    Those with doubled quotes are written to `extra`, which has room for all. Fields of flagged records are empty.
    """
    base = address_of(data) + start
    spare = address_of(extra)
    for slot in range(wanted.size):
        field = np.int64(wanted[slot])
        last = field == width - 1
        for row in range(firsts.size):
            if flags[row] != 0:
                addresses[slot, row] = base
                lengths[slot, row] = 0
                continue
            place = np.int64(firsts[row]) + field
            at = base + np.int64(positions[place]) + 1
            length = base + np.int64(positions[place + 1]) - at
            if last and length > 0 and load1(at + length - 1) == _CR:
                length -= 1
            if length > 1 and load1(at) == quote:
                at += 1
                length -= 2
                if extra.size > 0:
                    written = 0
                    place = 0
                    while place < length:
                        byte = load1(at + place)
                        place += 2 if byte == quote else 1
                        store1(spare + written, byte)
                        written += 1
                    if written < length:
                        at = spare
                        length = written
                        spare += written
            addresses[slot, row] = at
            lengths[slot, row] = length


@kernel(IN_I32)
def total(lengths):
    """Their sum; numpy's takes ten times as long, as it widens them first."""
    found = np.int64(0)
    for length in lengths:
        found += np.int64(length)
    return found


@kernel(IN_U8, I64, I64, U8)
def holds_byte(data, start, end, byte):
    """Whether a byte is in data[start:end]."""
    at = address_of(data) + start
    last = address_of(data) + end
    while at + 4 * BLOCK <= last:  # four at once: it is the memory that takes the time then
        one, two = find64(at, byte, byte, byte, byte), find64(at + BLOCK, byte, byte, byte, byte)
        three = find64(at + 2 * BLOCK, byte, byte, byte, byte)
        if one | two | three | find64(at + 3 * BLOCK, byte, byte, byte, byte) != _ZERO:
            return True
        at += 4 * BLOCK
    while at < last:
        if load1(at) == byte:
            return True
        at += 1
    return False


@kernel(IN_I64, IN_I32, I64, OUT_I32, OUT_U8)
def gather(addresses, lengths, limit, offsets, out):
    """Put texts one behind the other; `out` has SLACK beyond them. Up to `limit` all may be read.

    Returns how many are empty.
    """
    target = address_of(out)
    to = 0
    empty = 0
    offsets[0] = 0
    for row in range(addresses.size):
        at, length = addresses[row], np.int64(lengths[row])
        if at + length + 32 <= limit:
            copy32(target + to, at)
            if length > 32:
                for done in range(32, length, 16):
                    copy16(target + to + done, at + done)
        else:
            for place in range(length):
                store1(target + to + place, load1(at + place))
        to += length
        empty += 1 if length == 0 else 0
        offsets[row + 1] = to
    return empty


@helper
def _continues(at, low, high):
    byte = load1(at)
    return byte >= low and byte <= high


@helper
def is_utf8(at, length):
    """Whether a text is UTF-8 (RFC 3629: the shortest form, no surrogates, nothing above U+10FFFF)."""
    place = 0
    while place < length:
        while place + 8 <= length and load8(at + place) & _HIGH_BITS == _ZERO:
            place += 8
        if place >= length:
            return True
        byte = load1(at + place)
        left = length - place
        here = at + place
        if byte < 0x80:
            place += 1
        elif byte < 0xC2:
            return False
        elif byte < 0xE0:
            if left < 2 or not _continues(here + 1, 0x80, 0xBF):
                return False
            place += 2
        elif byte < 0xF0:
            low = 0xA0 if byte == 0xE0 else 0x80
            high = 0x9F if byte == 0xED else 0xBF
            if left < 3 or not (_continues(here + 1, low, high) and _continues(here + 2, 0x80, 0xBF)):
                return False
            place += 3
        elif byte < 0xF5:
            low = 0x90 if byte == 0xF0 else 0x80
            high = 0x8F if byte == 0xF4 else 0xBF
            if left < 4 or not (_continues(here + 1, low, high) and _continues(here + 2, 0x80, 0xBF)):
                return False
            if not _continues(here + 3, 0x80, 0xBF):
                return False
            place += 4
        else:
            return False
    return True


@kernel(IN_I64, IN_I32, IN_I32, OUT_U8)
def flag_undecodable(addresses, lengths, rows, flags):
    """Flag those of the records NOT_UTF8 whose text is not, unless they are flagged already; returns how many."""
    found = 0
    for row in rows:
        if flags[row] == 0 and not is_utf8(addresses[row], np.int64(lengths[row])):
            flags[row] = NOT_UTF8
            found += 1
    return found
