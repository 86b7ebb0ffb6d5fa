import math

import optuna
import pytest
from optuna.samplers import RandomSampler
from optuna.trial import TrialState, create_trial

from optuna_predictor_rl import HopelessTrialPruner
from optuna_predictor_rl.core.curves import extrapolate
from optuna_predictor_rl.pruner import LowFidelityPruner
from optuna_predictor_rl.study.attributes import LABEL
from optuna_predictor_rl.visualization import plot_learning_curves, plot_rank_correlation
from tests.optuna_predictor_rl.pruner.studies import (
    N_STEPS,
    add_full_trials,
    attributes,
    followed_rule,
    make_study,
    objective,
    parallel_curves,
    report,
    rule_of,
)


def test_pilots_with_one_and_the_same_value_decide_nothing_and_lose_no_trial(caplog):
    study = make_study(LowFidelityPruner(n_pilot_trials=3, promising=1.0))
    add_full_trials(study, [{s: 1.0 / s for s in range(1, 9)}] * 3)
    study.optimize(lambda trial: trial.report(1.0, 9) or float(trial.should_prune()), n_trials=9)
    assert [t.state for t in study.trials[3:]] == [TrialState.COMPLETE] * 9
    assert "No cutoff keeps a rank correlation of 0.75 over 3 full trials" in caplog.text
    assert caplog.text.count("No cutoff keeps") == 1


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("n_finite", [0, 1, 3])
@pytest.mark.parametrize("wrapped", [False, True])
def test_pilots_without_finite_reports_decide_nothing_and_the_study_continues(
    bad, n_finite, wrapped
):
    pruner = LowFidelityPruner(n_pilot_trials=3)
    study = optuna.create_study(
        pruner=HopelessTrialPruner(pruner) if wrapped else pruner, sampler=RandomSampler(seed=0)
    )

    def diverges(trial: optuna.Trial) -> float:
        for step in range(1, 11):
            trial.report(1.0 / step if step <= n_finite else bad, step)
            assert not trial.should_prune()
        return trial.suggest_float("x", 0, 1)

    study.optimize(diverges, n_trials=5)
    rule = pruner.rule(study)
    assert rule is not None
    assert (rule.cutoff, rule.n_pilots) == (None, 3)


@pytest.mark.parametrize("first", [2**53, 10**16, 10**300, 10**400])
def test_steps_too_large_for_a_float_raise_nothing(first):
    study = make_study(LowFidelityPruner(n_pilot_trials=3, promising=1.0))
    add_full_trials(study, [{first + s: a + 1 / (s + 1) for s in range(8)} for a in (1, 2, 3)])
    trial, _ = report(study, {first + step: 1.0 for step in range(8)}, heeds=False)
    pruner = study.pruner
    assert isinstance(pruner, LowFidelityPruner)
    assert pruner.label(trial) == 1.0


def test_failed_killed_and_reportless_trials_are_no_pilots():
    study = make_study(LowFidelityPruner(n_pilot_trials=3, promising=1.0))
    curves = parallel_curves(3)
    add_full_trials(study, curves[:2])
    study.add_trial(create_trial(state=TrialState.FAIL, intermediate_values=curves[2]))
    study.add_trial(create_trial(state=TrialState.PRUNED, intermediate_values=curves[2]))
    study.add_trial(create_trial(value=1.0))
    study.add_trial(create_trial(value=1.0, intermediate_values={0: 1.0}))
    study.ask()  # a killed worker leaves its trial running
    pruner = study.pruner
    assert isinstance(pruner, LowFidelityPruner)
    assert pruner.rule(study) is None
    add_full_trials(study, curves[2:])
    assert rule_of(study).n_pilots == 3


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_pilot_trials": 2}, r"n_pilot_trials must be at least 3, but got 2\."),
        ({"min_rank_correlation": 1.5}, r"min_rank_correlation must be in \(0, 1\], but got 1.5"),
        ({"min_rank_correlation": 0.0}, r"min_rank_correlation must be in \(0, 1\], but got 0.0"),
        ({"cutoff": 0}, r"cutoff must be at least 1, but got 0\."),
        ({"n_fit_points": 1}, r"n_fit_points must be at least 2, but got 1\."),
        ({"extrapolate_by": -1.0}, r"extrapolate_by must be finite and >= 0, but got -1.0\."),
        ({"shrink": -1.0}, r"shrink must be finite and not negative, but got -1.0\."),
        ({"confidence": 0.0}, r"confidence must be between 0 and 1, but got 0.0\."),
        ({"axis": ()}, r"axis must name at least one axis, but got none\."),
        ({"promising": 0.0}, r"promising must be in \(0, 1\], but got 0.0\."),
        ({"full_fraction": 2.0}, r"full_fraction must be in \[0, 1\], but got 2.0\."),
        ({"patience": 0.0}, r"patience must be positive, but got 0.0\."),
        ({"min_cutoff": 1.0}, r"min_cutoff must be in \[0, 1\), but got 1.0\."),
        ({"min_cutoff": -0.1}, r"min_cutoff must be in \[0, 1\), but got -0.1\."),
    ],
)
def test_bad_settings_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        LowFidelityPruner(**options)


