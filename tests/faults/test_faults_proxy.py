"""The proxy itself, between a client and a server of this process that sends back what it gets."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator

import pytest
from proxy import DOWN, UP, Proxy


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    listener = socket.create_server(("127.0.0.1", 0))

    def echo(end: socket.socket) -> None:
        with end, contextlib.suppress(ConnectionError):
            while data := end.recv(65_536):
                end.sendall(data)

    def serve() -> None:
        while True:
            try:
                end, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=echo, args=(end,), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    with Proxy(*listener.getsockname()) as made:
        yield made
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()


def client(proxy: Proxy) -> socket.socket:
    return socket.create_connection(("127.0.0.1", proxy.port), timeout=10)


def received(end: socket.socket, count: int) -> bytes:
    """So many bytes, or all until the end."""
    found = b""
    while len(found) < count and (data := end.recv(count - len(found))):
        found += data
    return found


def test_it_hands_on_what_it_gets(proxy: Proxy) -> None:
    sent = bytes(range(256)) * 2000
    with client(proxy) as end:
        threading.Thread(target=end.sendall, args=(sent,)).start()
        assert received(end, len(sent)) == sent
    assert proxy.moved == {UP: len(sent), DOWN: len(sent)}


@pytest.mark.parametrize("direction", [UP, DOWN])
def test_it_cuts_after_exactly_so_many_bytes(proxy: Proxy, direction: str) -> None:
    proxy.after(1000, direction, lambda link: link.cut())
    with client(proxy) as end:
        end.sendall(b"x" * 5000)
        found = received(end, 5000)
    assert proxy.moved[direction] == 1000
    assert len(found) == 1000 if direction == DOWN else len(found) <= 1000


def test_it_cuts_before_a_piece(proxy: Proxy) -> None:
    proxy.at_piece(4, lambda link: link.cut())
    with client(proxy) as end:
        end.sendall(b"first")
        assert received(end, 5) == b"first"
        end.sendall(b"again")
        assert received(end, 5) == b""
    assert proxy.moved == {UP: 10, DOWN: 5}


def test_a_reset_is_one(proxy: Proxy) -> None:
    with client(proxy) as end:
        end.sendall(b"x")
        assert received(end, 1) == b"x"
        assert proxy.cut_all(reset=True) == 1
        with pytest.raises(ConnectionResetError):
            received(end, 1)
    with client(proxy) as end:  # others are not concerned
        end.sendall(b"y")
        assert received(end, 1) == b"y"


def test_it_cuts_some_by_its_seed_and_one_at_least(proxy: Proxy) -> None:
    ends = [client(proxy) for _ in range(6)]
    for end in ends:
        end.sendall(b"x")
        assert received(end, 1) == b"x"
    cut = proxy.cut_some()
    assert 1 <= cut < 6
    assert len(proxy.links()) == 6 - cut
    for end in ends:
        end.close()


def test_it_refuses_for_a_time(proxy: Proxy) -> None:
    proxy.refuse(0.3)
    with pytest.raises(ConnectionError), client(proxy) as end:
        end.sendall(b"x")
        assert received(end, 1)
        raise AssertionError("it was let in")
    assert proxy.refused == 1
    time.sleep(0.3)
    with client(proxy) as end:
        end.sendall(b"x")
        assert received(end, 1) == b"x"


def test_it_hands_nothing_on_for_a_time_and_then_all(proxy: Proxy) -> None:
    with client(proxy) as end:
        end.sendall(b"x")
        assert received(end, 1) == b"x"
        proxy.stall(0.4)
        started = time.monotonic()
        end.sendall(b"y" * 100)
        assert received(end, 100) == b"y" * 100
        assert time.monotonic() - started > 0.35


def test_it_is_as_slow_as_it_is_told_to_be(proxy: Proxy) -> None:
    proxy.slow_down(10_000)
    with client(proxy) as end:
        started = time.monotonic()
        end.sendall(b"x" * 2000)
        assert received(end, 2000) == b"x" * 2000
        assert time.monotonic() - started > 0.3
