"""What the user's process has set changes nothing of ours, and is as it was afterwards."""

import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Any

import numpy as np
import optuna
import pytest
import scipy.special
import threadpoolctl
import torch
from optuna.study import Study
from optuna.trial import Trial

from optuna_predictor_rl import (
    HopelessTrialPruner,
    KnownCost,
    LowFidelityPruner,
    PolicyConfig,
    PredictorConfig,
    PredictorRLSampler,
    Source,
    finalists,
    visualization,
)
from optuna_predictor_rl.support.guard import guarded


def value_and_settings(get: Callable[[], Any], put: Callable[[Any], object]) -> Callable[..., Any]:
    """Return a context that sets a setting for a while and checks that it was not changed."""

    @contextmanager
    def setting(value: Any) -> Iterator[None]:
        before = get()
        put(value)
        try:
            yield
            assert get() == value
        finally:
            put(before)

    return setting


@contextmanager
def warnings_as_errors() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        yield


default_dtype = value_and_settings(torch.get_default_dtype, torch.set_default_dtype)
threads = value_and_settings(torch.get_num_threads, torch.set_num_threads)
deterministic = value_and_settings(
    torch.are_deterministic_algorithms_enabled, torch.use_deterministic_algorithms
)
matmul = value_and_settings(torch.get_float32_matmul_precision, torch.set_float32_matmul_precision)

STATES: dict[str, Callable[[], AbstractContextManager[Any]]] = {
    "default dtype float64": lambda: default_dtype(torch.float64),
    "default dtype bfloat16": lambda: default_dtype(torch.bfloat16),
    "default device": lambda: torch.device("meta"),
    "no gradients": torch.no_grad,
    "inference mode": torch.inference_mode,
    "autocast": lambda: torch.autocast("cpu", dtype=torch.bfloat16),
    "anomaly detection": lambda: torch.autograd.set_detect_anomaly(True),
    "deterministic algorithms": lambda: deterministic(True),
    "coarse products": lambda: matmul("medium"),
    "errors of NumPy": lambda: np.errstate(all="raise"),
    "errors of SciPy": lambda: scipy.special.errstate(all="raise"),
    "warnings as errors": warnings_as_errors,
    "threads of torch": lambda: threads(2),
    "threads of BLAS": lambda: threadpoolctl.threadpool_limits(2, "blas"),
}


TOGETHER = {
    "settings of the process": (
        "default dtype float64",
        "default device",
        "deterministic algorithms",
        "coarse products",
        "threads of torch",
        "threads of BLAS",
    ),
    "modes of torch": ("no gradients", "autocast"),
    "inference": ("inference mode",),
    "errors": ("errors of NumPy", "errors of SciPy", "warnings as errors"),
}
"""States that are set at once, so that the tests stay cheap."""


def objective(trial: Trial) -> float:
    x = trial.suggest_float("x", -1.0, 1.0)
    kind = trial.suggest_categorical("kind", ["a", "b", "c"])
    value = (x - 0.3) ** 2 + 0.2 * (kind != "b")
    for step in range(1, 9):
        trial.report(value + 1.0 / step, step)
        if trial.should_prune():
            raise optuna.TrialPruned
    return value + 0.125


def sampler(cost: KnownCost | None = None) -> PredictorRLSampler:
    return PredictorRLSampler(
        predictor=PredictorConfig(n_members=5, n_epochs=4),
        policy=PolicyConfig(n_rounds=2, n_steps=3, batch_size=6, n_refinements=1),
        cost=cost,
        n_startup_trials=4,
        seed=0,
    )


def searched(n_trials: int) -> Study:
    """Return a study of a new sampler and a new pruner."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    pruner = HopelessTrialPruner(LowFidelityPruner(n_pilot_trials=4), n_warmup_reports=2)
    study = optuna.create_study(study_name="a", sampler=sampler(), pruner=pruner)
    study.optimize(objective, n_trials=n_trials)
    return study


@pytest.fixture(scope="module")
def study() -> Study:
    return searched(16)


def suggestions_and_stops(_: Study) -> object:
    trials = searched(7).trials
    return [(t.params, t.state, t.user_attrs, t.intermediate_values) for t in trials]


def prediction(study: Study) -> object:
    found = sampler().predict(study, [trial.params for trial in study.trials])
    return found.mean.tolist(), found.std.tolist(), found.rank.tolist()


def recommendation(study: Study) -> object:
    return [(dict(found), repr(found)) for found in sampler().recommend(study, k=2)]


def warm_start(study: Study) -> object:
    ensemble = Source.of(study).fit(sampler().predictor)
    with guarded():
        return [moment.tolist() for moment in ensemble.predict(ensemble.rows)]


def labels_and_finalists(study: Study) -> object:
    pruner = LowFidelityPruner(n_pilot_trials=4)
    return [trial.number for trial in finalists(study)], [pruner.label(t) for t in study.trials]


def figures_of_the_search(study: Study) -> object:
    drawn = [
        visualization.plot_decision_importance,
        visualization.plot_policy_probabilities,
        visualization.plot_predictor_calibration,
        visualization.plot_rl_convergence,
        visualization.plot_trade_off,
    ]
    own = sampler(KnownCost(lambda params: params["x"]))
    return [plot(study, own).to_json() for plot in drawn]


def figures_of_the_trials(study: Study) -> object:
    drawn = [
        visualization.plot_learning_curves,
        visualization.plot_rank_correlation,
        visualization.plot_sample_efficiency,
    ]
    return [plot(study).to_json() for plot in drawn]


ENTRIES = [
    suggestions_and_stops,
    prediction,
    recommendation,
    warm_start,
    labels_and_finalists,
    figures_of_the_search,
    figures_of_the_trials,
]


@pytest.fixture(scope="module")
def undisturbed(study: Study) -> dict[str, object]:
    return {entry.__name__: entry(study) for entry in ENTRIES}


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.__name__)
@pytest.mark.parametrize("together", TOGETHER)
def test_the_state_of_the_process_changes_nothing(
    together: str,
    entry: Callable[[Study], object],
    study: Study,
    undisturbed: dict[str, object],
) -> None:
    with ExitStack() as states:
        for state in TOGETHER[together]:
            states.enter_context(STATES[state]())
        found = entry(study)
    assert found == undisturbed[entry.__name__]


def settings() -> tuple[object, ...]:
    blas = [p["num_threads"] for p in threadpoolctl.threadpool_info() if p["user_api"] == "blas"]
    return (
        torch.is_grad_enabled(),
        torch.is_inference_mode_enabled(),
        torch.is_autocast_enabled("cpu"),
        torch.get_num_threads(),
        np.geterr(),
        scipy.special.geterr(),
        blas,
    )


@pytest.mark.parametrize("state", STATES)
def test_the_state_is_restored_after_an_error_too(state: str) -> None:
    with STATES[state]():
        before = settings()
        with pytest.raises(RuntimeError), guarded():
            raise RuntimeError
        assert settings() == before
