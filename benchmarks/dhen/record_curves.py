"""Record the learning curves of random DHEN configurations on the coupon stream.

    python -m benchmarks dhen record_curves benchmarks/fidelity/curves/dhen_coupons.npz

The file holds one array (configuration, report) of the windowed NE gain in %, and as JSON the
parameters of each configuration and their distributions. It is read by `--npz` of `python -m
benchmarks fidelity labels` and by `--table` of `python -m benchmarks fidelity search`.

Takes a few minutes on one core.
"""

import argparse
import json
from pathlib import Path

import numpy as np
import optuna
import torch
from optuna.distributions import distribution_to_json
from optuna.pruners import NopPruner
from optuna.samplers import RandomSampler
from optuna.trial import FrozenTrial, TrialState

from dhen_objective.objective import DHENObjective
from dhen_objective.streams import CouponStream


def record(objective: DHENObjective, n_curves: int) -> list[FrozenTrial]:
    """Return trials that ran to the end; those that diverged are left out."""
    study = optuna.create_study(sampler=RandomSampler(seed=1), pruner=NopPruner())
    kept: list[FrozenTrial] = []
    while len(kept) < n_curves:
        study.optimize(objective, n_trials=1)
        kept += [t for t in study.trials[-1:] if t.state == TrialState.COMPLETE]
    return kept


def save(path: Path, name: str, trials: list[FrozenTrial]) -> None:
    curves = [[value for _, value in sorted(t.intermediate_values.items())] for t in trials]
    distributions = {
        key: distribution_to_json(value) for key, value in trials[0].distributions.items()
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(
        path,
        **{name: np.array(curves, dtype=np.float32)},
        params=np.array(json.dumps([t.params for t in trials])),
        distributions=np.array(json.dumps(distributions)),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("path", type=Path)
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--curves", type=int, default=60)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    trials = record(DHENObjective(CouponStream(rows=arguments.rows)), arguments.curves)
    save(arguments.path, f"dhen_coupons_{arguments.rows}", trials)
