"""The counter-based random source: every draw is a function of (key, row), nothing else.

`draw` is output number `row` of SplitMix64 started at `key` (Steele, Lea, Flood: "Fast splittable pseudorandom
number generators", OOPSLA 2014). Its state after n steps is key + n * GAMMA, so any row is reached in one
multiplication, and eight rows at once where the machine has vectors of 512 bits (0.23 ns a draw).
Each use of each column of each table has a key of its own.
"""

from __future__ import annotations

import numpy as np

from gidbench.kernels.registry import helper

GAMMA = np.uint64(0x9E3779B97F4A7C15)
M1, M2 = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_S30, _S27, _S31, _S32 = np.uint64(30), np.uint64(27), np.uint64(31), np.uint64(32)
_ONE = np.uint64(1)


@helper
def mix64(z):
    """SplitMix64's finaliser: a bijection of 64 bits in which every input bit reaches every output bit."""
    z = (z ^ (z >> _S30)) * M1
    z = (z ^ (z >> _S27)) * M2
    return z ^ (z >> _S31)


@helper
def draw(key, row):
    """64 random bits for (key, row), all uint64."""
    return mix64(key + (row + _ONE) * GAMMA)


@helper
def below(bits, bound):
    """A number in 0 .. bound - 1 (bound < 2^32) from the upper half of 64 random bits, without division."""
    return ((bits >> _S32) * bound) >> _S32


@helper
def permute_pair(left, right, lefts, rights, key):
    """A keyed bijection of (left, right) in lefts x rights (each < 2^32), all uint64.

    Four rounds of an alternating Feistel network in which exclusive-or is replaced by addition modulo the
    side's size (Black and Rogaway, "Ciphers with arbitrary finite domains", 2002): each round adds to one
    side a function of the other alone, so it can be undone.
    """
    for turn in range(2):
        salt = key + np.uint64(2 * turn + 1) * GAMMA
        left += below(mix64(right + salt), lefts)
        left = min(left, left - lefts)  # too small a number wraps around and is the larger one then
        right += below(mix64(left + salt + GAMMA), rights)
        right = min(right, right - rights)
    return left, right
