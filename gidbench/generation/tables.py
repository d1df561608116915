"""What kernels look things up in, made once per process: names, areas, days, words."""

from __future__ import annotations

from datetime import date
from functools import cache

import numpy as np

from gidbench.errors import InputError
from gidbench.generation.values import Array
from gidbench.kernels import people, texts
from gidbench.specs.pools import areas, name_pool, read_data

_EPOCH = np.datetime64("1970-01-01")
_POOL_WORDS = 4096


class NameTables:
    """What `people.names` looks names up in.

    Attributes
    ----------
    first_entries, last_entries:
        The entry of each slot: of first names (men, then women) and last names, as often as their weights say.
    arguments:
        Texts and slots of first names, then of last ones, as the kernel wants them.
    """

    def __init__(self) -> None:
        men, men_weights = name_pool("first_names_male.txt")
        women, women_weights = name_pool("first_names_female.txt")
        last, last_weights = name_pool("last_names.txt")
        self.first_entries = np.concatenate([slots(men_weights), slots(women_weights, len(men))])
        self.last_entries = slots(last_weights)
        self.arguments = *named(men + women, self.first_entries), *named(last, self.last_entries)


def named(names: list[bytes], entries: Array) -> tuple[Array, Array]:
    """(texts of names, slots that hold the entry and its length), as `people.names` wants them."""
    texts, lengths = _padded(names, people.NAME_STRIDE)
    return texts, (entries.astype(np.uint16) << people.SLOT_BITS) | lengths[entries]


@cache
def name_tables() -> NameTables:
    return NameTables()


def _padded(words: list[bytes], stride: int) -> tuple[Array, Array]:
    """(bytes padded to the stride, lengths), both uint8. InputError for a longer one, or more than a slot can count."""
    too_long = [word for word in words if len(word) > stride]
    if too_long:
        raise InputError(f"the entry {too_long[0]!r} is over {stride} bytes", "Shorten it")
    padded = b"".join(word.ljust(stride, b"\0") for word in words)
    return np.frombuffer(padded, np.uint8), np.array([len(word) for word in words], np.uint8)


def slots(weights: Array, base: int = 0) -> Array:
    """NAME_SLOTS entries (uint16), entry k as often as its weight says and at least once."""
    shares = np.maximum(1, np.floor(weights * people.NAME_SLOTS).astype(np.int64))
    order = np.argsort(-weights, kind="stable")
    surplus = people.NAME_SLOTS - int(shares.sum())
    shares[order[0]] += surplus if surplus < 0 else 0
    for extra in range(max(0, surplus)):
        shares[order[extra % len(order)]] += 1
    return (np.repeat(np.arange(len(weights)), shares) + base).astype(np.uint16)


@cache
def area_words() -> Array:
    """Six digits of each area as text, uint64 (areas,)."""
    return np.array([_word(f"{code:06}") for code in areas().tolist()], np.uint64)


@cache
def birth_words(first: date, last: date) -> Array:
    """DDMMYY of each day from first to last as text, uint64 (days,)."""
    days = np.arange(np.datetime64(first), np.datetime64(last) + 1).astype(str)
    return np.array([_word(day[8:10] + day[5:7] + day[2:4]) for day in days], np.uint64)


def days_since_1970(day: date) -> int:
    return int((np.datetime64(day) - _EPOCH).astype(int))


@cache
def word_pool() -> tuple[Array, Array]:
    """4,096 entries of words with a blank (bytes, lengths), frequent words more often."""
    words = [row[0].encode() + b" " for row in read_data("words.txt")]
    # entry k takes a word by Zipf's law of ranks, as in natural text, flattened so that all occur
    shares = np.arange(1, len(words) + 1) ** -0.5
    counts = np.maximum(1, np.floor(shares / shares.sum() * _POOL_WORDS).astype(np.int64))
    entries = np.repeat(np.arange(len(words)), counts)
    entries = np.concatenate([entries, np.arange(_POOL_WORDS - entries.size) % len(words)])
    return _padded([words[entry] for entry in entries.tolist()], texts.WORD_STRIDE)


def _word(text: str) -> int:
    """Up to eight characters as a little-endian word."""
    return int.from_bytes(text.encode("ascii"), "little")
