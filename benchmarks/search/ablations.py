"""The sampler with one of its departures from the paper taken back.

    python -m benchmarks search quality --tasks twelve --seeds 2 --out ablations.jsonl \
        --samplers predictor_rl no_process=benchmarks.search.ablations:no_process ...
"""

from dataclasses import replace

from optuna_predictor_rl import PolicyConfig, PredictorConfig, PredictorRLSampler


def _sampler(seed: int, *, policy: PolicyConfig | None = None, **changes: object):
    predictor = replace(PredictorConfig(), **changes)  # type: ignore[arg-type]
    return PredictorRLSampler(predictor=predictor, policy=policy, seed=seed)


def no_structure(seed: int) -> PredictorRLSampler:
    """One-hot and float encoding only, as section 3.1."""
    return _sampler(seed, structured_features=False)


def no_process(seed: int) -> PredictorRLSampler:
    """Networks only: no Gaussian process, and so no relevance of the inputs."""
    return _sampler(seed, gaussian_process=False)


def hinge(seed: int) -> PredictorRLSampler:
    """Eq. (3) with the paper's margin of .001."""
    return _sampler(seed, loss="hinge", margin=0.001)


def mse(seed: int) -> PredictorRLSampler:
    """Regression instead of ranking."""
    return _sampler(seed, loss="mse")


def dropout(seed: int) -> PredictorRLSampler:
    """The paper's dropout of .5."""
    return _sampler(seed, dropout=0.5)


def single(seed: int) -> PredictorRLSampler:
    """One network instead of ten."""
    return _sampler(seed, n_members=1)


def same_data(seed: int) -> PredictorRLSampler:
    """Members that differ by their initialization alone, as the paper's."""
    return _sampler(seed, bootstrap="none")


def standard_target(seed: int) -> PredictorRLSampler:
    """Processes on standardized labels only."""
    return _sampler(seed, targets=("standard",))


def rank_target(seed: int) -> PredictorRLSampler:
    """Processes on ranks and clipped labels."""
    return _sampler(seed, targets=("rank", "clipped"))


def mean_reward(seed: int) -> PredictorRLSampler:
    """The ensemble's mean as the reward, Eq. (6), instead of the expected improvement."""
    return _sampler(seed, policy=replace(PolicyConfig(), reward="mean"))


def uniform_start(seed: int) -> PredictorRLSampler:
    """All rounds start from the uniform policy."""
    return _sampler(seed, policy=replace(PolicyConfig(), elite_bonus=0.0))


def no_refinement(seed: int) -> PredictorRLSampler:
    """No local moves after the rounds."""
    return _sampler(seed, policy=replace(PolicyConfig(), n_refinements=0))


def no_distance(seed: int) -> PredictorRLSampler:
    """Trials may be as near to earlier ones as they like."""
    return _sampler(seed, policy=replace(PolicyConfig(), distances=(0.0,)))


def random_policy(seed: int) -> PredictorRLSampler:
    """As many random candidates as the rounds would evaluate, and no local moves (Fig. 7)."""
    policy = replace(PolicyConfig(), learning_rate=1e-9, elite_bonus=0.0, n_refinements=0)
    return _sampler(seed, policy=policy)
