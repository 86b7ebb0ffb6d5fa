"""Predictor-based reinforcement-learning search for Optuna.

>>> import optuna
>>> optuna.logging.set_verbosity(optuna.logging.WARNING)
>>> study = optuna.create_study(sampler=PredictorRLSampler(seed=0), pruner=LowFidelityPruner())
>>> study.optimize(lambda trial: trial.suggest_float("x", -1, 1) ** 2, n_trials=5)
"""

from importlib.metadata import PackageNotFoundError, version

from optuna_predictor_rl.comparison import ComparisonReport, compare_searchers, repeat_comparison
from optuna_predictor_rl.core.curves import extrapolate, rank_correlation_by_cutoff
from optuna_predictor_rl.core.policy.config import PolicyConfig
from optuna_predictor_rl.core.predictor.config import PredictorConfig
from optuna_predictor_rl.data.costs import KnownCost
from optuna_predictor_rl.data.finalists import finalists
from optuna_predictor_rl.data.source import Source
from optuna_predictor_rl.hopeless_pruner import HopelessTrialPruner
from optuna_predictor_rl.pruner import LowFidelityPruner
from optuna_predictor_rl.sampler import PredictorRLSampler
from optuna_predictor_rl.search.recommendation import Recommendation
from optuna_predictor_rl.search.study_predictor import Prediction

try:
    __version__ = version("optuna-predictor-rl")
except PackageNotFoundError:  # a checkout on the path that was not installed
    __version__ = "unknown"

__all__ = [
    "ComparisonReport",
    "HopelessTrialPruner",
    "KnownCost",
    "LowFidelityPruner",
    "PolicyConfig",
    "Prediction",
    "PredictorConfig",
    "PredictorRLSampler",
    "Recommendation",
    "Source",
    "compare_searchers",
    "extrapolate",
    "finalists",
    "rank_correlation_by_cutoff",
    "repeat_comparison",
]
