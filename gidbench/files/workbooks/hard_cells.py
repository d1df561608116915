"""Cells of a piece that the kernels leave to Python: runs of text, references, numbers that are not plain."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from gidbench.errors import InputError
from gidbench.files.workbooks import slow, values
from gidbench.files.workbooks.pieces import Piece
from gidbench.files.workbooks.sheet import Sheet
from gidbench.kernels import cell_texts, sheet_cells
from gidbench.kernels.memory import SLACK

_KIND, _LENGTH, _MASK = sheet_cells.KIND_SHIFT, sheet_cells.LENGTH_SHIFT, sheet_cells.PLACE_MASK


def hard_texts(
    sheet: Sheet,
    piece: Piece,
    cells: npt.NDArray[np.int64],
    numbers: npt.NDArray[np.uint8],
    hard: npt.NDArray[np.int64],
) -> npt.NDArray[np.uint8]:
    """The texts of the cells at the places `hard`, one after the other, with room to read beyond.

    `cells` then point to them; `numbers` tells which of them are numbers.
    """
    words = cells[hard].tolist()
    data = piece.data
    contents = [data[word & _MASK : (word & _MASK) + (word >> _LENGTH & _MASK)].tobytes() for word in words]
    items = iter(_item_texts(sheet, words, contents))
    since_1904 = sheet.book.since_1904
    texts: list[bytes] = []
    at = 0
    for place, word, content in zip(hard.tolist(), words, contents, strict=True):
        kind = word >> _KIND
        is_number = False
        if kind in (sheet_cells.RICH, sheet_cells.CODED):
            text = next(items)
        else:
            raw = _decoded(sheet, content)
            if kind == sheet_cells.ISO:
                text = values.iso_text(raw)
            elif kind == sheet_cells.TRUTH:
                text = values.truth_text(raw)
            else:
                text, is_number = values.cell_text(kind, raw, since_1904)
        numbers[place] = is_number
        encoded = text.encode("utf-8", "replace")
        texts.append(encoded)
        cells[place] = cell_texts.EXTRA << _KIND | len(encoded) << _LENGTH | at
        at += len(encoded)
    if at > _MASK:
        raise InputError(
            f"rows of {sheet.package.name} hold more than {_MASK:,} bytes of text", "Shorten its texts"
        )
    return np.frombuffer(b"".join(texts) + bytes(SLACK), np.uint8)


def not_utf8(sheet: Sheet) -> InputError:
    return InputError(
        f"{sheet.package.name} cannot be read as a workbook: its part {sheet.entry.name!r} holds bytes that are "
        "not UTF-8",
        "Save it anew from Excel as .xlsx",
    )


def _decoded(sheet: Sheet, content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise not_utf8(sheet) from error


def _item_texts(sheet: Sheet, words: list[int], contents: list[bytes]) -> list[str]:
    """The texts of those cells whose XML has to be looked at, by one run of the parser."""
    items = []
    for word, content in zip(words, contents, strict=True):
        if word >> _KIND == sheet_cells.RICH:
            items.append(b"<si>" + content + b"</si>")
        elif word >> _KIND == sheet_cells.CODED:
            items.append(b"<si><t>" + content + b"</t></si>")
    if not items:
        return []
    texts = slow.item_texts(sheet.package.name, sheet.entry.name, b"".join(items), sheet.spaces)
    if len(texts) != len(items):
        raise InputError(
            f"{sheet.package.name} cannot be read as a workbook: a text of its part {sheet.entry.name!r} ends "
            "before it began",
            "Save it anew from Excel as .xlsx",
        )
    return texts
