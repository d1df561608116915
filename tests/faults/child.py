"""Operations in a process of their own, that tests break: it tells how they ended, unless it is killed.

The processes are forked by a server that has imported everything and opened nothing, so that each starts at once.
"""

from __future__ import annotations

import faulthandler
import multiprocessing
import os
import signal
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

import gidbench
from gidbench.errors import GidbenchError
from gidbench.generation.plan import employees
from gidbench.stores.opening import open_store

BATCH_ROWS = 500  # small, so that a few thousand rows are many batches


@dataclass(frozen=True)
class Ending:
    """How an operation ended: `done`; `refused`, by an error of ours; `wrong`, by any other; `killed`; `hung`."""

    kind: str
    text: str = ""
    exit_code: int = 0
    trace: str = ""


def append(url: str, table: str, rows: int) -> None:
    """By the store itself, as many batches; nothing where all of it is there."""
    plan = employees(3)
    with open_store(url) as store:
        if not store.count(table):
            store.append(table, (plan.batch(first, BATCH_ROWS) for first in range(0, rows, BATCH_ROWS)))


OPERATIONS: dict[str, Callable[..., object]] = {
    "generate": gidbench.generate,
    "process": gidbench.process,
    "sync": gidbench.sync,
    "append": append,
}


def _main(tell: Connection, operation: str, arguments: dict[str, Any]) -> None:
    faulthandler.register(signal.SIGUSR1, all_threads=True, file=open(arguments.pop("dump"), "w"))  # noqa: SIM115, PTH123
    sys.stderr = open(os.devnull, "w")  # noqa: SIM115, PTH123  (warnings of attempts that failed, as they should)
    try:
        OPERATIONS[operation](**arguments)
    except GidbenchError as error:
        tell.send(Ending("refused", str(error), error.exit_code, traceback.format_exc()))
    except BaseException as error:
        tell.send(Ending("wrong", f"{type(error).__name__}: {error}", -1, traceback.format_exc()))
    else:
        tell.send(Ending("done"))


_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(["warm_child"])


class Child:
    """One operation under way."""

    def __init__(self, operation: str, dump: str, **arguments: Any) -> None:
        self._hear, tell = _context.Pipe(duplex=False)
        self.dump = dump
        self._process = _context.Process(
            target=_main, args=(tell, operation, {**arguments, "dump": dump}), daemon=True
        )
        self._process.start()
        tell.close()

    def kill(self) -> None:
        """SIGKILL."""
        self._process.kill()

    def ending(self, timeout_s: float) -> Ending:
        """Wait until it has ended; one that has not by then is killed, and what it was at told."""
        found = None
        if self._hear.poll(timeout_s):
            try:
                found = self._hear.recv()
            except EOFError:
                found = Ending("killed")
        if found is not None:
            self._process.join(10)
            if self._process.is_alive():
                found = Ending("hung", f"after it had ended with {found}", trace=self._stacks())
        else:
            found = Ending("hung", f"not ended after {timeout_s:g} s", trace=self._stacks())
        self._process.kill()
        self._process.join()
        self._hear.close()
        if found.kind == "killed" and self._process.exitcode != -signal.SIGKILL:
            return Ending("wrong", f"the process ended with {self._process.exitcode}")
        return found

    def _stacks(self) -> str:
        assert self._process.pid is not None
        os.kill(self._process.pid, signal.SIGUSR1)
        self._process.join(1)
        with open(self.dump) as file:  # noqa: PTH123
            return file.read()
