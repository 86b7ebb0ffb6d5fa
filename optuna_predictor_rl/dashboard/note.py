"""The state of a search in plain words, as Markdown."""

import math

import numpy as np
from optuna.distributions import FloatDistribution, IntDistribution
from optuna.study import Study, StudyDirection
from optuna.trial import FrozenTrial, TrialState

from optuna_predictor_rl.core.space import Rows
from optuna_predictor_rl.dashboard.figures import MIN_LABELLED, N_FOLDS, Source
from optuna_predictor_rl.dashboard.front import (
    expected_values,
    front_of,
    none_is_best,
    words,
)
from optuna_predictor_rl.dashboard.low_fidelity import low_fidelity
from optuna_predictor_rl.data.finalists import finalists
from optuna_predictor_rl.fidelity.labels import is_full
from optuna_predictor_rl.study.storage import LABELLED, trials
from optuna_predictor_rl.support.guard import guarded
from optuna_predictor_rl.support.text import code_span
from optuna_predictor_rl.visualization import predictor_calibration

HEADING = "# State of the search"
N_NEXT = 3
"""Number of candidates in the note."""
MIN_DISTANCE = 0.05
"""Distance of two candidates in some decision, as a share of its range, for both to be named."""
EDGE = 0.02
"""Share of a range, at each end, in which the best value suggests that the range is too small."""
MIN_TAU = 0.2
"""Kendall's tau below which the note says that the predictor hardly ranks."""
MAX_FAILED = 0.2
"""Share of failed trials above which the note points them out."""


@guarded()
def state_of_the_search(source: Source) -> str:
    """Return a note on the best trial, the steps saved, the predictor, and what to do next."""
    study = source.study
    calibrated = predictor_calibration(study, source.sampler) if source.predicts else []
    taus = [(task.name, task.tau) for task in calibrated[: len(study.directions)]]
    paragraphs = [HEADING, _trials(study)]
    paragraphs += [_best(study), low_fidelity(source)] if source.single else [front_of(study)]
    paragraphs += [_predictor(source, taus), _next(source), _hints(study, taus)]
    return "\n\n".join(paragraph for paragraph in paragraphs if paragraph) + "\n"


def _trials(study: Study) -> str:
    every = trials(study, fresh=True)
    words = {
        TrialState.COMPLETE: "complete",
        TrialState.PRUNED: "stopped early",
        TrialState.FAIL: "failed",
        TrialState.RUNNING: "running",
        TrialState.WAITING: "waiting",
    }
    counts = {words[state]: sum(t.state == state for t in every) for state in words}
    parts = ", ".join(f"{count} {word}" for word, count in counts.items() if count)
    return f"**Trials.** {len(every)}: {parts}." if every else "**Trials.** None yet."


def _best(study: Study) -> str:
    best = _best_trial(study)
    if best is None:
        return f"**Best.** {none_is_best(study)}"
    better = "higher" if study.direction == StudyDirection.MAXIMIZE else "lower"
    since = len([t for t in trials(study, LABELLED) if t.number > best.number])
    return (
        f"**Best.** {best.value:.6g} ({better} is better), trial {best.number}: "
        f"{words(best.params)}. {since} trials have ended since."
    )


def _best_trial(study: Study) -> FrozenTrial | None:
    try:
        return study.best_trial
    except ValueError:  # no complete trial, or none that is feasible
        return None


def _predictor(source: Source, taus: list[tuple[str, float]]) -> str:
    if source.sampler is None:
        return ""
    if not taus:
        return f"**Predictor.** Shown from {MIN_LABELLED} trials with a value on."
    shown = ", ".join(
        f"{tau:.2f}" if source.single else f"{tau:.2f} by {code_span(name)}" for name, tau in taus
    )
    return (
        f"**Predictor.** It ranks trials that it has not seen with Kendall's tau {shown} "
        f"(1 is perfect, 0 is chance; {N_FOLDS} folds)."
    )


def _next(source: Source) -> str:
    if not source.predicts or source.sampler is None:
        return ""
    study, found = source.study, source.sampler.inspect(source.study)
    configurations = found.history.space.configurations(_apart(found.rows))
    if not configurations:
        return "**Next.** Every configuration that the search finds has been tried."
    expected = [""] * len(configurations)
    if not source.single:
        predicted = source.sampler.predict(study, configurations)
        expected = [
            f" ({expected_values(study, mean, std)})"
            for mean, std in zip(predicted.mean, predicted.std, strict=True)
        ]
    return "\n".join(["**Next.** The most promising untried configurations:", ""] + [
        f"{place}. {words(params)}{said}"
        for place, (params, said) in enumerate(zip(configurations, expected, strict=True), 1)
    ])  # fmt: skip


