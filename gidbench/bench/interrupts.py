"""Interrupts that are meant for the whole, while something runs that catches whatever a library raises.

The handler of a signal raises KeyboardInterrupt in the midst of what runs, and some libraries make an error of their
own of it: DuckDB, which looks for signals while it runs a statement, a RuntimeError "Query interrupted".
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def remembered() -> Iterator[Callable[[], None]]:
    """What raises KeyboardInterrupt once a signal has come inside the block, whatever was made of it since.

    Signals are handled as before, and are noted besides; those that end the process at once are left alone. Other
    threads than the main one are not interrupted anyway.
    """
    noted = threading.Event()

    def check() -> None:
        if noted.is_set():
            raise KeyboardInterrupt

    def noting(before: Callable[[int, FrameType | None], Any]) -> Callable[[int, FrameType | None], None]:
        def handle(number: int, frame: FrameType | None) -> None:
            noted.set()
            before(number, frame)

        return handle

    kept: dict[signal.Signals, Any] = {}
    if threading.current_thread() is threading.main_thread():
        for each in _SIGNALS:
            before = signal.getsignal(each)
            if callable(before):
                kept[each] = before
                signal.signal(each, noting(before))
    try:
        yield check
    finally:
        for each, before in kept.items():
            signal.signal(each, before)
