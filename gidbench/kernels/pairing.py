"""Kernels that pair the rows of two tables by key: exact hashes of rows, keys as numbers, a table of people.

A person is a slot: the order in which their key was first met. The table holds pairs of words, a mixed key (`mix64` is
a bijection, and no key becomes 0, a free place) and its slot, looked for from the key's share of the table on.
"""

from __future__ import annotations

import numpy as np

from gidbench.kernels.memory import address_of, high_product, load1, load8, prefetch
from gidbench.kernels.mixing import GAMMA, mix64
from gidbench.kernels.readings import TEN_TO_8, eight_to_number, no_digits
from gidbench.kernels.registry import (
    I64,
    IN_I32,
    IN_I64,
    IN_U8,
    IN_U64,
    OUT_I32,
    OUT_I64,
    OUT_U8,
    OUT_U64,
    helper,
    kernel,
)

ODD, NO_KEY = -1, -2  # a key that is a text of its own; none
KEY_DIGITS = 16
# What is known of a person, in bits.
KNOWN, ACTIVE, OTHER, SEEN, DELETED, STAGED = 1, 2, 4, 8, 16, 32
# Codes of a G_ID: its ordinal; below, none or a text of its own.
NO_GID = -1
AHEAD = 32  # keys whose places are asked for before the first is looked at

_U = np.uint64
_ZERO, _ONE, _NULL = _U(0), _U(1), _U(0xFFFFFFFFFFFFFFFF)
_S3 = _U(3)


@helper
def _is_there(bitmap, bit):
    """Whether a value is there; a bitmap at 0 says that all are."""
    return bitmap == 0 or (load1(bitmap + (bit >> 3)) >> (bit & 7)) & 1 == 1


@helper
def _hash_text(state, at, length, end):
    """The state after a text: its length goes first, so that no two sequences of texts look alike."""
    state = mix64(state + _U(length) * GAMMA + _ONE)
    while length >= 8:
        state = mix64(state ^ load8(at))
        at += 8
        length -= 8
    if length > 0:
        if at + 8 <= end:
            word = load8(at) & ((_ONE << (_U(length) << _S3)) - _ONE)
        else:
            word = _ZERO
            for place in range(length):
                word |= _U(load1(at + place)) << (_U(place) << _S3)
        state = mix64(state ^ word)
    return state


@kernel(IN_I32, I64, I64, I64, I64, OUT_U64)
def hash_texts(offsets, data, end, bitmap, bit, hashes):
    """Take a column of texts into the hashes of its rows; null and '' are different values.

    `data` is the address of the texts' bytes, of which those before `end` may be read; `bitmap` says which are there
    (0: all), from its bit `bit` on.
    """
    for row in range(hashes.size):
        if _is_there(bitmap, bit + row):
            at = data + np.int64(offsets[row])
            hashes[row] = _hash_text(hashes[row], at, np.int64(offsets[row + 1] - offsets[row]), end)
        else:
            hashes[row] = mix64(hashes[row] ^ _NULL)


@kernel(IN_I32, I64, I64, OUT_U64)
def hash_days(days, bitmap, bit, hashes):
    """Take a column of days into the hashes of its rows; null is a value of its own."""
    for row in range(hashes.size):
        word = _U(np.int64(days[row])) * GAMMA + _ONE if _is_there(bitmap, bit + row) else _NULL
        hashes[row] = mix64(hashes[row] ^ word)


@kernel(IN_I32, I64, I64, I64, OUT_I64)
def read_keys(offsets, data, bitmap, bit, keys):
    """The number of each text of 16 digits; ODD for another text, NO_KEY for none. Returns how many are ODD."""
    odd = 0
    for row in range(keys.size):
        key = NO_KEY
        if _is_there(bitmap, bit + row):
            key = ODD
            at = data + np.int64(offsets[row])
            if offsets[row + 1] - offsets[row] == KEY_DIGITS:
                high, low = load8(at), load8(at + 8)
                if (no_digits(high) | no_digits(low)) == _ZERO:
                    key = np.int64(eight_to_number(high) * TEN_TO_8 + eight_to_number(low))
            if key == ODD:
                odd += 1
        keys[row] = key
    return odd


