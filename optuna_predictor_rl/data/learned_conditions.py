"""Which parameters a configuration is asked for, as a study's trials show it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool
from numpy import ndarray

from optuna_predictor_rl.core.conditions import AnyCondition, Condition, RangeCondition
from optuna_predictor_rl.core.space import Categorical, Rows, SearchSpace


@dataclass(frozen=True)
class Asking:
    """Which decisions of a space are asked for.

    Args:
        conditions: When decisions are active, as far as other decisions explain it.
        dropped: Decisions that earlier trials had and the latest ones have no more.
        open: Decisions whose absence from a trial says nothing of the next one with the same
            values: they came into the study later, or are asked for at random.
    """

    conditions: tuple[AnyCondition, ...] = ()
    dropped: frozenset[int] = frozenset()
    open: frozenset[int] = frozenset()


def learn_asking(space: SearchSpace, rows: Rows, whole: Bool[ndarray, " n"]) -> Asking:
    """Explain why some decisions are missing (NaN) from some rows.

    The first of these that fits is taken:

    1. one earlier categorical decision: no choice of it goes both with rows that have the
       decision and with rows that lack it;
    2. time: all rows up to one have it and none after it, or the other way round;
    3. several earlier decisions, categorical or numeric, all of which must be in the part where
       rows have had the decision.

    For choices that no row has tried, the decision counts as inactive. Where nothing fits, it
    counts as active.

    Args:
        space: The search space.
        rows: Rows of trials, (n, decisions), in the order of the trials.
        whole: Which of them come from trials that were not stopped before they had asked for all,
            (n,); the others are heard for the first explanation alone.
    """
    missing = np.isnan(rows)
    partial = np.flatnonzero(missing.any(axis=0) & ~missing.all(axis=0))
    conditions: list[AnyCondition] = []
    dropped: set[int] = set()
    opened: set[int] = set()
    for child in map(int, partial):
        found: Sequence[AnyCondition] = _of_one_choice(space, rows, child)
        lacks = missing[whole, child]
        if not found and lacks.any() and not lacks.all():
            several = _of_several(space, rows[whole], child)
            once = int((lacks[1:] != lacks[:-1]).sum()) == 1
            if once and lacks[-1]:
                dropped.add(child)
            elif not several and (once or _is_random(rows[whole], child)):
                opened.add(child)
            elif not once:
                found = several
        conditions.extend(found)
    return Asking(tuple(conditions), frozenset(dropped), frozenset(opened))


def _of_one_choice(space: SearchSpace, rows: Rows, child: int) -> list[AnyCondition]:
    missing = np.isnan(rows)
    absent = missing[:, child]
    for parent in range(child):
        if not isinstance(space.decisions[parent], Categorical):
            continue
        if (missing[:, parent] & ~absent).any():
            continue
        without = {int(c) for c in rows[absent & ~missing[:, parent], parent]}
        with_child = {int(c) for c in rows[~absent, parent]}
        if without and not without & with_child:
            return [Condition(child, parent, frozenset(with_child))]
    return []


def _of_several(space: SearchSpace, rows: Rows, child: int) -> list[AnyCondition]:
    """As few conditions as exclude all rows without the child; none if no set of them does."""
    absent = np.isnan(rows[:, child])
    possible = [
        _part(space, rows, absent, child, parent)
        for parent in range(child)
        if not np.isnan(rows[~absent, parent]).any()
    ]
    left, found = rows[absent], list[AnyCondition]()
    while len(left):
        excluded = [int((~c.holds(left[:, c.parent])).sum()) for c in possible]
        if not max(excluded, default=0):
            return []
        found.append(possible[int(np.argmax(excluded))])
        left = left[found[-1].holds(left[:, found[-1].parent])]
    return found


def _part(
    space: SearchSpace, rows: Rows, absent: Bool[ndarray, " n"], child: int, parent: int
) -> AnyCondition:
    """The part of a parent in which rows have the child; a range ends half-way to the others."""
    having = rows[~absent, parent]
    if isinstance(space.decisions[parent], Categorical):
        return Condition(child, parent, frozenset(int(c) for c in having))
    low, high = float(having.min()), float(having.max())
    others = rows[absent, parent]
    below, above = others[others < low], others[others > high]
    return RangeCondition(
        child,
        parent,
        (low + float(below.max())) / 2 if len(below) else 0.0,
        (high + float(above.min())) / 2 if len(above) else 1.0,
    )


def _is_random(rows: Rows, child: int) -> bool:
    """Whether a row without the child is followed by one of the same values that has it."""
    present = ~np.isnan(rows)
    for i in np.flatnonzero(~present[:, child]):
        later = rows[i + 1 :][present[i + 1 :, child]]
        if (later[:, present[i]] == rows[i, present[i]]).all(axis=1).any():
            return True
    return False
