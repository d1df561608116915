"""numbers: random bits scaled, looked up in bins, put after another value."""

from __future__ import annotations

import naive
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gidbench.kernels import numbers

BITS = st.lists(st.integers(0, 2**64 - 1), max_size=30)
INT64 = st.integers(-(2**63), 2**63 - 1)

pytestmark = pytest.mark.filterwarnings("ignore:overflow encountered")


@given(BITS, INT64, st.data())
def test_scaled_bits_equal_their_twin_and_stay_in_range(bits, low, data):
    span = data.draw(st.integers(1, 2**63 - 1 - low + 1))
    bits += [0, 2**64 - 1]
    out = np.zeros(len(bits), np.int64)
    numbers.scale_bits(np.array(bits, np.uint64), low, np.uint64(span % 2**64), out)
    assert out.tolist() == [low + naive.share(word, span) for word in bits]
    assert (out[-2], out[-1]) == (low, low + span - 1)


@given(st.integers(0, 2**64 - 1), st.integers(1, 2**32 - 1))
@example(2**64 - 1, 2**32 - 1)
@example(2**63 + 1, 2**32 - 1)
@example(2**32 + 2, 2**32 - 1)  # 1 by what the lower half adds
def test_a_share_by_halves_is_the_upper_half_of_the_product(bits, span):
    assert int(numbers.share(np.uint64(bits), np.uint64(span))) == bits * span >> 64


def test_all_of_64_bits_is_a_range_too():
    bits = np.array([0, 1, 2**64 - 1], np.uint64)
    out = np.zeros(3, np.int64)
    numbers.scale_bits(bits, -(2**63), np.uint64(0), out)
    assert out.tolist() == [-(2**63), -(2**63) + 1, 2**63 - 1]


@given(
    st.lists(
        st.tuples(
            st.integers(0, 2**64 - 1),
            st.integers(-(10**12), 10**12),
            st.integers(-1_000, 10**9),
            st.integers(0, 10**9),
        ),
        max_size=20,
    ),
    st.sampled_from([1, 1_000, 1_000_000, 86_400_000_000]),
    st.integers(-(10**9), 10**9),
    st.integers(0, 10**9),
)
@example([(0, -1, 0, 0), (2**64 - 1, 999_999, 5, 7)], 1_000_000, 0, 10)
def test_values_after_others_equal_their_twin(rows, unit, low, width):
    for key, source, gap, within in rows:
        out = np.zeros(1, np.int64)
        sources, row = np.array([source], np.int64), np.array([7], np.uint64)
        bounds = (gap, within, low, low + width)
        numbers.scale_after(np.uint64(key), row, sources, unit, *bounds, 1_000, out)
        assert out[0] == 1_000 * naive.after(naive.draw(key, 7), -(-source // unit), *bounds)


@given(
    st.lists(st.tuples(st.integers(1, 100), st.integers(1, 5)), min_size=1, max_size=40),
    BITS,
)
def test_bins_are_found_by_their_shares(bins, bits):
    shares = np.array([share for share, _ in bins], np.float64)
    ends = [int(part * 2**64) for part in np.cumsum(shares / shares.sum()).tolist()]
    ends[-1] = 2**64 - 1
    ends = [min(end, 2**64 - 1) for end in ends]
    starts = np.cumsum([0, *(width for _, width in bins)])[:-1]
    cells = [cell << (64 - numbers.GUIDE_BITS) for cell in range(1 << numbers.GUIDE_BITS)]
    guide = np.minimum(
        np.searchsorted(np.array(ends, np.uint64), np.array(cells, np.uint64), "right"), len(bins) - 1
    )
    bits = [*bits, 0, 2**64 - 1, *(end for end in ends), *(end - 1 for end in ends)]
    out = np.zeros(len(bits), np.int64)
    widths = np.array([width for _, width in bins], np.uint64)
    numbers.look_up_bits(
        np.array(bits, np.uint64),
        np.array(ends, np.uint64),
        guide.astype(np.int32),
        starts.astype(np.int64),
        widths,
        out,
    )
    for word, value in zip(bits, out.tolist(), strict=True):
        place = next((n for n, end in enumerate(ends) if word < end), len(bins) - 1)
        assert starts[place] <= value < starts[place] + bins[place][1]
