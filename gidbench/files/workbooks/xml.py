"""XML by expat, with what a workbook does not need refused: document types, and with them entities."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from xml.parsers import expat

from gidbench.errors import InputError

MAIN = (
    "http://schemas.openxmlformats.org/spreadsheetml/2006/main",
    "http://purl.oclc.org/ooxml/spreadsheetml/main",
)
RELATIONS = (
    "http://schemas.openxmlformats.org/officeDocument/2006/relationships",
    "http://purl.oclc.org/ooxml/officeDocument/relationships",
)
COMPATIBILITY = "http://schemas.openxmlformats.org/markup-compatibility/2006"
_LONGEST_TOKEN = 8 << 20  # of one tag or comment; it is scanned anew with all that is fed
_DEEPEST = 10_000
SEPARATOR = "|"


class NotWellFormed(InputError):
    """A part is no XML."""


Start = Callable[[str, str, dict[str, str]], Any]
"""Called with (namespace, local name, attributes); those of a namespace stand under "namespace|name"."""


class Parser:
    """An expat parser that names the workbook and the part in its errors."""

    def __init__(self, book: str, part: str, encoding: str | None = None) -> None:
        self._about = f"{part} of {book}"
        self._book = book
        self.expat = expat.ParserCreate(encoding, SEPARATOR)
        self.expat.buffer_text = True
        self.expat.buffer_size = 1 << 16
        self.expat.StartDoctypeDeclHandler = self._doctype
        self._fed = 0
        self._depth = 0
        self._start: Start | None = None
        self._end: Callable[[str, str], Any] | None = None

    def listen(
        self,
        start: Start,
        end: Callable[[str, str], Any] | None = None,
        text: Callable[[str], Any] | None = None,
    ) -> None:
        """Have these called; `text` may come in pieces."""
        self._start, self._end = start, end
        self.expat.StartElementHandler = self._started
        self.expat.EndElementHandler = self._ended
        self.expat.CharacterDataHandler = text

    def feed(self, data: bytes, last: bool = False) -> None:
        """Parse the next bytes. Raises InputError where they are not well-formed."""
        try:
            self.expat.Parse(data, last)
        except expat.ExpatError as error:
            raise NotWellFormed(
                f"{self._book} cannot be read as a workbook: the part {self._about} is no well-formed XML ({error})",
                "Save it anew from Excel as .xlsx",
            ) from error
        self._fed += len(data)
        if self._fed - max(0, self.expat.CurrentByteIndex) > _LONGEST_TOKEN:
            raise InputError(
                f"the part {self._about} has a tag of more than {_LONGEST_TOKEN:,} bytes",
                "Save it anew from Excel as .xlsx",
            )

    def error(self, what: str) -> InputError:
        """The error for content that makes no sense."""
        return InputError(
            f"{self._book} cannot be read as a workbook: in the part {self._about}, {what}",
            "Save it anew from Excel as .xlsx",
        )

    def _started(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise InputError(
                f"the part {self._about} has elements within elements more than {_DEEPEST:,} deep",
                "Save it anew from Excel as .xlsx",
            )
        if self._start is not None:
            space, _, local = name.rpartition(SEPARATOR)
            self._start(space, local, attributes)

    def _ended(self, name: str) -> None:
        self._depth -= 1
        if self._end is not None:
            space, _, local = name.rpartition(SEPARATOR)
            self._end(space, local)

    def _doctype(self, *_: Any) -> None:
        raise InputError(
            f"the part {self._about} declares a document type, with which entity expansion can fill the memory",
            "Save it anew from Excel as .xlsx",
        )
