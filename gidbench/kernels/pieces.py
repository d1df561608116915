"""The kernel that makes texts of pieces whose lengths are constant, such as EMP-2024-0000017.

BLOCK rows at a time, mostly by vectors: each piece is a word of text, shifted to its place in the words of the
texts, which are stored at last (1.5 ns for four pieces; 2 ns more when each is stored by itself).
"""

from __future__ import annotations

import numpy as np

from gidbench.kernels.digits import WORD_BYTES, civil, day_of, divide_small, number_digits
from gidbench.kernels.memory import address_of, int64_at, load1, load8, store8, uint64_at
from gidbench.kernels.mixing import draw
from gidbench.kernels.registry import IN_I64_2D, IN_U64, OUT_U8, OUT_U64, helper, kernel

BLOCK = 128  # rows
# What a piece is: the same word in each row; the last eight digits of the row's number from 1, or those before
# them; year, month or day of a moment; random characters, from bits of the row's own or taken off its number.
LITERAL, ROW_NUMBER, UPPER_ROW_NUMBER, CALENDAR, DRAWN, TAKEN = range(6)
MOST_DIGITS = 15  # of a row number
YEAR, MONTH, DAY = range(3)
# Columns of the description of a piece, all int64.
(
    KIND,
    LENGTH,  # characters, 1 .. 8
    WORD,  # of a literal
    PART,  # of a calendar
    MOMENTS,  # of a calendar: address of int64 microseconds since 1970
    KEY,  # of what is drawn
    RADIX,  # of what is random: how many characters there are
    ALPHABET,  # address of them; 0 for decimal digits
    FIELDS,
) = range(9)
_U = np.uint64
_S8, _ZERO, _10E8 = _U(8), _U(0), _U(10**8)


@kernel(IN_I64_2D, IN_U64, OUT_U64, OUT_U64, OUT_U8)
def lay_pieces(pieces, rows, numbers, scratch, out):
    """Write the texts of rows (uint64 row numbers from 0), one after the other; out needs SLACK bytes more.

    `numbers` (uint64, one a row, or none) is what TAKEN pieces take their characters off, the first piece the
    low end; what is left stands there afterwards. `scratch` has BLOCK words for each eight characters of a
    text or less, and BLOCK more.
    """
    width = 0
    for piece in range(pieces.shape[0]):
        width += pieces[piece, LENGTH]
    size = WORD_BYTES * BLOCK
    room = address_of(scratch) + size
    texts = (width + WORD_BYTES - 1) // WORD_BYTES  # words of each
    at = address_of(out)
    for first in range(0, rows.size, BLOCK):
        count = min(BLOCK, rows.size - first)
        here = uint64_at(address_of(rows) + WORD_BYTES * first, count)
        left = uint64_at(address_of(numbers) + WORD_BYTES * first, count)
        words = uint64_at(address_of(scratch), count)
        uint64_at(room, texts * BLOCK)[:] = _ZERO
        offset = 0
        for piece in range(pieces.shape[0]):
            line = int64_at(address_of(pieces) + WORD_BYTES * FIELDS * piece, FIELDS)
            _make_words(line, first, here, left, words)
            _put_words(words, room + size * (offset // WORD_BYTES), offset % WORD_BYTES, line[LENGTH])
            offset += line[LENGTH]
        for index in range(
            texts
        ):  # the last words first: what they write too much is overwritten by first ones
            word = texts - 1 - index
            _store_words(room + size * word, at + WORD_BYTES * word, width, count)
        at += width * count


@helper
def _store_words(place, at, width, count):
    for _ in range(count):
        store8(at, load8(place))
        place += WORD_BYTES
        at += width


@helper
def _put_words(words, target, offset, length):
    """Put the text of a piece into words of the texts, from a character on; it may reach into the next word."""
    texts = uint64_at(target, words.size)
    shift = _U(WORD_BYTES * offset)
    for row in range(words.size):
        texts[row] |= words[row] << shift
    if offset + length > WORD_BYTES:
        texts = uint64_at(target + WORD_BYTES * BLOCK, words.size)
        shift = _U(WORD_BYTES * (WORD_BYTES - offset))
        for row in range(words.size):
            texts[row] |= words[row] >> shift


@helper
def _make_words(line, first, rows, numbers, words):
    kind, shift = line[KIND], _U(WORD_BYTES * (WORD_BYTES - line[LENGTH]))
    if kind == LITERAL:
        words[:] = _U(line[WORD])
    elif kind == ROW_NUMBER or kind == UPPER_ROW_NUMBER:
        for row in range(rows.size):
            number = rows[row] + _U(1)
            upper = _U(divide_small(np.int64(number), 1e-8))
            words[row] = number_digits(upper if kind == UPPER_ROW_NUMBER else number - upper * _10E8) >> shift
    elif kind == CALENDAR:
        moments, part = int64_at(line[MOMENTS] + WORD_BYTES * first, rows.size), line[PART]
        for row in range(rows.size):
            year, month, day = civil(_U(day_of(moments[row])[0]))
            words[row] = number_digits(year if part == YEAR else (month if part == MONTH else day)) >> shift
    elif kind == DRAWN:
        key = _U(line[KEY])
        for row in range(rows.size):
            words[row] = _take_characters(line, draw(key, rows[row]))[1]
    else:
        for row in range(rows.size):
            numbers[row], words[row] = _take_characters(line, numbers[row])


@helper
def _take_characters(line, number):
    """(what is left of a number, characters taken off its low end as text in a word).

    Low digits of 64 random bits are even to within radix ** length / 2^64. Decimal ones are made eight at a
    time, with one division (2.5 ns, seven by the general way 8 ns).
    """
    radix, alphabet = _U(line[RADIX]), line[ALPHABET]
    if alphabet == 0:
        power = _U(1)
        for _ in range(line[LENGTH]):
            power *= radix
        left = number // power
        return left, number_digits(number - left * power) >> _U(WORD_BYTES * (WORD_BYTES - line[LENGTH]))
    word = _ZERO
    for _ in range(line[LENGTH]):
        left = number // radix
        word = (word << _S8) | _U(load1(alphabet + np.int64(number - left * radix)))
        number = left
    return number, word
