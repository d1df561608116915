"""The kernels that pair rows by key, against plain Python."""

from __future__ import annotations

import itertools
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gidbench.errors import VerificationError
from gidbench.kernels import pairing
from gidbench.stores.base import COMPARED
from gidbench.synchronising.roster import Roster
from gidbench.synchronising.rows import Numbering, hashes_of, rows_of

TEXTS = st.one_of(
    st.none(),
    st.text(max_size=40),
    st.sampled_from(["", "\0", "\0\0", "a", "a\0", "abcdefgh", "abcdefghi", "abcdefgh" * 3]),
)
DAYS = st.one_of(st.none(), st.dates(date(1900, 1, 1), date(2100, 1, 1)))
KTPS = st.one_of(
    st.integers(0, 12).map(lambda n: f"{n:016}"),
    st.sampled_from(["9999999999999999", "123", "", "32010101019O0001", "3201010101900001 ", None]),
)
ROWS = st.lists(
    st.tuples(KTPS, TEXTS, TEXTS, TEXTS, DAYS, st.booleans(), st.sampled_from([None, "G025AA00", "odd"])),
    max_size=90,
)


def batch_of(rows: list[tuple[Any, ...]]) -> pa.RecordBatch:
    names = ("no_ktp", "name", "personal_number", "passport_id", "bod", "deleted", "g_id")
    kinds = [*[pa.string()] * 4, pa.date32(), pa.bool_(), pa.string()]
    columns = [
        pa.array([row[place] for row in rows], kind) for place, kind in zip(range(7), kinds, strict=True)
    ]
    return pa.RecordBatch.from_arrays(columns, list(names))


@given(rows=ROWS, start=st.integers(0, 9))
def test_hashes_are_equal_where_the_values_are_and_nowhere_else(
    rows: list[tuple[Any, ...]], start: int
) -> None:
    batch = batch_of(rows)
    hashes = hashes_of(batch, COMPARED, 7).tolist()
    values = [(row[1], row[2], row[3], row[4]) for row in rows]
    assert len(set(zip(hashes, values, strict=True))) == len(set(values)) == len(set(hashes))
    assert hashes_of(batch.slice(start), COMPARED, 7).tolist() == hashes[start:]
    if rows:
        assert hashes_of(batch, COMPARED, 8).tolist() != hashes


def test_what_lies_in_which_column_counts() -> None:
    one = batch_of([("1", "ab", "c", None, None, False, None), ("1", "a", "bc", None, None, False, None)])
    other = batch_of([("1", None, "x", None, None, False, None), ("1", "x", None, None, None, False, None)])
    for batch in (one, other):
        assert len(set(hashes_of(batch, COMPARED, 0).tolist())) == 2


@given(rows=ROWS, start=st.integers(0, 9))
def test_keys_are_the_same_number_for_the_same_text_only(rows: list[tuple[Any, ...]], start: int) -> None:
    numbering = Numbering()
    batch = batch_of(rows).slice(start)
    keys = numbering.keys(batch.column("no_ktp")).tolist()
    for key, row in zip(keys, rows[start:], strict=True):
        if row[0] is None:
            assert key == pairing.NO_KEY
        else:
            assert numbering.key_text(key) == row[0]
            if len(row[0]) == 16 and row[0].isdigit():
                assert key == int(row[0])


