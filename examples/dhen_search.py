"""Search a DHEN on a stream of conversions: the main job.

    python examples/dhen_search.py                      # real coupons, under 10 minutes on 2 cores
    python examples/dhen_search.py --trials 8 --rows 5000        # a minute, to see that it works

Every trial trains one DHEN in one pass over the stream. The first trials run to the end; the
pruner learns from them how early the others may stop, and the sampler learns from all. In the
end the best of the stopped ones are trained in full.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from functools import partial

import optuna
import torch
from optuna.trial import FrozenTrial, TrialState
from tqdm import tqdm

from dhen_objective import (
    ClickStream,
    CouponStream,
    DHENConfig,
    DHENObjective,
    SyntheticStream,
    TrainConfig,
    flops_per_example,
    params_of,
    suggest_config,
)
from optuna_predictor_rl import LowFidelityPruner, PredictorRLSampler, finalists

STREAMS: dict[str, Callable[[int], ClickStream]] = {
    "coupons": lambda rows: CouponStream(rows=rows),
    "synthetic": lambda rows: SyntheticStream("medium", rows=rows, seed=0),
}

BASELINE = DHENConfig(n_layers=2, ln_init=0.1)
"""A network as one would write it down first; the package's default is the better for searches."""
BASELINE_LR = 1e-3


def main() -> None:
    options = parse_options()
    torch.set_num_threads(1)  # trials run side by side instead
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    stream = STREAMS[options.data](options.rows)
    training = TrainConfig(lr=BASELINE_LR, seed=options.seed)
    suggest = partial(suggest_config, training=training, only_active=True)
    objective = DHENObjective(stream, baseline=BASELINE, training=training, suggest=suggest)
    print(f"Training the baseline on {stream.n_rows:,} rows of {options.data} ...", flush=True)
    baseline = objective.baseline_result

    study = optuna.create_study(
        study_name=options.study,
        storage=options.storage,
        load_if_exists=True,
        sampler=PredictorRLSampler(seed=options.seed),
        pruner=LowFidelityPruner(n_pilot_trials=max(options.trials // 4, 3)),
    )
    if not study.trials:  # the search starts from what it has to beat
        params = params_of(objective.baseline, objective.training)
        study.enqueue_trial(params, user_attrs={"baseline": True})
    train_enqueued(study, objective, "Enqueued")  # the baseline; what a killed job left, too
    left = options.trials - n_searched(study)  # of a job that was killed, the rest
    optimize(study, objective, max(left, 0), options.jobs, "Search")
    searched = finished(study)
    train_finalists(study, objective, max(options.finalists - n_finalists(study), 0))

    rows = sum(trial.user_attrs["rows"] for trial in searched)
    saved = 1.0 - rows / (stream.n_rows * max(len(searched), 1))
    print(f"\n{len(searched)} trials; low fidelity saved {saved:.0%} of their training rows.\n")
    flops, seconds = baseline_cost(objective), baseline.seconds
    print_table(study, baseline.normalized_entropy, flops, seconds)
    print(f"\nLook at the study:  optuna-dashboard {options.storage}")


def parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=40)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--data", choices=STREAMS, default="coupons")
    parser.add_argument("--storage", default="sqlite:///dhen_search.db")
    parser.add_argument("--study", help="name; by default made of data, rows and seed")
    parser.add_argument("--jobs", type=int, default=2, help="trials at the same time")
    parser.add_argument("--finalists", type=int, default=3, help="stopped trials trained in full")
    options = parser.parse_args()
    options.study = options.study or f"dhen-{options.data}-{options.rows}-{options.seed}"
    for name in ("trials", "rows", "jobs"):
        if getattr(options, name) < 1:
            parser.error(f"--{name} must be at least 1, but got {getattr(options, name)}.")
    return options


def optimize(
    study: optuna.Study, objective: DHENObjective, n_trials: int, n_jobs: int, title: str
) -> None:
    """Run trials under a progress bar that shows the best NE gain so far."""
    if not n_trials:
        return
    with tqdm(total=n_trials, desc=title, unit="trial") as bar:

        def advance(study: optuna.Study, _: FrozenTrial) -> None:
            best = min((t.value for t in full_trials(study)), default=float("nan"))
            bar.set_postfix_str(f"best NE gain {best:+.2f} %")
            bar.update()

        study.optimize(objective, n_trials=n_trials, n_jobs=n_jobs, callbacks=[advance])


def train_finalists(study: optuna.Study, objective: DHENObjective, k: int) -> None:
    """Train in full the k stopped trials whose label is best."""
    best = finalists(study, len(study.trials))
    stopped = [trial for trial in best if trial.state == TrialState.PRUNED][:k]
    for trial in stopped:
        study.enqueue_trial(trial.params, user_attrs={"full_fidelity": True})
    train_enqueued(study, objective, "Finalists")


def train_enqueued(study: optuna.Study, objective: DHENObjective, title: str) -> None:
    """Train one after the other: two threads can take the same trial out of an SQLite storage."""
    waiting = study.get_trials(deepcopy=False, states=(TrialState.WAITING,))
    if waiting:
        optimize(study, objective, len(waiting), 1, title)


def n_searched(study: optuna.Study) -> int:
    """Return the number of ended trials of the search: neither the baseline nor finalists."""
    marks = {"baseline", "full_fidelity"}
    trials = study.get_trials(deepcopy=False)
    return sum(t.state.is_finished() and not marks & set(t.user_attrs) for t in trials)


def n_finalists(study: optuna.Study) -> int:
    return sum("full_fidelity" in trial.user_attrs for trial in full_trials(study))


def finished(study: optuna.Study) -> list[FrozenTrial]:
    return [t for t in study.get_trials(deepcopy=False) if "rows" in t.user_attrs]


def full_trials(study: optuna.Study) -> list[FrozenTrial]:
    return study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))


def baseline_cost(objective: DHENObjective) -> float:
    stream = objective.stream
    return flops_per_example(
        objective.baseline, n_fields=len(stream.field_sizes), n_dense=stream.n_dense
    )


def print_table(study: optuna.Study, ne: float, flops: float, seconds: float) -> None:
    print(f"{'':12}{'NE':>8}{'NE gain':>10}{'FLOPs':>9}{'seconds':>9}  network")
    print(
        f"{'baseline':12}{ne:8.4f}{0:+9.2f}%{flops / 1e6:8.2f}M{seconds:9.1f}  two layers, lr 1e-3"
    )
    for trial in sorted(full_trials(study), key=lambda t: t.value)[:5]:
        attrs = trial.user_attrs
        print(
            f"trial {trial.number:<6}{attrs['ne']:8.4f}{trial.value:+9.2f}%"
            f"{attrs['flops'] / 1e6:8.2f}M{attrs['seconds']:9.1f}  {describe(attrs['config'])}"
        )


def describe(config: str) -> str:
    """Return the network in words."""
    parts = json.loads(config)
    model, training = parts["model"], parts["training"]
    modules = " + ".join(model["modules"])
    return f"{model['n_layers']} x ({modules}), lr {training['lr']:.1e}"


if __name__ == "__main__":
    main()
