"""Is this machine fit, and what has to be mended? Checks that tell what they found and the remedy."""

from __future__ import annotations

import os
import platform
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import psutil
from sqlalchemy.engine import URL

from gidbench.errors import GidbenchError
from gidbench.findings import Check
from gidbench.settings import Settings, load_settings, usable_cores
from gidbench.stores.drivers import Driver, odbc_drivers
from gidbench.stores.opening import open_store, parse_url, safe_name
from gidbench.units import format_bytes

ADVISED_FREE_BYTES = 4 << 30
PRODUCTION_MEMORY_BYTES, PRODUCTION_CORES = 8 << 30, 4
RECENT_DAYS = 30


def examine(database: str | None = None, *, production: bool = False) -> list[Check]:
    """Check Python, cores, memory, disk, numba, ODBC drivers and the database, if one is named or set.

    With `production` the checklist for production use follows.
    """
    try:
        settings = load_settings(database_url=database)
    except GidbenchError as error:
        return [Check("settings", "bad", error.problem, error.remedy)]
    url = settings.url
    drivers = odbc_drivers()
    checks = [_python(), _cores(), _memory(), _disk(), _numba(), _drivers(drivers), *_database(url, drivers)]
    if production:
        checks += _production(settings, url)
    return checks


def _python() -> Check:
    found = f"{platform.python_implementation()} {platform.python_version()} at {sys.executable}"
    if (3, 11) <= sys.version_info[:2] <= (3, 14):
        return Check("Python", "good", found)
    return Check("Python", "note", found, "gidbench is tested on Python 3.11 to 3.14")


def _cores() -> Check:
    cores = usable_cores()
    if cores >= 2:
        return Check("cores", "good", f"{cores} usable of {os.cpu_count()}")
    return Check("cores", "note", f"{cores} usable", "Two or more let reading, checking and storing overlap")


def _memory() -> Check:
    memory = psutil.virtual_memory()
    found = f"{format_bytes(memory.available)} free of {format_bytes(memory.total)}"
    if memory.available >= ADVISED_FREE_BYTES:
        return Check("memory", "good", found)
    return Check(
        "memory",
        "note",
        found,
        f"{format_bytes(ADVISED_FREE_BYTES)} free are advised: close programs, or use fewer records",
    )


def _disk() -> Check:
    here = Path.cwd()
    free = shutil.disk_usage(here).free
    found = f"{format_bytes(free)} free in the working folder"
    if not os.access(here, os.W_OK):
        return Check(
            "disk", "bad", "the working folder cannot be written", "Change to another folder, or its rights"
        )
    if free < 2 << 30:
        return Check("disk", "note", found, "A run of a million records takes up to 2 GiB for a while")
    return Check("disk", "good", found)


def _numba() -> Check:
    import numba

    from gidbench.kernels.warmup import compile_all

    try:
        warmup = compile_all()
    except Exception as error:  # whatever is broken in a compiler's installation
        return Check(
            "numba",
            "bad",
            f"{numba.__version__}: kernels do not compile ({type(error).__name__})",
            "Install numba and numpy anew: pip install --force-reinstall numba numpy",
        )
    how = "compiled just now" if warmup.compiled else "from the cache"
    return Check(
        "numba", "good", f"{numba.__version__}; {warmup.total} kernels {how} in {warmup.wall_s:.1f} s"
    )


def _drivers(drivers: list[Driver]) -> Check:
    if drivers:
        return Check(
            "ODBC drivers", "good", "; ".join(f"{driver.name} ({driver.path})" for driver in drivers)
        )
    return Check(
        "ODBC drivers",
        "note",
        "none found",
        "Only SQL Server needs one: pip install mssql-python brings Microsoft's",
    )


def _database(url: str, drivers: list[Driver]) -> list[Check]:
    if not url:
        return [Check("database", "good", "none set: the embedded DuckDB is used")]
    try:
        parsed = parse_url(url)
    except GidbenchError as error:
        return [Check("database", "bad", error.problem, error.remedy)]
    try:
        if parsed.get_backend_name() == "duckdb":
            return _duckdb(url, parsed)
        return _sql_server(parsed, drivers)
    except GidbenchError as error:
        return [Check("database", "bad", error.problem, error.remedy)]


def _duckdb(url: str, parsed: URL) -> list[Check]:
    path = Path(parsed.database) if parsed.database and parsed.database != ":memory:" else None
    if path and not path.exists():
        if path.resolve().parent.is_dir() and os.access(path.resolve().parent, os.W_OK):
            return [Check("database", "good", f"{safe_name(url)} will be created")]
        return [
            Check(
                "database",
                "bad",
                f"the folder of {path} cannot be written",
                "Create it, or change its rights",
            )
        ]
    with open_store(url) as store:
        version = store.version
    checks = [Check("database", "good", f"{safe_name(url)} opens: {version}")]
    if path and not os.access(path, os.W_OK):
        checks.append(Check("permissions", "bad", f"{path} cannot be written", "Change its rights"))
    else:
        checks.append(Check("permissions", "good", "tables can be created and written"))
    return checks


