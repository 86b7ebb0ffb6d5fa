"""Spaces of thousands of choices or hundreds of parameters."""

import tracemalloc
from typing import Any

import numpy as np
import optuna
import pytest
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution

from optuna_predictor_rl import PredictorRLSampler
from optuna_predictor_rl.core.encoding import Encoding
from optuna_predictor_rl.core.predictor import hyperparameters
from optuna_predictor_rl.core.predictor.gaussian_process import fit_gaussian_process

SPACES: dict[str, dict[str, BaseDistribution]] = {
    "5,000 choices": {
        "id": CategoricalDistribution([f"id{i}" for i in range(5000)]),
        "x": FloatDistribution(0.0, 1.0),
    },
    "4 x 500 choices": {
        f"c{j}": CategoricalDistribution([f"id{i}" for i in range(500)]) for j in range(4)
    },
    "200 booleans": {f"b{j}": CategoricalDistribution([False, True]) for j in range(200)},
    "300 floats": {f"x{j}": FloatDistribution(0.0, 1.0) for j in range(300)},
}


@pytest.mark.parametrize("space", SPACES.values(), ids=SPACES)
def test_a_suggestion_in_a_large_space_encodes_little(
    space: dict[str, BaseDistribution], monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes = []

    def spy(self: Encoding, rows: np.ndarray, encode: Any = Encoding.__call__) -> np.ndarray:
        encoded = encode(self, rows)
        sizes.append(encoded.nbytes)
        return np.asarray(encoded)

    monkeypatch.setattr(Encoding, "__call__", spy)
    study = optuna.create_study(sampler=PredictorRLSampler(seed=0, n_startup_trials=8))
    random = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    for i in range(8):
        params = random.ask(space).params
        study.add_trial(
            optuna.trial.create_trial(value=float(i % 5), params=params, distributions=space)
        )
    assert study.ask(space).params.keys() == space.keys()
    assert max(sizes) < 8e6  # all moves of the best trials take 17 MB of floats, and 1.2 GB of ids


def test_a_fit_of_many_features_keeps_a_bounded_number_of_distances(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(hyperparameters, "MAX_ITERATIONS", 1)
    rng = np.random.default_rng(0)
    x = rng.random((200, 500))
    tracemalloc.start()
    process = fit_gaussian_process(x, x[:, 0], np.arange(500))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(process.x) == 200
    assert peak < 100e6  # 200 x 200 x 500 distances are 160 MB
