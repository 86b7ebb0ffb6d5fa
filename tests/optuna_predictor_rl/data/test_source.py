"""A search kept in a file, and what is refused as one."""

import io
import json
import math
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import pytest
from optuna.samplers import RandomSampler
from optuna.trial import Trial

from optuna_predictor_rl import PredictorConfig, Source
from optuna_predictor_rl.core.conditions import AnyCondition, AnyOf, RangeCondition
from optuna_predictor_rl.core.decisions import Numeric
from optuna_predictor_rl.core.space import SearchSpace

TINY = PredictorConfig(n_members=2, n_epochs=3)


def objective(trial: Trial) -> float:
    kind = trial.suggest_categorical("kind", ["a", True, None, 1, 0.5, math.nan, "ü"])
    value = trial.suggest_float("rate", 1e-4, 1.0, log=True) + trial.suggest_int("n", 2, 2**40)
    return value + trial.suggest_float("depth", 0.0, 1.0, step=0.25) if kind == "a" else value


def source(n_trials: int = 40) -> Source:
    study = optuna.create_study(sampler=RandomSampler(seed=0), direction="maximize")
    study.optimize(objective, n_trials=n_trials)
    return Source.of(study)


def test_a_stored_search_is_the_same_and_predicts_the_same(tmp_path: Path) -> None:
    kept, path = source(), tmp_path / "search.predictor"
    kept.save(path)
    again = Source.load(str(path))
    assert repr(again.space) == repr(kept.space)  # as text, for NaN is a choice
    assert again.space.conditions == kept.space.conditions != ()
    assert np.array_equal(again.rows, kept.rows, equal_nan=True)
    assert np.array_equal(again.labels, kept.labels)
    rows = kept.space.random(20, np.random.default_rng(0))
    assert np.array_equal(again.fit(TINY).predict(rows)[0], kept.fit(TINY).predict(rows)[0])


def test_labels_are_lower_where_the_study_was_better() -> None:
    study = optuna.create_study(direction="maximize")
    study.optimize(lambda trial: trial.suggest_float("x", 0.0, 1.0), n_trials=5)
    kept = Source.of(study)
    assert np.array_equal(kept.labels, -kept.rows)


def test_a_study_without_values_is_no_source() -> None:
    study = optuna.create_study(study_name="empty")
    with pytest.raises(ValueError, match=r"study must have finished trials .* 'empty' has none"):
        Source.of(study)
    study.optimize(lambda _: 1.0, n_trials=2)
    with pytest.raises(ValueError, match="'empty' has none"):
        Source.of(study)


X = {"name": "x", "low": 0, "high": 1, "log": False, "step": None, "integer": False}


def stored(**changes: Any) -> bytes:
    """A file as `save` writes it, with some of its arrays or of its description changed."""
    space: dict[str, Any] = {
        "format": "optuna_predictor_rl.source.1",
        "decisions": [{"name": "c", "choices": ["a", "b"]}, X],
        "conditions": [],
    }
    space |= changes.pop("space", {})
    arrays = {"rows": np.array([[0.0, 0.5]]), "labels": np.array([[1.0]]), **changes}
    file = io.BytesIO()
    np.savez(file, space=np.array(json.dumps(space)), **arrays)
    return file.getvalue()


class Evil:
    def __reduce__(self) -> tuple[Any, ...]:
        return exec, ("raise SystemExit('code of the file was run')",)


def with_space_text(text: str) -> bytes:
    file = io.BytesIO()
    np.savez(file, space=np.array(text), rows=np.array([[0.5]]), labels=np.array([[1.0]]))
    return file.getvalue()


def rewritten(change: Callable[[str, bytes], bytes | None]) -> bytes:
    """A stored file with each of its entries changed, or left out for None."""
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(stored())) as before, zipfile.ZipFile(file, "w") as after:
        for entry in before.namelist():
            content = change(entry, before.read(entry))
            if content is not None:
                after.writestr(entry, content)
    return file.getvalue()


def without(name: str) -> bytes:
    return rewritten(lambda entry, content: None if entry == f"{name}.npy" else content)


def with_header_of(n_rows: int) -> bytes:
    """A file whose rows say that they are so many."""
    shape = f"({n_rows}, 2)".encode()
    return rewritten(lambda _, content: content.replace(b"(1, 2)", shape))


