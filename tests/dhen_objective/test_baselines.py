import math

import pytest
import torch

from dhen_objective.baselines import LogisticRegression, PlainMLP
from dhen_objective.config import TrainConfig
from dhen_objective.streams import SyntheticStream
from dhen_objective.train import train_model

STREAM = SyntheticStream("easy", rows=8000)
SHAPE = {"field_sizes": STREAM.field_sizes, "n_dense": STREAM.n_dense}


def test_logistic_regression_starts_at_the_prior_and_sums_its_weights() -> None:
    model = LogisticRegression(**SHAPE, prior=0.2)
    batch = next(STREAM.batches(4))
    expected = torch.full((4,), math.log(0.2 / 0.8))
    torch.testing.assert_close(model(batch.dense, batch.sparse), expected)
    table = model.features.table.weight
    torch.nn.init.normal_(table, generator=torch.Generator().manual_seed(0))
    expected = expected + table[batch.sparse + model.features.offsets].sum((1, 2))
    torch.testing.assert_close(model(batch.dense, batch.sparse), expected)


def test_a_plain_mlp_sees_all_embeddings_side_by_side() -> None:
    model = PlainMLP(**SHAPE, hidden=(8,))
    batch = next(STREAM.batches(4))
    flat = model.features(batch.dense, batch.sparse).flatten(1)
    torch.testing.assert_close(model(batch.dense, batch.sparse), model.mlp(flat)[:, 0])


@pytest.mark.parametrize("model", [LogisticRegression(**SHAPE), PlainMLP(**SHAPE)])
def test_the_compared_models_learn(model: torch.nn.Module) -> None:
    result = train_model(model, STREAM, TrainConfig(n_reports=4, window=0.25))
    assert result.normalized_entropy < 0.97
