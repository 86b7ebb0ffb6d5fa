"""Each example runs at its smallest size and says what it found."""

import re
import subprocess
import sys
from pathlib import Path

EXAMPLES = Path(__file__).parents[1] / "examples"


def run(name: str, *options: str, cwd: Path) -> str:
    command = [sys.executable, str(EXAMPLES / name), *options]
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_main_job_searches_the_coupons(tmp_path: Path) -> None:
    output = run("dhen_search.py", "--trials", "8", "--rows", "5000", cwd=tmp_path)
    assert "baseline" in output
    assert "low fidelity saved" in output
    assert "optuna-dashboard sqlite:///dhen_search.db" in output
    assert output.count("\ntrial ") == 5


def test_the_main_job_searches_the_synthetic_stream(tmp_path: Path) -> None:
    output = run(
        "dhen_search.py", "--data", "synthetic", "--trials", "4", "--rows", "2000", cwd=tmp_path
    )
    assert output.count("\ntrial ") >= 3


def test_low_fidelity_trains_its_finalists_to_the_end(tmp_path: Path) -> None:
    output = run("low_fidelity.py", "--trials", "12", cwd=tmp_path)
    assert "12 trials in" in output
    assert "best full training" in output


def test_flops_and_qps_are_measured_and_drawn(tmp_path: Path) -> None:
    output = run(
        "flops_and_qps.py", "--networks", "3", "--repeats", "2", "--batch-size", "32",
        "--points", "points.jsonl", cwd=tmp_path,
    )  # fmt: skip
    assert output.count("Spearman") == 2
    assert len((tmp_path / "points.jsonl").read_text().splitlines()) == 3
    assert "plotly" in (tmp_path / "flops_and_qps.html").read_text()


def test_the_comparison_goes_on_where_it_was_stopped(tmp_path: Path) -> None:
    options = ("--searchers", "random", "predictor_rl", "--shared", "8", "--rows", "1000")
    run("comparison.py", *options, "--each", "1", cwd=tmp_path)
    output = run("comparison.py", *options, "--each", "2", cwd=tmp_path)
    assert "8 shared trials, then 2 of each searcher, sequential; 1 seed" in output
    counts = dict(re.findall(r"^\| (\w+) +\| +(\d+)", output, flags=re.MULTILINE))
    assert counts == {"shared": "8", "random": "2", "predictor_rl": "2"}
    assert "plotly" in (tmp_path / "comparison.html").read_text()
