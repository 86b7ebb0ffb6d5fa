"""Scikit-learn's online logistic regression on a stream, to compare a DHEN with."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from scipy.sparse import csr_array

from dhen_objective.checked import checked
from dhen_objective.config import TrainConfig
from dhen_objective.features import RunningNorm
from dhen_objective.ranges import check_prior, check_table_memory
from dhen_objective.streams.base import Batch, ClickStream
from dhen_objective.train import Report, TrainResult, check_rows, learn
from dhen_objective.trainer import Learner

SGD_LR = 5.3e-3
"""The learning rate of `train_sgd` by default (`python -m benchmarks dhen learning_rates`)."""


@checked
def train_sgd(
    stream: ClickStream,
    training: TrainConfig | None = None,
    *,
    report: Report | None = None,
) -> TrainResult:
    """Train scikit-learn's `SGDClassifier` in one pass, as `train` trains a network.

    Logistic regression with one weight for each id and each standardized dense feature. A batch is
    predicted, recorded, and learned from by `partial_fit`, one example at a time.

    Args:
        stream: The examples, in time order.
        training: Its `lr` is the constant rate of each example's step; batch size and reports are
            as for a network, and the rest has no effect. By default `lr` is `SGD_LR`.
        report: See `train`.

    Returns:
        The curve and what else was measured.

    Raises:
        ImportError: If scikit-learn is not installed.
        ValueError: If the stream has no rows, or, read to its end, only labels of one kind.

    Examples:
        >>> from dhen_objective import SyntheticStream
        >>> train_sgd(SyntheticStream("easy", rows=5000)).normalized_entropy < 1
        True
    """
    training = training or TrainConfig(lr=SGD_LR)
    check_rows(stream)
    check_prior(stream.prior)
    return learn(SGDLearner(stream, training), stream, training, report=report)


class SGDLearner(Learner):
    """An `SGDClassifier` over one column for each id and each dense feature.

    It starts with weights 0 and the logit of the stream's prior.
    """

    def __init__(self, stream: ClickStream, config: TrainConfig) -> None:
        super().__init__(config, n_rows=stream.n_rows)
        check_table_memory(stream.field_sizes, dim=1)  # a weight of eight bytes for each id
        self._offsets = np.cumsum([0, *stream.field_sizes])
        self._norm = RunningNorm(stream.n_dense)
        self._classifier = _classifier(config.lr)
        # `partial_fit` continues from these; its own start at 0 is far off if positives are rare
        self._classifier.coef_ = np.zeros((1, self._offsets[-1] + stream.n_dense))
        self._classifier.intercept_ = np.array([math.log(stream.prior / (1 - stream.prior))])

    def step(self, batch: Batch) -> list[int]:
        """Do a `Learner.step`; a batch with a score that is not finite is left out."""
        rows, labels = self._columns(batch), batch.labels.cpu()
        scores = np.asarray(self._classifier.decision_function(rows), np.float64)
        if not np.isfinite(scores).all():
            self.diverged = True
            return []
        done = self.record.add(torch.from_numpy(scores), labels)
        try:
            self._classifier.partial_fit(rows, labels.numpy().astype(int), classes=[0, 1])
        except ValueError:  # what scikit-learn raises for weights that are not finite
            self.diverged = True
        self.n_missing += self._norm.observe(batch.dense.cpu())
        return done

    def _columns(self, batch: Batch) -> csr_array:
        """Return the examples as sparse rows (b, n_ids + n_dense)."""
        dense, ids = self._norm(batch.dense.cpu()).numpy(), batch.sparse.cpu().numpy()
        n, n_ids = len(batch), int(self._offsets[-1])
        places = np.broadcast_to(n_ids + np.arange(dense.shape[1]), dense.shape)
        columns = np.hstack([ids + self._offsets[:-1], places]).astype(np.int32)
        values = np.hstack([np.ones(ids.shape), dense.astype(np.float64)])
        starts = np.arange(n + 1, dtype=np.int32) * columns.shape[1]
        shape = n, n_ids + dense.shape[1]
        return csr_array((values.ravel(), columns.ravel(), starts), shape=shape)


def _classifier(lr: float) -> Any:
    try:
        from sklearn.linear_model import SGDClassifier
    except ImportError as error:
        raise ImportError(
            'train_sgd needs scikit-learn: pip install "optuna-predictor-rl[baselines]".'
        ) from error
    return SGDClassifier(
        loss="log_loss", penalty=None, learning_rate="constant", eta0=lr, shuffle=False
    )
