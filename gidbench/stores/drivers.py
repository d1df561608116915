"""Which ODBC drivers for SQL Server this machine has: installed ones, and Microsoft's inside a wheel."""

from __future__ import annotations

import configparser
import importlib.util
import platform
import re
import sys
from dataclasses import dataclass
from pathlib import Path

# Names under which drivers for SQL Server register themselves.
_SUITABLE = re.compile(r"sql server|freetds|tds", re.IGNORECASE)
_REGISTRIES = (
    Path("/etc/odbcinst.ini"),
    Path("/usr/local/etc/odbcinst.ini"),
    Path("/opt/homebrew/etc/odbcinst.ini"),
)
_LIBRARIES = ("libmsodbcsql*.so*", "libmsodbcsql*.dylib", "msodbcsql*.dll")
_ARCHITECTURES = {"amd64": "x86_64", "x64": "x86_64", "aarch64": "arm64"}


@dataclass(frozen=True)
class Driver:
    """An ODBC driver: the name to show, and the name or file that a connection string takes."""

    name: str
    path: str
    keyword: str


def odbc_drivers() -> list[Driver]:
    """Drivers for SQL Server, the best first: Microsoft's installed, Microsoft's from a wheel, FreeTDS."""
    found = [*_installed(), *_bundled()]
    return sorted(found, key=lambda driver: "freetds" in driver.name.lower() or driver.name.lower() == "tds")


def _installed() -> list[Driver]:
    try:
        import pyodbc

        names = [name for name in pyodbc.drivers() if _SUITABLE.search(name)]
    except ImportError:  # its system library is missing
        return []
    files: dict[str, str] = {}
    for registry in _REGISTRIES:
        parser = configparser.ConfigParser(strict=False, interpolation=None)
        try:
            parser.read(registry)
        except (OSError, configparser.Error):
            continue
        for section in parser.sections():
            files.setdefault(section, parser[section].get("Driver", ""))
    where = "registered in Windows" if sys.platform == "win32" else "registered in odbcinst.ini"
    return [Driver(name, files.get(name) or where, name) for name in sorted(names, reverse=True)]


def _bundled() -> list[Driver]:
    """Microsoft's driver as the wheels of mssql-python bring it, built for this very system."""
    for package in ("mssql_python_odbc", "mssql_python"):
        spec = importlib.util.find_spec(package)
        if spec is None or not spec.submodule_search_locations:
            continue
        root = Path(next(iter(spec.submodule_search_locations))) / "libs"
        libraries = [path for pattern in _LIBRARIES for path in root.rglob(pattern)]
        fitting = [path for path in libraries if _machine_fits(path) and _system_fits(path)]
        if fitting:
            path = str(sorted(fitting)[0])
            return [Driver("ODBC Driver 18 for SQL Server (from mssql-python)", path, path)]
    return []


def _machine_fits(path: Path) -> bool:
    machine = _ARCHITECTURES.get(platform.machine().lower(), platform.machine().lower())
    return any(_ARCHITECTURES.get(part.lower(), part.lower()) == machine for part in path.parts)


def _system_fits(path: Path) -> bool:
    """On Linux the wheel has one folder for each family of distributions."""
    if not sys.platform.startswith("linux"):
        return True
    try:
        release = platform.freedesktop_os_release()
    except OSError:
        release = {}
    names = f"{release.get('ID', '')} {release.get('ID_LIKE', '')}"
    families = {
        "alpine": "alpine",
        "suse": "suse",
        "rhel": "rhel",
        "fedora": "rhel",
        "centos": "rhel",
    }
    family = next((folder for name, folder in families.items() if name in names), "debian_ubuntu")
    return family in path.parts
