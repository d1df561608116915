"""The kernel that joins the cells of rows to text: CSV and sheet XML alike.

A column is a row of numbers (see the constants): where its values are and what they are, which bits say that
one is there, and the literal text before, after and in the place of a cell.

Rows are joined BLOCK at a time, so that all that stands between the columns and the text stays in the
nearest cache: first every column of a block says where its texts are and how long, formatting numbers into
scratch memory, by vectors; then the rows are written.
"""

from __future__ import annotations

import numpy as np

from gidbench.kernels.bitmaps import BITS_AT_ONCE, are_few, next_valid, valid_bits
from gidbench.kernels.digits import (
    DATE_LENGTH,
    DATE_WORDS,
    MOMENT_LENGTH,
    MOMENT_WORDS,
    NUMBER_WORDS,
    SMALL,
    WORD_BYTES,
    date_words,
    moment_words,
    number_texts,
    small_number_texts,
    truth_words,
)
from gidbench.kernels.memory import (
    address_of,
    copy16,
    copy32,
    int32_at,
    int64_at,
    load8,
    store8,
    uint8_at,
    uint64_at,
)
from gidbench.kernels.quoting import holds_special
from gidbench.kernels.registry import I64, IN_I64_2D, OUT_I32, OUT_I64, OUT_U8, OUT_U64, helper, kernel

BLOCK = 128  # rows; with 64 or 256 the ten cells of an employee take a tenth longer
BLOCK_WORDS = BLOCK * MOMENT_WORDS  # scratch words of a column
LITERAL_BYTES = 32  # the longest literal; each has so many bytes allocated
COPIED = 32  # bytes that are copied of every text at least, so they must be readable
# What the values of a column are.
TEXTS, SLOTS, NUMBERS, DAYS, MOMENTS, TRUTHS = range(6)
# Columns of the description, all int64; addresses are of the first row.
(
    KIND,
    DATA,  # address of the values: bytes of texts, int64 numbers and moments, int32 days, uint8 truth values
    TAIL,  # of texts and slots: the row from which on they stand at TAIL_DATA instead of DATA
    TAIL_DATA,
    OFFSETS,  # of texts: address of int32 offsets
    CHECK,  # of texts: whether none may hold a quote, comma or line end
    STRIDE,  # of slots: bytes from one to the next
    LENGTH,  # of slots: length of every text, or -1
    LENGTHS,  # of slots with LENGTH -1: address of uint8 lengths
    POINT,  # of numbers: digits after the point
    LEAST,  # of numbers: digits at least
    VALID,  # address of the bitmap of cells that are there, or 0; 8 bytes more can be read
    VALID_BIT,  # its bit of the first row
    BEFORE,
    BEFORE_LENGTH,
    AFTER,
    AFTER_LENGTH,
    NULL,  # the whole of a cell that is not there
    NULL_LENGTH,
    END,  # of a field: up to END_BYTES bytes after it, from bit 32 on, and how many from bit 56 on
    FIELDS,
) = range(21)
END_BYTES = 3
_LENGTH_BITS, _END_BIT, _COUNT_BIT = np.uint64(0xFFFFFFFF), np.uint64(32), np.uint64(56)
_ONE = np.uint64(1)


@kernel(IN_I64_2D, I64, I64, OUT_I64, OUT_U64, OUT_I32, OUT_U8)
def join_rows(columns, are_fields, rows, scratch, words, offsets, out):
    """Write `rows` rows of cells to out, and where each begins and ends to offsets (rows + 1).

    With `are_fields` every cell is its text and END, which a null has, too, and nothing else. `scratch` has 2 *
    BLOCK numbers a column, `words` BLOCK_WORDS. `out` needs SLACK bytes more than are written, which are less
    than 2^31. Returns -1, or the first column whose texts hold what CHECK forbids; then nothing that was written
    counts.

    Everything is copied 32 bytes at a time, whatever its length: what is too much is overwritten by the
    next copy. An employee takes 7 ns once its texts are found, which takes 8; in a loop over columns that looked
    at the description of each it was 24 and 18, and copying byte by byte 75.
    """
    start = address_of(out)
    at = start
    offsets[0] = 0
    missing = 0 if are_fields else -1
    for first in range(0, rows, BLOCK):
        count = min(BLOCK, rows - first)
        for column in range(columns.shape[0]):
            # views by address: slices of arrays would count references, by atomic operations, eight times
            place = address_of(scratch) + WORD_BYTES * 2 * BLOCK * column
            _find_texts(
                int64_at(address_of(columns) + WORD_BYTES * FIELDS * column, FIELDS),
                first,
                missing,
                int64_at(place, count),
                int64_at(place + WORD_BYTES * BLOCK, count),
                uint64_at(address_of(words) + WORD_BYTES * BLOCK_WORDS * column, BLOCK_WORDS),
            )
            if columns[column, CHECK] != 0:
                offsets_at = columns[column, OFFSETS] + 4 * first
                if _hold_special(columns[column, DATA], offsets_at, count):
                    return column
        if are_fields:
            at = _join_fields(columns.shape[0], first, count, address_of(scratch), offsets, start, at)
        else:
            at = _join_cells(columns, first, count, scratch, offsets, start, at)
    return -1


@helper
def _hold_special(data, offsets, count):
    """Whether texts that follow each other hold a quote, comma or line end: looked at 64 bytes at a time."""
    bounds = int32_at(offsets, count + 1)
    return holds_special(data + bounds[0], np.int64(bounds[count]) - bounds[0])


