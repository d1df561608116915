"""A tuning as people read it: the surface, the gain, what to set, and the advice."""

from __future__ import annotations

from rich.markup import escape
from rich.table import Table

from gidbench.bench.study_words import verdict
from gidbench.bench.tuning import NOT_TRIED, Cell, Tuning
from gidbench.bench.tuning_space import TITLES, VARIABLES, shown
from gidbench.terminal import print_checks, wide_console
from gidbench.units import format_rate, format_seconds

_BAR, _MOST = 12, 4.0  # characters of the longest bar, and the ratio beyond which bars grow no longer


def print_tuning(result: Tuning) -> None:
    """All of it on standard output."""
    console = wide_console()
    title = f"{result.operation}, {result.database}"
    console.print(f"[bold]{escape(title)}[/]", highlight=False)
    for name, why in result.space.ignored.items():
        if name != "mode":
            console.print(f"[dim]not searched: {TITLES[name]} ({escape(why)})[/]", highlight=False)
    for name, why in result.space.left_out.items():
        console.print(f"[dim]left out: {escape(name)} ({escape(why)})[/]", highlight=False)
    if result.space.searched:
        console.print()
        console.print(_surface(result))
        console.print(f"[dim]{escape(_steps(result))}[/]", highlight=False)
    console.print()
    console.print(f"[bold]{escape(verdict(result))}[/]", highlight=False)
    for line in _what_to_do(result):
        console.print(escape(line), highlight=False)
    console.print()
    print_checks(result.findings)


def _surface(result: Tuning) -> Table:
    """The choices, those on top that came furthest; of each step the fastest first."""
    names = result.space.searched
    table = Table(box=None, pad_edge=False, header_style="bold", collapse_padding=True)
    for name in names:
        numeric = name not in ("mode", "strategy")
        table.add_column(TITLES[name], justify="right" if numeric else "left", no_wrap=True)
    for title in ("records", "rate", "x defaults"):
        table.add_column(title, justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    table.add_column("", overflow="fold")
    cells = [cell for cell in result.cells if cell.records or cell.note != NOT_TRIED]
    cells.sort(key=lambda cell: (-(cell.records or 0), -(cell.ratio or 0)))
    most = max([1.0, *(min(cell.ratio, _MOST) for cell in cells if cell.ratio)])
    for cell in cells:
        table.add_row(
            *(shown(getattr(cell.point, name)) for name in names),
            f"{cell.records:,}" if cell.records else "–",
            format_rate(cell.rate) if cell.rate else "–",
            f"{cell.ratio:.2f}" if cell.ratio else "–",
            f"[{_colour(cell)}]{'━' * max(1, round(_BAR * min(cell.ratio, _MOST) / most))}[/]"
            if cell.ratio
            else "",
            escape(_note(result, cell)),
            style="bold" if cell.point == result.chosen else "",
        )
    return table


def _colour(cell: Cell) -> str:
    """Blue where faster than the defaults, orange where slower: told apart by everybody."""
    ratio = cell.ratio or 1
    return "blue" if ratio > 1.03 else "dark_orange" if ratio < 0.97 else "bright_black"


def _note(result: Tuning, cell: Cell) -> str:
    marks = [
        "the defaults" if cell.point == result.space.default else "",
        "the best of the search" if cell.point == result.best else "",
        cell.note,
    ]
    return "; ".join(mark for mark in marks if mark)


def _steps(result: Tuning) -> str:
    steps = ", ".join(
        f"{many} on {records:,}" + (f" x {rounds}" if rounds > 1 else "")
        for records, many, rounds in result.rungs
    )
    told = f"choices by step: {steps or 'none'}; {result.trials} trials"
    if untried := sum(cell.note == NOT_TRIED for cell in result.cells):
        told += (
            f"; {untried} of {len(result.cells)} choices were not tried: the time was too short (--budget)"
        )
    return f"{told}; {format_seconds(result.spent_s)} of {format_seconds(result.budget_s)}"


def _what_to_do(result: Tuning) -> list[str]:
    if result.applied:
        told = ", ".join(f"{name}={value}" for name, value in result.variables.items())
        return [f"written to {result.applied}: {told}"]
    if not result.is_better:
        return []
    lines = []
    variables = {
        VARIABLES[name]: getattr(result.chosen, name) for name in result.space.searched if name in VARIABLES
    }
    if variables:
        lines.append(
            "set " + " ".join(f"{name}={value}" for name, value in variables.items()) + "  (or --apply .env)"
        )
    if "mode" in result.space.searched:
        lines.append(f"say gidbench sync --mode {result.chosen.mode}")
    return lines
