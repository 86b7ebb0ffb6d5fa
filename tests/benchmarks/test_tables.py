"""A table gives each recorded training once, the nearest to what the sampler asks for."""

import sys
from pathlib import Path

import numpy as np
import optuna
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution
from optuna.samplers import GPSampler, RandomSampler, TPESampler
from optuna.trial import TrialState

from benchmarks.fidelity.tables import Recording, Table, late_only, load_taskset
from optuna_predictor_rl import PredictorRLSampler

POOL = """
import numpy as np

def pool(name):
    assert name == "taskset"
    hp = np.array([[1e-3, .9], [1e-2, .99], [1e-1, .999]])
    valid = np.full((2, 3, 4), .7, np.float32)
    valid[0, :, -1] = [.5, np.nan, .3]
    return dict(names=np.array(["a", "b"]), hp_names=np.array(["learning_rate", "beta1"]),
                hp=hp, valid=valid)
"""


def table_of(n: int) -> Table:
    rng = np.random.default_rng(0)
    params = [
        {"x": float(x), "y": float(10**y), "z": str(z)}
        for x, y, z in zip(rng.uniform(0, 4, n), rng.uniform(-3, 0, n), rng.choice(["a", "b"], n),
                           strict=True)
    ]  # fmt: skip
    distributions = {
        "x": FloatDistribution(0, 4),
        "y": FloatDistribution(1e-3, 1, log=True),
        "z": CategoricalDistribution(["a", "b"]),
    }
    curves = rng.normal(size=(n, 5))
    return Table("t", Recording("t", curves, params, distributions))


def test_the_nearest_row_is_that_of_the_smallest_sum_of_distances() -> None:
    table = table_of(40)
    rng = np.random.default_rng(1)
    for _ in range(20):
        x, y, z = rng.uniform(0, 4), 10 ** rng.uniform(-3, 0), str(rng.choice(["a", "b"]))
        far = [
            abs(p["x"] - x) / 4 + abs(np.log10(p["y"]) - np.log10(y)) / 3 + (p["z"] != z)
            for p in table.params
        ]
        first, second = np.argsort(far)[:2]
        assert table.nearest({"x": x, "y": y, "z": z}, []) == first
        assert table.nearest({"x": x, "y": y, "z": z}, [int(first)]) == second


@pytest.mark.parametrize(
    "sampler", [RandomSampler(seed=0), TPESampler(seed=0), GPSampler(seed=0),
                PredictorRLSampler(seed=0)],
)  # fmt: skip
def test_a_sampler_gets_each_training_once_with_its_parameters(
    sampler: optuna.samplers.BaseSampler,
) -> None:
    table = table_of(12)
    study = table.study(sampler)
    found = []
    while (asked := table.ask(study)) is not None:
        trial, curve = asked
        (row,) = np.flatnonzero((table._curves == curve).all(axis=1))
        assert trial.params == table.params[row]
        found.append(row)
        if trial.number == 3:
            study.tell(trial, state=TrialState.PRUNED)
        else:
            study.tell(trial, curve[-1])
    assert sorted(found) == list(range(12))


def test_only_late_learners_are_good_in_a_late_recording() -> None:
    rng = np.random.default_rng(0)
    curves = np.cumsum(rng.normal(size=(400, 16)), axis=1)
    curves[:5, -1] = np.nan
    params = [{"row": i} for i in range(400)]
    late = late_only(Recording("t", curves, params, {}))
    rows = [p["row"] for p in late.params]
    assert np.array_equal(late.curves, curves[rows], equal_nan=True)
    final = np.where(np.isnan(curves[:, -1]), np.inf, curves[:, -1])
    good = set(np.argsort(final)[:80])
    early = np.argsort(np.argsort(curves[:, 1]))  # 0 is the lowest
    assert all(early[row] >= 120 for row in good & set(rows))
    assert len(good & set(rows)) == sum(early[row] >= 120 for row in good)
    assert len(set(rows) - good) == 80


def test_taskset_is_read_without_its_report_before_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "hpo_tasks.py").write_text(POOL)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "hpo_tasks", raising=False)
    first, second = load_taskset(tmp_path)
    assert (first.name, first.n_steps, second.name) == ("taskset:a", 3, "taskset:b")
    assert (first.best_known, first.median_random) == pytest.approx((0.3, 0.5))  # NaN is the worst
    asked = first.ask(first.study(RandomSampler(seed=0)))
    assert asked is not None
    assert asked[0].params["one_minus_beta1"] in [pytest.approx(b) for b in (0.1, 0.01, 0.001)]
    monkeypatch.delitem(sys.modules, "hpo_tasks")
