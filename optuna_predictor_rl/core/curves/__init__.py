"""Learning curves: extrapolation and how well a cut curve ranks like the whole one."""

from optuna_predictor_rl.core.curves.correlation import TauByCutoff, TauEstimate, kendall_tau
from optuna_predictor_rl.core.curves.curve import Curve
from optuna_predictor_rl.core.curves.cutoff import rank_correlation_by_cutoff
from optuna_predictor_rl.core.curves.extrapolation import FITS, Extrapolation, Fit, extrapolate

__all__ = [
    "FITS",
    "Curve",
    "Extrapolation",
    "Fit",
    "TauByCutoff",
    "TauEstimate",
    "extrapolate",
    "kendall_tau",
    "rank_correlation_by_cutoff",
]
