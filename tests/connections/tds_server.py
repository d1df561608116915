"""A server that speaks just enough of SQL Server's protocol (MS-TDS) to log in and to answer, or to refuse.

It shows what no server in reach does: which password arrives, and what drivers make of any error number.
"""

from __future__ import annotations

import contextlib
import re
import socket
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

BATCH, RPC, LOGIN, PRELOGIN = 0x01, 0x03, 0x10, 0x12


@dataclass(frozen=True)
class Login:
    user: str
    password: str
    application: str
    database: str
    packet_bytes: int


@dataclass(frozen=True)
class Refusal:
    """An error of the server: number, severity, text."""

    number: int
    text: str
    severity: int = 16


Answer = Callable[[str], Refusal | None]


@dataclass
class TdsServer:
    """`refuse_login` and `refuse` decide, for each login and for each statement, whether and how it fails."""

    refuse_login: Callable[[Login], Refusal | None] = lambda login: None
    refuse: Answer = lambda statement: None
    logins: list[Login] = field(default_factory=list)
    statements: list[str] = field(default_factory=list)
    port: int = 0

    def __enter__(self) -> TdsServer:
        self._listener = socket.create_server(("127.0.0.1", self.port))
        self.port = self._listener.getsockname()[1]
        self._open: set[socket.socket] = set()
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()
        self.cut()

    def cut(self) -> None:
        """End every connection without a word."""
        for one in list(self._open):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
        self._open.clear()

    @property
    def connected(self) -> int:
        return len(self._open)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self._open.add(client)
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        try:
            while True:
                kind, body = _receive(client)
                answer = self._answer(kind, body)
                client.sendall(_packets(answer))
                if kind == LOGIN and answer[:1] == b"\xaa":
                    return
        except (OSError, ConnectionError, struct.error):
            pass
        finally:
            self._open.discard(client)
            client.close()

    def _answer(self, kind: int, body: bytes) -> bytes:
        if kind == PRELOGIN:
            return _prelogin()
        if kind == LOGIN:
            login = _read_login(body)
            self.logins.append(login)
            refusal = self.refuse_login(login)
            return _login_ack() + _done() if refusal is None else _error(refusal) + _done(failed=True)
        if kind not in (BATCH, RPC):  # an attention, or a transaction's begin and end
            return _done()
        statement = body.decode("utf-16-le", "replace")
        self.statements.append(statement)
        refusal = self.refuse(statement)
        if refusal is not None:
            return _error(refusal) + _done(failed=True)
        return (_one_row() if re.search(r"SELECT", statement) else b"") + _done()


def _receive(client: socket.socket) -> tuple[int, bytes]:
    body = b""
    while True:
        kind, status, size = struct.unpack(">BBHxxxx", _exactly(client, 8))
        body += _exactly(client, size - 8)
        if status & 1:
            break
    if kind in (BATCH, RPC):  # in front of both stand headers, their length first
        body = body[struct.unpack_from("<I", body)[0] :]
    return kind, body


def _exactly(client: socket.socket, size: int) -> bytes:
    body = b""
    while len(body) < size:
        piece = client.recv(size - len(body))
        if not piece:
            raise ConnectionError
        body += piece
    return body


def _packets(body: bytes) -> bytes:
    assert len(body) < 4_000
    return struct.pack(">BBHHBB", 0x04, 0x01, len(body) + 8, 0, 1, 0) + body


def _prelogin() -> bytes:
    options = ((0, b"\x10\x00\x03\xe8\x00\x00"), (1, b"\x02"), (2, b"\x00"), (3, b""), (4, b"\x00"))
    offset, index, data = len(options) * 5 + 1, b"", b""
    for token, value in options:
        index += struct.pack(">BHH", token, offset + len(data), len(value))
        data += value
    return index + b"\xff" + data


def _read_login(body: bytes) -> Login:
    def text(at: int, *, hidden: bool = False) -> str:
        offset, length = struct.unpack_from("<HH", body, at)
        raw = body[offset : offset + 2 * length]
        if hidden:
            raw = bytes((byte ^ 0xA5) >> 4 | ((byte ^ 0xA5) << 4) & 0xF0 for byte in raw)
        return raw.decode("utf-16-le")

    return Login(text(40), text(44, hidden=True), text(48), text(68), struct.unpack_from("<I", body, 8)[0])


def _login_ack() -> bytes:
    name = "Fake".encode("utf-16-le")
    body = b"\x01\x74\x00\x00\x04" + bytes([len(name) // 2]) + name + b"\x10\x00\x03\xe8"
    collation = b"\x09\x04\xd0\x00\x34"
    return (
        b"\xe3" + struct.pack("<H", 8) + b"\x07\x05" + collation + b"\x00"
        + b"\xad" + struct.pack("<H", len(body)) + body
    )  # fmt: skip


def _error(refusal: Refusal) -> bytes:
    text = refusal.text.encode("utf-16-le")
    body = struct.pack("<iBB", refusal.number, 1, refusal.severity)
    body += struct.pack("<H", len(refusal.text)) + text + b"\x00\x00" + struct.pack("<I", 1)
    return b"\xaa" + struct.pack("<H", len(body)) + body


def _done(*, failed: bool = False) -> bytes:
    return b"\xfd" + struct.pack("<HHQ", 2 if failed else 0, 0, 0)


def _one_row() -> bytes:
    """One column of type int without a name, one row of 1."""
    return b"\x81\x01\x00" + struct.pack("<IH", 0, 0) + b"\x38\x00" + b"\xd1" + struct.pack("<i", 1)
