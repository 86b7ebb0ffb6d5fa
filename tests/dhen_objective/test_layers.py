import pytest
import torch
from torch import nn

from dhen_objective.layers import CountMap, initialize, layer_norm, linear, mlp


def test_a_count_map_equals_an_einsum_and_so_does_its_gradient() -> None:
    layer = CountMap(5, 3)
    initialize(layer, scale=1.0, generator=torch.Generator().manual_seed(0))
    x = torch.randn(4, 5, 6, requires_grad=True)
    out = layer(x)
    expected = torch.einsum("lm,bmd->bld", layer.weight, x)
    torch.testing.assert_close(out, expected)
    pull = torch.randn_like(out)
    mine = torch.autograd.grad(out, [x, layer.weight], pull)
    torch.testing.assert_close(mine, torch.autograd.grad(expected, [x, layer.weight], pull))


@pytest.mark.parametrize("scale", [0.3, 1.0, 3.0])
def test_weights_fill_xavier_s_bounds_times_the_scale(scale: float) -> None:
    layer = linear(200, 100)
    initialize(layer, scale=scale, generator=torch.Generator().manual_seed(0))
    bound = scale * (6 / 300) ** 0.5
    assert 0.99 * bound < float(layer.weight.detach().abs().max()) <= bound * (1 + 1e-6)
    assert float(layer.weight.detach().std()) == pytest.approx(bound / 3**0.5, rel=0.02)
    assert not layer.bias.any()


def test_a_layer_norm_starts_with_its_gain_and_gain_zero_leaves_it_out() -> None:
    x = torch.randn(50, 16)
    assert torch.equal(layer_norm(16, 0.0)(x), x)
    scaled = layer_norm(16, 0.3)(x)
    torch.testing.assert_close(scaled, 0.3 * nn.functional.layer_norm(x, (16,)))


def test_building_layers_leaves_the_global_random_state_alone() -> None:
    before = torch.get_rng_state()
    mlp([4, 5, 6])
    assert torch.equal(before, torch.get_rng_state())
