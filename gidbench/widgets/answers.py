"""What came out of a tuning and a scaling, in words that a notebook ends with."""

from __future__ import annotations

from typing import Any

from gidbench.bench.scaling import Scaling
from gidbench.bench.study_words import scaling_words, verdict, workers_words
from gidbench.bench.tuning import Tuning
from gidbench.widgets.markup import said


def tuned(tuning: Tuning, scaling: Scaling) -> Any:
    """Display object: which settings to take, and how far it goes."""
    lines = [verdict(tuning)]
    if tuning.is_better and tuning.variables:
        chosen = ", ".join(f"{name}={value}" for name, value in tuning.variables.items())
        lines[0] += f" Set {chosen}."
    lines += [scaling_words(growth) for growth in scaling.growths]
    return said(*lines, workers_words(scaling))
