"""What a study shows at rungs: decisions on its running trials, and labels of the stopped ones."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np
from jaxtyping import Float
from numpy import ndarray
from optuna.study import Study
from optuna.trial import FrozenTrial

from optuna_predictor_rl.core.curves import Curve, Extrapolation
from optuna_predictor_rl.core.encoding import Encoding
from optuna_predictor_rl.fidelity.labels import full_trials
from optuna_predictor_rl.fidelity.rung_model import RungModel
from optuna_predictor_rl.fidelity.rung_rule import MIN_FULL, Standing
from optuna_predictor_rl.fidelity.rung_table import Rungs, RungTable, column_of, row_of
from optuna_predictor_rl.study import storage
from optuna_predictor_rl.study.distributions import known_part, to_space
from optuna_predictor_rl.study.objective import sign_of
from optuna_predictor_rl.study.ranges import modelled

MAX_TRIALS = 300
"""The latest trials that are learned from, and as many of the latest full ones."""

NORMAL_TAIL = 0.1587
"""Probability below one standard deviation under the mean."""


@dataclass(frozen=True)
class RungStudy:
    """A study's trials at rungs.

    Attributes:
        sign: 1 if the study minimizes, -1 if it maximizes.
        table: What its trials came to.
        model: Learned from them.
        encoding: Of their parameters.
    """

    sign: float
    table: RungTable
    model: RungModel
    encoding: Encoding

    @classmethod
    @np.errstate(over="ignore", invalid="ignore")
    def of(
        cls,
        study: Study,
        trials: Sequence[FrozenTrial],
        n_steps: int | None = None,
        before: RungStudy | None = None,
    ) -> RungStudy | None:
        """Read a study; None while too few of its trials have trained to the end.

        Args:
            study: With one objective.
            trials: Its trials.
            n_steps: The last step of a full training, if it is told.
            before: What was read of it before.
        """
        full = [t for t in full_trials(trials) if t.value is not None and math.isfinite(t.value)]
        rungs = Rungs.of(full, n_steps) if len(full) >= MIN_FULL else None
        if rungs is None or len(rungs.grid) == 0:
            return None
        sign = sign_of(study)
        reported = [t for t in trials if t.intermediate_values][-MAX_TRIALS:]
        known = {t.number for t in reported}
        earlier = [t for t in full[-MAX_TRIALS:] if t.number not in known]
        table = RungTable.of(
            [*earlier, *reported], rungs, sign, None if before is None else before.table
        )
        if not table.full.any():
            return None
        wide = modelled(table.trials, {})
        space = to_space({name: d for name, d in wide.items() if not d.single()})
        encoding = Encoding(space)
        found = cls(sign, table, RungModel(table.values, rungs.columns), encoding)
        x = found._encode(table.trials)
        return cls(sign, table, RungModel(table.values, rungs.columns, x), encoding)

    def standing(self, trial: FrozenTrial) -> Standing | None:
        """Return where a trial stands at the last step of the grid with a value; None without."""
        row = row_of(trial, self.table.rungs, self.sign)
        column = column_of(row)
        if column is None:
            return None
        return Standing(self.table, self.model, row, column, self._encode([trial]))

    def can_label(self, curve: Curve) -> bool:
        """Return whether a training that still runs has come far enough for a label."""
        first = self.table.rungs.steps[0]
        return len(curve) > 0 and not curve.diverged and bool(curve.steps[-1] >= first)

    def label(self, trial: FrozenTrial) -> Extrapolation | None:
        """Return the final value to expect of a trial; None if it diverged or shows nothing."""
        return self.labels([trial])[0]

    @np.errstate(over="ignore", invalid="ignore")  # of values near the largest float
    def labels(self, trials: Sequence[FrozenTrial]) -> list[Extrapolation | None]:
        """Return the labels of trials; those at one step are looked at together."""
        found: list[Extrapolation | None] = [None] * len(trials)
        rows = [row_of(trial, self.table.rungs, self.sign) for trial in trials]
        columns = [
            None if Curve.of(trial.intermediate_values).diverged else column_of(row)
            for trial, row in zip(trials, rows, strict=True)
        ]
        for column in {column for column in columns if column is not None}:
            places = [i for i, other in enumerate(columns) if other == column]
            x = self._encode([trials[i] for i in places])
            draws = self.model.final(np.array([rows[i] for i in places]), column, x)
            middle = np.median(draws, axis=1)
            low, high = np.quantile(draws, [NORMAL_TAIL, 1.0 - NORMAL_TAIL], axis=1)
            for place, value, std in zip(
                places, self.sign * middle, (high - low) / 2, strict=True
            ):
                if math.isfinite(value):
                    found[place] = Extrapolation(
                        value=float(value), std=float(std), slope=math.nan,
                        step=self.table.rungs.end,
                    )  # fmt: skip
        return found

    def _encode(self, trials: Sequence[FrozenTrial]) -> Float[ndarray, "n c"] | None:
        space = self.encoding.space
        if not space.decisions:
            return None
        return self.encoding(space.rows([known_part(t.params, space) for t in trials]))


_LATEST: WeakKeyDictionary[Study, tuple[Hashable, RungStudy | None]] = WeakKeyDictionary()


def rungs_of(
    study: Study, trials: Sequence[FrozenTrial], n_steps: int | None = None
) -> RungStudy | None:
    """Return what a study shows at rungs, which is kept until another of its trials has ended.

    Trials that have not ended are left out.
    """
    ended = [t for t in trials if t.state.is_finished()]
    key = (
        n_steps,
        tuple((storage.trial_id(t), t.state, len(t.intermediate_values), t.value) for t in ended),
    )
    last = _LATEST.get(study)
    if last is not None and last[0] == key:
        return last[1]
    found = RungStudy.of(study, ended, n_steps, None if last is None else last[1])
    _LATEST[study] = key, found
    return found
