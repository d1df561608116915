"""Kernels that hash rows by what their values say, whatever their types, columns' order, or rows' order.

A row has two sums of 64 bits, over its values. A value adds a hash of itself and of its column, and a null or
empty text adds nothing; so no column's place matters. The sums, mixed, make the 128 bits of the row.
"""

from __future__ import annotations

import numpy as np

from gidbench.kernels.bitmaps import BITS_AT_ONCE, are_few, next_valid, valid_bits
from gidbench.kernels.digits import NO_DATE, WORD_BYTES, days_from_civil
from gidbench.kernels.memory import (
    address_of,
    and32,
    int32_at,
    int64_at,
    load1,
    load8,
    uint8_at,
    uint64_at,
)
from gidbench.kernels.mixing import GAMMA, M1, M2, mix64
from gidbench.kernels.registry import I64, IN_I64_2D, OUT_U64, helper, kernel

BLOCK = 256  # rows whose sums are kept while all columns are added to them
SCRATCH = 7 * BLOCK  # words
SHORT = 32  # bytes of a text that is hashed by vectors
# What the values of a column are.
TEXTS, INTEGERS, MOMENTS, DAYS, TRUTHS = range(5)
# Columns of the description of a column, all int64; addresses are of the first row.
(
    KIND,
    DATA,  # address of the values: bytes of texts, int64 integers and moments, int32 days, uint8 truth values
    TEXT_END,  # of texts: address of the end of what may be read there
    OFFSETS,  # of texts: address of int32 offsets
    VALID,  # address of the bitmap of values that are there, or 0; 8 bytes more can be read
    VALID_BIT,  # its bit of the first row
    SALT,
    FACTOR,  # odd
    FIELDS,
) = range(9)

# What a value is found to be; part of its hash.
INTEGER, DECIMAL, MOMENT, TRUTH = (np.uint64(n) for n in (1, 2, 3, 4))
_U = np.uint64
_ZERO, _ONE = _U(0), _U(1)
_ASCII_ZEROS, _ABOVE_NINE, _HIGH_BITS = _U(0x3030303030303030), _U(0x4646464646464646), _U(0x8080808080808080)
_S8, _S16, _S29, _S32, _10E8 = _U(8), _U(16), _U(29), _U(32), _U(10**8)
_BYTES = _U(0x000000FF000000FF)
_LARGEST = _U((1 << 63) - 1)
_DAY_US = 86_400_000_000
_WINDOW = np.repeat(np.array([255, 0], np.uint8), SHORT)  # from SHORT - n on, a mask of the first n bytes


@helper
def number_hash(kind, value, salt):
    """Hash of a number of a kind; different numbers have different hashes."""
    return mix64(_U(value) + salt + kind * GAMMA)


@helper
def _add_numbers(code, values, unit, bitmap, bit, salt, factor, firsts, seconds):
    """Add a block of a column of numbers, each times `unit`."""
    count = values.size
    if bitmap == 0:
        for row in range(count):
            found = number_hash(code, values[row] * unit, salt)
            firsts[row] += found
            seconds[row] += found * factor
    elif are_few(bitmap, bit, count):
        row = next_valid(bitmap, bit, 0, count)
        while row < count:
            found = number_hash(code, values[row] * unit, salt)
            firsts[row] += found
            seconds[row] += found * factor
            row = next_valid(bitmap, bit, row + 1, count)
    else:
        for start in range(0, count, BITS_AT_ONCE):
            word = valid_bits(bitmap, bit + start, count - start)
            for row in range(start, min(start + BITS_AT_ONCE, count)):
                mask = _ZERO - ((word >> _U(row - start)) & _ONE)
                found = number_hash(code, values[row] * unit, salt) & mask
                firsts[row] += found
                seconds[row] += found * factor


@helper
def eight_to_number(word):
    """The number that eight ASCII digits say: pairs, then fours, then all (three multiplications)."""
    digits = word - _ASCII_ZEROS
    pairs = digits * _U(10) + (digits >> _S8)
    low = (pairs & _BYTES) * _U(0x000F424000000064)
    high = ((pairs >> _S16) & _BYTES) * _U(0x0000271000000001)
    return (low + high) >> _S32


