"""REINFORCE against random sampling on the same predictor (Fig. 7 of the paper)."""

from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float, Int
from optuna.samplers import BaseSampler
from optuna.study import Study

from optuna_predictor_rl.core.targets import rank_targets
from optuna_predictor_rl.search.suggester import FittedSearch
from optuna_predictor_rl.study.objective import sign_of
from optuna_predictor_rl.support.checked import check_at_least, checked
from optuna_predictor_rl.support.guard import guarded
from optuna_predictor_rl.visualization.source import inspect_search, sampler_text, weight_text
from optuna_predictor_rl.visualization.style import BLUE, FULL_COLOR, ORANGE, base_layout, thinned

N_STEPS = 120
"""Largest number of steps in the figure."""
REWARDS = {
    "mean": "this score",
    "improvement": "the expected improvement over the best trial, not for this score alone",
}


@dataclass(frozen=True, kw_only=True)
class Convergence:
    """Predicted scores by step, in standard deviations of the trials' transformed values.

    The score is Eq. (6), the weighted sum of predicted value and cost. Lower is better. If the
    study maximizes one objective and cost has no weight, all signs are turned and higher is
    better. Of several objectives the value is the weighted distance from the best of each.

    Attributes:
        steps: Steps of REINFORCE from 1; "r s" below are rounds and steps.
        mean: Mean score of the configurations that a round proposed in a step.
        best: Best score that a round has proposed so far.
        random_mean: Mean score of as many random configurations.
        random_best: Best score of the random configurations so far.
        refined: Best score of all rounds and of the local moves that follow them; NaN without
            such moves. The moves climb the reward, so they may not improve this score.
        best_trial: Predicted score of the feasible trial with the best label.
        higher_is_better: Whether signs are turned.
        reward: The policy's reward; see `PolicyConfig`.
        batch_size: Number of configurations that a round proposes in a step.
        n_trials: Number of trials that the predictor was fitted on.
        weight: Weight of each task.
        weight_text: The weights in words.
    """

    steps: Int[np.ndarray, " s"]
    mean: Float[np.ndarray, "r s"]
    best: Float[np.ndarray, "r s"]
    random_mean: Float[np.ndarray, "r s"]
    random_best: Float[np.ndarray, "r s"]
    refined: float
    best_trial: float
    higher_is_better: bool
    reward: str
    batch_size: int
    n_trials: int
    weight: Float[np.ndarray, " t"]
    weight_text: str


@checked
@guarded()
def rl_convergence(
    study: Study, sampler: BaseSampler | None = None, *, seed: int = 0
) -> Convergence:
    """Return the scores of the policies' proposals and of as many random configurations.

    Args:
        study: The study; several objectives are one, by the weights of the next trial.
        sampler: A predictor-based sampler, also a new one; by default the study's own or, if
            that is of another kind, one with default settings.
        seed: Seed of the random configurations.

    Raises:
        ValueError: If the given sampler is of another kind, or fewer than 3 trials have a value.
    """
    check_at_least(0, seed=seed)
    own, found = inspect_search(study, sampler)
    single = len(study.directions) == 1
    flip = single and sign_of(study) < 0 and not found.weight[1:].any()
    sign = -1.0 if flip else 1.0
    proposed = found.candidates.proposed
    shape = proposed.shape[:-1]
    rng = np.random.default_rng(seed)
    random = _score(found, found.history.space.random(int(np.prod(shape)), rng)).reshape(shape)
    score = _score(found, proposed.reshape(-1, proposed.shape[-1])).reshape(shape)
    moved = found.candidates.rows[found.candidates.round < 0]
    refined = min(score.min(), _score(found, moved).min()) if len(moved) else np.nan
    kept = thinned(shape[0], N_STEPS)
    return Convergence(
        steps=kept + 1,
        mean=sign * score.mean(2).T[:, kept],
        best=sign * _best_so_far(score)[:, kept],
        random_mean=sign * random.mean(2).T[:, kept],
        random_best=sign * _best_so_far(random)[:, kept],
        refined=sign * float(refined),
        best_trial=sign * float(_score(found, _best_row(found))[0]),
        higher_is_better=flip,
        reward=own.policy.reward,
        batch_size=shape[2],
        n_trials=len(found.history.rows),
        weight=found.weight,
        weight_text=weight_text(found),
    )


