"""The pruner of the package optuna-predictor-rl, for optunahub.load_module."""

try:
    from optuna_predictor_rl import LowFidelityPruner
except ImportError as error:
    raise ImportError(
        "pruners/low_fidelity needs the package optuna-predictor-rl: "
        "pip install optuna-predictor-rl"
    ) from error


__all__ = ["LowFidelityPruner"]