@helper
def _no_digits(word):
    """A high bit where a byte of a word is no digit, and for some above it."""
    return ((word + _ABOVE_NINE) | (word - _ASCII_ZEROS)) & _HIGH_BITS


@helper
def read_integer(at, length):
    """(whether it is one, value) of `length` characters: -?(0|[1-9][0-9]*), within 64 bits; -0 is 0."""
    sign = 1
    if load1(at) == 45:
        sign = -1
        at += 1
        length -= 1
    if length < 1 or length > 19 or (load1(at) == 48 and length > 1):
        return False, 0
    value = _ZERO
    place = 0
    while place + 8 <= length:
        word = load8(at + place)
        if _no_digits(word) != _ZERO:
            return False, 0
        value = value * _10E8 + eight_to_number(word)
        place += 8
    while place < length:
        digit = load1(at + place) - 48
        if digit < 0 or digit > 9:
            return False, 0
        value = value * _U(10) + _U(digit)
        place += 1
    if value > _LARGEST:
        return False, 0
    return True, sign * np.int64(value)


@helper
def read_decimal(at, length):
    """(whether it is one, value without its point, digits after it) of -?(0|[1-9][0-9]*)[.][0-9]+.

    Zeros at the end do not count, up to 18 digits do; nothing is after the point of a whole number then.
    """
    sign = 1
    if load1(at) == 45:
        sign = -1
        at += 1
        length -= 1
    point = -1
    for place in range(length):
        if load1(at + place) == 46:
            point = place
            break
    if point < 1 or point == length - 1 or (point > 1 and load1(at) == 48):
        return False, 0, 0
    while length > point + 1 and load1(at + length - 1) == 48:
        length -= 1
    if length == point + 1:
        length = point
    if length > 19:
        return False, 0, 0
    value = 0
    for place in range(length):
        if place != point:
            digit = load1(at + place) - 48
            if digit < 0 or digit > 9:
                return False, 0, 0
            value = value * 10 + digit
    return True, sign * value, max(0, length - point - 1)


@helper
def _two(at):
    tens, ones = load1(at) - 48, load1(at + 1) - 48
    if tens < 0 or tens > 9 or ones < 0 or ones > 9:
        return -1_000_000
    return 10 * tens + ones


@helper
def read_moment(at, length):
    """(whether it is one, microseconds since 1970) of YYYY-MM-DD, also with a blank or T, HH:MM[:SS[.f{1,6}]]."""
    if length < 10 or load1(at + 4) != 45 or load1(at + 7) != 45:
        return False, 0
    year = 100 * _two(at) + _two(at + 2)
    days = days_from_civil(year, _two(at + 5), _two(at + 8))
    if year < 1 or days == NO_DATE:
        return False, 0
    if length == 10:
        return True, days * _DAY_US
    if length < 16 or (load1(at + 10) != 32 and load1(at + 10) != 84) or load1(at + 13) != 58:
        return False, 0
    hour, minute, second, fraction = _two(at + 11), _two(at + 14), 0, 0
    if length > 16:
        if length < 19 or load1(at + 16) != 58:
            return False, 0
        second = _two(at + 17)
        if length > 19:
            if load1(at + 19) != 46 or length > 26 or length == 20:
                return False, 0
            for place in range(20, 26):
                digit = load1(at + place) - 48 if place < length else 0
                if digit < 0 or digit > 9:
                    return False, 0
                fraction = 10 * fraction + digit
    if hour < 0 or hour > 23 or minute < 0 or minute > 59 or second < 0 or second > 59:
        return False, 0
    return True, days * _DAY_US + (3600 * hour + 60 * minute + second) * 1_000_000 + fraction


@helper
def read_truth(at, length):
    """(whether it is one, 0 or 1) of true or false in any case."""
    word = _ZERO
    for place in range(length):
        word |= _U(load1(at + place) | 32) << _U(8 * place)
    if word == _U(0x65757274):
        return True, 1
    return word == _U(0x65736C6166), 0


