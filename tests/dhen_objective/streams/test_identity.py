import json
import os
from pathlib import Path

from dhen_objective.streams import Columns, SyntheticStream, TableStream


def test_a_stream_says_its_kind_and_shape() -> None:
    identity = SyntheticStream("easy", rows=50).identity
    assert json.loads(json.dumps(identity)) == identity
    assert (identity["kind"], identity["rows"]) == ("SyntheticStream", 50)


def test_a_stream_of_files_says_their_sizes_and_times(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("y,shop\n0,a\n1,b\n")
    stream = TableStream(file, Columns(label="y", sparse={"shop": 5}), prior=0.5)
    before = stream.identity
    assert before["files"][0]["path"] == str(file)
    assert before["files"][0]["bytes"] == 15
    os.utime(file, ns=(0, 12345))
    assert stream.identity["files"][0]["modified_ns"] == 12345
    assert {**stream.identity, "files": None} == {**before, "files": None}
    assert json.loads(json.dumps(before)) == before
