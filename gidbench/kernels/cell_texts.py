"""The texts of cells that `sheet_cells.scan_rows` found: first how long each may be, then the text itself.

Numbers that are written in their shortest form already are copied; the others, and all else that takes more
than a few steps, are HARD: the caller finds their texts and passes them as EXTRA.
"""

from __future__ import annotations

import numpy as np

from gidbench.kernels.digits import MARCH_0000_DAYS, civil
from gidbench.kernels.memory import address_of, load1, store1, store8
from gidbench.kernels.registry import I64, IN_I32, IN_I64, IN_U8, OUT_I32, OUT_I64, OUT_U8, helper, kernel
from gidbench.kernels.sheet_cells import (
    CODED,
    DATE,
    ELAPSED,
    EMPTY,
    KIND_SHIFT,
    LENGTH_SHIFT,
    NUMBER,
    PLACE_MASK,
    PLAIN,
    SHARED,
    TIME,
    TRUTH,
)
from gidbench.kernels.xml_texts import copy_text, decode_text, decodes

EXTRA, MOMENT, FALSE_TEXT, TRUE_TEXT, HARD = range(16, 21)  # further kinds of cells
MOMENT_ROOM = 32  # bytes that a date, a time or an elapsed time takes at most
BYTES, HARD_COUNT, NUMBER_COUNT, LONGEST = range(4)  # places of `found`
FOUND = 4
DAY_FORM, MOMENT_FORM, CLOCK_FORM, ELAPSED_FORM = range(4)
DAY_MS = 86_400_000
LAST_DAY = 2_932_896 + MARCH_0000_DAYS  # 9999-12-31, since 0000-03-01
EPOCH_1900 = -25_569 + MARCH_0000_DAYS  # 1899-12-30, likewise
EPOCH_1904 = -24_107 + MARCH_0000_DAYS
_FORM_SHIFT, _DAY_SHIFT = 52, 27
_DAY_MASK, _MS_MASK = (1 << 25) - 1, (1 << 27) - 1
_MOST_ELAPSED = 1 << 24  # days
_MOST_EXACT = 1 << 53
_POWERS = np.array([float(10**n) for n in range(23)])
_ZERO, _NINE, _MINUS, _POINT, _COLON, _BLANK, _PLUS, _LOWER_E, _UPPER_E = 48, 57, 45, 46, 58, 32, 43, 101, 69
_EXACT_DIGITS, _LONGEST_WHOLE = 15, 17

_U = np.uint64
_TRUE, _FALSE = (_U(int.from_bytes(text, "little")) for text in (b"TRUE", b"FALSE"))


@helper
def is_shortest(data, at, length):
    """Whether a number is written as the shortest text that gives the same double, without an exponent."""
    end = at + length
    if length > 24:
        return False
    if data[at] == _MINUS:
        at += 1
    if at >= end or data[at] < _ZERO or data[at] > _NINE:
        return False
    whole = at
    while at < end and _ZERO <= data[at] <= _NINE:
        at += 1
    digits = at - whole
    if data[whole] == _ZERO and digits > 1:
        return False
    if at == end:
        if data[whole] == _ZERO:
            return length == 1
        return digits <= _LONGEST_WHOLE
    if data[at] != _POINT or data[end - 1] == _ZERO or end - at < 2:
        return False
    at += 1
    if data[whole] == _ZERO:  # leading zeros do not count, but more than three make an exponent
        digits = 0
        first = at
        while at < end and data[at] == _ZERO:
            at += 1
        if at - first > 3:
            return False
    while at < end:
        if data[at] < _ZERO or data[at] > _NINE:
            return False
        digits += 1
        at += 1
    return digits <= _EXACT_DIGITS


@helper
def exact_value(data, at, length):
    """(value, whether it is known exactly rounded) of a number that is not negative."""
    end = at + length
    mantissa = np.int64(0)
    scale = np.int64(0)
    point = False
    if length > 24 or length == 0:
        return 0.0, False
    seen = 0
    while at < end:
        byte = data[at]
        if byte == _POINT and not point:
            point = True
        elif _ZERO <= byte <= _NINE:
            if mantissa > _MOST_EXACT // 10 - 1:
                return 0.0, False
            mantissa = mantissa * 10 + np.int64(byte) - 48
            seen += 1
            if point:
                scale += 1
        else:
            return 0.0, False
        at += 1
    if seen == 0 or scale > 22:
        return 0.0, False
    return np.float64(mantissa) / _POWERS[scale], True


@helper
def moment_word(kind, value, since_1904):
    """What `write_texts` needs of a serial number, or -1 where it stays a number. `value` is not negative."""
    if value >= 16_000_000.0:
        return np.int64(-1)
    day = np.int64(np.floor(value))
    ms = np.int64(np.rint((value - np.floor(value)) * 86_400.0 * 1_000.0))
    if kind == ELAPSED:
        if ms >= DAY_MS:
            ms -= DAY_MS
            day += 1
        return (np.int64(ELAPSED_FORM) << _FORM_SHIFT) | (day << _DAY_SHIFT) | ms
    if value < 1.0 and ms < DAY_MS and (kind == TIME or not since_1904):
        return (np.int64(CLOCK_FORM) << _FORM_SHIFT) | ms
    if since_1904:
        day += EPOCH_1904
    else:
        if 0.0 < value < 60.0:  # before the 29 February 1900 that there never was
            day += 1
        day += EPOCH_1900
    if ms >= DAY_MS:
        ms -= DAY_MS
        day += 1
    if day > LAST_DAY:
        return np.int64(-1)
    form = np.int64(DAY_FORM if ms == 0 else MOMENT_FORM)
    return (form << _FORM_SHIFT) | (day << _DAY_SHIFT) | ms


