"""gids: the codec between ordinals and G_IDs."""

from __future__ import annotations

import naive
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gidbench.kernels import gids

LAST = 67_599_999


def encode(ordinals: list[int]) -> list[str]:
    out = np.zeros(8 * len(ordinals), np.uint8)
    gids.encode(np.array(ordinals, np.int64), out)
    text = out.tobytes().decode("ascii")
    return [text[at : at + 8] for at in range(0, len(text), 8)]


def decode(texts: list[bytes]) -> list[int]:
    ordinals = np.full(len(texts), -7, np.int64)
    gids.decode(*naive.pack(texts), ordinals)
    return ordinals.tolist()


@pytest.mark.parametrize(
    ("ordinal", "text"),
    [
        (0, "G000AA00"),
        (99, "G000AA99"),
        (100, "G000AB00"),
        (2_599, "G000AZ99"),
        (2_600, "G000BA00"),
        (67_599, "G000ZZ99"),
        (67_600, "G001AA00"),
        (1_690_000, "G025AA00"),
        (6_759_999, "G099ZZ99"),
        (6_760_000, "G100AA00"),
        (LAST, "G999ZZ99"),
    ],
)
def test_each_place_carries_into_the_next(ordinal, text):
    assert encode([ordinal]) == [text]
    assert decode([text.encode()]) == [ordinal]


@given(st.lists(st.integers(0, LAST)))
def test_encode_equals_its_twin(ordinals):
    assert encode(ordinals) == [naive.gid_encode(ordinal) for ordinal in ordinals]


@given(
    st.lists(
        st.one_of(
            st.from_regex(rb"G[0-9]{3}[A-Z]{2}[0-9]{2}", fullmatch=True),
            st.text("G059AZaz@[/: é", max_size=10).map(str.encode),
            st.binary(max_size=9),
        )
    )
)
@example([b"", b"G025AA00", b"", b"G025AA0"])
@example([b"G025A\xc3\xa900", b"g025AA00", b"G025aA00", b"G02:AA00", b"G025[A00", b"G025@A00", b"G/25AA00"])
def test_decode_equals_its_twin(texts):
    assert decode(texts) == [naive.gid_decode(text) for text in texts]


def test_decode_reads_from_offsets_that_do_not_start_at_zero():
    offsets, data = naive.pack([b"skipped", b"G000AB00", b"G999ZZ99", b"beyond"])
    ordinals = np.zeros(2, np.int64)
    gids.decode(np.ascontiguousarray(offsets[1:4]), data, ordinals)
    assert ordinals.tolist() == [100, LAST]


@pytest.mark.parametrize("place", range(8))
def test_decode_refuses_each_byte_outside_its_place(place):
    good = b"G025AA00"
    allowed = {0: {71}, 4: set(range(65, 91)), 5: set(range(65, 91))}.get(place, set(range(48, 58)))
    texts = [good[:place] + bytes([byte]) + good[place + 1 :] for byte in range(256)]
    assert {byte for byte, ordinal in enumerate(decode(texts)) if ordinal >= 0} == allowed
