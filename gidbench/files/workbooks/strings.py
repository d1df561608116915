"""Shared strings: texts that stay where their pieces were decoded, found by address."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from contextlib import closing

import numpy as np
import numpy.typing as npt

from gidbench.arrays import array_address
from gidbench.errors import InputError
from gidbench.files.options import Limits
from gidbench.files.workbooks import slow
from gidbench.files.workbooks.container import Entry, Package
from gidbench.files.workbooks.pieces import PIECE_BYTES, Cutter, Piece, Strange, prefetched, read_head
from gidbench.kernels import shared_texts
from gidbench.kernels.memory import SLACK

_MOST_BYTES = 640 << 20  # of all texts together
_BATCH = 65_536
_LATELY = 4_096


class SharedStrings:
    """The texts that cells name by number.

    Attributes
    ----------
    addresses, lengths:
        int64 and int32 (n,): where each text stands, and its bytes. 64 bytes beyond are readable.
    """

    def __init__(self, name: str, limits: Limits) -> None:
        self._name, self._limits = name, limits
        self._kept: list[npt.NDArray[np.uint8]] = []
        self._parts: list[tuple[npt.NDArray[np.int64], npt.NDArray[np.int32]]] = []
        self._firsts: list[int] = []  # number of the first text of each piece
        self._lately: dict[int, str] = {}
        self._count = self._bytes = 0
        self.addresses, self.lengths = np.empty(0, np.int64), np.empty(0, np.int32)

    def string(self, number: int) -> str:
        """The text of a number below len(self). Those asked for lately are the same object."""
        if (found := self._lately.get(number)) is None:
            if len(self._lately) >= _LATELY:
                self._lately = {}
            found = self._lately[number] = self._decoded(number)
        return found

    def _decoded(self, number: int) -> str:
        texts = self._kept[bisect_right(self._firsts, number) - 1]
        start, length = int(self.addresses[number]) - array_address(texts), int(self.lengths[number])
        return texts[start : start + length].tobytes().decode()

    def __len__(self) -> int:
        return self._count

    def add(
        self, texts: npt.NDArray[np.uint8], places: npt.NDArray[np.int64], lengths: npt.NDArray[np.int32]
    ) -> None:
        """Take in more texts. Raises InputError where they are too many, or one is too long."""
        if not lengths.size:
            return
        self._firsts.append(self._count)
        self._count += len(lengths)
        self._bytes += texts.size
        limits = self._limits
        if self._count > limits.shared_strings:
            raise InputError(
                f"{self._name} has more than {limits.shared_strings:,} shared strings",
                "Raise the limit shared_strings if the file can be trusted",
            )
        if int(lengths.max()) > limits.field_bytes:
            raise InputError(
                f"{self._name} has a text of {int(lengths.max()):,} bytes; {limits.field_bytes:,} are the most",
                "Raise the limit field_bytes if the file can be trusted",
            )
        if self._bytes > _MOST_BYTES:
            raise InputError(
                f"{self._name} has more than {_MOST_BYTES:,} bytes of shared strings", "Save it as .csv"
            )
        self._kept.append(texts)
        self._parts.append((places + array_address(texts), lengths))

    def seal(self) -> None:
        """Make `addresses` and `lengths` of all that was added."""
        if self._parts:
            self.addresses = np.concatenate([part[0] for part in self._parts])
            self.lengths = np.concatenate([part[1] for part in self._parts])
        self._parts = []


def read_strings(package: Package, entry: Entry | None, limits: Limits) -> SharedStrings:
    """All shared strings of a workbook; none where it has no such part."""
    found = SharedStrings(package.name, limits)
    if entry is not None:
        try:
            _read_fast(package, entry, found)
        except Strange:
            found = SharedStrings(package.name, limits)
            texts = slow.parse_strings(package.name, entry.name, package.blocks(entry))
            batch: list[str] = []
            for text in texts:
                batch.append(text)
                if len(batch) == _BATCH:
                    _add_texts(found, batch)
                    batch = []
            _add_texts(found, batch)
    found.seal()
    return found


def _read_fast(package: Package, entry: Entry, found: SharedStrings) -> None:
    with closing(prefetched(package.blocks(entry))) as blocks:
        head = read_head(package.name, entry.name, blocks, "sst")
        if head is None or head.empty:
            return
        cutter = Cutter(package.name, entry.name, head, rows=False, most=1 << 40, dense=False)
        for piece in cutter.pieces(blocks, PIECE_BYTES):
            _add_piece(package, entry, piece, head.spaces, found)


def _add_piece(
    package: Package, entry: Entry, piece: Piece, spaces: dict[str, str], found: SharedStrings
) -> None:
    count = piece.count
    out = np.empty(piece.end - piece.start + SLACK, np.uint8)
    places, lengths = np.empty(count, np.int64), np.empty(count, np.int32)
    spans, hard = np.empty(count + 1, np.int64), np.empty(count, np.int64)
    hards = int(
        shared_texts.scan_strings(piece.data, piece.start, piece.end, places, lengths, spans, hard, out)
    )
    if hards < 0:
        raise Strange("a string is not known")
    used = int((places + lengths).max(initial=0))
    if hards:
        content = b"".join(
            piece.data[spans[number] : spans[number + 1]].tobytes() for number in hard[:hards].tolist()
        )
        texts = [text.encode() for text in slow.item_texts(package.name, entry.name, content, spaces)]
        if len(texts) != hards:
            raise Strange("a string is not known")
        further = np.frombuffer(b"".join(texts), np.uint8)
        sizes = np.fromiter(map(len, texts), np.int32, hards)
        places[hard[:hards]] = used + np.cumsum(sizes) - sizes
        lengths[hard[:hards]] = sizes
        out = np.concatenate([out[:used], further, np.empty(SLACK, np.uint8)])
        used += further.size
    kept = out[: used + SLACK].copy() if used + SLACK < out.size else out
    _check_text(kept[:used])
    found.add(kept, places, lengths)


def _check_text(texts: npt.NDArray[np.uint8]) -> None:
    if texts.size and texts.max() >= 0x80:
        try:
            texts.tobytes().decode()
        except UnicodeDecodeError as error:
            raise Strange("it is not in UTF-8") from error


def _add_texts(found: SharedStrings, batch: Iterable[str]) -> None:
    texts = [text.encode("utf-8", "replace") for text in batch]
    lengths = np.fromiter(map(len, texts), np.int32, len(texts))
    joined = np.frombuffer(b"".join(texts) + bytes(SLACK), np.uint8)
    found.add(joined, np.cumsum(lengths, dtype=np.int64) - lengths, lengths)
