import itertools
import math
import signal
import subprocess
import sys
import warnings
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from dhen_objective.config import DHENConfig, Interaction, TrainConfig
from dhen_objective.metrics import Tally
from dhen_objective.model import DHEN
from dhen_objective.sgd import train_sgd
from dhen_objective.streams import Batch, ClickStream, SyntheticStream
from dhen_objective.streams.base import regroup
from dhen_objective.train import train, train_model
from dhen_objective.trainer import Learner, report_grid
from tests.dhen_objective.passes import FAST, SMALL, arrays


class Listed(ClickStream):
    """A stream of given batches, which checks nothing beforehand."""

    def __init__(self, batches: list[Batch]) -> None:
        self.n_rows = sum(map(len, batches))
        self.field_sizes, self.n_dense, self.prior = (4,), 0, 0.1
        self._batches = batches

    def batches(self, batch_size: int, *, start: int = 0) -> Iterator[Batch]:
        del batch_size, start
        yield from self._batches


class Odd(ClickStream):
    """A stream whose batches need not be what it says of itself."""

    def __init__(self, rows: int = 8, *, dense: int = 2, ids: int = 4, sparse: int = 2) -> None:
        self.n_rows, self.n_dense, self.field_sizes, self.prior = 8, 2, (4, 4), 0.5
        self._made = Batch(
            dense=torch.arange(rows * dense).reshape(rows, dense).float(),
            sparse=(torch.arange(rows) % ids)[:, None].repeat(1, sparse),
            labels=(torch.arange(rows) % 2).float(),
        )

    def batches(self, batch_size: int, *, start: int = 0) -> Iterator[Batch]:
        return regroup([self._made], batch_size, start=start)


def batch(labels: list[float]) -> Batch:
    n = len(labels)
    sparse = torch.zeros(n, 1, dtype=torch.long)
    return Batch(dense=torch.zeros(n, 0), sparse=sparse, labels=torch.tensor(labels))


def test_every_example_is_predicted_before_it_is_learned_from() -> None:
    stream = arrays(64)
    result = train(stream, SMALL, FAST)  # one batch: nothing was learned before it
    model = DHEN(SMALL, field_sizes=(4, 4, 4), n_dense=2, prior=0.3, seed=0)
    (only,) = stream.batches(64)
    expected = Tally.of(model(only.dense, only.sparse), only.labels)
    assert result.lifetime.loss == pytest.approx(expected.loss)
    assert result.lifetime.predicted == pytest.approx(expected.predicted)


def test_the_windows_of_the_curve_cover_the_grid() -> None:
    result = train(arrays(300), SMALL, FAST)
    assert list(result.curve) == [60, 120, 180, 240, 300]
    assert [tally.rows for tally in result.curve.values()] == [60, 120, 120, 120, 120]
    assert len(result.losses) == 120
    assert float(result.losses.mean()) == pytest.approx(result.last_window.log_loss, rel=1e-5)
    assert result.rows == 300
    assert not result.stopped
    assert not result.diverged


@pytest.mark.parametrize(("rows", "last"), [(3, 1), (10, 2), (15, 3), (40, 8)])
def test_a_window_has_its_share_of_rows_where_there_are_fewer_than_reports(
    rows: int, last: int
) -> None:
    result = train(arrays(rows, rate=0.5), SMALL, TrainConfig(n_reports=20, window=0.2))
    assert result.last_window.rows == last


def test_report_may_stop_the_pass() -> None:
    seen: list[int] = []

    def report(rows: int, _: Tally) -> bool:
        seen.append(rows)
        return rows >= 120

    result = train(arrays(300), SMALL, FAST, report=report)
    assert seen == [60, 120]
    assert result.stopped
    assert 120 <= result.rows < 300
    assert list(result.curve) == [60, 120]


def test_training_beats_the_constant_and_approaches_bayes() -> None:
    stream = SyntheticStream("easy", rows=20_000)
    training = TrainConfig(n_reports=4, window=0.25)
    result = train(stream, DHENConfig(modules=(Interaction.DLRM, Interaction.LINEAR)), training)
    bayes = stream.bayes_normalized_entropy(15_000, 20_000)
    assert bayes < result.normalized_entropy < 0.95


class KilledError(Exception):
    pass


