"""What README and CONTRIBUTING hold, taken apart: blocks, commands, tables."""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import click

from gidbench import cli

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text("utf-8")
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text("utf-8")


class Block(NamedTuple):
    document: str
    line: int
    language: str
    code: str


def blocks(*languages: str) -> list[Block]:
    """Fenced blocks of these languages, of all without any."""
    found = []
    for name, text in (("README.md", README), ("CONTRIBUTING.md", CONTRIBUTING)):
        for match in re.finditer(r"^```(\w*)\n(.*?)^```$", text, re.DOTALL | re.MULTILINE):
            line = text[: match.start()].count("\n") + 1
            if not languages or match[1] in languages:
                found.append(Block(name, line, match[1], match[2]))
    return found


def commands(script: str) -> list[list[str]]:
    """The commands of a script as words: comments, pipes, conjunctions and redirections are taken off."""
    found: list[list[str]] = []
    for line in script.replace("\\\n", " ").splitlines():
        lexer = shlex.shlex(line, posix=True, punctuation_chars=";|&<>")
        lexer.whitespace_split = True
        words: list[str] = []
        for word in [*lexer, ";"]:
            if word.strip(";|&<>"):
                words.append(word)
                continue
            if words:
                found.append(words)
            words = []
    return found


def of_gidbench(script: str) -> list[list[str]]:
    """Those that call gidbench, without its name."""
    return [words[1:] for words in commands(script) if words[0] == "gidbench"]


def understood(words: list[str]) -> None:
    """Have click take a command apart; options and values that it does not know are an error."""
    command, name, rest = _resolved(words)
    command.make_context(name, list(rest)).close()


def _resolved(words: list[str]) -> tuple[click.Command, str, list[str]]:
    command: click.Command = cli.cli
    name, rest = "gidbench", list(words)
    while isinstance(command, click.Group) and rest and not rest[0].startswith("-"):
        name = rest.pop(0)
        if name not in command.commands:
            raise click.UsageError(f"there is no command {name!r}")
        command = command.commands[name]
    return command, name, rest


def options_of(words: list[str]) -> set[str]:
    """All options of the command that these words begin with."""
    command, _, _ = _resolved(words)
    return _options(command)


def _options(command: click.Command) -> set[str]:
    own = {text for parameter in command.params for text in (*parameter.opts, *parameter.secondary_opts)}
    below = command.commands.values() if isinstance(command, click.Group) else ()
    return own.union({"--help", "-h"}, *map(_options, below))


def all_options() -> set[str]:
    return _options(cli.cli)


def section(text: str, heading: str) -> str:
    """What stands below a heading, up to the next one of its level."""
    level = heading.split()[0]
    begin = text.index(f"\n{heading}\n") + 1
    end = re.search(rf"^#{{1,{len(level)}}} ", text[begin + len(heading) :], re.MULTILINE)
    return text[begin:] if end is None else text[begin : begin + len(heading) + end.start()]


def table_rows(text: str) -> Iterator[list[str]]:
    """Cells of the rows of all tables, heads left out."""
    lines = text.splitlines()
    for number, line in enumerate(lines):
        follows = lines[number + 1] if number + 1 < len(lines) else ""
        if line.startswith("|") and not re.match(r"\|\s*-", line) and not re.match(r"\|\s*-", follows):
            yield [cell.strip() for cell in line.strip("|").split("|")]


@cache
def said_by(*files: Path) -> str:
    """All texts in Python files, pieces that are joined as the parser joins them, a line each; values are left out."""
    texts = []
    for path in files:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.JoinedStr):
                pieces = [piece.value if isinstance(piece, ast.Constant) else "\0" for piece in node.values]
                texts.append("".join(map(str, pieces)))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                texts.append(node.value)
    return "\n".join(texts)
