"""Figures and a note of a search in optuna-dashboard; needs the extra `dashboard`.

`study.optimize(objective, callbacks=[DashboardCallback(every=10)])` publishes them while the study
runs, `publish(study)` once.
"""

try:
    from optuna_predictor_rl.dashboard.callback import DashboardCallback
    from optuna_predictor_rl.dashboard.publication import publish
except ImportError as error:
    raise ImportError(
        "optuna_predictor_rl.dashboard needs optuna-dashboard and plotly: "
        'pip install "optuna-predictor-rl[dashboard]"'
    ) from error

__all__ = ["DashboardCallback", "publish"]
