"""The sampler of the package optuna-predictor-rl, for optunahub.load_module."""

try:
    from optuna_predictor_rl import PolicyConfig
    from optuna_predictor_rl import PredictorConfig
    from optuna_predictor_rl import PredictorRLSampler
except ImportError as error:
    raise ImportError(
        "samplers/predictor_rl needs the package optuna-predictor-rl: "
        "pip install optuna-predictor-rl"
    ) from error


__all__ = ["PolicyConfig", "PredictorConfig", "PredictorRLSampler"]
