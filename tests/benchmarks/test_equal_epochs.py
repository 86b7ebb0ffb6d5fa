"""Every epoch is paid, only full trainings are results, and pairs of runs are compared rightly."""

import math
from pathlib import Path

import numpy as np
import optuna
import pytest
from optuna.pruners import BasePruner, MedianPruner
from optuna.trial import Trial
from scipy import stats

from benchmarks.fidelity import pruners
from benchmarks.fidelity.arms import ARMS, RungPruner, label_of_stopped, returns_labels
from benchmarks.fidelity.equal_epochs import Run, Trace, search, train
from benchmarks.fidelity.late_learners import LateLearners
from benchmarks.fidelity.paired import Paired
from benchmarks.fidelity.pruner_tables import print_report
from benchmarks.fidelity.tables import load_table
from benchmarks.fidelity.tasks import CurveTask, Values
from optuna_predictor_rl import LowFidelityPruner


class Line(CurveTask):
    """Ten steps from 1 to the parameter; those above a bound diverge at the third step."""

    name, n_steps, best_known, median_random = "line", 10, 0.0, 0.5

    def __init__(self, diverges_above: float = 1.0) -> None:
        self._bound = diverges_above

    def ask(self, study: optuna.Study) -> tuple[Trial, Values]:
        trial = study.ask()
        x = trial.suggest_float("x", 0, 1)
        curve = np.linspace(1, x, 10)
        if x > self._bound:
            curve[2:] = math.nan
        return trial, curve


def run_of(task: str, pruner: str, seed: int, *regret: float) -> Run:
    return Run(task, "random", pruner, seed, list(range(1, len(regret) + 1)), [*regret], 50, 50)


def test_a_full_training_is_a_result_when_it_ends_and_a_stopped_one_never() -> None:
    trace = Trace(
        length=10,
        spent=[10, 13, 23, 33, 36],
        known=[0.5, 0.1, 0.6, 0.4, 0.0],
        final=[0.5, 0.1, 0.6, 0.4, 0.0],
        full=[True, False, True, True, False],
    )
    assert list(trace.best_over_budget()) == [(1.0, 0.5), (3.3, 0.4)]


def test_finalists_are_the_best_stopped_trials_that_the_budget_pays_for() -> None:
    rng = np.random.default_rng(0)
    n, full = 60, [i % 20 == 0 for i in range(60)]
    known, final = rng.normal(size=(2, n)).tolist()
    spent = np.cumsum([10 if each else 3 for each in full]).tolist()
    found = dict(Trace(10, spent, known, final, full).best_of_finalists(0.1, 20))
    value = None
    for budget in range(1, 21):
        for m in range(1, n + 1):
            stopped = sorted((i for i in range(m) if not full[i]), key=known.__getitem__)
            n_finalists = math.ceil(len(stopped) / 10)
            if spent[m - 1] + 10 * n_finalists <= 10 * budget:
                trained = [*stopped[:n_finalists], *(i for i in range(m) if full[i])]
                value = min(final[i] for i in trained)
        assert max((b, v) for b, v in found.items() if b <= budget)[1] == value


def test_without_a_pruner_the_regret_is_that_of_the_best_so_far() -> None:
    run = search(Line(), "random", "none", seed=3, budget=8)
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=3))
    values = [study.ask().suggest_float("x", 0, 1) for _ in range(8)]
    assert (run.trials, run.full) == (8, 8)
    for budget in range(1, 9):
        assert run.regret_at(budget) == pytest.approx(min(values[:budget]) / 0.5, abs=1e-4)
    assert run.regret_at(0.9) == 1.0


def test_stopped_trials_are_paid_and_seeds_are_paired() -> None:
    stopped = train(Line(), "random", ARMS["rung_1/4"], seed=0, budget=5)
    full = train(Line(), "random", ARMS["none"], seed=0, budget=5)
    assert stopped.spent == [3 * i for i in range(1, len(stopped.spent) + 1)]
    assert 40 < stopped.spent[-1] <= 50
    assert not any(stopped.full)
    assert stopped.final[:5] == full.final


def test_a_training_that_diverges_ends_there_and_is_no_result() -> None:
    trace = train(Line(diverges_above=0.5), "random", ARMS["none"], seed=0, budget=10)
    steps = np.diff([0, *trace.spent])
    assert set(steps) == {3, 10}
    assert [steps[i] == 10 for i in range(len(steps))] == trace.full


@pytest.mark.parametrize("pruner", ["median", "successive_halving", "hyperband"])
def test_a_search_with_a_pruner_of_optuna_spends_no_more_and_is_the_same_again(
    pruner: str,
) -> None:
    trace = train(Line(), "tpe", ARMS[pruner], seed=1, budget=12)
    assert trace.spent[-1] <= 120
    assert len(trace.spent) > 12
    assert any(trace.full)
    assert trace == train(Line(), "tpe", ARMS[pruner], seed=1, budget=12)


@pytest.mark.parametrize(
    ("pruner", "sampler", "returned"),
    [
        (LowFidelityPruner(), "gp", True),
        (LowFidelityPruner(), "predictor_rl", False),
        (RungPruner(0.5, 10), "predictor_rl", True),
    ],
)
def test_labels_are_returned_to_samplers_that_do_not_read_them(
    pruner: BasePruner, sampler: str, returned: bool
) -> None:
    assert returns_labels(pruner, sampler) == returned


