"""What is shipped: one list of requirements, a wheel that holds everything, floors that hold."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
import yaml

import gidbench

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
CONDA_NAMES = {"matplotlib-base": "matplotlib"}


def split(requirement: str) -> tuple[str, str]:
    match = re.fullmatch(r"([A-Za-z0-9-]+) ?(.*)", requirement)
    assert match
    return CONDA_NAMES.get(match[1], match[1]), match[2]


def test_environment_yml_lists_the_requirements_of_pyproject() -> None:
    listed = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    [by_pip] = [item["pip"] for item in listed if isinstance(item, dict)]
    found = dict(
        split(item) for item in [*listed, *by_pip] if isinstance(item, str) and item not in ("pip", ".")
    )
    assert found.pop("python") == PROJECT["requires-python"]
    assert found == dict(split(item) for item in PROJECT["dependencies"])


def test_every_requirement_has_a_lower_and_an_upper_bound() -> None:
    for requirement in PROJECT["dependencies"]:
        assert re.fullmatch(r"[a-z0-9-]+>=[\d.]+,<[\d.]+", requirement), requirement


def test_the_version_is_the_same_everywhere() -> None:
    assert PROJECT["version"] == gidbench.__version__
    assert f"## {gidbench.__version__}" in (ROOT / "CHANGELOG.md").read_text()


def test_imports_go_downward_only() -> None:
    """Floors from the ground up; a module may import its own floor and those below it."""
    floors = [
        {"errors", "units", "tiers", "findings", "outcome", "engine", "lending", "log", "arrays"},
        {"kernels"},
        {"cells"},
        {"gid", "keyset", "digest", "records", "settings", "specs", "inference"},
        {"generation"},
        {"files"},
        {"stores"},
        {
            "generating",
            "conversion",
            "converting",
            "verification",
            "validation",
            "admission",
            "processing",
            "synchronisation",
            "synchronising",
            "auditing",
        },
        {"syncing", "operations", "administration"},
        {"bench"},
        {"report"},
        {"reporting", "widgets"},
        {"parameters", "kernel", "notebooks", "notebook_page"},
        {
            "running",
            "lab",
            "batch_plan",
            "batch_outcome",
            "batch_texts",
            "batch_summary",
            "batch_page",
            "batch",
        },
        {"aio", "doctor"},
        {"terminal", "comparison_table", "scaling_table", "tuning_table", "verdict_table"},
        {
            "cli_common",
            "cli_convert",
            "cli_bench",
            "cli_compare",
            "cli_database",
            "cli_tune",
            "cli_report",
            "cli_lab",
            "cli_run",
            "cli_batch",
        },
        {"cli", "__main__", "__init__"},
    ]
    floor_of = {name: level for level, names in enumerate(floors) for name in names}
    package = ROOT / "gidbench"
    for path in package.rglob("*.py"):
        own = path.relative_to(package).parts[0].removesuffix(".py")
        if own == "__init__":
            continue
        for line in path.read_text().splitlines():
            match = re.match(r"\s*(?:from|import) gidbench\.(\w+)", line)
            if match:
                assert floor_of[match[1]] <= floor_of[own], f"{path.name}: {line.strip()}"


def test_modules_stay_short() -> None:
    long = {
        path.name: count
        for path in (ROOT / "gidbench").rglob("*.py")
        if (count := len(path.read_text().splitlines())) > 380
    }
    assert long == {}


@pytest.mark.slow
def test_a_wheel_installed_elsewhere_does_the_main_job(tmp_path: Path) -> None:
    built = subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "--no-deps", "--wheel-dir", tmp_path, str(ROOT)],
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert built.returncode == 0, built.stderr
    [wheel] = tmp_path.glob("gidbench-*.whl")
    place = tmp_path / "elsewhere"
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        archive.extractall(place)
    for path in (ROOT / "notebooks").glob("*.ipynb"):
        assert f"gidbench/_notebooks/{path.name}" in names
    assert not [
        name for name in names if name.endswith((".nbi", ".nbc")) or name.startswith(("tests", "reports"))
    ]
    work = tmp_path / "work"
    work.mkdir()
    done = subprocess.run(
        [sys.executable, "-m", "gidbench", "run", "--records", "500", "--rounds", "1", "--out", "first"],
        cwd=work,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(place), "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=250,
    )
    assert done.returncode == 0, done.stderr
    assert "report: first/report.html" in done.stdout
    assert (work / "first" / "report.html").stat().st_size > 20_000
