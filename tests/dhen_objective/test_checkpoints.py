import os
import signal
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from dhen_objective import whole_files
from dhen_objective.baselines import LogisticRegression, PlainMLP
from dhen_objective.behaviour import alike, behaviour
from dhen_objective.config import DHENConfig, Interaction, TrainConfig
from dhen_objective.features import ClickModel
from dhen_objective.metrics import Tally
from dhen_objective.streams import ArrayStream, Columns, TableStream
from dhen_objective.train import TrainResult, train, train_model
from dhen_objective.trainer import Trainer
from dhen_objective.whole_files import sweep, write_whole

SMALL = DHENConfig(modules=(Interaction.LINEAR,), dim=2, attn_heads=1, head_hidden=(4,))
FAST = TrainConfig(batch_size=64, n_reports=5, window=0.4)


def stream(changed: slice | None = None, *, rows: int = 300) -> ArrayStream:
    """Rows of which some may have other labels."""
    rng = np.random.default_rng(0)
    labels = (rng.random(rows) < 0.4).astype(np.int8)
    dense, sparse = rng.normal(size=(rows, 2)).astype(np.float32), rng.integers(4, size=(rows, 2))
    if changed is not None:
        labels[changed] = 1 - labels[changed]
    return ArrayStream(dense=dense, sparse=sparse, labels=labels, field_sizes=(4, 4), prior=0.4)


class KilledError(Exception):
    pass


def killed(
    checkpoint: Path, of: ArrayStream | TableStream, training: TrainConfig = FAST, at: int = 180
) -> None:
    def kill(rows: int, _: Tally) -> bool:
        if rows > at:
            raise KilledError
        return False

    with pytest.raises(KilledError):
        train(of, SMALL, training, report=kill, checkpoint=checkpoint)
    assert checkpoint.exists()


def first_row(
    checkpoint: Path, of: ArrayStream | TableStream, training: TrainConfig = FAST
) -> int:
    """The row at which a training goes on; it must end as one that was never stopped."""
    starts: list[int] = []
    step = Trainer.step

    def counted(self: Trainer, batch: object) -> list[int]:
        starts.append(self.rows)
        return step(self, batch)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Trainer, "step", counted)
        result = train(of, SMALL, training, checkpoint=checkpoint)
    assert same(result, train(of, SMALL, training))
    assert not checkpoint.exists()
    return starts[0]


def same(one: TrainResult, other: TrainResult) -> bool:
    return one.curve == other.curve and one.lifetime == other.lifetime


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    return tmp_path / "state.pt"


def test_a_training_goes_on_where_it_was_killed(checkpoint: Path) -> None:
    killed(checkpoint, stream())
    assert first_row(checkpoint, stream()) == 192


def test_rows_that_change_after_the_state_do_not_matter(checkpoint: Path) -> None:
    killed(checkpoint, stream())
    assert first_row(checkpoint, stream(slice(192, 300))) == 192


@pytest.mark.parametrize("changed", [slice(150, 151), slice(191, 192), slice(100, 300)])
def test_a_state_of_other_rows_is_not_continued(checkpoint: Path, changed: slice) -> None:
    killed(checkpoint, stream())
    with pytest.warns(UserWarning, match=r"state\.pt is of other data; the training starts anew"):
        assert first_row(checkpoint, stream(changed)) == 0


def test_a_state_of_changed_files_names_them(tmp_path: Path, checkpoint: Path) -> None:
    rng = np.random.default_rng(0)
    files = [tmp_path / f"{day}.csv" for day in "ab"]

    def write(file: Path, first_label: int) -> None:
        labels = [first_label, *rng.integers(2, size=149)]
        file.write_text("y,shop\n" + "".join(f"{y},s{y}\n" for y in labels))

    for file in files:
        write(file, 1)

    def table() -> TableStream:
        return TableStream(files, Columns(label="y", sparse={"shop": 8}), prior=0.5)

    killed(checkpoint, table())
    write(files[0], 0)
    with pytest.warns(UserWarning, match=rf"is of other data: {files[0]} changed; the training"):
        assert first_row(checkpoint, table()) == 0


