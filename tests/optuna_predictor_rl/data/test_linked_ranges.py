"""Ranges that move with another parameter."""

from collections.abc import Callable

import numpy as np
import optuna
import pytest
from optuna.samplers import RandomSampler
from optuna.trial import Trial

from optuna_predictor_rl.core.space import SearchSpace
from optuna_predictor_rl.data.linked_ranges import LinkedRange, learn_linked_ranges
from optuna_predictor_rl.study.distributions import to_space
from optuna_predictor_rl.study.ranges import modelled


def learned(objective: Callable[[Trial], float]) -> tuple[SearchSpace, tuple[LinkedRange, ...]]:
    study = optuna.create_study(sampler=RandomSampler(seed=0))
    study.optimize(objective, n_trials=12)
    space = to_space(modelled(study.trials, {}))
    rows = space.rows([t.params for t in study.trials])
    return space, learn_linked_ranges(space, rows, study.trials)


def test_a_range_that_moves_with_a_number_confines_rows_to_where_trials_can_be() -> None:
    def objective(trial: Trial) -> float:
        x = trial.suggest_int("x", 0, 100)
        return trial.suggest_int("y", x - 3, x + 3) + trial.suggest_float("z", 0.0, 1.0)

    space, (linked,) = learned(objective)
    rows = space.rows([{"x": 50, "y": y, "z": 0.5} for y in (20, 49, 80)])
    linked.confine(rows)
    assert [c["y"] for c in space.configurations(rows)] == [47, 49, 53]


@pytest.mark.parametrize(
    ("suggest_parent", "suggest_child", "high_of"),
    [
        (
            lambda trial: trial.suggest_int("n", 1, 64, log=True),
            lambda trial, n: trial.suggest_int("k", 1, n),
            lambda n: n,
        ),
        (
            lambda trial: trial.suggest_float("n", 0.01, 1.0),
            lambda trial, n: trial.suggest_float("k", 1e-4, n, log=True),
            lambda n: n,
        ),
        (
            lambda trial: trial.suggest_float("n", 1e-3, 1.0, log=True),
            lambda trial, n: trial.suggest_float("k", 1e-6, n * 1e-2, log=True),
            lambda n: n * 1e-2,
        ),
    ],
    ids=["linear in a logarithmic parent", "logarithmic in a linear parent", "both logarithmic"],
)
def test_a_range_that_ends_at_a_number_is_exact_whatever_the_scales(
    suggest_parent: Callable[[Trial], float],
    suggest_child: Callable[[Trial, float], float],
    high_of: Callable[[float], float],
) -> None:
    space, (linked,) = learned(lambda trial: suggest_child(trial, suggest_parent(trial)))
    parents = [n for n in (3, 10, 40) if n <= space.decisions[0].high] or [0.05, 0.2, 0.7]
    rows = space.rows([{"n": n, "k": 1e9} for n in parents])
    linked.confine(rows)
    found = [c["k"] for c in space.configurations(rows)]
    assert found == pytest.approx([high_of(n) for n in parents], rel=0.02)


def test_a_range_that_moves_with_a_choice_is_learned_for_each_choice() -> None:
    def objective(trial: Trial) -> float:
        is_adam = trial.suggest_categorical("kind", ["adam", "sgd"]) == "adam"
        return trial.suggest_float("lr", *((1e-5, 1e-3) if is_adam else (1e-2, 1.0)), log=True)

    space, (linked,) = learned(objective)
    rows = space.rows([{"kind": k, "lr": lr} for k in ("adam", "sgd") for lr in (1e-4, 0.1)])
    linked.confine(rows)
    found = [c["lr"] for c in space.configurations(rows)]
    assert found == pytest.approx([1e-4, 1e-3, 1e-2, 0.1])


def test_ranges_that_move_for_no_reason_confine_nothing() -> None:
    rng = np.random.default_rng(0)

    def objective(trial: Trial) -> float:
        low = float(rng.uniform(0.0, 10.0))
        return trial.suggest_float("x", 0.0, 1.0) + trial.suggest_float("y", low, low + 1.0)

    assert learned(objective)[1] == ()
