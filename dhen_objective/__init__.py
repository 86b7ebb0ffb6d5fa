"""A DHEN click and conversion model, trained online on a stream, as an objective for Optuna.

>>> import optuna
>>> from dhen_objective import DHENObjective, SyntheticStream
>>> optuna.logging.set_verbosity(optuna.logging.WARNING)
>>> study = optuna.create_study()  # minimizes the NE gain in %: negative beats the default DHEN
>>> study.optimize(DHENObjective(SyntheticStream("medium", rows=1000)), n_trials=2)
>>> sorted(study.best_trial.user_attrs)[:4]
['calibration', 'config', 'flops', 'lifetime_ne']
"""

from importlib.metadata import PackageNotFoundError, version

from dhen_objective.baselines import LogisticRegression, PlainMLP
from dhen_objective.config import DHENConfig, Interaction, TrainConfig
from dhen_objective.cost import flops_per_example, parameter_count
from dhen_objective.features import ClickModel
from dhen_objective.interactions import INTERACTIONS
from dhen_objective.metrics import (
    Tally,
    ne_gain,
    ne_gain_with_error,
    normalized_entropy,
    paired_standard_error,
)
from dhen_objective.model import DHEN, DHENLayer
from dhen_objective.objective import DHENObjective
from dhen_objective.score import Score
from dhen_objective.sgd import train_sgd
from dhen_objective.size import NetworkSize, network_size
from dhen_objective.space import SPACES, DHENSpace, params_of, suggest_config
from dhen_objective.streams import (
    CSV,
    ArrayStream,
    AvazuStream,
    Batch,
    ClickStream,
    Columns,
    CouponStream,
    CriteoStream,
    FlightStream,
    MalformedRowsError,
    SyntheticConfig,
    SyntheticStream,
    TableStream,
)
from dhen_objective.throughput import Throughput, measure_throughput
from dhen_objective.train import TrainResult, train, train_model
from dhen_objective.trainer import Trainer
from dhen_objective.windows import WindowedTally

try:
    __version__ = version("optuna-predictor-rl")
except PackageNotFoundError:  # a checkout on the path that was not installed
    __version__ = "unknown"

__all__ = [
    "CSV",
    "DHEN",
    "INTERACTIONS",
    "SPACES",
    "ArrayStream",
    "AvazuStream",
    "Batch",
    "ClickModel",
    "ClickStream",
    "Columns",
    "CouponStream",
    "CriteoStream",
    "DHENConfig",
    "DHENLayer",
    "DHENObjective",
    "DHENSpace",
    "FlightStream",
    "Interaction",
    "LogisticRegression",
    "MalformedRowsError",
    "NetworkSize",
    "PlainMLP",
    "Score",
    "SyntheticConfig",
    "SyntheticStream",
    "TableStream",
    "Tally",
    "Throughput",
    "TrainConfig",
    "TrainResult",
    "Trainer",
    "WindowedTally",
    "flops_per_example",
    "measure_throughput",
    "ne_gain",
    "ne_gain_with_error",
    "network_size",
    "normalized_entropy",
    "paired_standard_error",
    "parameter_count",
    "params_of",
    "suggest_config",
    "train",
    "train_model",
    "train_sgd",
]
