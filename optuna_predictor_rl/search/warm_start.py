"""Other searches as a start: their best configurations, and their predictions as a mean."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import optuna
from jaxtyping import Float, Int
from numpy import ndarray
from optuna.study import Study, StudyDirection
from optuna.trial import FrozenTrial

from optuna_predictor_rl.core.pareto import chebyshev, front_order
from optuna_predictor_rl.core.policy.spacing import diverse
from optuna_predictor_rl.core.predictor.config import PredictorConfig
from optuna_predictor_rl.core.predictor.ensemble import Ensemble
from optuna_predictor_rl.core.predictor.transfer import SourcePredictions
from optuna_predictor_rl.core.space import Rows, SearchSpace
from optuna_predictor_rl.core.translation import translated
from optuna_predictor_rl.data.source import Source
from optuna_predictor_rl.study.storage import LABELLED

Given = Study | Source | FrozenTrial
"""What a search can start from."""

N_FIRST = 5
"""Trials that try the sources' best; the startup's other trials contrast with them."""

N_BEST = 20
"""Best configurations of each source among which those are chosen."""

N_REMEMBERED = 8
"""Fits that are kept; a study with several objectives weighs them anew in each trial."""

LEAST_DISTANCE = 0.1
"""Gower distance between those at least."""


class WarmStart:
    """The sources of a sampler, read once and fitted when they are first needed.

    Args:
        given: Studies, sources, or finished trials, or one of them; all trials together are one
            source.
        config: Settings of the sources' predictors.

    Raises:
        ValueError: If a study or the trials have nothing to learn from.
    """

    def __init__(self, given: Given | Sequence[Given], config: PredictorConfig) -> None:
        given = given if isinstance(given, Sequence) else [given]
        self._config = config
        self._sources = [
            item if isinstance(item, Source) else Source.of(item)
            for item in given
            if not isinstance(item, FrozenTrial)
        ]
        self._trials = [item for item in given if isinstance(item, FrozenTrial)]
        if self._trials and not any(t.params and t.state in LABELLED for t in self._trials):
            raise ValueError(
                "warm_start must hold finished trials with parameters, but got "
                f"{len(self._trials)} without any: {self._trials[0]}."
            )
        self._of: dict[tuple[StudyDirection, ...], list[Source]] = {}
        self._read: dict[object, list[tuple[Source, Ensemble]]] = {}

    def __getstate__(self) -> dict[str, object]:
        """Return the state without the fits, which are repeated."""
        return {**self.__dict__, "_read": {}}

    def __bool__(self) -> bool:
        """Return whether there is any source."""
        return bool(self._sources or self._trials)

    def sources(self, directions: Sequence[StudyDirection]) -> list[Source]:
        """Return the sources of a study; loose trials have the study's directions.

        Raises:
            ValueError: If one has another number of objectives than the study.
        """
        key = tuple(directions)
        if key not in self._of:
            self._of[key] = self._checked_sources(directions)
        return self._of[key]

    def _checked_sources(self, directions: Sequence[StudyDirection]) -> list[Source]:
        n = len(directions)
        for trial in self._trials:
            if trial.values is not None and len(trial.values) != n:
                raise ValueError(_another_number(n, len(trial.values), f"trial {trial.number}"))
        sources = [*self._sources, *_of_trials(self._trials, directions)]
        for source in sources:
            if source.n_objectives != n:
                raise ValueError(_another_number(n, source.n_objectives, repr(source)))
        return sources

    def _fitted(
        self, directions: Sequence[StudyDirection], weights: Float[ndarray, " o"] | None
    ) -> list[tuple[Source, Ensemble]]:
        """Return the sources, with one objective if there are weights, and their predictors."""
        key = tuple(directions), None if weights is None else weights.tobytes()
        if key not in self._read:
            sources = self.sources(directions)
            if weights is not None:
                sources = [with_weights(source, weights) for source in sources]
            if len(self._read) >= N_REMEMBERED:
                self._read.clear()
            self._read[key] = [(source, source.fit(self._config)) for source in sources]
        return self._read[key]

    def source_predictions(
        self,
        space: SearchSpace,
        n_tasks: int,
        directions: Sequence[StudyDirection],
        weights: Float[ndarray, " o"] | None = None,
    ) -> SourcePredictions | None:
        """Return what the sources predict of rows of the space, in the tasks that they have too.

        Args:
            space: The study's space.
            n_tasks: Number of the study's tasks.
            directions: The study's directions.
            weights: The weights by which several objectives are one task; None if each is one.

        Raises:
            ValueError: If a source has another number of objectives than the study.
        """
        if not self:
            return None
        fitted = self._fitted(directions, weights)
        defaults = [source.rows[_best(source, 1)[0]] for source, _ in fitted]

        def predictions(rows: Rows) -> Float[ndarray, "n s t"]:
            found = np.zeros((len(rows), len(fitted), n_tasks))  # 0 is an average row
            for s, ((source, ensemble), default) in enumerate(zip(fitted, defaults, strict=True)):
                theirs = ensemble.predict(translated(rows, space, source.space, default))[0]
                shared = min(theirs.shape[1], n_tasks)
                found[:, s, :shared] = theirs[:, :shared]
            return found

        return predictions

    def best(
        self, space: SearchSpace, directions: Sequence[StudyDirection], rng: np.random.Generator
    ) -> Rows:
        """Return what the sources found best and different, in turns, as `N_FIRST` rows.

        Of several objectives that is what lies on the front, spread along it. Decisions that a
        source lacks, or whose choices it does not know, are random.
        """
        nowhere = np.full(len(space.decisions), np.nan)
        found = []
        for source in self.sources(directions):
            order = _best(source, N_BEST)
            chosen = diverse(source.rows[order], source.space, N_FIRST, LEAST_DISTANCE)
            found.append(translated(source.rows[order[chosen]], source.space, space, nowhere))
        turns = [rows[i] for i in range(N_FIRST) for rows in found if i < len(rows)]
        rows = np.resize(np.array(turns), (N_FIRST, len(space.decisions)))  # repeats if too few
        return space.canonical(np.where(np.isnan(rows), space.random(N_FIRST, rng), rows))


def with_weights(source: Source, weights: Float[ndarray, " o"]) -> Source:
    """Return a source with its objectives as one, by weights; see `chebyshev`."""
    values, others = np.split(source.labels, [source.n_objectives], axis=1)
    return Source(
        source.space, source.rows, np.hstack([chebyshev(values, weights)[:, None], others])
    )


def _best(source: Source, n: int) -> Int[ndarray, " m"]:
    """Return the indices of a source's best rows, best first."""
    return front_order(source.labels[:, : source.n_objectives], n)


def _another_number(wanted: int, found: int, name: str) -> str:
    return (
        "warm_start must have as many objectives as the study, which has "
        f"{wanted}, but got {found} in {name}."
    )


def _of_trials(trials: list[FrozenTrial], directions: Sequence[StudyDirection]) -> list[Source]:
    if not trials:
        return []
    study = optuna.create_study(directions=list(directions))
    study.add_trials(trials)
    return [Source.of(study)]
