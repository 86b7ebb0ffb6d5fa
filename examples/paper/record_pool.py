"""Record the pool of trainings that the experiments of section 4 are repeated on.

    python examples/paper/record_pool.py --configurations 190     # 15 minutes on one core
    python examples/paper/record_pool.py --configurations 20 --rows 2000 --out pool.npz  # seconds

Draws random configurations of the 18 decisions and trains each in one pass over the stream, to
the end; those that diverge are left out. The file is written after each, and a file that is there
is continued. Values differ in the last digits from one kind of processor to another.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import torch
from active_decisions import NETWORK, TRAINING, suggest_all
from optuna.trial import FrozenTrial, TrialState
from pool import POOL, Pool, load, save
from tqdm import tqdm

from dhen_objective import (
    ClickStream,
    CouponStream,
    DHENObjective,
    FlightStream,
    SyntheticStream,
)

STREAMS: dict[str, Callable[[int], ClickStream]] = {
    "coupons": lambda rows: CouponStream(rows=rows),
    "flights": lambda rows: FlightStream(rows=rows),
    "synthetic": lambda rows: SyntheticStream("medium", rows=rows, seed=0),
}


def main() -> None:
    options = parse_options()
    torch.set_num_threads(1)
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    stream = STREAMS[options.data](options.rows)
    name = f"dhen_{options.data}_{options.rows}"
    pool = load(options.out) if options.out.exists() else None
    kept = [] if pool is None or pool.name != name else pool.trials()
    objective = DHENObjective(stream, baseline=NETWORK, training=TRAINING, suggest=suggest_all)
    new = record(objective, options.seed, [trial.params for trial in kept])
    n_new = max(options.configurations - len(kept), 0)
    for trial in tqdm(islice(new, n_new), total=n_new, desc="Record", unit="training"):
        kept.append(trial)
        save(to_pool(name, kept), options.out)
    print(f"{len(kept)} trainings of {options.rows:,} rows in {options.out}")


def parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--configurations", type=int, default=63)
    parser.add_argument("--rows", type=int, default=50_000)
    parser.add_argument("--data", choices=STREAMS, default="coupons")
    parser.add_argument("--seed", type=int, default=1, help="of the configurations")
    parser.add_argument("--out", type=Path, default=POOL)
    return parser.parse_args()


def record(
    objective: DHENObjective, seed: int, known: list[dict[str, Any]]
) -> Iterator[FrozenTrial]:
    """Yield trials that ran to the end, endlessly, leaving out the known configurations."""

    def unless_known(trial: optuna.Trial) -> float:
        suggest_all(trial)
        if trial.params in known:
            raise optuna.TrialPruned
        return objective(trial)

    study = optuna.create_study(
        sampler=optuna.samplers.RandomSampler(seed=seed), pruner=optuna.pruners.NopPruner()
    )
    while True:
        study.optimize(unless_known, n_trials=1)
        if study.trials[-1].state == TrialState.COMPLETE:
            yield study.trials[-1]


def to_pool(name: str, trials: list[FrozenTrial]) -> Pool:
    attrs = [trial.user_attrs for trial in trials]
    return Pool(
        name=name,
        params=[trial.params for trial in trials],
        distributions=trials[0].distributions,
        steps=np.array(sorted(trials[0].intermediate_values), dtype=np.float64),
        curves=np.array([[v for _, v in sorted(t.intermediate_values.items())] for t in trials]),
        **{key: np.array([a[key] for a in attrs], float) for key in ("ne", "flops", "seconds")},
    )


if __name__ == "__main__":
    main()
