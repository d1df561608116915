"""A fixed piece of work that nothing but the machine makes faster or slower: what drift is measured by."""

from __future__ import annotations

import numpy as np

from gidbench.kernels.mixing import mix64
from gidbench.kernels.registry import I64, IN_U64, U64, kernel


@kernel(IN_U64, I64, U64)
def churn(words, passes, state):
    """Go over the words so many times, each step waiting for the one before; returns the last state."""
    for _ in range(passes):
        for place in range(words.size):
            state = mix64(state + words[place])
    return np.uint64(state)
