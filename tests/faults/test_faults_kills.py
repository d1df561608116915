"""Operations broken at any moment and run again: always as if they had run once.

GIDBENCH_KILLS says how many times; GIDBENCH_KILLS_SEED where chance begins.
"""

from __future__ import annotations

import contextlib
import os
import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import live
import pytest
from child import Child, Ending
from jobs import NAMES, Job, Server, State, make_job
from proxy import DOWN, UP, Link, Proxy
from sqlalchemy.engine import make_url

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not live.LIVE, reason=live.WHY_NOT)]

KILLS = int(os.environ.get("GIDBENCH_KILLS", "20"))
SEED = int(os.environ.get("GIDBENCH_KILLS_SEED", "0"))
ROWS = 2_200
PATIENCE_S = 100.0  # for which an operation may wait for what its predecessor has left on the server


@pytest.fixture(scope="module")
def proxy() -> Iterator[Proxy]:
    url = make_url(live.LIVE)
    with Proxy(url.host or "127.0.0.1", url.port or 1433, SEED) as made:
        yield made


@pytest.fixture(scope="module")
def new_database() -> Iterator[Callable[[], str]]:
    made: list[str] = []

    def make() -> str:
        made.append(live.create_database())
        return made[-1]

    yield make
    for url in made:
        live.drop_database(url)


class Breaking:
    """One job, how it begins and ends undisturbed, and how much passes through the proxy meanwhile."""

    def __init__(self, job: Job, proxy: Proxy, folder: Path) -> None:
        self.job, self.proxy, self.dump = job, proxy, str(folder / "stacks")
        job.restore()
        self.before = job.state()
        moved, pieces = dict(proxy.moved), proxy.pieces
        started = time.monotonic()
        ending = self.start().ending(PATIENCE_S)
        self.wall_s = time.monotonic() - started
        assert ending.kind == "done", ending
        self.moved = {direction: proxy.moved[direction] - moved[direction] for direction in moved}
        self.pieces = proxy.pieces - pieces
        self.clean = job.state()
        assert self.clean != self.before
        assert job.staged() == []
        job.check_gids()

    def start(self) -> Child:
        return Child(self.job.operation, self.dump, **self.job.arguments(self.proxy.port))

    def break_it(self, chance: random.Random) -> tuple[str, Ending]:
        """Run it, break it somehow at some moment, run it again; returns how it was broken and ended."""
        self.job.restore()
        child = self.start()
        kind, act = self._act(chance, child)
        when = chance.choice(("bytes", "pieces", "pieces", "time"))
        if when == "bytes":
            direction = chance.choice((UP, DOWN))
            moment = chance.randrange(1, self.moved[direction] + 1)
            self.proxy.after(moment, direction, act)
            told = f"{kind} after {moment:,} of {self.moved[direction]:,} bytes {direction}"
        elif when == "pieces":
            moment = chance.randrange(1, self.pieces + 1)
            self.proxy.at_piece(moment, act)
            told = f"{kind} at piece {moment} of {self.pieces}"
        else:
            wait_s = chance.random() * self.wall_s
            time.sleep(wait_s)
            links = self.proxy.links()
            act(chance.choice(links) if links else None)  # type: ignore[arg-type]
            told = f"{kind} after {wait_s:.3f} of {self.wall_s:.3f} s"
        ending = child.ending(PATIENCE_S)
        self.proxy.forget()
        self._check(ending, self.job.state(), told)
        again = self.start().ending(PATIENCE_S)
        assert again.kind == "done", f"{self.job.name}, run again after {told}: {again}\n{again.trace}"
        found = self.job.state()
        for name, rows in self.clean.items():
            assert found[name] == rows, f"{self.job.name}, {told}: {name} differs"
        self.job.check_gids()
        assert self.job.staged() == [], f"{self.job.name}, {told}"
        return told, ending

    def _act(self, chance: random.Random, child: Child) -> tuple[str, Callable[[Link], None]]:
        servers = [base for base in self.job.bases if isinstance(base, Server)]

        def kill(_: Link) -> None:
            child.kill()

        def cut(link: Link) -> None:
            if link:
                link.cut(reset=chance.random() < 0.5)

        def cut_all(_: Link) -> None:
            self.proxy.cut_all(reset=chance.random() < 0.5)

        def cut_and_refuse(_: Link) -> None:
            self.proxy.refuse(chance.random())
            self.proxy.cut_all()

        def stall_and_cut(_: Link) -> None:
            self.proxy.stall(chance.random())
            self.proxy.cut_some()

        def kill_sessions(_: Link) -> None:
            for server in servers:
                running = server.sessions()
                for spid in running if chance.random() < 0.5 else running[:1]:
                    with contextlib.suppress(Exception):  # it has ended by itself
                        server.kill(spid)

        acts = [
            ("SIGKILL", kill),
            ("SIGKILL", kill),
            ("cut", cut),
            ("cut of all", cut_all),
            ("cut, then refused", cut_and_refuse),
            ("stall, then cut", stall_and_cut),
            ("KILL of sessions", kill_sessions),
            ("KILL of sessions", kill_sessions),
        ]
        return chance.choice(acts)

    def _check(self, ending: Ending, found: State, told: str) -> None:
        """A clear end: done, or a sentence with exit code 4; and each table changed as a whole or not at all."""
        where = f"{self.job.name}, {told}: {ending.kind} {ending.text}\n{ending.trace}"
        assert ending.kind in ("done", "refused") or (
            ending.kind == "killed" and told.startswith("SIGKILL")
        ), where
        if ending.kind == "refused":
            assert ending.exit_code == 4, where
            assert ending.text.endswith("."), where
            assert len(ending.text) < 400, where
            assert "Traceback" not in ending.text, where
            assert "Pass" not in ending.text, where
        for name, rows in found.items():
            if ending.kind == "done":
                assert rows == self.clean[name], f"{name} differs: {where}"
            elif ending.kind == "refused":  # what was killed may go on for a moment on the server
                assert rows in (self.before[name], self.clean[name]), f"{name} is half done: {where}"


@pytest.mark.parametrize("name", NAMES)
def test_what_is_broken_at_random_and_run_again_is_as_after_one_clean_run(
    name: str, proxy: Proxy, new_database: Callable[[], str], tmp_path: Path
) -> None:
    chosen = NAMES if KILLS >= 40 else NAMES[:4]  # to prepare one takes as long as several kills
    if name not in chosen:
        pytest.skip(f"the {KILLS} kills are spent on others")
    kills = KILLS // len(chosen) + (chosen.index(name) < KILLS % len(chosen))
    chance = random.Random(f"{SEED} {name}")
    breaking = Breaking(make_job(name, tmp_path / "job", new_database, ROWS), proxy, tmp_path)
    for number in range(kills):
        told, ending = breaking.break_it(chance)
        print(f"{name} {number}: {told}: {ending.kind} {ending.text}", flush=True)
