from .sampler import PolicyConfig
from .sampler import PredictorConfig
from .sampler import PredictorRLSampler


__all__ = ["PolicyConfig", "PredictorConfig", "PredictorRLSampler"]
