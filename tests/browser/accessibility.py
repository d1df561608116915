"""axe-core against a page: no violation of WCAG 2.0, 2.1 and 2.2, A and AA."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page

TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


def violations(page: Page, *, within: str = "", excluded: Sequence[str] = ()) -> list[str]:
    """A line for each element that breaks a rule, in the part of the page that a selector names.

    `excluded` are selectors of what others put on the page; whoever names one gives the reason there.
    """
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    context: dict[str, Any] = {"exclude": [[selector] for selector in excluded]}
    if within:
        context["include"] = [[within]]
    options = {
        "runOnly": {"type": "tag", "values": TAGS},
        "rules": {"target-size": {"enabled": True}},  # WCAG 2.2; off unless asked for
        "resultTypes": ["violations"],
    }
    found = page.evaluate(
        "([context, options]) => axe.run(context.include || context.exclude.length ? context : document, options)",
        [context, options],
    )
    assert found["passes"], "axe looked at nothing"
    return [
        f"{rule['id']}: {' '.join(map(str, node['target']))} {json.dumps(node['html'][:160])} "
        + node.get("failureSummary", "").replace("\n", " ")
        for rule in found["violations"]
        for node in rule["nodes"]
    ]
