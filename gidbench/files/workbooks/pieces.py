"""Cut a part's XML into pieces of whole rows, or whole strings, as it is inflated."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from gidbench.engine import ending, map_ordered
from gidbench.errors import InputError
from gidbench.files.workbooks.xml import MAIN, Parser
from gidbench.kernels import sheet_cuts
from gidbench.kernels.memory import SLACK

_AHEAD = 96  # bytes that the kernels read beyond the end
PIECE_BYTES = 2 << 20
_HEAD_BYTES = 4096  # what follows the element costs a call for each tag
_LONGEST_ITEM = 128 << 20  # of one row; kernels count its bytes in 28 bits
_PLAIN_ENCODINGS = (None, "utf-8", "us-ascii", "ascii")


class Strange(Exception):
    """The part holds something that only an XML parser can be trusted with."""


class Unordered(Exception):
    """Rows stand out of order."""


@dataclass
class Head:
    """What stands before the items of a part, as far as it matters.

    Attributes
    ----------
    spaces:
        Namespaces by prefix, as they are declared up to there.
    prefix:
        That of the element around the items.
    behind:
        The first bytes behind that element's tag.
    empty:
        Whether it has no content.
    """

    spaces: dict[str, str] = field(default_factory=dict)
    prefix: str = ""
    behind: bytes = b""
    empty: bool = False


@dataclass(frozen=True)
class Piece:
    """Whole items of a part, without the prefix of their tags.

    Attributes
    ----------
    data:
        Their bytes are data[start:end]; more is readable beyond.
    last_row, end_row:
        Number of the row before the first one, and of the last one; rows count from 1.
    count:
        How many items there are.
    """

    data: npt.NDArray[np.uint8]
    start: int
    end: int
    last_row: int
    end_row: int
    count: int

    def content(self) -> bytes:
        return self.data[self.start : self.end].tobytes()


def prefetched(blocks: Iterator[bytes]) -> Generator[bytes, None, None]:
    """The same blocks, the next ones made on another thread while one is worked on."""

    def step(_: int) -> bytes | None:
        return next(blocks, None)

    def endless() -> Iterator[int]:
        while True:
            yield 0

    with ending(map_ordered(step, endless(), workers=1)) as made:
        for block in made:
            if block is None:
                return
            yield block


def read_head(book: str, part: str, blocks: Iterator[bytes], element: str) -> Head | None:
    """Read up to the element of the main namespace that holds the items; None where there is none.

    Raises Strange where the encoding is not UTF-8.
    """
    head = Head()
    parser = Parser(book, part)
    found: list[int] = []
    encodings: list[str | None] = []
    depth = [0]
    root = "sst" if element == "sst" else "worksheet"

    def start(space: str, local: str, _: dict[str, str]) -> None:
        depth[0] += 1
        wanted = 1 if element == root else 2
        if not found and local == element and space in MAIN and depth[0] == wanted:
            found.append(parser.expat.CurrentByteIndex)
            parser.expat.StartNamespaceDeclHandler = None

    def end(_: str, __: str) -> None:
        depth[0] -= 1

    def declared(prefix: str | None, uri: str | None) -> None:
        if not found:
            head.spaces[prefix or ""] = uri or ""

    parser.listen(start, end)
    parser.expat.StartNamespaceDeclHandler = declared
    parser.expat.XmlDeclHandler = lambda _, encoding, __: encodings.append(encoding)
    seen: list[bytes] = []
    for block in blocks:
        if not seen and block[:2] in (b"\xff\xfe", b"\xfe\xff", b"<\0", b"\0<"):
            raise Strange("it is not in UTF-8")
        seen.append(block)
        at, step = 0, _HEAD_BYTES
        while at < len(block):
            parser.feed(block[at : at + step])
            at, step = at + step, step * 2
            if encodings and (encodings[0] or "utf-8").lower() not in _PLAIN_ENCODINGS:
                raise Strange("it is not in UTF-8")
            if found:
                break
        if found:
            break
    else:
        parser.feed(b"", True)
        return None
    return _cut_head(head, b"".join(seen), found[0], blocks)


def _cut_head(head: Head, content: bytes, at: int, blocks: Iterator[bytes]) -> Head:
    """Find the end of the tag that begins at a place."""
    while (stop := _tag_end(content, at)) < 0:
        more = next(blocks, b"")
        if not more or len(content) > _LONGEST_ITEM:
            raise Strange("a tag has no end")
        content += more
    name = content[at + 1 : stop].split(None, 1)[0].rstrip(b"/")
    prefix, colon, _ = name.rpartition(b":")
    head.prefix = prefix.decode() if colon else ""
    head.empty = content[stop - 1 : stop] == b"/"
    head.behind = content[stop + 1 :]
    return head


def _tag_end(content: bytes, at: int) -> int:
    quote = 0
    for place in range(at, len(content)):
        byte = content[place]
        if quote:
            quote = 0 if byte == quote else quote
        elif byte in b"\"'":
            quote = byte
        elif byte == 62:
            return place
    return -1


class Cutter:
    """Pieces of whole items, at most `most` rows each, from blocks of XML."""

    def __init__(self, name: str, part: str, head: Head, *, rows: bool, most: int, dense: bool) -> None:
        self._name, self._part, self._head = name, part, head
        self._kind = (sheet_cuts.ROW, 3) if rows else (sheet_cuts.STRING, 2)
        self._rows, self._most, self._dense = rows, most, dense
        self._found = np.zeros(sheet_cuts.FOUND, np.int64)
        self.last_row = 0

    def pieces(self, blocks: Iterable[bytes], piece_bytes: int) -> Iterator[Piece]:
        """Raises Strange or Unordered, and InputError where the part ends before its items do."""
        rest = b""
        collected: list[bytes] = []
        size = 0
        source = self._plain(blocks)
        for block in source:
            collected.append(block)
            size += len(block)
            if size + len(rest) < piece_bytes:
                continue
            left = yield from self._cut(_joined(rest, collected))
            collected, size = [], 0
            if left is None:
                for _ in source:  # to its end, so that its checksum is looked at
                    pass
                return
            rest = left
            if len(rest) > _LONGEST_ITEM:
                raise InputError(
                    f"a row of {self._name} takes more than {_LONGEST_ITEM:,} bytes",
                    "Save it anew from Excel",
                )
        if (yield from self._cut(_joined(rest, collected))) is not None:
            raise Strange("it ends before its items do")

    def _plain(self, blocks: Iterable[bytes]) -> Iterator[bytes]:
        """The blocks without the prefix of their tags; tags are not cut apart."""
        first = [self._head.behind] if self._head.behind else []
        if not self._head.prefix:
            yield from first
            yield from blocks
            return
        opening = f"<{self._head.prefix}:".encode()
        closing = f"</{self._head.prefix}:".encode()
        kept = b""

        def both() -> Iterator[bytes]:
            yield from first
            yield from blocks

        for block in both():
            block = kept + block
            cut = block.rfind(b"<", max(0, len(block) - len(closing)))
            kept = b"" if cut < 0 else block[cut:]
            yield (block if cut < 0 else block[:cut]).replace(opening, b"<").replace(closing, b"</")
        yield kept.replace(opening, b"<").replace(closing, b"</")

    def _cut(self, joined: tuple[npt.NDArray[np.uint8], int]) -> Generator[Piece, None, bytes | None]:
        """Pieces of some bytes; returns what is left of them, or None where the items are over."""
        data, end = joined
        start = 0
        found = self._found
        while True:
            sheet_cuts.cut_items(
                data, start, end, *self._kind, self.last_row, self._most, int(self._dense), found
            )
            cut, row, count, status, next_row = found.tolist()
            if status == sheet_cuts.STRANGE:
                raise Strange("it holds comments, CDATA or elements that are not known")
            if status == sheet_cuts.UNORDERED:
                raise Unordered
            if count:
                yield Piece(data, start, cut, self.last_row, row if self._rows else 0, count)
                self.last_row = row if self._rows else 0
                start = cut
            elif next_row:  # a gap of more rows than a piece may have
                row = min(next_row - 1, self.last_row + self._most)
                yield Piece(data, start, start, self.last_row, row, 0)
                self.last_row = row
            if status == sheet_cuts.OVER:
                return None
            if not next_row:
                return data[start:end].tobytes()


def _joined(rest: bytes, blocks: list[bytes]) -> tuple[npt.NDArray[np.uint8], int]:
    """(array of all bytes, with room to read beyond; how many count)."""
    size = len(rest) + sum(map(len, blocks))
    data = np.empty(size + _AHEAD + SLACK, np.uint8)
    at = 0
    for block in (rest, *blocks):
        data[at : at + len(block)] = np.frombuffer(block, np.uint8)
        at += len(block)
    data[size:] = 32
    return data, size
