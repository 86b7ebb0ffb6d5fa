"""Each module against an independent computation of its equation."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from dhen_objective.config import DHENConfig, Interaction
from dhen_objective.interactions import (
    INTERACTIONS,
    AdvancedDLRM,
    Convolution,
    DeepCross,
    LinearMix,
    SelfAttention,
    n_layer_embs,
    n_module_embs,
)
from dhen_objective.layers import initialize

B, M, D = 3, 7, 8
CONFIG = DHENConfig(dim=D, module_embs=5, linear_embs=6, dlrm_hidden=9, dcn_rank=4, ln_init=0.1)


def build(kind: Interaction, config: DHENConfig) -> tuple[nn.Module, torch.Tensor]:
    module = INTERACTIONS[kind](M, config)
    generator = torch.Generator().manual_seed(1)
    initialize(module, scale=1.0, generator=generator)
    for name, parameter in module.named_parameters():
        if name.endswith("bias"):  # zeros would hide a forgotten bias
            nn.init.normal_(parameter, generator=generator)
    return module, torch.randn(B, M, D, generator=generator)


def test_dlrm_sees_the_dot_product_of_every_pair() -> None:
    module, x = build(Interaction.DLRM, CONFIG)
    assert isinstance(module, AdvancedDLRM)
    expected = [[float(x[b, i] @ x[b, j]) for i in range(M) for j in range(i + 1, M)]
                for b in range(B)]  # fmt: skip
    torch.testing.assert_close(module.dots(x), torch.tensor(expected))
    torch.testing.assert_close(module(x), module.mlp(torch.tensor(expected)).view(B, 5, D))


def test_compressed_dlrm_sees_the_dots_with_each_mixture() -> None:
    module, x = build(Interaction.DLRM, replace(CONFIG, dlrm_k=2))
    assert isinstance(module, AdvancedDLRM)
    assert module.compress is not None
    weight = module.compress.weight
    expected = torch.zeros(B, M * 2)
    for b in range(B):
        for i in range(M):
            for k in range(2):
                mixture = sum(weight[k, j] * x[b, j] for j in range(M))
                expected[b, i * 2 + k] = x[b, i] @ mixture
    torch.testing.assert_close(module.dots(x), expected)


@pytest.mark.parametrize("heads", [1, 2, 4])
def test_attention_equals_torch(heads: int) -> None:
    module, x = build(Interaction.ATTENTION, replace(CONFIG, attn_heads=heads))
    assert isinstance(module, SelfAttention)
    oracle = nn.MultiheadAttention(D, heads, batch_first=True)
    oracle.load_state_dict(
        {
            "in_proj_weight": module.query_key_value.weight,
            "in_proj_bias": module.query_key_value.bias,
            "out_proj.weight": module.out.weight,
            "out_proj.bias": module.out.bias,
        }
    )
    torch.testing.assert_close(module.attend(x), oracle(x, x, x, need_weights=False)[0])


def test_the_encoder_equals_torch() -> None:
    module, x = build(Interaction.ATTENTION, CONFIG)
    assert isinstance(module, SelfAttention)
    oracle = nn.TransformerEncoderLayer(D, 2, 2 * D, dropout=0.0, batch_first=True)
    state = {f"self_attn.in_proj_{n}": p for n, p in module.query_key_value.named_parameters()}
    state |= {f"self_attn.out_proj.{n}": p for n, p in module.out.named_parameters()}
    state |= {f"linear1.{n}": p for n, p in module.ffn[0].named_parameters()}
    state |= {f"linear2.{n}": p for n, p in module.ffn[2].named_parameters()}
    state |= {f"norm1.{n}": p for n, p in module.norm_attention.named_parameters()}
    state |= {f"norm2.{n}": p for n, p in module.norm_ffn.named_parameters()}
    oracle.load_state_dict(state)
    torch.testing.assert_close(module.encode(x), oracle(x))
    mixed = torch.einsum("lm,bmd->bld", module.mix.weight, oracle(x))
    torch.testing.assert_close(module(x), mixed)


def test_the_linear_module_mixes_over_the_count_axis() -> None:
    module, x = build(Interaction.LINEAR, CONFIG)
    assert isinstance(module, LinearMix)
    expected = torch.zeros(B, 6, D)
    for b in range(B):
        for n in range(6):
            for m in range(M):
                expected[b, n] += module.mix.weight[n, m] * x[b, m]
    torch.testing.assert_close(module(x), expected)


def test_the_cross_net_multiplies_every_coordinate_by_a_mixture() -> None:
    module, x = build(Interaction.DCN, replace(CONFIG, dcn_layers=2))
    assert isinstance(module, DeepCross)
    x0 = x.flatten(1)
    state = x0.clone()
    for down, up in zip(module.down, module.up, strict=True):
        following = torch.zeros_like(state)
        matrix = up.weight @ down.weight  # U V, whole
        for b in range(B):
            for i in range(M * D):
                mixture = sum(matrix[i, j] * state[b, j] for j in range(M * D)) + up.bias[i]
                following[b, i] = x0[b, i] * mixture + state[b, i]
        state = following.detach()
    torch.testing.assert_close(module.cross(x0), state, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(module(x), module.out(module.cross(x0)).view(B, 5, D))


@pytest.mark.parametrize("kernel", [1, 3, 5])
def test_the_convolution_along_the_embeddings_is_a_conv2d_as_wide_as_an_embedding(
    kernel: int,
) -> None:
    module, x = build(Interaction.CONV, replace(CONFIG, conv_kernel=kernel, conv_channels=2))
    assert isinstance(module, Convolution)
    filters = module.conv.weight.transpose(1, 2).unsqueeze(1)  # (2 * d, 1, kernel, d)
    out = nn.functional.conv2d(
        x.unsqueeze(1), filters, module.conv.bias, padding=(kernel // 2, 0)
    ).squeeze(3)  # (b, 2 * d, m)
    expected = torch.cat([out[:, :D].transpose(1, 2), out[:, D:].transpose(1, 2)], dim=1)
    torch.testing.assert_close(module.convolve(x), expected)


def test_the_plane_convolution_equals_loops() -> None:
    module, x = build(Interaction.CONV, replace(CONFIG, conv_2d=True, conv_channels=2))
    assert isinstance(module, Convolution)
    padded = torch.zeros(B, M + 2, D + 2)
    padded[:, 1:-1, 1:-1] = x
    expected = torch.zeros(B, 2 * M, D)
    for c in range(2):
        for i in range(M):
            for j in range(D):
                patch = padded[:, i : i + 3, j : j + 3]
                value = (patch * module.conv.weight[c, 0]).sum((1, 2)) + module.conv.bias[c]
                expected[:, c * M + i, j] = value
    torch.testing.assert_close(module.convolve(x), expected)


@pytest.mark.parametrize("ensemble", ["concat", "sum"])
@pytest.mark.parametrize("kind", list(Interaction))
def test_every_module_yields_as_many_embeddings_as_it_says(
    kind: Interaction, ensemble: str
) -> None:
    config = DHENConfig.from_dict(CONFIG.to_dict() | {"ensemble": ensemble})
    module, x = build(kind, config)
    assert module(x).shape == (B, n_module_embs(kind, config), D)


def test_a_layer_yields_all_embeddings_in_concat_and_one_module_s_in_sum() -> None:
    every = replace(CONFIG, modules=tuple(Interaction))
    assert n_layer_embs(every) == 4 * 5 + 6
    assert n_layer_embs(replace(every, ensemble="sum")) == 5
