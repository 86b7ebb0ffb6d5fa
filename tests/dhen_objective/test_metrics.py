import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import log_expit
from sklearn.metrics import log_loss

from dhen_objective.metrics import (
    Tally,
    binary_entropy,
    log_losses,
    ne_gain,
    ne_gain_with_error,
    normalized_entropy,
    paired_standard_error,
)
from dhen_objective.windows import WindowedTally

scored = st.lists(
    st.tuples(st.floats(-200, 200, width=32), st.sampled_from([0.0, 1.0])), min_size=1, max_size=60
)


def split(pairs: list[tuple[float, float]]) -> tuple[torch.Tensor, torch.Tensor]:
    both = torch.tensor(pairs, dtype=torch.float32)
    return both[:, 0], both[:, 1]


@given(scored)
def test_log_losses_equal_the_float64_formula(pairs: list[tuple[float, float]]) -> None:
    logits, labels = split(pairs)
    signed = np.where(labels.numpy() == 1, logits.double().numpy(), -logits.double().numpy())
    np.testing.assert_allclose(log_losses(logits, labels).numpy(), -log_expit(signed), rtol=1e-12)


def test_normalized_entropy_equals_log_loss_over_the_entropy_of_the_rate() -> None:
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(500, generator=generator) * 3 - 2
    labels = (torch.rand(500, generator=generator) < 0.1).float()
    p = torch.sigmoid(logits.double()).numpy()
    rate = float(labels.mean())
    entropy = -(rate * math.log(rate) + (1 - rate) * math.log(1 - rate))
    expected = log_loss(labels.numpy(), p) / entropy
    assert normalized_entropy(logits, labels) == pytest.approx(expected, rel=1e-6)


@given(st.integers(1, 50), st.integers(1, 50))
def test_the_rate_itself_has_normalized_entropy_one_and_nothing_constant_beats_it(
    positives: int, negatives: int
) -> None:
    labels = torch.tensor([1.0] * positives + [0.0] * negatives)
    logit = torch.tensor(math.log(positives / negatives), dtype=torch.float64)
    assert normalized_entropy(logit.expand(len(labels)), labels) == pytest.approx(1, rel=1e-9)
    for shift in (-0.1, 0.1):
        assert normalized_entropy((logit + shift).expand(len(labels)), labels) > 1


def test_extreme_logits_keep_their_loss_where_float32_probabilities_saturate() -> None:
    logits, labels = torch.tensor([200.0, -200.0, 1e4]), torch.tensor([0.0, 1.0, 1.0])
    assert log_losses(logits, labels).tolist() == [200.0, 200.0, 0.0]


@pytest.mark.parametrize(
    ("logits", "labels"),
    [((4, 1), (4,)), ((4,), (1,)), ((4,), (4, 1)), ((2, 2), (2, 2)), ((), ())],
)
def test_shapes_that_would_broadcast_are_refused(
    logits: tuple[int, ...], labels: tuple[int, ...]
) -> None:
    for metric in (normalized_entropy, log_losses, Tally.of):
        with pytest.raises(ValueError, match=r"logits and labels must have the shapes .* but got"):
            metric(torch.zeros(logits), torch.zeros(labels))
    window = WindowedTally(grid=(4,), window=1)
    with pytest.raises(ValueError, match="logits and labels must have the shapes"):
        window.add(torch.zeros(logits), torch.zeros(labels))
    with pytest.raises(ValueError, match="losses must pair the rows of baseline"):
        paired_standard_error(torch.zeros(logits), torch.zeros(labels))


@pytest.mark.parametrize("wrong", [-1.0, 0.5, 2.0, math.nan, math.inf])
def test_labels_other_than_0_and_1_are_refused(wrong: float) -> None:
    for metric in (normalized_entropy, log_losses, Tally.of):
        with pytest.raises(ValueError, match=f"labels must be 0 or 1, but got {wrong}"):
            metric(torch.zeros(2), torch.tensor([1.0, wrong]))


