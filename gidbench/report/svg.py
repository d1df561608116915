"""From a matplotlib figure to an inline SVG that takes the page's font and colours."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from xml.etree import ElementTree

import matplotlib
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

# Drawn in colours that nothing else has, which then become the page's, so that a figure follows light and
# dark. The second value is for a page without the variable. Hues are of Okabe and Ito (2008).
_SENTINELS = {
    "#010203": "currentColor",
    "#040506": "var(--muted, #5b6570)",
    "#070809": "var(--rule, #c9d0d6)",
    "#0a0b0c": "var(--blue, #0072b2)",
    "#0d0e0f": "var(--green, #007a59)",
    "#101112": "var(--vermillion, #d55e00)",
    "#131415": "var(--surface, #ffffff)",
}
INK, MUTED, RULE, BLUE, GREEN, VERMILLION, SURFACE = _SENTINELS

_SVG = "{http://www.w3.org/2000/svg}"
_XLINK_HREF = "{http://www.w3.org/1999/xlink}href"
_COLOUR = re.compile("|".join(_SENTINELS), re.IGNORECASE)
# The family is the page's. matplotlib before 3.11 writes the shorthand `font: bold 12px 'DejaVu Sans', …`.
_FAMILY = re.compile(r"\s*font-family:[^;]*;?")
_FONT = re.compile(r"font:\s*(?:(?P<weight>bold|[1-9]00)\s+)?(?P<size>[\d.]+)px[^;]*")
_REFERENCE = re.compile(r"(?:url\(#|^#)([^)]+)\)?")


@contextmanager
def own_style(prefix: str) -> Iterator[None]:
    """matplotlib's own defaults for as long as a figure is made, whatever style a notebook has set.

    The salt makes the names of markers and clip paths depend on `prefix` alone; else they are random, and
    no two pages would be equal.
    """
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": prefix})
        yield


def new_figure(width: int, height: int) -> Figure:
    """An empty, transparent figure of so many CSS pixels: at 72 dots per inch, a point is a pixel."""
    return Figure(figsize=(width / 72, height / 72), dpi=72, facecolor="none")


def inline_svg(figure: Figure, prefix: str, title: str, description: str) -> str:
    """The figure as one `<svg>` element with a text alternative; several on one page do not clash.

    Parameters
    ----------
    prefix:
        Begins every id; unique on the page, letters, digits and dashes; the same as for `own_style`, in
        which the figure must have been made and this be called.
    title, description:
        What the figure is, and what it shows, for those who do not see it.
    """
    buffer = io.StringIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # glyphs that matplotlib lacks, the browser has
        nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
        FigureCanvasSVG(figure).print_svg(buffer, metadata=nothing)
    source = ElementTree.fromstring(buffer.getvalue())
    _, _, width, height = source.attrib["viewBox"].split()
    used = {name for element in source.iter() for name in _references(element)}
    root = ElementTree.Element(
        "svg",
        {
            "xmlns": "http://www.w3.org/2000/svg",
            "viewBox": f"0 0 {width} {height}",
            "style": "stroke-linejoin: round",
            "role": "img",
            "aria-labelledby": f"{prefix}-title {prefix}-desc",
        },
    )
    ElementTree.SubElement(root, "title", {"id": f"{prefix}-title"}).text = title
    ElementTree.SubElement(root, "desc", {"id": f"{prefix}-desc"}).text = description
    for child in source:
        if child.tag != f"{_SVG}metadata":
            _adopt(child, root, prefix, used)
    return ElementTree.tostring(root, encoding="unicode")


def _references(element: ElementTree.Element) -> set[str]:
    """Ids that the element's attributes point to."""
    return {match[1] for value in element.attrib.values() for match in _REFERENCE.finditer(value)}


def _adopt(element: ElementTree.Element, parent: ElementTree.Element, prefix: str, used: set[str]) -> None:
    """Copy an element without namespaces, unused ids and white space; groups that say nothing dissolve."""
    tag = element.tag.removeprefix(_SVG)
    if tag == "style":  # matplotlib's only rule, which would hold for the whole page
        return
    attributes = {}
    for name, value in element.attrib.items():
        if name == "id":
            if value in used:
                attributes["id"] = f"{prefix}-{value}"
        elif name == _XLINK_HREF:
            attributes["href"] = f"#{prefix}-{value.removeprefix('#')}"
        elif not value.startswith("rotate(-0"):
            attributes[name] = _restyled(value).replace("url(#", f"url(#{prefix}-")
    new = parent if tag == "g" and not attributes else ElementTree.SubElement(parent, tag, attributes)
    if element.text and element.text.strip():
        new.text = element.text
    for child in element:
        _adopt(child, new, prefix, used)
    if tag == "defs" and not len(new):
        parent.remove(new)


def _restyled(value: str) -> str:
    value = _COLOUR.sub(lambda match: _SENTINELS[match[0].lower()], " ".join(value.split()))
    value = _FAMILY.sub("", value)
    return _FONT.sub(
        lambda match: (
            (f"font-weight: {match['weight']}; " if match["weight"] else "") + f"font-size: {match['size']}px"
        ),
        value,
    )
