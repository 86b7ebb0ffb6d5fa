"""What can be an arm, and how its sampler is seeded."""

import sys

import optuna
import pytest
from optuna.samplers import BaseSampler, RandomSampler

from optuna_predictor_rl import compare_searchers
from optuna_predictor_rl.comparison.searchers import NAMED
from tests.optuna_predictor_rl.comparison.searches import complete, of, parabola


def numeric(trial: optuna.Trial) -> float:
    x, y = (trial.suggest_float(name, -1.0, 1.0) for name in "xy")
    return 1.0 + x**2 + (y - 0.5) ** 2


@pytest.mark.filterwarnings("ignore::RuntimeWarning", "ignore::UserWarning")
@pytest.mark.parametrize("protocol", ["sequential", "batch"])
@pytest.mark.parametrize("name", [name for name in NAMED if name != "botorch"])
def test_every_named_sampler_can_be_an_arm(name: str, protocol: str) -> None:
    study = optuna.create_study()
    compare_searchers(
        study, numeric, {"it": name}, n_shared=12, n_each=3, protocol=protocol, seed=0
    )
    assert complete(study) == {"shared": 12, "it": 3}
    assert len({tuple(t.params.values()) for t in study.trials}) == 15


@pytest.mark.filterwarnings("ignore")
def test_botorch_can_be_an_arm() -> None:
    pytest.importorskip("optuna_integration")
    pytest.importorskip("botorch")
    study = optuna.create_study()
    compare_searchers(study, numeric, ["botorch"], n_shared=12, n_each=2, seed=0)
    assert complete(study) == {"shared": 12, "botorch": 2}


def samplers() -> list[BaseSampler]:
    return [
        optuna.samplers.QMCSampler(seed=0, warn_independent_sampling=False),
        optuna.samplers.BruteForceSampler(seed=0),
        optuna.samplers.NSGAIIISampler(seed=0, population_size=4),
        optuna.samplers.NSGAIISampler(seed=0, population_size=4),
        optuna.samplers.PartialFixedSampler({"y": 2}, RandomSampler(seed=0)),
        optuna.samplers.TPESampler(seed=0, group=True, multivariate=True),
    ]


@pytest.mark.filterwarnings("ignore::optuna.exceptions.ExperimentalWarning")
@pytest.mark.parametrize("sampler", samplers(), ids=lambda sampler: type(sampler).__name__)
def test_ready_made_samplers_can_be_arms_beside_one_of_their_kind(sampler: BaseSampler) -> None:
    def objective(trial: optuna.Trial) -> float:
        return trial.suggest_int("x", 0, 9) + float(trial.suggest_int("y", 0, 9))

    study = optuna.create_study(storage="sqlite:///:memory:")
    twin = type(sampler).__name__
    others = {type(s).__name__: s for s in samplers()}
    compare_searchers(
        study, objective, {"a": sampler, "b": others[twin]}, n_shared=3, n_each=9, seed=0
    )
    assert complete(study) == {"shared": 3, "a": 9, "b": 9}


def test_hyperband_sorts_the_trials_of_a_view_into_brackets() -> None:
    def objective(trial: optuna.Trial) -> float:
        value = numeric(trial)
        for step in range(9):
            trial.report(value, step)
            if trial.should_prune():
                raise optuna.TrialPruned
        return value

    pruner = optuna.pruners.HyperbandPruner(max_resource=9)
    study = optuna.create_study(pruner=pruner)
    report = compare_searchers(study, objective, ["tpe", "random"], n_shared=6, n_each=10, seed=0)
    assert report["tpe"].n_trials == report["random"].n_trials == 10
    assert report["tpe"].n_pruned + report["random"].n_pruned > 0


def test_one_seed_gives_one_study() -> None:
    runs = []
    for _ in range(2):
        study = optuna.create_study()
        compare_searchers(study, parabola, ["random", "tpe"], n_shared=3, n_each=3, seed=7)
        runs.append([trial.params for trial in study.trials])
    assert runs[0] == runs[1]


def test_random_arms_repeat_neither_the_shared_trials_nor_each_other() -> None:
    study = optuna.create_study()
    arms = {"a": "random", "b": "random"}
    for n_each in (3, 6):  # the second call goes on
        compare_searchers(study, numeric, arms, n_shared=4, n_each=n_each, seed=0)
    assert len({trial.params["x"] for trial in study.trials}) == len(study.trials) == 16


def test_a_ready_made_sampler_does_not_repeat_itself_when_the_comparison_goes_on() -> None:
    study = optuna.create_study()
    for n_each in (3, 6):
        arms = {"a": RandomSampler(seed=0)}
        compare_searchers(study, numeric, arms, n_shared=0, n_each=n_each)
    assert len({trial.params["x"] for trial in study.trials}) == 6
    alone = optuna.create_study(sampler=RandomSampler(seed=0))
    alone.optimize(numeric, n_trials=3)
    assert [t.params for t in of(study, "a")[:3]] == [t.params for t in alone.trials]


def test_a_callable_gets_a_seed_and_must_make_a_sampler() -> None:
    seeds = []

    def make(seed: int) -> BaseSampler:
        seeds.append(seed)
        return RandomSampler(seed=seed)

    compare_searchers(
        optuna.create_study(), parabola, {"a": make, "b": make}, n_shared=0, n_each=2, seed=0
    )
    assert len(set(seeds)) == len(seeds) == 2
    with pytest.raises(ValueError, match="searcher 'a' must make a sampler, but got 3"):
        compare_searchers(optuna.create_study(), parabola, {"a": lambda _: 3}, n_shared=0)


@pytest.mark.parametrize(("name", "package"), [("botorch", "botorch"), ("cmaes", "cmaes")])
def test_a_missing_package_names_the_extra(
    name: str, package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    study = optuna.create_study()
    with pytest.raises(ImportError, match=r'pip install "optuna-predictor-rl\[baselines\]"'):
        compare_searchers(study, parabola, ["random", name])
    assert not study.trials
