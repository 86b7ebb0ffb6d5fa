"""Processor time to import the package beside that of Optuna and torch alone.

    python -m benchmarks cost imports

Each import runs in a fresh interpreter, in turns; the smallest of the repeats is kept.

Takes about a minute.
"""

import argparse
import resource
import subprocess
import sys

IMPORTS = {
    "optuna, torch": "import optuna, torch",
    "optuna_predictor_rl": "import optuna_predictor_rl",
    "optuna_predictor_rl, dhen_objective": "import optuna_predictor_rl, dhen_objective",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=10)
    repeats = parser.parse_args().repeats
    seconds = {name: float("inf") for name in IMPORTS}
    for _ in range(repeats):
        for name, code in IMPORTS.items():
            seconds[name] = min(seconds[name], processor_time(code))
    first = next(iter(seconds.values()))
    print("| import | processor time, s | ratio |\n|---|---:|---:|")
    for name, time in seconds.items():
        print(f"| {name} | {time:.2f} | {time / first:.2f} |")


def processor_time(code: str) -> float:
    """Return the seconds that a fresh interpreter takes, in user and system mode."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", code], check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
