"""How the digest hashes texts: by what they say, where they say a number, and by their bytes elsewhere."""

from __future__ import annotations

import numpy as np

from gidbench.kernels.bitmaps import next_valid
from gidbench.kernels.memory import address_of, and32, load1, load8, uint64_at
from gidbench.kernels.mixing import GAMMA, M1, M2, mix64
from gidbench.kernels.readings import (
    TEN_TO_8,
    eight_to_number,
    no_digits,
    read_decimal,
    read_integer,
    read_moment,
    read_truth,
)
from gidbench.kernels.registry import helper

SHORT = 32  # bytes of a text that is hashed by vectors
# What a value is found to be; part of its hash.
INTEGER, DECIMAL, MOMENT, TRUTH = (np.uint64(n) for n in (1, 2, 3, 4))
_U = np.uint64
_ZERO, _ONE = _U(0), _U(1)
_S8, _S29, _S32 = _U(8), _U(29), _U(32)
_WINDOW = np.repeat(np.array([255, 0], np.uint8), SHORT)  # from SHORT - n on, a mask of the first n bytes


@helper
def number_hash(kind, value, salt):
    """Hash of a number of a kind; different numbers have different hashes."""
    return mix64(_U(value) + salt + kind * GAMMA)


@helper
def _take_word(word, one, two):
    """Take eight bytes into both lanes of a state."""
    word *= GAMMA
    word ^= word >> _S32
    one = (one ^ word) * M1
    two = (two + word) * M2
    return one ^ (one >> _S29), two ^ (two >> _S32)


@helper
def _finish(one, two):
    """Both lanes of a text from its state after the last word."""
    one = mix64(one)
    return one, mix64(two + one)


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
    return _finish(one, two)


@helper
def _add_sixteens(words, salt, factor, firsts, seconds):
    """Add texts of 16 bytes, two words each, that are all whole numbers or all begin like none; whether they do."""
    strange, like_numbers = _ZERO, 0
    for row in range(firsts.size):
        left, right = words[2 * row], words[2 * row + 1]
        strange |= no_digits(left) | no_digits(right)
        first = left & _U(255)
        strange |= _ONE if first == _U(48) else _ZERO
        like_numbers += 1 if first >= _U(45) and first <= _U(57) else 0
    if strange == _ZERO:
        for row in range(firsts.size):
            value = eight_to_number(words[2 * row]) * TEN_TO_8 + eight_to_number(words[2 * row + 1])
            found = number_hash(INTEGER, value, salt)
            firsts[row] += found
            seconds[row] += found * factor
        return True
    if like_numbers > 0:
        return False
    for row in range(firsts.size):
        one, two = _take_word(words[2 * row], salt + _U(16) * GAMMA, factor)
        one, two = _take_word(words[2 * row + 1], one, two)
        one, two = _take_word(_ZERO, one, two)
        one, two = _finish(*_take_word(_ZERO, one, two))
        firsts[row] += one
        seconds[row] += two
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
    return _finish(one, two)


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
def add_texts(offsets, data, end, bitmap, bit, salt, factor, firsts, seconds, words, lengths):
    """Add a block of a column of texts.

    A text that says an integer, decimal number, date, moment or truth value counts as that: so it makes no
    difference whether a column came as text (CSV) or as numbers. What most columns hold goes by vectors:
    national ids (0.8 ns a text), and what begins like no number and has 16 bytes (1 ns) or up to SHORT (2.7 ns; 7
    and more one by one).
    """
    if bitmap != 0:
        _add_some_texts(offsets, data, end, bitmap, bit, salt, factor, firsts, seconds, words)
        return
    others = 0
    for row in range(firsts.size):
        others += 1 if offsets[row + 1] - offsets[row] != 16 else 0
    if others == 0:
        pairs = uint64_at(data + offsets[0], 2 * firsts.size)
        if _add_sixteens(pairs, salt, factor, firsts, seconds):
            return
    _add_all_texts(offsets, data, end, salt, factor, firsts, seconds, words, lengths)
