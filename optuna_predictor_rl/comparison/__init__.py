"""Searchers side by side in one study, and what they have shown."""

from optuna_predictor_rl.comparison.report import ComparisonReport
from optuna_predictor_rl.comparison.results import SearcherResult
from optuna_predictor_rl.comparison.run import compare_searchers, repeat_comparison

__all__ = ["ComparisonReport", "SearcherResult", "compare_searchers", "repeat_comparison"]
