"""A TCP proxy on this machine that breaks what passes through it, where and as it is told."""

from __future__ import annotations

import contextlib
import random
import socket
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

UP, DOWN = "up", "down"  # from the client to the server, and back
_CHUNK = 65_536
_LINGER_NOT = struct.pack("ii", 1, 0)  # close() then sends RST


@dataclass
class Link:
    """One connection of a client, and the proxy's own to the server."""

    client: socket.socket
    server: socket.socket
    _closed: threading.Event = field(default_factory=threading.Event)

    def cut(self, *, reset: bool = False) -> None:
        """End it in both directions: in order (FIN), or by a reset (RST)."""
        if self._closed.is_set():
            return
        self._closed.set()
        for end in (self.client, self.server):
            with contextlib.suppress(OSError):
                if reset:
                    end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NOT)
                else:
                    end.shutdown(socket.SHUT_RDWR)
        for end in (self.client, self.server):
            with contextlib.suppress(OSError):
                if reset:  # a thread that waits in recv() holds the socket open: close() alone sends nothing
                    end.shutdown(socket.SHUT_RD)
                end.close()

    @property
    def is_open(self) -> bool:
        return not self._closed.is_set()


@dataclass
class _Trigger:
    """Something to happen once, when so many more bytes (or pieces) have passed in a direction."""

    directions: tuple[str, ...]
    left: int
    act: Callable[[Link], None]
    in_bytes: bool = True


class Proxy:
    """Hands on bytes between clients and one server until it is told otherwise.

    Parameters
    ----------
    seed:
        Of what is left to chance (`cut_some`).

    Attributes
    ----------
    moved:
        Bytes handed on so far, by direction.
    pieces:
        In how many pieces they came in.
    refused:
        Connections that were turned away.
    """

    def __init__(self, host: str, port: int, seed: int = 0) -> None:
        self.moved = {UP: 0, DOWN: 0}
        self.pieces = 0
        self.refused = self.accepted = 0
        self._server = (host, port)
        self._chance = random.Random(seed)
        self._lock = threading.Lock()
        self._links: list[Link] = []
        self._triggers: list[_Trigger] = []
        self._refuse_until = self._stall_until = 0.0
        self._bytes_per_s = 0.0
        self._over = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, name="proxy", daemon=True).start()

    def __enter__(self) -> Proxy:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # what happens when

    def after(self, count: int, direction: str, act: Callable[[Link], None]) -> None:
        """Once, when `count` more bytes have passed: exactly so many, then `act` with the link of the last of them."""
        with self._lock:
            self._triggers.append(_Trigger((direction,), count, act))

    def at_piece(self, number: int, act: Callable[[Link], None]) -> None:
        """Once, before the next piece but `number` is handed on, in whichever direction: as it came in at once."""
        with self._lock:
            self._triggers.append(_Trigger((UP, DOWN), number, act, in_bytes=False))

    def forget(self) -> None:
        """Drop what was to happen, and be a plain proxy again."""
        with self._lock:
            self._triggers.clear()
            self._refuse_until = self._stall_until = self._bytes_per_s = 0.0

    def cut_all(self, *, reset: bool = False) -> int:
        """End every connection; returns how many there were."""
        links = self.links()
        for link in links:
            link.cut(reset=reset)
        return len(links)

    def cut_some(self, *, reset: bool = False) -> int:
        """End each connection by the toss of a coin, and one at least."""
        links = self.links()
        chosen = [link for link in links if self._chance.random() < 0.5] or links[:1]
        for link in chosen:
            link.cut(reset=reset)
        return len(chosen)

    def refuse(self, seconds: float) -> None:
        """Turn new connections away for a time."""
        self._refuse_until = time.monotonic() + seconds

    def stall(self, seconds: float) -> None:
        """Hand nothing on for a time; nobody is told."""
        self._stall_until = time.monotonic() + seconds

    def slow_down(self, bytes_per_s: float) -> None:
        """Of each direction of each connection."""
        self._bytes_per_s = bytes_per_s

    def links(self) -> list[Link]:
        with self._lock:
            self._links = [link for link in self._links if link.is_open]
            return list(self._links)

    def close(self) -> None:
        self._over.set()
        self._stall_until = 0.0
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut_all()

    # handing on

    def _accept(self) -> None:
        while not self._over.is_set():
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            if time.monotonic() < self._refuse_until:
                self.refused += 1
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NOT)
                client.close()
                continue
            try:
                server = socket.create_connection(self._server, timeout=10)
            except OSError:
                client.close()
                continue
            for end in (client, server):
                end.settimeout(None)
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            link = Link(client, server)
            with self._lock:
                self.accepted += 1
                self._links.append(link)
            for direction, source, goal in ((UP, client, server), (DOWN, server, client)):
                threading.Thread(target=self._pump, args=(link, direction, source, goal), daemon=True).start()

    def _pump(self, link: Link, direction: str, source: socket.socket, goal: socket.socket) -> None:
        try:
            while link.is_open and (data := source.recv(_CHUNK)):
                for trigger in self._due_before(direction):
                    trigger.act(link)
                while data and link.is_open:
                    count, due = self._allowed(direction, len(data))
                    self._wait(count)
                    if link.is_open:
                        goal.sendall(data[:count])
                        data = data[count:]
                    for trigger in due:
                        trigger.act(link)
        except OSError:
            pass
        finally:
            link.cut()

    def _due_before(self, direction: str) -> list[_Trigger]:
        """What happens before a piece that has just come in is handed on."""
        with self._lock:
            self.pieces += 1
            return self._count(direction, 1, in_bytes=False)

    def _allowed(self, direction: str, count: int) -> tuple[int, list[_Trigger]]:
        """How many bytes may pass before something happens, and what then happens."""
        with self._lock:
            lefts = [t.left for t in self._triggers if t.in_bytes and direction in t.directions]
            count = min([count, *lefts])
            self.moved[direction] += count
            return count, self._count(direction, count, in_bytes=True)

    def _count(self, direction: str, count: int, *, in_bytes: bool) -> list[_Trigger]:
        due = []
        for trigger in self._triggers:
            if trigger.in_bytes == in_bytes and direction in trigger.directions:
                trigger.left -= count
                if trigger.left <= 0:
                    due.append(trigger)
        self._triggers = [trigger for trigger in self._triggers if trigger not in due]
        return due

    def _wait(self, count: int) -> None:
        if self._bytes_per_s:
            self._over.wait(count / self._bytes_per_s)
        while (left := self._stall_until - time.monotonic()) > 0 and not self._over.is_set():
            self._over.wait(min(left, 0.05))
