"""The experiments of the paper run at their smallest size, and print what they found."""

import subprocess
import sys
from itertools import product
from pathlib import Path

import numpy as np
import optuna
import pytest
from optuna.trial import FixedTrial

from dhen_objective import CouponStream, flops_per_example, suggest_config

pytestmark = pytest.mark.ci

PAPER = Path(__file__).parents[1] / "examples" / "paper"
POOL = PAPER / "pools" / "coupons.npz"


def run(name: str, *options: str, cwd: Path) -> str:
    command = [sys.executable, str(PAPER / name), *options]
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    return done.stdout


def n_rows(output: str) -> int:
    """Rows of the tables, without their headers."""
    lines = output.splitlines()
    return sum(line.startswith("|") for line in lines) - 2 * sum("|---" in line for line in lines)


def test_a_recorded_pool_is_read_back(tmp_path: Path) -> None:
    run(
        "record_pool.py", "--configurations", "3", "--rows", "1000", "--out", "p.npz", cwd=tmp_path
    )
    with np.load(tmp_path / "p.npz") as arrays:
        assert arrays["dhen_coupons_1000"].shape == (3, 20)
        assert (arrays["seconds"] > 0).all()
        assert arrays["steps"][-1] == 1000


def test_the_pool_in_the_repository_is_of_the_search_space(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.syspath_prepend(str(PAPER))
    from pool import load

    pool, stream = load(POOL), CouponStream(rows=1000)
    n_fields, n_dense = len(stream.field_sizes), stream.n_dense
    for params, flops in zip(pool.params, pool.flops, strict=True):
        for name, distribution in pool.distributions.items():
            assert distribution._contains(distribution.to_internal_repr(params[name]))
        model, _ = suggest_config(FixedTrial(params))
        assert flops_per_example(model, n_fields=n_fields, n_dense=n_dense) == flops
    assert np.isfinite(pool.curves).all()


def test_decisions_without_effect_are_left_out_and_the_network_stays(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.syspath_prepend(str(PAPER))
    from active_decisions import SWITCHES, active, config_of, suggest_all

    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    for switches in product((True, False), repeat=len(SWITCHES)):
        trial = study.ask()
        suggest_config(trial)
        params = trial.params | dict(zip(SWITCHES, switches, strict=True))
        network = suggest_all(FixedTrial(params))
        assert config_of(active(params)) == config_of(params) == network
        assert len(active(params)) < len(params) or all(switches)


def test_early_stopping_ranks_the_recorded_trainings(tmp_path: Path) -> None:
    output = run("fig3_rank_correlation.py", "--draws", "1", "--figure", "f.html", cwd=tmp_path)
    assert n_rows(output) == 8 * output.count("Kendall's tau with")


@pytest.mark.parametrize(("name", "rows"), [("fig4_ranking_loss", 5), ("fig5_ensemble", 5)])
def test_predictors_are_compared_on_held_out_configurations(
    name: str, rows: int, tmp_path: Path
) -> None:
    output = run(
        f"{name}.py", "--splits", "2", "--train", "20", "--figure", "f.html", cwd=tmp_path
    )
    assert n_rows(output) == rows


def test_flops_and_qps_are_measured_and_drawn(tmp_path: Path) -> None:
    output = run(
        "fig6_flops_and_qps.py", "--networks", "3", "--repeats", "2", "--batch-size", "32",
        "--points", "points.jsonl", "--figure", "f.html", cwd=tmp_path,
    )  # fmt: skip
    assert output.count("Spearman") == 2
    assert len((tmp_path / "points.jsonl").read_text().splitlines()) == 3
    assert "plotly" in (tmp_path / "f.html").read_text()


def test_the_policy_is_compared_with_random_sampling(tmp_path: Path) -> None:
    output = run(
        "fig7_rl_convergence.py", "--seeds", "1", "--policy-steps", "20", "--trained", "1",
        "--rows", "1000", "--figure", "f.html", cwd=tmp_path,
    )  # fmt: skip
    assert n_rows(output) == 6 + 3


def test_the_weight_of_the_cost_is_varied(tmp_path: Path) -> None:
    output = run(
        "fig8_cost_weight.py", "--seeds", "1", "--policy-steps", "20", "--trained", "1",
        "--rows", "1000", "--figure", "f.html", cwd=tmp_path,
    )  # fmt: skip
    assert n_rows(output) == 3


def test_searchers_go_on_from_the_same_trials(tmp_path: Path) -> None:
    output = run(
        "fig9_sample_efficiency.py", "--seeds", "1", "--shared", "10", "--each", "2",
        "--rows", "1000", "--searchers", "predictor_rl", "--figure", "f.html", cwd=tmp_path,
    )  # fmt: skip
    assert n_rows(output) == 2


def test_one_study_searches_at_three_weights(tmp_path: Path) -> None:
    output = run(
        "table1_return_on_investment.py", "--shared", "10", "--trials", "6", "--rows", "2000",
        "--within", "2", "--figure", "f.html", cwd=tmp_path,
    )  # fmt: skip
    assert n_rows(output) >= 3 + 2
