"""A process that runs rounds of one case when it is told to: one side of a comparison while it happens.

It is run by its path, with the tree to measure on PYTHONPATH, so that an older tree can be measured that does not
have this file. Therefore it takes from gidbench only what every version that can be measured has.
"""

from __future__ import annotations

import dataclasses
import gc
import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, TextIO

ROUND, CHECK = "round", "check"


def serve(request: dict[str, Any], orders: TextIO, answers: TextIO) -> None:
    """Say what is measured once the kernels are ready, then answer each line of `orders` with a round.

    The line "check" wants the round verified: that takes up to twenty times as long as a short round.

    `request` has operation, variant, records, seed, batch_size, workers, and as `scratch` the folder to work in.
    """
    import gidbench
    from gidbench import gid
    from gidbench.bench.suite import Bench, cases_for
    from gidbench.engine import Cancellation
    from gidbench.kernels.warmup import compile_all

    def tell(**values: Any) -> None:
        answers.write(json.dumps(values) + "\n")
        answers.flush()

    compile_all()
    with tempfile.TemporaryDirectory(prefix="gidbench-live-", dir=request["scratch"]) as folder:
        given = {
            "folder": Path(folder),
            "database": f"duckdb:///{Path(folder).resolve() / 'live.duckdb'}",
            "first_ordinal": gid.FIRST_ORDINAL,
            **{name: request[name] for name in ("records", "seed", "batch_size", "workers")},
        }
        known = {item.name for item in dataclasses.fields(Bench)}
        bench = Bench(**{name: value for name, value in given.items() if name in known})
        found = [
            case for case in cases_for(request["operation"], bench) if case.variant == request["variant"]
        ]
        if not found:
            tell(error=f"there is no case {request['operation']} {request['variant']}")
            return
        [case] = found

        def one(order: str) -> None:
            call = case.prepare(Cancellation())
            gc.collect()
            cpu, began = time.process_time(), time.perf_counter()
            outcome = call()
            wall_s, cpu_s = time.perf_counter() - began, time.process_time() - cpu
            value = case.verify(outcome).value if order == CHECK else None
            tell(wall_s=wall_s, cpu_s=cpu_s, value=value)

        gc.collect()
        gc.freeze()  # or each collection walks through all that was imported: ten times a short round
        tell(version=gidbench.__version__, title=case.title, records=case.records)
        for order in orders:
            one(order.strip())


def main() -> None:
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # whatever a library prints must not stand among the answers
    try:
        serve(json.loads(sys.argv[1]), sys.stdin, answers)
    except BrokenPipeError:
        pass
    except Exception as error:
        answers.write(json.dumps({"error": f"{type(error).__name__}: {error}"}) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
