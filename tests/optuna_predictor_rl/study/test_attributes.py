"""Attributes that somebody else may have written are parsed, and ignored if they are none."""

import json
import math
from typing import Any

import optuna
import pytest
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.storages import RetryHeartbeatStaleTrialCallback
from optuna.trial import TrialState, create_trial

from optuna_predictor_rl import LowFidelityPruner, finalists
from optuna_predictor_rl.data.history import read_history
from optuna_predictor_rl.fidelity import stored_rules
from optuna_predictor_rl.fidelity.cutoff_rule import StoppingRule
from optuna_predictor_rl.study.attributes import FIDELITY, LABEL, LABEL_STD, PLANNED, RULE
from optuna_predictor_rl.study.distributions import from_numbers, to_numbers
from optuna_predictor_rl.study.storage import planned
from tests.optuna_predictor_rl.pruner.studies import add_full_trials, make_study, parallel_curves
from tests.optuna_predictor_rl.samplers import tiny
from tests.optuna_predictor_rl.trials import SPACE, UNIT, study_of, trial

NO_NUMBERS = ["high", "__import__('os')", None, True, [0.5], {"value": 0.5}, 10**400]
MANY: dict[str, BaseDistribution] = {
    "x": FloatDistribution(0.0, 1.0),
    "n": IntDistribution(0, 10, step=2),
    "kind": CategoricalDistribution(["a", None, True]),
}


@pytest.mark.parametrize("label", NO_NUMBERS, ids=repr)
def test_a_label_that_is_no_number_is_no_label(label: Any) -> None:
    attributes = {LABEL: label, LABEL_STD: label, FIDELITY: label}
    study = study_of(
        trial(0.1, value=3.0, state=TrialState.PRUNED, **attributes), trial(0.2, value=1.0)
    )
    stopped, full = read_history(study, SPACE).labels.ravel().tolist()
    assert stopped > full == 1.0
    assert [t.value for t in finalists(study)] == [1.0]


@pytest.mark.parametrize("cost", NO_NUMBERS, ids=repr)
def test_a_cost_that_is_no_number_is_refused_by_name(cost: Any) -> None:
    study = study_of(trial(0.1, value=3.0, flops=cost))
    with pytest.raises(ValueError, match="'flops' of trial 0 is"):
        read_history(study, SPACE, cost="flops")


@pytest.mark.parametrize(
    "stored",
    ["", "{", "[]", "0", '"x"', '{"y": 1}', '{"x": "0.5"}', '{"x": 2.0}', '{"x": NaN}', "[" * 9999]
    + ['{"x": ' + "1" * 5000 + "}"]
    + ["__import__('os').abort()", 7, None, {"x": 0.5}, [0.5]],
    ids=lambda stored: repr(stored)[:20],
)
def test_a_plan_that_was_not_stored_by_the_sampler_is_ignored(stored: Any) -> None:
    study = study_of(trial(0.1, value=3.0), sampler=tiny(n_startup_trials=2))
    study.add_trial(create_trial(state=TrialState.RUNNING, system_attrs={f"{PLANNED}:0": stored}))
    assert read_history(study, SPACE).pending.shape == (0, 1)
    assert 0.0 <= study.ask().suggest_float("x", 0.0, 1.0) <= 1.0


def test_numbers_of_parameters_give_them_back() -> None:
    parameters = {"x": 0.25, "n": 4, "kind": None}
    numbers = json.loads(json.dumps(to_numbers(parameters, MANY)))
    assert from_numbers(numbers, MANY) == parameters


@pytest.mark.parametrize("kind", [-1, 3, 0.5, math.inf, math.nan, "a"])
def test_a_number_of_no_choice_is_left_out(kind: Any) -> None:
    assert from_numbers({"kind": kind, "n": 2}, MANY) == {"n": 2}


def test_a_killed_trial_that_is_retried_is_given_what_it_was_to_get() -> None:
    study = study_of(
        *(trial(x, value=x) for x in (0.1, 0.5, 0.9)), sampler=tiny(n_startup_trials=2)
    )
    killed = study.ask()
    before = killed.suggest_float("x", 0.0, 1.0)
    frozen = study.trials[-1]
    frozen.params, frozen.distributions = {}, {}  # as if it had been killed before it asked
    study.tell(killed, state=TrialState.FAIL)
    RetryHeartbeatStaleTrialCallback()(study, frozen)
    assert read_history(study, SPACE).pending.ravel().tolist() == [before]
    retried = study.ask()
    assert retried.suggest_float("x", 0.0, 1.0) == before


