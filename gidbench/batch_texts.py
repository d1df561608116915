"""What a notebook says, in few words: its headline number, and the answer at its end."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gidbench.bench.results import Result
from gidbench.parameters import read_notebook
from gidbench.units import format_rate

ANSWER = "the answer"  # heading of the last section of our notebooks
_LONGEST = 700
_TAGS = re.compile(r"<[^>]*>")
_REPRESENTATION = re.compile(r"<[\w.]+( object)?( at 0x[0-9a-f]+)?>")


def headline_of(results: Sequence[Result]) -> str:
    """`47.6 M/s, ULTRA` of the case that stands for its operation; empty where nothing was measured."""
    good = [result for result in results if result.status == "ok" and result.peer is None]
    heads = [result for result in good if result.headline] or good[:1]
    many = len({result.operation for result in heads}) > 1
    return "; ".join(
        (f"{result.operation} " if many else "") + f"{format_rate(result.records_per_second)}, {result.tier}"
        for result in heads
    )


def answer_in(path: Path) -> str:
    """The last words of an executed notebook as plain text: below "The answer", or of its last output."""
    under, last = "", ""
    is_answer = False
    for cell in read_notebook(path)["cells"]:
        source = cell.get("source", "")
        source = source if isinstance(source, str) else "".join(source)
        if cell.get("cell_type") == "markdown":
            heading = next((line for line in source.splitlines() if line.startswith("#")), None)
            if heading is not None:
                is_answer = heading.lstrip("# ").strip().lower() == ANSWER
            continue
        words = " ".join(filter(None, (_words(output) for output in cell.get("outputs", ()))))
        if words:
            last = words
            under = f"{under} {words}".strip() if is_answer else under
    found = under or last
    return _cut(found)


def _cut(text: str) -> str:
    """Whole sentences, as many as there is room for."""
    if len(text) <= _LONGEST:
        return text
    ends = [found.end() for found in re.finditer(r"[.!?](?= )", text[:_LONGEST])]
    return f"{text[: ends[-1]] if ends else text[:_LONGEST].rstrip()} …"


def _words(output: Mapping[str, Any]) -> str:
    """Plain text of an output; what has no words has none."""
    if output.get("output_type") == "stream":
        return _flat(output.get("text", "")) if output.get("name") == "stdout" else ""
    data = output.get("data", {})
    if any(kind.startswith("application/vnd.jupyter.widget") for kind in data):
        return ""
    if "text/markdown" in data:
        plain = re.sub(r"(?<!\\)[*`]|^#+ ", "", _joined(data["text/markdown"]))
        return _flat(html.unescape(re.sub(r"\\([\\`*_\[\]#~])", r"\1", plain)))
    if "text/html" in data and "<table" not in (page := _joined(data["text/html"])) and "<svg" not in page:
        return _flat(html.unescape(_TAGS.sub(" ", page)))
    if "text/html" not in data and "text/plain" in data:
        text = _flat(data["text/plain"])
        return "" if _REPRESENTATION.fullmatch(text) else text
    return ""


def _flat(text: str | list[str]) -> str:
    return " ".join(_joined(text).split())


def _joined(text: str | list[str]) -> str:
    return text if isinstance(text, str) else "".join(text)


def first_sentence(text: str, longest: int) -> str:
    """The first sentence of a text, cut where it is too long for its place."""
    first = re.split(r"(?<=[.!?])\s", text, maxsplit=1)[0]
    return first if len(first) <= longest else first[: longest - 1].rstrip() + "…"
