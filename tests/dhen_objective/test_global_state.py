"""Training neither depends on torch's global state nor changes it."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import replace

import pytest
import torch

from dhen_objective.baselines import LogisticRegression, PlainMLP
from dhen_objective.config import DHENConfig, Interaction
from dhen_objective.train import TrainResult, train, train_model
from tests.dhen_objective.passes import FAST, SMALL, arrays


def test_a_seed_fixes_the_curve_and_the_global_random_state_stays() -> None:
    before, threads = torch.get_rng_state(), torch.get_num_threads()
    one, same = (train(arrays(), SMALL, FAST) for _ in range(2))
    other = train(arrays(), SMALL, replace(FAST, seed=1))
    assert one.curve == same.curve
    assert one.curve != other.curve
    assert torch.equal(before, torch.get_rng_state())
    assert threads == torch.get_num_threads()


@pytest.fixture
def _float64() -> Iterator[None]:
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


EVERYTHING = DHENConfig(
    n_layers=2, modules=tuple(Interaction), dlrm_k=2, ln_init=0.1, conv_2d=True, dim=4
)  # fmt: skip


def all_models() -> list[TrainResult]:
    stream = arrays(150)
    shape = {"field_sizes": stream.field_sizes, "n_dense": stream.n_dense}
    models = (PlainMLP(**shape, hidden=(4,)), LogisticRegression(**shape))
    return [train(stream, EVERYTHING, FAST), *(train_model(m, stream, FAST) for m in models)]


@pytest.fixture(scope="module")
def plain() -> list[TrainResult]:
    return all_models()


@pytest.mark.usefixtures("_float64")
def test_weights_are_float32_whatever_the_default(plain: list[TrainResult]) -> None:
    for result, expected in zip(all_models(), plain, strict=True):
        assert result.curve == expected.curve
        assert result.losses.dtype == torch.float32


@pytest.mark.parametrize(
    "mode",
    [torch.no_grad, torch.inference_mode, lambda: torch.autocast("cpu"),
     lambda: torch.device("meta")],
)  # fmt: skip
def test_torchs_global_modes_do_not_matter(
    mode: Callable[[], AbstractContextManager], plain: list[TrainResult]
) -> None:
    stream = arrays(150)
    with mode():
        assert train(stream, EVERYTHING, FAST).curve == plain[0].curve
