"""Examples per second of training and inference, measured in turns on a noisy machine."""

from __future__ import annotations

import platform
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch

from dhen_objective.checked import check_at_least, checked
from dhen_objective.config import TrainConfig
from dhen_objective.features import ClickModel
from dhen_objective.streams.base import Batch
from dhen_objective.trainer import Trainer


@checked
@dataclass(frozen=True, kw_only=True)
class Throughput:
    """Measured speed of one model.

    Attributes:
        qps: Examples per second: the median over the repeats.
        iqr: Spread of the middle half of the repeats, in examples per second.
        ratio: Median over the rounds of this model's speed over the first model's. Both were
            measured in turns, so it holds where the machine's speed changes.
        device: Where it ran: the GPU's or the processor's name, and the threads.
    """

    qps: float
    iqr: float
    ratio: float
    device: str


@checked
def measure_throughput(
    models: Mapping[str, ClickModel],
    batch: Batch,
    *,
    training: TrainConfig | None = None,
    inference: bool = False,
    warmup: int = 10,
    repeats: int = 20,
) -> dict[str, Throughput]:
    """Measure models in turns on one batch, which is moved to the device before.

    Args:
        models: The models by name; the first is what the others are compared with. Training
            changes them.
        batch: The examples of every step.
        training: Device and learning rates.
        inference: Measure predictions in place of training steps.
        warmup: Steps of each model before the clock runs.
        repeats: Timed steps of each model.

    Returns:
        The speed of each model.

    Raises:
        ValueError: If there is no model, no example, under two repeats, or a negative warm-up.
    """
    if not models:
        raise ValueError("models must hold at least one model, but got none.")
    check_at_least(2, repeats=repeats)
    check_at_least(0, warmup=warmup)
    if not len(batch):
        raise ValueError("batch must hold at least one example, but got 0.")
    training = training or TrainConfig()
    device = str(training.device)
    placed = batch.to(device)
    steps = {
        name: _step(model, placed, training, inference, rounds=warmup + repeats)
        for name, model in models.items()
    }
    for step in steps.values():
        for _ in range(warmup):
            step()
    seconds: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(repeats):  # in turns
        for name, step in steps.items():
            seconds[name].append(_timed(step, device))
    first = seconds[next(iter(seconds))]
    name_of_device = _device_name(device)
    return {
        name: _summary(times, first, len(batch), name_of_device) for name, times in seconds.items()
    }


def _step(
    model: ClickModel, batch: Batch, training: TrainConfig, inference: bool, *, rounds: int
) -> Callable[[], object]:
    trainer = Trainer(model, training, n_rows=rounds * len(batch))
    if not inference:
        return lambda: trainer.step(batch)

    def predict() -> object:
        with torch.inference_mode():
            return trainer.model(batch.dense, batch.sparse)

    return predict


def _timed(step: Callable[[], object], device: str) -> float:
    _synchronize(device)
    start = time.perf_counter()
    step()
    _synchronize(device)
    return time.perf_counter() - start


def _synchronize(device: str) -> None:
    if device.startswith("cuda"):
        torch.cuda.synchronize(device)


def _device_name(device: str) -> str:
    if device.startswith("cuda"):
        return torch.cuda.get_device_name(device)
    return f"{platform.processor() or platform.machine()}, {torch.get_num_threads()} threads"


def _summary(times: list[float], first: list[float], rows: int, device: str) -> Throughput:
    speeds = [rows / seconds for seconds in times]
    low, _, high = statistics.quantiles(speeds, n=4)
    ratio = statistics.median(a / b for a, b in zip(first, times, strict=True))
    return Throughput(qps=statistics.median(speeds), iqr=high - low, ratio=ratio, device=device)
