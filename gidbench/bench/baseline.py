"""What a run is held against: a file, a commit, or the runs before it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from gidbench.bench.comparing import comparable, pooled
from gidbench.bench.history import HISTORY_FILE, History, catch_up, load_history, runs_at
from gidbench.bench.results import RunResults, load_results
from gidbench.bench.session import run_folder
from gidbench.errors import InputError

LAST_RUNS = 5  # before a run, where nobody says what to hold it against


@dataclass(frozen=True)
class Pair:
    """Two runs, and what to call them."""

    before: RunResults
    after: RunResults
    before_name: str
    after_name: str


def two_files(before: str | Path, after: str | Path) -> Pair:
    """Two result files or folders of runs."""
    return Pair(load_results(before), load_results(after), str(before), str(after))


def from_history(
    after: str | Path | RunResults = "",
    *,
    against: str | None = None,
    last: int = 0,
    history: str | Path = HISTORY_FILE,
) -> Pair:
    """A run (empty: the newest) and what the history holds from before: of a commit or branch, or of the last runs.

    Several runs are taken together: all their processes count. Runs that began after the run itself do not count, nor
    do those of other machines, seeds or databases while there are alike ones. Raises InputError where there is none.
    """
    catch_up(history)
    known = load_history(history)
    if isinstance(after, RunResults):
        run, name = after, after.header.run_id
    elif after or not known.runs:
        run, name = load_results(run_folder(after)), str(after or "the newest run")
    else:
        run, name = known.runs[-1], "the newest run"
    earlier = _without(known, run)
    if against:
        found, before_name = runs_at(earlier, against), against
    else:
        found = [each for each in earlier.runs if each.header.started_at <= run.header.started_at]
        before_name = "the runs before"
    found = [each for each in found if comparable(each.header, run.header)] or found[-1:]
    found = found[-(last or LAST_RUNS) :] if not against or last else found
    if not found:
        raise InputError(f"the history {history} holds no run before this one", "Measure once more")
    before_name += f" ({len(found)} runs)" if len(found) > 1 else ""
    return Pair(pooled(found), run, before_name, name)


def _without(history: History, run: RunResults) -> History:
    """A run is not held against itself."""
    left = tuple(entry for entry in history.entries if entry.run_id != run.header.run_id)
    return replace(history, entries=left)
