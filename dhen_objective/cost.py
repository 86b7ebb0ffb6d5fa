"""FLOPs of one example by formula, and the parameters of a model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

from torch import nn

from dhen_objective.checked import checked
from dhen_objective.config import DHENConfig, Interaction
from dhen_objective.interactions import n_layer_embs, n_module_embs
from dhen_objective.ranges import check_features


def _matmul(a: int, b: int, c: int) -> int:
    """Return the FLOPs of an (a, b) by (b, c) product; a multiply-add is two."""
    return 2 * a * b * c


def _mlp(widths: Sequence[int]) -> int:
    return sum(_matmul(1, a, b) for a, b in pairwise(widths))


def _dlrm(m: int, config: DHENConfig) -> int:
    d, k = config.dim, config.dlrm_k
    out = config.module_embs * d
    if k == 0:
        dots = _matmul(m, d, m)  # the full square is computed; its upper triangle is used
        return dots + _mlp([max(1, m * (m - 1) // 2), config.dlrm_hidden, out])
    return _matmul(k, m, d) + _matmul(m, d, k) + _mlp([m * k, config.dlrm_hidden, out])


def _attention(m: int, config: DHENConfig) -> int:
    d = config.dim
    projections = _matmul(m, d, 3 * d) + _matmul(m, d, d)
    attention = _matmul(m, d, m) + _matmul(m, m, d)  # the heads together
    ffn = m * _mlp([d, config.attn_ffn_mult * d, d])
    return projections + attention + ffn + _matmul(config.module_embs, m, d)


def _linear(m: int, config: DHENConfig) -> int:
    return _matmul(n_module_embs(Interaction.LINEAR, config), m, config.dim)


def _dcn(m: int, config: DHENConfig) -> int:
    width = m * config.dim
    cross = config.dcn_layers * _mlp([width, config.dcn_rank, width])
    return cross + _mlp([width, config.module_embs * config.dim])


def _conv(m: int, config: DHENConfig) -> int:
    d, c, kernel = config.dim, config.conv_channels, config.conv_kernel
    conv = 2 * m * d * c * kernel * (kernel if config.conv_2d else d)
    return conv + _matmul(config.module_embs, c * m, d)


INTERACTION_FLOPS: dict[Interaction, Callable[[int, DHENConfig], int]] = {
    Interaction.DLRM: _dlrm,
    Interaction.ATTENTION: _attention,
    Interaction.LINEAR: _linear,
    Interaction.DCN: _dcn,
    Interaction.CONV: _conv,
}


@checked
def flops_per_example(config: DHENConfig, *, n_fields: int, n_dense: int) -> int:
    """Return the FLOPs of one example's forward pass; a multiply-add is two.

    Counts matrix products and convolutions, as `torch.utils.flop_counter` does: not look-ups,
    norms and elementwise operations.

    Raises:
        ValueError: If a number of features is negative, or both are 0.
    """
    check_features(n_fields=n_fields, n_dense=n_dense)
    m, flops = n_fields + (n_dense > 0), 0
    if n_dense:
        flops += _mlp([n_dense, *config.dense_hidden, config.dim])
    n_out = n_layer_embs(config)
    for _ in range(config.n_layers):
        flops += sum(INTERACTION_FLOPS[module](m, config) for module in config.modules)
        flops += _matmul(n_out, m, config.dim) if m != n_out else 0
        m = n_out
    return flops + _mlp([m * config.dim, *config.head_hidden, 1])


@checked
def parameter_count(model: nn.Module) -> int:
    """Return the number of trainable values, the embedding table among them."""
    return sum(parameter.numel() for parameter in model.parameters())
