"""Settings of the predictor, and those of the paper."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from optuna_predictor_rl.core.predictor.losses import Loss
from optuna_predictor_rl.core.targets import Target
from optuna_predictor_rl.support.checked import checked

Activation = Literal["relu", "silu"]
Bootstrap = Literal["none", "folds"]

MAX_LEARNING_RATE = 10.0
"""A step of AdamW moves each weight by about the learning rate; weights start at about 1."""


@checked
@dataclass(frozen=True, kw_only=True)
class PredictorConfig:
    """Settings of the predictor; the defaults are the best we measured.

    Args:
        n_members: Number k of networks in the ensemble.
        shared_widths: Widths of the layers that all tasks share.
        head_widths: Widths of each task's own hidden layers.
        activation: Activation of all hidden layers.
        dropout: Dropout rate after each hidden layer.
        loss: "hinge" is Eq. (3), "logistic" its smooth form, "mse" the regression loss.
        margin: The epsilon of Eq. (3), on labels of unit variance.
        learning_rate: Peak learning rate of AdamW.
        weight_decay: Weight decay of AdamW.
        n_epochs: Passes over the trials.
        one_cycle: Whether the learning rate follows one cycle instead of staying constant.
        batch_size: Most trials that a step pairs with each other.
        bootstrap: How members are made to differ beside their initialization: "folds" (each
            member leaves out a fifth of the trials) or "none".
        structured_features: Whether order, likeness and squares of decisions enter the input.
        gaussian_process: Whether Gaussian processes join the networks as further members.
        targets: What each of those processes models: the labels standardized ("standard"),
            standardized without the worst tenth ("clipped"), their ranks ("rank"), or the
            logarithm of their distance to the best ("log").

    Raises:
        ValueError: If a number is out of its range or a name is unknown.
    """

    # Each default was taken back alone on 12 tasks (`benchmarks/search/ablations.py`). Mean regret
    # after 25 / 50 trials, .068 / .036 with all of them, tells apart from noise: the processes
    # (.108 / .080 without), the structured features (.107 / .076 without) and ranking instead of
    # regression (.106 / .051 with "mse"). It does not tell dropout, margin and folds apart.
    # The targets were chosen on 35 tasks: .129 / .071, with ("rank", "clipped") .143 / .090.
    n_members: int = 10
    shared_widths: tuple[int, ...] = (32,)
    head_widths: tuple[int, ...] = (32,)
    activation: Activation = "silu"
    dropout: float = 0.0
    loss: Loss = "logistic"
    margin: float = 0.0
    learning_rate: float = 3e-2
    weight_decay: float = 5e-3
    n_epochs: int = 24
    one_cycle: bool = True
    batch_size: int = 64
    bootstrap: Bootstrap = "folds"
    structured_features: bool = True
    gaussian_process: bool = True
    targets: tuple[Target, ...] = ("clipped", "log")

    def __post_init__(self) -> None:
        for name in ("n_members", "n_epochs", "batch_size"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, but got {getattr(self, name)}.")
        for name in ("shared_widths", "head_widths"):
            if any(width < 1 for width in getattr(self, name)):
                raise ValueError(f"{name} must be positive, but got {getattr(self, name)}.")
        if not 0.0 <= self.dropout < 1.0:
            raise ValueError(f"dropout must be in [0, 1), but got {self.dropout}.")
        if not 0.0 < self.learning_rate <= MAX_LEARNING_RATE:
            raise ValueError(
                f"learning_rate must be positive and at most {MAX_LEARNING_RATE:g}, "
                f"but got {self.learning_rate}."
            )
        for name in ("margin", "weight_decay"):
            if not 0.0 <= getattr(self, name) < math.inf:
                raise ValueError(
                    f"{name} must not be negative and be finite, but got {getattr(self, name)}."
                )
        if not self.weight_decay * self.learning_rate < 1.0:
            raise ValueError(
                f"weight_decay must be below 1 / learning_rate = {1.0 / self.learning_rate:g}, "
                f"but got {self.weight_decay}."
            )

    @classmethod
    def paper(cls) -> PredictorConfig:
        """Return section 4.1.2: [input, 50, 50, 2], dropout .5, margin .001, AdamW 1e-3 and 5e-3.

        "The first two layers are a shared architecture, while the last two use separate networks
        for different tasks" is read as one shared layer, input to 50, and two layers a task, 50
        to 50 to 1. The number of epochs is not given; 300 lets the loss settle.
        """
        return cls(
            shared_widths=(50,),
            head_widths=(50,),
            activation="relu",
            dropout=0.5,
            loss="hinge",
            margin=0.001,
            learning_rate=1e-3,
            weight_decay=5e-3,
            n_epochs=300,
            one_cycle=False,
            bootstrap="none",
            structured_features=False,
            gaussian_process=False,
        )
