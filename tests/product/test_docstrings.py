"""The public face explains itself: every argument, what comes back, what is raised, and nothing that is not there."""

from __future__ import annotations

import dataclasses
import inspect
import re
from typing import Any

import pytest

import gidbench
from gidbench import errors

NAMES = sorted(gidbench.__all__)
FUNCTIONS = [name for name in NAMES if inspect.isfunction(getattr(gidbench, name))]
CLASSES = [name for name in NAMES if inspect.isclass(getattr(gidbench, name))]
SECTIONS = ("Parameters", "Attributes", "Returns", "Raises")
_HEADING = re.compile(r"^(\w+)\n-+$", re.MULTILINE)


def sections(text: str) -> dict[str, str]:
    """By heading, and under "" what stands before the first one."""
    found, place, heading = {}, 0, ""
    for match in _HEADING.finditer(text):
        found[heading] = text[place : match.start()].strip("\n")
        heading, place = match[1], match.end()
    found[heading] = text[place:].strip("\n")
    return found


def named(section: str) -> list[str]:
    """The names that a section of numpydoc explains: lines that are not indented, with a colon at their end."""
    lines = [line for line in section.splitlines() if re.fullmatch(r"[a-z_][\w, ]*:", line)]
    return [name.strip() for line in lines for name in line.rstrip(":").split(",")]


def raised(section: str) -> set[str]:
    return set(re.findall(r"(?<![\w.])[A-Z]\w+(?:Error|Cancelled)\b", section))


def problems(function: Any) -> list[str]:
    """What is wrong with the docstring of a function."""
    parts = sections(inspect.getdoc(function) or "")
    told, found = named(parts.get("Parameters", "")), list(inspect.signature(function).parameters)
    wrong = [f"{name} is not explained" for name in found if name not in told]
    wrong += [f"there is no argument {name}" for name in told if name not in found]
    wrong += [f"{name} is explained twice" for name in {*told} if told.count(name) > 1]
    wrong += [
        f"there is no section {name}" for name in ("Returns", "Raises") if not parts.get(name, "").strip()
    ]
    wrong += [f"a section {name} is unknown" for name in parts if name and name not in SECTIONS]
    for name in sorted(raised(parts.get("Raises", ""))):
        kind = getattr(errors, name, None)
        if not (isinstance(kind, type) and issubclass(kind, errors.GidbenchError)):
            wrong.append(f"{name} is no error of gidbench")
    if not raised(parts.get("Raises", "")):
        wrong.append("Raises names no error")
    body = parts.get("Parameters", "")
    for name in told:
        explained = re.search(rf"^[\w, ]*\b{name}\b[\w, ]*:\n +\S", body, re.MULTILINE)
        wrong += [] if explained else [f"{name} has no words"]
    return wrong


@pytest.mark.parametrize("name", NAMES)
def test_a_public_name_begins_with_a_sentence(name: str) -> None:
    text = getattr(gidbench, name).__doc__ or ""
    first = text.split("\n")[0].strip()
    assert re.search(r"[.:]$", first) or re.search(r"\.(\s|$)", text), name
    assert len(first) > 20, name


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_explains_its_arguments_its_result_and_its_errors(name: str) -> None:
    assert problems(getattr(gidbench, name)) == []


@pytest.mark.parametrize("name", CLASSES)
def test_a_class_explains_what_it_is_made_of_and_its_methods(name: str) -> None:
    kind = getattr(gidbench, name)
    parts = sections(inspect.getdoc(kind) or "")
    told = named(parts.get("Parameters", "")) + named(parts.get("Attributes", ""))
    if dataclasses.is_dataclass(kind):
        assert told == [field.name for field in dataclasses.fields(kind)]
    else:
        made_of = list(inspect.signature(kind).parameters)
        assert [each for each in told if each in made_of] == made_of
    for member, value in vars(kind).items():
        if not member.startswith("_") and (inspect.isfunction(value) or isinstance(value, property)):
            assert inspect.getdoc(value), f"{name}.{member}"


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_class_of_a_result_explains_itself(name: str) -> None:
    function = inspect.unwrap(getattr(gidbench, name))
    module = inspect.getmodule(function)
    for word in re.findall(r"[A-Z]\w+", str(inspect.signature(function).return_annotation)):
        kind = getattr(module, word, None)
        if kind is not None and str(kind.__module__).startswith("gidbench"):
            assert inspect.cleandoc(kind.__doc__ or "").split("\n")[0].strip(), word
            assert not (kind.__doc__ or "").startswith(f"{word}("), word  # made by dataclass


def test_the_checker_finds_what_is_wrong() -> None:
    def good(a: int, *, b: int = 0, **others: int) -> int:
        """Add.

        Parameters
        ----------
        a, b:
            Numbers.
        others:
            More.

        Returns
        -------
        The sum.

        Raises
        ------
        InputError
        """
        return a + b + sum(others.values())

    def bad(a: int, *, c: int = 0) -> int:
        """Add.

        Parameters
        ----------
        a, b:
            Numbers.

        Notes
        -----
        None.

        Raises
        ------
        StrangeError
        """
        return a + c

    assert problems(good) == []
    assert problems(bad) == [
        "c is not explained",
        "there is no argument b",
        "there is no section Returns",
        "a section Notes is unknown",
        "StrangeError is no error of gidbench",
    ]
