"""people: national ids and names, each against its twin."""

from __future__ import annotations

import datetime as dt

import naive
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gidbench.generation import tables
from gidbench.kernels import people
from gidbench.kernels.memory import SLACK

BITS = st.lists(st.integers(0, 2**64 - 1), max_size=40)
BIRTH_WORDS = tables.birth_words(naive.FIRST_BIRTH, naive.LAST_BIRTH)

pytestmark = pytest.mark.filterwarnings("ignore:overflow encountered")


@given(
    st.lists(st.integers(110_101, 999_999), min_size=1, max_size=90, unique=True),
    st.lists(st.floats(0, 1, exclude_max=True), max_size=20),
)
@example([110_101], [0.0])
@example(list(range(110_101, 110_161)), [0.0, 0.999999999999])
def test_identities_equal_their_twin(areas, shares):
    room = len(areas) * 2 * naive.BIRTHS * 9_999
    numbers = [int(share * room) for share in shares] + [0, room - 1]
    words = np.array([int.from_bytes(f"{area:06d}".encode(), "little") for area in areas], np.uint64)
    births, sexes = np.zeros(len(numbers), np.int32), np.full(len(numbers), 9, np.uint8)
    out = np.zeros(2 * len(numbers), np.uint64)
    people.identities(
        np.array(numbers, np.uint64),
        np.uint64(naive.BIRTHS),
        words,
        BIRTH_WORDS,
        naive.FIRST_BIRTH_DAYS,
        births,
        sexes,
        out,
    )
    text = out.tobytes().decode()
    made = [
        (naive.EPOCH + dt.timedelta(days=int(births[row])), int(sexes[row]), text[16 * row : 16 * row + 16])
        for row in range(len(numbers))
    ]
    assert made == [naive.identity(number, areas) for number in numbers]


NAMES = st.lists(
    st.text("ABabcé-'", min_size=1, max_size=16).filter(lambda text: len(text.encode()) <= 16),
    min_size=1,
    max_size=6,
    unique=True,
)


def made(bits, sexes, firsts, lasts, slot_seed, parts=0):
    """(names by the kernel, slots of first names by sex, slots of last names)."""
    random = np.random.default_rng(slot_seed)
    first_slots = random.integers(0, len(firsts), 2 * people.NAME_SLOTS).astype(np.uint16)
    last_slots = random.integers(0, len(lasts), people.NAME_SLOTS).astype(np.uint16)
    offsets = np.zeros(len(bits) + 1, np.int32)
    out = np.zeros(len(bits) * people.MAX_NAME_BYTES + SLACK, np.uint8)
    pools = [
        ([name.encode() for name in names], slots)
        for names, slots in ((firsts, first_slots), (lasts, last_slots))
    ]
    arguments = [argument for pool in pools for argument in tables.named(*pool)]
    people.names(np.array(bits, np.uint64), np.array(sexes, np.uint8), parts, *arguments, offsets, out)
    texts = [text.decode() for text in naive.unpack(offsets, out)]
    return texts, first_slots.reshape(2, -1), last_slots


def check_full_names(bits, firsts, lasts, slot_seed):
    sexes = [row % 2 for row in range(len(bits))]
    found, by_sex, last_slots = made(bits, sexes, firsts, lasts, slot_seed)
    assert found == [
        naive.name(number, sex, firsts, by_sex, lasts, last_slots)
        for number, sex in zip(bits, sexes, strict=True)
    ]


@given(BITS, NAMES, NAMES, st.integers(0, 2**32 - 1))
def test_names_equal_their_twin(bits, firsts, lasts, slot_seed):
    check_full_names(bits, firsts, lasts, slot_seed)


def test_many_names_equal_their_twin():
    """Enough of them to meet both sides of each bound of the shape, one in 256."""
    bits = [naive.draw(8, row) for row in range(4_000)]
    check_full_names(bits, ["Al", "Jo", "Budi"], ["A", "Abcdefghijklmnop"], 3)


@given(BITS, NAMES, NAMES, st.integers(0, 2**32 - 1))
def test_first_and_last_names_alone_are_one_name_of_their_pool(bits, firsts, lasts, slot_seed):
    sexes = [row % 2 for row in range(len(bits))]
    found, by_sex, last_slots = made(bits, sexes, firsts, lasts, slot_seed, parts=1)
    assert found == [firsts[by_sex[sex][number & 4095]] for number, sex in zip(bits, sexes, strict=True)]
    found, _, last_slots = made(bits, sexes, firsts, lasts, slot_seed, parts=2)
    assert found == [lasts[last_slots[number >> 24 & 4095]] for number in bits]


def test_the_longest_names_fit_the_room_a_row_has():
    bits = [0] * 50  # shape 0: all three names
    found, _, _ = made(bits, [0] * 50, ["Abcdefghijklmnop", "Bbcdefghijklmnop"], ["Z" * 16], 5)
    assert max(map(len, found)) <= people.MAX_NAME_BYTES
