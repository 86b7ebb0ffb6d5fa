"""A sampler whose suggestions cost little."""

from typing import Any

from optuna_predictor_rl import PolicyConfig, PredictorConfig, PredictorRLSampler


def tiny(**options: Any) -> PredictorRLSampler:
    return PredictorRLSampler(
        **{
            "predictor": PredictorConfig(n_members=2, n_epochs=5),
            "policy": PolicyConfig(n_steps=3),
            "n_startup_trials": 6,
            "seed": 0,
            **options,
        }
    )