def _apart(rows: Rows) -> Rows:
    """Return the first rows that differ by more than `MIN_DISTANCE` in some decision."""
    positions = np.nan_to_num(rows, nan=-1.0)  # inactive: far from any active value
    chosen: list[int] = []
    for i, position in enumerate(positions):
        if all(np.abs(position - positions[j]).max() > MIN_DISTANCE for j in chosen):
            chosen.append(i)
        if len(chosen) == N_NEXT:
            break
    return rows[chosen]


def _hints(study: Study, taus: list[tuple[str, float]]) -> str:
    hints = [*_common_edges(study), *_untrained(study), *_failures(study)]
    weak = [name for name, tau in taus if tau < MIN_TAU]
    if weak:
        what = "" if len(study.directions) == 1 else f" {', '.join(map(code_span, weak))}"
        hints.append(
            f"The predictor hardly ranks{what}. Is the value mostly noise? Average over seeds, "
            "train longer, or leave out parameters that do not matter."
        )
    if not hints:
        hints = ["Go on."]
    return "\n".join(["**What to try.**", ""] + [f"- {hint}" for hint in hints])


def _common_edges(study: Study) -> list[str]:
    """Return hints on parameters for which all of the best trials lie at the same end."""
    if len(study.directions) == 1:
        return _edges(_best_trial(study))
    first, *others = [_edges(trial) for trial in study.best_trials] or [[]]
    return [hint for hint in first if all(hint in other for other in others)]


def _edges(best: FrozenTrial | None) -> list[str]:
    """Return hints on parameters whose best value lies at an end of a range that could go on."""
    hints: list[str] = []
    if best is None:
        return hints
    for name, distribution in best.distributions.items():
        if not isinstance(distribution, (FloatDistribution, IntDistribution)):
            continue
        low, high, value = distribution.low, distribution.high, best.params[name]
        if distribution.log:
            low, high, value = math.log(low), math.log(high), math.log(value)
        position = (value - low) / (high - low) if high > low else 0.5
        if EDGE < position < 1.0 - EDGE:
            continue
        is_lower = position < 0.5
        if _natural(distribution, is_lower=is_lower):
            continue
        end, more = ("lower", "lower") if is_lower else ("upper", "higher")
        bound = distribution.low if is_lower else distribution.high
        hints.append(
            f"The best {code_span(name)} lies at the {end} end of its range ({bound:g}): "
            f"try {more} values, if they make sense."
        )
    return hints


def _natural(distribution: FloatDistribution | IntDistribution, *, is_lower: bool) -> bool:
    """Return whether no sensible value lies beyond an end of a range.

    Counts (layers, trees, neighbours) start at 0 or 1. Amounts and shares (a dropout, a momentum,
    a part of the rows) start at 0, and shares end at 1. A range that goes below 0 holds neither. A
    logarithmic range of floats holds a scale (a rate, a strength), which has no natural end.
    Integers from 0 to 1 are a switch, with an end on both sides.
    """
    low, high = distribution.low, distribution.high
    if low < 0:
        return False
    if isinstance(distribution, IntDistribution):
        return low <= 1 if is_lower else (low, high) == (0, 1)
    return not distribution.log and (low == 0 if is_lower else high == 1)


def _untrained(study: Study) -> list[str]:
    if len(study.directions) > 1:  # they have no labels
        return []
    first = next(iter(finalists(study, 1)), None)
    best = _best_trial(study)
    stopped = [t for t in finalists(study, 5) if not is_full(t)]
    if first is None or best is None or first.number == best.number or not stopped:
        return []
    names = ", ".join(str(t.number) for t in stopped)
    return [
        f"Trials {names} were stopped early and are labelled among the best: train them to the "
        "end (`finalists`)."
    ]


def _failures(study: Study) -> list[str]:
    ended = [t for t in trials(study) if t.state.is_finished()]
    failed = sum(t.state == TrialState.FAIL for t in ended)
    if failed <= MAX_FAILED * len(ended):
        return []
    return [f"{failed} of {len(ended)} trials failed: look at why, or narrow the ranges."]
