"""Hydra's Optuna sweeper with our sampler; the choice of it is in config.yaml.

    pip install hydra-core && pip install --no-deps hydra-optuna-sweeper
    python examples/recipes/hydra/train.py --multirun

`--no-deps`: the sweeper 1.3.0 asks for Optuna 2, but runs with Optuna 5. It stops no trial early.
"""

import hydra
from omegaconf import DictConfig


@hydra.main(version_base=None, config_path=".", config_name="config")
def main(config: DictConfig) -> float:
    """Return a loss in place of your training's; lower is better."""
    return (config.lr / 0.01 - 1.0) ** 2 + config.dropout + 8.0 / config.width


if __name__ == "__main__":
    main()
