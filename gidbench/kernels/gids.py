"""G_ID codec kernels; the format is described in `gidbench.gid`."""

from __future__ import annotations

import numpy as np

from gidbench.kernels.memory import address_of, store8
from gidbench.kernels.registry import I64, IN_I32, IN_I64, IN_U8, OUT_I64, OUT_U8, kernel

_U = np.uint64


@kernel(IN_I64, OUT_U8)
def encode(ordinals, out):
    """Eight bytes for each ordinal (0 .. 67,599,999, not checked here) into out[8 * n]."""
    for row in range(ordinals.size):
        value = ordinals[row]
        at = row * 8
        out[at] = 71
        out[at + 7] = 48 + value % 10
        out[at + 6] = 48 + value // 10 % 10
        out[at + 5] = 65 + value // 100 % 26
        out[at + 4] = 65 + value // 2_600 % 26
        out[at + 3] = 48 + value // 67_600 % 10
        out[at + 2] = 48 + value // 676_000 % 10
        out[at + 1] = 48 + value // 6_760_000 % 10


@kernel(I64, OUT_U8)
def encode_range(first, out):
    """The same for the ordinals from `first` on; a hundred of them differ in two digits only."""
    start = address_of(out)
    count = out.size // 8
    row = 0
    while row < count:
        value = first + row
        number = _U(value % 100)
        hundred = value // 100
        word = _U(71) | (_U(65 + hundred // 26 % 26) << _U(32)) | (_U(65 + hundred % 26) << _U(40))
        word |= _U(48 + hundred // 67_600 % 10) << _U(8)
        word |= _U(48 + hundred // 6_760 % 10) << _U(16)
        word |= _U(48 + hundred // 676 % 10) << _U(24)
        for place in range(row, min(count, row + 100 - np.int64(number))):
            tens = (number * _U(103)) >> _U(10)
            ones = number - tens * _U(10)
            store8(start + 8 * place, word | ((tens + _U(48)) << _U(48)) | ((ones + _U(48)) << _U(56)))
            number += _U(1)
        row = min(count, row + 100 - value % 100)


@kernel(IN_I32, IN_U8, OUT_I64)
def decode(offsets, data, ordinals):
    """Ordinal of each text data[offsets[i] : offsets[i + 1]], or -1 where it is no G_ID."""
    for row in range(ordinals.size):
        at = offsets[row]
        value = -1
        if offsets[row + 1] - at == 8 and data[at] == 71:
            value = 0
            for place in range(1, 8):
                byte = np.int64(data[at + place])
                if place == 4 or place == 5:
                    digit, radix = byte - 65, 26
                else:
                    digit, radix = byte - 48, 10
                if digit < 0 or digit >= radix:
                    value = -1
                    break
                value = value * radix + digit
        ordinals[row] = value
