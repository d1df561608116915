"""Result files: JSON lines, appended as they land, loadable whatever the version.

Each line is an object with a `kind`: `run` (one, first), `noise` (what else the machine did, several times),
`round` (one per timed call), `result` (one per case), `scaling` and `tuning` (one per study of an operation; they may
be added to a file at any time, to one of an older version, too). Units stand in field names. `results.schema.json`
beside this file says the same as a JSON schema. Versions:

1  first
2  rounds in several processes; noise lines; limits, bottleneck; parameters with processes, budget_s, order_seed
3  scaling and tuning lines; facts of the database besides its name and version
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from gidbench.errors import InputError

SCHEMA_VERSION = 3


@dataclass(frozen=True)
class RunHeader:
    """What holds for every line below."""

    run_id: str
    started_at: str
    parameters: dict[str, Any]
    host: dict[str, Any]
    noise: dict[str, Any]
    database: dict[str, str]
    page_cache: str = "warm: inputs are written by the run itself just before they are read"
    schema: int = SCHEMA_VERSION
    kind: str = "run"


@dataclass(frozen=True)
class Noise:
    """What else the machine did at a moment of the run, or since the one before.

    Attributes
    ----------
    moment:
        "start", "middle" or "end".
    verdict:
        "quiet", "noisy" or "unusable", with `reasons` in words.
    calibration_s:
        Median seconds of a fixed piece of work, which nothing but the machine changes.
    readings:
        What the verdict rests on, units in the names.
    """

    operation: str
    moment: str
    verdict: str
    reasons: list[str]
    calibration_s: float
    readings: dict[str, float | None]
    kind: str = "noise"


@dataclass(frozen=True)
class Round:
    """One timed call, in one of several processes. `error` says why it does not count; None where it was verified."""

    operation: str
    variant: str
    index: int
    warmup: bool
    wall_s: float
    cpu_s: float
    peak_rss_bytes: int
    read_bytes: int | None
    written_bytes: int | None
    phases_s: dict[str, float]
    error: str | None = None
    process: int = 0
    kind: str = "round"


@dataclass(frozen=True)
class Result:
    """One case: what its verified rounds say.

    Attributes
    ----------
    walls_s:
        Of all rounds; those of each process together, processes in their order.
    replicates_s:
        The same by process: the process is the unit of statistics.
    mad_s:
        Median absolute deviation of walls_s from their median.
    outliers:
        Places in walls_s that lie far out; they are kept.
    stopped_because:
        "asked", "precise" (the interval is narrow enough) or "budget" (no time was left).
    limits:
        What the machine or the server itself can do of the same: name, title, unit, value, share reached.
    bottleneck:
        What holds it back now: name ("cpu", "memory", "disk", "network", "server", "locks", "none") and words.
    peer, against:
        Of somebody else's tool: its name, and the variant of ours that it does the same as.
    """

    operation: str
    variant: str
    title: str
    headline: bool
    records: int
    status: str  # "ok", "failed", or "skipped": a peer that can't be tried here, `error` says why
    error: str | None = None
    rounds: int = 0
    walls_s: list[float] = field(default_factory=list)
    median_s: float = 0.0
    low_s: float = 0.0
    high_s: float = 0.0
    min_s: float = 0.0
    cv: float = 0.0
    cells: int = 0
    bytes: int = 0
    records_per_second: float = 0.0
    records_per_second_low: float = 0.0
    records_per_second_high: float = 0.0
    cells_per_second: float = 0.0
    bytes_per_second: float = 0.0
    target_per_second: float = 0.0
    target_met: bool = False
    tier: str | None = None
    tier_reached: str | None = None
    borderline: bool = False
    noisy: bool = False
    value: str | None = None
    facts: dict[str, Any] = field(default_factory=dict)
    phases_s: dict[str, float] = field(default_factory=dict)
    busy_s: dict[str, float] = field(default_factory=dict)
    cpu_s: float = 0.0
    peak_rss_bytes: int = 0
    read_bytes: int | None = None
    written_bytes: int | None = None
    timeline: dict[str, list[float]] = field(default_factory=dict)
    warmup_s: dict[str, float] = field(default_factory=dict)
    kernels_compiled: int = 0
    processes: int = 1
    replicates_s: list[list[float]] = field(default_factory=list)
    mad_s: float = 0.0
    outliers: list[int] = field(default_factory=list)
    stopped_because: str = ""
    limits: list[dict[str, Any]] = field(default_factory=list)
    bottleneck: dict[str, str] = field(default_factory=dict)
    peer: str | None = None
    against: str | None = None
    kind: str = "result"


@dataclass(frozen=True)
class ScalingLine:
    """How an operation grows with the records, and what workers gain; `studies` makes it, and reads it.

    Attributes
    ----------
    command:
        The line of the shell that does it again; no password is in it.
    growth, workers_scale:
        As `gidbench.bench.scaling` tells them.
    """

    operation: str
    measured_at: str
    command: str
    database: str
    workers: int
    growth: list[dict[str, Any]]
    workers_scale: dict[str, Any]
    seed: int
    kind: str = "scaling"


@dataclass(frozen=True)
class TuningLine:
    """Which settings are fastest for an operation, and what was tried; `studies` makes it, and reads it.

    Attributes
    ----------
    store:
        "memory", "embedded" or "server".
    searched, surface, defaults, best, chosen, gain, steps, findings:
        As `gidbench.bench.tuning` tells them: values by setting, and a choice for each combination.
    applied:
        Name of the file of settings that was written; empty where none was.
    """

    operation: str
    measured_at: str
    command: str
    database: str
    store: str
    searched: dict[str, list[Any]]
    ignored: dict[str, str]
    left_out: dict[str, str]
    defaults: dict[str, Any]
    best: dict[str, Any] | None
    chosen: dict[str, Any]
    gain: dict[str, Any] | None
    surface: list[dict[str, Any]]
    steps: list[dict[str, int]]
    choices_left_out: int
    spent_s: float
    budget_s: float
    trials: int
    seed: int
    findings: list[dict[str, str]]
    applied: str = ""
    kind: str = "tuning"


Line = RunHeader | Noise | Round | Result | ScalingLine | TuningLine


@dataclass(frozen=True)
class RunResults:
    """A result file in memory."""

    header: RunHeader
    rounds: list[Round]
    results: list[Result]
    noise: list[Noise] = field(default_factory=list)
    scalings: list[ScalingLine] = field(default_factory=list)
    tunings: list[TuningLine] = field(default_factory=list)

    @property
    def measured(self) -> list[Result]:
        return [result for result in self.results if result.status == "ok"]


def append(path: Path, line: Line) -> None:
    """Add a line, and have it on disk before returning, so that a crash later cannot take it."""
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(asdict(line), ensure_ascii=False, allow_nan=False) + "\n")
        file.flush()
        os.fsync(file.fileno())


def load_results(path: str | Path) -> RunResults:
    """Read a result file, or the one in a folder of a run.

    A last line that a crash cut short is passed over, and so are kinds of lines and fields that are not known here.

    Parameters
    ----------
    path:
        The file, or the folder that holds it as `results.jsonl`.

    Returns
    -------
    RunResults: header, rounds, results, noise, scalings and tunings, in the order of the file.

    Raises
    ------
    InputError where there is no such file, or it is no result file of a version known here.
    """
    place = Path(path)
    if place.is_dir():
        place = place / "results.jsonl"
    if not place.is_file():
        raise InputError(
            f"there is no result file {place}", "Name a file or folder that `gidbench run` wrote"
        )
    lines = _objects(place)
    headers = [_build(RunHeader, line) for line in lines if line.get("kind") == "run"]
    if not headers:
        raise InputError(f"{place.name} does not begin with a run", "Name a file that `gidbench run` wrote")
    if headers[0].schema > SCHEMA_VERSION:
        raise InputError(
            f"{place.name} has version {headers[0].schema}, but this gidbench knows up to {SCHEMA_VERSION}",
            "Install a newer gidbench",
        )
    return RunResults(
        headers[0],
        [_build(Round, line) for line in lines if line.get("kind") == "round"],
        [_build(Result, line) for line in lines if line.get("kind") == "result"],
        [_build(Noise, line) for line in lines if line.get("kind") == "noise"],
        [_build(ScalingLine, line) for line in lines if line.get("kind") == "scaling"],
        [_build(TuningLine, line) for line in lines if line.get("kind") == "tuning"],
    )


def _objects(path: Path) -> list[dict[str, Any]]:
    texts = [text for text in path.read_text("utf-8").splitlines() if text.strip()]
    objects = []
    for number, text in enumerate(texts, 1):
        try:
            value = json.loads(text)
        except json.JSONDecodeError as error:
            if number == len(texts) and number > 1:
                continue
            raise InputError(f"line {number} of {path.name} is not JSON", "Name a result file") from error
        if not isinstance(value, dict):
            raise InputError(f"line {number} of {path.name} is not an object", "Name a result file")
        objects.append(value)
    return objects


def _build(kind: Any, values: dict[str, Any]) -> Any:
    """An object of a later version may have more fields than this one knows."""
    known = {item.name for item in fields(kind)}
    try:
        return kind(**{name: value for name, value in values.items() if name in known})
    except TypeError as error:
        raise InputError(
            f"a {values.get('kind')} line lacks a field ({error})", "Name a result file"
        ) from error


def newest(results: Iterable[Result]) -> list[Result]:
    """The last result of each case: a notebook that is run again adds to the file."""
    latest = {(result.operation, result.variant): result for result in results}
    return list(latest.values())
