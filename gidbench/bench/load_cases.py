"""Every way of loading a SQL Server as a case of a run, beside what the store does by itself."""

from __future__ import annotations

import contextlib

from gidbench.bench.case import Case, TimedCall, Verified
from gidbench.bench.ground import Bench, PeerOutcome
from gidbench.bench.load_bars import Way, ways_of
from gidbench.bench.server_subject import HEAP, NAMES, Subject
from gidbench.digest import digest_of
from gidbench.engine import Cancellation
from gidbench.errors import StoreError
from gidbench.outcome import Outcome
from gidbench.records import EMPLOYEE
from gidbench.settings import load_settings
from gidbench.stores.naming import quoted
from gidbench.stores.opening import parse_url
from gidbench.stores.sqlserver.data import LoadOptions
from gidbench.stores.sqlserver.opening import open_sql_server
from gidbench.stores.sqlserver.reading import read_rows

_AGAINST = "database"


def load_cases(bench: Bench) -> tuple[list[Case], list[tuple[str, str, str, str, str]]]:
    """A case for each way that can be gone here; of the others variant, title, reason, name and against."""
    with contextlib.ExitStack() as stack:
        ways, left_out = ways_of(_subject(bench, 0, stack), peers=True)
        cases = [_case(bench, way) for way in ways]
    skipped = []
    for title, why in left_out.items():
        name = f"load {title.partition(':')[0]}"
        skipped.append((f"peer {name}", title, why, name, _AGAINST))
    return cases, skipped


def _subject(bench: Bench, count: int, stack: contextlib.ExitStack) -> Subject:
    """The database under the benchmark's names, open until the stack is closed."""
    connections = min(bench.workers, load_settings().pool_size)
    store = open_sql_server(parse_url(bench.database), names=NAMES, options=LoadOptions(workers=connections))
    stack.callback(store.close)
    return Subject(store, list(bench.people(count)) if count else [], count, connections, stack)


def _case(bench: Bench, found: Way) -> Case:
    """Opens its connections before each round, and closes them after it has read back what was loaded."""
    count = found.records(bench.records)
    held = contextlib.ExitStack()
    subjects: list[Subject] = []

    def prepare(_: Cancellation) -> TimedCall:
        close()  # what a round that failed has left
        subjects.append(_subject(bench, count, held))
        [way] = [each for each in ways_of(subjects[0], peers=True)[0] if each.name == found.name]
        given = way.given(subjects[0].people)
        way.begin()
        return lambda: PeerOutcome("generate", count, 0.0, made=way.load(given))

    def verify(_: Outcome) -> Verified:
        [subject] = subjects
        size = sum(batch.nbytes for batch in subject.people)
        with subject.store.apart() as connection:
            columns = ", ".join(quoted(name) for name in EMPLOYEE.names)
            value = digest_of(read_rows(connection, f"SELECT {columns} FROM {HEAP}", (), EMPLOYEE))
        close()
        return Verified(value, count * len(EMPLOYEE), size, {"destination": "a heap of the database"})

    def close() -> None:
        for subject in subjects:
            with contextlib.suppress(StoreError):
                subject.run(f"DROP TABLE IF EXISTS {HEAP}")
        held.close()
        subjects.clear()

    name = f"load {found.name}"
    few = "" if count == bench.records else f" (slow, so {count:,} records only)"
    family = "employees" if count == bench.records else f"employees, {count} of them"
    title = f"{found.title}, rows made before{few}"
    return Case("generate", f"peer {name}", title, False, count, family, prepare, verify, name, _AGAINST)
