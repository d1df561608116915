"""A crash at any step, then a second run, ends in the very state of one undisturbed run."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from model import Employee
from places import NOON, Place, new_place, run_sync

from gidbench.synchronisation import STEPS, SyncResult

FIRST = [
    Employee(1, "Siti", "EMP-1", "3201010101900001", None, "1990-01-01"),
    Employee(2, "Budi", "EMP-2", "3201010101900002", "A1234567", "1990-01-02"),
    Employee(3, "Agus", "EMP-3", "3201010101900003", None, "1990-01-03"),
    Employee(4, "Dewi", "EMP-4", "3201010101900004", None, "1990-01-04", deleted=True),
]
SECOND = [
    Employee(1, "Siti Aminah", "EMP-1", "3201010101900001", None, "1990-01-01", changed=1),  # changed
    Employee(
        3, "Agus", "EMP-3", "3201010101900003", None, "1990-01-03", deleted=True, changed=1
    ),  # deleted; 2 is gone
    Employee(4, "Dewi", "EMP-4", "3201010101900004", None, "1990-01-04", changed=1),  # returned
    Employee(5, "Rina", "EMP-5", "3201010101900005", None, "1990-01-05", changed=1),  # new
    Employee(6, "Rina", "EMP-6", "3201010101900005", None, "1990-01-05", changed=1),  # conflict
]


class PulledPlug(Exception):
    """Not one of gidbench's errors."""


WAYS = {
    "server": ({"mode": "server"}, False),
    "stream within one store": ({"mode": "stream"}, False),
    "stream between two": ({"mode": "stream"}, True),
    "incremental between two": ({"incremental": True}, True),
}
LATER = NOON + timedelta(hours=1)


def prepare(folder: Path, way: str) -> tuple[Place, Place]:
    """A state after which a sync has every kind of outcome to deal with."""
    options, apart = WAYS[way]
    folder.mkdir()
    source = new_place(folder, "source")
    target = new_place(folder, "target") if apart else source
    source.put_employees(FIRST)
    run_sync(source, target, **options)
    carried = source.gids()
    rows = [*SECOND, FIRST[1]] if way.startswith("incremental") else SECOND
    source.put_employees(Employee(**{**row.__dict__, "g_id": carried.get(row.id)}) for row in rows)
    return source, target


def finish(source: Place, target: Place, way: str, **options: Any) -> SyncResult:
    return run_sync(source, target, clock=lambda: LATER, **WAYS[way][0], **options)


def everything(source: Place, target: Place) -> tuple[Any, Any]:
    return source.everything(), target.everything()


@pytest.mark.parametrize("way", WAYS)
def test_what_is_crashed_is_what_the_ways_are_called(tmp_path: Path, way: str) -> None:
    source, target = prepare(tmp_path / "clean", way)
    result = finish(source, target, way)
    assert result.mode == way.split()[0]
    assert result.counts() == {
        "inserted": 1,
        "updated": 1,
        "deactivated": 1 if way.startswith("incremental") else 2,
        "reactivated": 1,
        "unchanged": 1 if way.startswith("incremental") else 0,  # the row at the mark
        "conflict": 1,
        "written_back": 1,
    }


@pytest.mark.parametrize("way", WAYS)
def test_a_crash_before_any_step_changes_nothing_and_is_made_good_by_the_next_run(
    tmp_path: Path, way: str
) -> None:
    apart = WAYS[way][1]
    source, target = prepare(tmp_path / "clean", way)
    finish(source, target, way)
    clean = everything(source, target)
    reached, steps = [], STEPS["server" if way == "server" else "stream"]
    for step in steps:
        source, target = prepare(tmp_path / step, way)
        before = everything(source, target)

        def crash(at: str, step: str = step) -> None:
            if at == step:
                raise PulledPlug

        with pytest.raises(PulledPlug):
            finish(source, target, way, before=crash)
        reached.append(step)
        now = everything(source, target)
        if step != "hand back":
            assert now == before
        elif apart:  # the target was decided on, the source is not told yet
            assert now == (before[0], clean[1])
        finish(source, target, way)
        assert everything(source, target) == clean
    assert reached == list(steps)


KILLS = [
    ("server", "update"),
    ("server", "commit"),
    ("stream within one store", "insert"),
    ("stream between two", "stage"),
    ("stream between two", "commit"),
    ("stream between two", "hand back"),
    ("incremental between two", "hand back"),
]


@pytest.mark.parametrize(("way", "step"), KILLS)
def test_a_killed_process_is_made_good_by_the_next_run(tmp_path: Path, way: str, step: str) -> None:
    source, target = prepare(tmp_path / "clean", way)
    finish(source, target, way)
    clean = everything(source, target)
    source, target = prepare(tmp_path / "killed", way)
    script = f"""
        import os, sys
        sys.path[:0] = [{str(Path(__file__).parent)!r}, {str(Path(__file__).parents[1])!r}]
        from places import Place
        from test_sync_crashes import finish
        source, target = Place({source.url!r}), Place({target.url!r})
        finish(source, target, {way!r}, before=lambda at: at == {step!r} and os._exit(7))
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], timeout=120)
    assert done.returncode == 7
    finish(source, target, way)
    assert everything(source, target) == clean