@helper
def _take_word(word, one, two):
    """Take eight bytes into both lanes of a state."""
    word *= GAMMA
    word ^= word >> _S32
    one = (one ^ word) * M1
    two = (two + word) * M2
    return one ^ (one >> _S29), two ^ (two >> _S32)


@helper
def _text_hash(at, length, salt, factor):
    """Both lanes of any text; nothing beyond its end is read."""
    first = load1(at)
    if 48 <= first <= 57 or first == 45:
        kind, value, scale = INTEGER, 0, 0
        found, value = read_integer(at, length)
        if not found:
            kind = MOMENT
            found, value = read_moment(at, length)
        if not found:
            found, value, scale = read_decimal(at, length)
            kind = INTEGER if scale == 0 else DECIMAL + (_U(scale) << _S8)
        if found:
            one = number_hash(kind, value, salt)
            return one, one * factor
    elif length <= 5:
        found, value = read_truth(at, length)
        if found:
            one = number_hash(TRUTH, value, salt)
            return one, one * factor
    one, two = salt + _U(length) * GAMMA, factor
    for place in range(0, max(length, SHORT), 8):
        word = _ZERO
        if place + 8 <= length:
            word = load8(at + place)
        else:
            for byte in range(place, length):
                word |= _U(load1(at + byte)) << _U(8 * (byte - place))
        one, two = _take_word(word, one, two)
    one = mix64(one)
    return one, mix64(two + one)


@helper
def _add_ids(words, salt, factor, firsts, seconds):
    """Add texts of 16 bytes that are all whole numbers, two words each; whether they are."""
    strange = _ZERO
    for row in range(firsts.size):
        left, right = words[2 * row], words[2 * row + 1]
        strange |= _no_digits(left) | _no_digits(right)
        strange |= _ONE if left & _U(255) == _U(48) else _ZERO
    if strange != _ZERO:
        return False
    for row in range(firsts.size):
        value = eight_to_number(words[2 * row]) * _10E8 + eight_to_number(words[2 * row + 1])
        found = number_hash(INTEGER, value, salt)
        firsts[row] += found
        seconds[row] += found * factor
    return True


@helper
def _is_short(first, length):
    """Whether a text of a first character and a length says no number or truth value and has a word or four."""
    if first <= 57 and first >= 45:
        return False
    letter = first | 32
    return 0 < length <= SHORT and not (length == 4 and letter == 116) and not (length == 5 and letter == 102)


@helper
def _short_hash(words, at, length, salt, factor):
    """Both lanes of a text of four words, padded with zeros."""
    one, two = salt + length * GAMMA, factor
    one, two = _take_word(words[at], one, two)
    one, two = _take_word(words[at + 1], one, two)
    one, two = _take_word(words[at + 2], one, two)
    one, two = _take_word(words[at + 3], one, two)
    one = mix64(one)
    return one, mix64(two + one)


@helper
def _add_short_texts(words, lengths, salt, factor, firsts, seconds):
    """Add texts of four words each, padded with zeros; those of no length are passed over."""
    for row in range(lengths.size):
        one, two = _short_hash(words, 4 * row, lengths[row], salt, factor)
        mask = _ZERO - min(lengths[row], _ONE)
        firsts[row] += one & mask
        seconds[row] += two & mask


@helper
def _add_all_texts(offsets, data, end, salt, factor, firsts, seconds, words, lengths):
    """Add a block of texts without nulls."""
    window, slot = address_of(_WINDOW) + SHORT, address_of(words)
    others = 0
    for row in range(firsts.size):
        at, length = data + offsets[row], np.int64(offsets[row + 1] - offsets[row])
        if at + SHORT <= end and _is_short(load1(at), length):
            and32(slot, at, window - length)
            lengths[row] = _U(length)
        else:
            lengths[row] = _ZERO
            others += 1
        slot += SHORT
    _add_short_texts(words, lengths, salt, factor, firsts, seconds)
    if others > 0:
        for row in range(firsts.size):
            length = np.int64(offsets[row + 1] - offsets[row])
            if lengths[row] == _ZERO and length > 0:
                one, two = _text_hash(data + offsets[row], length, salt, factor)
                firsts[row] += one
                seconds[row] += two