@helper
def _mix(keys, first, count, places, capacity, mixed):
    """Mix the next keys, and ask for the places that they will be looked for in."""
    for row in range(count):
        found = mix64(_U(keys[first + row]) + _ONE)
        mixed[row] = found
        prefetch(address_of(places) + 16 * np.int64(high_product(found, _U(capacity))))


@helper
def _place_of(places, capacity, mixed):
    """The place of a mixed key, or the free one for it."""
    at = np.int64(high_product(mixed, _U(capacity)))
    while places[2 * at] != _ZERO and places[2 * at] != mixed:
        at += 1
        if at == capacity:
            at = 0
    return at


@kernel(IN_U64, OUT_U64)
def move_people(old, places):
    """Put everybody of a table into a larger, empty one."""
    capacity = places.size // 2
    for at in range(old.size // 2):
        if old[2 * at] != _ZERO:
            place = _place_of(places, capacity, old[2 * at])
            places[2 * place] = old[2 * at]
            places[2 * place + 1] = old[2 * at + 1]


@kernel(OUT_U64, IN_I64, I64)
def add_people(places, keys, first):
    """Put new people under the slots from `first` on. Returns the row of a key that is there already, or keys.size."""
    capacity = places.size // 2
    mixed = np.empty(AHEAD, np.uint64)
    for block in range(0, keys.size, AHEAD):
        count = min(AHEAD, keys.size - block)
        _mix(keys, block, count, places, capacity, mixed)
        for row in range(count):
            at = _place_of(places, capacity, mixed[row])
            if places[2 * at] != _ZERO:
                return block + row
            places[2 * at] = mixed[row]
            places[2 * at + 1] = _U(first + block + row)
    return keys.size


@kernel(
    OUT_U64,
    IN_I64,
    IN_U64,
    IN_I64,
    IN_U8,
    IN_I32,
    I64,
    OUT_U64,
    OUT_U8,
    OUT_I64,
    OUT_I32,
    OUT_U8,
    OUT_I64,
    OUT_I64,
)
def pair_rows(
    places,
    keys,
    hashes,
    ids,
    deleted,
    carried,
    people,
    known_hashes,
    flags,
    winners,
    winners_carry,
    to_stage,
    lost_ids,
    lost_slots,
):
    """Pair a batch of source rows with the people; whoever is new becomes the next slot.

    Of several rows of a person, one that is not deleted goes before one that is, then the lowest id. For each person
    `winners` gets the id of the row that counts so far, `winners_carry` the code of the G_ID that it carries; `flags`
    is kept up to date. to_stage[i] = 1 where a row counts so far and says something that the target does not.
    Rows that don't count go to `lost_ids` and `lost_slots` (-1 where they have no key).
    Returns (people, rows lost). There must be room for one new person a row.
    """
    capacity = places.size // 2
    mixed = np.empty(AHEAD, np.uint64)
    lost = 0
    for block in range(0, keys.size, AHEAD):
        count = min(AHEAD, keys.size - block)
        _mix(keys, block, count, places, capacity, mixed)
        for within in range(count):
            row = block + within
            to_stage[row] = 0
            if keys[row] < 0:
                lost_ids[lost] = ids[row]
                lost_slots[lost] = -1
                lost += 1
                continue
            at = _place_of(places, capacity, mixed[within])
            if places[2 * at] == _ZERO:
                places[2 * at] = mixed[within]
                places[2 * at + 1] = _U(people)
                flags[people] = 0
                people += 1
            slot = np.int64(places[2 * at + 1])
            state = np.int64(flags[slot])
            if state & SEEN:
                held = (state & DELETED) != 0
                gone = deleted[row] != 0
                if (gone and not held) or (gone == held and ids[row] > winners[slot]):
                    lost_ids[lost] = ids[row]
                    lost_slots[lost] = slot
                    lost += 1
                    continue
                lost_ids[lost] = winners[slot]
                lost_slots[lost] = slot
                lost += 1
            state &= KNOWN | ACTIVE | OTHER
            agrees = (
                (state & KNOWN) != 0
                and known_hashes[slot] == hashes[row]
                and (state & (ACTIVE | OTHER)) == (0 if deleted[row] else ACTIVE)
            )
            state |= SEEN
            if deleted[row]:
                state |= DELETED
            if not agrees:
                state |= STAGED
                to_stage[row] = 1
            flags[slot] = state
            winners[slot] = ids[row]
            winners_carry[slot] = carried[row]
    return people, lost