@pytest.mark.parametrize("at", [60, 120, 240])
def test_a_killed_pass_continues_with_the_same_curve(tmp_path: Path, at: int) -> None:
    stream, checkpoint = arrays(300, missing=0.0), tmp_path / "state.pt"
    whole = train(stream, SMALL, FAST)

    def kill(rows: int, _: Tally) -> bool:
        if rows > at:
            raise KilledError
        return False

    with pytest.raises(KilledError):
        train(stream, SMALL, FAST, report=kill, checkpoint=checkpoint)
    seen: list[int] = []
    resumed = train(
        stream, SMALL, FAST, report=lambda rows, _: seen.append(rows), checkpoint=checkpoint
    )
    assert seen == list(whole.curve)  # also what was reported before
    assert list(resumed.curve) == list(whole.curve)
    for rows, window in whole.curve.items():
        assert resumed.curve[rows].rows == window.rows
        assert resumed.curve[rows].loss == pytest.approx(window.loss, rel=1e-5)
    torch.testing.assert_close(resumed.losses, whole.losses)
    assert resumed.rows == whole.rows
    assert list(tmp_path.iterdir()) == []


def test_a_process_killed_while_it_trains_can_be_continued(tmp_path: Path) -> None:
    checkpoint = tmp_path / "state.pt"
    code = (
        "import os, signal, sys; from pathlib import Path\n"
        "from dhen_objective import DHENConfig, SyntheticStream, TrainConfig, train\n"
        "def kill(rows, window):\n"
        "    if rows > 1000: os.kill(os.getpid(), signal.SIGKILL)\n"
        "train(SyntheticStream(rows=2000), DHENConfig(n_layers=1), TrainConfig(batch_size=128),\n"
        "      report=kill, checkpoint=Path(sys.argv[1]))"
    )
    done = subprocess.run([sys.executable, "-c", code, str(checkpoint)], check=False)
    assert done.returncode == -signal.SIGKILL
    arguments = SyntheticStream(rows=2000), DHENConfig(n_layers=1), TrainConfig(batch_size=128)
    resumed, whole = train(*arguments, checkpoint=checkpoint), train(*arguments)
    assert [tally.rows for tally in resumed.curve.values()] == [
        tally.rows for tally in whole.curve.values()
    ]
    assert resumed.normalized_entropy == pytest.approx(whole.normalized_entropy, rel=1e-4)


def test_speed_and_time_are_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = itertools.count()
    clock = SimpleNamespace(perf_counter=lambda: float(next(ticks)))
    for module in ("train", "trainer"):
        monkeypatch.setattr(sys.modules[f"dhen_objective.{module}"], "time", clock)
    result = train(arrays(300), SMALL, FAST)
    assert result.qps == 64  # a step of 64 examples lies between two readings of the clock
    assert result.seconds == next(ticks) - 1  # between the first and the last


@pytest.mark.parametrize("modules", [(Interaction.LINEAR, Interaction.DCN), tuple(Interaction)])
def test_bfloat16_learns_about_as_well_as_float32(modules: tuple[Interaction, ...]) -> None:
    stream = SyntheticStream("easy", rows=8000)
    config = replace(SMALL, modules=modules, ln_init=0.1)
    single, half = (
        train(stream, config, replace(FAST, lr=1e-3, autocast=on)) for on in (False, True)
    )
    assert half.curve != single.curve
    assert half.normalized_entropy == pytest.approx(single.normalized_entropy, rel=0.03)


def test_products_of_pairs_pay_where_the_truth_holds_them() -> None:
    stream, training = SyntheticStream("medium", rows=30_000), TrainConfig(lr=2e-3)
    linear, dlrm = (
        train(stream, DHENConfig(modules=modules), training).normalized_entropy
        for modules in ((Interaction.LINEAR,), (Interaction.DLRM, Interaction.LINEAR))
    )
    assert stream.bayes_normalized_entropy(24_000) < dlrm < 0.98 * linear


def test_missing_values_are_counted_and_said_once() -> None:
    stream = arrays(300, missing=0.1)
    (whole,) = stream.batches(300)
    n_missing = int(whole.dense.isnan().sum())
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = train(stream, SMALL, FAST)
    assert result.n_missing == n_missing > 0
    assert [str(w.message) for w in caught] == [
        f"{n_missing} dense values were missing; they took the running mean."
    ]
    assert math.isfinite(result.lifetime.loss)


def test_a_diverged_training_ends_and_says_so() -> None:
    result = train(arrays(), SMALL, replace(FAST, lr=1e30))
    assert result.diverged
    assert 0 < result.rows < 300
    assert math.isfinite(result.lifetime.loss)


