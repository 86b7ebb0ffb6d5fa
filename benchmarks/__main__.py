"""Lists the benchmarks, and runs one.

python -m benchmarks
python -m benchmarks search quality --help
"""

import ast
import importlib
import re
import sys
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

COMMAND = "python -m benchmarks"


@dataclass(frozen=True)
class Benchmark:
    """A module that has a function `main`; the others help such modules."""

    folder: str
    name: str
    sentence: str
    duration: str


def find_benchmarks() -> list[Benchmark]:
    """Return all benchmarks, from their text: to import them all would take seconds."""
    found = []
    for path in sorted(Path(__file__).parent.glob("*/*.py")):
        module = ast.parse(path.read_text())
        functions = [node.name for node in module.body if isinstance(node, ast.FunctionDef)]
        if "main" in functions:
            text = ast.get_docstring(module) or ""
            duration = re.search(r"^Takes (.+)\.$", text, flags=re.MULTILINE)
            sentence = text.partition("\n")[0]
            found.append(
                Benchmark(path.parent.name, path.stem, sentence, duration[1] if duration else "")
            )
    return found


def listing() -> str:
    """Return the usage and a line for each benchmark."""
    lines = [f"usage: {COMMAND} FOLDER NAME [--help] [ARGUMENT ...]"]
    for folder, benchmarks in groupby(find_benchmarks(), key=lambda found: found.folder):
        lines += ["", folder]
        lines += [f"  {b.name:20}{b.sentence}\n{'':22}Takes {b.duration}." for b in benchmarks]
    return "\n".join(lines)


def main(arguments: list[str]) -> int | None:
    """Print the list, or run the benchmark that the first two arguments name."""
    folder, name = (*arguments, "", "")[:2]
    if (folder, name) in {(b.folder, b.name) for b in find_benchmarks()}:
        sys.argv = [f"{COMMAND} {folder} {name}", *arguments[2:]]  # what argparse reads and shows
        return importlib.import_module(f"benchmarks.{folder}.{name}").main()
    wants_list = arguments in ([], ["-h"], ["--help"])
    print(listing(), file=sys.stdout if wants_list else sys.stderr)
    return 0 if wants_list else 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
