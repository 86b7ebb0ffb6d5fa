from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from dhen_objective.streams import ArrayStream

MASKED = np.ma.masked_equal([[0], [1], [0]], 1)


def arguments(**changes: object) -> dict:
    base: dict = {
        "dense": np.zeros((3, 1), np.float32),
        "sparse": np.zeros((3, 1), np.int64),
        "labels": np.array([0, 1, 0]),
        "field_sizes": (2,),
        "prior": 0.5,
    }
    return base | changes


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"labels": np.zeros(0)}, "labels must hold at least one row, but got 0"),
        ({"labels": np.ones(3)}, "labels must hold a negative, but got 3 ones"),
        ({"labels": np.zeros(3)}, "labels must hold a positive, but got 3 zeros"),
        ({"labels": np.array([0, 1, 2])}, "labels must be 0 or 1, but got 2"),
        ({"labels": np.array([0, 1, np.nan])}, "labels must be 0 or 1, but got nan"),
        ({"labels": np.array([0, 1])}, "must be equally long, but got \\(3, 3, 2\\)"),
        ({"sparse": np.array([[0], [2], [0]])}, "\\[0, 2\\) in field 0, but got 2"),
        ({"sparse": np.array([[0], [-1], [0]])}, "sparse must be .* but got -1 in row 1"),
        ({"labels": np.array([[0], [1], [0]])}, r"labels must have 1 axes, .* \(3, 1\)"),
        ({"dense": np.zeros(3)}, r"dense must have 2 axes, but got the shape \(3,\)"),
        ({"dense": np.array([[0], [np.inf], [0]])}, "column 0, but got inf in row 1"),
        ({"dense": np.array([[0], [0], [-1e39]])}, "column 0, but got -1e\\+39 in row 2"),
        ({"field_sizes": (2, 2)}, r"for each of the 2 field_sizes, but got the shape \(3, 1\)"),
        ({"field_sizes": (0,)}, r"field_sizes must be positive, but got \(0,\)"),
        ({"prior": 0.0}, r"prior must be between 0 and 1, but got 0\.0"),
        ({"sparse": MASKED}, "sparse must not be masked, but 1 values are"),
        ({"dense": MASKED * 1.0}, "dense must not be masked, but 1 values are"),
        ({"sparse": list(MASKED)}, "sparse must not be masked, but holds arrays"),
        ({"dense": [[row] for row in MASKED[:, 0]]}, "dense must not be masked, but holds"),
        ({"labels": [0, np.ma.masked, 1]}, "labels must not be masked, but holds"),
        ({"labels": MASKED[:, 0]}, "labels must not be masked, but 1 values are"),
        (
            {"dense": np.zeros((3, 0)), "sparse": np.zeros((3, 0), int), "field_sizes": ()},
            "dense or sparse must have a column",
        ),
    ],
)
def test_bad_arrays_are_named(changes: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ArrayStream(**arguments(**changes))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"sparse": np.array([[0], [1.0], [0]])}, "sparse must hold integers, .* dtype float64"),
        ({"sparse": np.array([[0], [None], [0]])}, "sparse must hold integers, .* dtype object"),
        ({"dense": np.array([["1"], ["x"], [""]])}, "dense must hold real numbers, .* dtype <U1"),
        ({"dense": np.zeros((3, 1), complex)}, "dense must hold real numbers, .* complex128"),
        ({"labels": np.array(["0", "1", "0"])}, "labels must hold 0 and 1, .* dtype <U1"),
    ],
)
def test_arrays_of_another_kind_are_named(changes: dict, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        ArrayStream(**arguments(**changes))


def held(**changes: object) -> list[list]:
    batches = list(ArrayStream(**arguments(**changes)).batches(2))
    names = ("dense", "sparse", "labels")
    assert batches[0].dense.dtype in (torch.float32, torch.float64)
    assert (batches[0].sparse.dtype, batches[0].labels.dtype) == (torch.int64, torch.float32)
    return [torch.cat([getattr(batch, name) for batch in batches]).tolist() for name in names]


def test_arrays_of_any_layout_are_read(tmp_path: Path) -> None:
    dense = np.array([[0.5, 3.0], [-1.0, 2.0], [7.0, 1.0]])
    sparse, labels = np.array([[2, 0], [1, 1], [0, 5]]), np.array([0, 1, 1])
    expected = [dense.tolist(), sparse.tolist(), labels.tolist()]
    given = {"dense": dense, "sparse": sparse, "labels": labels}
    np.savez(tmp_path / "a.npz", **given)
    for name, array in given.items():
        np.save(tmp_path / name, array)
    ways = {
        "lists": lambda a: a.tolist(),
        "reversed": lambda a: a[::-1].copy()[::-1],
        "big-endian": lambda a: a.astype(a.dtype.newbyteorder(">")),
        "by columns": np.asfortranarray,
        "small": lambda a: a.astype(np.float16 if a.dtype.kind == "f" else np.uint8),
        "unsigned": lambda a: a if a.dtype.kind == "f" else a.astype(np.uint64),
        "no mask": np.ma.masked_array,
        "tensors": torch.from_numpy,
    }
    for way in ways.values():
        changed = {name: way(array) for name, array in given.items()}
        assert held(**changed, field_sizes=(3, 6)) == expected
    mapped = {name: np.load(tmp_path / f"{name}.npy", mmap_mode="r") for name in given}
    assert held(**mapped, field_sizes=(3, 6)) == expected  # read-only


@pytest.mark.parametrize("kind", ["float16", "int16", "float32", "int32", "uint64", "float64"])
def test_numbers_keep_all_their_digits(kind: str) -> None:
    largest = {"float16": 2**11, "int16": 2**15 - 1, "float32": 2**24}.get(kind, 2**31 - 1)
    dense = np.array([[largest], [largest - 1], [0]], kind)
    assert held(dense=dense)[0] == dense.astype(float).tolist()


def test_arrays_are_read_in_float32_whatever_torchs_default_is() -> None:
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        held()
    finally:
        torch.set_default_dtype(before)


def test_rows_of_pandas_in_another_order_are_refused() -> None:
    frame = pd.DataFrame({"x": [2.0, 1.0], "s": [0, 1], "y": [0, 1]})
    ordered = frame.sort_values("x")
    arguments: dict = {"sparse": frame[["s"]], "field_sizes": (2,), "prior": 0.5}
    ArrayStream(dense=frame[["x"]], labels=frame["y"], **arguments)
    ArrayStream(dense=ordered[["x"]].to_numpy(), labels=frame["y"], **arguments)
    with pytest.raises(ValueError, match="sparse must have the index of dense, as rows are pair"):
        ArrayStream(dense=ordered[["x"]], labels=frame["y"], **arguments)
    with pytest.raises(ValueError, match="labels must have the index of dense"):
        ArrayStream(dense=frame[["x"]], labels=ordered["y"], **arguments)
