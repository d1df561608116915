"""Deflate in pieces: each is compressed on its own thread, and all of them in a row are one stream.

A piece ends at a byte boundary with an empty stored block (zlib's sync flush) and refers to nothing before
it, so pieces may simply follow each other (RFC 1951); their CRC-32s are combined.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from zlib_ng import zlib_ng

# A million employees are 322 MB of sheet XML: 0.77 s of one core and 82 MB of zip at zlib-ng's level 1, 1.1 s and
# 63 MB at level 2, 2.6 s and 50 MB at level 6; Python's own zlib takes 1.6 s at level 1.
LEVEL = 1
FINAL_BLOCK = b"\x03\x00"  # an empty block that says it is the last
_POLYNOMIAL = 0xEDB88320
_RAW_WINDOW = -15
_MEMORY_LEVEL = 9


@dataclass(frozen=True)
class Piece:
    """Some compressed bytes, and CRC-32 and number of the bytes they stand for."""

    data: bytes
    crc: int
    length: int


def deflate(plain: npt.NDArray[np.uint8] | bytes, level: int = LEVEL) -> Piece:
    """A piece of a raw deflate stream."""
    packer = zlib_ng.compressobj(level, zlib_ng.DEFLATED, _RAW_WINDOW, _MEMORY_LEVEL)
    data = packer.compress(plain) + packer.flush(zlib_ng.Z_SYNC_FLUSH)
    return Piece(data, zlib_ng.crc32(plain), len(plain))


def combine(first: int, second: int, second_length: int) -> int:
    """CRC-32 of two byte strings in a row, from those of each and the length of the second.

    The first is multiplied by x ** (8 * length) modulo the polynomial (Adler, zlib's crc32_combine).
    """
    return _multiply(_power(second_length), first) ^ second


def _multiply(left: int, right: int) -> int:
    """left * right modulo the polynomial; bit 31 is the coefficient of x ** 0."""
    product = 0
    place = 1 << 31
    while left:
        if left & place:
            product ^= right
            left ^= place
        place >>= 1
        right = (right >> 1) ^ (_POLYNOMIAL if right & 1 else 0)
    return product


@lru_cache(maxsize=64)
def _power(length: int) -> int:
    """x ** (8 * length) modulo the polynomial, by squaring."""
    result, square = 1 << 31, 1 << 23  # x ** 0, x ** 8
    while length:
        if length & 1:
            result = _multiply(square, result)
        square = _multiply(square, square)
        length >>= 1
    return result
