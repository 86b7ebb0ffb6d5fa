"""Figures of a study; needs the extra `visualization` (plotly)."""

try:
    import plotly  # noqa: F401
except ImportError as error:
    raise ImportError(
        "optuna_predictor_rl.visualization needs plotly: "
        'pip install "optuna-predictor-rl[visualization]"'
    ) from error

from optuna_predictor_rl.visualization.calibration import (
    plot_predictor_calibration,
    predictor_calibration,
)
from optuna_predictor_rl.visualization.convergence import plot_rl_convergence, rl_convergence
from optuna_predictor_rl.visualization.importance import (
    decision_importance,
    plot_decision_importance,
)
from optuna_predictor_rl.visualization.learning_curves import learning_curves, plot_learning_curves
from optuna_predictor_rl.visualization.policy import (
    plot_policy_probabilities,
    policy_probabilities,
)
from optuna_predictor_rl.visualization.rank_correlation import (
    plot_rank_correlation,
    rank_correlation,
)
from optuna_predictor_rl.visualization.sample_efficiency import (
    plot_sample_efficiency,
    sample_efficiency,
)
from optuna_predictor_rl.visualization.trade_off import plot_trade_off, trade_off

__all__ = [
    "decision_importance",
    "learning_curves",
    "plot_decision_importance",
    "plot_learning_curves",
    "plot_policy_probabilities",
    "plot_predictor_calibration",
    "plot_rank_correlation",
    "plot_rl_convergence",
    "plot_sample_efficiency",
    "plot_trade_off",
    "policy_probabilities",
    "predictor_calibration",
    "rank_correlation",
    "rl_convergence",
    "sample_efficiency",
    "trade_off",
]
