"""How well do FLOPs predict the speed of training? Section 4.2.4, Fig. 6.

    python examples/paper/fig6_flops_and_qps.py --networks 40       # a few minutes on one core
    python examples/paper/fig6_flops_and_qps.py --networks 5 --repeats 3    # seconds

Draws networks from the search space, measures the examples per second of training and inference
of each against the default network, in turns, and shows both over the FLOPs of an example.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict, dataclass
from pathlib import Path

import optuna
import plotly.graph_objects as go
import torch
from figures import write
from scipy.stats import kendalltau, spearmanr
from tqdm import tqdm

from dhen_objective import (
    DHEN,
    Batch,
    ClickStream,
    DHENConfig,
    SyntheticStream,
    flops_per_example,
    measure_throughput,
    suggest_config,
)


@dataclass(frozen=True, kw_only=True)
class Point:
    """One network: FLOPs of an example, and its speed relative to the default network's."""

    flops: int
    training: float
    inference: float
    network: str


def main() -> None:
    options = parse_options()
    torch.set_num_threads(1)
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    stream = SyntheticStream("medium", rows=options.batch_size)
    (batch,) = stream.batches(options.batch_size)
    configs = draw(options.networks, options.seed)
    points = [
        measure(config, stream, batch, options.repeats)
        for config in tqdm(configs, desc="Measure", unit="network")
    ]
    for name in ("training", "inference"):
        flops, speeds = [p.flops for p in points], [getattr(p, name) for p in points]
        print(
            f"FLOPs and QPS of {name}, {len(points)} networks: "
            f"Spearman {spearmanr(flops, speeds).statistic:+.2f}, "
            f"Kendall {kendalltau(flops, speeds).statistic:+.2f}"
        )
    if options.points:
        options.points.write_text("\n".join(json.dumps(asdict(point)) for point in points) + "\n")
    write(figure(points), options.figure)


def parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--networks", type=int, default=20)
    parser.add_argument("--repeats", type=int, default=10, help="timed steps of each network")
    parser.add_argument("--batch-size", type=int, default=512)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--figure", type=Path, default=Path("fig6_flops_and_qps"))
    parser.add_argument("--points", type=Path, help="also write what was measured, as JSON lines")
    options = parser.parse_args()
    for name, low in (("networks", 2), ("repeats", 2), ("batch_size", 1)):
        if getattr(options, name) < low:
            parser.error(f"--{name} must be at least {low}, but got {getattr(options, name)}.")
    return options


def draw(n: int, seed: int) -> list[DHENConfig]:
    """Return networks drawn at random from the search space."""
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=seed))
    return [suggest_config(study.ask())[0] for _ in range(n)]


def measure(config: DHENConfig, stream: ClickStream, batch: Batch, repeats: int) -> Point:
    """Return the speed of one network and the default one, in turns."""
    shape = {"field_sizes": stream.field_sizes, "n_dense": stream.n_dense}
    ratios = {}
    for name in ("training", "inference"):
        models = {"default": DHEN(DHENConfig(), **shape), "network": DHEN(config, **shape)}
        speeds = measure_throughput(
            models, batch, inference=name == "inference", warmup=3, repeats=repeats
        )
        ratios[name] = speeds["network"].ratio
    flops = flops_per_example(config, n_fields=len(stream.field_sizes), n_dense=stream.n_dense)
    words = f"{config.n_layers} x ({' + '.join(config.modules)})"
    return Point(flops=flops, network=words, **ratios)


def figure(points: list[Point]) -> go.Figure:
    """Draw relative speed over FLOPs, both on logarithmic axes, one series a kind of speed."""
    plot = go.Figure()
    for name in ("training", "inference"):
        tau = kendalltau([p.flops for p in points], [getattr(p, name) for p in points]).statistic
        plot.add_scatter(
            x=[p.flops for p in points],
            y=[getattr(p, name) for p in points],
            text=[p.network for p in points],
            mode="markers",
            name=f"{name}, Kendall's tau {tau:+.2f}",
            hovertemplate="%{text}<br>%{x:.3s} FLOPs<br>%{y:.2f} x the default",
        )
    plot.update_xaxes(title="FLOPs of an example, forward", type="log", dtick=1)
    plot.update_yaxes(title="QPS relative to the default DHEN", type="log", dtick=1)
    plot.update_layout(
        title=f"FLOPs and QPS of {len(points)} networks of the search space",
        template="plotly_white",
        legend={"x": 0.99, "xanchor": "right", "y": 0.99},
    )
    return plot


if __name__ == "__main__":
    main()
