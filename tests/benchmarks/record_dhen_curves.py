"""Records the learning curves of random DHEN configurations on the coupon stream.

    python tests/benchmarks/record_dhen_curves.py tests/benchmarks/curves/dhen_coupons.npz

The file holds one array (configuration, report) of the windowed NE gain in %, for
``low_fidelity.py --npz``. Sixty trainings of 20,000 rows take a few minutes on one core.
"""

import argparse
from pathlib import Path

import numpy as np
import optuna
import torch
from optuna.pruners import NopPruner
from optuna.samplers import RandomSampler
from optuna.trial import TrialState

from dhen_objective.objective import DHENObjective
from dhen_objective.streams import CouponStream


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("path", type=Path)
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--curves", type=int, default=60)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    objective = DHENObjective(CouponStream(rows=arguments.rows))
    study = optuna.create_study(sampler=RandomSampler(seed=1), pruner=NopPruner())
    curves: list[list[float]] = []
    while len(curves) < arguments.curves:
        study.optimize(objective, n_trials=1)
        trial = study.trials[-1]
        if trial.state == TrialState.COMPLETE:
            curves.append([value for _, value in sorted(trial.intermediate_values.items())])
    arguments.path.parent.mkdir(parents=True, exist_ok=True)
    name = f"dhen_coupons_{arguments.rows}"
    np.savez_compressed(arguments.path, **{name: np.array(curves, dtype=np.float32)})


if __name__ == "__main__":
    main()
