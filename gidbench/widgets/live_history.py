"""What the moving chart remembers: the samples of the last minute, as series."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence

from gidbench.bench.watching import Sample

SPAN_S = 60.0
TICK_S = 0.25
_MOST = int(SPAN_S / TICK_S) + 8


class History:
    """Samples in the order of their time; those older than SPAN_S leave."""

    def __init__(self) -> None:
        self._samples: deque[Sample] = deque(maxlen=_MOST)

    def add(self, sample: Sample) -> None:
        self._samples.append(sample)
        while self._samples and sample.t_s - self._samples[0].t_s > SPAN_S:
            self._samples.popleft()

    @property
    def last(self) -> Sample | None:
        return self._samples[-1] if self._samples else None

    def series(self, value: Callable[[Sample], float | None]) -> list[tuple[float, float | None]]:
        """Seconds before now (at most 0) and the value of each sample."""
        if not self._samples:
            return []
        now = self._samples[-1].t_s
        return [(sample.t_s - now, value(sample)) for sample in self._samples]

    @property
    def cores(self) -> int:
        return len(self._samples[-1].cpu_percent) if self._samples else 0


def highest(series: Sequence[tuple[float, float | None]]) -> float:
    """The largest value; 0 where there is none."""
    return max((value for _, value in series if value is not None), default=0.0)
