"""A better model at the same cost, or the same model cheaper: three ways to ask for it.

    python examples/return_on_investment.py --trials 30

The model is ridge regression on random features: more features and more rows give a lower error
and cost more multiply-adds, which are known before it is trained.
"""

import argparse
from typing import Any

import numpy as np
import optuna

from optuna_predictor_rl import KnownCost, PredictorRLSampler

RNG = np.random.default_rng(0)
INPUTS = RNG.normal(size=(1500, 3))
TARGETS = np.sin(2.0 * INPUTS[:, 0]) * INPUTS[:, 1] + 0.1 * RNG.normal(size=1500)
BUDGET = 5.0
"""Millions of multiply-adds."""


def megaflops(params: dict[str, Any]) -> float:
    """Return the multiply-adds of the normal equations, in millions."""
    return float(params["rows"] * params["width"] * (params["width"] + 3) / 1e6)


def error(trial: optuna.Trial) -> float:
    """Return the mean squared error on 500 rows that are not trained on."""
    rows = trial.suggest_int("rows", 50, 1000, log=True)
    width = trial.suggest_int("width", 4, 256, log=True)
    scale = trial.suggest_float("scale", 0.05, 5.0, log=True)
    ridge = trial.suggest_float("ridge", 1e-4, 10.0, log=True)
    rng = np.random.default_rng(1)
    weights, shift = scale * rng.normal(size=(3, width)), rng.uniform(0.0, 2.0 * np.pi, width)
    features = np.cos(INPUTS @ weights + shift)
    seen = features[:rows]
    solved = np.linalg.solve(seen.T @ seen + ridge * np.eye(width), seen.T @ TARGETS[:rows])
    return float(np.mean((features[1000:] @ solved - TARGETS[1000:]) ** 2))


def error_and_cost(trial: optuna.Trial) -> tuple[float, float]:
    """Return two objectives, and a bound on one parameter's share of the memory."""
    value = error(trial)
    trial.set_constraint("memory", trial.params["rows"] * trial.params["width"] - 100_000)
    return value, megaflops(trial.params)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=30)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    cost = KnownCost(megaflops)

    print("Eq. (6): a weight for the cost, cycled from trial to trial")
    sampler = PredictorRLSampler(cost=cost, cost_weight=(0.0, 0.2, 0.5), seed=arguments.seed)
    study = optuna.create_study(sampler=sampler)
    study.optimize(error, n_trials=arguments.trials)
    for i, weight in enumerate((0.0, 0.2, 0.5)):
        trials = [trial for trial in study.trials[8:] if trial.number % 3 == i]
        spent = np.median([megaflops(trial.params) for trial in trials or study.trials])
        print(f"  weight {weight}: median cost {spent:.2f}M")

    print(f"A budget: at most {BUDGET:.0f}M")
    sampler = PredictorRLSampler(cost=cost, max_cost=BUDGET, seed=arguments.seed)
    study = optuna.create_study(sampler=sampler)
    study.optimize(error, n_trials=arguments.trials)
    within = [trial for trial in study.trials if megaflops(trial.params) <= BUDGET]
    best = min(within, key=lambda trial: trial.values[0])
    print(f"  error {best.values[0]:.4f} at {megaflops(best.params):.2f}M")
    print(f"  {len(study.trials) - len(within)} of {len(study.trials)} trials over the budget")

    print("Two objectives and a constraint on memory")
    study = optuna.create_study(
        directions=["minimize", "minimize"], sampler=PredictorRLSampler(seed=arguments.seed)
    )
    study.optimize(error_and_cost, n_trials=arguments.trials)
    for trial in sorted(study.best_trials, key=lambda trial: trial.values[1]):
        print(f"  error {trial.values[0]:.4f} at {trial.values[1]:8.3f}M")


if __name__ == "__main__":
    main()
