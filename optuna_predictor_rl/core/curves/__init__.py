"""Learning curves: extrapolation, and how well a cut curve ranks like the full one."""

from optuna_predictor_rl.core.curves.axes import AXES, AxisName
from optuna_predictor_rl.core.curves.correlation import TauByCutoff, TauEstimate, kendall_tau
from optuna_predictor_rl.core.curves.curve import Curve
from optuna_predictor_rl.core.curves.cutoff import Direction, rank_correlation_by_cutoff
from optuna_predictor_rl.core.curves.extrapolation import Extrapolation, extrapolate
from optuna_predictor_rl.core.curves.label import LabelFit, choose_fit

__all__ = [
    "AXES",
    "AxisName",
    "Curve",
    "Direction",
    "Extrapolation",
    "LabelFit",
    "TauByCutoff",
    "TauEstimate",
    "choose_fit",
    "extrapolate",
    "kendall_tau",
    "rank_correlation_by_cutoff",
]
