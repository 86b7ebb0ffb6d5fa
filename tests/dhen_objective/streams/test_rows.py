import numpy as np
import pytest

from dhen_objective.streams.rows import Columns

BASE: dict = {"label": "y", "sparse": {"shop": 5}, "dense": ("price",)}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"sparse": {}, "dense": (), "counts": ()}, "must name a feature, but got none"),
        ({"sparse": {"shop": 0}}, "positive sizes, but got 0 for 'shop'"),
        ({"counts": ("price",)}, r"one role each, but got two for \['price'\]"),
        ({"time": None, "calendar": True}, "time must be named where calendar is true"),
        ({"time_format": "%Y"}, "time must be named where time_format is given"),
        ({"time": "t", "time_format": "%Q"}, "time_format must be one of strptime, but got '%Q'"),
        ({"time": "t", "time_format": "%Y-%m-%d %I:%M"}, "must have %I and %p together"),
        ({"time": "t", "time_format": "%Y-%m-%d %H %p"}, "must have %I and %p together"),
        (
            {"time": "t", "time_format": "%H:%M", "calendar": True},
            "time_format must have a year where calendar is true, but got '%H:%M'",
        ),
        ({"time": "y"}, "time must be another column than label, but got 'y'"),
        (
            {"sparse": {"hour of the day": 24}, "time": "t", "calendar": True},
            r"sparse must not name \['hour of the day'\] where calendar is true",
        ),
    ],
)
def test_columns_that_cannot_be_are_named(changes: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Columns(**(BASE | changes))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"dense": "price"}, r"dense must be tuple\[str, \.\.\.\], but got 'price'"),
        ({"counts": 3}, r"counts must be tuple\[str, \.\.\.\], but got 3"),
        ({"dense": (1,)}, r"dense must be tuple\[str, \.\.\.\], but got \(1,\)"),
        ({"label": None}, "label must be str, but got None"),
        ({"sparse": ["shop"]}, r"sparse must be Mapping\[str, int\], but got \['shop'\]"),
        ({"sparse": {3: 5}}, r"sparse must be Mapping\[str, int\], but got {3: 5}"),
        ({"sparse": {"shop": 2.5}}, r"sparse must be .* but got {'shop': 2\.5}"),
        ({"sparse": {"shop": True}}, r"sparse must be .* but got {'shop': True}"),
        ({"time": 5}, "time must be str | None, but got 5"),
        ({"calendar": "yes", "time": "t"}, "calendar must be bool, but got 'yes'"),
    ],
)
def test_columns_of_a_wrong_type_are_named(changes: dict, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        Columns(**(BASE | changes))


def test_lists_and_integers_of_numpy_are_taken_and_copied() -> None:
    sizes = {"shop": np.int64(5)}
    columns = Columns(label="y", sparse=sizes, dense=["price", "age"])
    sizes["shop"] = np.int64(7)
    assert (columns.sparse, columns.dense) == ({"shop": 5}, ("price", "age"))
