import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from dhen_objective.baselines import LogisticRegression, PlainMLP
from dhen_objective.config import DHENConfig
from dhen_objective.features import FeatureProcessing, RunningNorm
from dhen_objective.layers import initialize
from dhen_objective.model import DHEN
from dhen_objective.streams import ArrayStream


def processing(field_sizes: tuple[int, ...], n_dense: int) -> FeatureProcessing:
    features = FeatureProcessing(field_sizes, n_dense, DHENConfig(dim=4))
    generator = torch.Generator().manual_seed(0)
    initialize(features, scale=1.0, generator=generator)
    torch.nn.init.normal_(features.table.weight, generator=generator)
    return features


def test_the_fused_table_equals_one_table_a_field() -> None:
    features = processing((3, 5, 2), 0)
    sparse = torch.tensor([[2, 4, 1], [0, 0, 0]])
    tables = features.table.weight.split([3, 5, 2])
    expected = torch.stack([table[ids] for table, ids in zip(tables, sparse.T, strict=True)], 1)
    assert torch.equal(features(torch.zeros(2, 0), sparse), expected)


def test_dense_features_become_the_first_embedding() -> None:
    features = processing((3,), 2)
    features.norm.observe(torch.tensor([[-1.0, -1.0], [1.0, 1.0]]))  # mean 0, deviation 1
    dense, sparse = torch.randn(5, 2), torch.zeros(5, 1, dtype=torch.long)
    out = features(dense, sparse)
    assert out.shape == (5, features.n_embs, 4) == (5, 2, 4)
    assert features.bottom is not None
    torch.testing.assert_close(out[:, 0], features.bottom(dense))


@given(
    st.lists(
        st.lists(st.one_of(st.floats(-1e3, 1e3), st.just(math.nan)), min_size=1, max_size=8),
        min_size=1,
        max_size=5,
    )
)
def test_running_statistics_equal_those_of_all_rows_at_once(batches: list[list[float]]) -> None:
    norm = RunningNorm(1)
    values = np.array([v for batch in batches for v in batch], np.float32)
    missing = sum(norm.observe(torch.tensor(b, dtype=torch.float32)[:, None]) for b in batches)
    assert missing == int(np.isnan(values).sum())
    present = values[~np.isnan(values)].astype(np.float64)
    if len(present):
        assert float(norm.mean) == pytest.approx(present.mean(), rel=1e-6, abs=1e-6)
        variance = float(norm.squares / norm.count)
        assert variance == pytest.approx(present.var(), rel=1e-6, abs=1e-6)


@pytest.mark.parametrize(
    ("mean", "deviation"), [(1e8, 1.0), (1.4e9, 3.0), (1e7, 1.0), (-1e9, 0.01)]
)
def test_large_values_that_differ_little_are_told_apart(mean: float, deviation: float) -> None:
    rng = np.random.default_rng(0)
    normal = rng.normal(size=(1000, 1))
    dense, labels = mean + deviation * normal, rng.integers(2, size=1000)
    stream = ArrayStream(
        dense=dense, sparse=np.zeros((1000, 0), int), labels=labels, field_sizes=(), prior=0.5
    )
    norm = RunningNorm(1)
    for batch in stream.batches(100):
        norm.observe(batch.dense)
        normed = norm(batch.dense)
    expected = (dense[900:] - dense.mean()) / dense.std()
    np.testing.assert_allclose(normed.numpy(), expected, rtol=1e-4, atol=1e-4)
    assert normed.dtype == torch.float32


def test_missing_values_take_the_mean_that_was_seen_before() -> None:
    norm = RunningNorm(2)
    norm.observe(torch.tensor([[1.0, 10.0], [3.0, 30.0]]))
    dense = torch.tensor([[math.nan, 20.0], [3.0, math.inf]])
    assert torch.equal(norm(dense), torch.tensor([[0.0, 0.0], [1.0, 0.0]]))


def test_outliers_are_cut_at_five_deviations() -> None:
    norm = RunningNorm(1)
    norm.observe(torch.tensor([[1.0], [3.0]]))  # mean 2, deviation 1
    assert norm(torch.tensor([[6.0], [900.0], [-9.0]])).flatten().tolist() == [4.0, 5.0, -5.0]


@given(st.floats(-1e6, 1e6, width=32), st.integers(0, 50))
def test_a_feature_is_zero_until_its_scale_is_known(value: float, rows: int) -> None:
    norm = RunningNorm(1)
    for _ in range(3):
        norm.observe(torch.full((rows, 1), value))
    assert norm(torch.tensor([[value], [value + 1], [1e6]])).flatten().tolist() == [0.0] * 3


@pytest.mark.parametrize("sizes", [(1 << 40,), (5, 1 << 62), (1 << 70,)])
def test_tables_beyond_memory_are_refused_before_they_are_made(sizes: tuple[int, ...]) -> None:
    with pytest.raises(
        ValueError, match=r"field_sizes must fit in memory, .* width 16 need .* GiB"
    ):
        DHEN(DHENConfig(dim=16), field_sizes=sizes, n_dense=0)
    for model in (LogisticRegression, PlainMLP):
        with pytest.raises(ValueError, match="field_sizes must fit in memory"):
            model(field_sizes=sizes, n_dense=0)


def test_nothing_to_embed_is_refused() -> None:
    with pytest.raises(ValueError, match="field_sizes must name a field"):
        FeatureProcessing((), 0, DHENConfig())
    with pytest.raises(ValueError, match="field_sizes must be at least 1, but got 0 in field 1"):
        FeatureProcessing((3, 0), 0, DHENConfig())


@pytest.mark.parametrize(
    ("mean", "deviation"), [(1e7, 1.0), (-1e7, 1.0), (1.7e9, 1e5), (0.0, 1e-36), (1e30, 1e24)]
)
def test_values_of_any_size_are_standardized_as_numpy_does(mean: float, deviation: float) -> None:
    values = np.random.default_rng(0).normal(mean, deviation, (1000, 1)).astype(np.float32)
    norm = RunningNorm(1)
    for part in np.split(values, 4):
        norm.observe(torch.from_numpy(part))
    exact = values.astype(np.float64)
    expected = np.clip((exact - exact.mean()) / exact.std(), -5, 5)
    normed = norm(torch.from_numpy(values))
    assert normed.dtype == torch.float32
    np.testing.assert_allclose(normed, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("value", [0.1, 1e7 / 3, -3e38])
def test_a_constant_stays_zero_however_often_it_is_seen(value: float) -> None:
    norm, constant = RunningNorm(1), torch.full((511, 1), value)
    for _ in range(50):
        norm.observe(constant)
    assert norm(constant * 0.5).abs().max() == 0
