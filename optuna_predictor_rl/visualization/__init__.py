"""Figures of a study; needs the extra ``visualization`` (plotly)."""

from optuna_predictor_rl.visualization.learning_curves import (
    learning_curves,
    plot_learning_curves,
)
from optuna_predictor_rl.visualization.rank_correlation import (
    plot_rank_correlation,
    rank_correlation,
)
from optuna_predictor_rl.visualization.sample_efficiency import (
    plot_sample_efficiency,
    sample_efficiency,
)

__all__ = [
    "learning_curves",
    "plot_learning_curves",
    "plot_rank_correlation",
    "plot_sample_efficiency",
    "rank_correlation",
    "sample_efficiency",
]
