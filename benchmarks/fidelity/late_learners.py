r"""Two constructed families of tasks whose best configurations learn late.

Parameters are mapped to u in [0, 1]^4. c is the optimum of three of them, drawn by the task's
seed. t is the share of the training. A curve is

    y(u, t) = p(u) - (p(u) - f(u)) h(u, t) + noise,    h(u, 0) = 0,  h(u, 1) = 1

with the plateau p that it begins from, the final value f, and the progress h. e_T(t) is
(1 - exp(-t / T)) / (1 - exp(-1 / T)), the progress with time constant T. bowl is the mean of
(u - c)^2 over the parameters, divided by .15.

"crossing": low learning rates end lower and are slower.

    p = 1;  f = .2 + .6 |u1 - .2| + .2 bowl(u2, u3, u4);  h = e_T(t),  T = 1.5 * .01^u1

After an eighth of the training, Kendall's tau with the final values is .0 to .2, and the best
twentieth lies in the middle of the ranks. At a half tau is .7.

"hidden": in four fifths of the space the ranks after an eighth agree with the final ones (tau
.9). In the rest, where the momentum is high (gate g), a curve stays on its plateau and falls late,
below all others.

    g = 1 / (1 + exp(-(u2 - .8) / .02));  p = .9 + .1 u1 + .3 g
    f = .5 + .2 bowl(u1, u3, u4) - .4 g;  h = (1 - g) e_.15(t) + g s(t)

s is a logistic curve of width .04 from 0 to 1 whose middle is .7 - .15 u1. After an eighth
of the training the best look worst, and no stopped trial near them tells otherwise.

The noise is normal with deviation .003, the same for the same parameters. The final value has
none.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from optuna.distributions import FloatDistribution
from optuna.study import Study
from optuna.trial import Trial

from benchmarks.fidelity.tasks import CurveTask, Values

N_STEPS = 50
NOISE = 0.003
BOWL_SCALE = 0.15
N_FOR_MEDIAN = 1001
DISTRIBUTIONS = {
    "learning_rate": FloatDistribution(1e-4, 1e-1, log=True),
    "momentum": FloatDistribution(0.0, 1.0),
    "weight_decay": FloatDistribution(1e-6, 1e-2, log=True),
    "dropout": FloatDistribution(0.0, 0.5),
}


def crossing(u: Values, c: Values, t: Values) -> Values:
    final = 0.2 + 0.6 * abs(u[0] - 0.2) + 0.2 * _bowl(u[1:], c[1:])
    return 1 - (1 - final) * _exponential(t, 1.5 * 0.01 ** u[0])


def hidden(u: Values, c: Values, t: Values) -> Values:
    gate = 1 / (1 + np.exp(-(u[1] - 0.8) / 0.02))
    bowl = _bowl(u[[0, 2, 3]], c[[0, 2, 3]])
    plateau, final = 0.9 + 0.1 * u[0] + 0.3 * gate, 0.5 + 0.2 * bowl - 0.4 * gate
    late = _logistic(t, middle=0.7 - 0.15 * u[0], width=0.04)
    return plateau - (plateau - final) * ((1 - gate) * _exponential(t, 0.15) + gate * late)


@dataclass(frozen=True)
class Family:
    """A formula of curves, and where its best value lies.

    Attributes:
        values: From a place u, the optimum c and shares t of the training to values at t.
        best_at: The coordinate, and its value, that is the best whatever the optimum.
    """

    values: Callable[[Values, Values, Values], Values]
    best_at: tuple[int, float]


FAMILIES = {"crossing": Family(crossing, (0, 0.2)), "hidden": Family(hidden, (1, 1.0))}


class LateLearners(CurveTask):
    """A task of a family; the seed draws the optimum and the noise."""

    def __init__(self, family: str, seed: int) -> None:
        self.name, self.n_steps = f"late {family} {seed}", N_STEPS
        self._family, self._seed = FAMILIES[family], seed
        self.optimum = np.random.default_rng(seed).uniform(0.2, 0.8, len(DISTRIBUTIONS))
        coordinate, best = self._family.best_at
        self.optimum[coordinate] = best
        self.best_known = float(self._values(self.optimum)[-1])
        places = np.random.default_rng(0).uniform(size=(N_FOR_MEDIAN, len(DISTRIBUTIONS)))
        self.median_random = float(np.median([self._values(u)[-1] for u in places]))

    def ask(self, study: Study) -> tuple[Trial, Values]:
        trial = study.ask(dict(DISTRIBUTIONS))
        return trial, self.curve(trial.params)

    def curve(self, params: Mapping[str, Any]) -> Values:
        """Return the value after each of the 50 steps."""
        place = np.array([_unit(params[name], d) for name, d in DISTRIBUTIONS.items()])
        noise = np.random.default_rng([self._seed, *np.round(place * 1e9).astype(int)])
        curve = self._values(place)
        curve[:-1] += NOISE * noise.normal(size=N_STEPS - 1)
        return curve

    def _values(self, place: Values) -> Values:
        return self._family.values(place, self.optimum, np.arange(1, N_STEPS + 1) / N_STEPS)


def late_learners(n_seeds: int = 3) -> list[CurveTask]:
    """Return tasks of both families."""
    return [LateLearners(family, seed) for family in FAMILIES for seed in range(n_seeds)]


def _unit(value: float, distribution: FloatDistribution) -> float:
    scale = np.log if distribution.log else float
    low, high = scale(distribution.low), scale(distribution.high)
    return float((scale(value) - low) / (high - low))


def _bowl(u: Values, c: Values) -> float:
    return float(np.mean((u - c) ** 2)) / BOWL_SCALE


def _exponential(t: Values, constant: float) -> Values:
    progress: Values = np.expm1(-t / constant) / np.expm1(-1 / constant)
    return progress


def _logistic(t: Values, middle: float, width: float) -> Values:
    def raw(t: Values | float) -> Values:
        return np.asarray(1 / (1 + np.exp(-(t - middle) / width)))

    progress: Values = (raw(t) - raw(0.0)) / (raw(1.0) - raw(0.0))
    return progress
