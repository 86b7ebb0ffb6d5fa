"""The rule that a study keeps: read by all, decided, written and announced by the pruner alone."""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from optuna.logging import get_logger
from optuna.study import Study
from optuna.trial import FrozenTrial

from optuna_predictor_rl.fidelity.cutoff_rule import StoppingRule, decide
from optuna_predictor_rl.fidelity.full_curves import report_in_another_unit, with_full_curves
from optuna_predictor_rl.fidelity.settings import LowFidelitySettings
from optuna_predictor_rl.study import storage
from optuna_predictor_rl.study.attributes import FIXED_RULE, RULE
from optuna_predictor_rl.study.objective import direction_of, last_step
from optuna_predictor_rl.support.once import WarnOnce

_LOGGER = get_logger(f"optuna.{__name__}")

warn_of_attribute = WarnOnce(_LOGGER)
"""Once a process, as each suggestion reads the rule."""


def read_rule(attributes: dict[str, Any], key: str) -> StoppingRule | None:
    """Return the rule stored under a key; None without one.

    Another version may have stored what is no rule here. That must not end a study, so it is
    warned of and ignored.
    """
    if attributes.get(key) is None:
        return None
    try:
        return StoppingRule.from_json(attributes[key])
    except ValueError as error:
        message = (
            f"study's user attribute {key!r} is no rule that this LowFidelityPruner stored "
            f"({error}); it is ignored, and the rule is decided anew."
        )
        warn_of_attribute(message, about=message)
        return None


def stored_rule(study: Study) -> StoppingRule | None:
    """Return the rule that the study's trials followed last; None without one."""
    stored = storage.study_attributes(study)
    numbers = [key.removeprefix(RULE) for key in stored if key.startswith(RULE)]
    newest = sorted((n for n in numbers if n.isdecimal()), key=int, reverse=True)
    found = (read_rule(stored, key) for key in (FIXED_RULE, *(f"{RULE}{n}" for n in newest)))
    return next((rule for rule in found if rule is not None), None)


def current_rule(
    study: Study, full: Sequence[FrozenTrial], settings: LowFidelitySettings
) -> StoppingRule | None:
    """Return the rule that a study's full trials lead to, as stored or else decided now.

    Nothing is written.

    Args:
        study: The study.
        full: Its full trials, in the order they ended in.
        settings: Of the pruner.

    Returns:
        The rule; None while the pilots train.
    """
    if settings.cutoff is not None:
        end = last_step(with_full_curves(full))
        return StoppingRule(cutoff=float(settings.cutoff), end=end, fit=settings.default_fit)
    n_pilots = _decided_by(len(full), settings)[-1]
    if n_pilots == 0:
        return None
    stored = read_rule(storage.study_attributes(study), f"{RULE}{n_pilots}")
    return decide(full[:n_pilots], settings, direction_of(study)) if stored is None else stored


def follow_rule(
    study: Study,
    full: Sequence[FrozenTrial],
    settings: LowFidelitySettings,
    warn_once: WarnOnce,
) -> StoppingRule | None:
    """Return the rule of `current_rule`, stored in the study so that all workers follow it."""
    rule = current_rule(study, full, settings)
    if rule is None:
        return None
    if report_in_another_unit(full):
        warn_once(
            "The values that full trials returned are far from their last reports: labels of "
            "stopped trials are made of reports, so report what the objective returns.",
            about=(study.study_name, "unit"),
        )
    if settings.cutoff is not None:
        _store_fixed(study, rule)
        if settings.cutoff >= rule.end:
            warn_once(
                f"cutoff ({settings.cutoff}) is not before the last step of the full trials "
                f"({rule.end:.0f}), so no trial is stopped.",
                about=(study.study_name, "fixed cutoff"),
            )
        return rule
    *earlier, n_pilots = _decided_by(len(full), settings)
    key = f"{RULE}{n_pilots}"
    if _store_decided(study, key, rule):
        before = read_rule(storage.study_attributes(study), f"{RULE}{earlier[-1]}")
        _warn_of_odd_curves(study, full[:n_pilots], warn_once)
        _announce(study, rule, before, settings, warn_once)
    return read_rule(storage.study_attributes(study), key)  # of the worker that stored it last


def _decided_by(n_full: int, settings: LowFidelitySettings) -> list[int]:
    """Return the numbers of full trials that have decided so far, after 0.

    The pilots decide first, then each time half as many more, or a twentieth of all: a search
    drifts towards configurations that an early cutoff may rank badly.
    """
    numbers, n = [0], settings.n_pilot_trials
    while n <= n_full:
        numbers.append(n)
        n += max(3, settings.n_pilot_trials // 2, n // 20)
    return numbers


def _store_fixed(study: Study, rule: StoppingRule) -> None:
    """Store the rule of a fixed cutoff, unless the study has it and knows as long a training."""
    stored = read_rule(storage.study_attributes(study), FIXED_RULE)
    if stored is not None and replace(stored, end=rule.end) == rule:
        known, seen = math.isfinite(stored.end), math.isfinite(rule.end)
        if not seen or (known and stored.end >= rule.end):
            return
    storage.set_study_attribute(study, FIXED_RULE, rule.to_json())


def _store_decided(study: Study, key: str, rule: StoppingRule) -> bool:
    """Store a rule that full trials decided; return whether no other worker had.

    No storage has compare-and-set for attributes. Whoever comes second finds the key, and two
    who come at once decide alike, as the rule follows from the same full trials.
    """
    stored = storage.study_attributes(study)
    if stored.get(FIXED_RULE) is not None:
        storage.set_study_attribute(study, FIXED_RULE, None)
    if read_rule(stored, key) is not None:
        return False
    storage.set_study_attribute(study, key, rule.to_json())
    return True


def _warn_of_odd_curves(study: Study, full: Sequence[FrozenTrial], warn_once: WarnOnce) -> None:
    odd = sorted({t.number for t in full} - {t.number for t in with_full_curves(full)})
    if odd:
        warn_once(
            f"The curves of trials {odd} start late, or end far from where the others end: "
            "they have no part in deciding where training stops.",
            about=(study.study_name, "odd curves"),
        )


def _announce(
    study: Study,
    rule: StoppingRule,
    before: StoppingRule | None,
    settings: LowFidelitySettings,
    warn_once: WarnOnce,
) -> None:
    """Tell what a new rule changes."""
    n_full, cutoff = rule.n_pilots, rule.cutoff
    last = None if before is None else before.cutoff
    if cutoff is None and (before is None or last is not None):
        warn_once(
            f"No cutoff keeps a rank correlation of {settings.min_rank_correlation} over "
            f"{n_full} full trials: trials run to the end until more of them have ended.",
            about=(study.study_name, "no cutoff"),
        )
    elif cutoff is not None and last is not None and cutoff > last:
        warn_once(
            f"{n_full} full trials show that step {last:g} is too early to rank the trials "
            f"of today: training now stops at step {cutoff:g}.",
            about=(study.study_name, "later cutoff"),
        )
    elif cutoff is not None and cutoff != last:
        _LOGGER.info(f"After {n_full} full trials, training stops at step {cutoff:g}.")
