"""The search space of a DHEN: 18 decisions, for a core of a CPU and for a GPU."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import optuna

from dhen_objective.checked import checked
from dhen_objective.config import DHENConfig, Interaction, TrainConfig

_SWITCHES: dict[str, Interaction] = {
    "use_dlrm": Interaction.DLRM,
    "use_attn": Interaction.ATTENTION,
    "use_linear": Interaction.LINEAR,
    "use_dcn": Interaction.DCN,
    "use_conv": Interaction.CONV,
}


KNOBS: dict[str, Interaction] = {
    "dlrm_k": Interaction.DLRM,
    "dlrm_hidden": Interaction.DLRM,
    "attn_heads": Interaction.ATTENTION,
    "attn_ffn_mult": Interaction.ATTENTION,
    "linear_embs": Interaction.LINEAR,
    "dcn_rank": Interaction.DCN,
    "conv_kernel": Interaction.CONV,
    "conv_channels": Interaction.CONV,
    "dcn_layers": Interaction.DCN,
}
"""The module in which each decision has an effect, in the order of the suggestions."""


@checked
@dataclass(frozen=True, kw_only=True)
class DHENSpace:
    """The choices of each decision, beside the five switches of the modules.

    Attributes:
        n_layers: Smallest and largest number of layers.
        choices: Values of the knobs that take one of a few; others are not searched.
        dcn_layers: Smallest and largest number of cross layers.
        lr: Smallest and largest learning rate; searched on a log scale.
        fixed: What differs from `DHENConfig`'s defaults and is not searched.
    """

    n_layers: tuple[int, int]
    choices: dict[str, tuple[int, ...]]
    dcn_layers: tuple[int, int]
    lr: tuple[float, float]
    fixed: dict[str, int]

    def __post_init__(self) -> None:
        for name in ("n_layers", "dcn_layers", "lr"):
            low, high = getattr(self, name)
            if not 0 < low <= high:
                raise ValueError(
                    f"{name} must be positive and not decrease, but got {(low, high)}."
                )
        self._check_networks("fixed", {})
        twice = sorted({"n_layers", "dcn_layers", *self.choices} & set(self.fixed))
        if twice:
            raise ValueError(f"fixed must not name what is searched, but got {twice}.")
        unknown = [name for name in self.choices if name not in KNOBS]
        if unknown:
            raise ValueError(f"choices must be of {list(KNOBS)}, but got {unknown}.")
        for name, values in self.choices.items():
            for value in values:
                self._check_networks("choices", {name: value})

    def _check_networks(self, about: str, knobs: dict[str, int]) -> None:
        """Refuse knobs of which no network can be made."""
        try:
            DHENConfig(**{**self.fixed, **knobs})  # type: ignore[arg-type]
        except (TypeError, ValueError) as error:
            given = knobs or self.fixed
            raise ValueError(f"{about} must make a network, but got {given}: {error}") from error


W_INIT_SCALES = (0.3, 1.0, 3.0)
"""Choices of the factor on the weights' Xavier bounds."""

LN_INITS = (0.0, 0.1, 0.3, 1.0)
"""Choices of the layer norms' first gain; 0 is no layer norm."""

SPACES: dict[str, DHENSpace] = {
    "cpu": DHENSpace(
        n_layers=(1, 3),
        choices={
            "dlrm_k": (0, 4, 8, 16),
            "dlrm_hidden": (64, 128, 256),
            "attn_heads": (1, 2, 4),
            "attn_ffn_mult": (1, 2, 4),
            "linear_embs": (4, 8, 16, 24),
            "dcn_rank": (16, 32, 64, 128),
            "conv_kernel": (1, 3, 5),
            "conv_channels": (1, 2, 4),
        },
        dcn_layers=(1, 3),
        lr=(5e-5, 8e-3),
        fixed={},
    ),
    "gpu": DHENSpace(
        n_layers=(1, 8),
        choices={
            "dlrm_k": (0, 16, 32, 64),
            "dlrm_hidden": (512, 1024, 2048, 4096),
            "attn_heads": (1, 2, 4, 8),
            "attn_ffn_mult": (1, 2, 4),
            "linear_embs": (16, 32, 64),
            "dcn_rank": (128, 256, 512, 1024),
            "conv_kernel": (1, 3, 5),
            "conv_channels": (1, 2, 4),
        },
        dcn_layers=(1, 4),
        lr=(1e-4, 4e-3),
        fixed={"dim": 128, "module_embs": 32},
    ),
}
"""Search spaces for a core of a CPU, and for a GPU."""


