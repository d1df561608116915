"""Gates: what a run must reach to pass, and whether it is proven that it does not.

    [tool.gidbench]                        # of pyproject.toml; options of the command line come before it
    fail-below = "HIGH"                    # a tier
    fail-if-worse = 10                     # per cent of time, against the runs that `against` names
    require-target = true
    against = "main"                       # a commit, branch or tag in the history
    threshold = 3                          # per cent: less is of no interest
    strict = false                         # whether what cannot be told fails

    [tool.gidbench.cases."generate csv"]   # of one case, comes before both
    fail-below = "VERY HIGH"
    ignore = false                         # true: no gate holds for this case

A gate fails only where the whole 95 % interval lies on the wrong side of its bound. Where the bound lies within,
nothing is proven: it passes with a warning, or fails if `strict`.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from gidbench.bench.comparing import Compared, replicates
from gidbench.bench.results import Result
from gidbench.bench.verdict import Judgement, interval_of
from gidbench.errors import InputError
from gidbench.tiers import TIERS

EXIT_PROVEN, EXIT_NOTHING = 1, 3
_BOUNDS = dict(TIERS)


@dataclass(frozen=True)
class Gate:
    """What is asked of a case; None: nothing.

    Attributes
    ----------
    fail_below:
        Name of the tier that must be reached.
    fail_if_worse:
        Per cent that it may take longer than before.
    require_target:
        Whether the target of the product must be met.
    """

    fail_below: str | None = None
    fail_if_worse: float | None = None
    require_target: bool | None = None
    ignore: bool | None = None

    def over(self, other: Gate) -> Gate:
        """This one, and of the other what this one does not say."""
        return Gate(
            *(
                getattr(other, item.name) if getattr(self, item.name) is None else getattr(self, item.name)
                for item in fields(Gate)
            )
        )


@dataclass(frozen=True)
class Gates:
    """The gates of a project: of all cases, of single ones, and what they are held against."""

    general: Gate = field(default_factory=Gate)
    cases: Mapping[str, Gate] = field(default_factory=dict)
    against: str | None = None
    threshold: float | None = None
    strict: bool = False

    @property
    def any(self) -> bool:
        """Whether anything is asked at all."""
        asked = [self.general, *self.cases.values()]
        return any(
            gate.fail_below is not None or gate.fail_if_worse is not None or gate.require_target
            for gate in asked
        )

    @property
    def compares(self) -> bool:
        """Whether a gate needs an earlier run."""
        return any(gate.fail_if_worse is not None for gate in (self.general, *self.cases.values()))

    def of(self, case: str) -> Gate:
        return self.cases.get(case, Gate()).over(self.general)

    def with_options(
        self,
        *,
        fail_below: str | None = None,
        fail_if_worse: float | None = None,
        require_target: bool | None = None,
        against: str | None = None,
        strict: bool | None = None,
    ) -> Gates:
        """These with options of the command line, which come before the general ones. Raises InputError."""
        given = _gate(
            {
                name: value
                for name, value in (
                    ("fail-below", fail_below),
                    ("fail-if-worse", fail_if_worse),
                    ("require-target", require_target),
                )
                if value is not None
            },
            "the options",
        )
        return replace(
            self,
            general=given.over(self.general),
            against=against or self.against,
            strict=self.strict if strict is None else strict,
        )


@dataclass(frozen=True)
class Check:
    """What became of one gate of one case: "passed", "failed", "unproven" or "not measured"."""

    case: str
    gate: str
    state: str
    why: str


@dataclass(frozen=True)
class GateReport:
    """All checks, and what the command ends with."""

    checks: tuple[Check, ...]
    strict: bool

    @property
    def exit_code(self) -> int:
        states = [check.state for check in self.checks]
        if "failed" in states:
            return EXIT_PROVEN
        if states and all(state == "not measured" for state in states):
            return EXIT_NOTHING
        if self.strict and any(state != "passed" for state in states):
            return EXIT_PROVEN
        return 0

    def of(self, state: str) -> list[Check]:
        return [check for check in self.checks if check.state == state]

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return {**asdict(self), "exit_code": self.exit_code}


def check_gates(
    gates: Gates, results: Sequence[Result], compared: Sequence[Compared] | None = None, why_not: str = ""
) -> GateReport:
    """Hold each case of ours, and no peer, against its gates.

    `compared` is what became of it since before, None where that is not known; `why_not` says why there is nothing to
    compare with. A gate of a case that was not measured is told as such, and so is a gate in the settings of a case
    that does not exist.
    """
    before = {each.name: each for each in compared or ()}
    by_name = {f"{each.operation} {each.variant}": each for each in results if each.peer is None}
    checks: list[Check] = []
    for name in [*by_name, *(name for name in gates.cases if name not in by_name)]:
        gate = gates.of(name)
        if gate.ignore:
            continue
        result = by_name.get(name)
        if result is None or result.status != "ok":
            reason = "it was not run" if result is None else result.error or "it failed"
            checks += [Check(name, each, "not measured", reason) for each in _asked(gate)]
            continue
        if gate.fail_below is not None:
            checks.append(_rate(name, f"at least {gate.fail_below}", result, _BOUNDS[gate.fail_below]))
        if gate.require_target:
            checks.append(_rate(name, "the target", result, result.target_per_second))
        if gate.fail_if_worse is not None:
            checks.append(_worse(name, gate.fail_if_worse, before.get(name), why_not))
    return GateReport(tuple(checks), gates.strict)


def _asked(gate: Gate) -> list[str]:
    return [
        *([f"at least {gate.fail_below}"] if gate.fail_below is not None else []),
        *(["the target"] if gate.require_target else []),
        *([_limit(gate.fail_if_worse)] if gate.fail_if_worse is not None else []),
    ]


def _limit(per_cent: float) -> str:
    return f"at most {per_cent:g} % longer"


def _rate(name: str, gate: str, result: Result, bound: float) -> Check:
    _, low_s, high_s = interval_of(replicates(result))
    low, high = result.records / high_s, result.records / low_s
    told = f"{low:,.0f} to {high:,.0f} records/s, bound {bound:,.0f}"
    if low > bound:
        return Check(name, gate, "passed", told)
    return Check(name, gate, "failed" if high <= bound else "unproven", told)


def check_live(gates: Gates, case: str, judgement: Judgement, same_output: bool) -> GateReport:
    """Hold what was measured in turns against the gate that asks for a comparison."""
    gate = gates.of(case)
    if gate.fail_if_worse is None or gate.ignore:
        return GateReport((), gates.strict)
    if not same_output:
        check = Check(case, _limit(gate.fail_if_worse), "unproven", "A and B do not give the same output")
    else:
        check = _held(case, gate.fail_if_worse, judgement)
    return GateReport((check,), gates.strict)


def _worse(name: str, per_cent: float, compared: Compared | None, why_not: str) -> Check:
    if compared is None or compared.judgement is None:
        reason = "; ".join(compared.marks) if compared is not None else why_not
        return Check(name, _limit(per_cent), "unproven", reason or "there is nothing to compare with")
    return _held(name, per_cent, compared.judgement)


def _held(name: str, per_cent: float, found: Judgement) -> Check:
    gate, limit = _limit(per_cent), 1 + per_cent / 100
    told = f"{found.low * 100 - 100:+.1f} to {found.high * 100 - 100:+.1f} % of the time"
    if found.withheld:
        return Check(name, gate, "unproven", found.why)
    if found.verdict == "worse" and found.low > limit:
        return Check(name, gate, "failed", told)
    if found.high <= limit or found.verdict == "better":
        return Check(name, gate, "passed", told)
    return Check(name, gate, "unproven", f"{told}: {found.why}")


_KEYS = {
    "fail-below": "a tier: " + ", ".join(name for name, _ in TIERS),
    "fail-if-worse": "per cent, 0 or more",
    "require-target": "true or false",
    "ignore": "true or false",
}
_GENERAL_KEYS = {
    **{name: told for name, told in _KEYS.items() if name != "ignore"},
    "against": "a commit, branch or tag",
    "threshold": "per cent, 0 to less than 100",
    "strict": "true or false",
    "cases": "tables of single cases",
}


def load_gates(project: str | Path | None = None) -> Gates:
    """The gates in [tool.gidbench] of a pyproject.toml; None: of the nearest one from here upward, if any.

    Raises InputError that names a key that is not known, or a value that cannot be.
    """
    path = _nearest() if project is None else Path(project)
    if path is None:
        return Gates()
    try:
        whole = tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        if project is None and isinstance(error, OSError):
            return Gates()
        raise InputError(f"{path} cannot be read as TOML ({error})", "Mend it") from error
    table = whole.get("tool", {}).get("gidbench")
    if table is None:
        return Gates()
    where = f"[tool.gidbench] of {path.name}"
    _check_keys(table, _GENERAL_KEYS, where)
    cases = table.get("cases", {})
    if not isinstance(cases, dict):
        raise InputError(f"cases in {where} is {cases!r}", 'Write [tool.gidbench.cases."generate csv"]')
    threshold = table.get("threshold")
    if threshold is not None and not (_is_number(threshold) and 0 <= threshold < 100):
        raise _unusable("threshold", threshold, where)
    against = table.get("against")
    if against is not None and not (isinstance(against, str) and against):
        raise _unusable("against", against, where)
    strict = table.get("strict", False)
    if not isinstance(strict, bool):
        raise _unusable("strict", strict, where)
    own = {name: value for name, value in table.items() if name in _KEYS}
    return Gates(
        _gate(own, where),
        {
            " ".join(name.replace("/", " ").split()): _case_gate(name, each, path)
            for name, each in cases.items()
        },
        against,
        None if threshold is None else threshold / 100,
        strict,
    )


def _case_gate(name: str, table: Any, path: Path) -> Gate:
    where = f'[tool.gidbench.cases."{name}"] of {path.name}'
    if not isinstance(table, dict):
        raise InputError(f"{where} is {table!r}", "Make it a table of keys")
    _check_keys(table, _KEYS, where)
    return _gate(table, where)


def _gate(table: Mapping[str, Any], where: str) -> Gate:
    below = table.get("fail-below")
    if below is not None:
        known = str(below).upper().replace("-", " ").replace("_", " ")
        if known not in _BOUNDS:
            raise _unusable("fail-below", below, where)
        below = known
    worse = table.get("fail-if-worse")
    if worse is not None and not (_is_number(worse) and 0 <= worse < float("inf")):
        raise _unusable("fail-if-worse", worse, where)
    for name in ("require-target", "ignore"):
        if table.get(name) is not None and not isinstance(table[name], bool):
            raise _unusable(name, table[name], where)
    return Gate(below, worse, table.get("require-target"), table.get("ignore"))


def _check_keys(table: Mapping[str, Any], known: Mapping[str, str], where: str) -> None:
    unknown = [name for name in table if name not in known]
    if unknown:
        raise InputError(
            f"{where} has the unknown {'keys' if len(unknown) > 1 else 'key'} {', '.join(map(repr, unknown))}",
            f"Use {', '.join(known)}",
        )


def _unusable(name: str, value: object, where: str) -> InputError:
    return InputError(f"{name} in {where} is {value!r}", f"Write {_GENERAL_KEYS.get(name) or _KEYS[name]}")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _nearest() -> Path | None:
    here = Path.cwd()
    return next(
        (path for folder in (here, *here.parents) if (path := folder / "pyproject.toml").is_file()), None
    )
