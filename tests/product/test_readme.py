"""Everything that the README tells people to do works."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from gidbench import cli

README = (Path(__file__).parents[2] / "README.md").read_text()
PYTHON = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
COMMANDS = [
    line
    for block in re.findall(r"```console\n(.*?)```", README, re.DOTALL)
    for line in block.splitlines()
    if line.startswith("gidbench ")
]


@pytest.mark.parametrize("code", PYTHON, ids=lambda code: code.strip().splitlines()[-1][:40])
def test_a_python_example_runs(code: str) -> None:
    exec(compile(code, "README.md", "exec"), {"__name__": "__main__"})


def test_the_commands_run_one_after_the_other() -> None:
    assert len(COMMANDS) >= 5
    cli.main(["generate", "--records", "1000", "--out", "people.csv"])
    [spec] = re.findall(r"```toml\n(.*?)```", README, re.DOTALL)
    Path("shop.toml").write_text(spec)
    for command in COMMANDS:
        words = shlex.split(command.replace("1000000", "1000"))[1:]
        code = 0
        try:
            cli.main(words)
        except SystemExit as stop:
            code = int(stop.code or 0)
        assert code == 0 or words == ["doctor", "--production"], command  # this machine may be too small
    assert Path("people.parquet").exists()


def test_the_two_commands_of_the_first_screen_are_those_of_ci() -> None:
    first = README[: README.index("## What a run leaves")]
    assert 'python -m pip install ".[test]" && python -m pytest' in first
    assert "python -m pip install . && gidbench run" in first
    ci = (Path(__file__).parents[2] / ".ci" / "run").read_text()
    assert '".[test]"' in ci
    assert "python -m pytest" in ci


def test_pictures_and_links_lead_to_files() -> None:
    root = Path(__file__).parents[2]
    for target in re.findall(r"\]\(([^)#:]+)\)", README):
        assert (root / target).exists(), target
