"""The part of the note on low fidelity."""

import math

from optuna.trial import TrialState

from optuna_predictor_rl.dashboard.figures import Source
from optuna_predictor_rl.fidelity.labels import full_trials
from optuna_predictor_rl.fidelity.rung_rule import MIN_FULL
from optuna_predictor_rl.fidelity.rung_study import rungs_of
from optuna_predictor_rl.study.storage import LABELLED, trials


def low_fidelity(source: Source) -> str:
    """Return where training stops and what that has saved; empty without our pruner."""
    if source.pruner is None:
        return ""
    if source.pruner.by_cutoff is None:
        return _rungs(source)
    rule = source.pruner.rule(source.study)
    if rule is None:
        n = len(full_trials(trials(source.study, (TrialState.COMPLETE,))))
        return f"**Low fidelity.** {n} pilots have run to the end; they will decide the cutoff."
    if rule.cutoff is None:
        return (
            f"**Low fidelity.** No cutoff keeps the ranking over {rule.n_pilots} full trainings: "
            "trials run to the end."
        )
    stop = f"Training stops at step {rule.cutoff:g}"
    if math.isfinite(rule.end):
        stop += f" of {rule.end:g}"
        curves = [t for t in trials(source.study, LABELLED) if t.intermediate_values]
        spent = sum(min(max(t.intermediate_values), rule.end) for t in curves)
        if curves:
            stop += f", which has saved {1.0 - spent / (rule.end * len(curves)):.0%} of all steps"
    if math.isnan(rule.tau):
        return f"**Low fidelity.** {stop}."
    return (
        f"**Low fidelity.** {stop}. There, labels rank {rule.n_pilots} full trainings with "
        f"Kendall's tau {rule.tau:.2f} (lower bound {rule.tau_low:.2f})."
    )


def _rungs(source: Source) -> str:
    """Return where training stops if rungs decide, and what that has saved."""
    ended = trials(source.study, LABELLED)
    found = rungs_of(source.study, ended)
    if found is None:
        n = len(full_trials(ended))
        return (
            f"**Low fidelity.** {n} trials have run to the end; from {MIN_FULL} on, others stop."
        )
    table = found.table
    steps = ", ".join(f"{step:g}" for step in table.rungs.steps)
    return (
        f"**Low fidelity.** Trials are compared at steps {steps} of {table.rungs.end:g}. "
        f"Of the latest {len(table.trials)} trials {int(table.full.sum())} have run to the end; "
        f"{1.0 - table.trained / len(table.trials):.0%} of their steps were saved."
    )
