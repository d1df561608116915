"""From the turns of a case to its result."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from gidbench.bench.results import Result, Round
from gidbench.bench.runner import Described, Turn
from gidbench.bench.stats import Summary, summarise
from gidbench.tiers import TARGET_PER_SECOND, award


@dataclass
class Record:
    """What is known of a case so far, over all processes."""

    case: Described
    turns: list[Turn] = field(default_factory=list)
    error: str | None = None
    last_s: float = 0.0

    def add(self, turn: Turn, agreed: dict[str, tuple[str, str]]) -> Round:
        """Take a turn in; its round with an error where it does not agree with its family.

        `agreed` holds the first case of each family and its value, whichever process that was in.
        """
        done, verified = turn.round, turn.verified
        self.last_s = turn.spent_s
        if verified is not None and done.error is None:
            first, expected = agreed.setdefault(self.case.family, (self.case.name, verified.value))
            if verified.value != expected:
                done = replace(
                    done,
                    error=f"{self.case.name} gave {verified.value}, but {first} gave {expected}. "
                    "Report this as a fault.",
                )
        if done.error is not None:
            self.error = done.error
        elif not done.warmup:
            self.turns.append(turn)
        return done

    @property
    def rounds(self) -> int:
        return len(self.turns)

    def walls(self) -> list[list[float]]:
        """Wall seconds of the rounds of each process."""
        found: dict[int, list[float]] = {}
        for turn in self.turns:
            found.setdefault(turn.round.process, []).append(turn.round.wall_s)
        return list(found.values())

    def summary(self) -> Summary | None:
        return summarise(self.walls()) if self.turns else None

    def conclude(
        self, stopped_because: Callable[[Summary], str], warmup_s: dict[str, float], compiled: int
    ) -> Result:
        """The result of the case."""
        case = self.case
        summary = self.summary()
        if self.error is not None or summary is None:
            return case.failed(
                self.error or "no round was run",
                rounds=self.rounds,
                processes=len(self.walls()),
                target_per_second=TARGET_PER_SECOND,
                warmup_s=warmup_s,
                kernels_compiled=compiled,
            )
        walls = self.walls()
        shown = min(self.turns, key=lambda turn: abs(turn.round.wall_s - summary.median_s))
        verified = shown.verified
        assert verified is not None  # a turn without is an error
        rate, low, high = (case.records / s for s in (summary.median_s, summary.high_s, summary.low_s))
        given = award(rate, low)
        return Result(
            case.operation,
            case.variant,
            case.title,
            case.headline,
            case.records,
            "ok",
            rounds=self.rounds,
            walls_s=[wall for rounds in walls for wall in rounds],
            median_s=summary.median_s,
            low_s=summary.low_s,
            high_s=summary.high_s,
            min_s=summary.min_s,
            cv=summary.cv,
            cells=verified.cells,
            bytes=verified.bytes,
            records_per_second=rate,
            records_per_second_low=low,
            records_per_second_high=high,
            cells_per_second=verified.cells / summary.median_s,
            bytes_per_second=verified.bytes / summary.median_s,
            target_per_second=TARGET_PER_SECOND,
            target_met=low > TARGET_PER_SECOND,
            tier=given.tier,
            tier_reached=given.reached,
            borderline=given.borderline,
            noisy=summary.noisy,
            value=verified.value,
            facts=verified.facts,
            phases_s=shown.round.phases_s,
            busy_s=shown.busy_s,
            cpu_s=shown.round.cpu_s,
            peak_rss_bytes=max(turn.round.peak_rss_bytes for turn in self.turns),
            read_bytes=shown.round.read_bytes,
            written_bytes=shown.round.written_bytes,
            timeline=shown.timeline,
            processes=len(walls),
            replicates_s=walls,
            mad_s=summary.mad_s,
            outliers=list(summary.outliers),
            stopped_because=stopped_because(summary),
            warmup_s=warmup_s,
            kernels_compiled=compiled,
            peer=case.peer,
            against=case.against,
        )
