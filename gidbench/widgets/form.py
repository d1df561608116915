"""From what stands in the workbench's controls to a request, or to sentences that say what to change. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gidbench.bench.request import Request
from gidbench.errors import GidbenchError, InputError
from gidbench.settings import Settings
from gidbench.units import format_count, parse_count

OPERATIONS = {
    "generate": "Generate employees",
    "process": "Process a file",
    "sync": "Synchronise tables",
}
# What an operation works from or to, and in which words: a test holds the names against the suite.
SOURCES: Mapping[str, Mapping[str, str]] = {
    "generate": {
        "memory": "memory",
        "csv": "CSV file",
        "parquet": "Parquet file",
        "database": "database",
    },
    "process": {
        "csv": "CSV file into the database",
        "xlsx": "Excel workbook into the database",
        "csv memory": "CSV file into memory",
        "xlsx memory": "Excel workbook into memory",
    },
    "sync": {"initial": "all rows are new", "unchanged": "no row has changed"},
}
_WITH_PEERS = (
    "csv memory",
    "xlsx memory",
)  # what most other tools do, too; else only where they are asked for
AUTOMATIC = "automatic"
MOST_RECORDS = 1_000_000_000
SLIDER = (2.0, 8.0)  # powers of ten; the entry beside it takes more
_MOST_PROCESSES, _MOST_ROUNDS = 1_000, 10_000


@dataclass(frozen=True)
class Entered:
    """What stands in the controls: numbers as they were typed."""

    operation: str
    cases: tuple[str, ...]
    records: str
    batch_size: str
    workers: str
    pool_size: str
    strategy: str
    rounds: str
    processes: str
    peers: bool
    database: str
    seed: int = 7


@dataclass(frozen=True)
class Number:
    """What a control takes: the bounds, and the value that counts as the setting."""

    name: str
    low: int
    high: int
    usual: int = 0
    automatic: bool = False


def usual(operation: str, *, peers: bool) -> tuple[str, ...]:
    """What is measured where nobody chooses."""
    return tuple(name for name in SOURCES[operation] if peers or name not in _WITH_PEERS)


def numbers(settings: Settings) -> dict[str, Number]:
    """The controls that take a number, by field of `Entered`."""
    fields = Settings.model_fields

    def bounded(name: str, told: str) -> Number:
        low = next(m.ge for m in fields[name].metadata if hasattr(m, "ge"))
        high = next(m.le for m in fields[name].metadata if hasattr(m, "le"))
        return Number(told, int(low), int(high), int(getattr(settings, name)))

    return {
        "records": Number("Records", 1, MOST_RECORDS),
        "batch_size": bounded("batch_size", "Batch size"),
        "workers": bounded("workers", "Workers"),
        "pool_size": bounded("pool_size", "Pool size"),
        "rounds": Number("Rounds", 1, _MOST_ROUNDS, automatic=True),
        "processes": Number("Processes", 1, _MOST_PROCESSES, automatic=True),
    }


def number_of(text: str, rule: Number) -> int:
    """The number in a control; 0 for the setting or what gidbench chooses. Raises InputError."""
    typed = text.strip()
    if rule.automatic and typed.lower() in ("", "0", "auto", AUTOMATIC):
        return 0
    if not typed and rule.usual:
        return 0
    try:
        value = parse_count(typed)
    except InputError:
        example = f", or {AUTOMATIC}" if rule.automatic else ""
        raise InputError(
            f"{rule.name}: {typed[:40]!r} is not a whole number", f"Write it like 50000, 50k or 1e6{example}"
        ) from None
    if not rule.low <= value <= rule.high:
        raise InputError(
            f"{rule.name}: {format_count(value)} cannot be used",
            f"Use {format_count(rule.low)} to {format_count(rule.high)}"
            + (f", or {AUTOMATIC}" if rule.automatic else ""),
        )
    return 0 if value == rule.usual else value


def problems(entered: Entered, rules: Mapping[str, Number], *, of_the_url: str = "") -> dict[str, str]:
    """A sentence with the remedy for each control whose content cannot be used, by field of `Entered`."""
    found: dict[str, str] = {}
    for name, rule in rules.items():
        if name == "pool_size" and not is_server(entered.database):
            continue
        try:
            number_of(getattr(entered, name), rule)
        except InputError as error:
            found[name] = str(error)
    if not entered.cases:
        found["cases"] = "Nothing is chosen. Tick at least one."
    if of_the_url:
        found["database"] = of_the_url
    return found


def request_of(entered: Entered, rules: Mapping[str, Number]) -> Request:
    """The request of valid controls. Raises InputError where one of them is not."""
    given = {
        name: number_of(getattr(entered, name), rule)
        for name, rule in rules.items()
        if name != "pool_size" or is_server(entered.database)
    }
    cases = tuple(name for name in SOURCES[entered.operation] if name in entered.cases)
    return Request(
        operations=(entered.operation,),
        cases=() if cases == usual(entered.operation, peers=entered.peers) else cases,
        seed=entered.seed,
        strategy=entered.strategy if is_server(entered.database) and entered.strategy != "auto" else "",
        peers=entered.peers,
        database=entered.database,
        **given,
    )


def is_server(database: str) -> bool:
    """Whether a URL names a SQL Server; False where it cannot be understood."""
    from gidbench.stores.opening import parse_url

    try:
        return bool(database) and parse_url(database).get_backend_name() == "mssql"
    except GidbenchError:
        return False


def power_of(records: str) -> float | None:
    """Where the logarithmic slider stands for what was typed; None where that is no number of records."""
    import math

    try:
        value = parse_count(records)
    except InputError:
        return None
    return min(max(math.log10(value), SLIDER[0]), SLIDER[1]) if value >= 1 else None


def records_at(value: float) -> str:
    """What the slider says, to two digits: nobody measures 1,023,293 records."""
    digits = 10 ** max(0, len(str(round(value))) - 2)
    return format_count(round(value / digits) * digits)
