"""What is written on trials and studies has names that no user takes by chance."""

import optuna
from optuna.pruners import MedianPruner
from optuna.trial import Trial, TrialState

from optuna_predictor_rl import (
    HopelessTrialPruner,
    LowFidelityPruner,
    PolicyConfig,
    PredictorConfig,
    PredictorRLSampler,
    compare_searchers,
)
from optuna_predictor_rl.study.attributes import FIDELITY, LABEL
from tests.optuna_predictor_rl.pruner.studies import curve_value

OWN = {"fidelity": "high", "phase": 3, "searcher": "me", "suggestion_seconds": None}


def sampler() -> PredictorRLSampler:
    return PredictorRLSampler(
        predictor=PredictorConfig(n_members=2, n_epochs=2),
        policy=PolicyConfig(n_steps=2),
        n_startup_trials=2,
        store_predictions=True,
        cost=lambda trial: trial.params["level"],
        seed=0,
    )


def objective(trial: Trial) -> float:
    level = trial.suggest_float("level", 0.0, 1.0)
    for name, value in OWN.items():
        trial.set_user_attr(name, value)
    trial.set_constraint("c", level - 0.5)
    for step in range(1, 11):
        trial.report(curve_value(level, step), step)
        if trial.should_prune():
            raise optuna.TrialPruned
    return curve_value(level, 10)


def check(study: optuna.Study) -> None:
    for trial in study.trials:
        assert trial.user_attrs.items() >= OWN.items()
        written = (trial.user_attrs.keys() | trial.system_attrs.keys()) - OWN.keys()
        # The last two are Optuna's own.
        allowed = ("predictor_rl:", "constraints:", "fixed_params")
        assert all(name.startswith(allowed) for name in written), written
    written = study.user_attrs.keys()
    assert written
    assert all(name.startswith("predictor_rl:") for name in written), written


def test_names_of_the_user_are_kept_and_ours_carry_a_prefix():
    pruner = HopelessTrialPruner(LowFidelityPruner(n_pilot_trials=3, promising=1.0))
    study = optuna.create_study(sampler=sampler(), pruner=pruner)
    study.optimize(objective, n_trials=6)
    check(study)
    stopped = [t for t in study.trials if t.state == TrialState.PRUNED]
    assert stopped
    assert all(t.user_attrs.keys() >= {LABEL, FIDELITY} for t in stopped)


def test_names_of_a_comparison_carry_a_prefix():
    study = optuna.create_study(pruner=MedianPruner())
    compare_searchers(
        study, objective, {"random": optuna.samplers.RandomSampler(seed=0)}, n_shared=1, n_each=1
    )
    check(study)
