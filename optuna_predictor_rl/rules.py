"""The rules that pruners have decided, as a study keeps them."""

from typing import Any

from optuna.study import Study

from optuna_predictor_rl import _storage
from optuna_predictor_rl.stopping import StoppingRule

RULE = "low_fidelity:rule:"
"""Study user attribute: the rule that so many full trials decided."""


def read_rule(attributes: dict[str, Any], key: str) -> StoppingRule | None:
    """The rule of that name; one set to None is decided anew, as Optuna deletes no attributes.

    Raises:
        ValueError: If the attribute is no rule.
    """
    if attributes.get(key) is None:
        return None
    try:
        return StoppingRule.from_json(attributes[key])
    except ValueError as error:
        raise ValueError(
            f"study's user attribute {key!r} must be a rule that LowFidelityPruner stored "
            f"({error}); set it to None, and the rule is decided anew."
        ) from error


def stored_rule(study: Study) -> StoppingRule | None:
    """The last rule that a pruner decided and stored in the study; None without one.

    Raises:
        ValueError: If the attribute is no rule.
    """
    stored = _storage.study_attributes(study)
    numbers = [key.removeprefix(RULE) for key in stored if key.startswith(RULE)]
    last = max((n for n in numbers if n.isdecimal()), key=int, default="")
    return read_rule(stored, f"{RULE}{last}")
