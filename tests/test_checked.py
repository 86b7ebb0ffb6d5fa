"""What the decorator of public functions accepts, hands on and refuses."""

import inspect
import pickle
import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, TypedDict, Unpack

import numpy as np
import pytest
import torch
from jaxtyping import Float

from dhen_objective import Interaction
from optuna_predictor_rl import PolicyConfig
from optuna_predictor_rl.support.checked import checked

ROOT = Path(__file__).parents[1]


@checked
@dataclass(frozen=True)
class Point:
    """Two numbers and a name."""

    x: int = 1
    y: float = 0.0
    names: tuple[str, ...] = ()
    kind: Literal["a", "b"] = "a"


def accepts(hint: Any) -> Callable[[Any], Any]:
    def function(value: Any) -> Any:
        return value

    function.__annotations__ = {"value": hint}
    return checked(function)


@pytest.mark.parametrize(
    ("hint", "value"),
    [
        (int, True),
        (int, 2.0),
        (int, np.float64(2.0)),
        (int, np.bool_(True)),
        (float, False),
        (float, "0.3"),
        (float, 1j),
        (float | None, "x"),
        (bool, 1),
        (str, b"x"),
        (Sequence[str], "price"),
        (Sequence[int], [1] * 99 + ["x"]),
        (tuple[int, ...], (1, 2, True)),
        (tuple[int, int], (1, 2, 3)),
        (tuple[int, int], [1, 2]),
        (Mapping[str, int], {"a": 1, "b": 2.5}),
        (Mapping[str, int], {"a": 1, 2: 2}),
        (Iterable[str], "ab"),
        (Sequence[Sequence[int]], [[1], [2, 2.5]]),
        (Callable[[int], int], 3),
        (type[Exception], int),
        (type[Exception] | Iterable[type[Exception]], (ValueError, int)),
        (Literal["a", "b"], 3),
        (Float[np.ndarray, "n d"], np.zeros(3)),
        (Float[np.ndarray, "n d"], np.zeros((3, 3), int)),
        (Float[np.ndarray, "n d"], torch.zeros(3, 3)),
        (Float[torch.Tensor, " n"] | None, [1.0]),
    ],
)
def test_what_does_not_fit_is_refused_with_the_arguments_name(hint: Any, value: Any) -> None:
    for _ in range(3):  # no item is left to chance
        with pytest.raises(TypeError, match=r"^value must be [^\n]*, but got [^\n]*\.$"):
            accepts(hint)(value)


@pytest.mark.parametrize(
    ("hint", "value", "handed_on"),
    [
        (int, np.int32(3), 3),
        (float, 3, 3),
        (float, np.float32(0.5), 0.5),
        (float, np.int64(2), 2),
        (float | Sequence[float], np.float64(2), 2.0),
        (tuple[int, ...], [np.int64(1), 2], (1, 2)),
        (tuple[float, int], (1, np.int8(2)), (1, 2)),
        (Sequence[float], (1, 2.5), (1, 2.5)),
        (Literal["a", "b"] | Sequence[Literal["a", "b"]], ["b"], ["b"]),
        (Callable[[int], int] | None, abs, abs),
        (type[Exception], ValueError, ValueError),
        (tuple[Interaction, ...], ["dcn"], (Interaction.DCN,)),
        (tuple[Interaction, ...], (Interaction.DCN,), (Interaction.DCN,)),
        (Any, "x", "x"),
    ],
)
def test_what_fits_is_handed_on_in_pythons_own_types(
    hint: Any, value: Any, handed_on: Any
) -> None:
    given = accepts(hint)(value)
    assert given == handed_on
    assert type(given) is type(handed_on)


def test_arrays_of_numbers_are_sequences_of_them() -> None:
    weights = np.linspace(0.0, 1.0, 3)
    assert accepts(float | Sequence[float])(weights) is weights


def test_an_iterator_is_not_used_up() -> None:
    given = iter(["a", "b"])
    assert list(accepts(Iterable[str])(given)) == ["a", "b"]


def test_a_name_that_is_none_of_the_literals_is_a_wrong_value() -> None:
    with pytest.raises(ValueError, match=r"^kind must be one of \['a', 'b'\], but got 'c' \(str"):
        Point(kind="c")  # type: ignore[arg-type]


class Options(TypedDict, total=False):
    n: int


def test_keywords_that_are_passed_on_are_checked_too() -> None:
    @checked
    def passed(**options: Unpack[Options]) -> Options:
        return options

    assert passed(n=2) == {"n": 2}
    with pytest.raises(TypeError, match=r"^n must be int, but got 2\.5"):
        passed(n=2.5)  # type: ignore[typeddict-item]


def test_a_checked_class_looks_and_copies_as_before() -> None:
    point = Point(2, y=0.5, names=["a"])  # type: ignore[arg-type]
    assert repr(point) == "Point(x=2, y=0.5, names=('a',), kind='a')"
    assert pickle.loads(pickle.dumps(point)) == point
    assert hash(replace(point, x=3)) != hash(point)
    assert list(inspect.signature(Point).parameters) == ["x", "y", "names", "kind"]
    assert inspect.signature(PolicyConfig).parameters["n_rounds"].default == 5
    with pytest.raises(TypeError, match="unexpected keyword argument 'z'"):
        Point(z=1)  # type: ignore[call-arg]


def test_a_long_value_is_shown_in_a_line() -> None:
    with pytest.raises(TypeError) as caught:
        accepts(int)("\n".join("x" * 1000))
    assert len(str(caught.value)) < 200


def test_checks_leave_random_numbers_as_they_were() -> None:
    before = random.getstate()
    accepts(Sequence[Mapping[str, tuple[int, ...]]])([{"a": (1, 2)}] * 9)
    assert random.getstate() == before


def test_both_packages_have_the_same_checks() -> None:
    one, other = (
        ROOT / "optuna_predictor_rl/support/checked.py",
        ROOT / "dhen_objective/checked.py",
    )
    assert one.read_text() == other.read_text()