@helper
def _join_fields(width, first, count, scratch, offsets, start, at):
    """Rows of fields; returns where the next row begins. Length and end share a word: one load, not three."""
    for row in range(count):
        place = scratch + WORD_BYTES * row
        for _ in range(width):
            source = np.int64(load8(place))
            word = load8(place + WORD_BYTES * BLOCK)
            length = np.int64(word & _LENGTH_BITS)
            copy32(at, source)
            if length > COPIED:
                _copy_on(at, source, length)
            at += length
            store8(at, word >> _END_BIT)
            at += np.int64(word >> _COUNT_BIT)
            place += 2 * WORD_BYTES * BLOCK
        offsets[first + row + 1] = at - start
    return at


@helper
def _join_cells(columns, first, count, scratch, offsets, start, at):
    """Rows of cells of any form; returns where the next row begins."""
    for row in range(count):
        for column in range(columns.shape[0]):
            place = 2 * BLOCK * column + row
            length = scratch[place + BLOCK]
            if length < 0:
                copy32(at, columns[column, NULL])
                at += columns[column, NULL_LENGTH]
                continue
            before = columns[column, BEFORE_LENGTH]
            if before > 0:
                copy32(at, columns[column, BEFORE])
                at += before
            copy32(at, scratch[place])
            if length > COPIED:
                _copy_on(at, scratch[place], length)
            at += length
            copy16(at, columns[column, AFTER])
            if columns[column, AFTER_LENGTH] > 16:
                copy16(at + 16, columns[column, AFTER] + 16)
            at += columns[column, AFTER_LENGTH]
        offsets[first + row + 1] = at - start
    return at


@helper
def _copy_on(at, source, length):
    """The rest of a text whose first bytes were copied."""
    done = COPIED
    while done < length:
        copy32(at + done, source + done)
        done += COPIED


@helper
def _find_texts(line, first, missing, sources, lengths, words):
    """Where the texts of a block of a column are, and how long; `missing` is the length of what is not there."""
    count = sources.size
    kind, bitmap, bit = line[KIND], line[VALID], line[VALID_BIT] + first
    if kind == TEXTS:
        _find_by_offsets(line, first, sources, lengths)
    elif kind == SLOTS:
        _find_slots(line, first, sources, lengths)
    elif kind == NUMBERS:
        values = int64_at(line[DATA] + WORD_BYTES * first, count)
        _write_numbers(values, line[POINT], line[LEAST], sources, lengths, words)
    elif kind == DAYS or kind == MOMENTS:
        size, length = (DATE_WORDS, DATE_LENGTH) if kind == DAYS else (MOMENT_WORDS, MOMENT_LENGTH)
        if bitmap != 0 and are_few(bitmap, bit, count):  # of 1 % it takes 0.5 ns a row, of all 1.1
            row = next_valid(bitmap, bit, 0, count)
            while row < count:
                _write_times(line, first + row, 1, words[size * row : size * (row + 1)])
                row = next_valid(bitmap, bit, row + 1, count)
        else:
            _write_times(line, first, count, words)
        _place_slots(words, size, sources)
        lengths[:] = length
    else:
        truth_words(uint8_at(line[DATA] + first, count), words, lengths)
        _place_slots(words, 1, sources)
    if bitmap != 0:
        _leave_out(line, first, missing, lengths)
    if missing >= 0:
        for row in range(count):
            lengths[row] |= line[END]


@helper
def _write_times(line, first, count, words):
    """The texts of days or moments, in slots."""
    if line[KIND] == DAYS:
        date_words(int32_at(line[DATA] + 4 * first, count), words)
    else:
        moment_words(int64_at(line[DATA] + WORD_BYTES * first, count), words)


@helper
def _leave_out(line, first, missing, lengths):
    for start in range(0, lengths.size, BITS_AT_ONCE):
        word = valid_bits(line[VALID], line[VALID_BIT] + first + start, lengths.size - start)
        for row in range(start, min(start + BITS_AT_ONCE, lengths.size)):
            if (word >> np.uint64(row - start)) & _ONE == np.uint64(0):
                lengths[row] = missing


@helper
def _find_by_offsets(line, first, sources, lengths):
    offsets = int32_at(line[OFFSETS] + 4 * first, sources.size + 1)
    data, tail, tail_data = line[DATA], line[TAIL] - first, line[TAIL_DATA]
    for row in range(sources.size):
        offset = np.int64(offsets[row])
        sources[row] = offset + (data if row < tail else tail_data)
        lengths[row] = np.int64(offsets[row + 1]) - offset


@helper
def _find_slots(line, first, sources, lengths):
    data, tail, tail_data, stride = line[DATA], line[TAIL], line[TAIL_DATA], line[STRIDE]
    for row in range(sources.size):
        sources[row] = (first + row) * stride + (data if first + row < tail else tail_data)
    if line[LENGTH] >= 0:
        lengths[:] = line[LENGTH]
    else:
        given = uint8_at(line[LENGTHS] + first, lengths.size)
        for row in range(lengths.size):
            lengths[row] = given[row]


@helper
def _write_numbers(values, point, least, sources, lengths, words):
    largest = np.uint64(0)
    for row in range(values.size):
        largest = max(largest, np.uint64(values[row]))  # what is negative is large then
    if largest < SMALL and point == 0 and least <= 1:
        small_number_texts(values, words, lengths)
        _place_slots(words, 1, sources)
    else:
        number_texts(values, point, least, words, lengths)
        _place_slots(words, NUMBER_WORDS, sources)


@helper
def _place_slots(words, count, sources):
    start = address_of(words)
    for row in range(sources.size):
        sources[row] = start + row * count * WORD_BYTES
