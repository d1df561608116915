"""What all tests share: compiled kernels, a clean environment, a database of one's own."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

import gidbench

sys.path.insert(0, str(Path(__file__).parent))

import live

from gidbench.settings import usable_cores

settings.register_profile(
    "default",
    deadline=None,  # the machine may be slow; how fast things are is not a test's business
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
settings.load_profile("default")

_SETTINGS = (
    "DATABASE_URL",
    "ULTRA_BATCH_SIZE",
    "ULTRA_PARALLEL_WORKERS",
    "ULTRA_CONNECTION_POOL_SIZE",
    "GIDBENCH_PROGRESS_FILE",
)


def _drop_stale_kernels() -> None:
    """numba's cache follows a kernel's own file, not those of the helpers it calls; so do it here."""
    folder = Path(gidbench.__file__).parent / "kernels"
    newest = max(path.stat().st_mtime for path in folder.glob("*.py"))
    for cached in (folder / "__pycache__").glob("*.nb[ic]"):
        if cached.stat().st_mtime < newest:
            cached.unlink(missing_ok=True)


def pytest_configure(config: pytest.Config) -> None:
    # processes that tests start must import the very package that the tests import
    package = str(Path(gidbench.__file__).resolve().parents[1])
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [package, os.environ.get("PYTHONPATH")]))
    if not hasattr(config, "workerinput"):  # once, before the workers of a parallel run start
        _drop_stale_kernels()
        if config.option.numprocesses:  # else every one of them would compile all kernels at the same time
            _compile()


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """One more than there are cores: tests wait for disks, servers and processes, too."""
    return usable_cores() + 1


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with slow tests first, so that no worker is left alone with one in the end."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


def _compile() -> None:
    if os.environ.get("NUMBA_DISABLE_JIT") != "1":
        from gidbench.kernels.warmup import compile_all

        compile_all()


@pytest.fixture(scope="session", autouse=True)
def kernels() -> None:
    """Every kernel compiled, so that no test's time depends on which one runs first."""
    _compile()


@pytest.fixture(autouse=True)
def clean_surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No setting of the developer's, and an empty working directory."""
    for name in _SETTINGS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def database(tmp_path: Path) -> str:
    """URL of a DuckDB database that does not exist yet."""
    return f"duckdb:///{tmp_path / 'people.duckdb'}"


@pytest.fixture(scope="session")
def sql_server_database() -> Iterator[str]:
    """URL of a database on a live SQL Server that is this process's own."""
    if not live.LIVE:
        pytest.skip(live.WHY_NOT)
    url = live.create_database()
    yield url
    live.drop_database(url)


@pytest.fixture
def sql_server(sql_server_database: str) -> Iterator[str]:
    """URL of a database on a live SQL Server that has no tables."""
    yield sql_server_database
    live.drop_tables(sql_server_database)
