"""The parent's side of a replicate in a process of its own: start it, tell it whose turn it is, stop it."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import IO, Any

from gidbench import errors
from gidbench.bench.case import Verified
from gidbench.bench.monitor_board import Board
from gidbench.bench.replicate import Job
from gidbench.bench.results import Round
from gidbench.bench.runner import Described, ReplicateDied, Turn
from gidbench.bench.watching import Watch
from gidbench.engine import Cancellation
from gidbench.errors import GidbenchError

_POLL_S = 0.05
_GRACE_S = 0.25  # for a child that was asked to stop: with the poll, less than half a second in all
_FAREWELL_S = 10.0
_COMMAND = ("-P", "-m", "gidbench.bench.replicate")


class Child:
    """A replicate in a fresh process of this interpreter.

    Parameters
    ----------
    url:
        Of the database; it goes to the child by the environment.
    watch:
        Who looks on, if anybody does: a board of counters is shared with the child then.

    Raises
    ------
    OperationCancelled, ReplicateDied, and what went wrong in the child while it got ready.
    """

    def __init__(
        self,
        job: Job,
        url: str,
        cancellation: Cancellation,
        watch: Watch | None = None,
        variables: Mapping[str, str] | None = None,
    ) -> None:
        self._token, self._watch = cancellation, watch
        self._board = board = Board.create() if watch is not None else None
        self._job = job = replace(job, board=board.name) if board else job
        self._process = subprocess.Popen(
            [sys.executable, *_COMMAND],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=_environment({"DATABASE_URL": url, **(variables or {})}),
            # an interrupt from the keyboard is for the parent, which stops its children in order
            start_new_session=os.name == "posix",
            pass_fds=board.passed_on if board else (),
            creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
        )
        self._answers: queue.Queue[dict[str, Any] | None] = queue.Queue()
        self._listener = threading.Thread(target=self._listen, name="gidbench-answers", daemon=True)
        self._listener.start()
        if watch is not None and board is not None:
            watch.follow(self.pid, board)
        try:
            self._say(asdict(job))
            ready = self._answer()
        except BaseException:
            self.kill()
            raise
        self.cases = [Described(**case) for case in ready["cases"]]
        self.warmup_s: dict[str, float] = ready["warmup_s"]
        self.kernels_compiled: int = ready["kernels_compiled"]

    @property
    def pid(self) -> int:
        return self._process.pid

    def turn(self, place: int, index: int) -> Turn:
        """One turn in the child."""
        self._say({"place": place, "index": index})
        answer = self._answer()
        verified = answer["verified"]
        return Turn(
            Round(**answer["round"]),
            answer["spent_s"],
            Verified(**verified) if verified else None,
            answer["busy_s"],
            answer["timeline"],
        )

    def close(self) -> None:
        """Let it end by itself, which it does at once, or make it."""
        self._say({"end": True})
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_FAREWELL_S)
        self.kill()

    def stop(self) -> None:
        """Ask it to give up, and end it where it does not soon."""
        self._say({"stop": True})
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_GRACE_S)
        self.kill()

    def kill(self) -> None:
        """End it whatever it does."""
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        self._listener.join()
        if self._watch is not None and self._board is not None:
            self._watch.leave(self._board)
            self._board.close()
            self._board = None
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe:
                with contextlib.suppress(OSError):
                    pipe.close()

    def _say(self, message: dict[str, Any]) -> None:
        pipe = self._process.stdin
        with contextlib.suppress(OSError, ValueError):  # it died: its answer will be the end of its output
            if pipe:
                pipe.write(json.dumps(message).encode() + b"\n")
                pipe.flush()

    def _listen(self) -> None:
        output: IO[bytes] | None = self._process.stdout
        with contextlib.suppress(OSError, ValueError):
            for line in output or ():
                self._answers.put(json.loads(line))
        self._answers.put(None)

    def _answer(self) -> dict[str, Any]:
        """What it says next."""
        while True:
            self._token.check()
            try:
                answer = self._answers.get(timeout=_POLL_S)
            except queue.Empty:
                continue
            if answer is None:
                raise self._death()
            if answer["kind"] == "error":
                raise _revived(answer)
            return answer

    def _death(self) -> ReplicateDied:
        code = self._process.wait()
        how = f"signal {-code}" if code < 0 else f"exit code {code}"
        return ReplicateDied(
            f"the process that measures {self._job.operation} died ({how})",
            "Too little memory is the likely cause; use fewer records",
        )


def children(
    job: Callable[[int], Job],
    url: str,
    cancellation: Cancellation,
    watch: Watch | None = None,
    variables: Mapping[str, str] | None = None,
) -> Callable[[int], contextlib.AbstractContextManager[Child]]:
    """What starts such replicates, for `schedule.run_replicates`; none is left when its block ends."""

    @contextlib.contextmanager
    def start(process: int) -> Iterator[Child]:
        child = Child(job(process), url, cancellation, watch, variables)
        try:
            yield child
        except BaseException:
            child.stop()
            raise
        child.close()

    return start


def _environment(variables: Mapping[str, str]) -> dict[str, str]:
    """This process's, with the very package that it has imported."""
    package = str(Path(__file__).resolve().parents[2])
    paths = [package, *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, **variables, "PYTHONPATH": os.pathsep.join(paths)}


def _revived(answer: dict[str, Any]) -> GidbenchError:
    """The error of the child as the class that it was raised as."""
    kind = getattr(errors, answer["name"] or "GidbenchError", GidbenchError)
    revived: GidbenchError = kind(answer["problem"], answer["remedy"])
    return revived
