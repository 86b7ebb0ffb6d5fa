"""Models to compare a DHEN with: logistic regression and a plain MLP, on the same features."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import ClassVar

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from dhen_objective.checked import check_at_least, checked
from dhen_objective.config import DHENConfig
from dhen_objective.features import ClickModel, FeatureProcessing
from dhen_objective.layers import mlp
from dhen_objective.ranges import check_prior


@checked
class LogisticRegression(ClickModel):
    """One weight for each id and each dense feature: the logit is their sum.

    The weights start at 0 and the bias at the prior's logit.

    Shape:
        dense (b, n_dense), sparse (b, n_fields) -> logits (b,)
    """

    learning_rates: ClassVar[dict[str, float]] = {
        "lr": 1e-2,
        "embedding_lr": 0.1,
        "embedding_start": 0.0,
    }
    """Chosen by `python -m benchmarks dhen learning_rates`."""

    def __init__(self, *, field_sizes: Sequence[int], n_dense: int, prior: float = 0.5) -> None:
        super().__init__()
        check_prior(prior)
        config = DHENConfig(dim=1, attn_heads=1, dense_hidden=())
        self.features = FeatureProcessing(field_sizes, n_dense, config)
        for parameter in self.parameters():
            nn.init.zeros_(parameter)
        logit = torch.tensor(math.log(prior / (1 - prior)), dtype=torch.float32, device="cpu")
        self.bias = nn.Parameter(logit)

    def forward(
        self, dense: Float[Tensor, "b n"], sparse: Int[Tensor, "b f"]
    ) -> Float[Tensor, " b"]:
        """Return the logits."""
        out: Tensor = self.features(dense, sparse).sum((1, 2)) + self.bias
        return out


@checked
class PlainMLP(ClickModel):
    """An MLP over all embeddings side by side, without interaction modules.

    Of `config` it takes the features and the initialization.

    Shape:
        dense (b, n_dense), sparse (b, n_fields) -> logits (b,)
    """

    learning_rates: ClassVar[dict[str, float]] = {
        "lr": 1e-3,
        "embedding_lr": 0.03,
        "embedding_start": 0.0,
    }
    """Chosen by `python -m benchmarks dhen learning_rates`."""

    def __init__(
        self,
        *,
        field_sizes: Sequence[int],
        n_dense: int,
        prior: float = 0.5,
        hidden: Sequence[int] = (256, 128),
        config: DHENConfig | None = None,
        seed: int = 0,
    ) -> None:
        super().__init__()
        check_prior(prior)
        for width in hidden:
            check_at_least(1, hidden=width)
        config = config or DHENConfig()
        self.features = FeatureProcessing(field_sizes, n_dense, config)
        self.mlp = mlp([self.features.n_embs * config.dim, *hidden, 1])
        self._start(config, self.mlp[-1], prior=prior, seed=seed)

    def forward(
        self, dense: Float[Tensor, "b n"], sparse: Int[Tensor, "b f"]
    ) -> Float[Tensor, " b"]:
        """Return the logits."""
        out: Tensor = self.mlp(self.features(dense, sparse).flatten(1))
        return out.squeeze(1)
