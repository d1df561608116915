"""The page: self-contained, safe, well-formed, within its limit, the same each time."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from report_runs import HOSTILE, Maker

from gidbench.bench.results import RunResults, load_results
from gidbench.report.page import LIMIT_BYTES, render

VOID = {"meta", "link", "br", "input", "hr", "img"}


class Outline(HTMLParser):
    """Headings, elements with their attributes, and visible text of a page; complains of bad nesting."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self.text: list[str] = []
        self.feed(page)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)
        if tag == "script":
            self.scripts.append("")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "script":
            self.scripts[-1] += data
        elif self.open and self.open[-1] != "style":
            self.text.append(data)

    def of(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]

    @property
    def seen(self) -> str:
        text = " ".join(self.text)
        return " ".join(text.split())  # no-break spaces count as spaces


@pytest.fixture
def page(full_run: RunResults) -> str:
    return render(full_run, "gidbench run --records 1000000")


def embedded(outline: Outline) -> list[dict[str, Any]]:
    found = json.loads(outline.scripts[0])
    assert isinstance(found, list)
    return found


def test_contents(page: str) -> None:
    seen = Outline(page).seen
    for wanted in (
        "Tier report",
        "4 March 2026, 05:06 UTC",
        "Test CPU, 2 cores, 8.00 GiB",
        "ULTRA",
        "VERY HIGH",
        "HIGH",
        "10.0 M records/s",
        "95 % interval [9.09 M, 11.1 M]",
        "100 ms for 1,000,000 records",
        "borderline: median in ULTRA",
        "999,000 accepted + 600 duplicate + 400 rejected = 1,000,000 records: holds",
        "1000000:00000000deadbeef",
        "Generation: kernels 250 ms (none compiled, all loaded from the cache)",
        "gidbench run --records 1000000",
        "Page cache: warm",
    ):
        assert wanted in seen


def test_a_failed_case_is_shown_as_failed_and_has_no_tier(failed: Maker, run: Maker) -> None:
    outline = Outline(render(run(failed(tier="ULTRA", tier_reached="ULTRA")), "gidbench run"))
    assert "FAILED" in outline.seen
    assert "the law broke" in outline.seen
    badges = [each["class"] for each in outline.of("span") if "badge" in (each.get("class") or "")]
    assert badges == ["badge failed", "badge failed"]


def test_hostile_strings_are_text(hostile_run: RunResults) -> None:
    page = render(hostile_run, f"gidbench {HOSTILE}")
    outline = Outline(page)
    assert len(outline.scripts) == 2, "the data and our own, no other"
    assert HOSTILE in outline.seen
    assert f"gidbench {HOSTILE}" in outline.seen
    assert "alert" not in outline.scripts[1]
    assert page.count("<script") == 2
    assert page.count("</script") == 2
    for _, attributes in outline.elements:
        assert not any(name.startswith("on") for name in attributes)
    assert "\x00" not in page
    assert "\x1b" not in page
    assert page.encode()


def test_only_our_script_may_run(hostile_run: RunResults) -> None:
    outline = Outline(render(hostile_run, ""))
    (policy,) = [each["content"] for each in outline.of("meta") if each.get("http-equiv")]
    digest = base64.b64encode(hashlib.sha256(outline.scripts[1].encode()).digest()).decode()
    assert policy is not None
    assert "default-src 'none'" in policy
    assert f"script-src 'sha256-{digest}'" in policy


def test_nothing_is_loaded(page: str, hostile_run: RunResults) -> None:
    for source in (page, render(hostile_run, "")):
        outline = Outline(source)
        for tag, attributes in outline.elements:
            for name in ("src", "href", "xlink:href", "action", "data", "poster", "srcset"):
                value = attributes.get(name)
                assert value is None or value.startswith(("#", "data:,")), (tag, value)
        style = source[source.index("<style>") : source.index("</style>")]
        assert "@import" not in style
        assert not re.search(r"url\((?!#)", source)
        addresses = set(re.findall(r"https?://[^\s\"'<)]+", source))
        assert addresses <= {"http://www.w3.org/2000/svg"}


def test_credentials_do_not_get_in(result: Maker, failed: Maker, run: Maker) -> None:
    url = "mssql+pyodbc://sa:hunter2@host:1433/db?PWD=hunter2"
    results = run(
        result(facts={"into": url}),
        failed(error=f"could not connect to {url}"),
        database={"name": url, "version": "x"},
        parameters={"database": [url]},
    )
    page = render(results, f"gidbench run --database '{url}'")
    assert "hunter2" not in page
    assert "mssql+pyodbc://sa:***@host:1433/db" in page


