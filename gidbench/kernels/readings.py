"""What texts say: integers, decimal numbers, moments and truth values, read from an address and a length."""

from __future__ import annotations

import numpy as np

from gidbench.kernels.digits import NO_DATE, days_from_civil
from gidbench.kernels.memory import load1, load8
from gidbench.kernels.registry import helper

_U = np.uint64
_ZERO = _U(0)
_ASCII_ZEROS, _ABOVE_NINE, _HIGH_BITS = _U(0x3030303030303030), _U(0x4646464646464646), _U(0x8080808080808080)
_S8, _S16, _S32, TEN_TO_8 = _U(8), _U(16), _U(32), _U(10**8)
_BYTES = _U(0x000000FF000000FF)
_LARGEST = _U((1 << 63) - 1)
DAY_US = 86_400_000_000


@helper
def eight_to_number(word):
    """The number that eight ASCII digits say: pairs, then fours, then all (three multiplications)."""
    digits = word - _ASCII_ZEROS
    pairs = digits * _U(10) + (digits >> _S8)
    low = (pairs & _BYTES) * _U(0x000F424000000064)
    high = ((pairs >> _S16) & _BYTES) * _U(0x0000271000000001)
    return (low + high) >> _S32


@helper
def no_digits(word):
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
        if no_digits(word) != _ZERO:
            return False, 0
        value = value * TEN_TO_8 + eight_to_number(word)
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
        return True, days * DAY_US
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
    return True, days * DAY_US + (3600 * hour + 60 * minute + second) * 1_000_000 + fraction


@helper
def read_truth(at, length):
    """(whether it is one, 0 or 1) of true or false in any case."""
    word = _ZERO
    for place in range(length):
        word |= _U(load1(at + place) | 32) << _U(8 * place)
    if word == _U(0x65757274):
        return True, 1
    return word == _U(0x65736C6166), 0
