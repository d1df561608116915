"""Fuzzing by hand: `python tests/fuzz.py TARGET SECONDS [SEED]`, TARGET one of those at the end.

Seeds are well-formed files; each turn damages one in a few places and reads it. A turn fails where anything
but a GidbenchError is raised, or where it takes longer than LONGEST_S; the input is kept then.
"""

from __future__ import annotations

import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

from gidbench.errors import GidbenchError
from gidbench.files.csv_reader import CsvReader
from gidbench.files.options import ReadOptions
from gidbench.kernels.warmup import compile_all

LONGEST_S = 20

TEXT = (
    'id;name;born;remark\r\n1;Siti;1990-01-02;"a; b"\r\n2;"Budi ""Jo""";1991-02-03;\r\n3;Zoë;1992-03-04;x\r\n'
    * 3
)
TOKENS = [
    b'"',
    b"'",
    b",",
    b";",
    b"\t",
    b"|",
    b"\r",
    b"\n",
    b"\r\n",
    b"\\",
    b"\0",
    b"\xff",
    b"\xc3",
    b" ",
    b"  ",
    b'""',
    b"1",
    b"9" * 30,
]


def text_seeds() -> list[bytes]:
    plain = TEXT.encode()
    return [
        plain,
        plain.replace(b";", b","),
        plain.replace(b";", b"\t").replace(b"\r\n", b"\n"),
        plain.replace(b"\r\n", b"\r"),
        TEXT.encode("utf-16"),
        TEXT.encode("cp1252"),
        b"Report\r\n\r\n" + plain + b"\r\nTotal;3\r\n",
        plain * 2,
        plain.replace(b'""', b'\\"'),
        plain.replace(b";", b"   "),
    ]


def damaged(data: bytes, dice: random.Random, tokens: list[bytes]) -> bytes:
    content = bytearray(data)
    for _ in range(dice.choice([1, 1, 1, 2, 3, 5, 10])):
        at = dice.randrange(len(content) + 1)
        match dice.randrange(6):
            case 0:
                content[at:at] = dice.choice(tokens)
            case 1:
                del content[at : at + dice.choice([1, 1, 2, 5, 20])]
            case 2 if content:
                content[min(at, len(content) - 1)] = dice.randrange(256)
            case 3:
                content[at:at] = content[dice.randrange(len(content) + 1) :][: dice.randrange(60)]
            case 4 if dice.random() < 0.2:
                del content[at:]
            case _:
                content[at : at + 1] = dice.choice(tokens)
    return bytes(content)


def read_text(path: Path, dice: random.Random) -> str:
    options = ReadOptions(forgiving=dice.random() < 0.7)
    found = []
    for chunk_bytes in (1 << 20, dice.choice([16, 40, 100])):
        reader = CsvReader(path, options, chunk_bytes=chunk_bytes)
        rows: list[object] = []
        for _, chunk in reader.chunks():
            batch = reader.parse(chunk, range(len(reader.header)))
            for column in batch.columns:
                column.validate(full=True)
            rows += zip(
                batch.flags.tolist(),
                map(batch.raw, range(batch.flags.size)),
                *(column.to_pylist() for column in batch.columns),
                strict=True,
            )
        found.append(rows)
        reader.close()
    assert found[0] == found[1], "a file reads differently in pieces"
    return f"{len(found[0])} records" if len(found[0]) < 3 else "records"


Target = tuple[Callable[[], list[bytes]], list[bytes], Callable[[Path, random.Random], str], str]
TARGETS: dict[str, Target] = {"csv": (text_seeds, TOKENS, read_text, ".csv")}


def turns(target: Target, seconds: float, dice: random.Random) -> Iterator[bytes]:
    make, tokens, _, _ = target
    seeds = make()
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        yield damaged(dice.choice(seeds), dice, tokens)


def main(arguments: list[str]) -> int:
    if not 2 <= len(arguments) <= 3 or arguments[0] not in TARGETS:
        print(f"usage: python tests/fuzz.py {'|'.join(TARGETS)} SECONDS [SEED]", file=sys.stderr)
        return 2
    target, dice = TARGETS[arguments[0]], random.Random(int(arguments[2]) if len(arguments) == 3 else 1)
    compile_all()
    outcomes: Counter[str] = Counter()
    with tempfile.TemporaryDirectory(prefix="gidbench-") as folder:
        path = Path(folder) / f"t{target[3]}"
        for content in turns(target, float(arguments[1]), dice):
            path.write_bytes(content)
            signal.alarm(LONGEST_S)
            try:
                outcomes[target[2](path, dice)] += 1
            except GidbenchError as error:
                outcomes[type(error).__name__] += 1
            except BaseException:
                kept = Path(f"fuzz-{arguments[0]}{target[3]}").resolve()
                kept.write_bytes(content)
                print(f"failed on {kept}", file=sys.stderr)
                raise
            finally:
                signal.alarm(0)
    print(f"{outcomes.total():,} files: {dict(outcomes.most_common())}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
