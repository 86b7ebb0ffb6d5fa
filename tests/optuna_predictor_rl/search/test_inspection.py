"""What a sampler shows of the search of its next suggestion."""

import optuna
import pytest
from optuna.trial import Trial

from optuna_predictor_rl import PredictorRLSampler
from optuna_predictor_rl.core.space import SearchSpace
from tests.optuna_predictor_rl.samplers import everything, optimized


def test_inspecting_shows_the_search_of_the_next_suggestion() -> None:
    study = optimized(everything, 9)
    sampler = study.sampler
    assert isinstance(sampler, PredictorRLSampler)
    searched = sampler.inspect(study)
    expected = SearchSpace(searched.history.space.decisions).configurations(searched.rows[:1])[0]
    trial = study.ask()
    everything(trial)
    assert trial.params.items() <= expected.items()


def test_a_study_without_finished_trials_cannot_be_inspected() -> None:
    with pytest.raises(ValueError, match="study must have a finished trial with a parameter"):
        PredictorRLSampler().inspect(optuna.create_study())


def test_a_search_can_be_inspected_under_another_cost_weight() -> None:
    def objective(trial: Trial) -> float:
        trial.set_user_attr("flops", 1.0)
        return trial.suggest_float("x", 0.0, 1.0)

    study = optimized(objective, 5, cost="flops", cost_weight=0.0)
    sampler = study.sampler
    assert isinstance(sampler, PredictorRLSampler)
    assert sampler.inspect(study).weight == pytest.approx([1.0, 0.0])
    assert sampler.inspect(study, cost_weight=0.9).weight == pytest.approx([0.1, 0.9])
    assert (sampler.cost, sampler.cost_weights) == ("flops", (0.0,))
    with pytest.raises(ValueError, match=r"cost_weight must be in \[0, 1\], but got -1"):
        sampler.inspect(study, cost_weight=-1.0)
