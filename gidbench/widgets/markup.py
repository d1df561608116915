"""Pieces of HTML for notebooks: plain elements that every front end and every exported page shows alike."""

from __future__ import annotations

import html
import os
import re
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from gidbench.report.wording import masked

# An absolute path, of which only the last part is anybody's business; the path of a URL is none.
_PATHS = re.compile(r"(?<![\w:/.])(?:[A-Za-z]:)?[/\\](?:[^\s/\\;,()]+[/\\])+([^\s/\\;,()]+)")
# No line ends between a number and its unit, nor within a state.
_UNIT = re.compile(
    r"(?<=[\d✓•✗▲▼=]) (?=[\d%]|/s|[KMG]/s|(?:[KMG]iB|B|s|ms|µs|min|x|good|note|bad|better|worse|same)\b)"
)
_FILES = re.compile(r"\b(duckdb:///)/?(?:[^\s/;,()]+/)+")

SESSION = "JPY_SESSION_NAME"  # what a Jupyter server calls the notebook: its path, where it knows it
NOTEBOOKS = "GIDBENCH_NOTEBOOKS"  # set by the lab: the folder of its notebooks, whose kernels work above it
HEADLESS = "GIDBENCH_HEADLESS"  # set where nobody is there to press a button
NO_BREAK = "\N{NO-BREAK SPACE}"


def escaped(text: str) -> str:
    """Text to stand in a page: masked, without folders of this machine, nothing of it markup."""
    return html.escape(_PATHS.sub(r"\1", _FILES.sub(r"\1", masked(text))))


def table_html(
    columns: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    caption: str = "",
    numeric: Collection[str] = (),
) -> str:
    """A table with a head; the first cell of a row is its name, `numeric` columns are aligned to the right.

    Columns in which nothing stands are left out.
    """
    kept = [at for at in range(len(columns)) if at == 0 or any(row[at] for row in rows)]
    columns, rows = [columns[at] for at in kept], [[row[at] for at in kept] for row in rows]
    sides = ["right" if name in numeric else "left" for name in columns]
    head = "".join(
        f'<th scope="col" style="text-align:{side}">{escaped(name)}</th>'
        for name, side in zip(columns, sides, strict=True)
    )
    body = "".join(f"<tr>{_row(row, sides)}</tr>" for row in rows)
    told = (
        f'<caption style="text-align:left;caption-side:top">{escaped(caption)}</caption>' if caption else ""
    )
    return f"<table>{told}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _row(cells: Sequence[str], sides: Sequence[str]) -> str:
    first, *others = cells
    return f'<th scope="row" style="text-align:{sides[0]};font-weight:600">{escaped(first)}</th>' + "".join(
        f'<td style="text-align:{side}">{_UNIT.sub(NO_BREAK, escaped(cell))}</td>'
        for cell, side in zip(others, sides[1:], strict=True)
    )


def link_from_here(path: Path) -> str:
    """A file as a link of the notebook: relative to where that lies, which need not be where its kernel works."""
    session = Path(os.environ.get(SESSION) or "none")
    folder = session.parent
    if not session.is_file():
        folder = Path(os.environ.get(NOTEBOOKS) or "")
        if not (folder / session.name).is_file():
            folder = Path()
    try:
        return quote(Path(os.path.relpath(path, folder)).as_posix())
    except ValueError:  # on another drive
        return path.resolve().as_uri()


def paragraph(text: str) -> str:
    return f"<p>{escaped(text)}</p>"


def shown(page: str) -> Any:
    """Display object of a piece of HTML."""
    from IPython.display import HTML

    return HTML(page)


def said(*sentences: str) -> Any:
    """Display object: sentences, each a paragraph."""
    from IPython.display import Markdown

    return Markdown("\n\n".join(_plain(sentence) for sentence in sentences if sentence))


def _plain(text: str) -> str:
    """Text that Markdown shows as it is, but for code between backticks."""
    parts = html.unescape(escaped(text)).split("`")
    for index in range(len(parts)):
        if index % 2 == 0 or index == len(parts) - 1:
            parts[index] = re.sub(r"([\\*_\[\]#~])", r"\\\1", parts[index]).replace("<", "&lt;")
    return "`".join(parts)
