"""The style of pages: the report's, which others build on."""

from __future__ import annotations

from importlib import resources


def page_style(own: str) -> str:
    """The report's style, and behind it that of a page; `own` is a file of the package's data."""
    report = resources.files("gidbench.report").joinpath("report.css").read_text("utf-8")
    return f"{report}\n{resources.files('gidbench').joinpath('data', own).read_text('utf-8')}"
