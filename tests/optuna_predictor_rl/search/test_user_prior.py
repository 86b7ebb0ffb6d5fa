"""Beliefs about parameters: followed first, left when the trials say otherwise."""

from collections import Counter
from typing import Any

import numpy as np
import optuna
import pytest
from optuna.trial import Trial

from optuna_predictor_rl import PolicyConfig, PredictorConfig, PredictorRLSampler

KINDS = ["a", "b", "c", "d"]


def study(n_trials: int, best: str = "a", **options: Any) -> optuna.Study:
    made = PredictorRLSampler(
        predictor=PredictorConfig(n_members=3, n_epochs=8),
        policy=PolicyConfig(n_steps=4),
        **{"seed": 0, **options},
    )

    def objective(trial: Trial) -> float:
        kind = trial.suggest_categorical("kind", KINDS)
        x = trial.suggest_float("x", 1e-4, 1.0, log=True)
        trial.suggest_int("n", 0, 100)
        return (kind != best) + (np.log10(x) + 1.0) ** 2

    found = optuna.create_study(sampler=made)
    found.optimize(objective, n_trials=n_trials)
    return found


def started(name: str, **options: Any) -> list[Any]:
    """A parameter's values in startup trials, of which the first has seen no other."""
    found = study(60, n_startup_trials=60, **options)
    return [trial.params[name] for trial in found.trials]


def test_the_first_trials_are_drawn_as_believed() -> None:
    counts = Counter(started("kind", prior={"kind": {"b": 3.0, "c": 1.0}}))
    expected = {"a": 0.025, "b": 0.7, "c": 0.25, "d": 0.025}  # a tenth is uniform
    for kind, share in expected.items():
        assert counts[kind] / 60 == pytest.approx(share, abs=0.1)


def test_a_normal_belief_is_on_the_scale_of_the_parameter() -> None:
    values = np.log10(started("x", prior={"x": (1e-2, 0.1)}))
    inside = np.abs(values + 2.0) < 0.9  # the range has four decades: a tenth is 0.4 of one
    assert inside.mean() > 0.85
    counts = np.array(started("n", prior={"n": lambda n: float(n < 50)}))
    assert (counts < 50).mean() > 0.85


def test_the_very_first_trial_is_drawn_as_believed_too() -> None:
    believed = {"kind": {"d": 1.0}}
    first = [study(1, seed=seed, prior=believed).trials[0].params["kind"] for seed in range(20)]
    assert first.count("d") > 14


def test_beliefs_about_one_parameter_leave_the_others_alone() -> None:
    plain, believing = started("x"), started("x", prior={"kind": {"d": 1.0}})
    assert believing[1:] == pytest.approx(plain[1:])


def test_a_wrong_belief_is_left() -> None:
    found = study(30, best="a", prior={"kind": {"d": 1.0}, "x": (1e-4, 0.05)})
    assert found.best_trial.params["kind"] == "a"
    assert found.best_value < 0.05
    assert [t.params["kind"] for t in found.trials[-8:]].count("a") > 4


def test_an_enqueued_baseline_is_tried_first_and_learned_from() -> None:
    made = PredictorRLSampler(seed=0, n_startup_trials=1)
    found = optuna.create_study(sampler=made)
    found.enqueue_trial({"x": 0.31}, user_attrs={"baseline": True})
    found.optimize(lambda trial: (trial.suggest_float("x", 0.0, 1.0) - 0.3) ** 2, n_trials=3)
    assert found.trials[0].params == {"x": 0.31}
    assert made.inspect(found).history.rows[0, 0] == pytest.approx(0.31)


@pytest.mark.parametrize(
    ("prior", "message"),
    [
        ({"kind": {"b": -1.0}}, r"prior of 'kind' must have finite weights, none negative"),
        ({"kind": {"b": 0.0}}, r"prior of 'kind' must have finite weights"),
        ({"kind": {"b": np.nan}}, r"prior of 'kind' must have finite weights"),
        ({"kind": {}}, r"prior of 'kind' must have finite weights"),
        ({"x": (0.1, 0.0)}, r"prior of 'x' must have a finite centre and a positive width"),
    ],
)
def test_what_no_parameter_could_have_is_refused_at_once(
    prior: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        PredictorRLSampler(prior=prior)


@pytest.mark.parametrize(
    ("prior", "message"),
    [
        ({"kind": {"e": 1.0}}, r"value of 'kind' must be one of .* but got 'e'"),
        ({"kind": (0.0, 1.0)}, r"prior of 'kind' must be weights of its choices"),
        ({"n": {3: 1.0}}, r"prior of 'n' must be a function or \(centre, width\)"),
        ({"x": lambda x: -x}, r"prior of 'x' must have finite weights"),
    ],
)
def test_what_the_parameter_cannot_have_is_refused_when_it_is_asked_for(
    prior: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        study(1, prior=prior)


def warnings_of(caplog: pytest.LogCaptureFixture, **options: Any) -> list[str]:
    study(6, n_startup_trials=3, **options)
    return [r.getMessage() for r in caplog.records if "prior" in r.getMessage()]


def test_a_misspelt_parameter_is_warned_of_once(caplog: pytest.LogCaptureFixture) -> None:
    believed = {"kind": {"d": 1.0}, "knid": {"d": 1.0}, "m": (3.0, 0.1)}
    (message,) = warnings_of(caplog, prior=believed)
    assert "about ['knid', 'm'], which no finished trial has had" in message
    assert message.endswith("which so far are ['kind', 'n', 'x'].")


def test_beliefs_about_the_study_s_parameters_are_not_warned_of(
    caplog: pytest.LogCaptureFixture,
) -> None:
    assert not warnings_of(caplog, prior={"kind": {"d": 1.0}, "n": (3.0, 0.1)})
