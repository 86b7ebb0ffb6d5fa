"""Each example runs at its smallest size and says what it found."""

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


def test_a_second_search_starts_from_the_first(tmp_path: Path) -> None:
    output = run("warm_start.py", "--trials", "8", "--recommended", "2", cwd=tmp_path)
    assert "best of 8 trials" in output
    assert output.count("expected") == 2
    assert (tmp_path / "wine.npz").exists()


def test_all_figures_of_a_search_are_written(tmp_path: Path) -> None:
    output = run("figures.py", "--trials", "16", "--rows", "1000", cwd=tmp_path)
    assert "7 figures of 16 trials in figures." in output
    written = {path.stem for path in (tmp_path / "figures").glob("*.html")}
    assert len(written) == 8
    for name in written - {"index"}:
        page = (tmp_path / "figures" / f"{name}.html").read_text()
        assert "plotly.min.js" in page
        assert f'href="{name}.html"' in (tmp_path / "figures" / "index.html").read_text()


def test_return_on_investment_shows_weights_a_budget_and_a_front(tmp_path: Path) -> None:
    output = run("return_on_investment.py", "--trials", "12", cwd=tmp_path)
    assert output.count("median cost") == 3
    assert "trials over the budget" in output
    assert output.split("constraint on memory")[1].count("error") >= 1