def test_headings_are_in_order(page: str, hostile_run: RunResults, run: Maker, failed: Maker) -> None:
    for source in (page, render(hostile_run, ""), render(run(), ""), render(run(failed()), "")):
        levels = [int(tag[1]) for tag, _ in Outline(source).elements if re.fullmatch("h[1-6]", tag)]
        assert levels[0] == 1
        assert levels.count(1) == 1
        assert all(after <= before + 1 for before, after in pairwise(levels))


def test_structure_for_assistive_technology(page: str) -> None:
    outline = Outline(page)
    ids = [attributes["id"] for _, attributes in outline.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    for _, attributes in outline.elements:
        for name in (attributes.get("aria-labelledby") or "").split():
            assert name in ids
        href = attributes.get("href") or ""
        assert not href.startswith("#") or href[1:] in ids
    for landmark in ("header", "nav", "main", "footer"):
        assert len(outline.of(landmark)) == 1
    assert all("scope" in each for each in outline.of("th"))
    assert len(outline.of("caption")) == len(outline.of("table")) > 3
    assert all(each.get("role") == "img" and each.get("aria-labelledby") for each in outline.of("svg"))
    scrolling = [each for each in outline.of("div") if each.get("class") == "scroll"]
    assert len(scrolling) == len(outline.of("table"))
    assert all(each["tabindex"] == "0" and each["aria-labelledby"] for each in scrolling)
    assert outline.of("html")[0]["lang"] == "en"
    assert {"name": "color-scheme", "content": "light dark"} in outline.of("meta")


def test_the_raw_results_can_be_had_back(full_run: RunResults, page: str, tmp_path: Path) -> None:
    file = tmp_path / "results.jsonl"
    lines = embedded(Outline(page))
    file.write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
    assert load_results(file) == full_run


def test_embedded_data_cannot_leave_its_element(hostile_run: RunResults) -> None:
    outline = Outline(render(hostile_run, ""))
    assert "<" not in outline.scripts[0]
    assert embedded(outline)[0]["database"]["name"] == HOSTILE


def test_the_page_is_the_same_each_time(full_run: RunResults, page: str) -> None:
    assert render(full_run, "gidbench run --records 1000000") == page


def test_an_ordinary_page_is_small(page: str) -> None:
    assert len(page.encode()) < 500_000


def test_a_large_run_stays_within_the_limit(result: Maker, run: Maker) -> None:
    count = 20_000
    line = {
        name: [1.5 + n for n in range(count)] for name in ("t_s", "cpu_cores", "rss_bytes", "io_bytes_per_s")
    }
    page = render(run(*(result("generate", f"v{n}", timeline=line) for n in range(4))), "")
    assert len(page.encode()) <= LIMIT_BYTES
    assert "every n-th sample is kept" in page
    kept = [line for line in embedded(Outline(page)) if line["kind"] == "result"]
    assert all(0 < len(line["timeline"]["t_s"]) <= 100 for line in kept)

    walls = [1.0 + n / 1e6 for n in range(8_000)]
    page = render(run(*(result("generate", f"v{n}", walls_s=walls) for n in range(4))), "")
    assert len(page.encode()) <= LIMIT_BYTES
    assert "Single rounds and timelines are left out" in page


def test_a_run_without_results(run: Maker) -> None:
    seen = Outline(render(run(), "gidbench run")).seen
    assert "Nothing was measured" in seen
    assert "The result file holds no result." in seen


def _contrast(one: str, other: str) -> float:
    """Of WCAG 2, between two colours `#rgb` or `#rrggbb`."""

    def luminance(colour: str) -> float:
        digits = colour[1:] if len(colour) == 7 else "".join(digit * 2 for digit in colour[1:])
        parts = [int(digits[place : place + 2], 16) / 255 for place in (0, 2, 4)]
        red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_contrast(page: str) -> None:
    themes = [
        dict(re.findall(r"--(\w+): (#\w+)", block)) for block in re.findall(r":root \{(.*?)\}", page, re.S)
    ]
    themes = [theme for theme in themes if "surface" in theme]
    assert len(themes) == 3, "light, dark, print"
    for theme in themes:
        for name in ("ink", "muted", "link", "error"):
            for ground in ("surface", "raised"):
                assert _contrast(theme[name], theme[ground]) >= 4.5, (name, ground)
        for name in ("blue", "green", "vermillion"):
            assert _contrast(theme[name], theme["surface"]) >= 3, name
        for level in "1234":
            assert _contrast(theme[f"tier{level}"], theme[f"on{level}"]) >= 4.5, level
