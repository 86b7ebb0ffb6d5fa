import itertools
import math

import numpy as np
import pytest

from optuna_predictor_rl.core.decisions import Numeric
from optuna_predictor_rl.core.predictor.config import PredictorConfig
from optuna_predictor_rl.core.predictor.cross_validation import (
    HeldOut,
    cross_validate,
    rank_correlation,
)
from optuna_predictor_rl.core.space import SearchSpace

SPACE = SearchSpace(tuple(Numeric(name=name, low=0.0, high=1.0) for name in "xy"))
ROWS = SPACE.random(20, np.random.default_rng(0))
SMALL = PredictorConfig(n_members=2, n_epochs=3)


def validated(labels: np.ndarray, n_folds: int = 4) -> HeldOut:
    rng = np.random.default_rng(1)
    return cross_validate(SMALL, SPACE, ROWS, labels, n_folds=n_folds, rng=rng)


def test_no_prediction_has_seen_the_labels_of_its_fold() -> None:
    labels = ROWS[:, :1] - ROWS[:, 1:]
    first = validated(labels)
    assert sorted(np.bincount(first.fold)) == [5, 5, 5, 5]
    for fold in range(4):
        changed = np.where((first.fold == fold)[:, None], 100.0, labels)
        second = validated(changed)
        own = first.fold == fold
        assert np.array_equal(first.fold, second.fold)
        assert np.array_equal(first.mean[own], second.mean[own])
        assert not np.array_equal(first.mean[~own], second.mean[~own])


def test_tau_is_that_of_counting_pairs_with_ties_and_without_missing_ones() -> None:
    first = np.array([1.0, 2.0, 2.0, 5.0, 3.0, np.nan])
    second = np.array([1.0, 3.0, 2.0, 2.0, 4.0, 0.0])
    pairs = list(itertools.combinations(range(5), 2))
    signs = [(np.sign(first[i] - first[j]), np.sign(second[i] - second[j])) for i, j in pairs]
    untied = [sum(s[k] != 0 for s in signs) for k in (0, 1)]
    expected = sum(a * b for a, b in signs) / math.sqrt(untied[0] * untied[1])
    assert rank_correlation(first, second) == pytest.approx(expected)


def test_tau_of_a_constant_or_of_one_pair_is_undefined() -> None:
    assert math.isnan(rank_correlation(np.ones(4), np.arange(4.0)))
    assert math.isnan(rank_correlation(np.array([1.0, np.nan]), np.array([1.0, 2.0])))


def test_tau_within_a_fold_looks_at_that_fold_alone() -> None:
    held_out = HeldOut(
        fold=np.array([0, 1, 0, 1, 0, 1]),
        mean=np.array([[1.0], [9.0], [2.0], [8.0], [3.0], [7.0]]),
        labels=np.array([[1.0], [1.0], [2.0], [2.0], [3.0], [3.0]]),
    )
    assert held_out.fold_taus() == pytest.approx([1.0, -1.0])
    # Of the 12 pairs of different labels, 6 are within a fold and cancel; of the 6 others, those
    # with the lower label in fold 0 are in order: 3.
    assert held_out.tau() == pytest.approx(0.0)


@pytest.mark.parametrize("n_folds", [1, 21])
def test_a_number_of_folds_that_leaves_one_empty_is_refused(n_folds: int) -> None:
    with pytest.raises(ValueError, match=f"at most the number .* 20, but got {n_folds}"):
        validated(ROWS[:, :1], n_folds)
