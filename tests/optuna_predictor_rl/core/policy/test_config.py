from typing import Any

import pytest

from optuna_predictor_rl.core.policy.config import PolicyConfig


def test_the_papers_settings_are_those_of_section_4_1_2() -> None:
    config = PolicyConfig.paper()
    assert (config.n_rounds, config.n_steps) == (3, 2000)
    assert (config.learning_rate, config.anneal_rate) == (0.01, 0.9997)
    assert (config.temperature, config.min_temperature) == (1.0, 1.0)
    assert (config.reward, config.n_refinements, config.elite_bonus) == ("mean", 0, 0.0)


@pytest.mark.parametrize(
    ("name", "value", "rule"),
    [
        ("n_rounds", 0, "at least 1"),
        ("batch_size", 0, "at least 1"),
        ("n_bins", -4, "at least 1"),
        ("n_steps", -1, "not be negative"),
        ("n_refinements", -1, "not be negative"),
        ("elite_bonus", float("nan"), "not be negative"),
        ("learning_rate", 0.0, "positive"),
        ("temperature", -1.0, "positive"),
        ("min_temperature", float("nan"), "positive"),
        ("learning_rate", float("inf"), "at most 10000"),
        ("temperature", 1e5, "at most 10000"),
        ("elite_bonus", 1e300, "at most 10000"),
        ("anneal_rate", 1.1, r"in \(0, 1\]"),
        ("anneal_rate", 0.0, r"in \(0, 1\]"),
        ("reward", "regret", "one of"),
    ],
)
def test_a_setting_out_of_its_range_is_refused_by_name(name: str, value: Any, rule: str) -> None:
    with pytest.raises(ValueError, match=f"{name} must .*{rule}.*, but got"):
        PolicyConfig(**{name: value})
