"""The page in a browser: its script runs under its own policy, sorts, and no width scrolls sideways."""

from __future__ import annotations

import html
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from report_past import make_history, make_past
from report_runs import make_full_run, make_result
from study_runs import make_scaling, make_tuning

from gidbench.bench.results import RunResults
from gidbench.bench.studies import scaling_line, tuning_line
from gidbench.report.page import render

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on the PATH"),
]
POLICY = re.compile(r'<meta http-equiv="Content-Security-Policy"[^>]*>')


def dump(page: str, folder: Path, *flags: str) -> str:
    """The document as it stands once its scripts have run."""
    file = folder / "page.html"
    file.write_text(page, "utf-8")
    assert CHROMIUM is not None
    command = [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    command += ["--disable-component-update", f"--user-data-dir={folder / 'profile'}", *flags]
    done = subprocess.run(
        [*command, "--virtual-time-budget=3000", "--dump-dom", file.as_uri()],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    return done.stdout


def with_script(page: str, script: str) -> str:
    """The page with one script more, which its policy would refuse."""
    return POLICY.sub("", page).replace("</body>", f"<script>{script}</script></body>")


LIMITS = [
    {"name": "disk", "title": "writing it until it is there", "unit": "bytes/s", "value": 2e9, "share": 0.3}
]


def whole() -> str:
    """A page of everything: peers, bounds, studies, the previous run, history."""
    run = make_full_run()
    run = replace(
        run,
        header=make_history()[-1].header,
        results=[
            *(replace(result, limits=LIMITS) for result in run.results),
            make_result("generate", "peer of a long name", peer="of a long name", against="memory"),
        ],
        scalings=[scaling_line(make_scaling(), "")],
        tunings=[tuning_line(make_tuning(), ""), tuning_line(make_tuning("sync"), "")],
    )
    return render(run, "gidbench run " + "x" * 300, make_past(make_history()))


def test_the_script_runs_under_the_policy(full_run: RunResults, tmp_path: Path) -> None:
    document = dump(render(full_run, ""), tmp_path)
    assert document.count('<button type="button">') == 11
    link = re.search(r'<a id="download"[^>]*>', document)
    assert link is not None
    assert "hidden" not in link[0]
    assert 'href="blob:' in link[0]


def test_no_attack_runs(hostile_run: RunResults, tmp_path: Path) -> None:
    page = POLICY.sub("", render(hostile_run, "")).replace(
        "<head>",
        "<head><script>window.alert = () => { document.documentElement.dataset.breach = 1; }</script>",
    )
    document = dump(page, tmp_path)
    assert "data-breach" not in document
    assert document.count('<button type="button">') == 11


def test_sorting(full_run: RunResults, tmp_path: Path) -> None:
    script = """
      const heads = [...document.querySelectorAll("#case-table thead th")];
      const names = () => [...document.querySelectorAll("#case-table tbody th")];
      const order = () => names().map((each) => each.textContent).join();
      const told = [];
      for (const column of [6, 6, 1]) {
        heads[column].querySelector("button").click();
        told.push(order() + " " + heads[column].getAttribute("aria-sort"));
      }
      told.push(document.querySelectorAll("[aria-sort]").length);
      document.title = told.join(";");
    """
    document = dump(with_script(render(full_run, ""), script), tmp_path)
    title = re.search("<title>(.*?)</title>", document)
    assert title is not None
    assert title[1].split(";") == [
        "memory,csv,csv,unchanged,initial descending",
        "initial,csv,unchanged,csv,memory ascending",
        "csv,csv,initial,memory,unchanged ascending",
        "1",
    ]


@pytest.mark.parametrize("width", [320, 360, 700, 1100, 1800])
def test_no_width_scrolls_sideways(
    full_run: RunResults, hostile_run: RunResults, tmp_path: Path, width: int
) -> None:
    pages = [render(results, "gidbench run " + "x" * 300) for results in (full_run, hostile_run)]
    for source in (*pages, whole()):
        inner = html.escape(POLICY.sub("", source), quote=True)
        page = (
            f'<iframe id="f" style="width:{width}px;height:900px;border:0" srcdoc="{inner}"></iframe><script>'
            'document.getElementById("f").onload = (e) => {'
            "const r = e.target.contentDocument.documentElement;"
            "document.title = r.scrollWidth + ' ' + r.clientWidth; }</script>"
        )
        title = re.search(r"<title>(\d+) (\d+)</title>", dump(page, tmp_path, "--window-size=2000,1000"))
        assert title is not None
        assert int(title[1]) <= int(title[2]) <= width


@pytest.mark.parametrize("dark", [False, True])
def test_light_and_dark(full_run: RunResults, tmp_path: Path, dark: bool) -> None:
    script = "document.title = getComputedStyle(document.body).backgroundColor"
    flags = [f"--blink-settings=preferredColorScheme={0 if dark else 1}"]
    title = re.search(
        "<title>(.*?)</title>", dump(with_script(render(full_run, ""), script), tmp_path, *flags)
    )
    assert title is not None
    assert title[1] == ("rgb(18, 22, 26)" if dark else "rgb(255, 255, 255)")


def test_no_figure_is_cut_in_print(tmp_path: Path) -> None:
    """None is split between pages, and each fits on one of A4 (and of Letter) with its words."""
    script = """
      const rules = [...document.styleSheets[0].cssRules].filter((each) => each.media?.mediaText === "print");
      for (const rule of rules[0].cssRules)
        if (rule.selectorText) document.head.append(Object.assign(document.createElement("style"),
          { textContent: rule.cssText }));
      document.body.style.width = "680px";
      const plots = [...document.querySelectorAll(".plot")];
      document.title = [Math.max(...plots.map((each) => each.offsetHeight)), plots.length,
        plots.every((each) => getComputedStyle(each).breakInside === "avoid"),
        plots.every((each) => each.scrollWidth <= 680)].join(" ");
    """
    title = re.search("<title>(.*?)</title>", dump(with_script(whole(), script), tmp_path))
    assert title is not None
    tallest, count, kept, fits = title[1].split()
    assert int(count) >= 15
    assert int(tallest) < 940  # CSS pixels between the margins of a Letter page
    assert (kept, fits) == ("true", "true")


def test_sorting_the_cases_of_the_previous_run(tmp_path: Path) -> None:
    script = """
      const table = document.querySelector("#previous table.sortable");
      table.querySelectorAll("thead button")[3].click();
      document.title = [...table.tBodies[0].rows].map((row) => row.cells[3].dataset.sort).join();
    """
    title = re.search("<title>(.*?)</title>", dump(with_script(whole(), script), tmp_path))
    assert title is not None
    ratios = [float(each) for each in title[1].split(",")]
    assert len(ratios) > 1
    assert ratios == sorted(ratios, reverse=True)
