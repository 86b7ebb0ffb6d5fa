"""Settings of the policy's search, and those of the paper (section 4.1.2)."""

from __future__ import annotations

from dataclasses import dataclass

from optuna_predictor_rl.support.checked import check_at_least, checked

MAX_LOGIT = 1e4
"""Upper bound of settings that move logits: float32 cannot resolve a softmax beyond it."""


@checked
@dataclass(frozen=True, kw_only=True)
class PolicyConfig:
    """Settings of the search; the defaults are the best we measured.

    Args:
        n_rounds: Rounds of REINFORCE, each with a policy of its own.
        n_steps: Steps of each round.
        batch_size: Configurations that each round samples in a step.
        learning_rate: Learning rate of Adam on the logits.
        temperature: Temperature of the policy in the first step.
        anneal_rate: Factor of the temperature after each step.
        min_temperature: Temperature below which it is not annealed.
        n_bins: Most options of a numeric decision; see `Grid`.
        elite_bonus: Logits that all rounds but the first add at the start to the options of one
            of the best configurations so far; 0 starts every round uniform.
        n_refinements: Passes of local moves around the best candidates after the rounds.
        reward: "improvement" rewards the expected improvement over the best so far, "mean" the
            ensemble's mean alone, as Eq. (6).
        distances: Least distance of a trial from those before it in one decision at least, as a
            share of a numeric decision's range. The distances are taken in turn, one with each
            trial that has ended, and shrink in spaces of few numeric decisions (`near_to`).
            Without them, searches end in trials that hardly differ.

    Raises:
        ValueError: If a number is out of its range or a name is unknown.
    """

    # The ablations (`benchmarks/search/ablations.py`, mean regret after 25 / 50 / 100 trials)
    # give .068 / .036 / .026 for these defaults. Uniform starts give .101 / .030 / .027, no local
    # moves .070 / .047 / .026, and the mean as reward .131 / .095 / .048.
    n_rounds: int = 5
    n_steps: int = 12
    batch_size: int = 32
    learning_rate: float = 0.5  # high, since 12 steps have to do for the time of a suggestion
    temperature: float = 1.0
    anneal_rate: float = 1.0
    min_temperature: float = 1.0
    n_bins: int = 16
    elite_bonus: float = 2.0
    n_refinements: int = 4
    reward: str = "improvement"
    # On LCBench the mean regret after 50 trials is .029 with these and .048 without
    # (`python -m benchmarks fidelity search` without a pruner, 128 runs).
    distances: tuple[float, ...] = (0.1, 0.03, 0.0)

    def __post_init__(self) -> None:
        check_at_least(1, n_rounds=self.n_rounds, batch_size=self.batch_size, n_bins=self.n_bins)
        for name in ("n_steps", "n_refinements", "elite_bonus"):
            if not getattr(self, name) >= 0:
                raise ValueError(f"{name} must not be negative, but got {getattr(self, name)}.")
        for name in ("learning_rate", "temperature", "min_temperature"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} must be positive, but got {getattr(self, name)}.")
        for name in ("learning_rate", "temperature", "min_temperature", "elite_bonus"):
            if not getattr(self, name) <= MAX_LOGIT:
                raise ValueError(
                    f"{name} must be at most {MAX_LOGIT:g}, but got {getattr(self, name)}."
                )
        if not 0.0 < self.anneal_rate <= 1.0:
            raise ValueError(f"anneal_rate must be in (0, 1], but got {self.anneal_rate}.")
        if self.reward not in ("improvement", "mean"):
            raise ValueError(
                f"reward must be one of ('improvement', 'mean'), but got {self.reward!r}."
            )
        if not self.distances or not all(0.0 <= d <= 1.0 for d in self.distances):
            raise ValueError(
                f"distances must be one or more numbers in [0, 1], but got {self.distances}."
            )

    @classmethod
    def paper(cls) -> PolicyConfig:
        """Return section 4.1.2: 3 seeds, learning rate .01, anneal rate .9997, temperature 1.

        The paper says that the search converges within 2000 steps and gives no batch size. Its
        least temperature is 1 as well, the one it starts at, so that annealing changes nothing.
        """
        return cls(
            n_rounds=3,
            n_steps=2000,
            batch_size=8,
            learning_rate=0.01,
            temperature=1.0,
            anneal_rate=0.9997,
            min_temperature=1.0,
            elite_bonus=0.0,
            n_refinements=0,
            reward="mean",
            distances=(0.0,),
        )
