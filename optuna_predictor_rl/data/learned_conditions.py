"""Conditions under which parameters are active, as a study's trials show them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool
from numpy import ndarray

from optuna_predictor_rl.core.conditions import AnyCondition, Condition, RangeCondition
from optuna_predictor_rl.core.decisions import Categorical
from optuna_predictor_rl.core.space import Rows, SearchSpace


@dataclass(frozen=True)
class LearnedConditions:
    """Which decisions of a space are active.

    Args:
        conditions: When decisions are active, as far as other decisions explain it.
        removed: Decisions that earlier trials had and the latest ones have no more.
        unexplained: Decisions that a trial may lack while the next one with the same values has
            them: they came into the study later, or are active at random.
    """

    conditions: tuple[AnyCondition, ...] = ()
    removed: frozenset[int] = frozenset()
    unexplained: frozenset[int] = frozenset()


def learn_conditions(
    space: SearchSpace, rows: Rows, has_all_active: Bool[ndarray, " n"]
) -> LearnedConditions:
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
        has_all_active: Which of them have all decisions that are active for them, (n,). The others
            were stopped before the objective suggested all; only the first explanation uses them.
    """
    missing = np.isnan(rows)
    partial = np.flatnonzero(missing.any(axis=0) & ~missing.all(axis=0))
    conditions: list[AnyCondition] = []
    removed: set[int] = set()
    unexplained: set[int] = set()
    for child in map(int, partial):
        found: Sequence[AnyCondition] = _of_one_choice(space, rows, child)
        lacks = missing[has_all_active, child]
        if not found and lacks.any() and not lacks.all():
            several = _of_several(space, rows[has_all_active], child)
            once = int((lacks[1:] != lacks[:-1]).sum()) == 1
            if once and lacks[-1]:
                removed.add(child)
            elif not several and (once or _is_random(rows[has_all_active], child)):
                unexplained.add(child)
            elif not once:
                found = several
        conditions.extend(found)
    return LearnedConditions(tuple(conditions), frozenset(removed), frozenset(unexplained))


def _of_one_choice(space: SearchSpace, rows: Rows, child: int) -> list[AnyCondition]:
    """Return the condition on the first parent whose choices tell rows with the child apart."""
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
    """Return few conditions that exclude all rows without the child; none if no set does.

    They are found greedily: the next one excludes most of the rows that are left.
    """
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
    """Return the part of a parent in which rows have the child.

    A range ends half-way to the nearest row without it.
    """
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
    """Return whether a later row with the same values has the child that an earlier one lacks."""
    present = ~np.isnan(rows)
    for i in np.flatnonzero(~present[:, child]):
        later = rows[i + 1 :][present[i + 1 :, child]]
        if (later[:, present[i]] == rows[i, present[i]]).all(axis=1).any():
            return True
    return False
