import os
import subprocess
import sys

from hypothesis import given
from hypothesis import strategies as st

from dhen_objective.streams.hashing import hashed_ids, stable_id


@given(st.text(), st.integers(1, 10_000))
def test_an_id_lies_in_its_field(value: str, size: int) -> None:
    assert 0 <= stable_id(value, field="f", size=size) < size


def test_an_id_is_the_same_in_another_process_with_another_hash_seed() -> None:
    code = (
        "from dhen_objective.streams.hashing import stable_id;"
        "print(stable_id('50-74K', field='income', size=1000))"
    )
    environment = os.environ | {"PYTHONHASHSEED": "7"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert int(done.stdout) == stable_id("50-74K", field="income", size=1000)


def test_equal_values_of_different_fields_are_unrelated() -> None:
    ids = [stable_id(1, field=f"f{i}", size=1 << 20) for i in range(50)]
    assert len(set(ids)) == 50


def test_ids_of_many_values_are_those_of_each() -> None:
    ids = hashed_ids(["a", "b"], field="f", size=100)
    assert ids.tolist() == [stable_id(v, field="f", size=100) for v in ("a", "b")]