@pytest.mark.parametrize(
    ("other", "what"),
    [
        (replace(FAST, lr=0.5), "training"),
        (replace(FAST, seed=1), "initial weights, training"),
        (replace(FAST, n_reports=6), "training"),
    ],
)
def test_a_state_of_another_training_is_not_continued(
    checkpoint: Path, other: TrainConfig, what: str
) -> None:
    killed(checkpoint, stream())
    with pytest.warns(UserWarning, match=rf"is of another training \({what}\); the training"):
        assert first_row(checkpoint, stream(), other) == 0


def test_a_state_of_another_model_is_not_continued(checkpoint: Path) -> None:
    killed(checkpoint, stream())
    model = LogisticRegression(field_sizes=(4, 4), n_dense=2)
    with pytest.warns(
        UserWarning, match=r"training \(model, config, modules, weights, initial weights\)"
    ):
        train_model(model, stream(), FAST, checkpoint=checkpoint)


def mlp(seed: int, **changes: object) -> PlainMLP:
    config = replace(SMALL, **changes)
    return PlainMLP(config=config, field_sizes=(4, 4), n_dense=2, prior=0.4, seed=seed)


def killed_model(model: ClickModel, checkpoint: Path) -> None:
    def kill(rows: int, _: Tally) -> bool:
        if rows > 180:
            raise KilledError
        return False

    with pytest.raises(KilledError):
        train_model(model, stream(), FAST, checkpoint=checkpoint, report=kill)


def killed_mlp(checkpoint: Path) -> None:
    killed_model(mlp(0), checkpoint)


@pytest.mark.parametrize("other", [mlp(1), mlp(0, embedding_std=0.5)])
def test_a_state_of_a_model_with_other_initial_weights_is_not_continued(
    checkpoint: Path, other: PlainMLP
) -> None:
    killed_mlp(checkpoint)
    with pytest.warns(UserWarning, match=r"of another training \(initial weights\)"):
        train_model(other, stream(), FAST, checkpoint=checkpoint)


def test_a_state_of_a_model_with_other_modules_is_not_continued(checkpoint: Path) -> None:
    killed_mlp(checkpoint)
    model = mlp(0)
    model.dropout = torch.nn.Dropout(0.5)  # which has no weights
    with pytest.warns(UserWarning, match=r"is of another training \(modules\)"):
        train_model(model, stream(), FAST, checkpoint=checkpoint)


class Tempered(LogisticRegression):
    """A model of which neither weights nor modules tell the temperature."""

    temperature: object = 1.0

    def forward(self, dense: torch.Tensor, sparse: torch.Tensor) -> torch.Tensor:
        logits = super().forward(dense, sparse)
        return (
            self.temperature(logits) if callable(self.temperature) else logits * self.temperature
        )


def tempered(temperature: object = 1.0, *, frozen: bool = False) -> Tempered:
    model = Tempered(field_sizes=(4, 4), n_dense=2, prior=0.5)
    model.temperature = temperature
    model.bias.requires_grad_(not frozen)
    return model


@pytest.mark.parametrize(
    "other",
    [tempered(2.0), tempered(1.01), tempered(torch.tensor(2.0)), tempered(torch.tanh),
     tempered(frozen=True)],
)  # fmt: skip
def test_a_state_of_a_model_that_does_something_else_is_not_continued(
    checkpoint: Path, other: Tempered
) -> None:
    killed_model(tempered(), checkpoint)
    with pytest.warns(UserWarning, match="is of a model that predicted or learned otherwise"):
        train_model(other, stream(), FAST, checkpoint=checkpoint)


def test_a_state_of_a_model_in_another_mode_is_not_continued(checkpoint: Path) -> None:
    killed_mlp(checkpoint)
    with pytest.warns(UserWarning, match=r"is of another training \(modules\)"):
        train_model(mlp(0).eval(), stream(), FAST, checkpoint=checkpoint)


def test_a_model_is_left_as_it_was_by_what_tells_of_it() -> None:
    model = mlp(0)
    model.mlp[0].eval()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    modes = [module.training for module in model.modules()]
    (batch,) = stream().batches(300)
    assert alike(behaviour(model, batch), behaviour(model, batch))
    assert not alike(behaviour(model, batch), behaviour(mlp(1), batch))
    assert [module.training for module in model.modules()] == modes
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())
    assert all(value.grad is None for value in model.parameters())


