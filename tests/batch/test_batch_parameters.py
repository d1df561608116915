"""Parameters of notebooks: what their cells declare, and which values are taken."""

from __future__ import annotations

from pathlib import Path

import pytest

from gidbench.errors import InputError
from gidbench.parameters import Parameter, from_text, from_yaml, parameters_in

CELL = """%matplotlib inline
records: int = 1_000_000  # per round
share: float = 0.5
peers: bool = False  # of others
name: str = "x"  # text # with a mark
plain = 3
real = 2.5
words = ["a"]
typed = None  # type: int
place: Path = Path("x")
a = b = 1
"""


def test_types_defaults_and_helps_are_read_from_the_cell(make_notebook) -> None:
    found = parameters_in(make_notebook("one", CELL, "print(records)"))
    assert {name: each.type for name, each in found.items()} == {
        "records": "int",
        "share": "float",
        "peers": "bool",
        "name": "str",
        "plain": "number",
        "real": "float",
        "words": "",
        "typed": "int",
        "place": "",
    }
    assert found["records"] == Parameter("records", "int", 1_000_000, "per round")
    assert found["name"].help == "text # with a mark"
    assert (found["words"].default, found["place"].default) == (["a"], None)


def test_a_notebook_without_such_a_cell_has_none(make_notebook) -> None:
    assert parameters_in(make_notebook("none", "", "x = 1")) == {}


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("{", "is no notebook of Jupyter"),
        ('{"cells": 3}', "is no notebook of Jupyter"),
        ('{"cells": [], "metadata": {"kernelspec": {"language": "R"}}}', "is written in R"),
        (
            '{"cells": [{"cell_type": "code", "metadata": {"tags": ["parameters"]}, "source": "x = (\\n"}]}',
            r"the parameters cell of bad\.ipynb is not Python",
        ),
    ],
)
def test_what_is_no_notebook_is_told(tmp_path: Path, text: str, match: str) -> None:
    path = tmp_path / "bad.ipynb"
    path.write_text(text)
    with pytest.raises(InputError, match=match):
        parameters_in(path)
    with pytest.raises(InputError, match="there is no notebook"):
        parameters_in(tmp_path / "not.ipynb")


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("int", "1e5", 100_000),
        ("int", "2.5M", 2_500_000),
        ("int", " 1_000 ", 1_000),
        ("int", "-3", -3),
        ("number", "-3", -3),
        ("number", "0.25", 0.25),
        ("float", "1e-3", 0.001),
        ("float", "3", 3.0),
        ("bool", "True", True),
        ("bool", "false", False),
        ("str", " as it is ", " as it is "),
        ("", "[1, 2]", [1, 2]),
        ("", "{", "{"),
    ],
)
def test_texts_become_values_of_the_type(kind: str, text: str, value: object) -> None:
    found = from_text(Parameter("it", kind), text)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("kind", "text", "match"),
    [
        ("int", "many", "it must be a whole number, and 'many' is not a whole number"),
        ("int", "1.5", "is not a whole number"),
        ("int", "1,5", "is not a whole number"),
        ("float", "inf", "it must be a number, and 'inf' is none"),
        ("number", "x", "it must be a number"),
        ("bool", "1", "neither true nor false"),
    ],
)
def test_texts_of_another_type_are_refused(kind: str, text: str, match: str) -> None:
    with pytest.raises(InputError, match=match):
        from_text(Parameter("it", kind), text)


@pytest.mark.parametrize(
    ("kind", "given", "value"),
    [
        ("int", 5, 5),
        ("int", 1e5, 100_000),
        ("int", "1e5", 100_000),  # what YAML makes of 1e5
        ("float", 5, 5.0),
        ("float", "1e3", 1000.0),
        ("number", 2, 2),
        ("number", 2.5, 2.5),
        ("bool", True, True),
        ("bool", "false", False),
        ("str", "x", "x"),
        ("", {"a": [1]}, {"a": [1]}),
        ("", None, None),
    ],
)
def test_values_of_yaml_become_values_of_the_type(kind: str, given: object, value: object) -> None:
    found = from_yaml(Parameter("it", kind), given)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("kind", "given", "match"),
    [
        ("int", 1.5, "it is 1.5, but must be a whole number"),
        ("int", True, "it is True, but must be a whole number"),
        ("int", None, "it is None"),
        ("int", [1, 2], "it is a list, but must be a single whole number. Try several values by --sweep"),
        ("float", True, "it is True, but must be a number"),
        ("float", float("nan"), "it is nan"),
        ("bool", 1, "must be a truth value"),
        ("str", 5, "it is 5, but must be a text. Write it in quotes"),
        ("str", True, "Write it in quotes"),
    ],
)
def test_values_of_another_type_are_refused(kind: str, given: object, match: str) -> None:
    with pytest.raises(InputError, match=match):
        from_yaml(Parameter("it", kind), given)
