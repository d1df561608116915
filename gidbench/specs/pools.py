"""The lists that come with the package: names by weight, areas, words."""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


def read_data(name: str) -> list[list[str]]:
    """Lines of a data file, split at blanks, without comments."""
    text = resources.files("gidbench").joinpath("data", name).read_text("utf-8")
    return [line.split() for line in text.splitlines() if line and not line.startswith("#")]


def name_pool(name: str) -> tuple[list[bytes], Array]:
    """Names as UTF-8 bytes, and their weights as float64 that add up to 1."""
    rows = read_data(name)
    weights = np.array([float(weight) for _, weight in rows])
    return [text.encode() for text, _ in rows], weights / weights.sum()


@cache
def areas() -> Array:
    """Six-digit codes of districts (province, regency or city, district), int32."""
    codes = []
    for row in read_data("areas.txt"):
        province, regencies, cities, districts, city_districts = map(int, row)
        places = [(1 + n, districts) for n in range(regencies)]
        places += [(71 + n, city_districts) for n in range(cities)]
        for place, count in places:
            codes += [province * 10_000 + place * 100 + district for district in range(1, count + 1)]
    return np.array(codes, np.int32)
