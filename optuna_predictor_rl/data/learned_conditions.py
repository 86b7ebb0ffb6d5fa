"""Conditions under which parameters are active, as a study's trials show them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool
from numpy import ndarray

from optuna_predictor_rl.core.conditions import (
    AnyCondition,
    AnyOf,
    Condition,
    OfOneParent,
    RangeCondition,
)
from optuna_predictor_rl.core.decisions import Categorical, has_few_values
from optuna_predictor_rl.core.space import Rows, SearchSpace

MAX_ALTERNATIVES = 3
"""Choices and bounds of other decisions, any one of which may make a decision active."""

MIN_COVERED = 2
"""Rows that an alternative has to explain."""


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

    1. one earlier decision, of choices or of few numbers: no choice of it goes both with rows
       that have the decision and with rows that lack it, nor does a number of one kind lie
       between those of the other;
    2. time: all rows up to one have it and none after it, or the other way round;
    3. several earlier decisions, all of which must be in the part where rows have had the
       decision;
    4. alternatives: choices or bounds that no row without the decision has, and where they leave
       rows with it, again several decisions.

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
        found: Sequence[AnyCondition] = _of_one(space, rows, child)
        lacks = missing[has_all_active, child]
        if not found and lacks.any() and not lacks.all():
            complete = rows[has_all_active]
            once = int((lacks[1:] != lacks[:-1]).sum()) == 1
            several: Sequence[AnyCondition] = _of_several(space, complete, child)
            if not several and not once:
                several = _alternatives(space, complete, child)
            if once and lacks[-1]:
                removed.add(child)
            elif not several and (once or _is_random(complete, child)):
                unexplained.add(child)
            elif not once:
                found = several
        conditions.extend(found)
    return LearnedConditions(tuple(conditions), frozenset(removed), frozenset(unexplained))


def _of_one(space: SearchSpace, rows: Rows, child: int) -> list[AnyCondition]:
    """Return the condition on the first parent whose values tell rows with the child apart.

    Parents of choices come before those of numbers.
    """
    missing = np.isnan(rows)
    absent = missing[:, child]
    few = [parent for parent in range(child) if has_few_values(space.decisions[parent])]
    for parent in sorted(few, key=lambda p: not isinstance(space.decisions[p], Categorical)):
        if (missing[:, parent] & ~absent).any():
            continue
        without = rows[absent & ~missing[:, parent]]
        condition = _part(space, rows, absent, child, parent)
        if len(without) and not condition.holds(without).any():
            return [condition]
    return []


def _of_several(space: SearchSpace, rows: Rows, child: int) -> list[OfOneParent]:
    """Return few conditions that exclude all rows without the child; none if no set does.

    They are found greedily: the next one excludes most of the rows that are left.
    """
    absent = np.isnan(rows[:, child])
    possible = [
        _part(space, rows, absent, child, parent)
        for parent in range(child)
        if not np.isnan(rows[~absent, parent]).any()
    ]
    left, found = rows[absent], list[OfOneParent]()
    while len(left):
        excluded = [int((~c.holds(left)).sum()) for c in possible]
        if not max(excluded, default=0):
            return []
        found.append(possible[int(np.argmax(excluded))])
        left = left[found[-1].holds(left)]
    return found


def _alternatives(space: SearchSpace, rows: Rows, child: int) -> list[AnyCondition]:
    """Return a condition of alternatives that excludes all rows without the child.

    Each alternative but the last is one choice or one bound that no row without the child has;
    of these, the one that most of the rows have which are left. The last one is what
    `_of_several` finds for the rest. None of this is sure of one row only.
    """
    absent = np.isnan(rows[:, child])
    without, left = rows[absent], rows[~absent]
    found: list[tuple[OfOneParent, ...]] = []
    possible = [
        part
        for parent in range(child)
        for part in _parts_without_others(space, rows, absent, child, parent)
    ]
    while len(left) and len(found) < MAX_ALTERNATIVES:
        covered = [int(part.holds(left).sum()) for part in possible]
        if max(covered, default=0) < MIN_COVERED:
            break
        found.append((possible[int(np.argmax(covered))],))
        left = left[~found[-1][0].holds(left)]
        rest = _of_several(space, np.concatenate([left, without]), child) if len(left) else []
        if rest or not len(left):
            return [AnyOf(child, (*found, *([tuple(rest)] if rest else [])))]
    return []


def _part(
    space: SearchSpace, rows: Rows, absent: Bool[ndarray, " n"], child: int, parent: int
) -> OfOneParent:
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


def _parts_without_others(
    space: SearchSpace, rows: Rows, absent: Bool[ndarray, " n"], child: int, parent: int
) -> Iterator[OfOneParent]:
    """Yield choices of a parent that no row without the child has, or its parts beyond those."""
    known = ~np.isnan(rows[:, parent])
    having, others = rows[~absent & known, parent], rows[absent & known, parent]
    if not len(having) or not len(others):
        return
    if isinstance(space.decisions[parent], Categorical):
        for choice in np.setdiff1d(having, others):
            yield Condition(child, parent, frozenset([int(choice)]))
        return
    low, high = float(others.min()), float(others.max())
    below, above = having[having < low], having[having > high]
    if len(below):
        yield RangeCondition(child, parent, 0.0, (float(below.max()) + low) / 2)
    if len(above):
        yield RangeCondition(child, parent, (float(above.min()) + high) / 2, 1.0)


def _is_random(rows: Rows, child: int) -> bool:
    """Return whether a later row with the same values has the child that an earlier one lacks."""
    present = ~np.isnan(rows)
    for i in np.flatnonzero(~present[:, child]):
        later = rows[i + 1 :][present[i + 1 :, child]]
        if (later[:, present[i]] == rows[i, present[i]]).all(axis=1).any():
            return True
    return False
