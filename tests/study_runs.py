"""A scaling and a tuning, made by hand: every number is known."""

from __future__ import annotations

from gidbench.bench.scaling import Growth, Scaling, Size
from gidbench.bench.scaling_fit import Efficiency, fit
from gidbench.bench.tuning import NOT_TRIED, Cell, Tuning
from gidbench.bench.tuning_gain import Gain
from gidbench.bench.tuning_space import Point, Space
from gidbench.findings import Check

SIZES = (10_000, 100_000, 1_000_000, 10_000_000)


def make_scaling(operation: str = "generate") -> Scaling:
    """Two variants in proportion, a size that failed, and two workers at 1.8 times the speed of one."""
    growths = []
    for variant, factor in (("memory", 1.0), ("csv", 5.0)):
        sizes = [
            Size(
                records,
                [factor * (0.001 + records * 2e-8) * scatter for scatter in (1.0, 1.02, 0.99)],
                [200_000_000 + 60 * records] * 3,
                [150_000_000] * 3,
            )
            for records in SIZES
        ]
        records = [size.records for size in sizes]
        growths.append(
            Growth(
                variant,
                f"to {variant}",
                [*sizes, Size(100_000_000, note="it was killed")],
                fit(records, [size.seconds for size in sizes]),
                fit(records, [size.own_bytes for size in sizes]),
            )
        )
    workers = [Efficiency(1, 0.02, 1.0, 1.0, 1.0, 5), Efficiency(2, 0.011, 1.8, 1.7, 1.9, 5)]
    return Scaling(operation, "no database", 2, growths, workers, 1_000_000, "", 7)


def make_tuning(operation: str = "generate") -> Tuning:
    """Six choices of two settings: one is better, one was stopped, one not tried."""
    default = Point(50_000, 2, 20, "auto")  # what is not searched is as everywhere
    values = {"workers": (1, 2), "batch_size": (10_000, 50_000, 100_000)}
    space = Space(operation, "memory", values, {"strategy": "memory has one way"}, default, {})
    points = [
        default.with_value("workers", w).with_value("batch_size", b)
        for w in (1, 2)
        for b in (10_000, 50_000, 100_000)
    ]
    ratios = [0.5, 0.6, 0.55, 1.3, 1.0, None]
    cells = [
        Cell(point, 1_000_000, 0.02 / ratio, ratio, 5) if ratio else Cell(point, note=NOT_TRIED)
        for point, ratio in zip(points, ratios, strict=True)
    ]
    cells[0] = Cell(points[0], note="stopped: four times as long as the best")
    gain = Gain(1_000_000, 12, 1.3, 1.2, 1.4, "better", 0.02, 0.0154, "precise")
    findings = (Check("memory", "good", "24 GiB"), Check("batch size", "note", "10,000 records", "Keep it"))
    return Tuning(
        operation, "memory", space, tuple(cells), points[3], gain, points[3], 12.0, 60.0, 40,
        ((100_000, 6, 2), (1_000_000, 3, 5)), 1, findings,
    )  # fmt: skip
