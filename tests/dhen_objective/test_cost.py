"""Analytic FLOPs against torch's counter."""

from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.utils.flop_counter import FlopCounterMode

from dhen_objective.config import DHENConfig, Interaction
from dhen_objective.cost import INTERACTION_FLOPS, flops_per_example, parameter_count
from dhen_objective.interactions import INTERACTIONS
from dhen_objective.model import DHEN

VARIANTS = [
    (Interaction.DLRM, {"dlrm_k": 0}),
    (Interaction.DLRM, {"dlrm_k": 4}),
    (Interaction.ATTENTION, {"attn_heads": 1}),
    (Interaction.ATTENTION, {"attn_heads": 4, "attn_ffn_mult": 4}),
    (Interaction.LINEAR, {"linear_embs": 24}),
    (Interaction.DCN, {"dcn_layers": 3, "dcn_rank": 16}),
    (Interaction.CONV, {"conv_kernel": 5, "conv_channels": 4}),
    (Interaction.CONV, {"conv_kernel": 3, "conv_channels": 2, "conv_2d": True}),
]


@pytest.mark.parametrize(("kind", "knobs"), VARIANTS)
def test_a_module_s_formula_equals_the_counter(kind: Interaction, knobs: dict) -> None:
    config = DHENConfig.from_dict({"modules": [kind]} | knobs)
    module = INTERACTIONS[kind](9, config)
    batch = 5
    with FlopCounterMode(display=False) as counter, torch.inference_mode():
        module(torch.zeros(batch, 9, config.dim))
    assert counter.get_total_flops() == batch * INTERACTION_FLOPS[kind](9, config)


@given(
    st.integers(1, 4),
    st.sets(st.sampled_from(list(Interaction)), min_size=1),
    st.sampled_from(["concat", "sum"]),
    st.integers(1, 6),
    st.integers(0, 3),
)
def test_a_network_s_formula_equals_the_counter(
    n_layers: int, modules: set, ensemble: str, n_fields: int, n_dense: int
) -> None:
    config = DHENConfig(n_layers=n_layers, modules=tuple(modules), ensemble=ensemble)
    model = DHEN(config, field_sizes=(3,) * n_fields, n_dense=n_dense)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        model(torch.zeros(2, n_dense), torch.zeros(2, n_fields, dtype=torch.long))
    expected = flops_per_example(config, n_fields=n_fields, n_dense=n_dense)
    assert counter.get_total_flops() == 2 * expected


def test_more_layers_cost_more() -> None:
    costs = [
        flops_per_example(replace(DHENConfig(), n_layers=n), n_fields=24, n_dense=6)
        for n in range(1, 5)
    ]
    assert costs == sorted(set(costs))


def test_the_parameters_of_a_small_network_are_those_counted_by_hand() -> None:
    config = DHENConfig(
        n_layers=1, modules=(Interaction.LINEAR,), dim=2, linear_embs=3, head_hidden=(4,),
        ln_init=1.0,
    )  # fmt: skip
    model = DHEN(config, field_sizes=(5, 6), n_dense=0)
    table, mix, shortcut, norm = 11 * 2, 3 * 2, 3 * 2, 2 + 2
    head, wide = (6 * 4 + 4) + (4 + 1), 11 + 1
    assert parameter_count(model) == table + mix + shortcut + norm + head + wide