def test_pruners_of_optuna_tell_no_label_and_the_simplest_rule_tells_the_last_report() -> None:
    ours = LowFidelityPruner()
    trial = optuna.create_study(pruner=ours).ask()
    for step, value in enumerate((0.5, 0.3, 0.25), start=1):
        trial.report(value, step)
    assert label_of_stopped(trial, MedianPruner(), 0.25) is None
    assert label_of_stopped(trial, RungPruner(0.5, 10), 0.25) == 0.25
    assert label_of_stopped(trial, ours, 0.25) == ours.label(trial)


def test_wilcoxon_applies_to_the_windows_of_a_stream_alone() -> None:
    assert ARMS["wilcoxon"].applies_to(load_table(pruners.DHEN))
    assert not ARMS["wilcoxon"].applies_to(LateLearners("hidden", 0))
    assert ARMS["median"].applies_to(LateLearners("hidden", 0))


def test_differences_are_paired_by_task_and_seed() -> None:
    rng = np.random.default_rng(0)
    none, median = rng.uniform(size=(2, 6))
    pairs = [(task, seed) for task in ("a", "b") for seed in range(3)]
    runs = [run_of(*pair[:1], "none", pair[1], v) for pair, v in zip(pairs, none, strict=True)]
    runs += [
        run_of(*pair[:1], "median", pair[1], v) for pair, v in zip(pairs, median, strict=True)
    ]
    runs.append(run_of("c", "none", 0, 9.0))  # has no partner
    paired = Paired.of(runs[::-1])
    gap = paired.against("median", "none", 25)
    assert gap.mean == pytest.approx(np.mean(median - none))
    assert gap.error == pytest.approx(stats.sem(median - none))
    assert paired.left_out == 1
    means = (median - none).reshape(2, 3).mean(axis=1)
    assert paired.tasks_won("median", 50) == ((means < 0).sum(), (means > 0).sum())
    assert paired.best_of_optuna(50) == "median"


def test_trainings_needed_are_counted_until_the_mean_is_that_without_a_pruner_at_the_end() -> None:
    runs = [run_of("a", "none", 0, 0.9, 0.8, 0.6), run_of("b", "none", 0, 0.7, 0.5, 0.4)]
    runs += [run_of("a", "median", 0, 0.9, 0.3), run_of("b", "median", 0, 0.9, 0.7)]
    runs += [run_of("a", "hyperband", 0, 0.9), run_of("b", "hyperband", 0, 0.7)]
    paired = Paired.of(runs)
    assert paired.trainings_to_none("none") == 3
    assert paired.trainings_to_none("median") == 2
    assert paired.trainings_to_none("hyperband") is None


def test_the_command_goes_on_where_it_was_and_reports_what_is_recorded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(pruners, "be_quiet", lambda: None)
    out = tmp_path / "runs.jsonl"
    command = ["x", "--out", str(out), "--tasks", "hidden 0", "--samplers", "random", "--seeds",
               "1", "--pruners", "none", "wilcoxon"]  # fmt: skip
    for names, n_lines in (([], 1), (["rung_1/2"], 2), (["rung_1/2"], 2)):
        monkeypatch.setattr("sys.argv", [*command, *names])
        pruners.main()
        assert len(out.read_text().splitlines()) == n_lines
    monkeypatch.setattr("sys.argv", ["x", "--out", str(out), "--report"])
    pruners.main()
    printed = capsys.readouterr().out
    (none, _) = pruners.read(out)
    shown = " / ".join(f"{none.regret_at(b):.3f}".lstrip("0") for b in (15, 25, 50))
    assert f"| late hidden | none | {shown} |" in printed
    assert "all real tasks" not in printed
    assert "| late hidden | rung_1/2 |" in printed


def test_a_package_without_the_papers_rule_is_told_of_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(pruners, "be_quiet", lambda: None)
    monkeypatch.delattr(LowFidelityPruner, "paper", raising=False)
    monkeypatch.setattr("sys.argv", ["x", "--out", str(tmp_path / "f"), "--pruners", "paper"])
    with pytest.raises(SystemExit):
        pruners.main()
    assert "needs LowFidelityPruner.paper()" in capsys.readouterr().err


def test_constructed_tasks_are_no_part_of_the_mean_of_real_ones(
    capsys: pytest.CaptureFixture[str],
) -> None:
    runs = [
        run_of("yahpo_lcbench:3945", "none", 0, 0.25),
        run_of("late hidden 0", "none", 0, 0.75),
    ]
    print_report(runs)
    printed = capsys.readouterr().out
    assert "| **all real tasks** | none | .250 / .250 / .250 |" in printed
    assert "| late hidden | none | .750 / .750 / .750 |" in printed


def test_the_tables_in_the_results_are_those_of_the_recording(
    capsys: pytest.CaptureFixture[str],
) -> None:
    root = Path(__file__).parents[2]
    print_report(pruners.read(root / "benchmarks" / "fidelity" / "pruners.jsonl"))
    assert capsys.readouterr().out.strip() in (root / "docs" / "results.md").read_text()
