"""Each argument of each public function is checked when it is given: its type, then its range."""

import re
from typing import Any
from unittest.mock import NonCallableMagicMock

import pytest

from optuna_predictor_rl.checked import parameter_hints
from tests.arguments import fitting, senseless
from tests.public import Public, public

RESULTS = {
    "ComparisonReport",
    "Prediction",
    "Recommendation",
    "Score",
    "Tally",
    "Throughput",
    "TrainResult",
}
"""Classes that hold what was measured: any number may come out."""

IN_LOOPS = {
    "ArrayStream.batches",
    "Batch.join",
    "Batch.rows",
    "Batch.to",
    "LowFidelityPruner.runs_to_the_end",
    "SyntheticStream.batches",
    "TableStream.batches",
    "Trainer.load_state_dict",
    "Trainer.step",
    "Trainer.timed_step",
    "WindowedTally.add",
    "WindowedTally.load_state_dict",
    "WindowedTally.windowed",
}
"""Methods that run once a batch or a report, on what other code of the packages has made."""

FREE: set[str] = set()
"""Arguments of which every value of their type makes sense."""

CALLED = [one for one in public() if one.name not in IN_LOOPS]
ARGUMENTS = [(one, p.name) for one in CALLED for p in one.parameters]
RANGED = [
    (one, name)
    for one, name in ARGUMENTS
    if one.name not in RESULTS and f"{one.name}({name})" not in FREE
    for hint in [parameter_hints(one.code).get(name)]
    if senseless(hint)
]


class Wrong:
    """No argument is of this type."""


def call(one: Public, **given: Any) -> Any:
    hints = parameter_hints(one.code)
    required = {
        p.name: fitting(hints[p.name])
        for p in one.parameters
        if p.default is p.empty and p.kind is not p.VAR_KEYWORD
    }
    if one.takes_self:
        required["self"] = NonCallableMagicMock(spec=one.owner)
    return one.function(**{**required, **given})


def identity(value: Any) -> str:
    return value.name if isinstance(value, Public) else str(value)


@pytest.mark.parametrize(("one", "name"), ARGUMENTS, ids=identity)
def test_an_argument_of_another_type_is_refused_by_name(one: Public, name: str) -> None:
    if name == "options":
        name = "n_each"  # one of the keywords that are passed on
    with pytest.raises(TypeError, match=rf"^{name} must be .*, but got .*Wrong"):
        call(one, **{name: Wrong()})


@pytest.mark.parametrize(("one", "name"), RANGED, ids=identity)
def test_a_value_out_of_range_is_refused_by_name(one: Public, name: str) -> None:
    for value in senseless(parameter_hints(one.code)[name]):
        with pytest.raises(ValueError, match=rf"\b{name}\b.* but got") as caught:
            call(one, **{name: value})
        assert re.search("nan|-2|no such", str(caught.value)) is not None