@pytest.mark.parametrize(
    ("stream", "message"),
    [
        (Odd(6), "must yield its n_rows = 8 examples, but got 6"),
        (Odd(9), "must yield its n_rows = 8 examples, but got 9"),
        (Odd(dense=1), "n_dense = 2 dense and 2 sparse features, .* but got 1 and 2"),
        (Odd(sparse=1), "n_dense = 2 dense and 2 sparse features, .* but got 2 and 1"),
        (Odd(ids=5), r"sparse must be in \[0, 4\) in field 0, but got 4 in row 4"),
    ],
)
def test_a_stream_that_is_not_what_it_says_is_refused(stream: Odd, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        train(stream, SMALL, TrainConfig(batch_size=3, n_reports=5))
    with pytest.raises(ValueError, match=message):
        train_sgd(stream, TrainConfig(batch_size=3, n_reports=5))


def test_a_stream_whose_batches_are_larger_than_asked_for_is_refused() -> None:
    class Fours(Odd):
        def batches(self, batch_size: int, *, start: int = 0) -> Iterator[Batch]:
            del batch_size
            return super().batches(4, start=start)

    stream, message = Fours(), "batches of at most batch_size = 3 examples, but got 4"
    with pytest.raises(ValueError, match=message):
        train(stream, SMALL, TrainConfig(batch_size=3, n_reports=5))
    assert train(stream, SMALL, TrainConfig(batch_size=4, n_reports=5)).rows == 8


def test_batches_without_an_example_are_passed_over() -> None:
    class Gaps(Odd):
        def batches(self, batch_size: int, *, start: int = 0) -> Iterator[Batch]:
            for batch in super().batches(batch_size, start=start):
                yield from (batch.rows(0, 0), batch, batch.rows(0, 0))

    training = TrainConfig(batch_size=4, n_reports=5)
    assert train(Gaps(), SMALL, training).lifetime == train(Odd(), SMALL, training).lifetime


def test_a_model_for_fewer_ids_or_other_features_is_refused() -> None:
    model = DHEN(SMALL, field_sizes=(3, 5), n_dense=2, prior=0.5)
    with pytest.raises(ValueError, match=r"stream's field_sizes \(4, 4\), but got \(3, 5\)"):
        train_model(model, Odd())
    for dense, sparse in ((1, 2), (2, 1)):  # which would be broadcast
        with pytest.raises(ValueError, match=f"must have 2 and 2 .* got {dense} and {sparse}"):
            model(torch.zeros(3, dense), torch.zeros(3, sparse, dtype=torch.long))


def test_a_stream_without_rows_positives_or_negatives_is_refused() -> None:
    with pytest.raises(ValueError, match="stream must have at least one row, but got 0"):
        train(Listed([]), SMALL, FAST)
    with pytest.raises(ValueError, match="stream must hold a positive, but got 4 zeros"):
        train(Listed([batch([0.0, 0.0]), batch([0.0, 0.0])]), SMALL, FAST)
    with pytest.raises(ValueError, match="stream must hold a negative, but got 3 ones"):
        train(Listed([batch([1.0, 1.0]), batch([1.0])]), SMALL, FAST)


@pytest.mark.parametrize(("rows", "points"), [(3, 20), (100, 7), (1, 1)])
def test_a_grid_increases_and_ends_with_the_last_row(rows: int, points: int) -> None:
    grid = report_grid(rows, points)
    assert list(grid) == sorted(set(grid))
    assert grid[0] >= 1
    assert grid[-1] == rows
    assert len(grid) == min(rows, points)


def test_the_first_ten_steps_of_a_process_do_not_count_for_the_speed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = 0.0
    seconds = iter([8.0] * 10 + [1.0, 2.0, 2.0, 2.0, 4.0])

    class Clocked(Learner):
        def step(self, _: Batch) -> list[int]:
            nonlocal now
            now += next(seconds)
            return []

    clock = SimpleNamespace(perf_counter=lambda: now)
    monkeypatch.setattr(sys.modules["dhen_objective.trainer"], "time", clock)
    learner = Clocked(FAST, n_rows=15 * 6)
    for n_steps, speed in ((10, 6 / 8.0), (5, 6 / 2.0)):
        for _ in range(n_steps):
            learner.timed_step(batch([0.0] * 6))
        assert learner.qps == pytest.approx(speed)
