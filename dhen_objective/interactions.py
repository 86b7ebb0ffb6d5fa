"""The five interaction modules of a DHEN layer, behind one table.

Each takes the layer's m embeddings of width d and yields l new ones. A module whose result is a
vector projects it to l * d values, which are read as l embeddings.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor, nn

from dhen_objective.config import DHENConfig, Interaction
from dhen_objective.layers import CountMap, bare, layer_norm, linear, mlp


class AdvancedDLRM(nn.Module):
    """An MLP over the dot products of the embeddings: u = W MLP(dots(X)).

    With `dlrm_k` = 0 the dots are those of all pairs i < j; a lone embedding is paired with
    itself. Otherwise they are X (W_k X)^T: of each embedding with each of k learned mixtures.

    Shape:
        (b, m, d) -> (b, l, d)
    """

    def __init__(self, n_in: int, config: DHENConfig) -> None:
        super().__init__()
        self.compress = CountMap(n_in, config.dlrm_k) if config.dlrm_k else None
        rows, columns = torch.triu_indices(n_in, n_in, offset=min(1, n_in - 1), device="cpu")
        self.pairs: Tensor
        self.register_buffer("pairs", rows * n_in + columns, persistent=False)
        n_dots = n_in * config.dlrm_k if config.dlrm_k else len(self.pairs)
        out = config.module_embs * config.dim
        self.mlp = mlp([n_dots, config.dlrm_hidden, out])

    def dots(self, x: Float[Tensor, "b m d"]) -> Float[Tensor, "b n"]:
        """Return the dot products that the network sees."""
        if self.compress is not None:
            return torch.bmm(x, self.compress(x).transpose(1, 2)).flatten(1)
        return torch.bmm(x, x.transpose(1, 2)).flatten(1).index_select(1, self.pairs)

    def forward(self, x: Float[Tensor, "b m d"]) -> Float[Tensor, "b l d"]:
        """Return l new embeddings."""
        out: Tensor = self.mlp(self.dots(x))
        return out.view(len(x), -1, x.shape[2])


class SelfAttention(nn.Module):
    """A transformer encoder layer, then a mixture to l embeddings: u = W Encoder(X).

    The encoder normalizes after each residual sum, as the original transformer does. Attention
    is written as matrix products, so that FLOP counters see it.

    Shape:
        (b, m, d) -> (b, l, d)
    """

    def __init__(self, n_in: int, config: DHENConfig) -> None:
        super().__init__()
        dim = config.dim
        self.heads = config.attn_heads
        self.query_key_value = linear(dim, 3 * dim)
        self.out = linear(dim, dim)
        self.ffn = mlp([dim, config.attn_ffn_mult * dim, dim])
        self.norm_attention = layer_norm(dim, config.ln_init)
        self.norm_ffn = layer_norm(dim, config.ln_init)
        self.mix = CountMap(n_in, config.module_embs)

    def attend(self, x: Float[Tensor, "b m d"]) -> Float[Tensor, "b m d"]:
        """Return the multi-head attention of the embeddings to each other."""
        b, m, d = x.shape
        width = d // self.heads
        # each (b * heads, m, width)
        query, key, value = (
            self.query_key_value(x)
            .view(b, m, 3, self.heads, width)
            .permute(2, 0, 3, 1, 4)
            .reshape(3, b * self.heads, m, width)
            .unbind()
        )
        scores = torch.bmm(query / math.sqrt(width), key.transpose(1, 2))
        mixed = torch.bmm(scores.softmax(dim=-1), value)
        out: Tensor = self.out(mixed.view(b, self.heads, m, width).transpose(1, 2).flatten(2))
        return out

    def encode(self, x: Float[Tensor, "b m d"]) -> Float[Tensor, "b m d"]:
        """Return the output of the encoder layer."""
        x = self.norm_attention(x + self.attend(x))
        out: Tensor = self.norm_ffn(x + self.ffn(x))
        return out

    def forward(self, x: Float[Tensor, "b m d"]) -> Float[Tensor, "b l d"]:
        """Return l new embeddings."""
        out: Tensor = self.mix(self.encode(x))
        return out


class LinearMix(nn.Module):
    """A linear map over the count axis: u = W X.

    Shape:
        (b, m, d) -> (b, l, d)
    """

    def __init__(self, n_in: int, config: DHENConfig) -> None:
        super().__init__()
        self.mix = CountMap(n_in, n_module_embs(Interaction.LINEAR, config))

    def forward(self, x: Float[Tensor, "b m d"]) -> Float[Tensor, "b l d"]:
        """Return l new embeddings."""
        out: Tensor = self.mix(x)
        return out


class DeepCross(nn.Module):
    """Low-rank cross layers over the flat embeddings x_0 = vec(X), as in DCNv2.

    x_{k+1} = x_0 * (U_k V_k x_k + b_k) + x_k, then a projection to l * d values.

    Shape:
        (b, m, d) -> (b, l, d)
    """

    def __init__(self, n_in: int, config: DHENConfig) -> None:
        super().__init__()
        width, rank = n_in * config.dim, config.dcn_rank
        layers = range(config.dcn_layers)
        self.down = nn.ModuleList(linear(width, rank, bias=False) for _ in layers)
        self.up = nn.ModuleList(linear(rank, width) for _ in layers)
        self.out = linear(width, config.module_embs * config.dim)

    def cross(self, x0: Float[Tensor, "b n"]) -> Float[Tensor, "b n"]:
        """Return the output of the last cross layer."""
        x = x0
        for down, up in zip(self.down, self.up, strict=True):
            x = torch.addcmul(x, x0, up(down(x)))
        return x

    def forward(self, x: Float[Tensor, "b m d"]) -> Float[Tensor, "b l d"]:
        """Return l new embeddings."""
        out: Tensor = self.out(self.cross(x.flatten(1)))
        return out.view(len(x), -1, x.shape[2])


class Convolution(nn.Module):
    """A convolution with zero padding, then a mixture to l embeddings: u = W Conv(X).

    By default it runs along the embeddings and takes the d coordinates for channels; with
    `conv_2d` it runs over the m x d plane.

    Shape:
        (b, m, d) -> (b, l, d)
    """

    def __init__(self, n_in: int, config: DHENConfig) -> None:
        super().__init__()
        self.channels, kernel, dim = config.conv_channels, config.conv_kernel, config.dim
        self.conv = (
            bare(nn.Conv2d, 1, self.channels, kernel, padding=kernel // 2)
            if config.conv_2d
            else bare(nn.Conv1d, dim, self.channels * dim, kernel, padding=kernel // 2)
        )
        self.mix = CountMap(self.channels * n_in, config.module_embs)

    def convolve(self, x: Float[Tensor, "b m d"]) -> Float[Tensor, "b n d"]:
        """Return `conv_channels` embeddings for each that comes in."""
        b, _, d = x.shape
        if isinstance(self.conv, nn.Conv2d):
            plane: Tensor = self.conv(x.unsqueeze(1))  # (b, channels, m, d)
            return plane.flatten(1, 2)
        line: Tensor = self.conv(x.transpose(1, 2))  # (b, channels * d, m)
        return line.view(b, self.channels, d, -1).transpose(2, 3).flatten(1, 2)

    def forward(self, x: Float[Tensor, "b m d"]) -> Float[Tensor, "b l d"]:
        """Return l new embeddings."""
        out: Tensor = self.mix(self.convolve(x))
        return out


INTERACTIONS: dict[Interaction, Callable[[int, DHENConfig], nn.Module]] = {
    Interaction.DLRM: AdvancedDLRM,
    Interaction.ATTENTION: SelfAttention,
    Interaction.LINEAR: LinearMix,
    Interaction.DCN: DeepCross,
    Interaction.CONV: Convolution,
}


def n_module_embs(interaction: Interaction, config: DHENConfig) -> int:
    """Return how many embeddings a module of this kind yields."""
    if interaction is Interaction.LINEAR and config.ensemble == "concat":
        return config.linear_embs
    return config.module_embs


def n_layer_embs(config: DHENConfig) -> int:
    """Return how many embeddings a whole layer yields."""
    counts = [n_module_embs(interaction, config) for interaction in config.modules]
    return sum(counts) if config.ensemble == "concat" else config.module_embs
