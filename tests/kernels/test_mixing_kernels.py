"""mixing: SplitMix64 as published, and a bijection of pairs."""

from __future__ import annotations

from itertools import islice, pairwise, product

import naive
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gidbench.kernels import mixing

WORDS = st.integers(0, 2**64 - 1)
PUBLISHED = {  # first outputs of SplitMix64, by seed
    1234567: (
        6457827717110365317,
        3203168211198807973,
        9817491932198370423,
        4593380528125082431,
        16408922859458223821,
    ),
    0: (0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4, 0x06C45D188009454F),
}

pytestmark = pytest.mark.filterwarnings(
    "ignore:overflow encountered"
)  # without compilation numpy mentions it


def u64(*numbers: int) -> list[np.uint64]:
    return [np.uint64(number) for number in numbers]


def test_the_twin_is_the_published_splitmix64():
    for seed, outputs in PUBLISHED.items():
        assert tuple(islice(naive.splitmix64(seed), len(outputs))) == outputs


@pytest.mark.parametrize("seed", PUBLISHED)
def test_draws_are_the_published_outputs_in_order(seed):
    outputs = PUBLISHED[seed]
    drawn = [int(mixing.draw(*u64(seed, at))) for at in range(len(outputs))]
    assert tuple(drawn) == outputs


@given(WORDS)
def test_mix64_equals_its_twin(z):
    assert int(mixing.mix64(np.uint64(z))) == naive.mix64(z)


@given(WORDS, st.integers(0, 2**40))
def test_draw_equals_its_twin(key, row):
    assert int(mixing.draw(*u64(key, row))) == naive.draw(key, row)


@given(WORDS, st.integers(1, 2**32 - 1))
def test_below_equals_its_twin_and_stays_below_the_bound(bits, bound):
    number = int(mixing.below(*u64(bits, bound)))
    assert number == naive.below(bits, bound)
    assert 0 <= number < bound


def test_below_reaches_both_ends():
    assert int(mixing.below(*u64(0, 6))) == 0
    assert int(mixing.below(*u64(2**64 - 1, 6))) == 5
    assert int(mixing.below(*u64(2**64 - 1, 2**32 - 1))) == 2**32 - 2


def test_rows_of_a_key_share_no_draw():
    assert len({int(mixing.draw(*u64(99, row))) for row in range(4_000)}) == 4_000


@given(WORDS, st.data())
def test_permute_pair_equals_its_twin_and_stays_in_its_domain(key, data):
    lefts, rights = data.draw(st.integers(1, 2**32 - 1)), data.draw(st.integers(1, 2**32 - 1))
    left, right = data.draw(st.integers(0, lefts - 1)), data.draw(st.integers(0, rights - 1))
    moved = tuple(map(int, mixing.permute_pair(*u64(left, right, lefts, rights, key))))
    assert moved == naive.permute_pair(left, right, lefts, rights, key)
    assert 0 <= moved[0] < lefts
    assert 0 <= moved[1] < rights


@pytest.mark.parametrize(
    ("lefts", "rights"), [(1, 1), (1, 9), (9, 1), (2, 2), (3, 5), (16, 16), (31, 37), (676, 3)]
)
@pytest.mark.parametrize("key", [0, 1, 0x9E3779B97F4A7C15, 2**64 - 1])
def test_permute_pair_takes_every_pair_of_a_small_domain_once(lefts, rights, key):
    pairs = list(product(range(lefts), range(rights)))
    moved = {tuple(map(int, mixing.permute_pair(*u64(*pair, lefts, rights, key)))) for pair in pairs}
    assert moved == set(pairs)


def test_permute_pair_follows_the_key():
    pairs = list(product(range(16), range(16)))
    orders = {
        tuple(tuple(map(int, mixing.permute_pair(*u64(*pair, 16, 16, key)))) for pair in pairs)
        for key in range(8)
    }
    assert len(orders) == 8


def test_neighbours_in_a_pair_do_not_stay_neighbours():
    moved = [tuple(map(int, mixing.permute_pair(*u64(0, right, 1000, 1000, 5)))) for right in range(1000)]
    assert len({left for left, _ in moved}) > 500  # uniform: 632; a left that does not move: 1
    assert sum(abs(a[1] - b[1]) == 1 for a, b in pairwise(moved)) < 20
