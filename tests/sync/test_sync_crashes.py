"""A crash at any step, then a second run, ends in the very state of one undisturbed run."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest
from model import Employee
from places import Place, new_place, run_sync

from gidbench.synchronisation import STEPS

FIRST = [
    Employee(1, "Siti", "EMP-1", "3201010101900001", None, "1990-01-01"),
    Employee(2, "Budi", "EMP-2", "3201010101900002", "A1234567", "1990-01-02"),
    Employee(3, "Agus", "EMP-3", "3201010101900003", None, "1990-01-03"),
    Employee(4, "Dewi", "EMP-4", "3201010101900004", None, "1990-01-04", deleted=True),
]
SECOND = [
    Employee(1, "Siti Aminah", "EMP-1", "3201010101900001", None, "1990-01-01"),  # changed
    Employee(3, "Agus", "EMP-3", "3201010101900003", None, "1990-01-03", deleted=True),  # deleted; 2 is gone
    Employee(4, "Dewi", "EMP-4", "3201010101900004", None, "1990-01-04"),  # returned
    Employee(5, "Rina", "EMP-5", "3201010101900005", None, "1990-01-05"),  # new
    Employee(6, "Rina", "EMP-6", "3201010101900005", None, "1990-01-05"),  # conflict
]


class PulledPlug(Exception):
    """Not one of gidbench's errors."""


WAYS = {
    "server": ("server", False),
    "stream within one store": ("stream", False),
    "stream between two": ("stream", True),
}


def prepare(folder: Path, mode: str, apart: bool) -> tuple[Place, Place]:
    """A state after which a sync has every kind of outcome to deal with."""
    folder.mkdir()
    source = new_place(folder, "source")
    target = new_place(folder, "target") if apart else source
    source.put_employees(FIRST)
    run_sync(source, target, mode=mode)
    carried = source.gids()
    source.put_employees(Employee(**{**row.__dict__, "g_id": carried.get(row.id)}) for row in SECOND)
    return source, target


def everything(source: Place, target: Place) -> tuple[Any, Any]:
    return source.everything(), target.everything()


@pytest.mark.parametrize("way", WAYS)
def test_a_crash_before_any_step_changes_nothing_and_is_made_good_by_the_next_run(
    tmp_path: Path, way: str
) -> None:
    mode, apart = WAYS[way]
    source, target = prepare(tmp_path / "clean", mode, apart)
    run_sync(source, target, mode=mode)
    clean = everything(source, target)
    reached = []
    for step in STEPS[mode]:
        source, target = prepare(tmp_path / step, mode, apart)
        before = everything(source, target)

        def crash(at: str, step: str = step) -> None:
            if at == step:
                raise PulledPlug

        with pytest.raises(PulledPlug):
            run_sync(source, target, mode=mode, before=crash)
        reached.append(step)
        now = everything(source, target)
        if step != "hand back":
            assert now == before
        elif apart:  # the target was decided on, the source is not told yet
            assert now == (before[0], clean[1])
        run_sync(source, target, mode=mode)
        assert everything(source, target) == clean
    assert reached == list(STEPS[mode])


KILLS = [
    ("server", "update"),
    ("server", "commit"),
    ("stream within one store", "insert"),
    ("stream between two", "stage"),
    ("stream between two", "commit"),
    ("stream between two", "hand back"),
]


@pytest.mark.parametrize(("way", "step"), KILLS)
def test_a_killed_process_is_made_good_by_the_next_run(tmp_path: Path, way: str, step: str) -> None:
    mode, apart = WAYS[way]
    source, target = prepare(tmp_path / "clean", mode, apart)
    run_sync(source, target, mode=mode)
    clean = everything(source, target)
    source, target = prepare(tmp_path / "killed", mode, apart)
    script = f"""
        import os, sys
        sys.path.insert(0, {str(Path(__file__).parent)!r})
        from places import Place, run_sync
        source, target = Place({source.url!r}), Place({target.url!r})
        run_sync(source, target, mode={mode!r}, before=lambda at: at == {step!r} and os._exit(7))
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], timeout=120)
    assert done.returncode == 7
    run_sync(source, target, mode=mode)
    assert everything(source, target) == clean
