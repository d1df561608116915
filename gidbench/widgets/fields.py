"""What the workbench's controls are made of: entries, groups, and a place under each for a sentence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import ipywidgets
from traitlets import Unicode

from gidbench.widgets.live_numbers import escaped

SCALE = (
    '<div class="gb-scale gb-muted" aria-hidden="true">'
    + "".join(f"<span>{text}</span>" for text in ("100", "1 K", "10 K", "100 K", "1 M", "10 M", "100 M"))
    + "</div>"
)


class QuietText(ipywidgets.Text):  # type: ignore[misc]
    """A text box whose content is not sent back to the browser: it may hold a password until it is looked at."""

    value = Unicode("").tag(sync=True, echo_update=False)


class QuietPassword(ipywidgets.Password):  # type: ignore[misc]
    """The same with dots."""

    value = Unicode("").tag(sync=True, echo_update=False)


class Notes(dict[str, Any]):
    """The places for sentences, by the name of their control."""

    def place(self, name: str) -> Any:
        """A place for a sentence on several controls."""
        self[name] = ipywidgets.HTML()
        return self[name].add_class("gb-whole")

    def field(self, name: str, control: Any) -> Any:
        """A control with the place for its sentence under it."""
        self[name] = ipywidgets.HTML()
        return ipywidgets.VBox([control, self[name]]).add_class("gb-field").add_class(f"gb-of-{name}")

    def hint(self, name: str, words: str) -> None:
        """Say what may be known of a control; nothing where there are no words."""
        self[name].value = f'<p class="gb-hint">{escaped(words)}</p>' if words else ""

    def problem(self, name: str, words: str) -> None:
        """Say why a control's content cannot be used, aloud."""
        told = escaped(words[:1].upper() + words[1:])
        self[name].value = f'<p class="gb-problem" role="alert"><span aria-hidden="true">⚠</span> {told}</p>'


def text(label: str, value: str) -> ipywidgets.Text:
    return ipywidgets.Text(value=value, description=label)


def group(title: str, children: Sequence[Any]) -> ipywidgets.VBox:
    head = ipywidgets.HTML(f'<h4 class="gb-legend">{title}</h4>')
    grid = ipywidgets.HBox(list(children)).add_class("gb-grid")
    return ipywidgets.VBox([head, grid]).add_class("gb-group")
