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
    """Encode by one-hot and float columns only, as section 3.1."""
    return _sampler(seed, structured_features=False)


def no_process(seed: int) -> PredictorRLSampler:
    """Use networks only: no Gaussian process, and so no relevance of the inputs."""
    return _sampler(seed, gaussian_process=False)


def hinge(seed: int) -> PredictorRLSampler:
    """Rank by Eq. (3) with the paper's margin of .001."""
    return _sampler(seed, loss="hinge", margin=0.001)


def mse(seed: int) -> PredictorRLSampler:
    """Regress instead of ranking."""
    return _sampler(seed, loss="mse")


def dropout(seed: int) -> PredictorRLSampler:
    """Use the paper's dropout of .5."""
    return _sampler(seed, dropout=0.5)


def single(seed: int) -> PredictorRLSampler:
    """Use one network instead of ten."""
    return _sampler(seed, n_members=1)


def same_data(seed: int) -> PredictorRLSampler:
    """Let members differ by their initialization alone, as the paper's."""
    return _sampler(seed, bootstrap="none")


def standard_target(seed: int) -> PredictorRLSampler:
    """Fit processes to standardized labels only."""
    return _sampler(seed, targets=("standard",))


def rank_target(seed: int) -> PredictorRLSampler:
    """Fit processes to ranks and clipped labels."""
    return _sampler(seed, targets=("rank", "clipped"))


def mean_reward(seed: int) -> PredictorRLSampler:
    """Reward the ensemble's mean, Eq. (6), instead of the expected improvement."""
    return _sampler(seed, policy=replace(PolicyConfig(), reward="mean"))


def uniform_start(seed: int) -> PredictorRLSampler:
    """Start all rounds from the uniform policy."""
    return _sampler(seed, policy=replace(PolicyConfig(), elite_bonus=0.0))


def no_refinement(seed: int) -> PredictorRLSampler:
    """Make no local moves after the rounds."""
    return _sampler(seed, policy=replace(PolicyConfig(), n_refinements=0))


def no_distance(seed: int) -> PredictorRLSampler:
    """Let trials be as near to earlier ones as they like."""
    return _sampler(seed, policy=replace(PolicyConfig(), distances=(0.0,)))


def random_policy(seed: int) -> PredictorRLSampler:
    """Draw as many random candidates as the rounds evaluate, without local moves (Fig. 7)."""
    policy = replace(PolicyConfig(), learning_rate=1e-9, elite_bonus=0.0, n_refinements=0)
    return _sampler(seed, policy=policy)
