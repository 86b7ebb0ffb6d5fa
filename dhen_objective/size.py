"""Trainable values of a network and memory of its training, by formula.

The formulas build no network: its embedding table alone can have gigabytes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from dhen_objective.checked import checked
from dhen_objective.config import DHENConfig, Interaction
from dhen_objective.interactions import n_layer_embs, n_module_embs
from dhen_objective.ranges import check_features, check_field_sizes

_FLOAT, _DOUBLE, _LONG = 4, 8, 8
"""Bytes of a weight, of a running statistic and of an index."""


@checked
@dataclass(frozen=True, kw_only=True)
class NetworkSize:
    """The size of one network.

    Attributes:
        parameters: Number of trainable values, the embedding table among them.
        memory: Bytes that training holds whatever the batch. The embedding table has one Adagrad
            sum a row, and the linear path one for each weight; every other weight has a gradient
            and Adam's two moments. Activations and the table's sparse gradient depend on the
            batch and are left out.
    """

    parameters: int
    memory: int


@checked
def network_size(config: DHENConfig, *, field_sizes: Sequence[int], n_dense: int) -> NetworkSize:
    """Return the size of a DHEN.

    Args:
        config: The architecture.
        field_sizes: Number of ids of each sparse field.
        n_dense: Number of dense features.

    Raises:
        ValueError: If a field has no ids, or there is no feature.

    Examples:
        >>> network_size(DHENConfig(), field_sizes=(1000, 50), n_dense=0).parameters
        92476
    """
    check_features(n_fields=len(field_sizes), n_dense=n_dense)
    check_field_sizes(tuple(field_sizes))
    n_ids, m = sum(field_sizes), len(field_sizes) + (n_dense > 0)
    others = _mlp([n_dense, *config.dense_hidden, config.dim]) if n_dense else 0
    buffers = len(field_sizes) * _LONG + 3 * n_dense * _DOUBLE
    n_out = n_layer_embs(config)
    for _ in range(config.n_layers):
        others += sum(_PARAMETERS[module](m, config) for module in config.modules)
        others += (n_out * m if m != n_out else 0) + _norm(config)
        buffers += _n_pairs(m) * _LONG if Interaction.DLRM in config.modules else 0
        m = n_out
    others += _mlp([m * config.dim, *config.head_hidden, 1])
    table = n_ids * config.dim
    # a gradient and Adam's two moments beside each weight; one Adagrad sum a row of the table
    memory = 4 * others * _FLOAT + (table + n_ids) * _FLOAT + buffers
    linear = n_ids + n_dense + 1 if config.wide else 0  # each with a sum of its own
    return NetworkSize(parameters=table + others + linear, memory=memory + 2 * linear * _FLOAT)


def _linear(n_in: int, n_out: int) -> int:
    return n_in * n_out + n_out


def _mlp(widths: Sequence[int]) -> int:
    return sum(_linear(a, b) for a, b in pairwise(widths))


def _norm(config: DHENConfig) -> int:
    return 2 * config.dim if config.ln_init else 0


def _n_pairs(m: int) -> int:
    return max(1, m * (m - 1) // 2)


def _dlrm(m: int, config: DHENConfig) -> int:
    k, out = config.dlrm_k, config.module_embs * config.dim
    dots = m * k if k else _n_pairs(m)
    return k * m + _mlp([dots, config.dlrm_hidden, out])


def _attention(m: int, config: DHENConfig) -> int:
    d = config.dim
    ffn = _mlp([d, config.attn_ffn_mult * d, d])
    mix = config.module_embs * m
    return _linear(d, 3 * d) + _linear(d, d) + ffn + 2 * _norm(config) + mix


def _mix(m: int, config: DHENConfig) -> int:
    return n_module_embs(Interaction.LINEAR, config) * m


def _dcn(m: int, config: DHENConfig) -> int:
    width = m * config.dim
    cross = width * config.dcn_rank + _linear(config.dcn_rank, width)
    return config.dcn_layers * cross + _linear(width, config.module_embs * config.dim)


def _conv(m: int, config: DHENConfig) -> int:
    d, c, kernel = config.dim, config.conv_channels, config.conv_kernel
    weights = c * kernel * kernel + c if config.conv_2d else c * d * d * kernel + c * d
    return weights + config.module_embs * c * m


_PARAMETERS: dict[Interaction, Callable[[int, DHENConfig], int]] = {
    Interaction.DLRM: _dlrm,
    Interaction.ATTENTION: _attention,
    Interaction.LINEAR: _mix,
    Interaction.DCN: _dcn,
    Interaction.CONV: _conv,
}
