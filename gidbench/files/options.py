"""What a caller may say of a file that is read, and how much of it is taken in at most."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, fields

from gidbench.errors import InputError
from gidbench.files.encodings import canonical
from gidbench.settings import Settings

MOST_HEADER_ROWS = 100


@dataclass(frozen=True)
class Limits:
    """Bounds against hostile or broken files; beyond one an InputError names value, limit and remedy.

    Attributes
    ----------
    rows, columns:
        Of one table.
    field_bytes:
        Of one value.
    inflated_bytes:
        Of what a compressed file or a part of a workbook holds.
    inflate_ratio:
        Inflated bytes for each compressed one, once more than 64 MiB are inflated.
    shared_strings:
        Of a workbook.
    blank_cells:
        Cells of a sheet that are within its corners, but not in the file.
    links:
        Whether symbolic links, devices and pipes are read.
    """

    rows: int = 1 << 40
    columns: int = 16_384
    field_bytes: int = 1 << 20
    inflated_bytes: int = 64 << 30
    inflate_ratio: int = 1_000
    shared_strings: int = 1 << 26
    blank_cells: int = 1_000_000_000
    links: bool = False


@dataclass(frozen=True)
class ReadOptions:
    """Decisions that are the caller's; what is None is found out from the file.

    Attributes
    ----------
    encoding:
        Python's name of an encoding.
    delimiter, quote, escape:
        One character each; an empty `quote` or `escape` says that there is none. A delimiter with a space
        behind it has spaces around it that are no part of the fields; one space stands for any number of
        spaces, two for two or more.
    header:
        Rows of the header, 0 for none.
    sheet:
        Name of a workbook's sheet, or its number from 1.
    forgiving:
        Whether malformed records are mended where one reading of them fits, and footers and further tables
        set aside; otherwise such records are flagged, every one.
    is_header:
        Tells the header by its titles, wherever it stands.
    """

    encoding: str | None = None
    delimiter: str | None = None
    quote: str | None = None
    escape: str | None = None
    header: int | None = None
    sheet: str | int | None = None
    forgiving: bool = False
    is_header: Callable[[list[str]], bool] | None = None
    limits: Limits = field(default_factory=Limits)

    def check(self) -> None:
        """Raise InputError where something that was said cannot be meant, whatever the kind of file."""
        if self.encoding is not None:
            canonical(self.encoding)
        if self.header is not None and not 0 <= self.header <= MOST_HEADER_ROWS:
            raise InputError(
                f"a header of {self.header:,} rows is asked for, but it has 0 to {MOST_HEADER_ROWS}",
                "Give another number, or leave it out",
            )
        if isinstance(self.sheet, int) and self.sheet < 1:
            raise InputError(f"there is no sheet {self.sheet}", "Count sheets from 1")


DEFAULTS = ReadOptions()
_SETTING_OF = {
    each.name: each.name if each.name == "links" else f"max_{each.name}" for each in fields(Limits)
}
LIMITS = tuple(_SETTING_OF.values())  # the names of their settings


def limits_of(settings: Settings) -> Limits:
    """The bounds that settings give."""
    return Limits(**{name: getattr(settings, setting) for name, setting in _SETTING_OF.items()})