def _sql_server(parsed: URL, drivers: list[Driver]) -> list[Check]:
    from gidbench.stores.sqlserver.examining import examine_server  # its drivers take 0.2 s to load

    found = examine_server(parsed, drivers)
    checks = [
        Check("database", "good", f"{found.address.name}: {found.server.version}"),
        Check("driver", "good", f"{found.driver}: {found.driver_reason}"),
    ]
    if found.no_arrow:
        remedy = "Other ways of reading and writing are used, at a fraction of the speed"
        checks.append(Check("Arrow and bulk copy", "note", f"not available: {found.no_arrow}", remedy))
    else:
        checks.append(Check("Arrow and bulk copy", "good", "available, by mssql-python"))
    if found.refused:
        told = ", ".join(found.refused)
        checks.append(Check("session", "note", f"the server does not take {told}", "Look at its version"))
    best = Check("write strategy", "good", f"{found.strategy}: {found.strategy_reason}")
    if not found.is_fastest:
        best = replace(best, state="note", remedy="Mend what keeps bulkcopy_arrow from being used")
    checks.append(best)
    permissions = found.server.permissions
    lacking = [name for name, granted in permissions.items() if not granted]
    if lacking:
        remedy = f"Ask the owner to GRANT {', '.join(lacking)} on the database"
        checks.append(Check("permissions", "bad", f"lacking {', '.join(lacking)}", remedy))
    else:
        checks.append(Check("permissions", "good", ", ".join(permissions)))
    hidden = found.server.hides_state
    if hidden and not found.server.is_babelfish:
        remedy = "Ask for it to see what loads write to the log and wait for"
        checks.append(Check("log and waits", "note", hidden, remedy))
    else:
        checks.append(
            Check("log and waits", "good", hidden or "can be seen, and are recorded with each load")
        )
    return checks


def _production(settings: Settings, url: str) -> Iterator[Check]:
    total = psutil.virtual_memory().total
    yield _least("RAM", total, PRODUCTION_MEMORY_BYTES, format_bytes, "Add memory")
    yield _least("CPU cores", usable_cores(), PRODUCTION_CORES, str, "Use a machine with more cores")
    pool, workers = settings.pool_size, settings.workers
    sized = pool >= workers
    yield Check(
        "pool size",
        "good" if sized else "bad",
        f"{pool} connections for {workers} workers",
        "" if sized else f"Set ULTRA_CONNECTION_POOL_SIZE to at least {workers}",
    )
    yield _encryption(url)
    yield _monitoring()
    yield _last_report()


def _least(name: str, value: int, least: int, show: Callable[[int], str], remedy: str) -> Check:
    # A machine sold with 8 GiB shows a little less, since firmware and kernel keep some for themselves.
    if value >= least * 0.95:
        return Check(name, "good", show(value))
    return Check(name, "bad", f"{show(value)}, at least {show(least)} needed", remedy)


def _encryption(url: str) -> Check:
    if not url or url.startswith("duckdb:"):
        return Check("encryption", "good", "the embedded database is a local file: nothing crosses a network")
    from gidbench.stores.sqlserver.address import address_of
    from gidbench.stores.sqlserver.examining import encryption_of

    try:
        address = address_of(parse_url(url))
    except GidbenchError as error:
        return Check("encryption", "bad", error.problem, error.remedy)
    encrypted, checked = encryption_of(address)
    if encrypted is None:
        remedy = "Use Microsoft's driver (pip install mssql-python), or Encrypt=yes"
        return Check("encryption", "bad", "FreeTDS encrypts only where the server offers it", remedy)
    if not encrypted:
        return Check("encryption", "bad", "the connection is not encrypted", "Remove Encrypt=no from the URL")
    if not checked:
        return Check(
            "encryption",
            "note",
            "encrypted, but any certificate is trusted",
            "Use Microsoft's driver (pip install mssql-python)"
            if address.is_freetds
            else "Install the server's certificate and remove TrustServerCertificate",
        )
    return Check("encryption", "good", "on, with a checked certificate")


def _monitoring() -> Check:
    """The log that monitoring reads must be writable, and the counters that the sampler reads be there."""
    try:
        psutil.Process().cpu_times()
        with tempfile.TemporaryFile(dir=Path.cwd()):
            pass
    except (OSError, psutil.Error) as error:
        return Check(
            "monitoring", "bad", f"not reachable ({type(error).__name__})", "Run in a writable folder"
        )
    return Check("monitoring", "good", "process counters readable, gid_system.log writable")


def _last_report() -> Check:
    reports = sorted(Path("reports").glob("2*/report.html"), key=lambda path: path.stat().st_mtime)
    if not reports:
        return Check("last tier report", "bad", "none under reports/", "Run `gidbench run` in this folder")
    days = (time.time() - reports[-1].stat().st_mtime) / 86_400
    found = f"{reports[-1].parent.name}, {days:.0f} days old"
    if days <= RECENT_DAYS:
        return Check("last tier report", "good", found)
    return Check(
        "last tier report", "bad", f"{found}, at most {RECENT_DAYS} allowed", "Run `gidbench run` again"
    )