@checked
def suggest_config(
    trial: optuna.trial.BaseTrial,
    *,
    scale: str = "cpu",
    model: DHENConfig | None = None,
    training: TrainConfig | None = None,
    only_active: bool = False,
) -> tuple[DHENConfig, TrainConfig]:
    """Suggest the 18 decisions and return what they make.

    All 18 are suggested whatever the others are, so that samplers that look at the decisions
    jointly see them in every trial. Those of modules that are off are then set back to their
    defaults (`DHENConfig.canonical`): such trials train one network under several names. With all
    five modules off, the linear one is put on.

    Args:
        trial: A trial, a frozen trial, or `optuna.trial.FixedTrial(params)` to rebuild a
            configuration from parameters.
        scale: "cpu" or "gpu".
        model: Supplies what is not searched, such as `dim`; by default the default network, for
            "gpu" with the wider embeddings of its space.
        training: Supplies what is not searched, such as the seed.
        only_active: Do not suggest the decisions of modules that are off, as for conditional
            parameters: no network is trained under two names. For samplers that model them.

    Returns:
        The network and its training.

    Raises:
        ValueError: If `scale` is unknown.
    """
    if scale not in SPACES:
        raise ValueError(f"scale must be one of {', '.join(SPACES)}, but got {scale!r}.")
    space = SPACES[scale]
    n_layers = trial.suggest_int("n_layers", *space.n_layers)
    on = {
        module: trial.suggest_categorical(name, [True, False])
        for name, module in _SWITCHES.items()
    }
    modules = tuple(module for module in on if on[module]) or (Interaction.LINEAR,)
    searched = {"dcn_layers", *space.choices}
    asked = [
        name for name in KNOBS if name in searched and (not only_active or KNOBS[name] in modules)
    ]
    knobs = {
        name: trial.suggest_categorical(name, space.choices[name])
        if name in space.choices
        else trial.suggest_int(name, *space.dcn_layers)
        for name in asked
    }
    lr = trial.suggest_float("lr", *space.lr, log=True)
    w_init_scale = trial.suggest_categorical("w_init_scale", W_INIT_SCALES)
    ln_init = trial.suggest_categorical("ln_init", LN_INITS)
    changes: dict[str, Any] = dict(knobs)
    config = replace(
        model or _unsearched(space),
        n_layers=n_layers,
        modules=modules,
        w_init_scale=w_init_scale,
        ln_init=ln_init,
        **changes,
    )
    return config.canonical(), replace(training or TrainConfig(), lr=lr)


def _unsearched(space: DHENSpace) -> DHENConfig:
    """Return the network that supplies what is not searched, where none is given."""
    fixed: dict[str, Any] = dict(space.fixed)
    return DHENConfig(**fixed)


@checked
def params_of(
    model: DHENConfig, training: TrainConfig, *, base: DHENConfig | None = None
) -> dict[str, Any]:
    """Return the parameters that `suggest_config` turns into a network and its training.

    With `study.enqueue_trial` a search starts from this network. What is not searched, such as
    `dim` or the seed, is no parameter.

    Args:
        model: The network.
        training: Its training.
        base: The `model` that `suggest_config` will be given.

    Raises:
        ValueError: If the network differs from `base` in what is not searched: the parameters
            would make another network.

    Example:
        >>> model, training = DHENConfig(), TrainConfig()
        >>> trial = optuna.trial.FixedTrial(params_of(model, training))
        >>> suggest_config(trial) == (model.canonical(), training)
        True
    """
    searched = {
        name: getattr(model, name)
        for name in ("n_layers", "modules", *KNOBS, "w_init_scale", "ln_init")
    }
    bases = [_unsearched(space) for space in SPACES.values()] if base is None else [base]
    if all(replace(other, **searched).canonical() != model.canonical() for other in bases):
        ours, theirs = model.to_dict(), bases[0].to_dict()
        other = [name for name in ours if name not in searched and ours[name] != theirs[name]]
        raise ValueError(
            f"base must have the values of model in what is not searched, but {other} differ; "
            "give the same network to params_of as base and to suggest_config as model."
        )
    return {
        "n_layers": model.n_layers,
        **{name: module in model.modules for name, module in _SWITCHES.items()},
        **{name: getattr(model, name) for name in (*SPACES["cpu"].choices, "dcn_layers")},
        "lr": training.lr,
        "w_init_scale": model.w_init_scale,
        "ln_init": model.ln_init,
    }
