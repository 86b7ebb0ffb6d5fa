"""The rules that a study keeps, read and never written: `followed_rule` is their one writer."""

from typing import Any

from optuna.logging import get_logger
from optuna.study import Study

from optuna_predictor_rl.fidelity.cutoff_rule import StoppingRule
from optuna_predictor_rl.study import storage
from optuna_predictor_rl.support.once import WarnOnce

warn_once = WarnOnce(get_logger(f"optuna.{__name__}"))
"""Once a process: each suggestion reads the rule."""

RULE = "predictor_rl:low_fidelity_rule:"
"""Study user attribute, followed by a number: the rule that so many full trials decided."""
FIXED = f"{RULE}fixed"
"""Study user attribute: the rule of a cutoff that the user fixed; None once pilots decide."""


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
        warn_once(message, about=message)
        return None


def stored_rule(study: Study) -> StoppingRule | None:
    """Return the rule that the study's trials followed last; None without one."""
    stored = storage.study_attributes(study)
    numbers = [key.removeprefix(RULE) for key in stored if key.startswith(RULE)]
    newest = sorted((n for n in numbers if n.isdecimal()), key=int, reverse=True)
    found = (read_rule(stored, key) for key in (FIXED, *(f"{RULE}{n}" for n in newest)))
    return next((rule for rule in found if rule is not None), None)
