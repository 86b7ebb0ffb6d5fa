"""How fast is a file of millions of rows streamed, and in how much memory?

    python -m benchmarks dhen stream_memory --rows 5000000

Writes files in Criteo's layout, as text and as Parquet, to a temporary folder, and streams each
in a process of its own: the whole, and a tenth of it to tell what grows with the file.

Takes about 15 minutes.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from dhen_objective import Columns, CriteoStream, TableStream
from dhen_objective.streams.criteo import CATEGORIES, COUNTS

BLOCK = 50_000
LIMIT = 1 << 30


def block(seed: int) -> list[list[str]]:
    """Columns of random rows: labels, counts of which a fifth is missing, 8 hex digits."""
    rng = np.random.default_rng(seed)
    labels = [str(label) for label in rng.binomial(1, 0.25, BLOCK)]
    columns = [labels]
    for _ in COUNTS:
        values = rng.geometric(0.01, BLOCK)
        missing = rng.random(BLOCK) < 0.2
        columns.append(["" if m else str(v) for v, m in zip(values, missing, strict=True)])
    columns += [[f"{v:08x}" for v in rng.zipf(1.2, BLOCK) % (1 << 32)] for _ in CATEGORIES]
    return columns


def write_text(path: Path, rows: int) -> None:
    """Repeat ten blocks of rows."""
    blocks = []
    for seed in range(min(10, -(-rows // BLOCK))):
        lines = ["\t".join(row) for row in zip(*block(seed), strict=True)]
        blocks.append(("\n".join(lines) + "\n").encode())
    with path.open("wb") as file:
        for i in range(-(-rows // BLOCK)):
            file.write(blocks[i % len(blocks)])


def write_parquet(path: Path, rows: int) -> None:
    """Repeat ten blocks of rows."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    names = ("label", *COUNTS, *CATEGORIES)
    blocks = [pa.table(dict(zip(names, block(seed), strict=True))) for seed in range(10)]
    with pq.ParquetWriter(path, blocks[0].schema) as writer:
        for i in range(-(-rows // BLOCK)):
            writer.write_table(blocks[i % len(blocks)])


WRITERS = {".txt": write_text, ".parquet": write_parquet}


def open_stream(path: Path) -> TableStream:
    """The file's examples; counts the rows first."""
    if path.suffix == ".txt":
        return CriteoStream(path)
    sparse = dict.fromkeys(CATEGORIES, 1 << 16)
    return TableStream(path, Columns(label="label", counts=COUNTS, sparse=sparse), prior=0.25)


def stream(path: Path) -> None:
    """Stream a file in this process and print what it took."""
    before = peak()
    start = time.perf_counter()
    examples = open_stream(path)
    counted = time.perf_counter()
    rows = sum(len(batch) for batch in examples.batches(512))
    end = time.perf_counter()
    measured = {
        "rows": rows,
        "count": rows / (counted - start),
        "read": rows / (end - counted),
        "before": before,
        "peak": peak(),
    }
    print(json.dumps(measured))


def peak() -> int:
    """Largest resident memory of this process so far, in bytes.

    Linux's own high-water mark, where it is: that of `getrusage` begins with the parent's.
    """
    status = Path("/proc/self/status")
    if status.exists():
        marks = [line.split()[1] for line in status.open() if line.startswith("VmHWM")]
        return int(marks[0]) * 1024
    kilobytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return kilobytes * (1 if sys.platform == "darwin" else 1024)


def main() -> None:
    """Measure and print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=5_000_000)
    parser.add_argument("--formats", nargs="+", choices=WRITERS, default=list(WRITERS))
    parser.add_argument("--folder", type=Path, help="for the files; by default a temporary one")
    parser.add_argument("--stream", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.stream:
        stream(options.stream)
        return
    print("| file | size | rows | rows/s, counting | rows/s, batches | peak RSS (at start) |")
    print("|---|---:|---:|---:|---:|---:|")
    for name in options.formats:
        for rows in (options.rows // 10, options.rows):
            with tempfile.TemporaryDirectory(dir=options.folder) as folder:
                path = Path(folder) / f"rows{name}"
                WRITERS[name](path, rows)
                command = [sys.executable, __file__, "--stream", str(path)]
                done = subprocess.run(command, check=True, capture_output=True, text=True)
                row = json.loads(done.stdout)
                size = path.stat().st_size / 1e6
                print(
                    f"| Criteo's columns, {name} | {size:,.0f} MB | {row['rows']:,} "
                    f"| {row['count']:,.0f} | {row['read']:,.0f} "
                    f"| {row['peak'] / 2**20:.0f} MiB ({row['before'] / 2**20:.0f}) |",
                    flush=True,
                )
                assert row["peak"] < LIMIT, "the peak is beyond 1 GiB"


if __name__ == "__main__":
    main()
