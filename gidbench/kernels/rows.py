"""The kernel that joins the cells of rows to text: CSV and sheet XML alike.

A column is a row of numbers (see the constants): where its texts are, how long they are, which bits say that
one is there, and the literal text before, after and in the place of a cell.
"""

from __future__ import annotations

from gidbench.kernels.memory import address_of, copy16, load1, load4, load8, store1, store8
from gidbench.kernels.registry import I64, IN_I64, IN_I64_2D, OUT_I32, OUT_U8, kernel

LITERAL_BYTES = 32  # the longest literal; each has so many bytes allocated
# Columns of the description, all int64; addresses are of the first row.
(
    DATA,  # address of the texts
    END,  # address of the end of what may be read there
    OFFSETS,  # address of int32 offsets into the texts, or 0
    STRIDE,  # without offsets: bytes from one text to the next
    LENGTH,  # without offsets: length of every text, or -1
    LENGTHS,  # with LENGTH -1: address of uint8 lengths
    VALID,  # address of the bitmap of cells that are there, or 0
    VALID_BIT,  # its bit of the first row
    BEFORE,
    BEFORE_LENGTH,
    AFTER,
    AFTER_LENGTH,
    NULL,  # the whole of a cell that is not there
    NULL_LENGTH,
    FIELDS,
) = range(15)


@kernel(IN_I64_2D, I64, OUT_I32, OUT_U8)
def join_rows(columns, rows, offsets, out):
    """Write `rows` rows of cells to out, and where each begins and ends to offsets (rows + 1).

    `out` needs SLACK bytes more than are written, which are less than 2^31.

    Everything is copied 16 bytes at a time, whatever its length: what is too much is overwritten by the
    next copy (a loop over bytes took three times as long: 24 against 75 ns for the ten cells of an employee).
    """
    start = address_of(out)
    at = start
    offsets[0] = 0
    for row in range(rows):
        for column in range(columns.shape[0]):
            valid = columns[column, VALID]
            if valid != 0:
                bit = columns[column, VALID_BIT] + row
                if (load1(valid + (bit >> 3)) >> (bit & 7)) & 1 == 0:
                    copy16(at, columns[column, NULL])
                    copy16(at + 16, columns[column, NULL] + 16)
                    at += columns[column, NULL_LENGTH]
                    continue
            length = columns[column, BEFORE_LENGTH]
            if length > 0:
                copy16(at, columns[column, BEFORE])
                copy16(at + 16, columns[column, BEFORE] + 16)
                at += length
            bounds = columns[column, OFFSETS]
            if bounds != 0:
                offset = load4(bounds + 4 * row)
                length = load4(bounds + 4 * row + 4) - offset
                source = columns[column, DATA] + offset
            else:
                source = columns[column, DATA] + columns[column, STRIDE] * row
                length = columns[column, LENGTH]
                if length < 0:
                    length = load1(columns[column, LENGTHS] + row)
            if source + length + 16 <= columns[column, END]:
                copy16(at, source)
                done = 16
                while done < length:
                    copy16(at + done, source + done)
                    done += 16
            else:  # near the end of a buffer that may be followed by nothing
                for place in range(length):
                    store1(at + place, load1(source + place))
            at += length
            copy16(at, columns[column, AFTER])
            if columns[column, AFTER_LENGTH] > 16:
                copy16(at + 16, columns[column, AFTER] + 16)
            at += columns[column, AFTER_LENGTH]
        offsets[row + 1] = at - start


@kernel(IN_I64, IN_I64, IN_I64, I64, OUT_U8)
def lay_words(addresses, strides, lengths, rows, out):
    """Write rows of short pieces of constant lengths, one after the other; out needs SLACK bytes more.

    Piece p of a row is the first lengths[p] (up to 8) bytes of the word at addresses[p] + row * strides[p]; a
    stride of 0 repeats one word. `join_rows` does the same for any cells, in twice the time.
    """
    at = address_of(out)
    for row in range(rows):
        for piece in range(addresses.size):
            store8(at, load8(addresses[piece] + row * strides[piece]))
            at += lengths[piece]