MALFORMED = {
    "empty": b"",
    "text": b"not an archive",
    "cut off": stored()[:200],
    "pickle": pickle.dumps(Evil()),
    "pickled array": stored(labels=np.array([[Evil()]], dtype=object)),
    "no space": without("space"),
    "no rows": without("rows"),
    "another format": stored(space={"format": "something else"}),
    "no decisions": stored(space={"decisions": None}),
    "a decision too few": stored(space={"decisions": [X]}),
    "the same decision twice": stored(space={"decisions": [X, X]}),
    "no choices": stored(space={"decisions": [{"name": "c", "choices": []}, X]}),
    "nested choices": stored(space={"decisions": [{"name": "c", "choices": [[1]]}, X]}),
    "an empty range": stored(space={"decisions": [{**X, "name": "c", "low": 2}, X]}),
    "a condition on nothing": stored(space={"conditions": [[1, 5, [0]]]}),
    "a condition on the choice infinity": stored(space={"conditions": [[1, 0, [math.inf]]]}),
    "an end too large for a float": stored(
        space={"decisions": [{**X, "name": "c", "high": 10**400}, X]}
    ),
    "a number of 5,000 digits": with_space_text("1" * 5000),
    "100,000 brackets": with_space_text("[" * 100_000),
    "more rows than any memory holds": with_header_of(10**13),
    "rows outside of the space": stored(rows=np.array([[7.0, 0.5]])),
    "rows of text": stored(rows=np.array([["a", "b"]])),
    "flat rows": stored(rows=np.array([0.0, 0.5])),
    "labels that are missing": stored(labels=np.array([[math.nan]])),
    "more labels than rows": stored(labels=np.array([[1.0], [2.0]])),
    "no rows at all": stored(rows=np.empty((0, 2)), labels=np.empty((0, 1))),
}


def test_the_file_that_the_malformed_ones_vary_is_accepted(tmp_path: Path) -> None:
    path = tmp_path / "good"
    path.write_bytes(stored())
    assert Source.load(path).rows.tolist() == [[0.0, 0.5]]


@pytest.mark.parametrize("name", list(MALFORMED))
def test_a_malformed_file_is_refused_and_never_run(name: str, tmp_path: Path) -> None:
    path = tmp_path / "bad"
    path.write_bytes(MALFORMED[name])
    with pytest.raises(ValueError, match=r"path must name a file that Source\.save wrote"):
        Source.load(path)


def test_a_file_that_is_missing_is_said_to_be(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Source.load(tmp_path / "nowhere")


def test_a_flipped_bit_is_refused_or_changes_nothing(tmp_path: Path) -> None:
    kept, path = source(), tmp_path / "search"
    kept.save(path)
    good, refused = path.read_bytes(), 0
    encrypted = good.rindex(b"PK\x01\x02") + 8  # of the flags of an entry
    flips = [(i, 1 << i % 8) for i in range(0, len(good), 12)] + [(encrypted, 1)]
    for i, bit in flips:
        path.write_bytes(good[:i] + bytes([good[i] ^ bit]) + good[i + 1 :])
        try:
            again = Source.load(path)
        except ValueError:
            refused += 1
        else:
            assert np.array_equal(again.rows, kept.rows, equal_nan=True)
            assert np.array_equal(again.labels, kept.labels)
            assert repr(again.space) == repr(kept.space)
    assert refused > len(flips) / 2


@pytest.mark.parametrize("choice", [(1, 2), len, np.int64(3), frozenset({1})], ids=repr)
@pytest.mark.filterwarnings("ignore:Choices for a categorical distribution")
def test_a_choice_that_a_file_cannot_hold_is_refused_when_it_is_saved(
    choice: Any, tmp_path: Path
) -> None:
    study = optuna.create_study(sampler=RandomSampler(seed=0))
    study.optimize(lambda t: t.suggest_categorical("kind", [0, choice]) == 0, n_trials=4)
    with pytest.raises(ValueError, match=r"choices of 'kind' must be None, bool, .* but one is"):
        Source.of(study).save(tmp_path / "search")
    assert not list(tmp_path.iterdir())


def test_a_source_shows_its_size_and_its_parameters_instead_of_its_arrays() -> None:
    assert repr(source(20)) == (
        "Source(n_trials=20, n_tasks=1, decisions=['kind', 'rate', 'n', 'depth'])"
    )


@pytest.mark.parametrize(
    ("stored_condition", "condition"),
    [
        ([1, 0, 0.25, 1.0], RangeCondition(1, 0, 0.25, 1.0)),
        (
            [1, [[[1, 0, 0.0, 0.25]], [[1, 0, 0.75, 1.0]]]],
            AnyOf(1, ((RangeCondition(1, 0, 0.0, 0.25),), (RangeCondition(1, 0, 0.75, 1.0),))),
        ),
    ],
    ids=["a bound", "alternatives"],
)
def test_a_condition_is_kept(
    tmp_path: Path, stored_condition: list[Any], condition: AnyCondition
) -> None:
    space = {"conditions": [stored_condition], "decisions": [X, {**X, "name": "y"}]}
    first, second = tmp_path / "first", tmp_path / "second"
    first.write_bytes(stored(space=space))
    kept = Source.load(first)
    assert kept.space.conditions == (condition,)
    kept.save(second)
    assert Source.load(second).space == kept.space


@pytest.mark.parametrize("position", [-0.01, 1.01, math.inf])
def test_a_position_out_of_the_range_of_a_number_is_refused(position: float) -> None:
    space = SearchSpace((Numeric(name="x", low=0.0, high=2.0),))
    for fine in (0.0, 1.0, math.nan):
        Source(space, np.array([[0.5], [fine]]), np.zeros((2, 1)))
    with pytest.raises(ValueError, match=r"positions in the space, but those of \['x'\] aren't"):
        Source(space, np.array([[0.5], [position]]), np.zeros((2, 1)))
