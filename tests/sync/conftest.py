"""Each test of synchronisation runs between several kinds of databases."""

from __future__ import annotations

from collections.abc import Iterator

import live
import places
import pytest

PAIRS = {
    "duckdb": ("duckdb", "duckdb"),
    "sql server": ("sql server", "sql server"),
    "duckdb to sql server": ("duckdb", "sql server"),
    "sql server to duckdb": ("sql server", "duckdb"),
}


@pytest.fixture(autouse=True, params=list(PAIRS) if live.LIVE else ["duckdb"])
def pair(request: pytest.FixtureRequest) -> Iterator[str]:
    """Kinds of the source and of the target."""
    source, target = PAIRS[request.param]
    places.KINDS.update(source=source, target=target)
    yield request.param
    places.KINDS.clear()


@pytest.fixture(scope="session", autouse=True)
def servers() -> Iterator[None]:
    yield
    places.drop_servers()
