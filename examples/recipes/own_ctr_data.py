r"""Search a DHEN on your own clicks: Parquet or CSV files, larger than memory if need be.

    python examples/recipes/own_ctr_data.py january.parquet february.parquet --label clicked \
        --sparse shop=4096 item=65536 --dense price --counts views --time time --calendar

The rows must be in the order in which they happened. `--sparse` names categories and the number of
ids that each is hashed to, `--dense` numbers, `--counts` numbers that become logarithms.
"""

import argparse

import optuna
import torch

from dhen_objective import Columns, DHENObjective, TableStream
from optuna_predictor_rl import LowFidelityPruner, PredictorRLSampler


def main() -> None:
    options = parse_options()
    torch.set_num_threads(1)
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    columns = Columns(
        label=options.label,
        sparse=dict(options.sparse),
        dense=tuple(options.dense),
        counts=tuple(options.counts),
        time=options.time,
        calendar=options.calendar,
    )
    stream = TableStream(options.files, columns, prior=options.prior, rows=options.rows)
    print(f"{stream.n_rows:,} rows, {len(stream.field_sizes)} fields, {stream.n_dense} numbers")
    study = optuna.create_study(
        sampler=PredictorRLSampler(seed=0),
        pruner=LowFidelityPruner(n_pilot_trials=max(options.trials // 4, 3)),
    )
    objective = DHENObjective(stream)
    study.optimize(objective, n_trials=options.trials, show_progress_bar=True)
    best = study.best_trial
    print(f"NE of the default network {objective.baseline_result.normalized_entropy:.4f}")
    print(f"best NE {best.user_attrs['ne']:.4f}, gain {best.value:+.2f} %: {best.params}")


def parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", nargs="+", help="they follow each other in time")
    parser.add_argument("--label", required=True, help="column of 0 and 1, or false and true")
    parser.add_argument("--sparse", nargs="*", type=field, default=[], metavar="NAME=IDS")
    parser.add_argument("--dense", nargs="*", default=[], metavar="NAME")
    parser.add_argument("--counts", nargs="*", default=[], metavar="NAME")
    parser.add_argument("--time", metavar="NAME")
    parser.add_argument("--calendar", action="store_true", help="hour and weekday as fields")
    parser.add_argument("--prior", type=float, default=0.05, help="rough share of positives")
    parser.add_argument("--rows", type=int, help="take only the first")
    parser.add_argument("--trials", type=int, default=40)
    return parser.parse_args()


def field(text: str) -> tuple[str, int]:
    """Return a sparse column and its number of ids, "shop=4096"."""
    name, _, size = text.rpartition("=")
    if not name or not size.isdigit():
        raise argparse.ArgumentTypeError(f"must be NAME=IDS, but got {text!r}.")
    return name, int(size)


if __name__ == "__main__":
    main()
