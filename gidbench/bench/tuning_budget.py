"""Trials within a budget of time: none begins that would not end in time, and none goes on beyond it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field

from gidbench.bench.tuning_space import Point
from gidbench.engine import Cancellation
from gidbench.errors import GidbenchError, NothingMeasuredError, OperationCancelled

# (what, records, whether to prove all of it, token) -> seconds of what counts
Trial = Callable[[Point, int, bool, Cancellation], float]
Clock = Callable[[], float]

_MARGIN = 1.25  # by how much a trial may take longer than one of its kind did
_STRANGER = 2.0  # or than one of another kind


class OutOfTime(Exception):
    """No time is left for what was asked."""


class Deadline(Cancellation):
    """Cancelled at a moment of the clock, or when somebody else is."""

    def __init__(self, clock: Clock, at: float, outer: Cancellation) -> None:
        super().__init__()
        self._clock, self._at, self._outer = clock, at, outer

    @property
    def cancelled(self) -> bool:
        return super().cancelled or self._outer.cancelled or self._clock() >= self._at

    def check(self) -> None:
        self._outer.check()
        if self.cancelled:
            raise OperationCancelled("the time of this trial is over", "Nothing was kept")


@dataclass
class Bench:
    """Runs trials, remembers what they took in all (preparing and proving, too), and keeps to the budget.

    Attributes
    ----------
    end:
        On the clock: when everything must be over.
    times:
        Seconds of what counts, by point and records.
    failed:
        Why a point has no times, or no more: it was too slow, or an error.
    """

    trial: Trial
    clock: Clock
    end: float
    outer: Cancellation = field(default_factory=Cancellation)
    times: dict[Point, dict[int, list[float]]] = field(default_factory=dict)
    failed: dict[Point, str] = field(default_factory=dict)
    trials: int = 0
    _errors: dict[Point, GidbenchError] = field(default_factory=dict)
    _costs: dict[tuple[Point, bool], dict[int, float]] = field(default_factory=lambda: defaultdict(dict))

    def run(
        self,
        point: Point,
        records: int,
        *,
        until: float | None = None,
        cap_s: float | None = None,
        proof: bool = False,
        counts: bool = True,
    ) -> float | None:
        """One trial; None where it fails or takes longer than `cap_s`.

        Raises OutOfTime where it would not, or did not, end in time: before `until` by what is known, in any case
        before the end of the budget.
        """
        self.outer.check()
        latest = self.end if until is None else min(until, self.end)
        began = self.clock()
        expected = self.expected_s(point, records, proof=proof)
        if cap_s is not None:
            expected = min(expected, cap_s)
        if began + expected > latest or began >= latest:
            raise OutOfTime
        token = Deadline(self.clock, self.end if cap_s is None else min(self.end, began + cap_s), self.outer)
        self.trials += 1
        try:
            seconds = self.trial(point, records, proof, token)
        except OperationCancelled:
            self.outer.check()
            if self.clock() >= self.end:
                raise OutOfTime from None
            self.failed[point] = f"stopped: {records:,} records took more than {self.clock() - began:.2g} s"
            return None
        except GidbenchError as error:
            self.failed[point], self._errors[point] = str(error), error
            return None
        finally:
            spent = self.clock() - began
            costs = self._costs[point, proof]
            costs[records] = spent if records not in costs else max(spent, 0.5 * (spent + costs[records]))
        if counts:
            self.times.setdefault(point, {}).setdefault(records, []).append(seconds)
        return seconds

    def expected_s(self, point: Point, records: int, *, proof: bool = False) -> float:
        """What a trial will take in all, by what others took: 0 where nothing is known at all."""
        if own := self._scaled(self._costs.get((point, proof)), records):
            return own * _MARGIN
        same = [self._scaled(costs, records) for (_, kind), costs in self._costs.items() if kind == proof]
        known = max(same, default=0.0) * _MARGIN
        other = self._scaled(self._costs.get((point, not proof)), records) * _STRANGER
        if not known and not other:
            other = (
                max((self._scaled(costs, records) for costs in self._costs.values()), default=0.0) * _STRANGER
            )
        return max(known, other)

    @staticmethod
    def _scaled(costs: dict[int, float] | None, records: int) -> float:
        """By the size measured that is nearest: as it was for fewer records; for more by the line through it and the
        size before, or in proportion where there is none."""
        if not costs:
            return 0.0
        size = min(costs, key=lambda known: (abs(known - records), known))
        if records <= size:
            return costs[size]
        less = max((known for known in costs if known < size), default=0)
        slope = (costs[size] - costs.get(less, 0.0)) / (size - less)
        return costs[size] + max(slope, 0.0) * (records - size)

    def forget(self, point: Point) -> None:
        """What a point took so far: the first trial of all makes what all others use."""
        for proof in (False, True):
            self._costs.pop((point, proof), None)

    def error_of(self, point: Point) -> GidbenchError:
        """The error of a point that has failed."""
        return self._errors.get(point) or NothingMeasuredError(
            f"{point.told(('workers', 'batch_size'))}: {self.failed[point]}",
            "Give it more time, or fewer records",
        )
