"""What was before a run: looked up in the history and in the folders beside it; nothing is written."""

from __future__ import annotations

import contextlib
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

from gidbench.bench.comparing import comparable
from gidbench.bench.folders import RESULTS_FILE
from gidbench.bench.history import HISTORY_FILE, Entry, History, entries_of, load_history
from gidbench.bench.results import RunResults, load_results
from gidbench.errors import GidbenchError

_MOST_BESIDE = 40  # folders of runs that are looked into, the newest; the history has the older ones


def find_history(folder: Path) -> Path | None:
    """The history that goes with a folder of a run: beside it, in `reports/` there, or in `reports/` here."""
    parent = folder.resolve().parent
    places = (parent / HISTORY_FILE.name, parent / HISTORY_FILE, HISTORY_FILE)
    return next((place for place in places if place.is_file()), None)


def known_before(run: RunResults, folder: Path, history: str | Path | None = None) -> History:
    """All that is known up to a run, itself among it: of the history, and of runs beside its folder.

    Runs that began later are left out. `history` names the file; None: it is looked for. Raises InputError where
    a file that is named is not there.
    """
    place = Path(history) if history is not None else find_history(folder)
    known = load_history(place) if place is not None else History(())
    entries: dict[tuple[str, str], Entry] = {(entry.run_id, entry.case): entry for entry in known.entries}
    for path in sorted(folder.resolve().parent.glob(f"2*/{RESULTS_FILE}"))[-_MOST_BESIDE:]:
        with contextlib.suppress(GidbenchError, OSError, UnicodeDecodeError):  # a file of something else
            for entry in entries_of(load_results(path)):
                entries.setdefault((entry.run_id, entry.case), entry)
    for entry in entries_of(run):
        entries[entry.run_id, entry.case] = entry
    found = [entry for entry in entries.values() if entry.started_at <= run.header.started_at]
    return replace(known, entries=tuple(sorted(found, key=lambda entry: entry.started_at)))


def previous_run(known: History, run: RunResults, own: Collection[str] = ()) -> RunResults | None:
    """The newest run before that measured a case of this one; None where there is none.

    One of the same machine, data and database is preferred, then one of as many records; else a run that can't be
    compared is returned, and a comparison will say so. `own` are runs that belong to this one.
    """
    mine = {run.header.run_id, *own}
    sizes = {(result.operation, result.variant): result.records for result in run.results}
    before = [
        each
        for each in known.runs
        if each.header.run_id not in mine
        and any((result.operation, result.variant) in sizes for result in each.results)
    ]
    alike = [each for each in before if comparable(each.header, run.header)]
    as_many = [
        each
        for each in alike
        if any(sizes.get((result.operation, result.variant)) == result.records for result in each.results)
    ]
    found = as_many or alike or before
    return found[-1] if found else None
