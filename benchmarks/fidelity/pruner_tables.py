"""The tables of pruners at equal epochs, in Markdown."""

import math
from collections.abc import Sequence

from benchmarks.fidelity.arms import ARMS, READS_LABELS, RUNGS, SAMPLERS
from benchmarks.fidelity.equal_epochs import Run
from benchmarks.fidelity.paired import BUDGET, SHOWN, Difference, Paired
from benchmarks.fidelity.tasks import CONSTRUCTED, group_of

ON_FRONT = (5, 10, 15, 20, 25, 30, 40, 50)


def print_report(runs: Sequence[Run]) -> None:
    """Print what is recorded, and the tables of every sampler."""
    print_recorded(runs)
    for sampler in dict.fromkeys(run.sampler for run in runs):
        mine = [run for run in runs if run.sampler == sampler]
        stopped = "read from the pruned trial" if sampler in READS_LABELS else "returned"
        print(f"\n### {sampler} (our labels are {stopped})")
        print_groups([run for run in mine if run.pruner not in RUNGS])
        print_front(sampler, mine)
        print_tasks(sampler, [run for run in mine if run.pruner not in RUNGS])


def print_recorded(runs: Sequence[Run]) -> None:
    """Print how many runs there are of each sampler with each pruner."""
    pruners = [name for name in ARMS if name != "hopeless"]
    print_row("recorded runs (seeds)", *pruners)
    print("|---|" + "---:|" * len(pruners))
    for sampler in dict.fromkeys([*SAMPLERS, *(run.sampler for run in runs)]):
        mine = [[r for r in runs if (r.sampler, r.pruner) == (sampler, name)] for name in pruners]
        seeds = [len({run.seed for run in some}) for some in mine]
        print_row(
            sampler,
            *(f"{len(some)} ({n})" if n else "-" for some, n in zip(mine, seeds, strict=True)),
        )


def groups_of(runs: Sequence[Run]) -> dict[str, list[Run]]:
    """Return the runs of all real tasks, and those of each group; constructed ones come last."""
    real = [run for run in runs if group_of(run.task) not in CONSTRUCTED]
    names = dict.fromkeys(group_of(run.task) for run in [*real, *runs])
    of_group = {name: [run for run in runs if group_of(run.task) == name] for name in names}
    everywhere = {run.pruner for run in runs}
    for group in of_group.values():
        everywhere &= {run.pruner for run in group}
    everything = [run for run in real if run.pruner in everywhere]
    return {"**all real tasks**": everything} | of_group


def print_groups(runs: Sequence[Run]) -> None:
    """Print means, paired differences, and what a pruner saves, by group of tasks."""
    shown = "/".join(map(str, SHOWN))
    print_row(
        "tasks", "pruner", f"mean regret at {shown}", f"less that of none at {shown}",
        f"less that of Optuna's best at {shown}", f"trainings to reach none at {BUDGET}",
        f"tasks won - lost at {BUDGET}", "runs",
    )  # fmt: skip
    print("|---|---|" + "---:|" * 6)
    left_out = 0
    for group, mine in groups_of(runs).items():
        paired = Paired.of(mine)
        left_out += 0 if group.startswith("**") else paired.left_out
        if not paired.pairs or "none" not in paired.regrets:
            continue
        for pruner in paired.regrets:
            print_row(group, *cells(paired, pruner), len(paired.pairs))
    if left_out:
        print(f"\n{left_out} runs are left out: another pruner has no run of their task and seed.")


def cells(paired: Paired, pruner: str) -> list[str]:
    """Return what a pruner has reached in one group, but for the runs."""
    none, optuna = [], []
    for budget in SHOWN:
        none.append(paired.against(pruner, "none", budget))
        best = paired.best_of_optuna(budget)
        optuna.append(None if best in (None, pruner) else paired.against(pruner, best, budget))
    needed = paired.trainings_to_none(pruner)
    won, lost = paired.tasks_won(pruner, BUDGET)
    return [
        pruner,
        " / ".join(number(paired.at(pruner, budget).mean()) for budget in SHOWN),
        "" if pruner == "none" else " / ".join(map(with_error, none)),
        " / ".join(map(with_error, optuna)),
        f"> {BUDGET}" if needed is None else str(needed),
        "" if pruner == "none" else f"{won} - {lost}",
    ]


def print_front(sampler: str, runs: Sequence[Run]) -> None:
    """Print the regret by the epochs spent, beside the simplest rule of all."""
    if not any(run.pruner in RUNGS for run in runs):
        return
    print(f"\n{sampler}: mean regret by budget, in full trainings, beside the simplest rule\n")
    print_row("tasks", "pruner", *ON_FRONT, "runs")
    print("|---|---|" + "---:|" * (len(ON_FRONT) + 1))
    for group, mine in groups_of(runs).items():
        paired = Paired.of(mine)
        if not paired.pairs or not (group.startswith("**") or group in CONSTRUCTED):
            continue
        for pruner in paired.regrets:
            means = [number(paired.at(pruner, budget).mean()) for budget in ON_FRONT]
            print_row(group, pruner, *means, len(paired.pairs))


def print_tasks(sampler: str, runs: Sequence[Run]) -> None:
    """Print the mean over seeds of each task, folded."""
    print(f"\n<details><summary>{sampler}, each task at {'/'.join(map(str, SHOWN))}</summary>\n")
    pruners = [name for name in ARMS if any(run.pruner == name for run in runs)]
    print_row("task", *pruners, "seeds")
    print("|---|" + "---:|" * (len(pruners) + 1))
    for task in dict.fromkeys(run.task for run in runs):
        paired = Paired.of([run for run in runs if run.task == task])
        if not paired.pairs:
            continue
        means = [
            " / ".join(number(paired.at(pruner, budget).mean()) for budget in SHOWN)
            if pruner in paired.regrets else ""
            for pruner in pruners
        ]  # fmt: skip
        print_row(task, *means, len(paired.pairs))
    print("\n</details>")


def with_error(difference: Difference | None) -> str:
    """Return a difference with its standard error; a dash for a pruner beside itself."""
    if difference is None:
        return "-"
    error = "" if math.isnan(difference.error) else f" ± {number(difference.error)}"
    return number(difference.mean, sign="+") + error


def number(value: float, sign: str = "") -> str:
    """Return three decimals without the leading zero."""
    return f"{value:{sign}.3f}".replace("0.", ".", 1) if abs(value) < 1 else f"{value:{sign}.3f}"


def print_row(*values: object) -> None:
    print("| " + " | ".join(map(str, values)) + " |")
