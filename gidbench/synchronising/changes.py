"""Which rows an incremental synchronisation must read, so that it ends as a full one would."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from gidbench.records import SCHEMAS
from gidbench.stores.base import SOURCE_COLUMNS, TARGET_COLUMNS, AuditEntry, ChangeMark, Store
from gidbench.synchronising.job import Job

MOST_LOSERS = 1000  # that a line of the log holds; who changes one of more gets a full run
MARKED = "marked"  # outcome of the line of the audit log that holds a mark


@dataclass(frozen=True)
class LastTime:
    """Where the last synchronisation of this source into this target left off."""

    mark: ChangeMark
    people: int
    losers: list[int]  # ids of rows that did not count


def last_time(target: Store, job: Job) -> LastTime | None:
    """None where there was none, where it did not end, or where another source came in since."""
    if not target.has_table("audit_log"):
        return None
    for entry in reversed(target.entries("sync")):
        own = all(entry.parameters.get(name) == value for name, value in job.parameters.items())
        if entry.outcome == "done" and not own:
            return None
        if entry.outcome == MARKED and own:
            known = entry.parameters
            return LastTime(ChangeMark(**known["mark"]), int(known["people"]), known["losers"])
    return None


def leave_mark(target: Store, job: Job, mark: ChangeMark, losers: list[int]) -> None:
    """Say how far this run has come; only once the source has its G_IDs, too."""
    last = LastTime(mark, target.count("global_id"), losers[:MOST_LOSERS])
    parameters = {**job.parameters, **asdict(last)}
    target.record(AuditEntry("sync", job.moment, MARKED, {}, parameters))


class Changes:
    """The people whom changes of the source may concern, and all of the source's rows about them.

    What becomes of a person follows from the source's rows of their no_ktp. That changes where a row of it was
    changed, came, or went to another no_ktp; a row that went still carries the G_ID of the person it was about,
    since only a sync writes that column. So the rows to read are those of all these people, changed or not.
    """

    is_whole = False

    def __init__(
        self,
        people: pa.Table,
        employees: Iterable[pa.RecordBatch],
        nobodies: pa.Table,
        losers: Sequence[int],
    ) -> None:
        self._people, self._employees, self._nobodies, self.losers = people, employees, nobodies, losers

    def people(self) -> Iterator[pa.RecordBatch]:
        yield from self._people.to_batches()

    def employees(self) -> Iterator[pa.RecordBatch]:
        yield from self._employees
        yield from self._nobodies.to_batches()


def find_changes(source: Store, target: Store, last: LastTime, now: ChangeMark) -> Changes | None:
    """The changes since the last time; None where only a full comparison is sure to be right.

    So it is where rows were removed or came in with an old moment (their number says so), where people of the
    target did, or where a changed row that is neither new nor was without effect carries nobody's G_ID, so that
    whom it was about before cannot be told.
    """
    changed = source.changed(last.mark, SOURCE_COLUMNS)
    if changed is None or now.column != last.mark.column or target.count("global_id") != last.people:
        return None
    schema = pa.schema([(name, kind) for name, kind in _kinds(SOURCE_COLUMNS, "employee")])
    rows = _table(changed, schema)
    ids = rows.column("id")
    came = pc.and_(pc.greater(ids, last.mark.last_id), pc.less_equal(ids, now.last_id))
    if last.mark.rows + (pc.sum(came).as_py() or 0) != now.rows:
        return None
    keys, carried = _distinct(rows.column("no_ktp")), _distinct(rows.column("g_id"))
    people = _matching(target, "global_id", TARGET_COLUMNS, "no_ktp", keys)
    others = carried.filter(pc.invert(pc.is_in(carried, value_set=_distinct(people.column("g_id")))))
    people = pa.concat_tables([people, _matching(target, "global_id", TARGET_COLUMNS, "g_id", others)])
    told = pc.is_in(rows.column("g_id"), value_set=_distinct(people.column("g_id")))
    harmless = pc.or_(told, pc.is_in(ids, value_set=pa.array(last.losers, pa.int64())))
    if pc.any(pc.and_not(pc.less_equal(ids, last.mark.last_id), harmless)).as_py():
        return None
    concerned = _distinct(pa.chunked_array([*people.column("no_ktp").chunks, keys], pa.string()))
    employees = source.matching("employee", SOURCE_COLUMNS, "no_ktp", concerned) if len(concerned) else ()
    return Changes(people, employees, rows.filter(rows.column("no_ktp").is_null()), last.losers)


def _matching(
    store: Store, table: str, columns: tuple[str, ...], column: str, values: pa.StringArray
) -> pa.Table:
    schema = pa.schema(_kinds(columns, table))
    return _table(store.matching(table, columns, column, values) if len(values) else (), schema)


def _table(batches: Iterable[pa.RecordBatch], schema: pa.Schema) -> pa.Table:
    return pa.Table.from_batches([batch.cast(schema) for batch in batches], schema)


def _kinds(columns: tuple[str, ...], table: str) -> list[tuple[str, Any]]:
    """Columns of a table with their types; any may be null in somebody's own table."""
    return [(name, SCHEMAS[table].field(name).type) for name in columns]


def _distinct(texts: pa.ChunkedArray) -> pa.StringArray:
    """Every text once, without null."""
    found = texts.unique().drop_null()
    return found.combine_chunks() if isinstance(found, pa.ChunkedArray) else found
