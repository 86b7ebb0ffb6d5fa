from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from dhen_objective import (
    DHEN,
    SPACES,
    Batch,
    DHENConfig,
    DHENLayer,
    DHENObjective,
    LogisticRegression,
    PlainMLP,
    SyntheticStream,
    TrainConfig,
    flops_per_example,
    measure_throughput,
    network_size,
)
from dhen_objective.adagrad import RowwiseAdagrad
from dhen_objective.trainer import Trainer, report_grid

CONFIG = DHENConfig()
SHAPE = {"field_sizes": (3,), "n_dense": 1}
EMPTY = Batch(
    dense=torch.zeros(0, 1), sparse=torch.zeros(0, 1, dtype=torch.long), labels=torch.zeros(0)
)  # fmt: skip
CASES: list[tuple[Callable[[], object], str]] = [
    (lambda: DHEN(CONFIG, **SHAPE, prior=1.0), "prior must be between 0 and 1, but got 1.0"),
    (lambda: DHEN(CONFIG, **SHAPE, seed=-1), r"seed must be in \[0, 2\*\*64\), but got -1"),
    (lambda: DHEN(CONFIG, field_sizes=(3, -2), n_dense=0), "but got -2 in field 1"),
    (lambda: DHEN(CONFIG, field_sizes=(3,), n_dense=-1), "n_dense must be at least 0, but got -1"),
    (lambda: DHENLayer(0, CONFIG), "n_in must be at least 1, but got 0"),
    (
        lambda: LogisticRegression(**SHAPE, prior=0.0),
        "prior must be between 0 and 1, but got 0.0",
    ),
    (lambda: PlainMLP(**SHAPE, prior=-0.1), "prior must be between 0 and 1, but got -0.1"),
    (lambda: PlainMLP(**SHAPE, hidden=(8, 0)), "hidden must be at least 1, but got 0"),
    (lambda: flops_per_example(CONFIG, n_fields=-1, n_dense=2), "n_fields must be at least 0"),
    (lambda: flops_per_example(CONFIG, n_fields=0, n_dense=0), "n_fields must be at least 1"),
    (lambda: network_size(CONFIG, field_sizes=(3, 0), n_dense=2), "but got 0 in field 1"),
    (lambda: network_size(CONFIG, field_sizes=(3,), n_dense=-2), "n_dense must be at least 0"),
    (lambda: report_grid(0, 3), "n_rows must be at least 1, but got 0"),
    (
        lambda: RowwiseAdagrad(torch.nn.Parameter(torch.zeros(2, 1)), lr=0.0),
        "lr must be positive, but got 0.0",
    ),
    (
        lambda: measure_throughput({"a": LogisticRegression(**SHAPE)}, EMPTY),
        "batch must hold at least one example, but got 0",
    ),
    (
        lambda: measure_throughput({"a": LogisticRegression(**SHAPE)}, EMPTY, warmup=-1),
        "warmup must be at least 0, but got -1",
    ),
    (
        lambda: replace(SPACES["cpu"], lr=(1e-2, 1e-3)),
        r"lr must be positive and not decrease, but got \(0.01, 0.001\)",
    ),
    (
        lambda: replace(SPACES["cpu"], choices={"dlrm_width": (1,)}),
        "choices must be of .*, but got .*'dlrm_width'",
    ),
]


@pytest.mark.parametrize(("call", "message"), CASES)
def test_a_value_out_of_its_range_is_named(call: Callable[[], object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_gpu_that_is_not_there_is_named_when_it_is_asked_for() -> None:
    training, stream = TrainConfig(device="cuda"), SyntheticStream("easy", rows=10)
    with pytest.raises(ValueError, match="device must be there, but got 'cuda' without CUDA"):
        DHENObjective(stream, training=training)
    with pytest.raises(ValueError, match="device must be there, but got 'cuda' without CUDA"):
        Trainer(LogisticRegression(**SHAPE), training, n_rows=10)


def test_a_file_for_the_checkpoints_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "states"
    file.touch()
    with pytest.raises(ValueError, match="checkpoints must be a folder, but got the file"):
        DHENObjective(SyntheticStream("easy", rows=10), checkpoints=file)