@given(target=ROWS, source=ROWS, cuts=st.lists(st.integers(0, 90), max_size=3))
def test_decisions_are_those_of_plain_python(
    target: list[tuple[Any, ...]], source: list[tuple[Any, ...]], cuts: list[int]
) -> None:
    people = {row[0]: row for row in target if row[0] is not None}
    roster = Roster(Numbering())
    known = batch_of(
        [(*row[:6], f"G{number:03}AA00") for number, row in enumerate(people.values())]
    )  # `deleted` of a person is whether they are not active
    flags = np.array(
        [pairing.KNOWN if row[5] else pairing.KNOWN | pairing.ACTIVE for row in people.values()], np.uint8
    )
    roster.know(roster.numbering.complete(rows_of(known, 5)), flags)
    staged: set[int] = set()
    bounds = sorted({0, len(source), *(cut for cut in cuts if cut < len(source))})
    for first, end in itertools.pairwise(bounds):
        rows = roster.numbering.complete(rows_of(batch_of(source[first:end]), 5))
        ids = np.array([1000 - place for place in range(first, end)])  # a later row goes before
        deleted = np.array([row[5] for row in source[first:end]], np.uint8)
        wanted = roster.meet(rows, ids, deleted)
        staged |= set(ids[wanted != 0].tolist())

    winners: dict[str, tuple[int, tuple[Any, ...]]] = {}
    lost = {}
    for number, row in sorted(
        ((1000 - place, row) for place, row in enumerate(source)), key=lambda item: (item[1][5], item[0])
    ):
        if row[0] is None or row[0] in winners:
            lost[number] = winners[row[0]][0] if row[0] is not None else None
        else:
            winners[row[0]] = (number, row)
    decisions = roster.decide()
    conflicts = roster.conflicts()
    found = [] if conflicts is None else conflicts.to_pylist()
    assert {line["id"]: line["kept_id"] for line in found} == lost
    assert [line["id"] for line in found] == sorted(lost)

    new = sorted(number for number, row in winners.values() if row[0] not in people)
    changed = sorted(
        number for number, row in winners.values() if row[0] in people and row[1:6] != people[row[0]][1:6]
    )
    departed = [
        f"G{place:03}AA00"
        for place, (ktp, row) in enumerate(people.items())
        if ktp not in winners and not row[5]
    ]
    assert roster._columns.winners[decisions.newcomers].tolist() == new
    assert roster._columns.winners[decisions.changed].tolist() == changed
    assert roster.gids(decisions.departed).to_pylist() == departed
    assert {*new, *changed} <= staged
    assert sum(decisions.counts.values()) - decisions.counts["gone"] == len(source) + decisions.counts["gone"]
    wrong = [
        number
        for number, row in sorted(winners.values())
        if row[0] in people and row[6] != f"G{list(people).index(row[0]):03}AA00"
    ]
    roster.name(decisions.newcomers, np.arange(decisions.newcomers.size) + 10**6)
    unwritten = roster._columns.winners[roster.unwritten()].tolist()
    assert unwritten == sorted([*new, *wrong])


def test_a_table_grows_and_loses_nobody() -> None:
    roster = Roster(Numbering())
    count = 20_000
    texts = [f"{(n * 7_919_000_000_007) % 10**16:016}" for n in range(count)]
    for first in range(0, count, 3000):
        part = texts[first : first + 3000]
        batch = batch_of([(ktp, "x", "y", None, None, False, "G025AA00") for ktp in part])
        roster.know(rows_of(batch, 1), np.full(len(part), pairing.KNOWN | pairing.ACTIVE, np.uint8))
    batch = batch_of([(ktp, "x", "y", None, None, False, "G025AA00") for ktp in reversed(texts)])
    wanted = roster.meet(rows_of(batch, 1), np.arange(count), np.zeros(count, np.uint8))
    assert not wanted.any()
    assert roster.people == count
    assert roster.decide().counts["unchanged"] == count
    assert roster.nbytes < 100 * count


@pytest.mark.parametrize("ktp", ["3201010101900001", "odd", None])
def test_people_of_the_target_who_share_a_key_or_have_none_are_refused(ktp: str | None) -> None:
    roster = Roster(Numbering())
    batch = batch_of([(ktp, "x", "y", None, None, False, "G025AA00")] * 2)
    with pytest.raises(VerificationError, match="share their no_ktp, or have none"):
        roster.know(roster.numbering.complete(rows_of(batch, 1)), np.full(2, pairing.KNOWN, np.uint8))
