"""The report of a comparison, read from its studies."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float
from numpy import ndarray
from optuna.study import Study

from optuna_predictor_rl.comparison.marks import SHARED, trials_by_searcher
from optuna_predictor_rl.comparison.results import (
    N_TOP,
    SearcherResult,
    baseline_of,
    maximized,
    measured,
)
from optuna_predictor_rl.comparison.statistics import (
    gain,
    probability_of_being_best,
    standard_error,
)
from optuna_predictor_rl.comparison.table import NOTHING, form_of, html_table, markdown, with_error
from optuna_predictor_rl.study.attributes import COMPARISON_SETTINGS, EVALUATION_SECONDS
from optuna_predictor_rl.support.checked import check_finite, checked
from optuna_predictor_rl.support.guard import guarded
from optuna_predictor_rl.support.text import markdown_text

if TYPE_CHECKING:
    import pandas as pd

_COUNTED = ("n_trials", "n_pruned", "n_failed")
_PER_SEED = (*_COUNTED, "best", "gain", "top_mean", "compute", "suggestion_seconds")


@checked
@dataclass(frozen=True, kw_only=True, eq=False)
class ComparisonReport:
    """The results of searchers side by side, over one seed or several.

    `print` shows a Markdown table, a notebook an HTML table.

    Attributes:
        searchers: Results of the searchers, in the order in which they first ran.
        shared: Result of the shared trials.
        baselines: Value that gains are relative to, one a seed.
        maximize: Whether higher values are better.
        compute: User attribute whose sum is the compute spent.
        settings: Protocol and numbers of trials; empty if `compare_searchers` did not run them.

    Example:
        >>> import optuna
        >>> study = optuna.create_study()
        >>> for searcher, value in [("shared", 2.0), ("a", 1.0), ("b", 1.5), ("a", 3.0)]:
        ...     mark = {"predictor_rl:searcher": searcher}
        ...     study.add_trial(optuna.create_trial(value=value, user_attrs=mark))
        >>> ComparisonReport.of(study)["a"].gain
        array([-50.])
    """

    searchers: tuple[SearcherResult, ...]
    shared: SearcherResult
    baselines: Float[ndarray, " seeds"]
    maximize: bool
    compute: str
    settings: dict[str, Any]

    @classmethod
    @checked
    @guarded()
    def of(
        cls,
        studies: Study | Sequence[Study],
        *,
        baseline: float | None = None,
        values_are_gains: bool = False,
        compute: str = EVALUATION_SECONDS,
    ) -> "ComparisonReport":
        """Read the report from storage, at any time, also while trials run.

        Args:
            studies: One study a seed.
            baseline: Value that gains are relative to. By default that of the first shared trial
                that completed, which is the first one enqueued if any was; 0 with
                `values_are_gains`.
            values_are_gains: Whether the values are gains in % already, as DHENObjective's.
            compute: User attribute of trials whose sum is the compute spent, for instance
                `"rows"`. By default seconds of the objective, or a trial's duration if these were
                not recorded.

        Raises:
            ValueError: If there is no study, one has several objectives, or directions differ.
        """
        if baseline is not None:
            check_finite(baseline=baseline)
        studies = [studies] if isinstance(studies, Study) else list(studies)
        maximize = maximized(studies)
        by_seed = [trials_by_searcher(study) for study in studies]
        baselines = np.array(
            [baseline_of(s[SHARED], baseline, values_are_gains=values_are_gains) for s in by_seed]
        )
        names = list(dict.fromkeys(name for seed in by_seed for name in seed))
        results = {}
        for name in names:
            rows = [measured(seed.get(name, []), compute, maximize=maximize) for seed in by_seed]
            for row, base in zip(rows, baselines, strict=True):
                row["gain"] = gain(row["best"], float(base), values_are_gains=values_are_gains)
            results[name] = {key: np.array([row[key] for row in rows]) for key in rows[0]}
        chances = _chances(results, maximize=maximize)
        made = [
            SearcherResult(name=name, probability=chances[name], **results[name]) for name in names
        ]
        return cls(
            searchers=tuple(made[1:]),
            shared=made[0],
            baselines=baselines,
            maximize=maximize,
            compute=compute,
            settings=studies[0].user_attrs.get(COMPARISON_SETTINGS, {}),
        )

    @property
    def n_seeds(self) -> int:
        """Return the number of studies."""
        return len(self.baselines)

    def __getitem__(self, name: str) -> SearcherResult:
        for result in (self.shared, *self.searchers):
            if result.name == name:
                return result
        raise KeyError(f"No searcher is named {name!r}.")

    @checked
    def to_dataframe(self, *, per_seed: bool = False) -> "pd.DataFrame":
        """Return a table of one row a searcher: means over seeds, and their standard errors.

        Args:
            per_seed: Return one row a searcher and study instead, without standard errors.

        Raises:
            ImportError: If pandas is not installed.
        """
        try:
            import pandas as pd
        except ImportError as error:
            raise ImportError(
                f"to_dataframe needs pandas: pip install pandas ({error})"
            ) from error
        rows = []
        for result in (self.shared, *self.searchers):
            columns = {name: getattr(result, name) for name in _PER_SEED}
            if per_seed:
                rows += [
                    {"searcher": result.name, "study": k} | {n: v[k] for n, v in columns.items()}
                    for k in range(self.n_seeds)
                ]
                continue
            row: dict[str, Any] = {"searcher": result.name}
            for name, values in columns.items():
                row[name] = values.mean()
                if name not in _COUNTED:
                    row[f"{name}_error"] = float(standard_error(values))
            rows.append(row | {"probability": result.probability})
        return pd.DataFrame(rows)

    def __str__(self) -> str:
        return f"{self._caption()}\n\n{markdown(self._cells())}"

    def _repr_html_(self) -> str:
        return html_table(self._caption(), self._cells())

    def _caption(self) -> str:
        settings = {name: markdown_text(value) for name, value in self.settings.items()}
        run = "{n_shared} shared trials, then {n_each} of each searcher, {protocol}; "
        seeds = "1 seed" if self.n_seeds == 1 else f"{self.n_seeds} seeds, mean ± standard error"
        base = ", ".join(dict.fromkeys(f"{value:.5g}" for value in self.baselines))
        better = "positive" if self.maximize else "negative"
        return (
            (run.format(**settings) if settings else "")
            + f"{seeds}. Gain of the best over the baseline ({base}): {better} is better. "
            f"Best, top {N_TOP} and what was spent are of a searcher's own trials."
        )

    def _cells(self) -> list[list[str]]:
        spent = "seconds" if self.compute == EVALUATION_SECONDS else self.compute
        head = ["searcher", "trials", "best", "gain, %", f"mean of top {N_TOP}", f"{spent} spent"]
        rows = [[*head, "s a suggestion", "P(best)"]]
        for result in (self.shared, *self.searchers):
            chance = result.probability
            rows.append(
                [
                    result.name,
                    _counted(result),
                    with_error(result.best, ".4f"),
                    with_error(result.gain, "+.2f"),
                    with_error(result.top_mean, ".4f"),
                    with_error(result.compute, form_of(result.compute)),
                    with_error(result.suggestion_seconds, ".3f"),
                    NOTHING if math.isnan(chance) else f"{chance:.2f}",
                ]
            )
        return rows


def _counted(result: SearcherResult) -> str:
    cells = [f"{result.n_trials.mean():g}"]
    for name in ("pruned", "failed"):
        count = getattr(result, f"n_{name}").mean()
        cells += [f"{count:g} {name}"] if count else []
    return ", ".join(cells)


def _chances(results: dict[str, dict[str, Any]], *, maximize: bool) -> dict[str, float]:
    """Return each searcher's probability of being the best; NaN for the shared part."""
    own = [name for name in results if name != SHARED]
    chances = dict.fromkeys(results, math.nan)
    if own:
        best = np.stack([results[name]["best"] for name in own], axis=1)
        probabilities = probability_of_being_best(best, maximize=maximize)
        chances |= dict(zip(own, probabilities.tolist(), strict=True))
    return chances
