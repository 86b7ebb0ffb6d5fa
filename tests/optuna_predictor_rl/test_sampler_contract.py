"""Optuna's own contract tests of samplers."""

from collections.abc import Callable

import pytest
from optuna.samplers import BaseSampler
from optuna.testing.pytest_samplers import (
    BasicSamplerTestCase,
    MultiObjectiveSamplerTestCase,
    RelativeSamplerTestCase,
)

from optuna_predictor_rl import PolicyConfig, PredictorConfig, PredictorRLSampler


class TestPredictorRLSampler(
    BasicSamplerTestCase, RelativeSamplerTestCase, MultiObjectiveSamplerTestCase
):
    @pytest.fixture
    def sampler(self) -> Callable[[], BaseSampler]:
        return lambda: PredictorRLSampler(
            n_startup_trials=0,
            predictor=PredictorConfig(n_epochs=5, n_members=2),
            policy=PolicyConfig(n_steps=3),
            seed=0,
        )
