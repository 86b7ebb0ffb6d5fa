"""A pool of recorded trainings: what most experiments of the paper are repeated on.

The file holds one array (configuration, report) of the windowed NE gain in %, what each training
cost, and as JSON the parameters and their distributions. `record_pool.py` writes it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from active_decisions import active
from jaxtyping import Float
from numpy import ndarray
from optuna.distributions import BaseDistribution, distribution_to_json, json_to_distribution
from optuna.trial import FrozenTrial, create_trial

from optuna_predictor_rl.core.curves import Curve
from optuna_predictor_rl.core.space import Rows, SearchSpace
from optuna_predictor_rl.study.distributions import to_space

POOLS = sorted((Path(__file__).parent / "pools").glob("*.npz"))
POOL = Path(__file__).parent / "pools" / "coupons.npz"
"""63 DHENs, each trained in one pass over the first 50,000 coupons."""


@dataclass(frozen=True, kw_only=True)
class Pool:
    """Random configurations, each trained to the end.

    Attributes:
        name: The stream and its rows.
        params: The parameters of each configuration.
        distributions: The search space.
        steps: Rows seen at each report.
        curves: NE gain of the window that ends at each report, in %, against the default DHEN.
        ne: Normalized entropy of the last window.
        flops: Floating-point operations of an example, forward.
        seconds: Of the training.
    """

    name: str
    params: list[dict[str, Any]]
    distributions: Mapping[str, BaseDistribution]
    steps: Float[ndarray, " r"]
    curves: Float[ndarray, "n r"]
    ne: Float[ndarray, " n"]
    flops: Float[ndarray, " n"]
    seconds: Float[ndarray, " n"]

    def __len__(self) -> int:
        return len(self.params)

    @property
    def gains(self) -> Float[ndarray, " n"]:
        """Return the NE gains of the last window, in %; lower is better."""
        return self.curves[:, -1]

    @property
    def labels(self) -> Float[ndarray, "n 2"]:
        """Return the predictor's two tasks, NE gain and FLOPs; lower is better in both."""
        return np.stack([self.gains, self.flops], axis=1)

    @property
    def space(self) -> SearchSpace:
        """Return the search space as the predictor sees it."""
        return to_space(self.distributions)

    @property
    def rows(self) -> Rows:
        """Return the configurations as the predictor sees them."""
        return self.space.rows(self.params)

    def read_curves(self) -> list[Curve]:
        """Return the learning curves."""
        return [Curve.from_arrays(self.steps, values) for values in self.curves]

    def trials(self) -> list[FrozenTrial]:
        """Return the configurations as complete trials, for `study.add_trials`."""
        return [self._trial(i, self.params[i]) for i in range(len(self))]

    def active_trials(self) -> list[FrozenTrial]:
        """Return the same without the parameters that have no effect."""
        return [self._trial(i, active(self.params[i])) for i in range(len(self))]

    def _trial(self, i: int, params: dict[str, Any]) -> FrozenTrial:
        curve = zip(self.steps, self.curves[i], strict=True)
        return create_trial(
            params=params,
            distributions={name: self.distributions[name] for name in params},
            value=float(self.gains[i]),
            intermediate_values={int(step): float(value) for step, value in curve},
            user_attrs={
                "recorded": True,
                "flops": int(self.flops[i]),
                "ne": float(self.ne[i]),
                "seconds": float(self.seconds[i]),
            },
        )


def save(pool: Pool, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    distributions = {name: distribution_to_json(d) for name, d in pool.distributions.items()}
    np.savez_compressed(
        path,
        **{pool.name: pool.curves.astype(np.float32)},
        params=np.array(json.dumps(pool.params)),
        distributions=np.array(json.dumps(distributions)),
        steps=pool.steps,
        ne=pool.ne,
        flops=pool.flops,
        seconds=pool.seconds,
    )


def load(path: Path = POOL) -> Pool:
    with np.load(path) as arrays:
        name = next(name for name in arrays.files if arrays[name].ndim == 2)
        distributions = json.loads(str(arrays["distributions"]))
        return Pool(
            name=name,
            params=json.loads(str(arrays["params"])),
            distributions={key: json_to_distribution(d) for key, d in distributions.items()},
            curves=arrays[name].astype(np.float64),
            **{key: arrays[key] for key in ("steps", "ne", "flops", "seconds")},
        )
