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
from gidbench.report import figures, more_figures
from gidbench.report.inline import Drawing
from gidbench.report.past import NOTHING, Past
from gidbench.report.study import StudyView
from gidbench.report.view import OperationView, build_view
from gidbench.report.wording import masked

LIMIT_BYTES = 2_000_000
_UNIT = re.compile(r"(?<=\d) (?=%|/s|(?:[KMG]|[KMG]iB|B|s|ms|µs)\b)")
_KEPT_SAMPLES = 100  # of a timeline, where all of them would not fit


def render(results: RunResults, command: str, past: Past = NOTHING, merged: str = "") -> str:
    """The tier report of a run as one HTML page of at most LIMIT_BYTES bytes in UTF-8.

    `command` is shown as the line (or lines) that repeat the run, `past` is what was before it, and `merged` says of
    which runs it was put together. The page loads nothing, is the same for the same
    results, and holds the raw results as JSON; what of these does not fit is left out, and the page says so.
    """
    view = build_view(results, command, past, merged)
    script, style = _resource("report.js"), _resource("report.css")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    context = {
        "view": view,
        "figures": {operation.key: _drawings(operation) for operation in view.operations},
        "studies": {
            key: _studies(key, title, study)
            for key, title, study in (
                *((each.key, each.title, each.study) for each in view.operations),
                *((each.key, each.title, each.study) for each in view.studied),
            )
        },
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
    studies = [*results.scalings, *results.tunings]
    lines: list[Any] = [results.header, *results.noise, *results.rounds, *results.results, *studies]
    yield "", _plain(lines)
    thinned = [replace(result, timeline=_thinned(result)) for result in results.results]
    lines = [results.header, *results.noise, *results.rounds, *thinned, *studies]
    yield f" Of long timelines, every n-th sample is kept. {where}", _plain(lines)
    lines = [
        results.header,
        *(replace(result, timeline={}, walls_s=[]) for result in results.results),
        *studies,
    ]
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
        "comparison": more_figures.comparison(
            f"{operation.key}-comparison", operation.title, operation.comparison
        ),
        "history": more_figures.history(f"{operation.key}-history", operation.title, operation.trend),
    }
    return {name: _marked(drawing) for name, drawing in drawn.items()}


def _studies(key: str, title: str, study: StudyView) -> dict[str, list[Any]]:
    """The drawings of an operation's studies, each list in their order."""
    grown = [view.result for view in study.scalings]
    return {
        "scalings": [
            _marked(more_figures.scaling(f"{key}-scaling{place}", title, result))
            for place, result in enumerate(grown, 1)
        ],
        "workers": [
            _marked(more_figures.efficiency(f"{key}-workers{place}", title, result))
            for place, result in enumerate(grown, 1)
        ],
        "tunings": [
            _marked(more_figures.surface(f"{key}-tuning{place}", title, view.result))
            for place, view in enumerate(study.tunings, 1)
        ],
    }


def _marked(drawing: Drawing | None) -> dict[str, Markup] | None:
    return {"wide": Markup(drawing.wide), "narrow": Markup(drawing.narrow)} if drawing else None


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
