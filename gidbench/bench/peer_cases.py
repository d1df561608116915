"""Peers as cases of a run: the same rounds, the same proof after each, so that ratios can be told."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from gidbench.bench.case import Case, TimedCall, Verified
from gidbench.bench.ground import AGREED, Agreement, Bench, PeerOutcome
from gidbench.bench.peers.checks import check_people
from gidbench.bench.peers.model import Maker, Peer, Reader, Syncer
from gidbench.bench.peers.registry import BOOK_READERS, CSV_READERS, MAKERS, syncers_for
from gidbench.bench.results import Result
from gidbench.digest import digest_of
from gidbench.engine import Cancellation
from gidbench.errors import VerificationError
from gidbench.files.xlsx_writer import MAX_ROWS
from gidbench.operations import generate
from gidbench.outcome import Outcome
from gidbench.processing import TABLE as FILE_TABLE
from gidbench.records import EMPLOYEE, PERSON_FIELDS
from gidbench.stores.naming import OURS
from gidbench.stores.opening import parse_url


def peer_cases(operation: str, bench: Bench) -> list[Case]:
    """A case for each peer that can be tried here."""
    cases = [_case_of(bench, peer) for peer, why in _peers(operation, bench) if not why]
    if _loads(operation, bench):
        from gidbench.bench.load_cases import load_cases  # drivers that only this needs

        cases += load_cases(bench)[0]
    return cases


def peers_left_out(operation: str, bench: Bench) -> list[Result]:
    """A skipped result for each that can't."""
    skipped = [(f"peer {peer.name}", peer.title, why, peer.name, peer.against)
               for peer, why in _peers(operation, bench) if why]  # fmt: skip
    if _loads(operation, bench):
        from gidbench.bench.load_cases import load_cases

        skipped += load_cases(bench)[1]
    return [
        Result(operation, variant, title, False, bench.records, "skipped", why, peer=name, against=against)
        for variant, title, why, name, against in skipped
    ]


def _loads(operation: str, bench: Bench) -> bool:
    return operation == "generate" and parse_url(bench.database).get_backend_name() == "mssql"


def _peers(operation: str, bench: Bench) -> list[tuple[Peer, str]]:
    """The peers of an operation, each with why it can't be tried here."""
    if operation == "sync":
        return [(peer, peer.lacks() or peer.hinders(bench.database)) for peer in syncers_for(bench.database)]
    peers: tuple[Peer, ...] = MAKERS if operation == "generate" else (*CSV_READERS, *BOOK_READERS)
    return [(peer, peer.lacks()) for peer in peers]


def _case_of(bench: Bench, peer: Peer) -> Case:
    if isinstance(peer, Maker):
        return _maker(bench, peer)
    if isinstance(peer, Reader):
        return _reader(bench, peer)
    assert isinstance(peer, Syncer)
    return _syncer(bench, peer)


def _case(
    operation: str,
    peer: Peer,
    asked: int,
    family: Callable[[int], str],
    prepare: Callable[[int, Cancellation], TimedCall],
    verify: Callable[[int, PeerOutcome], Verified],
) -> Case:
    """A case on as many records as the peer is given; the title says where these are fewer."""
    count = peer.records(asked)

    def checked(outcome: Outcome) -> Verified:
        if not isinstance(outcome, PeerOutcome):
            raise TypeError("a peer's case times the peer")
        return verify(count, outcome)

    done = f"{peer.title}, into the database" if getattr(peer, "load", None) else peer.title
    title = done if count == asked else f"{done} (slow, so on {count:,} records only)"
    return Case(
        operation,
        f"peer {peer.name}",
        title,
        False,
        count,
        family(count),
        partial(prepare, count),
        checked,
        peer.name,
        peer.against,
    )


def _maker(bench: Bench, peer: Maker) -> Case:
    proved: set[str] = set()  # the same table again needs no second look

    def prepare(count: int, _: Cancellation) -> TimedCall:
        return lambda: PeerOutcome("generate", count, 0.0, made=peer.make(count, bench.seed))

    def verify(count: int, outcome: PeerOutcome) -> Verified:
        value = digest_of(outcome.made.to_batches())
        if value not in proved:
            check_people(outcome.made, count, peer.name)
            proved.add(value)
        return Verified(value, count * len(EMPLOYEE), outcome.made.nbytes, {"destination": "memory"})

    # its people are others than ours, of the same kind, so it is a family of its own
    return _case("generate", peer, bench.records, lambda _: f"employees of {peer.name}", prepare, verify)


def _reader(bench: Bench, peer: Reader) -> Case:
    def prepare(count: int, _: Cancellation) -> TimedCall:
        path = bench.intake(peer.kind, count)
        if peer.load is None:
            return lambda: PeerOutcome("process", count, 0.0, made=peer.read(path))
        load = peer.load
        bench.begin_afresh(FILE_TABLE)

        def call() -> Outcome:
            found = peer.read(path)
            load(found, bench.database)
            return PeerOutcome("process", count, 0.0, made=found)

        return call

    def verify(count: int, outcome: PeerOutcome) -> Verified:
        people = (batch.select(list(PERSON_FIELDS)) for batch in peer.people(outcome.made).to_batches())
        value = digest_of(bench.read(FILE_TABLE, PERSON_FIELDS) if peer.load else people)
        if value != (expected := bench.persons_digest(count)):
            raise VerificationError(
                f"{peer.name} has not read the same people: {value} in the place of {expected}",
                "Its time would say nothing",
            )
        size = bench.intake(peer.kind, count).stat().st_size
        columns = len(EMPLOYEE) if peer.kind == "csv" else len(PERSON_FIELDS)
        return Verified(value, count * columns, size, {"file_bytes": size})

    asked = bench.records if peer.kind == "csv" else min(bench.records, MAX_ROWS - 1)
    return _case("process", peer, asked, lambda count: f"intake of {count}", prepare, verify)


def _syncer(bench: Bench, peer: Syncer) -> Case:
    def prepare(count: int, cancellation: Cancellation) -> TimedCall:
        bench.begin_afresh("employee", "global_id")
        generate(count, seed=bench.seed, into=bench.database, replace=True, cancellation=cancellation)
        return lambda: PeerOutcome("sync", count, 0.0, made=peer.sync(bench.database, OURS))

    def verify(count: int, outcome: PeerOutcome) -> Verified:
        if outcome.made != count:
            raise VerificationError(
                f"{peer.name} has changed {outcome.made:,} rows, not {count:,}", "Its time would say nothing"
            )
        value, size = Agreement(bench, count).check()
        return Verified(value, count * len(AGREED), size, {"inserted": count})

    def family(count: int) -> str:
        return "agreement" if count == bench.records else f"agreement of {count}"

    return _case("sync", peer, bench.records, family, prepare, verify)
