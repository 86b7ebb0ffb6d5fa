"""How fast is each format streamed, beside polars and pyarrow that only read it?

    python -m benchmarks dhen stream_speed --rows 500000

Writes one table in Criteo's layout in each format, and reads each in turns: as the stream's
batches, by polars and by pyarrow (into their own columns, a part at a time, on one thread). Times
are of the processor; the smallest of the repeats is kept. A ratio below 1 means that the stream
is slower: it also hashes categories, checks numbers and makes tensors.

Takes about 5 minutes.
"""

from __future__ import annotations

import argparse
import gzip
import os
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

os.environ["POLARS_MAX_THREADS"] = "1"  # before polars is imported

import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from benchmarks.dhen.stream_memory import write_parquet, write_text
from dhen_objective import CSV, Columns, CriteoStream, TableStream
from dhen_objective.streams.criteo import CATEGORIES, COUNTS

NAMES = ("label", *COUNTS, *CATEGORIES)
COLUMNS = Columns(label="label", counts=COUNTS, sparse=dict.fromkeys(CATEGORIES, 1 << 16))


def main() -> None:
    """Measure and print a Markdown table, one line a format."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=500_000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--folder", type=Path, help="for the files; by default a temporary one")
    options = parser.parse_args()
    pa.set_cpu_count(1)
    print("| format | rows/s | ratio to polars | ratio to pyarrow |\n|---|---:|---:|---:|")
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        for name, path in write_all(Path(folder), options.rows):
            readers = readers_of(name, path)
            seconds = dict.fromkeys(readers, float("inf"))
            for _ in range(options.repeats):
                for reader, read in readers.items():
                    start = time.process_time()
                    rows = read()
                    seconds[reader] = min(seconds[reader], time.process_time() - start)
            stream = seconds["stream"]
            ratios = [f"{seconds[peer] / stream:.3f}" for peer in ("polars", "pyarrow")]
            print(f"| {name} | {rows / stream:,.0f} | {' | '.join(ratios)} |", flush=True)


def write_all(folder: Path, rows: int) -> list[tuple[str, Path]]:
    """Write the table in each format; quoted text has a new line in each tenth label's row."""
    text, parquet = folder / "rows.txt", folder / "rows.parquet"
    write_text(text, rows)
    write_parquet(parquet, rows)
    quoted, packed = folder / "rows.csv", folder / "rows.txt.gz"
    frame = pd.read_csv(text, sep="\t", names=NAMES, dtype=str, keep_default_na=False)
    frame.loc[::10, "C1"] += "\nand more"
    frame.to_csv(quoted, index=False, quoting=1)
    with text.open("rb") as source, gzip.open(packed, "wb", compresslevel=1) as target:
        shutil.copyfileobj(source, target)
    return [
        ("text", text),
        ("text, gzip", packed),
        ("CSV, all in quotes, new lines", quoted),
        ("Parquet", parquet),
        ("DataFrame", parquet),
    ]


def readers_of(name: str, path: Path) -> dict[str, Callable[[], int]]:
    """Return what reads a format and returns the number of rows."""
    if name == "DataFrame":
        frame = pd.read_parquet(path)
        return {
            "stream": lambda: count(TableStream(frame, COLUMNS, prior=0.25, rows=len(frame))),
            "polars": lambda: len(pl.from_pandas(frame)),
            "pyarrow": lambda: len(pa.Table.from_pandas(frame)),
        }
    rows = pq.read_metadata(path.parent / "rows.parquet").num_rows
    if name == "Parquet":
        return {
            "stream": lambda: count(TableStream(path, COLUMNS, prior=0.25, rows=rows)),
            "polars": lambda: len(pl.read_parquet(path)),
            "pyarrow": lambda: sum(map(len, pq.ParquetFile(path).iter_batches(use_threads=False))),
        }
    quoted = path.suffix == ".csv"
    stream: Callable[[], TableStream] = lambda: (  # noqa: E731 (one of two)
        TableStream(path, COLUMNS, prior=0.25, rows=rows, layout=CSV())
        if quoted
        else CriteoStream(path, rows=rows)
    )
    return {
        "stream": lambda: count(stream()),
        "polars": lambda: len(polars_csv(path, quoted=quoted)),
        "pyarrow": lambda: arrow_csv(path, quoted=quoted),
    }


def count(stream: TableStream) -> int:
    """Read all batches; as `rows` is given, no other pass counts before."""
    return sum(len(batch) for batch in stream.batches(512))


def polars_csv(path: Path, *, quoted: bool) -> pl.DataFrame:
    """Read text by polars."""
    if quoted:
        return pl.read_csv(path, infer_schema=False)
    return pl.read_csv(
        path,
        separator="\t",
        has_header=False,
        new_columns=list(NAMES),
        quote_char=None,
        infer_schema=False,
    )


def arrow_csv(path: Path, *, quoted: bool) -> int:
    """Read text by pyarrow, a block at a time."""
    csv = pa.csv
    reader = csv.open_csv(
        path,
        read_options=csv.ReadOptions(
            column_names=None if quoted else list(NAMES), use_threads=False, block_size=4 << 20
        ),
        parse_options=csv.ParseOptions(
            delimiter="," if quoted else "\t",
            quote_char='"' if quoted else False,
            newlines_in_values=quoted,
        ),
        convert_options=csv.ConvertOptions(column_types=dict.fromkeys(NAMES, pa.binary())),
    )
    return sum(len(batch) for batch in reader)


if __name__ == "__main__":
    main()
