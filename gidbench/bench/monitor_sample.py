"""What is known of a measurement at one moment."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Sample:
    """One moment of a measurement.

    Attributes
    ----------
    t_s:
        Seconds since the measurement began; 0 before.
    phase:
        What is done, in words; empty before anything is.
    done, total:
        Turns (warm-ups and rounds) of the whole measurement, the present one as a fraction. `total` may grow or
        shrink where the number of rounds is left to a budget; 0 while it is not known.
    eta_s:
        Seconds left for the whole measurement; None while nothing is known of it.
    case, process, round:
        Whose turn it is: the case's name (`generate csv`), the number of the process and of the round, each from 1;
        round 0 is a warm-up. Empty and 0 before the first turn.
    records_per_s, cells_per_s, bytes_per_s:
        Of the timed call that is under way, smoothed over about a second; where that does not tell (a peer, the steps
        of a synchronisation), and between timed calls, those of the case's last turn. None where there was none yet.
    cpu_percent:
        Of each core, by everybody, since the sample before.
    rss_bytes:
        Resident memory of the process that measures, in setup and verification, too; 0 where there is none.
    queries, pool_in_use, pool_size, blocking_sessions:
        Statements that run on the server in this database; connections of the measuring process that are lent, and
        how many may be (of its two pools, ODBC and Arrow, the fuller one); sessions that hold up others. None where
        it can't be told: `Watch.why` says why.
    share:
        How much of the turns is done by time, from 0 to 1; it never goes back.
    """

    t_s: float = 0.0
    phase: str = ""
    done: float = 0.0
    total: int = 0
    eta_s: float | None = None
    case: str = ""
    process: int = 0
    round: int = 0
    records_per_s: float | None = None
    cells_per_s: float | None = None
    bytes_per_s: float | None = None
    cpu_percent: tuple[float, ...] = ()
    rss_bytes: int = 0
    queries: int | None = None
    pool_in_use: int | None = None
    pool_size: int | None = None
    blocking_sessions: int | None = None
    share: float = 0.0
