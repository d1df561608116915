"""The kernel that writes memory and does nothing else: what others are measured against."""

from __future__ import annotations

from gidbench.kernels.registry import OUT_U64, U64, kernel


@kernel(OUT_U64, U64)
def fill_words(out, word):
    """Write one word everywhere."""
    for place in range(out.size):
        out[place] = word