@checked
@guarded()
def plot_rl_convergence(
    study: Study, sampler: BaseSampler | None = None, *, seed: int = 0
) -> go.Figure:
    """Draw the scores by step: REINFORCE in blue, random sampling in orange.

    Arguments and errors are those of `rl_convergence`.

    Example:
        >>> import optuna
        >>> from optuna_predictor_rl import PredictorRLSampler
        >>> study = optuna.create_study(sampler=PredictorRLSampler(seed=0))
        >>> study.optimize(lambda trial: trial.suggest_float("x", -1, 1) ** 2, n_trials=10)
        >>> figure = plot_rl_convergence(study)
        >>> figure.layout.title.text
        'REINFORCE against random sampling on the predictor'
    """
    data = rl_convergence(study, sampler, seed=seed)
    pick = np.max if data.higher_is_better else np.min
    figure = go.Figure()
    _draw_rounds(figure, data.steps, data.random_mean, ORANGE, "random: mean of the batch")
    _draw_rounds(figure, data.steps, data.mean, BLUE, "REINFORCE: mean of the batch")
    for best, color, name in (
        (data.random_best, ORANGE, "random: best so far"),
        (data.best, BLUE, "REINFORCE: best so far"),
    ):
        figure.add_scatter(
            x=data.steps, y=pick(best, axis=0), mode="lines", name=name,
            line={"color": color, "width": 3, "shape": "hv"},
        )  # fmt: skip
    _draw_ends(figure, data)
    n_rounds = len(data.best)
    better = "higher" if data.higher_is_better else "lower"
    base_layout(
        figure,
        "REINFORCE against random sampling on the predictor",
        f"Step (each of {n_rounds} rounds proposes {data.batch_size} configurations a step)",
        f"Predicted score ({better} is better)",
        subtitle=f"Predictor of {data.n_trials} trials{data.weight_text}; score in their "
        f"standard deviations; dotted: each of {n_rounds} rounds<br>"
        f"Rewarded for {REWARDS[data.reward]}{sampler_text(study, sampler)}",
    )
    figure.update_layout(legend={"traceorder": "reversed"})
    return figure


def _score(found: FittedSearch, rows: Float[np.ndarray, "n d"]) -> Float[np.ndarray, " n"]:
    return found.ensemble.mean(rows, found.weight)


def _best_row(found: FittedSearch) -> Float[np.ndarray, "1 d"]:
    labels = found.history.labels
    standing = np.nan_to_num(rank_targets(labels)) @ found.weight[: labels.shape[1]]
    best = int(np.lexsort((standing, ~found.history.feasible))[0])
    return found.history.rows[best : best + 1]


def _best_so_far(score: Float[np.ndarray, "s r n"]) -> Float[np.ndarray, "r s"]:
    return np.minimum.accumulate(score.min(2), axis=0).T


def _draw_rounds(
    figure: go.Figure,
    steps: Int[np.ndarray, " s"],
    values: Float[np.ndarray, "r s"],
    color: str,
    name: str,
) -> None:
    """Draw all rounds in one trace, separated by gaps, which is smaller than a trace each."""
    x = [step for _ in values for step in (*steps.tolist(), None)]
    y = [value for row in values for value in (*row.round(4).tolist(), None)]
    figure.add_scatter(
        x=x, y=y, mode="lines", name=name, line={"color": color, "width": 1, "dash": "dot"},
        hoverinfo="skip",
    )  # fmt: skip


def _draw_ends(figure: go.Figure, data: Convergence) -> None:
    ends = [int(data.steps[0]), int(data.steps[-1])]
    figure.add_scatter(
        x=ends, y=[data.best_trial] * 2, mode="lines", name="best trial, as predicted",
        line={"color": FULL_COLOR, "width": 2, "dash": "dash"},
    )  # fmt: skip
    if np.isfinite(data.refined):
        pick = np.max if data.higher_is_better else np.min
        figure.add_scatter(  # from the end of the rounds to the star
            x=[ends[1]] * 2, y=[float(pick(data.best[:, -1])), data.refined], mode="lines",
            line={"color": BLUE, "width": 2}, showlegend=False, hoverinfo="skip",
        )  # fmt: skip
        figure.add_scatter(
            x=ends[1:], y=[data.refined], mode="markers", name="best after local moves",
            marker={"color": BLUE, "size": 12, "symbol": "star"}, cliponaxis=False,
        )  # fmt: skip
