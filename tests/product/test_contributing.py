"""The files, classes and tests that CONTRIBUTING names are there, and its floors are those that are kept."""

from __future__ import annotations

import ast
import importlib
import re

import pytest
from documents import CONTRIBUTING, ROOT, section, table_rows

PACKAGE = ROOT / "gidbench"
ROWS = list(table_rows(section(CONTRIBUTING, "## To add …")))
_FILE = re.compile(r"[\w./]+\.(?:py|toml|json|css|js|j2|ipynb)")
_PLACE = re.compile(r"([a-z_]\w*(?:/\w+)*)((?:\.\w+)+)")
# Words in backticks that are no place: folders' contents, options and keys that people type.
_WORDS = {"gidbench bench sync", "bench", "run --peers", "parameters", "cli_….py", "--types infer"}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0].replace(" ", "-"))
def test_what_is_to_be_edited_is_there(row: list[str]) -> None:
    assert len(row) == 3
    named = re.findall(r"`([^`]+)`", " ".join(row))
    places = 0
    for text in named:
        if text in _WORDS:
            continue
        places += 1
        if text.startswith(("tests/", "notebooks/")):
            assert (ROOT / text).exists(), text
        elif _FILE.fullmatch(text):
            assert (PACKAGE / text).is_file(), text
        else:
            match = _PLACE.fullmatch(text)
            assert match, text
            place: object = importlib.import_module(
                "gidbench." + match[1].replace("/", ".").removesuffix(".__init__")
            )
            for name in match[2].split(".")[1:]:
                place = getattr(place, name)
    assert places >= 2, row
    assert "`tests/" in row[2]


def test_all_that_people_add_has_a_row() -> None:
    wanted = {
        "a kind of column",
        "a reader",
        "a store",
        "a strategy of writing",
        "a case",
        "a figure",
        "a notebook",
    }
    wanted |= {"a control of the workbench", "a gate", "a peer", "a kernel", "a setting", "a command"}
    assert wanted <= {row[0] for row in ROWS}
    assert len({row[0] for row in ROWS}) == len(ROWS)


def _kept() -> list[set[str]]:
    """The floors in the test that keeps them."""
    tree = ast.parse((ROOT / "tests" / "product" / "test_packaging.py").read_text("utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "floors":
            floors: list[set[str]] = ast.literal_eval(node.value)
            return floors
    raise AssertionError("test_packaging.py keeps no floors")


def test_the_floors_are_those_that_are_kept() -> None:
    rows = list(table_rows(section(CONTRIBUTING, "## Where things are")))
    told = [{name.strip("/") for name in row[0].strip("`").split()} for row in rows]
    kept = [floor - {"__main__", "__init__"} for floor in _kept()]
    assert told == kept
    modules = {path.name.removesuffix(".py") for path in PACKAGE.iterdir() if not path.name.startswith("_")}
    assert modules - {"data"} <= {name for floor in told for name in floor}


def test_modules_that_the_floors_explain_are_there() -> None:
    for row in table_rows(section(CONTRIBUTING, "## Where things are")):
        floors = [name.strip("/") for name in row[0].strip("`").split()]
        for text in re.findall(r"`([\w./…]+)`", row[1]):
            stem = text.partition(".")[0].strip("/").removesuffix("…")
            if not stem.islower():
                continue  # a class, which has no file of its own
            found = [path for name in floors for path in (PACKAGE / name).rglob(f"{stem}*")]
            assert found, text
