"""A finished search as a predictor to start others from, in memory or in a file."""

from __future__ import annotations

import json
import zipfile
import zlib
from dataclasses import dataclass
from os import PathLike

import numpy as np
from jaxtyping import Float
from numpy import ndarray
from optuna.study import Study

from optuna_predictor_rl.core.decisions import Categorical, Decision
from optuna_predictor_rl.core.predictor.config import PredictorConfig
from optuna_predictor_rl.core.predictor.ensemble import Ensemble
from optuna_predictor_rl.core.predictor.fitting import fit_ensemble
from optuna_predictor_rl.core.predictor.training_data import TrainingData
from optuna_predictor_rl.core.space import SearchSpace
from optuna_predictor_rl.data.history import read_history
from optuna_predictor_rl.data.stored_space import described_space, space_of
from optuna_predictor_rl.study import storage
from optuna_predictor_rl.study.distributions import union_search_space
from optuna_predictor_rl.support.checked import checked
from optuna_predictor_rl.support.guard import guarded

N_SHOWN = 8
"""Names of decisions in a source's `repr`."""

FORMAT = "optuna_predictor_rl.source.1"
"""The format that a file says it has."""


@checked
@dataclass(frozen=True, repr=False)
class Source:
    """The data that a search's predictor is fitted on.

    A file holds these and no weights of networks: a fit takes a fraction of a second and is the
    same wherever the file is read, and the file stays a few kilobytes that cannot run code.

    Args:
        space: The search space, with its conditions.
        rows: Rows of the labelled trials, (n, decisions).
        labels: Their labels in each task; lower is better, whatever the study's directions.
        n_objectives: Number of the study's objectives, the first columns of the labels.

    Raises:
        ValueError: If there are no rows, rows and labels do not fit the space, or there are fewer
            labels than objectives or no objective.

    Example:
        >>> import optuna
        >>> optuna.logging.set_verbosity(optuna.logging.WARNING)
        >>> study = optuna.create_study()
        >>> study.optimize(lambda trial: trial.suggest_float("x", -1, 1) ** 2, n_trials=10)
        >>> Source.of(study).rows.shape
        (10, 1)
        >>> Source.of(study)
        Source(n_trials=10, n_tasks=1, decisions=['x'])
    """

    space: SearchSpace
    rows: Float[ndarray, "n d"]
    labels: Float[ndarray, "n t"]
    n_objectives: int = 1

    def __post_init__(self) -> None:
        if not 1 <= self.n_objectives <= self.labels.shape[1]:
            raise ValueError(
                f"n_objectives must be from 1 to the number of labels, {self.labels.shape[1]}, "
                f"but got {self.n_objectives}."
            )
        n_decisions = len(self.space.decisions)
        if self.rows.shape != (len(self.labels), n_decisions) or not self.rows.size:
            raise ValueError(
                f"rows must have the shape (labels, decisions) of at least (1, 1), here "
                f"{(len(self.labels), n_decisions)}, but got {self.rows.shape}."
            )
        if not np.isfinite(self.labels).all():
            raise ValueError("labels must be finite, but some are not.")
        outside = [
            decision.name
            for decision, column in zip(self.space.decisions, self.rows.T, strict=True)
            if not _are_positions(column, decision)
        ]
        if outside:
            raise ValueError(
                f"rows must be positions in the space, but those of {outside} aren't."
            )

    @classmethod
    @checked
    @guarded()
    def of(cls, study: Study) -> Source:
        """Return the values and low-fidelity labels of a study's finished trials.

        Raises:
            ValueError: If no finished trial has a parameter with several values and a value.
        """
        finished = storage.trials(study, storage.LABELLED, fresh=True)
        search_space = union_search_space(finished)
        history = read_history(study, search_space) if search_space else None
        if history is None or not len(history.rows):
            raise ValueError(
                f"study must have finished trials with parameters and values, but "
                f"{study.study_name!r} has none."
            )
        return cls(history.space, history.rows, history.labels, history.n_objectives)

    @checked
    @guarded()
    def fit(self, config: PredictorConfig) -> Ensemble:
        """Fit the predictor of this search, the same for the same content and settings."""
        rng = np.random.default_rng(0)
        return fit_ensemble(config, self.space, TrainingData(self.rows, self.labels), rng=rng)

    def __repr__(self) -> str:
        """Return its size and the names of its decisions."""
        names = [decision.name for decision in self.space.decisions]
        shown = ", ".join(map(repr, names[:N_SHOWN])) + (", ..." if names[N_SHOWN:] else "")
        n_trials, n_tasks = self.labels.shape
        size = f"n_trials={n_trials}, n_tasks={n_tasks}"
        if self.n_objectives > 1:
            size += f", n_objectives={self.n_objectives}"
        return f"Source({size}, decisions=[{shown}])"

    @checked
    def save(self, path: str | PathLike[str]) -> None:
        """Write this search to a file in NumPy's npz format, without pickles.

        Raises:
            ValueError: If a parameter has a choice that is not None, a bool, a number or a string:
                a file without pickles cannot hold it.
        """
        described = json.dumps(
            {
                "format": FORMAT,
                "n_objectives": self.n_objectives,
                **described_space(self.space),
            }
        )
        with open(path, "wb") as file:  # as NumPy would append a suffix to a path
            np.savez_compressed(
                file, space=np.array(described), rows=self.rows, labels=self.labels
            )

    @classmethod
    @checked
    def load(cls, path: str | PathLike[str]) -> Source:
        """Read a file of `save`; nothing in it is run or unpickled.

        Raises:
            ValueError: If the file holds anything else.
            FileNotFoundError: If there is no such file.
        """
        try:
            with open(path, "rb") as file, np.load(file, allow_pickle=False) as stored:
                described = json.loads(stored["space"].item())
                rows, labels = stored["rows"], stored["labels"]
            if described["format"] != FORMAT:
                raise ValueError(f"its format is {described['format']!r}, not {FORMAT!r}")
            rows, labels = rows.astype(np.float64), labels.astype(np.float64)
            if rows.ndim != 2 or labels.ndim != 2:
                raise ValueError("its rows and labels are no matrices")
            n_objectives = int(described.get("n_objectives", 1))
            return cls(space_of(described), rows, labels, n_objectives)
        except FileNotFoundError:
            raise
        except _MALFORMED as error:
            raise ValueError(
                f"path must name a file that Source.save wrote, but {str(path)!r} is none: {error}"
            ) from error


_MALFORMED = (
    *(ValueError, KeyError, TypeError, AttributeError, IndexError, EOFError, OSError),
    *(ArithmeticError, MemoryError, RuntimeError, zipfile.BadZipFile, zlib.error),
)
"""What numpy, zipfile and json raise for files that are damaged or no sources."""


def _are_positions(column: Float[ndarray, " n"], decision: Decision) -> bool:
    column = column[~np.isnan(column)]
    if isinstance(decision, Categorical):
        return bool(np.isin(column, np.arange(decision.n_values)).all())
    return bool(((column >= 0.0) & (column <= 1.0)).all())
