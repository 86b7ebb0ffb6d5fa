from dataclasses import replace

import numpy as np
import pytest
import torch

from dhen_objective.metrics import Tally, normalized_entropy
from dhen_objective.streams import PRESETS, SyntheticConfig, SyntheticStream


def everything(stream: SyntheticStream, size: int, start: int = 0) -> list[torch.Tensor]:
    batches = list(stream.batches(size, start=start))
    return [torch.cat([getattr(b, n) for b in batches]) for n in ("dense", "sparse", "labels")]


@pytest.mark.parametrize(("size", "start"), [(100, 0), (8192, 0), (777, 8100), (20_000, 9999)])
def test_rows_are_the_same_however_they_are_read(size: int, start: int) -> None:
    stream = SyntheticStream("medium", rows=20_000)
    whole = everything(stream, 20_000)
    for part, all_rows in zip(everything(stream, size, start), whole, strict=True):
        assert torch.equal(part, all_rows[start:])


def test_a_seed_fixes_the_stream_and_another_makes_another() -> None:
    one, same, other = (everything(SyntheticStream(rows=500, seed=s), 500) for s in (1, 1, 2))
    assert all(torch.equal(a, b) for a, b in zip(one, same, strict=True))
    assert not torch.equal(one[0], other[0])


@pytest.mark.parametrize("preset", list(PRESETS))
def test_labels_follow_the_known_probabilities(preset: str) -> None:
    stream = SyntheticStream(preset, rows=40_000)
    p = stream.probabilities()
    labels = everything(stream, 40_000)[2].double().numpy()
    error = np.sqrt((p * (1 - p)).sum())
    assert abs(labels.sum() - p.sum()) < 4 * error
    high = p > np.quantile(p, 0.9)
    assert abs(labels[high].sum() - p[high].sum()) < 4 * np.sqrt((p * (1 - p))[high].sum())
    assert p.mean() == pytest.approx(stream.config.base_rate, rel=0.35)


@pytest.mark.parametrize("preset", list(PRESETS))
def test_the_bayes_value_is_what_the_true_probabilities_reach(preset: str) -> None:
    stream = SyntheticStream(preset, rows=40_000)
    p = torch.from_numpy(stream.probabilities())
    reached = normalized_entropy(torch.logit(p), everything(stream, 40_000)[2].double())
    assert reached == pytest.approx(stream.bayes_normalized_entropy(), rel=0.03)
    assert stream.bayes_normalized_entropy() < 0.9


def test_bayes_values_of_windows_average_to_about_the_whole() -> None:
    stream = SyntheticStream("medium", rows=20_000)
    halves = [stream.bayes_normalized_entropy(0, 10_000), stream.bayes_normalized_entropy(10_000)]
    assert np.mean(halves) == pytest.approx(stream.bayes_normalized_entropy(), rel=0.01)


def test_perturbed_probabilities_are_worse_than_the_true_ones() -> None:
    stream = SyntheticStream("medium", rows=20_000)
    logits = torch.logit(torch.from_numpy(stream.probabilities()))
    labels = everything(stream, 20_000)[2].double()
    noise = torch.randn(20_000, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    assert Tally.of(logits, labels).loss < Tally.of(logits + noise, labels).loss


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"n_fields": 3}, "n_fields must be at least 4, but got 3"),
        ({"shares": (1.0, 1.0, 0.0, 0.0)}, "shares must be non-negative and sum to 1"),
        ({"base_rate": 0.0}, "base_rate must be in \\(0, 1\\), but got 0.0"),
        ({"noise": 1.0}, "noise must be in \\[0, 1\\), but got 1.0"),
        ({"vocabulary": (5, 2)}, "vocabulary must be increasing, but got \\(5, 2\\)"),
    ],
)
def test_a_bad_config_is_named(changes: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replace(SyntheticConfig(), **changes)


def test_a_bad_stream_is_named() -> None:
    with pytest.raises(ValueError, match="preset must be one of easy, medium, sparse, but got"):
        SyntheticStream("hard")
    with pytest.raises(ValueError, match="rows must be at least 1, but got 0"):
        SyntheticStream(rows=0)
