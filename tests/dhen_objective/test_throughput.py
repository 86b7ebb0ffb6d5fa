import pytest

from dhen_objective.config import DHENConfig, Interaction
from dhen_objective.model import DHEN
from dhen_objective.streams import SyntheticStream
from dhen_objective.throughput import measure_throughput

STREAM = SyntheticStream("easy", rows=1000)


def model(n_layers: int) -> DHEN:
    config = DHENConfig(n_layers=n_layers, modules=(Interaction.DCN,))
    return DHEN(config, field_sizes=STREAM.field_sizes, n_dense=STREAM.n_dense)


@pytest.mark.parametrize("inference", [False, True])
def test_a_much_deeper_model_is_slower_than_the_first(inference: bool) -> None:
    batch = next(STREAM.batches(256))
    models = {"shallow": model(1), "deep": model(24)}
    measured = measure_throughput(models, batch, inference=inference, warmup=2, repeats=11)
    assert list(measured) == ["shallow", "deep"]
    assert measured["shallow"].ratio == 1
    assert measured["deep"].ratio < 1
    assert all(speed.qps > 0 and speed.iqr >= 0 for speed in measured.values())
    assert "1 threads" in measured["deep"].device


def test_nothing_to_measure_is_refused() -> None:
    batch = next(STREAM.batches(8))
    with pytest.raises(ValueError, match="models must hold at least one model"):
        measure_throughput({}, batch)
    with pytest.raises(ValueError, match="repeats must be at least 2, but got 1"):
        measure_throughput({"one": model(1)}, batch, repeats=1)
