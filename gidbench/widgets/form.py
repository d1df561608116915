"""From what stands in the workbench's controls to a request, or to sentences that say what to change.

Pure, but for a look whether a file of the user's own is there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gidbench.bench.request import RECORDS, Request
from gidbench.bench.source_case import check_source
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
# What a file of the user's own may be, by extensions: a test holds them against the readers.
FILE_KINDS: Mapping[str, tuple[str, ...]] = {
    "CSV": (".csv", ".tsv", ".txt"),
    "Excel": (".xlsx", ".xlsm", ".xls", ".xlsb"),
    "OpenDocument": (".ods",),
    "Parquet": (".parquet",),
    "Arrow": (".arrow",),
}
_KINDS = tuple(FILE_KINDS)
OWN_FILE = f"A file of your own (path of a {', '.join(_KINDS[:-1])} or {_KINDS[-1]} file)"
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
    source: str = ""

    @property
    def file(self) -> str:
        """The path of the user's own file; empty where there is none, or the operation takes none."""
        return self.source.strip() if self.operation == "process" else ""

    @property
    def idle(self) -> frozenset[str]:
        """The controls whose content does not count: a file has its own records, a pool is of a server."""
        own = {"records", "cases"} if self.file else set()
        return frozenset(own if is_server(self.database) else own | {"pool_size", "strategy"})


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
        if name in entered.idle:
            continue
        try:
            number_of(getattr(entered, name), rule)
        except InputError as error:
            found[name] = str(error)
    if entered.file:
        try:
            check_source(entered.file)
        except InputError as error:
            found["source"] = str(error)
    elif not entered.cases:
        found["cases"] = "Nothing is chosen. Tick at least one."
    if of_the_url:
        found["database"] = of_the_url
    return found


def request_of(entered: Entered, rules: Mapping[str, Number]) -> Request:
    """The request of valid controls. Raises InputError where one of them is not."""
    idle = entered.idle

    def number(name: str) -> int:
        return 0 if name in idle else number_of(getattr(entered, name), rules[name])

    cases = tuple(name for name in SOURCES[entered.operation] if name in entered.cases)
    if "cases" in idle or cases == usual(entered.operation, peers=entered.peers):
        cases = ()
    if entered.file:
        check_source(entered.file)
    return Request(
        operations=(entered.operation,),
        records=number("records") or RECORDS,
        processes=number("processes"),
        rounds=number("rounds"),
        cases=cases,
        seed=entered.seed,
        batch_size=number("batch_size"),
        workers=number("workers"),
        pool_size=number("pool_size"),
        strategy="" if "strategy" in idle or entered.strategy == "auto" else entered.strategy,
        peers=entered.peers and not entered.file,
        source=entered.file,
        database=entered.database,
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