def test_a_state_is_continued_by_a_model_that_is_built_anew(checkpoint: Path) -> None:
    killed_mlp(checkpoint)
    continued = train_model(mlp(0), stream(), FAST, checkpoint=checkpoint)  # a warning would raise
    assert same(continued, train_model(mlp(0), stream(), FAST))


def flipped(content: bytes, at: int) -> bytes:
    return content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda _: b"",
    "cut": lambda content: content[: len(content) // 2],
    "cut in its header": lambda content: content[:40],
    "one byte shorter": lambda content: content[:-1],
    "longer": lambda content: content + b"\0",
    "foreign": lambda _: b"PK\x03\x04 something else",
    "text": lambda _: b"rows,ne\n1,2\n",
    "flipped in its name": lambda content: flipped(content, 3),
    "flipped in its checksum": lambda content: flipped(content, 40),
    "flipped in the middle": lambda content: flipped(content, len(content) // 2),
    "flipped at the end": lambda content: flipped(content, len(content) - 1),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_file_is_named_and_replaced(checkpoint: Path, damage: str) -> None:
    killed(checkpoint, stream())
    checkpoint.write_bytes(DAMAGES[damage](checkpoint.read_bytes()))
    with pytest.warns(UserWarning, match=rf"checkpoint {checkpoint} is .*; the training starts"):
        assert first_row(checkpoint, stream()) == 0


def test_one_flipped_byte_anywhere_is_seen(checkpoint: Path) -> None:
    killed(checkpoint, stream())
    content = checkpoint.read_bytes()
    for at in np.random.default_rng(0).integers(len(content), size=5):
        checkpoint.write_bytes(flipped(content, int(at)))
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            train(stream(), SMALL, FAST, report=lambda *_: True, checkpoint=checkpoint)
        assert [w for w in caught if "starts anew" in str(w.message)]


@pytest.mark.parametrize("path", [".", "absent/state.pt"])
def test_a_checkpoint_that_cannot_be_written_is_refused_at_once(tmp_path: Path, path: str) -> None:
    with pytest.raises(ValueError, match="checkpoint must be a file in a folder that exists"):
        train(stream(), SMALL, FAST, checkpoint=tmp_path / path)


def test_a_killed_writer_leaves_the_old_file_and_a_temporary_one_that_is_swept(
    tmp_path: Path,
) -> None:
    path = tmp_path / "state.pt"
    write_whole(path, [b"old"])
    code = (
        "import os, signal, sys; from pathlib import Path\n"
        "from dhen_objective.whole_files import write_whole\n"
        "def parts():\n"
        "    yield b'half'\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
        "write_whole(Path(sys.argv[1]), parts())"
    )
    code = code.replace("dhen_objective.whole_files", "whole_files")  # without torch: quick
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)],
        check=False,
        cwd=Path(whole_files.__file__).parent,
    )
    assert done.returncode == -signal.SIGKILL
    assert path.read_bytes() == b"old"
    assert len(list(tmp_path.iterdir())) == 2
    sweep(tmp_path, "other.pt")
    assert len(list(tmp_path.iterdir())) == 2
    sweep(tmp_path, "state.pt")
    assert list(tmp_path.iterdir()) == [path]


def test_files_of_living_writers_stay_and_old_ones_of_other_machines_go(tmp_path: Path) -> None:
    living = tmp_path / f"a.pt.{whole_files._host()}.{os.getpid()}.7.tmp"
    elsewhere, old = tmp_path / "a.pt.elsewhere.1.2.tmp", tmp_path / "b.pt.elsewhere.1.2.tmp"
    foreign = tmp_path / "a.b.c.d.tmp"
    for file in (living, elsewhere, old, foreign):
        file.touch()
    for file in (old, foreign):
        os.utime(file, (0, 0))
    sweep(tmp_path)
    assert set(tmp_path.iterdir()) == {living, elsewhere, foreign}


def test_a_write_that_fails_leaves_nothing(tmp_path: Path) -> None:
    def parts() -> Iterator[bytes]:
        yield b"half"
        raise OSError("the disk is full")

    with pytest.raises(OSError, match="the disk is full"):
        write_whole(tmp_path / "state.pt", parts())
    assert list(tmp_path.iterdir()) == []
