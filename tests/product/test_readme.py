"""Everything that README and CONTRIBUTING tell people to do works, and what they quote is so."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml
from documents import (
    CONTRIBUTING,
    README,
    ROOT,
    all_options,
    blocks,
    commands,
    of_gidbench,
    options_of,
    said_by,
    section,
    table_rows,
    understood,
)

from gidbench import batch_plan, cli, notebooks
from gidbench.bench.gates import load_gates
from gidbench.settings import Settings
from gidbench.stores.naming import load_names

PYTHON = [block.code for block in blocks("python")]
CONSOLE = [words for block in blocks("console") for words in of_gidbench(block.code)]

# Commands of console blocks that no test of this file runs, and where what they do is tested.
NOT_RUN = {
    "lab": "waits for Ctrl-C: tests/browser opens one, and runs all notebooks in it",
    "batch": "starts a kernel for each notebook: tests/product/test_all_notebooks.py; it is planned here",
}
# What blocks for a console say besides gidbench; each is held against what it is about.
OTHERS = {
    "python -m pip install .",
    "python -m pip install .[test]",
    "python -m pip install -e .[dev]",
    "python -m pytest",
    "python -m venv .venv",
    ". .venv/bin/activate",
    "pre-commit install",
}
SH = {"docker", "export", "gidbench", "python"}  # docker and a server are not there; pytest is what runs this


def test_every_block_is_of_a_kind_that_a_test_looks_at() -> None:
    known = {"console", "python", "toml", "ini", "yaml", "text", "sh"}
    strange = [block for block in blocks() if block.language not in known]
    assert not strange
    assert len(blocks()) >= 25


@pytest.mark.parametrize("code", PYTHON, ids=lambda code: code.strip().splitlines()[-1][:40])
def test_a_python_example_runs(code: str) -> None:
    exec(compile(code, "README.md", "exec"), {"__name__": "__main__"})


def _smaller(words: list[str]) -> list[str]:
    """The same with so few records that it takes a moment."""
    few = [{"1000000": "1000", "100000": "1000", "20000": "2000"}.get(word, word) for word in words]
    if words[0] == "run" and "--rounds" not in words:
        few += ["--records", "1000", "--rounds", "1", "--operations", "sync"]
    return [*few, "--processes", "1"] if words[0] == "run" else few


# about forty commands, three runs among them: minutes, where other tests use the cores, too
@pytest.mark.timeout(900)
def test_the_commands_run_one_after_the_other() -> None:
    assert len(CONSOLE) >= 25
    cli.main(["generate", "--records", "1000", "--out", "people.csv"])
    [spec] = [block.code for block in blocks("toml")]
    Path("shop.toml").write_text(spec)
    ran = set()
    for command in CONSOLE:
        if command[0] in NOT_RUN:
            continue
        words, code = _smaller(command), 0
        try:
            cli.main(words)
        except SystemExit as stop:
            code = int(stop.code or 0)
        assert code == 0 or words == ["doctor", "--production"], command  # this machine may be too small
        ran.add(words[0])
    assert Path("people.parquet").exists()
    assert Path("first.md").read_text().startswith("## gidbench tier report")
    assert ran >= {"run", "report", "generate", "process", "convert", "sync", "verify", "doctor", "compare"}


def test_what_is_not_run_is_understood_and_planned() -> None:
    Path("your-own.ipynb").write_text(
        json.dumps(
            {
                "nbformat": 4,
                "nbformat_minor": 5,
                "metadata": {},
                "cells": [
                    {
                        "cell_type": "code",
                        "id": "a",
                        "metadata": {"tags": ["parameters"]},
                        "execution_count": None,
                        "outputs": [],
                        "source": "limit: int = 1\nname: str = ''",
                    }
                ],
            }
        )
    )
    Path("parameters.yml").write_text("name: x\n")
    left = [words for words in CONSOLE if words[0] in NOT_RUN]
    assert {words[0] for words in left} == set(NOT_RUN)
    for words in left:
        understood(words)
        if words[0] == "lab":
            assert all(notebooks.find(name) for name in words[1:2])
            continue
        context = cli.cli.commands["batch"].make_context("batch", list(words[1:]))  # type: ignore[attr-defined]
        given = context.params
        swept = [word for word in given["notebooks"] if "=" in word]
        names = [word for word in given["notebooks"] if "=" not in word]
        planned = batch_plan.plan(
            names,
            batch_plan.Given(
                dict(given["parameters"]),
                batch_plan.load_values(given["files"]),
                batch_plan.parse_sweep([*given["sweep"], *swept]),
            ),
        )
        assert len(planned) == len(names) * (4 if swept else 1)


def test_whatever_else_a_console_is_told_is_known() -> None:
    told = {
        " ".join(words)
        for block in blocks("console")
        for words in commands(block.code)
        if words[0] != "gidbench"
    }
    assert told <= OTHERS
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert {"test", "dev", "peers"} <= set(extras)
    assert any(requirement.startswith("pre-commit") for requirement in extras["dev"])


def test_blocks_for_a_shell_are_such_and_call_gidbench_as_it_is() -> None:
    # They need docker and a SQL Server. CI runs the same commands on one: job sql-server of ci.yml.
    for block in blocks("sh"):
        if shutil.which("sh"):
            subprocess.run(["sh", "-n"], input=block.code, text=True, check=True, timeout=20)
        for words in of_gidbench(block.code):
            understood(words)
        first = {words[0] for words in commands(block.code)}
        assert {word.partition("=")[0] for word in first} <= SH | {"GIDBENCH_DOCUMENTS"}, first
        for path in re.findall(r"tests/[\w/.]+", block.code):
            assert (ROOT / path).exists(), path
    [server] = [block.code for block in blocks("sh") if "docker" in block.code]
    ci = (ROOT / ".github/workflows/ci.yml").read_text()
    for words in (
        "mcr.microsoft.com/mssql/server:2022-latest",
        "/opt/mssql-tools18/bin/sqlcmd",
        "-C -S localhost",
    ):
        assert words in server
        assert words in ci
    for words in of_gidbench(server):
        assert words[0] in ("generate", "sync") or f"gidbench {words[0]}" in ci, words


def test_the_workflow_is_one_and_its_commands_are_understood() -> None:
    [block] = blocks("yaml")
    workflow = yaml.safe_load(block.code)
    own = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text())
    assert set(workflow) == {"name", True, "permissions", "jobs"}  # YAML takes `on` for true
    actions = {step["uses"] for job in own["jobs"].values() for step in job["steps"] if "uses" in step}
    called, kept = [], ""
    [job] = workflow["jobs"].values()
    for step in job["steps"]:
        assert ("uses" in step) != ("run" in step), step
        if "uses" in step:
            assert step["uses"] in actions | {"actions/cache@v4"}
        else:
            called += of_gidbench(step["run"])
        kept = step["with"]["path"] if "upload-artifact" in step.get("uses", "") else kept
    for words in called:
        understood(words)
    assert {words[0] for words in called} == {"run", "batch", "report"}
    places = [words[words.index("--out") + 1] for words in called if "--out" in words]
    assert all(place.startswith(f"{kept}/") for place in places)
    assert "GITHUB_STEP_SUMMARY" in block.code
    assert "--fail-below" in block.code


def test_settings_files_are_taken() -> None:
    names, gates = [block.code for block in blocks("ini")]
    Path("pyproject.toml").write_text(gates)
    found = load_gates("pyproject.toml")
    assert found.of("generate csv").fail_below == "VERY HIGH"
    assert found.of("sync initial").fail_below == "HIGH"
    Path("names.toml").write_text(names)
    assert load_names("names.toml").global_id.name == "hr.orang"


def test_inline_commands_and_options_are_those_of_gidbench() -> None:
    known = all_options()
    for text in (README, CONTRIBUTING):
        prose = re.sub(r"^```.*?^```$", "", text, flags=re.DOTALL | re.MULTILINE)
        for inline in re.findall(r"`(gidbench [^`]+)`", prose):
            words = [
                word for word in inline.replace('"', "").split()[1:] if word not in ("…", "RESULTS…", "FILE")
            ]
            if "…" in inline and not words[0].isidentifier():
                continue
            own = options_of(
                [word for word in words if word.isidentifier()][: 2 if words[0] == "schema" else 1]
            )
            for word in words:
                assert not word.startswith("-") or word in own, inline
        others = {"--version"}
        for option in re.findall(r"`(--[a-z-]+)", prose):
            assert option in known | others, option


def test_the_two_commands_of_the_first_screen_are_those_of_ci() -> None:
    first = README[: README.index("## Five-minute tour")]
    assert len(first.splitlines()) <= 32
    assert 'python -m pip install ".[test]" && python -m pytest' in first
    assert "python -m pip install . && gidbench run" in first
    assert first.index("![") < first.index("```console")
    ci = (ROOT / ".ci" / "run").read_text()
    assert '".[test]"' in ci
    assert "python -m pytest" in ci


@pytest.mark.parametrize("text", [README, CONTRIBUTING], ids=["README", "CONTRIBUTING"])
def test_pictures_and_links_lead_somewhere(text: str) -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", text):
        assert (ROOT / target).exists(), target
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    anchors = {re.sub(r"[^\w -]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}
    for target in re.findall(r"\]\(#([^)]+)\)", text):
        assert target in anchors, target


def test_messages_that_troubleshooting_explains_are_said() -> None:
    rows = list(table_rows(section(README, "## Troubleshooting")))
    assert len(rows) >= 40
    package = sorted((ROOT / "gidbench").rglob("*.py"))
    said = said_by(*package, ROOT / "tests" / "browser" / "browsers.py")
    quoted = [text for row in rows for text in re.findall(r"`([^`]+)`", row[0])]
    assert len(quoted) >= 40
    for text in quoted:
        pieces = [re.escape(piece.strip(" :")) for piece in text.split("…") if piece.strip(" :.,;()")]
        assert re.search("[^\n]*?".join(pieces), said), text
    for row in rows:
        assert len(row) == 3, row
        assert all(row), row


def test_every_setting_stands_in_the_table_with_its_default_and_bounds() -> None:
    table = section(README, "## Settings")
    for field in Settings.model_fields.values():
        name = str(field.alias)
        told = [f"`{name}`", f"`…_{name.split('_', 2)[-1]}`"]
        assert any(text in table for text in told), name
        bounds = [
            getattr(item, side) for item in field.metadata for side in ("ge", "le") if hasattr(item, side)
        ]
        if name.startswith("ULTRA_"):
            row = next(line for line in table.splitlines() if f"`{name}`" in line)
            assert all(f"{bound:,}" in row for bound in bounds), name


def test_the_table_of_the_sample_is_that_of_the_sample() -> None:
    from gidbench.bench import summary
    from gidbench.bench.results import load_results, newest

    rows = summary.rows(
        [each for each in newest(load_results(ROOT / "reports/sample").results) if not each.peer]
    )
    table = README[README.index("<!-- the table of the sample run -->") :]
    table = table[: table.index("```\n", table.index("```text") + 7)]
    for row in rows:
        told = r"\s+".join(re.escape(cell).replace(r"\ ", r"\s+") for cell in row)
        assert re.search(told, table), f"{'  '.join(row)} is not in the README"
    assert len([line for line in table.splitlines() if re.match("(generate|process|sync) ", line)]) == len(
        rows
    )


def test_every_notebook_stands_in_the_readme_with_its_question() -> None:
    rows = {row[0].strip("`"): row[1] for row in table_rows(section(README, "## Notebooks and workbench"))}
    assert list(rows) == list(notebooks.ALL)
    for name, told in rows.items():
        first = json.loads(notebooks.path_of(name).read_text("utf-8"))["cells"][0]["source"]
        question = ("".join(first)).splitlines()[0].lstrip("# ")
        assert question.endswith("?")
        assert told.startswith(question), name
