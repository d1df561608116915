"""A browser for each file of tests, and what it showed when a test failed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import browsers
import pytest
from servers import Server

# Where a failed test's pictures and the servers' output go; else to pytest's temporary folder.
KEEP = "GIDBENCH_TEST_ARTIFACTS"
FOLDER = Path(__file__).parent

_pages: list[Any] = []
_servers: list[Server] = []


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.parent == FOLDER:
            item.add_marker(pytest.mark.browser)
            if browsers.CHROMIUM is None:
                item.add_marker(pytest.mark.skip(reason=browsers.WHY_NOT))


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A Chromium. It ends with its file of tests: while Playwright runs, asyncio.run is refused here."""
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=30_000)  # other tests may have the machine for a while
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=browsers.CHROMIUM, args=browsers.FLAGS)
        yield started
        started.close()


@pytest.fixture
def new_page(browser: Any) -> Iterator[Any]:
    """Makes pages, each in a context of its own (an argument sets an option of it), and closes them."""
    contexts = []

    def make(**options: Any) -> Any:
        context = browser.new_context(**options)
        contexts.append(context)
        page = context.new_page()
        _pages.append(page)
        return page

    yield make
    for context in contexts:
        context.close()
    _pages[:] = [page for page in _pages if not page.is_closed()]


@pytest.fixture(scope="module")
def servers() -> Iterator[list[Server]]:
    """The running servers of a file; whoever starts one adds it, and it is stopped in the end."""
    yield _servers
    while _servers:
        _servers.pop().stop()


@pytest.fixture(scope="module")
def pages() -> Iterator[list[Any]]:
    """Pages that outlive a test; whoever opens one adds it, so that a failure shows it."""
    yield _pages
    _pages.clear()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    report: Any = yield
    if item.path.parent == FOLDER and report.when != "teardown" and report.failed:
        folder = Path(os.environ.get(KEEP) or item.config._tmp_path_factory.getbasetemp() / "failed")  # type: ignore[attr-defined]
        folder.mkdir(parents=True, exist_ok=True)
        stem = "".join(letter if letter.isalnum() else "_" for letter in item.name)
        told = []
        for number, page in enumerate(_pages):
            picture = folder / f"{stem}-{number}.png"
            try:
                page.screenshot(path=picture)
                told.append(f"{page.url}: {picture}")
            except Exception as problem:  # the page may be what failed
                told.append(f"no picture of page {number}: {problem}")
        for number, server in enumerate(_servers):
            log = folder / f"{stem}-server-{number}.log"
            log.write_text(server.told(), "utf-8")
            told.append(f"output of the server: {log}\n" + "\n".join(server.told().splitlines()[-30:]))
        report.sections.append(("browser", "\n".join(told)))
    return report
