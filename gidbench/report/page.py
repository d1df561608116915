"""One self-contained HTML page from a view: no network, no files, nothing that data could run as code."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import asdict, replace
from functools import cache
from importlib import resources
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from gidbench.bench.results import Result, RunResults
from gidbench.report import figures
from gidbench.report.view import OperationView, build_view
from gidbench.report.wording import masked

LIMIT_BYTES = 2_000_000
_UNIT = re.compile(r"(?<=\d) (?=%|/s|(?:[KMG]|[KMG]iB|B|s|ms|µs)\b)")
_KEPT_SAMPLES = 100  # of a timeline, where all of them would not fit


def render(results: RunResults, command: str) -> str:
    """The tier report of a run as one HTML page of at most LIMIT_BYTES bytes in UTF-8.

    `command` is shown as the line that repeats the run. The page loads nothing, is the same for the same
    results, and holds the raw results as JSON; what of these does not fit is left out, and the page says so.
    """
    view = build_view(results, command)
    script, style = _resource("report.js"), _resource("report.css")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    context = {
        "view": view,
        "figures": {operation.key: _drawings(operation) for operation in view.operations},
        # The only script that may run is ours, known by its hash; and there is nothing to load from anywhere.
        "policy": "default-src 'none'; base-uri 'none'; form-action 'none'; img-src data:; "
        f"style-src 'unsafe-inline'; script-src 'sha256-{digest}'",
        "script": Markup(script),
        "style": Markup(style),
    }
    template = _environment().get_template("template.html.j2")
    page = ""
    for note, lines in _raw(results):
        page = template.render(context, embedded=Markup(_embedded(lines)), embedded_note=note)
        if len(page.encode()) <= LIMIT_BYTES:
            break
    return page


def _raw(results: RunResults) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """The lines of the result file, complete and then ever fewer, each with what to say of it."""
    where = "The result file beside it has all."
    lines: list[Any] = [results.header, *results.noise, *results.rounds, *results.results]
    yield "", _plain(lines)
    thinned = [replace(result, timeline=_thinned(result)) for result in results.results]
    lines = [results.header, *results.noise, *results.rounds, *thinned]
    yield f" Of long timelines, every n-th sample is kept. {where}", _plain(lines)
    lines = [results.header, *(replace(result, timeline={}, walls_s=[]) for result in results.results)]
    yield f" Single rounds and timelines are left out. {where}", _plain(lines)
    yield f" The rest was too large for it. {where}", _plain([results.header])


def _plain(lines: list[Any]) -> list[dict[str, Any]]:
    return [_masked(asdict(line)) for line in lines]


def _thinned(result: Result) -> dict[str, list[float]]:
    longest = max(map(len, result.timeline.values()), default=0)
    step = max(1, -(-longest // _KEPT_SAMPLES))
    return {name: values[::step] for name, values in result.timeline.items()}


def _masked(value: Any) -> Any:
    if isinstance(value, str):
        return masked(value)
    if isinstance(value, dict):
        return {masked(str(name)): _masked(item) for name, item in value.items()}
    return [_masked(item) for item in value] if isinstance(value, list) else value


def _embedded(lines: list[dict[str, Any]]) -> str:
    """JSON that cannot end the element it stands in, nor begin a comment or another script in it."""
    # in ASCII, since what a text may hold (half of a surrogate pair, say) need not be valid in UTF-8
    text = json.dumps(lines, separators=(",", ":"), default=str)
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def _drawings(operation: OperationView) -> dict[str, Any]:
    drawn = {
        "rounds": figures.draw_rounds(operation) if operation.measured else None,
        "phases": figures.draw_phases(operation),
        "resources": figures.draw_resources(operation),
        "peers": figures.draw_peers(operation),
    }
    return {
        name: {"wide": Markup(drawing.wide), "narrow": Markup(drawing.narrow)} if drawing else None
        for name, drawing in drawn.items()
    }


def _resource(name: str) -> str:
    """A file of this package, with the line ends that a browser's parser makes, so that the hash agrees."""
    text = resources.files(__package__).joinpath(name).read_text("utf-8")
    return text.replace("\r\n", "\n")


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("gidbench.report", ""),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
    )
    environment.filters["tied"] = _tied
    return environment


def _tied(text: str) -> str:
    """Numbers tied to their units, so that no line ends between them."""
    return _UNIT.sub("\N{NO-BREAK SPACE}", text)
