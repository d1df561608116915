"""One trial of an operation under some settings: prepared, timed, and its result held against what it must be."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from gidbench.bench.databases import begin_afresh, restore
from gidbench.bench.ground import people
from gidbench.bench.tuning_space import Point
from gidbench.digest import digest_of
from gidbench.engine import Cancellation
from gidbench.errors import InputError, VerificationError
from gidbench.operations import generate, process, sync
from gidbench.processing import TABLE as FILE_TABLE
from gidbench.records import EMPLOYEE, PERSON_FIELDS
from gidbench.settings import assuming
from gidbench.stores.opening import open_store

OPERATIONS = ("generate", "process", "sync")

Prepared = tuple[
    Callable[[], Any], Callable[[Any, bool], None]
]  # the timed call, and the proof of its outcome


@dataclass
class Trials:
    """Trials of one operation.

    Attributes
    ----------
    database:
        URL, whose tables are empty and are left empty; empty: rows are made in memory.
    first_ordinal:
        Where its sequence of G_IDs stands, and stands again before each trial.
    """

    operation: str
    folder: Path
    database: str
    first_ordinal: int
    seed: int = 7
    _digests: dict[tuple[int, tuple[str, ...]], str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.operation not in OPERATIONS:
            raise InputError(
                f"there is no operation {self.operation!r}", f"Use one of {', '.join(OPERATIONS)}"
            )

    def run(self, point: Point, records: int, proof: bool, token: Cancellation) -> float:
        """Seconds of the operation alone. Its counts are verified; with `proof` each value of each row, too.

        Raises VerificationError where anything is missing or different, and what the operation raises.
        """
        with assuming(
            batch_size=point.batch_size,
            workers=point.workers,
            pool_size=point.pool_size,
            write_strategy=point.strategy,
        ):
            prepare = {"generate": self._generate, "process": self._process, "sync": self._sync}[
                self.operation
            ]
            call, verify = prepare(point, records, token)
            token.check()
            gc.collect()
            started = time.perf_counter()
            outcome = call()
            spent = time.perf_counter() - started
            verify(outcome, proof)
        return spent

    def empty(self) -> None:
        """Leave the tables as they were found: empty, with no G_ID handed out."""
        if self.database:
            restore(self.database, self.first_ordinal)

    def _generate(self, point: Point, records: int, token: Cancellation) -> Prepared:  # noqa: ARG002
        make = partial(generate, records, seed=self.seed, cancellation=token)
        if not self.database:

            def verify_rows(outcome: Any, proof: bool) -> None:
                _require("rows", sum(batch.num_rows for batch in outcome.batches), records)
                if proof:
                    _require("digest", digest_of(outcome.batches), self._digest(records, EMPLOYEE.names))

            return make, verify_rows
        self._begin_afresh("employee")

        def verify(outcome: Any, proof: bool) -> None:
            _require("records", outcome.records, records)
            self._verify_table("employee", records, EMPLOYEE.names, proof)

        return partial(make, into=self.database, replace=True), verify

    def _process(self, point: Point, records: int, token: Cancellation) -> Prepared:  # noqa: ARG002
        path = self.folder / f"people-{records}.csv"
        if not path.exists():
            generate(records, seed=self.seed, out=path, cancellation=token)
        self._begin_afresh(FILE_TABLE)

        def verify(outcome: Any, proof: bool) -> None:
            _require("accepted", (outcome.accepted, outcome.records), (records, records))
            self._verify_table(FILE_TABLE, records, PERSON_FIELDS, proof)

        return partial(process, path, self.database, cancellation=token), verify

    def _sync(self, point: Point, records: int, token: Cancellation) -> Prepared:
        self._begin_afresh("employee", "global_id")
        with assuming(write_strategy="auto"):  # a slow strategy is to be tried by what is timed alone
            generate(records, seed=self.seed, into=self.database, replace=True, cancellation=token)

        def verify(outcome: Any, proof: bool) -> None:
            _require("inserted", (outcome.inserted, outcome.written_back), (records, records))
            self._verify_table("global_id", records, PERSON_FIELDS, proof)

        return partial(sync, self.database, mode=point.mode, cancellation=token), verify

    def _verify_table(self, table: str, records: int, columns: Sequence[str], proof: bool) -> None:
        with open_store(self.database) as store:
            _require(f"rows of {table}", store.count(table), records)
            if proof:
                found = digest_of(store.read(table, list(columns)))
                _require(f"digest of {table}", found, self._digest(records, columns))

    def _digest(self, records: int, columns: Sequence[str]) -> str:
        """Of the people as they are made, by another way than those that are timed."""
        known = (records, tuple(columns))
        if known not in self._digests:
            self._digests[known] = digest_of(
                batch.select(list(columns)) for batch in people(self.seed, records)
            )
        return self._digests[known]

    def _begin_afresh(self, *tables: str) -> None:
        begin_afresh(self.database, self.first_ordinal, *tables)


def _require(what: str, found: Any, expected: Any) -> None:
    if found != expected:
        raise VerificationError(
            f"a trial gave {what} {found}, and not {expected}",
            "Report this as a fault; its time says nothing",
        )
