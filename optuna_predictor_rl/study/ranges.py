"""Ranges of parameters that differ from trial to trial: which are modelled, which are searched."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.trial import FrozenTrial

MIN_MEAN_RUN = 4
"""Mean number of consecutive trials with one range from which on a range counts as changed by the
user, and not by the values of other parameters."""

MAX_EXCESS = 20.0
"""Widths of the searched range by which the modelled one may exceed it at either end. A value
farther out counts as the end: otherwise one huge value would make all others look the same."""

Ranged = FloatDistribution | IntDistribution


@dataclass
class _Past:
    """The distributions of a parameter: each run of equal ones, and the number of trials."""

    runs: list[BaseDistribution] = field(default_factory=list)
    n_trials: int = 0

    def add(self, distribution: BaseDistribution) -> None:
        self.n_trials += 1
        if not self.runs or not _same(self.runs[-1], distribution):
            self.runs.append(distribution)


def searched(trials: Iterable[FrozenTrial]) -> dict[str, BaseDistribution]:
    """Return the distribution of each parameter in which the next value is looked for.

    That is the latest range if the user changed it, and the union of all ranges if they move from
    trial to trial. A single value that never changed stays a single value.
    """
    return {name: _searched(past) for name, past in _pasts(trials).items()}


def modelled(
    trials: Sequence[FrozenTrial], search_space: dict[str, BaseDistribution]
) -> dict[str, BaseDistribution]:
    """Return the distribution of each parameter that holds all the values that trials have had.

    Args:
        trials: The trials.
        search_space: The distributions in which values are looked for, which they contain.
    """
    pasts = _pasts(trials)
    found = {name: search_space.get(name) or _searched(past) for name, past in pasts.items()}
    found |= {name: d for name, d in search_space.items() if name not in found}
    return {
        name: _with_all(name, d, pasts.get(name, _Past()), trials) for name, d in found.items()
    }


def is_number(value: Any) -> bool:
    """Return whether a value is a number: no truth value, not NaN."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and value == value


def _pasts(trials: Iterable[FrozenTrial]) -> dict[str, _Past]:
    found: dict[str, _Past] = {}
    for trial in trials:
        for name, distribution in trial.distributions.items():
            found.setdefault(name, _Past()).add(distribution)
    return found


def _same(a: BaseDistribution, b: BaseDistribution) -> bool:
    if isinstance(a, CategoricalDistribution) and isinstance(b, CategoricalDistribution):
        return a.choices == b.choices or a == b  # tuples are compared faster, but for NaN
    return a is b or a == b


def _searched(past: _Past) -> BaseDistribution:
    latest, before = past.runs[-1], past.runs[:-1]
    if not isinstance(latest, (FloatDistribution, IntDistribution)) or not before:
        return latest
    is_new = not any(_same(latest, d) for d in before)
    by_user = is_new and past.n_trials >= MIN_MEAN_RUN * len(past.runs)
    return latest if by_user else _union(latest, before)


def _with_all(
    name: str, distribution: BaseDistribution, past: _Past, trials: Sequence[FrozenTrial]
) -> BaseDistribution:
    if isinstance(distribution, CategoricalDistribution):
        return _with_choices(distribution, past.runs)
    if not isinstance(distribution, (FloatDistribution, IntDistribution)):
        return distribution
    values = (t.params[name] for t in trials if name in t.params)
    numbers = (v for v in values if is_number(v) and (v > 0 or not distribution.log))
    outside = [v for v in numbers if not distribution.low <= v <= distribution.high]
    union = _union(distribution, past.runs)
    if not outside and (union.low, union.high) == (distribution.low, distribution.high):
        return distribution
    low, high = min([union.low, *outside]), max([union.high, *outside])
    least, most = _reach(union if distribution.single() else distribution)
    return _ranged(distribution, max(low, least), min(high, most), union.step)


def _with_choices(
    latest: CategoricalDistribution, before: Iterable[BaseDistribution]
) -> CategoricalDistribution:
    """Return a distribution with the choices of other trials after those of the latest."""
    choices = list(latest.choices)
    for distribution in before:
        if isinstance(distribution, CategoricalDistribution) and not _same(distribution, latest):
            present = [(type(c), c) for c in choices]  # True == 1, so types count
            choices += [c for c in distribution.choices if (type(c), c) not in present]
    return latest if len(choices) == len(latest.choices) else CategoricalDistribution(choices)


def _union(latest: Ranged, others: Iterable[BaseDistribution]) -> Ranged:
    """Return the smallest distribution of the latest one's kind that holds all ranges.

    Its step is one on which all their values lie; if there is none, it is continuous.
    """
    ranged = [d for d in others if isinstance(d, (FloatDistribution, IntDistribution))]
    ranged = [latest, *(d for d in ranged if not (latest.log and d.high <= 0))]
    low = min(d.low for d in ranged if d.low > 0 or not latest.log)
    high = max(d.high for d in ranged)
    if (low, high) == (latest.low, latest.high) and all(d.step == latest.step for d in ranged):
        return latest
    return _ranged(latest, low, high, _step(ranged))


def _step(ranged: Sequence[Ranged]) -> int | float | None:
    steps = [d.step for d in ranged if not d.single()] or [ranged[0].step]
    offsets = [abs(d.low - ranged[0].low) for d in ranged]
    if all(isinstance(d, IntDistribution) for d in ranged):
        return math.gcd(*(int(s or 1) for s in steps), *(int(offset) for offset in offsets))
    step = steps[0]
    if step is None or any(s != step for s in steps):
        return None
    parts = [offset / step for offset in offsets]
    return step if all(abs(part - round(part)) < 1e-8 for part in parts) else None


def _reach(distribution: Ranged) -> tuple[int | float, int | float]:
    """Return the smallest and the largest value that are modelled beside a range."""
    low, high = distribution.low, distribution.high
    if distribution.log:
        factor = min((high / low) ** MAX_EXCESS, 1e300) if low < high else math.e**MAX_EXCESS
        return low / factor, high * factor
    width = MAX_EXCESS * ((high - low) or 1.0)
    return low - width, high + width


def _ranged(like: Ranged, low: int | float, high: int | float, step: int | float | None) -> Ranged:
    """Return a distribution of a kind; a range that its step does not divide is extended."""
    if isinstance(like, IntDistribution):
        first, last = max(math.floor(low), 1) if like.log else math.floor(low), math.ceil(high)
        size = 1 if like.log or step is None else int(step)
        return IntDistribution(first, last + (first - last) % size, log=like.log, step=size)
    if step is None or like.log:
        return FloatDistribution(float(low), float(high), log=like.log)
    n = math.ceil((high - low) / step - 1e-8)
    end = Decimal(str(float(low))) + n * Decimal(str(step))  # as Optuna checks it
    return FloatDistribution(float(low), float(end), step=step)
