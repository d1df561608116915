"""Kernels that hash rows by what their values say, whatever their types, columns' order, or rows' order.

A row has two sums of 64 bits, over its values. A value adds a hash of itself and of its column, and a null or
empty text adds nothing; so no column's place matters. The sums, mixed, make the 128 bits of the row.
"""

from __future__ import annotations

import numpy as np

from gidbench.kernels.digits import NO_DATE, days_from_civil
from gidbench.kernels.memory import address_of, high_product, load1, load8
from gidbench.kernels.mixing import GAMMA, mix64
from gidbench.kernels.registry import I64, IN_I32, IN_I64, IN_U8, OUT_U64, U64, helper, kernel

# What a value is found to be; part of its hash.
INTEGER, DECIMAL, MOMENT, TRUTH = (np.uint64(n) for n in (1, 2, 3, 4))
_U = np.uint64
_ZERO, _ONE = _U(0), _U(1)
_ASCII_ZEROS, _ABOVE_NINE, _HIGH_BITS = _U(0x3030303030303030), _U(0x4646464646464646), _U(0x8080808080808080)
_S8, _S16, _S32, _10E8 = _U(8), _U(16), _U(32), _U(10**8)
_BYTES = _U(0x000000FF000000FF)
_LARGEST = _U((1 << 63) - 1)
_DAY_US = 86_400_000_000
_MASKS = np.array([(1 << 8 * n) - 1 for n in range(9)], np.uint64)  # the first n bytes of a word


@helper
def number_hash(kind, value, salt):
    """Hash of a number of a kind; different numbers have different hashes."""
    return mix64(_U(value) + salt + kind * GAMMA)


@kernel(U64, IN_I64, IN_U8, I64, U64, U64, OUT_U64, OUT_U64)
def add_numbers(kind, values, bits, first_bit, salt, factor, firsts, seconds):
    """Add a column of numbers to the sums of the rows. `bits` is the bitmap of those that are there, or empty."""
    if bits.size == 0:
        for row in range(values.size):
            found = number_hash(kind, values[row], salt)
            firsts[row] += found
            seconds[row] += found * factor
    else:
        for row in range(values.size):
            bit = first_bit + row
            if (bits[bit >> 3] >> (bit & 7)) & 1:
                found = number_hash(kind, values[row], salt)
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
def _are_digits(word):
    return ((word + _ABOVE_NINE) | (word - _ASCII_ZEROS)) & _HIGH_BITS == _ZERO


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
        if not _are_digits(word):
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
def _block_hash(low, high, one, two):
    """Take 16 bytes into a state of two words, by the 128 bits of a product (as wyhash does)."""
    left, right = low ^ one, high ^ two
    return (left * right) ^ high, high_product(left, right) ^ low


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
    for place in range(0, length, 16):
        low, high = _ZERO, _ZERO
        for byte in range(min(16, length - place)):
            if byte < 8:
                low |= _U(load1(at + place + byte)) << _U(8 * byte)
            else:
                high |= _U(load1(at + place + byte)) << _U(8 * byte - 64)
        one, two = _block_hash(low, high, one, two)
    one = mix64(one)
    return one, mix64(two + one)


@kernel(IN_I32, IN_U8, IN_U8, I64, U64, U64, OUT_U64, OUT_U64)
def add_texts(offsets, data, bits, first_bit, salt, factor, firsts, seconds):
    """Add a column of texts to the sums of the rows.

    A text that says an integer, decimal number, date, moment or truth value counts as that: so it makes no
    difference whether a column came as text (CSV) or as numbers. What most columns hold goes without a loop
    here (5 to 6 ns a text, 9 to 12 by the general way): national ids, and other texts up to 32 bytes.
    """
    base = address_of(data)
    last = base + data.size
    for row in range(firsts.size):
        bit = first_bit + row
        length = np.int64(offsets[row + 1] - offsets[row])
        if length == 0 or (bits.size > 0 and (bits[bit >> 3] >> (bit & 7)) & 1 == 0):
            continue
        at = base + offsets[row]
        first = load1(at)
        if 48 <= first <= 57 or first == 45:
            if length == 16 and first != 48:
                left, right = load8(at), load8(at + 8)
                if _are_digits(left) and _are_digits(right):
                    value = eight_to_number(left) * _10E8 + eight_to_number(right)
                    one = number_hash(INTEGER, value, salt)
                    firsts[row] += one
                    seconds[row] += one * factor
                    continue
        elif 5 < length <= 16 and at + 16 <= last:
            low = load8(at) & _MASKS[min(length, 8)]
            high = load8(at + 8) & _MASKS[max(length - 8, 0)]
            one, two = _block_hash(low, high, salt + _U(length) * GAMMA, factor)
            one = mix64(one)
            firsts[row] += one
            seconds[row] += mix64(two + one)
            continue
        elif 16 < length <= 32 and at + 32 <= last:
            one, two = _block_hash(load8(at), load8(at + 8), salt + _U(length) * GAMMA, factor)
            low = load8(at + 16) & _MASKS[min(length - 16, 8)]
            high = load8(at + 24) & _MASKS[max(length - 24, 0)]
            one, two = _block_hash(low, high, one, two)
            one = mix64(one)
            firsts[row] += one
            seconds[row] += mix64(two + one)
            continue
        one, two = _text_hash(at, length, salt, factor)
        firsts[row] += one
        seconds[row] += two


@kernel(OUT_U64, OUT_U64, OUT_U64)
def total_rows(firsts, seconds, totals):
    """Add the rows' 128 bits to the totals (two of 64 bits, each modulo 2^64)."""
    first, second = _ZERO, _ZERO
    for row in range(firsts.size):
        mixed = mix64(firsts[row] + GAMMA)
        first += mixed
        second += mix64(seconds[row] ^ mixed)
    totals[0] += first
    totals[1] += second
