"""Commands run in this process."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import NamedTuple

import pytest

from gidbench import cli


class Done(NamedTuple):
    code: int
    out: str
    err: str


@pytest.fixture
def gidbench(capsys: pytest.CaptureFixture[str]) -> Iterator[object]:
    """Run a command in this process; returns its exit code and what it printed."""

    def call(*words: object) -> Done:
        code = 0
        try:
            cli.main([str(word) for word in words])
        except SystemExit as stop:
            code = int(stop.code or 0)
        printed = capsys.readouterr()
        return Done(code, printed.out, printed.err)

    logger = logging.getLogger("gidbench")
    before = list(logger.handlers)
    yield call
    for handler in set(logger.handlers) - set(before):
        logger.removeHandler(handler)
        handler.close()
