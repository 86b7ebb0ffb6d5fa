"""A user's script passes mypy's strict mode, and a mistake in it does not."""

from pathlib import Path

import pytest
from mypy import api

ROOT = Path(__file__).parents[1]

SCRIPT = """
import optuna
from optuna.trial import FrozenTrial

from optuna_predictor_rl import (
    LowFidelityPruner,
    PolicyConfig,
    PredictorConfig,
    PredictorRLSampler,
    finalists,
)


def cost(trial: FrozenTrial) -> float:
    return float(trial.params["width"])


def objective(trial: optuna.Trial) -> float:
    width = trial.suggest_int("width", 1, 64, log=True)
    for step in range(10):
        trial.report(1.0 / width, step)
        if trial.should_prune():
            return pruner.label(trial)
    return 1.0 / width


pruner = LowFidelityPruner(n_pilot_trials=5, axis=["log", "linear"])
sampler = PredictorRLSampler(
    predictor=PredictorConfig(n_members=5, loss="hinge"),
    policy=PolicyConfig.paper(),
    cost=cost,
    cost_weight=[0.0, 0.3],
    seed=0,
)
study = optuna.create_study(sampler=sampler, pruner=pruner)
study.optimize(objective, n_trials=20)
best: FrozenTrial = finalists(study, 1)[0]
"""


def check(script: str, path: Path) -> tuple[str, int]:
    path.write_text(script)
    out, _, status = api.run(["--config-file", str(ROOT / "pyproject.toml"), str(path)])
    return out, status


@pytest.fixture(autouse=True)
def _from_the_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)  # where mypy finds the packages and its cache


def test_a_users_script_is_typed(tmp_path: Path) -> None:
    out, status = check(SCRIPT, tmp_path / "script.py")
    assert status == 0, out


def test_a_misspelt_setting_is_found_before_the_script_runs(tmp_path: Path) -> None:
    out, status = check(SCRIPT.replace('"hinge"', '"henge"'), tmp_path / "script.py")
    assert status == 1
    assert "incompatible type \"Literal['henge']\"" in out