@pytest.mark.parametrize("kind", [torch.bool, torch.uint8, torch.int64, torch.float64])
def test_labels_may_have_any_dtype(kind: torch.dtype) -> None:
    labels = torch.tensor([1, 0, 0, 0]).to(kind)
    assert normalized_entropy(torch.full((4,), -math.log(3)), labels) == pytest.approx(1)


def test_infinite_logits_cost_nothing_where_they_are_right() -> None:
    certain = torch.tensor([math.inf, -math.inf])
    assert normalized_entropy(certain, torch.tensor([1.0, 0.0])) == 0
    assert normalized_entropy(certain, torch.tensor([0.0, 1.0])) == math.inf


def test_a_baseline_without_loss_makes_no_gain() -> None:
    gain, error = ne_gain_with_error(torch.ones(3), torch.zeros(3))
    assert math.isnan(gain)
    assert math.isnan(error)
    for loss in (0.5, math.inf):  # of a baseline that diverged, too
        assert math.isnan(ne_gain(loss, 0.0))
        assert math.isnan(ne_gain(loss, math.inf))


@pytest.mark.parametrize(
    ("sums", "message"),
    [
        ({"rows": -1}, "rows must be at least 0, but got -1"),
        ({"loss": -0.5}, "loss must be at least 0, but got -0.5"),
        ({"rows": 2, "positives": 3.0}, "positives must be at most rows = 2, but got 3.0"),
    ],
)
def test_sums_that_cannot_be_are_refused(sums: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Tally(**sums)


@pytest.mark.parametrize("label", [0.0, 1.0])
def test_a_window_of_one_label_has_no_normalized_entropy_but_a_log_loss(label: float) -> None:
    tally = Tally.of(torch.zeros(4), torch.full((4,), label))
    assert math.isnan(tally.normalized_entropy)
    assert tally.log_loss == pytest.approx(math.log(2))
    assert (tally.rows, tally.positives) == (4, 4 * label)


def test_no_rows_make_no_numbers() -> None:
    empty = Tally()
    assert all(map(math.isnan, (empty.normalized_entropy, empty.log_loss, empty.calibration)))


def test_calibration_is_predicted_over_observed_positives() -> None:
    tally = Tally.of(torch.zeros(8), torch.tensor([1.0, 0, 0, 0, 0, 0, 0, 0]))
    assert tally.calibration == pytest.approx(4.0)


@given(scored, scored)
def test_tallies_of_parts_add_up_to_the_tally_of_the_whole(
    a: list[tuple[float, float]], b: list[tuple[float, float]]
) -> None:
    parts, whole = Tally.of(*split(a)) + Tally.of(*split(b)), Tally.of(*split(a + b))
    assert parts.rows == whole.rows
    assert parts.loss == pytest.approx(whole.loss)
    assert parts.predicted == pytest.approx(whole.predicted)


@given(scored, st.integers(1, 7), st.integers(1, 7), st.integers(1, 4))
def test_windows_do_not_depend_on_the_batch_size(
    pairs: list[tuple[float, float]], size: int, cells: int, window: int
) -> None:
    logits, labels = split(pairs)
    grid = tuple(sorted({round(len(pairs) * (i + 1) / cells) for i in range(cells)} - {0}))
    whole, parts = (WindowedTally(grid=grid, window=window) for _ in range(2))
    done = whole.add(logits, labels)
    seen = [
        end
        for i in range(0, len(pairs), size)
        for end in parts.add(logits[i : i + size], labels[i : i + size])
    ]
    assert seen == done == list(grid)
    assert torch.equal(parts.window_losses, whole.window_losses)
    for cell in range(len(grid)):
        start = grid[cell - window] if cell >= window else 0
        expected = Tally.of(logits[start : grid[cell]], labels[start : grid[cell]])
        for tally in (whole.windowed(cell), parts.windowed(cell)):
            assert tally.rows == expected.rows
            assert tally.positives == expected.positives
            assert tally.loss == pytest.approx(expected.loss)
    assert parts.lifetime.loss == pytest.approx(Tally.of(logits, labels).loss)


@given(st.floats(0.01, 10), st.floats(0.01, 10), st.floats(0.01, 1))
def test_the_gain_of_normalized_entropies_is_that_of_log_losses(
    loss: float, base: float, entropy: float
) -> None:
    assert ne_gain(loss / entropy, base / entropy) == pytest.approx(ne_gain(loss, base), abs=1e-9)


def test_a_lower_loss_has_a_negative_gain() -> None:
    assert ne_gain(0.9, 1.0) == pytest.approx(-10)
    assert math.isnan(ne_gain(0.9, 0.0))


def test_the_paired_error_is_that_of_the_mean_difference() -> None:
    rng = np.random.default_rng(0)
    base = rng.exponential(size=400)
    losses = base + rng.normal(0.1, 0.5, size=400)
    expected = (losses - base).std(ddof=1) / 20
    pair = torch.from_numpy(losses), torch.from_numpy(base)
    assert paired_standard_error(*pair) == pytest.approx(expected)
    gain, error = ne_gain_with_error(*pair)
    assert gain == pytest.approx(ne_gain(losses.mean(), base.mean()))
    assert error == pytest.approx(100 * expected / base.mean())


def test_what_cannot_be_paired_is_refused() -> None:
    with pytest.raises(ValueError, match=r"losses must pair the rows .*\(3,\).* but got \(2,\)"):
        ne_gain_with_error(torch.zeros(2), torch.ones(3))
    assert math.isnan(paired_standard_error(torch.ones(1), torch.ones(1)))


@pytest.mark.parametrize("grid", [(), (0, 2), (2, 2), (3, 1)])
def test_a_grid_must_increase(grid: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="grid must be increasing"):
        WindowedTally(grid=grid, window=1)


def test_examples_beyond_the_grid_are_refused() -> None:
    tally = WindowedTally(grid=(2, 4), window=1)
    tally.add(torch.zeros(3), torch.tensor([1.0, 0.0, 1.0]))
    with pytest.raises(
        ValueError, match=r"labels must be at most the 1 that are left of grid, .* 2"
    ):
        tally.add(torch.zeros(2), torch.tensor([1.0, 0.0]))
    assert tally.lifetime.rows == 3


@pytest.mark.parametrize("other", [((3, 4), 1), ((2, 4), 2), ((1, 2, 4), 1)])
def test_a_state_of_another_grid_or_window_is_refused(other: tuple[tuple[int, ...], int]) -> None:
    labels = torch.tensor([1.0, 0.0, 1.0, 0.0])
    tally = WindowedTally(grid=(2, 4), window=1)
    tally.add(torch.zeros(4), labels)
    with pytest.raises(ValueError, match=r"state must be of the grid .* cells that end at"):
        WindowedTally(grid=other[0], window=other[1]).load_state_dict(tally.state_dict())


def test_binary_entropy_is_zero_at_the_ends_and_log_two_in_the_middle() -> None:
    assert binary_entropy(0.0) == binary_entropy(1.0) == 0
    assert binary_entropy(0.5) == pytest.approx(math.log(2))
    with pytest.raises(ValueError, match=r"rate must be in \[0, 1\], but got 2\.0"):
        binary_entropy(2.0)


@pytest.mark.parametrize("dtype", [torch.bool, torch.complex64])
def test_truth_values_and_complex_numbers_are_no_logits(dtype: torch.dtype) -> None:
    with pytest.raises(TypeError, match=f"logits must be real numbers, but got the .* {dtype}"):
        normalized_entropy(torch.zeros(4, dtype=dtype), torch.tensor([1, 0, 0, 0]))
