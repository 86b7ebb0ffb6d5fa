"""The sampler with one of its departures from the paper taken back.

    python -m benchmarks search quality --tasks twelve --seeds 2 --out ablations.jsonl \
        --samplers predictor_rl no_process=benchmarks.search.ablations:no_process ...
"""

from dataclasses import replace
from functools import partial

from optuna_predictor_rl import PolicyConfig, PredictorConfig, PredictorRLSampler


def _predictor(seed: int, **changes: object) -> PredictorRLSampler:
    return PredictorRLSampler(predictor=replace(PredictorConfig(), **changes), seed=seed)


def _policy(seed: int, **changes: object) -> PredictorRLSampler:
    return PredictorRLSampler(policy=replace(PolicyConfig(), **changes), seed=seed)


no_structure = partial(_predictor, structured_features=False)
"""One-hot and float encoding only, as section 3.1."""
no_process = partial(_predictor, gaussian_process=False)
"""Networks only: no Gaussian process, and so no relevance of the inputs."""
hinge = partial(_predictor, loss="hinge", margin=0.001)
"""Eq. (3) with the paper's margin."""
mse = partial(_predictor, loss="mse")
"""Regression instead of ranking."""
dropout = partial(_predictor, dropout=0.5)
"""The paper's dropout."""
single = partial(_predictor, n_members=1)
"""One network instead of ten."""
same_data = partial(_predictor, bootstrap="none")
"""Members that differ by their initialization alone, as the paper's."""
standard_target = partial(_predictor, targets=("standard",))
"""Processes on standardized labels only."""
rank_target = partial(_predictor, targets=("rank", "clipped"))
"""Processes on ranks and clipped labels."""
mean_reward = partial(_policy, reward="mean")
"""The ensemble's mean as the reward, Eq. (6), instead of the expected improvement."""
uniform_start = partial(_policy, elite_bonus=0.0)
"""All rounds start from the uniform policy."""
no_refinement = partial(_policy, n_refinements=0)
"""No local moves after the rounds."""
no_distance = partial(_policy, distances=(0.0,))
"""Trials may be as near to earlier ones as they like."""
random_policy = partial(_policy, learning_rate=1e-9, elite_bonus=0.0, n_refinements=0)
"""As many random candidates as the rounds evaluate, and no local moves (Fig. 7)."""
