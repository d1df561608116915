"""The workbench's panel on a page, as a person uses it."""

from __future__ import annotations

import re
from typing import Any

from playwright.sync_api import Locator, Page, expect

TIERS = re.compile("ULTRA|VERY HIGH|HIGH|STANDARD")
ENDS_WITHIN_MS = 120_000

# Presses a button and tells how many seconds it takes until the page shows what is waited for.
_SECONDS_UNTIL = """([button, shown]) => new Promise((done, refused) => {
    const pressed = performance.now();
    const look = () => {
        if (!document.querySelector(shown)) return;
        observer.disconnect();
        done((performance.now() - pressed) / 1000);
    };
    const observer = new MutationObserver(look);
    observer.observe(document.body, { childList: true, subtree: true, attributes: true });
    setTimeout(() => { observer.disconnect(); refused(new Error("it does not end")); }, 60000);
    document.querySelector(button).click();
})"""


class Bench:
    """The one panel of a page."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.root = page.locator(".gb")
        self.run_button, self.stop_button = (
            self.root.locator("button.gb-run"),
            self.root.locator("button.gb-stop"),
        )
        self.progress = self.root.get_by_role("progressbar")
        self.cards, self.problem = self.root.locator(".gb-card"), self.root.locator(".gb-message.gb-problem")
        self.live = self.root.locator(".gb-live")
        self.session = self.root.locator("table", has_text="Runs of this session")
        self.command_box = self.root.locator(".gb-command textarea")
        expect(self.run_button).to_be_visible(timeout=ENDS_WITHIN_MS)

    def field(self, name: str) -> Locator:
        return self.root.locator(f".gb-of-{name}")

    def type(self, name: str, text: str) -> None:
        """Write into a field, and leave it."""
        entry = self.field(name).locator("input").first
        entry.fill(text)
        entry.press("Tab")

    def choose(self, name: str, label: str) -> None:
        self.field(name).locator("select").select_option(label=label)

    def tick(self, name: str, label: str, wanted: bool) -> None:
        """Tick a box of a field, or take the tick away."""
        self.field(name).get_by_label(label, exact=True).set_checked(wanted)

    def slide_to(self, share: float) -> None:
        """Draw the slider's handle; the entry beside it is what those without a mouse use."""
        handle, track = self._handle(), self._track()
        middle = handle["y"] + handle["height"] / 2
        self.page.mouse.move(handle["x"] + handle["width"] / 2, middle)
        self.page.mouse.down()
        self.page.mouse.move(track["x"] + share * track["width"], middle, steps=5)
        self.page.mouse.up()

    def _handle(self) -> Any:
        return self.root.locator(".gb-records .noUi-touch-area").bounding_box()

    def _track(self) -> Any:
        return self.root.locator(".gb-records .noUi-base").bounding_box()

    def slider_stands_at(self) -> float:
        """Where the middle of the handle is on the track, from 0 to 1."""
        handle, track = self._handle(), self._track()
        return float((handle["x"] + handle["width"] / 2 - track["x"]) / track["width"])

    @property
    def command(self) -> str:
        return str(self.command_box.input_value())

    def expect_command(self, text: str) -> None:
        expect(self.command_box).to_have_value(text)

    def run(self) -> None:
        expect(self.run_button).to_be_enabled()
        self.run_button.click()
        expect(self.stop_button).to_be_enabled()

    def wait_for_the_end(self) -> None:
        expect(self.stop_button).to_be_disabled(timeout=ENDS_WITHIN_MS)
        expect(self.run_button).to_be_enabled(timeout=ENDS_WITHIN_MS)

    def share(self) -> float:
        """How far the bar says it is, in per cent."""
        return float(self.progress.get_attribute("aria-valuenow") or 0)

    def wait_until_further(self, than: float) -> float:
        """Until the bar is further than that; how far it is then."""
        self.page.wait_for_function(
            """(than) => {
                const bar = document.querySelector(".gb [role=progressbar]");
                return bar && Number(bar.getAttribute("aria-valuenow")) > than;
            }""",
            arg=than,
            timeout=ENDS_WITHIN_MS,
        )
        return self.share()

    def stop_and_time(self) -> float:
        """Press Stop; seconds until the page says that it has stopped, and Run can be pressed again."""
        shown = ".gb:has(.gb-message.gb-stopped) button.gb-run:enabled"
        seconds: Any = self.page.evaluate(_SECONDS_UNTIL, [".gb button.gb-stop", shown])
        return float(seconds)
