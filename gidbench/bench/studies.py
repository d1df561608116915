"""Scalings and tunings as lines of a result file, and back."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from gidbench.bench.results import ScalingLine, TuningLine
from gidbench.bench.scaling import Growth, Scaling, Size
from gidbench.bench.scaling_fit import Efficiency, Fit
from gidbench.bench.tuning import Cell, Tuning
from gidbench.bench.tuning_gain import Gain
from gidbench.bench.tuning_space import TITLES, Point, Space, default_point
from gidbench.errors import InputError
from gidbench.findings import Check
from gidbench.units import utc_text

_NAMES_PATHS = "settings file"  # the one check that tells a path of this machine
_NUMBERS = ("batch_size", "workers", "pool_size")
_STEEPEST = 10.0  # exponent far beyond what is fitted; more would only overflow
_AGAIN = {
    "scaling": "bench OPERATION --scale LOW..HIGH --out FOLDER",
    "tuning": "tune OPERATION --out FOLDER",
}

T = TypeVar("T")
L = TypeVar("L", ScalingLine, TuningLine)


def scaling_line(result: Scaling, command: str) -> ScalingLine:
    """What a result file keeps of it; `command` does it again."""
    return ScalingLine(measured_at=utc_text(), command=command, **_plain(result.to_dict()))


def tuning_line(result: Tuning, command: str) -> TuningLine:
    """What a result file keeps of it: no path, and nothing that follows from the rest."""
    told = _plain(result.to_dict())
    for name in ("variables", "is_better"):
        told.pop(name)
    told["findings"] = [check for check in told["findings"] if check["name"] != _NAMES_PATHS]
    told["applied"] = Path(result.applied).name
    return TuningLine(measured_at=utc_text(), command=command, store=result.space.kind, **told)


def scaling_of(line: ScalingLine) -> Scaling:
    """The scaling that a line tells of. Raises InputError where the line is damaged."""
    try:
        return Scaling(
            str(line.operation),
            str(line.database),
            int(line.workers),
            [_growth(each) for each in line.growth],
            [_built(Efficiency, each) for each in line.workers_scale["efficiencies"]],
            int(line.workers_scale["records"]),
            str(line.workers_scale["note"]),
            int(line.seed),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise _damaged("scaling", error) from error


def tuning_of(line: TuningLine) -> Tuning:
    """The tuning that a line tells of. Raises InputError where the line is damaged."""
    try:
        values = {
            name: tuple(_setting(name, each) for each in given) for name, given in line.searched.items()
        }
        default = _point(line.defaults, default_point())
        space = Space(
            str(line.operation), str(line.store), values, _texts(line.ignored), default, _texts(line.left_out)
        )
        return Tuning(
            operation=str(line.operation),
            database=str(line.database),
            space=space,
            cells=tuple(_cell(each, default) for each in line.surface),
            best=None if line.best is None else _point(line.best, default),
            gain=None if line.gain is None else _built(Gain, line.gain),
            chosen=_point(line.chosen, default),
            spent_s=_number(line.spent_s),
            budget_s=_number(line.budget_s),
            trials=int(line.trials),
            rungs=tuple(
                (int(step["records"]), int(step["choices"]), int(step["rounds"])) for step in line.steps
            ),
            left_out=int(line.choices_left_out),
            findings=tuple(_built(Check, each) for each in line.findings),
            applied=str(line.applied),
            seed=int(line.seed),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise _damaged("tuning", error) from error


def newest_studies(lines: Sequence[L]) -> list[L]:
    """The last line of each operation and database: a study that is made again adds to the file."""
    latest = {(line.operation, line.database): line for line in lines}
    return list(latest.values())


def _plain(told: dict[str, Any]) -> dict[str, Any]:
    """As it will be read again: tuples become lists."""
    plain: dict[str, Any] = json.loads(json.dumps(told))
    return plain


def _damaged(kind: str, error: Exception) -> InputError:
    return InputError(
        f"a {kind} line is damaged ({type(error).__name__}: {error})",
        f"Take the line out of the result file, or make it again with `gidbench {_AGAIN[kind]}`",
    )


def _growth(told: Mapping[str, Any]) -> Growth:
    sizes = [
        Size(
            int(each["records"]),
            [_positive(value) for value in each["seconds"]],
            [int(_positive(value)) for value in each["peak_rss_bytes"]],
            [int(_number(value)) for value in each["idle_rss_bytes"]],
            str(each["note"]),
        )
        for each in told["sizes"]
    ]
    if any(
        len({len(size.seconds), len(size.peak_rss_bytes), len(size.idle_rss_bytes)}) > 1 or size.records < 1
        for size in sizes
    ):
        raise ValueError("a size has not as many times as readings of memory, or no records")
    fits = [None if told[name] is None else _fit(told[name]) for name in ("time", "memory")]
    return Growth(str(told["variant"]), str(told["title"]), sizes, *fits)


def _fit(told: Mapping[str, Any]) -> Fit:
    found = _built(Fit, {**told, "dominated": tuple(int(size) for size in told["dominated"])})
    for name in ("constant", "factor", "growth"):
        _number(getattr(found, name))
    for name in ("exponent", "low", "high"):
        if (value := getattr(found, name)) is not None and abs(_number(value)) > _STEEPEST:
            raise ValueError(f"nothing grows with an exponent of {value}")
    return found


def _cell(told: Mapping[str, Any], default: Point) -> Cell:
    known = {name: told[name] for name in TITLES if name in told}
    records, seconds, ratio = told["records"], told["median_s"], told["ratio"]
    return Cell(
        _point(known, default),
        None if records is None else int(_positive(records)),
        None if seconds is None else _positive(seconds),
        None if ratio is None else _positive(ratio),
        int(told["trials"]),
        str(told["note"]),
    )


def _point(told: Mapping[str, Any], default: Point) -> Point:
    values: dict[str, Any] = {name: _setting(name, value) for name, value in told.items()}
    return dataclasses.replace(default, **values)


def _setting(name: str, value: Any) -> int | str:
    if name not in TITLES:
        raise ValueError(f"there is no setting {name!r}")
    return int(_positive(value)) if name in _NUMBERS else str(value)


def _built(kind: type[T], told: Mapping[str, Any]) -> T:
    """A dataclass from values, those that it does not know left out; numbers must be numbers, texts texts."""
    known = {item.name: item for item in dataclasses.fields(kind)}  # type: ignore[arg-type]
    values = {name: value for name, value in told.items() if name in known}
    for name, value in values.items():
        if known[name].type == "str":
            values[name] = str(value)
        elif known[name].type in ("float", "int"):
            _number(value)
    return kind(**values)


def _texts(told: Mapping[str, Any]) -> dict[str, str]:
    return {str(name): str(value) for name, value in told.items()}


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"{value!r} is no number")
    return float(value)


def _positive(value: Any) -> float:
    if (number := _number(value)) <= 0:
        raise ValueError(f"{value!r} is not above 0")
    return number
