"""Parameters of notebooks: what a cell tagged `parameters` declares, and values of that type from text or YAML."""

from __future__ import annotations

import ast
import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gidbench.errors import InputError
from gidbench.units import parse_count

TAG = "parameters"
_TYPES = ("int", "float", "bool", "str")
_TYPE_COMMENT = re.compile(r"#\s*type:\s*(\w+)")
_MAGIC = re.compile(r"^[ \t]*[%!].*$", re.MULTILINE)


@dataclass(frozen=True)
class Parameter:
    """One of a notebook.

    Attributes
    ----------
    type:
        int, float, bool, str; "number" where nothing but a whole number by default is told, "" where nothing is.
    default:
        None where it is no literal.
    help:
        The comment behind it.
    """

    name: str
    type: str
    default: Any = None
    help: str = ""


def read_notebook(path: Path) -> dict[str, Any]:
    """A notebook as it stands in its file. Raises InputError where there is none."""
    if not path.is_file():
        raise InputError(f"there is no notebook {path}", "Name a file that exists")
    try:
        notebook = json.loads(path.read_text("utf-8"))
        [*_] = notebook["cells"]
        language = notebook.get("metadata", {}).get("kernelspec", {}).get("language") or "python"
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise InputError(f"{path} is no notebook of Jupyter", "Name a file of nbformat 4") from None
    if str(language).lower() != "python":
        raise InputError(f"{path} is written in {language}", "Name a notebook in Python")
    return dict(notebook)


def parameters_in(path: Path) -> dict[str, Parameter]:
    """The parameters of a notebook by name; none where no cell is tagged. Raises InputError."""
    for cell in read_notebook(path)["cells"]:
        if TAG in cell.get("metadata", {}).get("tags", ()):
            source = cell.get("source", "")
            return _declared(source if isinstance(source, str) else "".join(source), path)
    return {}


def _declared(source: str, path: Path) -> dict[str, Parameter]:
    lines = source.splitlines()
    try:
        body = ast.parse(_MAGIC.sub("", source)).body
    except SyntaxError as error:
        raise InputError(
            f"the parameters cell of {path.name} is not Python (line {error.lineno})", "Mend it"
        ) from None
    found: dict[str, Parameter] = {}
    for node in body:
        target: ast.expr
        if isinstance(node, ast.AnnAssign):
            target, annotation = node.target, ast.unparse(node.annotation)
        elif isinstance(node, ast.Assign) and len(node.targets) == 1:
            target, annotation = node.targets[0], ""
        else:
            continue
        if isinstance(target, ast.Name) and node.value is not None:
            comment = lines[(node.end_lineno or 1) - 1][node.end_col_offset or 0 :].strip()
            default = _literal(node.value)
            told = _TYPE_COMMENT.match(comment)
            kind = _kind(annotation or (told[1] if told else ""), default)
            found[target.id] = Parameter(target.id, kind, default, comment.lstrip("# ").strip())
    return found


def _literal(node: ast.expr) -> Any:
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError):
        return None


def _kind(annotation: str, default: Any) -> str:
    if annotation:
        return annotation if annotation in _TYPES else ""
    kind = type(default).__name__
    # `threshold = 1` may well be meant to take 2.5
    return "number" if kind == "int" else kind if kind in _TYPES else ""


def from_text(parameter: Parameter, text: str) -> Any:
    """A value as people type it. Raises InputError where it is not of the parameter's type."""
    name, stripped = parameter.name, text.strip()
    if parameter.type in ("int", "number"):
        try:
            return -parse_count(stripped[1:]) if stripped.startswith("-") else parse_count(stripped)
        except InputError as error:
            if parameter.type == "int":
                raise InputError(
                    f"{name} must be a whole number, and {text!r} is not a whole number", error.remedy
                ) from None
    if parameter.type in ("float", "number"):
        try:
            value = float(stripped.replace("_", ""))
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            raise InputError(f"{name} must be a number, and {text!r} is none", "Write it like 0.5 or 1e3")
        return value
    if parameter.type == "bool":
        if stripped.lower() not in ("true", "false"):
            raise InputError(
                f"{name} must be true or false, and {text!r} is neither true nor false", "Write one of these"
            )
        return stripped.lower() == "true"
    if parameter.type == "str":
        return text
    import yaml

    try:
        return yaml.safe_load(text)
    except yaml.YAMLError:
        return text


def from_yaml(parameter: Parameter, value: Any) -> Any:
    """A value of a YAML file. Raises InputError where it is not of the parameter's type."""
    kind, name = parameter.type, parameter.name
    if isinstance(value, list | dict) and kind:
        raise InputError(
            f"{name} is a {type(value).__name__}, but must be a single {_told(kind)}",
            "Try several values by --sweep",
        )
    if not kind:
        return value
    if isinstance(value, str):  # 1e5 is a text to YAML, too
        return from_text(parameter, value)
    if isinstance(value, bool) == (kind == "bool") and value is not None and kind != "str":
        if kind == "bool" or (kind != "int" and isinstance(value, int | float) and math.isfinite(value)):
            return float(value) if kind == "float" else value
        if isinstance(value, int) or (isinstance(value, float) and value.is_integer()):
            return int(value)
    remedy = "Write it in quotes" if kind == "str" and value is not None else f"Write a {_told(kind)}"
    raise InputError(f"{name} is {value!r}, but must be a {_told(kind)}", remedy)


def _told(kind: str) -> str:
    return {"int": "whole number", "bool": "truth value (true or false)", "str": "text"}.get(kind, "number")


def require_known(name: str, known: Mapping[str, Parameter]) -> Parameter:
    """The parameter of that name. Raises InputError where there is none."""
    if name in known:
        return known[name]
    remedy = f"Use one of {', '.join(sorted(known))}" if known else "They have none"
    raise InputError(f"no notebook has a parameter {name!r}", remedy)
