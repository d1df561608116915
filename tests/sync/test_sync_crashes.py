"""A crash at any step, then a second run, ends in the very state of one undisturbed run."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from model import Employee
from tables import everything_in, put_employees, run_sync

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


def prepare(folder: Path, apart: bool) -> tuple[Path, Path]:
    """A state after which a sync has every kind of outcome to deal with."""
    folder.mkdir()
    source = folder / "source.duckdb"
    target = folder / "target.duckdb" if apart else source
    put_employees(source, FIRST)
    run_sync(source, target)
    carried = {row.id: row.g_id for row in FIRST}
    put_employees(source, [Employee(**{**row.__dict__, "g_id": carried.get(row.id)}) for row in SECOND])
    return source, target


@pytest.mark.parametrize("apart", [False, True], ids=["one store", "two stores"])
def test_a_crash_before_any_step_changes_nothing_and_is_made_good_by_the_next_run(
    tmp_path: Path, apart: bool
) -> None:
    source, target = prepare(tmp_path / "clean", apart)
    run_sync(source, target)
    clean = everything_in(source), everything_in(target)
    reached = []
    for step in STEPS:
        source, target = prepare(tmp_path / step, apart)
        before = everything_in(source), everything_in(target)

        def crash(at: str, step: str = step) -> None:
            if at == step:
                raise PulledPlug

        try:
            run_sync(source, target, before=crash)
        except PulledPlug:
            reached.append(step)
            now = everything_in(source), everything_in(target)
            if step == "hand back":  # the target was decided on, the source is not told yet
                assert now == (before[0], clean[1])
            else:
                assert now == before
        run_sync(source, target)
        assert (everything_in(source), everything_in(target)) == clean
    assert reached == [step for step in STEPS if apart or step != "hand back"]


@pytest.mark.parametrize(
    ("step", "apart"), [("update", False), ("commit", False), ("commit", True), ("hand back", True)]
)
def test_a_killed_process_is_made_good_by_the_next_run(tmp_path: Path, step: str, apart: bool) -> None:
    source, target = prepare(tmp_path / "clean", apart)
    run_sync(source, target)
    clean = everything_in(source), everything_in(target)
    source, target = prepare(tmp_path / "killed", apart)
    script = f"""
        import os, sys
        sys.path.insert(0, {str(Path(__file__).parent)!r})
        from pathlib import Path
        from tables import run_sync
        source, target = Path({str(source)!r}), Path({str(target)!r})
        run_sync(source, target, before=lambda at: at == {step!r} and os._exit(7))
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], timeout=120)
    assert done.returncode == 7
    run_sync(source, target)
    assert (everything_in(source), everything_in(target)) == clean
