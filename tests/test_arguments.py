"""Each argument of each public function is checked when it is given: its type, then its range."""

from typing import Any

import numpy as np
import pytest

from optuna_predictor_rl.support.checked import parameter_hints
from tests.arguments import fitting, senseless
from tests.public import Public, public

RESULTS = {
    "ComparisonReport",
    "Prediction",
    "Recommendation",
    "NetworkSize",
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
    "Columns.refusal",
    "SyntheticStream.batches",
    "TableStream.batches",
    "Trainer.load_state_dict",
    "Trainer.step",
    "WindowedTally.add",
    "WindowedTally.load_state_dict",
    "WindowedTally.windowed",
}
"""Methods that run once a batch or a report, on what other code of the packages has made."""

FREE = {
    *("AvazuStream(paths)", "CriteoStream(paths)", "TableStream(paths)"),  # there is no such file
    *("Source.load(path)", "Source.save(path)"),
    *("Columns(label)", "Columns(dense)", "Columns(counts)", "Columns(time)"),  # names, and the
    *("Columns(time_format)", "CSV(names)", "CSV(null)"),  # files are opened by the streams
    "DHENSpace(fixed)",  # see test_space.py
    *("ArrayStream(dense)", "ArrayStream(sparse)", "ArrayStream(labels)"),  # see test_arrays.py
    "ComparisonReport.of(compute)",  # an attribute that trials may have
    "PredictorRLSampler(cost)",
    *("compare_searchers(searchers)", "compare_searchers(shared_searcher)"),  # see test_turns.py
    "repeat_comparison(searchers)",
    *("ne_gain(loss)", "ne_gain(baseline)"),  # NaN in, NaN out
    "plot_sample_efficiency(value_name)",  # a title
    "rank_correlation_by_cutoff(curves)",  # NaN is a training that diverged
}
"""Arguments of which every value of their type makes sense, or is checked elsewhere."""

CALLED = [one for one in public() if one.name not in IN_LOOPS and one.parameters]


ARRAYS = {"dense": np.zeros((2, 1)), "sparse": np.zeros((2, 1), int), "labels": np.arange(2)}
EXAMPLES = {"ArrayStream": {**ARRAYS, "field_sizes": (1,)}}
"""Arguments that have to fit each other."""

UNPACKED = {
    "ClickModel.own_training": "lr",
    "compare_searchers": "n_each",
    "repeat_comparison": "n_each",
}
"""One of the arguments that a function passes on without naming it."""


class Wrong:
    """No argument is of this type."""


def call(one: Public, **given: Any) -> Any:
    hints = parameter_hints(one.code)
    required = {
        p.name: fitting(hints[p.name])
        for p in one.parameters
        if p.default is p.empty and p.kind is not p.VAR_KEYWORD
    }
    required |= EXAMPLES.get(one.name, {})
    if one.takes_self:
        required["self"] = fitting(one.owner)
    return one.function(**{**required, **given})


@pytest.mark.parametrize("one", CALLED, ids=lambda one: one.name)
def test_an_argument_of_another_type_is_refused_by_name(one: Public) -> None:
    for parameter in one.parameters:
        unpacked = parameter.kind is parameter.VAR_KEYWORD
        name = UNPACKED[one.name] if unpacked else parameter.name
        with pytest.raises(TypeError, match=rf"^{name} must be .*, but got .*Wrong"):
            call(one, **{name: Wrong()})


@pytest.mark.parametrize(
    "one", [one for one in CALLED if one.name not in RESULTS], ids=lambda one: one.name
)
def test_a_value_out_of_range_is_refused_by_name(one: Public) -> None:
    hints = parameter_hints(one.code)
    for parameter in one.parameters:
        name = parameter.name
        for value in [] if f"{one.name}({name})" in FREE else senseless(hints[name]):
            with pytest.raises(ValueError, match=rf"\b{name}\b.* but got"):
                call(one, **{name: value})


def test_what_is_let_off_is_there() -> None:
    found = {f"{one.name}({p.name})" for one in public() for p in one.parameters}
    names = {one.name for one in public()}
    assert found >= FREE
    assert names >= IN_LOOPS | RESULTS
