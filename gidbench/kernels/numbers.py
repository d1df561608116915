"""Kernels that turn random bits into numbers: scaled to a range, by a table of bins, or after another."""

from __future__ import annotations

import numpy as np

from gidbench.kernels.digits import divide_exactly
from gidbench.kernels.memory import high_product
from gidbench.kernels.mixing import GAMMA, draw, mix64
from gidbench.kernels.registry import I64, IN_I32, IN_I64, IN_U64, OUT_I64, U64, helper, kernel

GUIDE_BITS = 14
_S32, _LOW32 = np.uint64(32), np.uint64(0xFFFFFFFF)
_GUIDE_SHIFT = np.uint64(64 - GUIDE_BITS)


@kernel(IN_U64, I64, U64, OUT_I64)
def scale_bits(bits, low, span, out):
    """low .. low + span - 1, each as probable as the others to within span / 2^64; span 0 means 2^64."""
    if span == 0:
        for row in range(bits.size):
            out[row] = np.int64(bits[row] + np.uint64(low))
    else:
        for row in range(bits.size):
            out[row] = low + np.int64(high_product(bits[row], span))


@kernel(IN_U64, IN_U64, IN_I32, IN_I64, IN_U64, OUT_I64)
def look_up_bits(bits, ends, guide, starts, widths, out):
    """The bin whose share of 0 .. 2^64 the bits fall into, and a number evenly within it.

    Bin b ends before ends[b] (the last at 2^64, written as 2^64 - 1) and holds starts[b] .. + widths[b] - 1.
    `guide` says where to begin for the upper GUIDE_BITS (Chen and Asau 1974), so that a step or two are
    enough. Larger bits give a larger bin, which keeps correlation.
    """
    for row in range(bits.size):
        word = bits[row]
        place = guide[word >> _GUIDE_SHIFT]
        while place < ends.size - 1 and word >= ends[place]:
            place += 1
        value = starts[place]
        if widths[place] > 1:
            value += np.int64(high_product(mix64(word + GAMMA), widths[place]))
        out[row] = value


@kernel(U64, IN_U64, IN_I64, I64, I64, I64, I64, I64, I64, OUT_I64)
def scale_after(key, rows, sources, unit, gap, within, low, high, tick, out):
    """`tick` times a random number at least `gap` after a row's source, at most `within` after that, evenly.

    Sources are in parts of which `unit` make one of the numbers; one that is not whole counts from the next
    on. The number lies from `low` to `high`; where the least is beyond `high`, it is the least.
    """
    inverse = 1.0 / unit
    if within < 4_294_967_295:
        for row in range(rows.size):  # by vectors, which have no upper halves of products
            least, span = _room(sources[row], unit, inverse, gap, within, low, high)
            drawn = share(draw(key, rows[row]), span)
            out[row] = (least + np.int64(drawn)) * tick
    else:
        for row in range(rows.size):
            least, span = _room(sources[row], unit, inverse, gap, within, low, high)
            drawn = high_product(draw(key, rows[row]), span)
            out[row] = (least + np.int64(drawn)) * tick


@helper
def _room(source, unit, inverse, gap, within, low, high):
    """(the least number after a source, how many there are from it on)."""
    whole = source if unit == 1 else divide_exactly(source + (unit - 1), inverse, unit)
    least = max(low, whole + gap)
    most = max(least, min(high, least + within))
    return least, np.uint64(most - least + 1)


@helper
def share(bits, span):
    """The upper half of bits * span, for a span below 2^32: a number below it."""
    return ((bits >> _S32) * span + (((bits & _LOW32) * span) >> _S32)) >> _S32
