"""History: one line per case that was ever measured, in a file that only grows.

reports/history.jsonl is appended to under a lock, and is on disk before the lock is given back, so that runs may
write at once and a crash takes nothing but a line that was being written; such a torn line is passed over, and cut
off by whoever appends next. Versions of a line, its `schema`:

1  first
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import subprocess
import sys
from collections.abc import Collection, Iterator
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, BinaryIO

from gidbench.bench.comparing import noise_of
from gidbench.bench.results import Noise, Result, RunHeader, RunResults, load_results, newest
from gidbench.errors import GidbenchError, InputError

SCHEMA_VERSION = 1
HISTORY_FILE = Path("reports") / "history.jsonl"
_LEFT_OUT = {"timeline", "limits", "kind", "warmup_s", "kernels_compiled", "facts"}  # the run's file has them
_COMMITS_BACK = 500  # of a branch, that are looked for in the history


@dataclass(frozen=True)
class Entry:
    """One case of one run.

    Attributes
    ----------
    commit, noise:
        None where the run does not tell.
    header, noise_lines:
        Of its run: what a comparison must know.
    """

    run_id: str
    started_at: str
    commit: str | None
    noise: str | None
    header: RunHeader
    noise_lines: tuple[Noise, ...]
    result: Result

    @property
    def case(self) -> str:
        return f"{self.result.operation} {self.result.variant}"


@dataclass(frozen=True)
class History:
    """What the file holds, oldest first, of each case of a run its last result.

    `passed_over` lines could not be read: torn ones, and ones of a later version.
    """

    entries: tuple[Entry, ...]
    passed_over: int = 0

    @property
    def runs(self) -> list[RunResults]:
        """Each run with the cases that are known of it, by the time it started."""
        found: dict[str, list[Entry]] = {}
        for entry in self.entries:
            found.setdefault(entry.run_id, []).append(entry)
        return [
            RunResults(
                group[0].header,
                [],
                [entry.result for entry in group],
                list(
                    {
                        (line.operation, line.moment): line for entry in group for line in entry.noise_lines
                    }.values()
                ),
            )
            for group in sorted(found.values(), key=lambda group: (group[0].started_at, group[0].run_id))
        ]


def remember(run: str | Path | RunResults, history: str | Path = HISTORY_FILE) -> int:
    """Append the finished cases of a run, given as its folder, file or results; returns how many were new.

    Cases that the history has already are not added again, so it may be called after each operation. A run folder
    without results yet adds nothing. Raises OSError where the file cannot be written.
    """
    if not isinstance(run, RunResults):
        place = Path(run) / "results.jsonl" if Path(run).is_dir() else Path(run)
        if not place.is_file():
            return 0
        run = load_results(place)
    path = Path(history)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+b") as file, _locked(file):
        whole = _mend(file)
        known = {_key(line) for line in _lines(whole)[0]}
        lines = [_line(run, result) for result in newest(run.results)]
        lines = [line for line in lines if _key(line) not in known]
        text = "".join(json.dumps(line, ensure_ascii=False, allow_nan=False) + "\n" for line in lines)
        if text:
            file.write(text.encode())
            file.flush()
            os.fsync(file.fileno())
    return len(lines)


def remembered(run: str | Path, history: str | Path = HISTORY_FILE) -> bool:
    """`remember` for a run that must not fail for its history: whether it could be written; the log says why not."""
    try:
        remember(run, history)
    except (OSError, GidbenchError) as error:
        logging.getLogger("gidbench").warning("the history was not written: %s", error)
        return False
    return True


def catch_up(history: str | Path = HISTORY_FILE) -> int:
    """Append what runs beside the history left behind: those that were killed could not do it themselves."""
    path = Path(history)
    added = 0
    for folder in sorted(path.parent.glob("2*/results.jsonl")):
        with contextlib.suppress(GidbenchError, OSError):  # a file of something else, or one we may not read
            added += remember(folder, path)
    return added


def load_history(path: str | Path = HISTORY_FILE) -> History:
    """Read a history. Raises InputError where there is no such file."""
    place = Path(path)
    if not place.is_file():
        raise InputError(f"there is no history {place}", "Measure something with `gidbench run` first")
    lines, passed_over = _lines(place.read_bytes())
    latest: dict[tuple[str, str, str], Entry] = {}
    for line in lines:
        try:
            entry = _entry(line)
        except (TypeError, KeyError, AttributeError):
            passed_over += 1
            continue
        key = (entry.run_id, entry.result.operation, entry.result.variant)
        latest.pop(key, None)
        latest[key] = entry
    entries = sorted(latest.values(), key=lambda entry: entry.started_at)
    return History(tuple(entries), passed_over)


def entries_of(run: RunResults) -> tuple[Entry, ...]:
    """The finished cases of a run as a history would hold them."""
    return tuple(_entry(_line(run, result)) for result in newest(run.results))


def runs_at(history: History, commit: str, repository: Path | None = None) -> list[RunResults]:
    """Runs of a commit or, for a branch or tag, of its newest commit that was measured; oldest first.

    Raises InputError where there is none.
    """
    runs = [run for run in history.runs if run.header.host.get("commit")]
    for wanted in [*_ancestors(commit, repository or Path.cwd()), commit]:
        found = [run for run in runs if _same_commit(str(run.header.host["commit"]), wanted)]
        if found:
            return found
    measured = list(dict.fromkeys(str(run.header.host["commit"]) for run in reversed(runs)))
    raise InputError(
        f"the history holds no run of {commit!r}",
        f"Measure it first; it holds {', '.join(measured[:5]) or 'no run whose commit is known'}",
    )


def _same_commit(recorded: str, wanted: str) -> bool:
    if min(len(recorded), len(wanted)) < 4:
        return False
    return recorded.startswith(wanted.lower()) or wanted.lower().startswith(recorded)


def _ancestors(name: str, repository: Path) -> list[str]:
    """The commit of that name and those before it, newest first; none where git does not know it."""
    command = ["git", "rev-list", f"--max-count={_COMMITS_BACK}", "--first-parent", "--end-of-options", name]
    try:
        done = subprocess.run(
            [*command, "--"], cwd=repository, capture_output=True, text=True, timeout=20, check=False
        )
    except (OSError, subprocess.SubprocessError):
        return []
    return done.stdout.split() if done.returncode == 0 else []


def _line(run: RunResults, result: Result) -> dict[str, Any]:
    header = asdict(run.header)
    for name in ("run_id", "started_at", "noise", "kind"):
        header.pop(name)
    return {
        "schema": SCHEMA_VERSION,
        "kind": "case",
        "run_id": run.header.run_id,
        "started_at": run.header.started_at,
        "commit": run.header.host.get("commit"),
        "noise": noise_of(run, result.operation),
        "run": header,
        "noise_lines": [
            {**asdict(line), "readings": {}} for line in run.noise if line.operation == result.operation
        ],
        "result": {name: value for name, value in asdict(result).items() if name not in _LEFT_OUT},
    }


def _entry(line: dict[str, Any]) -> Entry:
    header = RunHeader(
        run_id=line["run_id"],
        started_at=line["started_at"],
        noise={},
        **_known(RunHeader, line["run"], leave={"run_id", "started_at", "noise"}),
    )
    return Entry(
        line["run_id"],
        line["started_at"],
        line.get("commit"),
        line.get("noise"),
        header,
        tuple(Noise(**_known(Noise, each)) for each in line.get("noise_lines", ())),
        Result(**_known(Result, line["result"])),
    )


def _known(kind: Any, values: dict[str, Any], leave: Collection[str] = ()) -> dict[str, Any]:
    names = {item.name for item in fields(kind)} - {*leave}
    return {name: value for name, value in values.items() if name in names}


def _key(line: dict[str, Any]) -> tuple[Any, ...]:
    result = line.get("result") or {}
    names = ("operation", "variant", "status", "median_s")
    return (line.get("run_id"), *(result.get(name) for name in names))


def _lines(content: bytes) -> tuple[list[dict[str, Any]], int]:
    """Lines of versions known here, and how many others there are."""
    lines, passed_over = [], 0
    for text in content.splitlines():
        if not text.strip():
            continue
        try:
            value = json.loads(text)
        except ValueError:  # torn, or not even text
            passed_over += 1
            continue
        if isinstance(value, dict) and value.get("kind") == "case" and _is_known(value.get("schema")):
            lines.append(value)
        else:
            passed_over += 1
    return lines, passed_over


def _is_known(version: object) -> bool:
    return isinstance(version, int) and 1 <= version <= SCHEMA_VERSION


def _mend(file: BinaryIO) -> bytes:
    """What the file holds, its last line whole: one that a crash tore is cut off, or ended if it is all there."""
    file.seek(0)
    content = file.read()
    if not content or content.endswith(b"\n"):
        return content
    last = content.rfind(b"\n") + 1
    try:
        json.loads(content[last:])
    except ValueError:
        file.truncate(last)
        return content[:last]
    file.write(b"\n")
    return content + b"\n"


@contextlib.contextmanager
def _locked(file: BinaryIO) -> Iterator[None]:
    """Nobody else appends meanwhile; a process that dies gives the lock back."""
    if sys.platform == "win32":
        import msvcrt

        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_LOCK, 1)
        try:
            yield
        finally:
            file.seek(0)
            msvcrt.locking(file.fileno(), msvcrt.LK_UNLCK, 1)
        return
    import fcntl

    fcntl.flock(file, fcntl.LOCK_EX)
    try:
        yield
    finally:
        fcntl.flock(file, fcntl.LOCK_UN)