@kernel(IN_U8, IN_I32, I64, OUT_I64, OUT_U8, OUT_I64, OUT_I64)
def resolve_cells(data, shared, since_1904, cells, numbers, hard, found):
    """Decide on the form of each cell, in place.

    `numbers` gets 1 where the cell was a number, `hard` the places of the cells that are HARD; their kind
    stays as it was. `found` gets the bytes that the others take at most, how many are hard, how many are
    numbers, and the length of the longest raw text.
    """
    total = 0
    hard_count = 0
    number_count = 0
    longest = 0
    for place in range(cells.size):
        cell = cells[place]
        kind = cell >> KIND_SHIFT
        numbers[place] = 0
        if kind == EMPTY:
            continue
        start = cell & PLACE_MASK
        length = (cell >> LENGTH_SHIFT) & PLACE_MASK
        is_hard = False
        if kind == SHARED:
            length = np.int64(shared[start])
            total += length
        elif kind == PLAIN or kind == CODED:
            longest = max(longest, length)
            if kind == CODED and not decodes(data, start, length):
                is_hard = True
            else:
                total += length
        elif kind == NUMBER:
            numbers[place] = 1
            number_count += 1
            if is_shortest(data, start, length):
                cells[place] = (np.int64(PLAIN) << KIND_SHIFT) | (cell & ((1 << KIND_SHIFT) - 1))
                total += length
            else:
                is_hard = True
        elif kind == DATE or kind == TIME or kind == ELAPSED:
            value, known = exact_value(data, start, length)
            if known:
                word = moment_word(kind, value, since_1904 != 0)
                if word >= 0:
                    cells[place] = (np.int64(MOMENT) << KIND_SHIFT) | word
                    total += MOMENT_ROOM
                else:
                    is_hard = True
            else:
                is_hard = True
        elif kind == TRUTH and length == 1 and (data[start] == 48 or data[start] == 49):
            truth = np.int64(TRUE_TEXT if data[start] == 49 else FALSE_TEXT)
            cells[place] = truth << KIND_SHIFT
            total += 5
        else:
            is_hard = True
        if is_hard:
            longest = max(longest, length)
            hard[hard_count] = place
            hard_count += 1
    found[BYTES] = total
    found[HARD_COUNT] = hard_count
    found[NUMBER_COUNT] = number_count
    found[LONGEST] = longest


@helper
def _two(at, value):
    store1(at, np.int64(48) + value // 10)
    store1(at + 1, np.int64(48) + value % 10)


@helper
def _clock(at, ms, hours_written):
    """[HH]:MM:SS[.mmm] of a time of day; the position behind it."""
    seconds = ms // 1000
    rest = ms - seconds * 1000
    if not hours_written:
        _two(at, seconds // 3600)
        at += 2
    store1(at, _COLON)
    _two(at + 1, seconds // 60 % 60)
    store1(at + 3, _COLON)
    _two(at + 4, seconds % 60)
    at += 6
    if rest > 0:
        store1(at, _POINT)
        store1(at + 1, 48 + rest // 100)
        _two(at + 2, rest % 100)
        at += 4
        while load1(at - 1) == _ZERO:
            at -= 1
    return at


@helper
def write_moment(at, word):
    """Text of what `moment_word` made; the position behind it."""
    form = (word >> _FORM_SHIFT) & 3
    days = (word >> _DAY_SHIFT) & _DAY_MASK
    ms = word & _MS_MASK
    if form == ELAPSED_FORM:
        hours = days * 24 + ms // 3_600_000
        digits = 1
        bound = 10
        while hours >= bound:
            bound *= 10
            digits += 1
        left = hours
        for done in range(digits):
            store1(at + digits - 1 - done, 48 + left % 10)
            left //= 10
        return _clock(at + digits, ms, True)
    if form == CLOCK_FORM:
        return _clock(at, ms, False)
    year, month, day = civil(_U(days))
    _two(at, np.int64(year) // 100)
    _two(at + 2, np.int64(year) % 100)
    store1(at + 4, _MINUS)
    _two(at + 5, np.int64(month))
    store1(at + 7, _MINUS)
    _two(at + 8, np.int64(day))
    if form == DAY_FORM:
        return at + 10
    store1(at + 10, _BLANK)
    return _clock(at + 11, ms, False)


@kernel(IN_U8, IN_I64, IN_I32, IN_U8, IN_I64, OUT_I32, OUT_U8)
def write_texts(data, shared_at, shared, extra, cells, offsets, out):
    """Texts of resolved cells: Arrow's offsets and bytes.

    `shared_at` holds the address of each shared string; all sources are readable, and `out` writable, 64
    bytes beyond.
    """
    source, target, further = address_of(data), address_of(out), address_of(extra)
    at = 0
    offsets[0] = 0
    for place in range(cells.size):
        cell = cells[place]
        kind = cell >> KIND_SHIFT
        start = cell & PLACE_MASK
        length = (cell >> LENGTH_SHIFT) & PLACE_MASK
        if kind == PLAIN:
            copy_text(target + at, source + start, length)
            at += length
        elif kind == SHARED:
            length = np.int64(shared[start])
            copy_text(target + at, shared_at[start], length)
            at += length
        elif kind == MOMENT:
            at = write_moment(target + at, cell & ((1 << KIND_SHIFT) - 1)) - target
        elif kind == EXTRA:
            copy_text(target + at, further + start, length)
            at += length
        elif kind == CODED:
            at += decode_text(data, start, length, target + at)
        elif kind == TRUE_TEXT:
            store8(target + at, _TRUE)
            at += 4
        elif kind == FALSE_TEXT:
            store8(target + at, _FALSE)
            at += 5
        offsets[place + 1] = at