def test_a_shorter_plan_replaces_a_longer_one() -> None:
    attributes = {f"{PLANNED}:0": '{"x": 0.25}', f"{PLANNED}:1": '5, "y": 1.0}'}
    assert planned(create_trial(state=TrialState.RUNNING, system_attrs=attributes)) == {"x": 0.25}


def test_a_trial_that_waits_is_not_suggested_again() -> None:
    study = study_of(trial(0.1, value=3.0))
    study.enqueue_trial({"x": 0.75})
    assert read_history(study, SPACE).pending.ravel().tolist() == [0.75]


@pytest.mark.parametrize(
    "stored",
    [
        "stop at 3",
        [3],
        {},
        {"cutoff": "3", "fit": {}},
        {"cutoff": 3.0, "fit": "log"},
        {"cutoff": 3.0, "fit": {"axis": 3}},
        {"cutoff": 3.0, "fit": {"extrapolate_by": -1.0}},
        {"cutoff": 3.0, "fit": {}, "end": [1]},
        {"cutoff": 3.0, "fit": {}, "__class__": "os.system"},
    ],
    ids=repr,
)
def test_a_rule_that_was_not_stored_by_the_pruner_is_named_and_decided_anew(
    stored: Any, caplog: pytest.LogCaptureFixture
) -> None:
    stored_rules.warn_of_attribute.forget()
    pruner = LowFidelityPruner(n_pilot_trials=3)
    study = make_study(pruner)
    add_full_trials(study, parallel_curves(3))
    study.set_user_attr(f"{RULE}3", stored)
    trial = study.ask()
    for step in range(1, 5):
        trial.report(0.0, step)
        trial.should_prune()
    rule = StoppingRule.from_json(study.user_attrs[f"{RULE}3"])
    assert rule.n_pilots == 3
    assert pruner.rule(study) == rule
    assert caplog.text.count(f"'{RULE}3' is no rule that this LowFidelityPruner stored") == 1


def test_a_rule_that_cannot_be_read_ends_no_study_of_another_pruner() -> None:
    study = optuna.create_study(
        sampler=tiny(n_startup_trials=2), pruner=optuna.pruners.MedianPruner()
    )
    study.set_user_attr(f"{RULE}999", "junk")
    study.set_user_attr(f"{RULE}fixed", {"cutoff": 3.0, "fit": {"axis": "foo"}})
    study.optimize(lambda trial: trial.suggest_float("x", 0, 1), n_trials=6)
    assert len(study.trials) == 6


def test_what_a_trial_stores_is_small() -> None:
    """The 18 decisions of DHEN, labelled by the pruner: at most 2 KiB in all."""
    from dhen_objective import suggest_config

    def objective(trial: optuna.Trial) -> float:
        suggest_config(trial)
        for step in range(1, 9):
            trial.report(1.0 / step + 0.01 * trial.number, step)
            if trial.should_prune():
                raise optuna.TrialPruned
        return 0.01 * trial.number

    study = optuna.create_study(
        sampler=tiny(n_startup_trials=2), pruner=LowFidelityPruner(n_pilot_trials=3)
    )
    study.optimize(objective, n_trials=6)
    last = study.trials[-1]
    assert last.state == TrialState.PRUNED
    stored = json.dumps({**last.user_attrs, **last.system_attrs})
    assert LABEL in stored
    assert PLANNED in stored
    assert len(stored.encode()) <= 2048
    assert len(json.dumps(study.user_attrs).encode()) <= 2048


def test_a_long_plan_is_stored_in_pieces_of_2_kib() -> None:
    names = [f"a rather long name of a parameter {i}" for i in range(200)]
    space: dict[str, BaseDistribution] = dict.fromkeys(names, UNIT)
    done = create_trial(value=1.0, params=dict.fromkeys(names, 0.5), distributions=space)
    study = study_of(done, done, sampler=tiny(n_startup_trials=2))
    asked = study.ask()
    asked.suggest_float(names[0], 0.0, 1.0)
    frozen = study.trials[-1]
    pieces = list(frozen.system_attrs.values())
    assert len(pieces) > 2
    assert max(len(piece) for piece in pieces) <= 2048
    assert len(from_numbers(planned(frozen), space)) == 200
