"""Searchers side by side on your problem, in one study.

    python examples/comparison.py                                       # about a minute
    python examples/comparison.py --searchers random botorch predictor_rl --seeds 0 1 2

The problem here is a DHEN on a synthetic stream; put your own objective in its place. The first
trial is the network to beat, the shared trials are seen by all searchers, and then each sees its
own only. Stop it at any time: the same command goes on.
"""

import argparse

import optuna
import torch

from dhen_objective import DHENObjective, SyntheticStream, params_of
from optuna_predictor_rl import ComparisonReport, repeat_comparison
from optuna_predictor_rl.visualization import plot_sample_efficiency


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--searchers", nargs="+", default=["random", "tpe", "gp", "predictor_rl"])
    parser.add_argument("--shared", type=int, default=15, help="trials seen by all")
    parser.add_argument("--each", type=int, default=15, help="trials of each searcher")
    parser.add_argument("--protocol", choices=("sequential", "batch"), default="sequential")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--rows", type=int, default=3000)
    parser.add_argument("--jobs", type=int, default=1, help="trials at the same time")
    parser.add_argument("--storage", default="sqlite:///comparison.db")
    parser.add_argument("--figure", default="comparison.html")
    options = parser.parse_args()
    torch.set_num_threads(1)
    optuna.logging.set_verbosity(optuna.logging.WARNING)

    objective = DHENObjective(SyntheticStream("easy", rows=options.rows, seed=0))

    def study_of(seed: int) -> optuna.Study:
        name = f"comparison-{options.protocol}-{options.rows}-{seed}"
        study = optuna.create_study(
            study_name=name,
            storage=options.storage,
            pruner=optuna.pruners.NopPruner(),
            load_if_exists=True,
        )
        default = params_of(objective.baseline, objective.training)
        study.enqueue_trial(default, skip_if_exists=True)
        return study

    repeat_comparison(
        study_of,
        objective,
        options.searchers,
        seeds=options.seeds,
        n_shared=options.shared,
        n_each=options.each,
        protocol=options.protocol,
        n_jobs=options.jobs,
        show_progress_bar=True,
    )
    studies = [study_of(seed) for seed in options.seeds]
    print(ComparisonReport.of(studies, values_are_gains=True, compute="rows"))
    figure = plot_sample_efficiency(studies, values_are_gains=True, value_name="NE")
    figure.write_html(options.figure)
    print(f"\nFigure: {options.figure}.  Trials:  optuna-dashboard {options.storage}")


if __name__ == "__main__":
    main()
