"""Random histories of a source table: after each sync both tables are what the plain model says."""

from __future__ import annotations

import itertools
import os
import tempfile
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from model import Employee, Model
from places import NOON, new_place, run_sync

from gidbench.stores.base import OUTCOMES
from gidbench.synchronisation import SyncResult

NAMES = st.sampled_from(["Siti", "Budi", "Agus Salim", "Zoë", "D'Arc"])
# few, so that conflicts occur; two are no national ids
KTPS = st.integers(0, 7).map(lambda n: f"32010101019{n:05}" if n < 6 else ["", "odd"][n - 6])
EDITS = st.one_of(
    st.tuples(st.just("insert"), KTPS, NAMES),
    st.tuples(st.just("rename"), st.integers(0, 11), NAMES),
    st.tuples(st.just("passport"), st.integers(0, 11), st.sampled_from([None, "", "A1234567"])),
    st.tuples(st.just("born"), st.integers(0, 11), st.sampled_from(["1990-05-01", "2000-02-29"])),
    st.tuples(st.just("renumber"), st.integers(0, 11), KTPS),
    st.tuples(st.just("delete"), st.integers(0, 11), st.none()),
    st.tuples(st.just("return"), st.integers(0, 11), st.none()),
    st.tuples(st.just("remove"), st.integers(0, 11), st.none()),
)
HISTORIES = st.lists(st.lists(EDITS, max_size=12), min_size=1, max_size=4)


def apply(model: Model, edit: tuple[str, object, object], number: int) -> None:
    """One edit of the source; edits of rows that are not there do nothing."""
    kind, which, value = edit
    if kind == "insert":
        row = Employee(number, str(value), f"EMP-{number}", str(which), None, "1985-03-04", changed=number)
        model.employees[number] = row
        return
    rows = list(model.employees.values())
    if not rows:
        return
    row = rows[int(str(which)) % len(rows)]
    row.changed = number
    if kind == "rename":
        row.name = str(value)
    elif kind == "passport":
        row.passport_id = None if value is None else str(value)
    elif kind == "renumber":
        row.no_ktp = str(value)
    elif kind == "born":
        row.bod = str(value)
    elif kind == "remove":
        del model.employees[row.id]
    else:
        row.deleted = kind == "delete"


SERVER_EXAMPLES = int(os.environ.get("GIDBENCH_HISTORIES", "4"))  # each takes some seconds

WAYS = {
    "server": ({"mode": "server"}, False),
    "stream within one store": ({"mode": "stream"}, False),
    "stream between two": ({"mode": "auto"}, True),
    "incremental within one store": ({"incremental": True}, False),
    "incremental between two": ({"incremental": True}, True),
}


@pytest.mark.parametrize("way", WAYS)
def test_every_history_ends_as_the_model_says(way: str, pair: str) -> None:
    _, apart = WAYS[way]
    if not apart and " to " in pair:
        pytest.skip("one store is of one kind")

    @settings(max_examples=40 if pair == "duckdb" else SERVER_EXAMPLES)
    @given(history=HISTORIES)
    def check(history: list[list[tuple[str, object, object]]]) -> None:
        _check(way, history)

    check()


def _check(way: str, history: list[list[tuple[str, object, object]]]) -> None:
    options, apart = WAYS[way]
    ticks = itertools.count(1)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        source = new_place(folder, "source")
        target = new_place(folder, "target") if apart else source
        for place in {source.url: source, target.url: target}.values():
            stack.enter_context(place.held_open())

        def sync() -> SyncResult:
            return run_sync(
                source, target, clock=lambda: NOON + timedelta(hours=next(ticks)), verify=True, **options
            )

        model, number = Model(), 0
        for edits in history:
            for edit in edits:
                number += 1
                apply(model, edit, number)
            source.put_employees(model.employees.values())
            expected = model.sync()
            result = sync()
            found = result.counts()
            assert sum(int(found[name]) for name in OUTCOMES) == result.records
            if result.mode == "incremental":  # it does not count what it need not read
                for name in ("unchanged", "conflict"):
                    assert found[name] <= expected[name]
                    found[name] = expected[name]
            else:
                assert sum(expected[name] for name in OUTCOMES) == result.records
            assert found == expected
            assert target.people() == model.people
            assert source.gids() == {row.id: row.g_id for row in model.employees.values()}

        before = source.everything(), target.everything()
        again = sync()
        assert again.counts() == {
            **dict.fromkeys(expected, 0),
            "unchanged": again.records - again.conflict,
            "conflict": again.conflict,
        }
        assert (source.everything(), target.everything()) == before