@helper
def _add_some_texts(offsets, data, end, bitmap, bit, salt, factor, firsts, seconds, words):
    """Add a block of texts with nulls, one by one."""
    window, slot, count = address_of(_WINDOW) + SHORT, address_of(words), firsts.size
    row = next_valid(bitmap, bit, 0, count)
    while row < count:
        at, length = data + offsets[row], np.int64(offsets[row + 1] - offsets[row])
        if length > 0:
            if at + SHORT <= end and _is_short(load1(at), length):
                and32(slot, at, window - length)
                one, two = _short_hash(words, 0, _U(length), salt, factor)
            else:
                one, two = _text_hash(at, length, salt, factor)
            firsts[row] += one
            seconds[row] += two
        row = next_valid(bitmap, bit, row + 1, count)


@helper
def _add_texts(offsets, data, end, bitmap, bit, salt, factor, firsts, seconds, words, lengths):
    """Add a block of a column of texts.

    A text that says an integer, decimal number, date, moment or truth value counts as that: so it makes no
    difference whether a column came as text (CSV) or as numbers. What most columns hold goes by vectors:
    national ids (0.8 ns a text), and what begins like no number and has up to SHORT bytes (2 ns; 7 and more
    one by one).
    """
    if bitmap != 0:
        _add_some_texts(offsets, data, end, bitmap, bit, salt, factor, firsts, seconds, words)
        return
    others = 0
    for row in range(firsts.size):
        others += 1 if offsets[row + 1] - offsets[row] != 16 else 0
    if others == 0:
        ids = uint64_at(data + offsets[0], 2 * firsts.size)
        if _add_ids(ids, salt, factor, firsts, seconds):
            return
    _add_all_texts(offsets, data, end, salt, factor, firsts, seconds, words, lengths)


@kernel(IN_I64_2D, I64, OUT_U64, OUT_U64)
def digest_rows(columns, rows, scratch, totals):
    """Add the 128 bits of each row to the totals (two of 64 bits, each modulo 2^64); scratch has SCRATCH words."""
    for start in range(0, rows, BLOCK):
        count = min(BLOCK, rows - start)
        # by address: slices of arrays would count references, by atomic operations
        firsts = uint64_at(address_of(scratch), count)
        seconds = uint64_at(address_of(scratch) + WORD_BYTES * BLOCK, count)
        lengths = uint64_at(address_of(scratch) + WORD_BYTES * 2 * BLOCK, count)
        words = uint64_at(address_of(scratch) + WORD_BYTES * 3 * BLOCK, 4 * count)
        firsts[:] = _ZERO
        seconds[:] = _ZERO
        for column in range(columns.shape[0]):
            line = int64_at(address_of(columns) + WORD_BYTES * FIELDS * column, FIELDS)
            kind, data = line[KIND], line[DATA]
            bitmap, bit = line[VALID], line[VALID_BIT] + start
            salt, factor = _U(line[SALT]), _U(line[FACTOR])
            if kind == TEXTS:
                offsets = int32_at(line[OFFSETS] + 4 * start, count + 1)
                _add_texts(
                    offsets, data, line[TEXT_END], bitmap, bit, salt, factor, firsts, seconds, words, lengths
                )
            elif kind == DAYS:
                days = int32_at(data + 4 * start, count)
                _add_numbers(MOMENT, days, _DAY_US, bitmap, bit, salt, factor, firsts, seconds)
            elif kind == TRUTHS:
                truths = uint8_at(data + start, count)
                _add_numbers(TRUTH, truths, 1, bitmap, bit, salt, factor, firsts, seconds)
            else:
                values = int64_at(data + WORD_BYTES * start, count)
                code = INTEGER if kind == INTEGERS else MOMENT
                _add_numbers(code, values, 1, bitmap, bit, salt, factor, firsts, seconds)
        first, second = _ZERO, _ZERO
        for row in range(count):
            mixed = mix64(firsts[row] + GAMMA)
            first += mixed
            second += mix64(seconds[row] ^ mixed)
        totals[0] += first
        totals[1] += second
