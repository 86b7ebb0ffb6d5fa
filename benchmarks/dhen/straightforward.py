"""A DHEN as one would first write it: to tell what the package's own speed is worth.

One `nn.EmbeddingBag` a field and a Python loop over the fields, dense Adam over everything,
interaction modules of torch's own layers, `nn.Linear` on transposed embeddings for maps over the
count axis. The configuration, the number of parameters and the FLOPs are the package's.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from dhen_objective import Batch, DHENConfig, Interaction


def mlp(*widths: int) -> nn.Sequential:
    """Return linear layers with a ReLU between each two."""
    layers: list[nn.Module] = []
    for n_in, n_out in pairwise(widths):
        layers += [nn.Linear(n_in, n_out), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


class Count(nn.Module):
    """A map over the count axis."""

    def __init__(self, n_in: int, n_out: int) -> None:
        super().__init__()
        self.linear = nn.Linear(n_in, n_out, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.linear(x.transpose(1, 2)).transpose(1, 2)


class Dots(nn.Module):
    """A network over all pairs' dot products."""

    def __init__(self, m: int, config: DHENConfig) -> None:
        super().__init__()
        out = config.module_embs * config.dim
        self.mlp = mlp(m * (m - 1) // 2, config.dlrm_hidden, out)

    def forward(self, x: Tensor) -> Tensor:
        m = x.shape[1]
        dots = torch.bmm(x, x.transpose(1, 2))
        rows, columns = torch.triu_indices(m, m, offset=1)
        return self.mlp(dots[:, rows, columns]).view(len(x), -1, x.shape[2])


class Attention(nn.Module):
    """Torch's encoder layer, then a map over the count axis."""

    def __init__(self, m: int, config: DHENConfig) -> None:
        super().__init__()
        width = config.attn_ffn_mult * config.dim
        self.encoder = nn.TransformerEncoderLayer(
            config.dim, config.attn_heads, width, dropout=0.0, batch_first=True
        )
        self.mix = Count(m, config.module_embs)

    def forward(self, x: Tensor) -> Tensor:
        return self.mix(self.encoder(x))


class Cross(nn.Module):
    """Low-rank cross layers, then a projection."""

    def __init__(self, m: int, config: DHENConfig) -> None:
        super().__init__()
        width, layers = m * config.dim, range(config.dcn_layers)
        self.down = nn.ModuleList(nn.Linear(width, config.dcn_rank, bias=False) for _ in layers)
        self.up = nn.ModuleList(nn.Linear(config.dcn_rank, width) for _ in layers)
        self.out = nn.Linear(width, config.module_embs * config.dim)

    def forward(self, x: Tensor) -> Tensor:
        x0 = crossed = x.flatten(1)
        for down, up in zip(self.down, self.up, strict=True):
            crossed = x0 * up(down(crossed)) + crossed
        return self.out(crossed).view(len(x), -1, x.shape[2])


class Convolution(nn.Module):
    """A convolution along the embeddings, then a map over the count axis."""

    def __init__(self, m: int, config: DHENConfig) -> None:
        super().__init__()
        d, self.channels = config.dim, config.conv_channels
        kernel = config.conv_kernel
        self.conv = nn.Conv1d(d, d * self.channels, kernel, padding=kernel // 2)
        self.mix = Count(m * self.channels, config.module_embs)

    def forward(self, x: Tensor) -> Tensor:
        b, _, d = x.shape
        line = self.conv(x.transpose(1, 2)).view(b, self.channels, d, -1)
        return self.mix(line.transpose(2, 3).flatten(1, 2))


MODULES = {
    Interaction.DLRM: Dots,
    Interaction.ATTENTION: Attention,
    Interaction.LINEAR: lambda m, config: Count(m, config.linear_embs),
    Interaction.DCN: Cross,
    Interaction.CONV: Convolution,
}


class Layer(nn.Module):
    """The modules side by side, a shortcut, a layer norm."""

    def __init__(self, m: int, n_out: int, config: DHENConfig) -> None:
        super().__init__()
        self.interactions = nn.ModuleList(MODULES[kind](m, config) for kind in config.modules)
        self.shortcut = nn.Identity() if m == n_out else Count(m, n_out)
        self.norm = nn.LayerNorm(config.dim) if config.ln_init else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        joined = torch.cat([module(x) for module in self.interactions], dim=1)
        return self.norm(joined + self.shortcut(x))


class StraightforwardDHEN(nn.Module):
    """The whole model; `step` predicts a batch and learns from it."""

    def __init__(self, config: DHENConfig, *, field_sizes: Sequence[int], n_dense: int) -> None:
        super().__init__()
        self.bags = nn.ModuleList(
            nn.EmbeddingBag(size, config.dim, mode="sum") for size in field_sizes
        )
        self.bottom = mlp(n_dense, *config.dense_hidden, config.dim) if n_dense else None
        m = len(field_sizes) + (n_dense > 0)
        n_out = sum(
            config.linear_embs if kind is Interaction.LINEAR else config.module_embs
            for kind in config.modules
        )
        counts = [m, *[n_out] * config.n_layers]
        self.layers = nn.Sequential(*(Layer(n, n_out, config) for n in counts[:-1]))
        self.head = mlp(n_out * config.dim, *config.head_hidden, 1)
        self.adam = torch.optim.Adam(self.parameters(), lr=1e-3)

    def forward(self, dense: Tensor, sparse: Tensor) -> Tensor:
        embeddings = [bag(sparse[:, i : i + 1]) for i, bag in enumerate(self.bags)]
        if self.bottom is not None:
            embeddings.insert(0, self.bottom(dense))
        return self.head(self.layers(torch.stack(embeddings, dim=1)).flatten(1)).squeeze(1)

    def step(self, batch: Batch) -> float:
        """Train for one step, and return the loss."""
        logits = self(torch.nan_to_num(batch.dense), batch.sparse)
        loss = nn.functional.binary_cross_entropy_with_logits(logits, batch.labels)
        self.adam.zero_grad()
        loss.backward()
        self.adam.step()
        return loss.item()
