"""Random histories of a source table: after each sync both tables are what the plain model says."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from model import Employee, Model
from places import new_place, run_sync

NAMES = st.sampled_from(["Siti", "Budi", "Agus Salim", "Zoë", "D'Arc"])
KTPS = st.integers(0, 7).map(lambda n: f"32010101019{n:05}")  # few, so that conflicts occur
EDITS = st.one_of(
    st.tuples(st.just("insert"), KTPS, NAMES),
    st.tuples(st.just("rename"), st.integers(0, 11), NAMES),
    st.tuples(st.just("passport"), st.integers(0, 11), st.sampled_from([None, "A1234567", "B7654321"])),
    st.tuples(st.just("born"), st.integers(0, 11), st.sampled_from(["1990-05-01", "2000-02-29"])),
    st.tuples(st.just("delete"), st.integers(0, 11), st.none()),
    st.tuples(st.just("return"), st.integers(0, 11), st.none()),
    st.tuples(st.just("remove"), st.integers(0, 11), st.none()),
)
HISTORIES = st.lists(st.lists(EDITS, max_size=12), min_size=1, max_size=4)


def apply(model: Model, edit: tuple[str, object, object], number: int) -> None:
    """One edit of the source; edits of rows that are not there do nothing."""
    kind, which, value = edit
    if kind == "insert":
        row = Employee(number, str(value), f"EMP-{number}", str(which), None, "1985-03-04")
        model.employees[number] = row
        return
    rows = list(model.employees.values())
    if not rows:
        return
    row = rows[int(str(which)) % len(rows)]
    if kind == "rename":
        row.name = str(value)
    elif kind == "passport":
        row.passport_id = None if value is None else str(value)
    elif kind == "born":
        row.bod = str(value)
    elif kind == "remove":
        del model.employees[row.id]
    else:
        row.deleted = kind == "delete"


@pytest.mark.parametrize(
    ("mode", "apart"),
    [("server", False), ("stream", False), ("stream", True)],
    ids=["server", "stream within one store", "stream between two"],
)
@settings(max_examples=40)
@given(history=HISTORIES)
def test_every_history_ends_as_the_model_says(
    mode: str, apart: bool, history: list[list[tuple[str, object, object]]]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        source = new_place(Path(folder), "source")
        target = new_place(Path(folder), "target") if apart else source
        model, number = Model(), 0
        for edits in history:
            for edit in edits:
                number += 1
                apply(model, edit, number)
            source.put_employees(model.employees.values())
            expected = model.sync()
            result = run_sync(source, target, mode=mode)
            assert result.counts() == expected
            assert sum(value for name, value in expected.items() if name != "written_back") == result.records
            assert target.people() == model.people
            assert source.gids() == {row.id: row.g_id for row in model.employees.values()}

        again = run_sync(source, target, mode=mode)
        assert again.counts() == {
            **dict.fromkeys(expected, 0),
            "unchanged": again.records - expected["conflict"],
            "conflict": expected["conflict"],
        }
