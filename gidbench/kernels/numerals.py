"""What texts say: whole numbers by words, and decimal numbers as doubles where those lose nothing."""

from __future__ import annotations

import numpy as np

from gidbench.kernels.memory import load1, load8
from gidbench.kernels.readings import TEN_TO_8, eight_to_number, no_digits
from gidbench.kernels.registry import helper

SURE_DIGITS, MOST_DIGITS = 15, 17  # that any number of a double has; that no double needs more than
NONE, FOUND, HARD = range(3)  # of `read_double`: no number; its double is found; it needs more care
DASH, DOT, ZERO = 45, 46, 48
_PLUS = 43
_U = np.uint64
_NO_BITS, _ASCII_ZEROS = _U(0), _U(0x3030303030303030)
_LARGEST, _SMALLEST = _U((1 << 63) - 1), -(1 << 63)
_POWERS = np.array([10.0**power for power in range(23)])  # all that are exact
_MOST_EXPONENT = 22


@helper
def _digits_at_most_8(at, length, readable):
    """(whether all are digits, their number) of up to 8 bytes; `readable` bytes can be read from `at` on."""
    if readable >= 8 and length > 0:
        gap = _U(64 - 8 * length)
        word = load8(at) << gap
        if length < 8:
            word |= _ASCII_ZEROS >> _U(8 * length)
        return no_digits(word) == _NO_BITS, eight_to_number(word)
    value = _U(0)
    for place in range(length):
        digit = load1(at + place) - ZERO
        if digit < 0 or digit > 9:
            return False, value
        value = value * _U(10) + _U(digit)
    return length > 0, value


@helper
def read_whole(at, length, readable):
    """(whether it is one, value) of -?(0|[1-9][0-9]*) within 64 bits, but for -0."""
    negative = length > 0 and load1(at) == DASH
    if negative:
        at += 1
        length -= 1
        readable -= 1
    if length < 1 or length > 19 or (load1(at) == ZERO and (length > 1 or negative)):
        return False, 0
    head = length & 7 if length & 7 else 8
    good, value = _digits_at_most_8(at, head, readable)
    place = head
    while place < length:
        word = load8(at + place)
        good &= no_digits(word) == _NO_BITS
        value = value * TEN_TO_8 + eight_to_number(word)
        place += 8
    if not good or value > _LARGEST:
        return good and negative and value == _LARGEST + _U(1), _SMALLEST
    return True, -np.int64(value) if negative else np.int64(value)


@helper
def _exponent(at, length, marked):
    """(whether it is one, value) of [+-]?[0-9]{1,4} behind an e; without a sign only where `marked`.

    A code such as 12e5 is no number, unless something else about it says so.
    """
    if length < 1:
        return False, 0
    sign = 1
    if load1(at) == DASH or load1(at) == _PLUS:
        sign = -1 if load1(at) == DASH else 1
        at += 1
        length -= 1
    elif not marked:
        return False, 0
    if length < 1 or length > 4:
        return False, 0
    value = 0
    for place in range(length):
        digit = load1(at + place) - ZERO
        if digit < 0 or digit > 9:
            return False, 0
        value = 10 * value + digit
    return True, sign * value


@helper
def decimal_parts(at, length):
    """(whether it is a number, whether negative, digits, how many, power of ten) of a text.

    -?(0|[1-9][0-9]*)?([.][0-9]+)?([eE][+-]?[0-9]+)?, with a digit before the e. The digits run from the first to
    the last that is not 0; where there are more than 19 they do not count.
    """
    negative = length > 0 and load1(at) == DASH
    if negative:
        at += 1
        length -= 1
    digits, count, zeros, place = _U(0), 0, 0, 0
    point = -1
    exponent = 0
    while place < length:
        byte = load1(at + place)
        if byte >= ZERO and byte <= 57:
            if byte == ZERO:
                zeros += 1 if count > 0 else 0
            else:
                count += zeros + 1
                if count <= 19:
                    for _ in range(zeros + 1):
                        digits = digits * _U(10)
                    digits += _U(byte - ZERO)
                zeros = 0
        elif byte == DOT and point < 0:
            point = place
        elif (byte == 101 or byte == 69) and place > 0:
            good, exponent = _exponent(at + place + 1, length - place - 1, point >= 0)
            if not good:
                return False, negative, digits, 0, 0
            break
        else:
            return False, negative, digits, 0, 0
        place += 1
    whole = point if point >= 0 else place
    fraction = place - point - 1 if point >= 0 else 0
    if (point >= 0 and fraction == 0) or place == 0:
        return False, negative, digits, 0, 0
    if whole > 1 and load1(at) == ZERO:
        return False, negative, digits, 0, 0
    return True, negative, digits, count, exponent - fraction + zeros


@helper
def read_double(at, length):
    """(what it is, value) of a text: NONE, FOUND or HARD.

    Up to 15 digits and a power of ten that a double holds exactly make one operation, which is rounded once
    (Clinger, "How to read floating point numbers accurately", 1990).
    """
    good, negative, digits, count, power = decimal_parts(at, length)
    if not good or count > MOST_DIGITS:
        return NONE, 0.0
    if count > SURE_DIGITS or power > _MOST_EXPONENT or power < -_MOST_EXPONENT:
        if count == 0:
            return FOUND, -0.0 if negative else 0.0
        return HARD, 0.0
    value = np.float64(digits)
    value = value * _POWERS[power] if power >= 0 else value / _POWERS[-power]
    return FOUND, -value if negative else value
