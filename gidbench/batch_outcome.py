"""What a batch left behind: of each notebook, and of all of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from gidbench.batch_plan import Step
from gidbench.bench.results import Result, load_results
from gidbench.bench.session import RESULTS_FILE, results_in
from gidbench.reporting import REPORT_FILE
from gidbench.running import RunOutcome

INDEX_FILE, SUMMARY_FILE, JSON_FILE = "index.html", "summary.md", "batch.json"
EXIT_NOTHING, EXIT_FAILED, EXIT_INTERRUPTED = 3, 4, 130


@dataclass(frozen=True)
class Ran:
    """What became of a step.

    Attributes
    ----------
    state:
        "ok", "failed", "interrupted" or "not run".
    headline, answer:
        Its most important number, and what it says at its end.
    results:
        The cases that it measured.
    notebook, page:
        Its files, below the folder of the batch; empty where there are none.
    """

    step: Step
    state: str
    started_at: str = ""
    wall_s: float = 0.0
    error: str = ""
    headline: str = ""
    answer: str = ""
    results: tuple[Result, ...] = ()
    notebook: str = ""
    page: str = ""

    @property
    def failed_cases(self) -> list[Result]:
        return [result for result in self.results if result.status == "failed"]


@dataclass(frozen=True)
class BatchOutcome:
    """What a batch left behind; `command` repeats it."""

    folder: Path
    command: str
    started_at: str
    wall_s: float = 0.0
    ran: tuple[Ran, ...] = ()
    swept: tuple[str, ...] = ()

    @property
    def index(self) -> Path:
        return self.folder / INDEX_FILE

    def of(self, state: str) -> list[Ran]:
        return [each for each in self.ran if each.state == state]

    @property
    def reports(self) -> dict[str, str]:
        """The tier report of each combination that measured something, below the folder."""
        places = {each.step.folder: below(each.step.folder, REPORT_FILE) for each in self.ran}
        return {name: path for name, path in places.items() if (self.folder / path).is_file()}

    def runs(self) -> Iterator[RunOutcome]:
        """The measurements of each combination, as a run."""
        for name in dict.fromkeys(each.step.folder for each in self.ran):
            place = self.folder / name
            if (place / RESULTS_FILE).is_file():
                yield RunOutcome(place, results_in(place), load_results(place).noise)

    @property
    def exit_code(self) -> int:
        results = [result for each in self.ran for result in each.results]
        if self.of("interrupted"):
            return EXIT_INTERRUPTED
        if self.of("failed"):
            return EXIT_FAILED
        if results and not any(result.status == "ok" for result in results):
            return EXIT_NOTHING
        return EXIT_FAILED if any(each.failed_cases for each in self.ran) else 0


def below(folder: str, name: str) -> str:
    """A file of a folder below that of the batch, as links name it."""
    return f"{folder}/{name}" if folder else name
