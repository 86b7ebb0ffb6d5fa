"""The feature processing layer: dense and sparse features become embeddings of one width."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, ClassVar

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from dhen_objective.checked import check_at_least
from dhen_objective.config import DHENConfig, TrainConfig
from dhen_objective.layers import bare, initialize, mlp
from dhen_objective.ranges import check_field_sizes, check_prior, check_seed, check_table_memory
from dhen_objective.wide import LinearPath

_RESOLUTION = 1e-12
"""Deviation, relative to the mean, below which a feature is constant.

The sums of equal values in float64 are off by some 1e-15 of them; a second in a Unix time is some
6e-10 of it.
"""

_CUT = 5.0
"""Largest standardized value."""


class RunningNorm(nn.Module):
    """Standardization of dense features by the mean and deviation of what was observed before.

    Missing values (NaN or infinite) take the running mean, and so become 0. All values of a
    feature are 0 until two different ones were observed: its scale is not known before, and raw
    values can be thousands. Later values are cut at 5 deviations, since a feature that was almost
    constant so far can change by hundreds of them.
    """

    def __init__(self, n_dense: int) -> None:
        super().__init__()
        check_at_least(0, n_dense=n_dense)
        self.count: Tensor
        self.mean: Tensor
        self.squares: Tensor
        zeros = torch.zeros(n_dense, dtype=torch.float64, device="cpu")
        for name in ("count", "mean", "squares"):
            self.register_buffer(name, zeros.clone())

    def forward(self, dense: Float[Tensor, "b n"]) -> Float[Tensor, "b n"]:
        """Return the standardized features and observe nothing."""
        deviation = (self.squares / self.count.clamp(min=1)).sqrt()
        known = deviation > _RESOLUTION * self.mean.abs()  # a constant's is rounding error
        # in float64: the mean in float32 is off by many deviations where values are large
        normed = (dense.double() - self.mean) / torch.where(known, deviation, math.inf)
        return torch.where(torch.isfinite(dense), normed.clamp(-_CUT, _CUT), 0.0).float()

    @torch.no_grad()
    def observe(self, dense: Float[Tensor, "b n"]) -> int:
        """Add a batch to the running statistics and return how many values were missing."""
        present = torch.isfinite(dense)
        values = torch.where(present, dense, 0.0).double()
        count = present.sum(0).double()
        mean = values.sum(0) / count.clamp(min=1)
        squares = (torch.where(present, values - mean, 0.0) ** 2).sum(0)
        total = self.count + count
        delta = mean - self.mean  # the pairwise update of Chan, Golub & LeVeque (1979)
        self.squares += squares + delta**2 * self.count * count / total.clamp(min=1)
        self.mean += delta * count / total.clamp(min=1)
        self.count.copy_(total)
        return int(dense.numel() - count.sum())


class FeatureProcessing(nn.Module):
    """Embeddings of width d: one of each sparse field, and one of all dense features together.

    The fields share one table: field f's ids start at its offset.

    Shape:
        dense (b, n_dense), sparse (b, n_fields) -> (b, n_embs, d), where n_embs is n_fields,
        plus one if there are dense features.
    """

    def __init__(self, field_sizes: Sequence[int], n_dense: int, config: DHENConfig) -> None:
        super().__init__()
        check_at_least(0, n_dense=n_dense)
        if not field_sizes and not n_dense:
            raise ValueError("field_sizes must name a field when n_dense is 0, but got none.")
        check_field_sizes(tuple(field_sizes))
        check_table_memory(tuple(field_sizes), dim=config.dim)
        self.field_sizes, self.n_dense = tuple(map(int, field_sizes)), n_dense
        self.n_embs = len(field_sizes) + (n_dense > 0)
        sizes = torch.tensor([0, *field_sizes], device="cpu")
        self.offsets: Tensor
        self.register_buffer("offsets", sizes.cumsum(0)[:-1], persistent=False)
        self.table = bare(nn.Embedding, int(sizes.sum()), config.dim, sparse=True)
        self.norm = RunningNorm(n_dense)
        self.bottom = mlp([n_dense, *config.dense_hidden, config.dim]) if n_dense else None

    def forward(
        self, dense: Float[Tensor, "b n"], sparse: Int[Tensor, "b f"]
    ) -> Float[Tensor, "b m d"]:
        """Return the embeddings, those of the dense features first.

        Raises:
            ValueError: If there are not `n_dense` dense and `n_fields` sparse features; a single
                one would be broadcast to all.
        """
        return self.embed(*self.inputs(dense, sparse))

    def inputs(self, dense: Tensor, sparse: Tensor) -> tuple[Tensor, Tensor]:
        """Return the standardized dense features and the rows of the table; see `forward`."""
        widths, expected = (dense.shape[-1], sparse.shape[-1]), (self.n_dense, len(self.offsets))
        if widths != expected:
            raise ValueError(
                f"dense and sparse must have {expected[0]} and {expected[1]} features, "
                f"but got {widths[0]} and {widths[1]}."
            )
        return self.norm(dense), self.rows(sparse)

    def embed(self, normed: Tensor, rows: Tensor) -> Float[Tensor, "b m d"]:
        """Return the embeddings of standardized dense features and rows of the table."""
        embedded: Tensor = self.table(rows)
        if self.bottom is None:
            return embedded
        bottom: Tensor = self.bottom(normed)
        return torch.cat([bottom.unsqueeze(1), embedded], dim=1)

    def rows(self, sparse: Int[Tensor, "b f"]) -> Int[Tensor, "b f"]:
        """Return the rows of the table that belong to the ids."""
        return sparse + self.offsets


class ClickModel(nn.Module):
    """A network over `features` that yields logits and can be trained on a stream.

    Shape:
        dense (b, n_dense), in float64 or float32, sparse (b, n_fields) -> logits (b,)
    """

    features: FeatureProcessing

    wide: LinearPath | None
    """The linear path, where the model has one."""

    learning_rates: ClassVar[dict[str, float]] = {}
    """Fields of `TrainConfig` whose defaults, which suit a DHEN, do not suit this model."""

    def __init__(self) -> None:
        super().__init__()
        self.wide = None

    @classmethod
    def own_training(cls, **changes: Any) -> TrainConfig:
        """Return the training with this kind of model's learning rates.

        Args:
            **changes: Fields of `TrainConfig` that replace its own.
        """
        return TrainConfig(**{**cls.learning_rates, **changes})

    def _start(self, config: DHENConfig, output: nn.Module, *, prior: float, seed: int) -> None:
        """Set all initial weights from the seed, and the output's bias to the prior's logit."""
        check_prior(prior)
        check_seed(seed)
        generator = torch.Generator().manual_seed(seed)
        initialize(self, scale=config.w_init_scale, generator=generator)
        nn.init.normal_(self.features.table.weight, std=config.embedding_std, generator=generator)
        assert isinstance(output, nn.Linear)
        nn.init.constant_(output.bias, math.log(prior / (1 - prior)))
