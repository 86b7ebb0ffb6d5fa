import math
import sys

import numpy as np
import pytest
import torch
from sklearn.metrics import log_loss

from dhen_objective.baselines import LogisticRegression, PlainMLP
from dhen_objective.config import TrainConfig
from dhen_objective.metrics import Tally
from dhen_objective.sgd import train_sgd
from dhen_objective.streams import ArrayStream, SyntheticStream
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


def test_online_sgd_equals_the_same_steps_by_hand() -> None:
    dense = np.array([[1.0], [3.0], [2.0], [5.0]], np.float32)
    sparse, labels = np.array([[0], [1], [1], [0]]), np.array([0, 1, 1, 0])
    stream = ArrayStream(
        dense=dense, sparse=sparse, labels=labels, field_sizes=(2,), prior=0.25
    )  # fmt: skip
    lr, result = 0.5, train_sgd(stream, TrainConfig(lr=0.5, batch_size=2, n_reports=1, window=1.0))
    rows = np.concatenate([np.eye(2)[sparse[:, 0]], np.zeros((4, 1))], axis=1)
    rows[2:, 2] = dense[2:, 0] - 2  # the first batch has mean 2 and deviation 1
    weights, bias = np.zeros(3), math.log(0.25 / 0.75)
    logits = list(rows[:2] @ weights + bias)
    for row, label in zip(rows[:2], labels[:2], strict=True):
        error = label - 1 / (1 + math.exp(-(row @ weights + bias)))
        # scikit-learn moves the intercept by a hundredth of the rate where rows are sparse
        weights, bias = weights + lr * error * row, bias + 0.01 * lr * error
    logits += list(rows[2:] @ weights + bias)
    expected = log_loss(labels, 1 / (1 + np.exp(-np.array(logits))))
    assert result.lifetime.log_loss == pytest.approx(expected, rel=1e-6)


def test_online_sgd_that_diverges_says_so() -> None:
    result = train_sgd(STREAM, TrainConfig(lr=1.5e308))
    assert result.diverged
    assert result.rows < STREAM.n_rows


def test_online_sgd_learns_and_reports() -> None:
    seen: list[int] = []

    def report(rows: int, _: Tally) -> bool:
        seen.append(rows)
        return rows >= 4000

    result = train_sgd(STREAM, TrainConfig(lr=0.01, n_reports=4, window=0.25), report=report)
    assert seen == [2000, 4000]
    assert result.stopped
    assert result.normalized_entropy < 0.97


def test_online_sgd_without_scikit_learn_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "sklearn.linear_model", None)
    with pytest.raises(ImportError, match=r"train_sgd needs scikit-learn: pip install"):
        train_sgd(STREAM)
