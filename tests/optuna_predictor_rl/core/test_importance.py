import itertools

import numpy as np
import pytest

from optuna_predictor_rl.core.conditions import Condition
from optuna_predictor_rl.core.decisions import Categorical, Numeric
from optuna_predictor_rl.core.importance import total_effects
from optuna_predictor_rl.core.space import Rows, SearchSpace

RNG = 7
BITS = SearchSpace(tuple(Categorical(name=name, choices=(0, 1)) for name in "abc"))


def effects(space: SearchSpace, predict, n_samples: int = 20_000) -> np.ndarray:
    rng = np.random.default_rng(RNG)
    return total_effects(space, predict, n_samples=n_samples, rng=rng)


def test_decisions_of_an_additive_function_have_their_share_of_the_variance() -> None:
    space = SearchSpace(
        (
            Categorical(name="kind", choices=("a", "b", "c")),
            Numeric(name="x", low=0.0, high=1.0),
            Numeric(name="rate", low=1e-3, high=1.0, log=True),
            Numeric(name="idle", low=0.0, high=1.0),
        )
    )
    levels = np.array([0.0, 1.0, -0.5])

    def predict(rows: Rows) -> np.ndarray:
        value = levels[rows[:, 0].astype(int)] + 2.0 * rows[:, 1] + rows[:, 2]
        return np.stack([value, rows[:, 2]], axis=1)

    variances = np.array([levels.var(), 4.0 / 12.0, 1.0 / 12.0, 0.0])  # of a uniform: 1 / 12
    found = effects(space, predict)
    assert found[:, 0] == pytest.approx(variances / variances.sum(), abs=0.02)
    assert found[:, 1] == pytest.approx([0.0, 0.0, 1.0, 0.0], abs=0.02)


def test_an_interaction_counts_for_all_that_take_part() -> None:
    found = effects(BITS, lambda rows: np.logical_xor(rows[:, :1], rows[:, 1:2]) * 1.0)
    assert found[:, 0] == pytest.approx([1.0, 1.0, 0.0], abs=0.03)


def test_a_conditional_decision_counts_where_it_is_active() -> None:
    space = SearchSpace(
        (
            Categorical(name="parent", choices=("off", "on")),
            Categorical(name="child", choices=(0, 1, 2)),
        ),
        (Condition(1, 0, frozenset({1})),),
    )

    def value(parent: float, child: float) -> float:
        return 0.5 if parent == 0 else float(child) ** 2

    def predict(rows: Rows) -> np.ndarray:
        assert (np.isnan(rows[:, 1]) == (rows[:, 0] == 0)).all()
        return np.array([[value(*row)] for row in rows])

    everything = list(itertools.product((0, 1), (0, 1, 2)))
    variance = np.var([value(*point) for point in everything])
    by_parent = [(value(p, c) - value(q, c)) ** 2 for p, c in everything for q in (0, 1)]
    by_child = [(value(p, c) - value(p, d)) ** 2 for p, c in everything for d in (0, 1, 2)]
    expected = np.array([np.mean(by_parent), np.mean(by_child)]) / 2 / variance
    assert effects(space, predict)[:, 0] == pytest.approx(expected, abs=0.03)


def test_what_is_constant_has_no_importance() -> None:
    assert np.isnan(effects(BITS, lambda rows: np.ones((len(rows), 1)), 10)).all()


def test_a_single_sample_is_refused() -> None:
    with pytest.raises(ValueError, match=r"n_samples must be at least 2, but got 1\."):
        effects(BITS, lambda rows: rows, 1)
