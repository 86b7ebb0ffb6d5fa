"""The rules that pruners have decided, as a study keeps them."""

import functools
import math
from dataclasses import replace
from typing import Any

from optuna.logging import get_logger
from optuna.study import Study

from optuna_predictor_rl.fidelity.cutoff_rule import StoppingRule
from optuna_predictor_rl.study import storage
from optuna_predictor_rl.study.attributes import FIXED_RULE, RULE

_LOGGER = get_logger(f"optuna.{__name__}")


def read_rule(attributes: dict[str, Any], key: str) -> StoppingRule | None:
    """The rule of that name; None if there is none, or if the attribute is no rule.

    The latter is warned of once. It may be of another version, and must not end a study.
    """
    if attributes.get(key) is None:
        return None
    try:
        return StoppingRule.from_json(attributes[key])
    except ValueError as error:
        _say_once(
            f"study's user attribute {key!r} is no rule that this LowFidelityPruner stored "
            f"({error}); it is ignored, and the rule is decided anew."
        )
        return None


@functools.cache
def _say_once(message: str) -> None:
    _LOGGER.warning(message)


def stored_rule(study: Study) -> StoppingRule | None:
    """The rule that the study's pruner followed last; None without one. Nothing is written."""
    stored = storage.study_attributes(study)
    numbers = [key.removeprefix(RULE) for key in stored if key.startswith(RULE)]
    newest = sorted((n for n in numbers if n.isdecimal()), key=int, reverse=True)
    found = (read_rule(stored, key) for key in (FIXED_RULE, *(f"{RULE}{n}" for n in newest)))
    return next((rule for rule in found if rule is not None), None)


def store_fixed(study: Study, rule: StoppingRule) -> None:
    """Stores the rule of a fixed cutoff, unless the study has it and knows as long a training."""
    stored = read_rule(storage.study_attributes(study), FIXED_RULE)
    if stored is not None and replace(stored, end=rule.end) == rule:
        known, seen = math.isfinite(stored.end), math.isfinite(rule.end)
        if not seen or (known and stored.end >= rule.end):
            return
    storage.set_study_attribute(study, FIXED_RULE, rule.to_json())


def store_decided(study: Study, key: str, rule: StoppingRule) -> bool:
    """Stores a rule that full trials decided; returns whether no other worker had.

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
