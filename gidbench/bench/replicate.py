"""A replicate in a process of its own: `python -P -m gidbench.bench.replicate`, started by `child.Child`.

Lines of JSON come on standard input: first the job, then `{"place": 0, "index": 1}` for each turn, at last
`{"end": true}`; `{"stop": true}` asks it to give up. Lines of JSON go out: `ready`, one `turn` for each, or `error`.
The database's URL comes by the environment variable DATABASE_URL, so that nobody who lists processes sees it.

Where the input ends without an `end`, the one who started it is no more: it stops, cleans up in its place, and exits.
"""

from __future__ import annotations

import contextlib
import gc
import json
import logging
import os
import queue
import shutil
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gidbench.bench.case import Case
    from gidbench.bench.ground import Bench
    from gidbench.engine import Cancellation, ProgressCallback

_PATIENCE_S = 30.0  # to stop and to empty the tables of somebody's database when the parent is gone
_GONE = 3


@dataclass(frozen=True)
class Job:
    """What a replicate measures.

    Attributes
    ----------
    folder:
        Scratch folder of the run, shared by its processes one after the other.
    database_file:
        Of a database made for the run; None: it is the caller's.
    cases:
        The variants of ours that take part; empty: all.
    source:
        A file of the user's own in the place of the cases of processing; empty: none.
    board:
        Name of the board that it writes on for those who look on; empty: nobody does.
    """

    operation: str
    process: int
    folder: str
    database_file: str | None
    first_ordinal: int
    records: int
    seed: int
    batch_size: int
    workers: int
    peers: bool = False
    cases: tuple[str, ...] = ()
    source: str = ""
    board: str = ""

    def bench(self, url: str, progress: ProgressCallback | None = None) -> Bench:
        """What its cases share, on a database."""
        from gidbench.bench.ground import Bench

        return Bench(
            Path(self.folder),
            url,
            self.first_ordinal,
            self.records,
            self.seed,
            self.batch_size,
            self.workers,
            self.peers,
            tuple(self.cases),
            self.source,
            progress,
        )


class _Orders:
    """What the parent says, read on a thread of its own so that a stop is heard during a turn."""

    def __init__(self) -> None:
        self.lines: queue.Queue[dict[str, Any] | None] = queue.Queue()
        self.job: Job | None = None
        self.cancel: Callable[[], None] = lambda: None
        self.orphaned = False
        threading.Thread(target=self._read, name="gidbench-orders", daemon=True).start()

    def _read(self) -> None:
        # unbuffered: a thread that waits inside a buffered reader keeps the interpreter from ending
        with open(0, "rb", buffering=0, closefd=False) as source:
            for line in source:
                order = json.loads(line)
                if "operation" in order:
                    self.job = Job(**order)
                if "stop" in order:
                    self.cancel()
                self.lines.put(None if "end" in order or "stop" in order else order)
                if "end" in order:
                    return
        self._be_orphaned()

    def _be_orphaned(self) -> None:
        self.orphaned = True
        job = self.job
        if job is None:
            os._exit(_GONE)
        # Who works stops at the next look, and cleans up: before that, it would make anew what is removed here.
        self.cancel()
        self.lines.put(None)
        time.sleep(_PATIENCE_S)
        if job.database_file is not None:
            clean_up(job, "")
        shutil.rmtree(job.folder, ignore_errors=True)
        os._exit(_GONE)


def clean_up(job: Job, url: str) -> None:
    """Remove the files of the run; leave a caller's database as it was found."""
    from gidbench.bench.databases import remove_database, restore

    with contextlib.suppress(Exception):  # there is nobody left to be told
        if job.database_file is not None:
            remove_database(Path(job.database_file))
        else:
            restore(url, job.first_ordinal)
    shutil.rmtree(job.folder, ignore_errors=True)


def _get_ready(job: Job, url: str, progress: ProgressCallback | None) -> tuple[list[Case], dict[str, Any]]:
    """The cases, and what is said of them and of the warm-up."""
    started = time.perf_counter()
    from gidbench.bench.runner import described
    from gidbench.bench.suite import cases_for
    from gidbench.kernels.warmup import compile_all

    imported = time.perf_counter() - started
    warmup = compile_all()
    cases = cases_for(job.operation, job.bench(url, progress))
    return cases, {
        "kind": "ready",
        "cases": [asdict(described(case)) for case in cases],
        "warmup_s": {"imports": imported, "kernels": warmup.wall_s},
        "kernels_compiled": warmup.compiled,
    }


def _work(orders: _Orders, url: str, tell: Callable[[dict[str, Any]], None]) -> None:
    """Do what is ordered; put things in order where nobody is left who would: wherever that is noticed first."""
    try:
        _turns(orders, url, tell)
    except BrokenPipeError:  # heard before the end of the orders
        orders.orphaned = True
    if orders.job is not None and orders.orphaned:
        clean_up(orders.job, url)


def _turns(orders: _Orders, url: str, tell: Callable[[dict[str, Any]], None]) -> None:
    from gidbench.bench.monitor_board import Board
    from gidbench.bench.runner import take_turn
    from gidbench.engine import Cancellation
    from gidbench.errors import GidbenchError, OperationCancelled

    first = orders.lines.get()
    job = orders.job
    if first is None or job is None:
        return
    token: Cancellation = Cancellation()
    orders.cancel = token.cancel
    board = Board.attach(job.board) if job.board else None
    marking: dict[str, Any] = {"mark": board.stage} if board else {}
    try:
        cases, ready = _get_ready(job, url, board.progress if board else None)
        if board is not None and url.startswith("mssql"):
            from gidbench.stores.sqlserver.connections import lent_and_allowed

            board.follow_pool(lent_and_allowed)
        gc.collect()
        gc.freeze()  # what is loaded by now stays; each turn collects what the one before left, and is quick about it
        tell(ready)
        while (order := orders.lines.get()) is not None:
            token.check()
            turn = take_turn(cases[order["place"]], order["index"], job.process, token, **marking)
            tell({"kind": "turn", **asdict(turn)})
    except OperationCancelled:
        pass
    except BrokenPipeError:
        raise
    except GidbenchError as error:
        tell(
            {
                "kind": "error",
                "name": type(error).__name__,
                "problem": error.problem,
                "remedy": error.remedy,
            }
        )
    except Exception as error:  # its text may hold data
        problem = f"{type(error).__name__} while getting ready to measure {job.operation}"
        tell({"kind": "error", "name": "", "problem": problem, "remedy": "Report this as a fault"})


def main() -> None:
    """Do what comes on standard input until it says that this is the end."""
    answers = os.dup(1)
    os.dup2(2, 1)  # what a library prints must not come between the answers
    # what fails is told by its round, and what is stopped is not worth a line in somebody's terminal
    logging.getLogger("gidbench").addHandler(logging.NullHandler())

    def tell(message: dict[str, Any]) -> None:
        left = (json.dumps(message) + "\n").encode()
        while left:
            left = left[os.write(answers, left) :]

    _work(_Orders(), os.environ.get("DATABASE_URL", ""), tell)


if __name__ == "__main__":
    main()
    sys.stdout.flush()
    os._exit(0)  # threads of libraries may still run; there is nothing left that would have to be put away