@pytest.mark.parametrize(
    "use",
    [
        lambda study, pruner: pruner.prune(study, study.trials[0]),
        lambda study, pruner: pruner.rule(study),
        lambda study, pruner: pruner.label(study.ask()),
        lambda study, pruner: HopelessTrialPruner(pruner).prune(study, study.trials[0]),
        lambda study, pruner: plot_learning_curves(study, pruner),
        lambda study, pruner: plot_rank_correlation(study, pruner),
    ],
)
def test_a_study_of_several_objectives_is_refused(use):
    study = optuna.create_study(directions=["minimize", "maximize"])
    study.add_trial(create_trial(values=[1.0, 2.0]))
    with pytest.raises(ValueError, match=r"study must have one objective .* got 2 directions"):
        use(study, LowFidelityPruner())


def test_reports_that_go_backwards_are_said_and_read_in_the_order_of_steps(caplog):
    study = make_study(LowFidelityPruner(cutoff=4, extrapolate_by=1.0))
    _, stops = report(study, {step: 1.0 / step for step in (3, 2, 1, 4)})
    assert stops == [False, False, False, True]
    assert "Trial 0 reported step 2 after step 3" in caplog.text
    assert caplog.text.count("in the order of the steps") == 1
    in_order = extrapolate([1, 2, 3, 4], [1, 1 / 2, 1 / 3, 1 / 4], delta=3, axis="log", shrink=25)
    assert attributes(study)[LABEL] == in_order.value


def test_a_cutoff_past_the_last_step_is_said_once_and_stops_no_trial(caplog):
    study = make_study(LowFidelityPruner(cutoff=N_STEPS + 1))
    study.optimize(objective, n_trials=3)
    assert {t.state for t in study.trials} == {TrialState.COMPLETE}
    assert caplog.text.count("is not before the last step") == 1


@pytest.mark.parametrize(("scale", "shift"), [(1.0, 5.0), (100.0, 0.0), (1.0, 0.05), (1.0, 0.0)])
def test_returned_values_in_another_unit_than_the_reports_are_said_once(scale, shift, caplog):
    study = make_study(LowFidelityPruner(n_pilot_trials=3))
    study.optimize(lambda trial: scale * objective(trial) + shift, n_trials=6)
    expected = scale != 1.0 or shift > 1.0
    assert caplog.text.count("far from their last reports") == expected


def test_a_training_that_went_on_from_a_checkpoint_decides_nothing_and_is_named(caplog):
    curves = parallel_curves(7)
    resumed, rows = dict.fromkeys(range(11, 13), 1.0), {s * 1000: 1.0 for s in range(1, 13)}
    rules = []
    for full in (curves, [*curves[:5], resumed, *curves[5:]], [*curves[:5], rows, *curves[5:]]):
        study = make_study(LowFidelityPruner(n_pilot_trials=len(full)))
        add_full_trials(study, full)
        rules.append(followed_rule(study))
    assert None not in rules
    assert len({(rule.cutoff, rule.end) for rule in rules if rule}) == 1
    assert caplog.text.count("The curves of trials [5] start late") == 2
