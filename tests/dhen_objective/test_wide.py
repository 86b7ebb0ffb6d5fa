import numpy as np
import torch

from dhen_objective.config import DHENConfig, Interaction, TrainConfig
from dhen_objective.model import DHEN
from dhen_objective.streams import Batch
from dhen_objective.train import train
from dhen_objective.trainer import Trainer
from dhen_objective.wide import LinearPath, LinearPathLearner
from tests.dhen_objective.passes import FAST, SMALL, arrays

N, FIELDS, IDS, DENSE = 150, 3, 7, 2


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def batch(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Standardized dense features, rows of the table, labels and what a network would add."""
    rng = np.random.default_rng(seed)
    rows = rng.integers(IDS, size=(N, FIELDS))
    return rng.normal(size=(N, DENSE)), rows, rng.integers(2, size=N), rng.normal(size=N)


class ByHand:
    """The rule of the linear path, example by example and feature by feature."""

    def __init__(self, lr: float) -> None:
        self.lr, self.weights = lr, np.zeros(IDS + DENSE + 1)
        self.sums = np.zeros(IDS + DENSE + 1)

    def features(self, dense: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """One column for each id, which may occur more than once, dense feature and the bias."""
        counts = np.zeros((len(rows), IDS))
        for i, row in enumerate(rows):
            for id_ in row:
                counts[i, id_] += 1
        return np.hstack([counts, dense, np.ones((len(rows), 1))])

    def learn(
        self, dense: np.ndarray, rows: np.ndarray, labels: np.ndarray, rest: np.ndarray
    ) -> None:
        x = self.features(dense, rows)
        first = labels - sigmoid(rest + x @ self.weights)
        for i in range(len(labels)):
            for j in range(x.shape[1]):  # an id that occurs twice has two gradients
                times, value = (x[i, j], 1) if j < IDS else (1, x[i, j])
                self.sums[j] += times * (first[i] * value) ** 2
        steps = np.maximum(self.lr / np.sqrt(1 + self.sums), min(0.003, self.lr))
        for start in range(0, len(labels), 64):
            part = slice(start, start + 64)
            errors = labels[part] - sigmoid(rest[part] + x[part] @ self.weights)
            self.weights = self.weights + steps * (errors @ x[part])


def test_weights_move_as_a_loop_over_examples_and_features_moves_them() -> None:
    for lr in (0.05, 0.001):
        path, hand = LinearPath(IDS, DENSE), ByHand(lr)
        learner = LinearPathLearner(path, lr=lr)
        for seed in range(6):
            dense, rows, labels, rest = batch(seed)
            hand.learn(dense, rows, labels, rest)
            x, ids = torch.tensor(dense, dtype=torch.float32), torch.tensor(rows)
            logits = path(x, ids) + torch.tensor(rest, dtype=torch.float32)
            learner.step(x, ids, torch.tensor(labels, dtype=torch.float32), logits)
        ours = torch.cat([path.ids[:, 0], path.others]).numpy()
        np.testing.assert_allclose(ours, hand.weights, rtol=2e-4, atol=1e-6)


def test_the_path_adds_the_weights_of_ids_dense_features_and_bias() -> None:
    path = LinearPath(4, 2)
    path.ids.data = torch.tensor([[1.0], [10.0], [100.0], [1000.0]])
    path.others.data = torch.tensor([0.5, 0.25, 7.0])
    out = path(torch.tensor([[2.0, 4.0], [0.0, 0.0]]), torch.tensor([[0, 3], [2, 2]]))
    assert out.tolist() == [1001.0 + 2.0 + 7.0, 200.0 + 7.0]
    no_fields = path(torch.tensor([[2.0, 4.0]]), torch.zeros(1, 0, dtype=torch.long))
    assert no_fields.tolist() == [9.0]


def test_a_network_with_the_path_starts_as_one_without() -> None:
    stream = arrays()
    (examples,) = stream.batches(300)
    logits = [
        DHEN(DHENConfig(wide=wide), field_sizes=stream.field_sizes, n_dense=2, prior=0.3)(
            examples.dense, examples.sparse
        )
        for wide in (True, False)
    ]
    assert torch.equal(*logits)


def test_a_network_without_the_path_is_trained_without_it() -> None:
    model = DHEN(DHENConfig(wide=False), field_sizes=(3,), n_dense=1)
    assert model.wide is None
    assert Trainer(model, TrainConfig(), n_rows=2).wide is None
    results = [train(arrays(), SMALL, TrainConfig(wide_lr=lr)) for lr in (0.01, 0.1)]
    assert results[0].normalized_entropy != results[1].normalized_entropy


def test_adam_leaves_the_path_alone_and_the_path_learns() -> None:
    model = DHEN(
        DHENConfig(modules=(Interaction.LINEAR,)), field_sizes=(2, 2), n_dense=0, prior=0.5
    )
    assert model.wide is not None
    trainer = Trainer(model, FAST, n_rows=8)
    adams = {id(p) for group in trainer.adam.param_groups for p in group["params"]}
    assert not adams & {id(p) for p in model.wide.parameters()}
    ids = torch.tensor([[0, 1]] * 8)
    trainer.step(Batch(dense=torch.zeros(8, 0), sparse=ids, labels=torch.ones(8)))
    moved = model.wide.ids[:, 0].tolist()
    # eight errors of about a half: the step of an id is .03 / sqrt(1 + 8 / 4) times their sum
    assert moved[1] == moved[2] == 0
    np.testing.assert_allclose([moved[0], moved[3]], 0.03 / 3**0.5 * 4, rtol=0.02)
