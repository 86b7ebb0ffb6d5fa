"""The architecture of a DHEN and the settings of its training, as plain values."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from enum import StrEnum
from typing import Any

import torch

from dhen_objective.checked import check_at_least, checked
from dhen_objective.config_values import check_keys, use_floats
from dhen_objective.ranges import check_device_name, check_positive, check_seed


class Interaction(StrEnum):
    """The five interaction modules that a DHEN layer may have."""

    DLRM = "dlrm"
    ATTENTION = "attention"
    LINEAR = "linear"
    DCN = "dcn"
    CONV = "conv"


_KNOBS: dict[Interaction, tuple[str, ...]] = {
    Interaction.DLRM: ("dlrm_k", "dlrm_hidden"),
    Interaction.ATTENTION: ("attn_heads", "attn_ffn_mult"),
    Interaction.LINEAR: ("linear_embs",),
    Interaction.DCN: ("dcn_layers", "dcn_rank"),
    Interaction.CONV: ("conv_kernel", "conv_channels", "conv_2d"),
}
"""The fields of `DHENConfig` that have an effect in each module alone."""


@checked
@dataclass(frozen=True, kw_only=True)
class DHENConfig:
    """The architecture of a deep hierarchical ensemble network.

    The modules and their sizes apply to every layer. Knobs of modules that are switched off
    have no effect; `canonical` sets them back to their defaults, so that equal networks have
    equal configurations.

    Attributes:
        n_layers: Number of DHEN layers.
        modules: The interaction modules of each layer, in any order, at least one.
        dlrm_k: Columns that the dot products are compressed to; 0 takes all pairs.
        dlrm_hidden: Width of the network over the dot products.
        attn_heads: Heads of self-attention; divides `dim`.
        attn_ffn_mult: Width of attention's feed-forward network, in units of `dim`.
        linear_embs: Embeddings that the linear module yields.
        dcn_layers: Cross layers of the deep cross net.
        dcn_rank: Rank of each cross layer's matrix.
        conv_kernel: Width of the convolution along the embeddings; odd.
        conv_channels: Output channels of the convolution, per embedding.
        conv_2d: Convolve over the plane of embeddings x dim, as DHEN's text has it, in place of
            the convolution along the embeddings, which is several times faster on a CPU.
        dim: Width of every embedding.
        module_embs: Embeddings that each module but the linear one yields.
        ensemble: "concat" joins the modules' embeddings; "sum" adds them, and then every module,
            the linear one too, yields `module_embs`.
        head_hidden: Widths of the over-MLP.
        dense_hidden: Widths of the bottom MLP over the dense features.
        w_init_scale: Factor on the Xavier bounds of every weight matrix.
        ln_init: Initial gain of the layer norms; 0 leaves them out.
        embedding_std: Standard deviation of the embeddings at the start. Ids that were never
            seen are noise of this size.
        wide: Add a linear path to the logit, one weight an id and a dense feature, which learns
            by a step of its own (`TrainConfig.wide_lr`). The paper's network has none.

    Numbers of numpy become Python's.

    Raises:
        TypeError: If a value is of another kind; the message names it.
        ValueError: If a value breaks its rule; the message names it.
    """

    n_layers: int = 1
    modules: tuple[Interaction, ...] = (Interaction.DLRM, Interaction.LINEAR, Interaction.DCN)
    dlrm_k: int = 0
    dlrm_hidden: int = 128
    attn_heads: int = 2
    attn_ffn_mult: int = 2
    linear_embs: int = 8
    dcn_layers: int = 2
    dcn_rank: int = 32
    conv_kernel: int = 3
    conv_channels: int = 2
    conv_2d: bool = False
    dim: int = 16
    module_embs: int = 8
    ensemble: str = "concat"
    head_hidden: tuple[int, ...] = (128,)
    dense_hidden: tuple[int, ...] = (64,)
    w_init_scale: float = 1.0
    ln_init: float = 0.0
    embedding_std: float = 0.01
    wide: bool = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "modules", _ordered_modules(self.modules))
        use_floats(self, "w_init_scale", "ln_init", "embedding_std")
        counts = (
            "n_layers dlrm_hidden attn_heads attn_ffn_mult linear_embs dcn_layers dcn_rank "
            "conv_kernel conv_channels dim module_embs"
        )
        check_at_least(1, **{name: getattr(self, name) for name in counts.split()})
        check_at_least(
            0, dlrm_k=self.dlrm_k, ln_init=self.ln_init, embedding_std=self.embedding_std
        )
        check_positive(w_init_scale=self.w_init_scale)
        if self.conv_kernel % 2 == 0:
            raise ValueError(f"conv_kernel must be odd, but got {self.conv_kernel}.")
        if self.dim % self.attn_heads:
            raise ValueError(
                f"attn_heads must divide dim = {self.dim}, but got {self.attn_heads}."
            )
        if self.ensemble not in ("concat", "sum"):
            raise ValueError(f"ensemble must be 'concat' or 'sum', but got {self.ensemble!r}.")
        for name in ("head_hidden", "dense_hidden"):
            if any(width < 1 for width in getattr(self, name)):
                raise ValueError(f"{name} must be positive, but got {getattr(self, name)}.")

    def canonical(self) -> DHENConfig:
        """Return the same network with the knobs of its absent modules at their defaults."""
        absent = [module for module in Interaction if module not in self.modules]
        unused = [knob for module in absent for knob in _KNOBS[module]]
        if self.ensemble == "sum":
            unused.append("linear_embs")
        defaults: dict[str, Any] = {field.name: field.default for field in fields(self)}
        return replace(self, **{knob: defaults[knob] for knob in unused})

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as plain JSON values."""
        values = asdict(self)
        values["modules"] = [module.value for module in self.modules]
        for name in ("head_hidden", "dense_hidden"):
            values[name] = list(values[name])
        return values

    @classmethod
    @checked
    def from_dict(cls, values: Mapping[str, Any]) -> DHENConfig:
        """Return the configuration that `to_dict` wrote; absent fields take their defaults."""
        check_keys(cls, values)
        given = dict(values)
        if "modules" in given:
            given["modules"] = _ordered_modules(given["modules"])
        for name in {"head_hidden", "dense_hidden"} & set(given):
            given[name] = tuple(given[name])
        return cls(**given)

    def to_json(self) -> str:
        """Return the configuration as one line of JSON."""
        return json.dumps(self.to_dict())

    @classmethod
    @checked
    def from_json(cls, text: str) -> DHENConfig:
        """Return the configuration that `to_json` wrote.

        Raises:
            ValueError: If it is no JSON, or breaks a rule.
        """
        try:
            values = json.loads(text)
        except json.JSONDecodeError as error:
            raise ValueError(f"text must be JSON, but got {text!r}: {error}.") from error
        return cls.from_dict(values)


def _ordered_modules(modules: Iterable[str]) -> tuple[Interaction, ...]:
    names = [str(name) for name in modules]
    if not names or not set(names) <= set(Interaction) or len(set(names)) < len(names):
        known = ", ".join(Interaction)
        raise ValueError(
            f"modules must be a non-empty set of {known}, each once, but got {names}."
        )
    return tuple(module for module in Interaction if module in names)


@checked
@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """How a network is trained on a stream, in one pass.

    Attributes:
        lr: Learning rate of Adam, for all but the embeddings.
        embedding_lr: Learning rate of the row-wise sparse Adagrad, for the embeddings.
        embedding_start: What Adagrad's sums of squared gradients start from. Above 0, ids that
            tell little move little; with 0 the first step of each has the full length. The
            gradients are those of the summed, not the mean, loss of a batch.
        wide_lr: First step of each weight of the linear path, for each example; it falls as
            Adagrad's does, and has a least value.
        batch_size: Examples a step. The first batch of a segment may be shorter.
        n_reports: Points of the learning curve, evenly spaced over the stream's rows.
        window: Share of the stream that one windowed normalized entropy covers, at least
            1 / `n_reports`; rounded to a multiple of it, or to rows where there are fewer rows.
        seed: Seed of the initial weights, the only randomness there is.
        device: Where the network lives, such as "cpu" or "cuda"; a `torch.device` becomes its
            name.
        autocast: Compute the products of the forward pass in bfloat16; weights stay float32.

    Numbers of numpy become Python's.

    Raises:
        TypeError: If a value is of another kind; the message names it.
        ValueError: If a value breaks its rule; the message names it.
    """

    lr: float = 1.5e-4
    embedding_lr: float = 0.1
    embedding_start: float = 0.1
    wide_lr: float = 0.03
    batch_size: int = 256
    n_reports: int = 20
    window: float = 0.2
    seed: int = 0
    device: str | torch.device = "cpu"
    autocast: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "device", str(self.device))
        use_floats(self, "lr", "embedding_lr", "embedding_start", "wide_lr", "window")
        check_positive(lr=self.lr, embedding_lr=self.embedding_lr, wide_lr=self.wide_lr)
        check_at_least(0, embedding_start=self.embedding_start)
        check_at_least(1, batch_size=self.batch_size, n_reports=self.n_reports)
        check_seed(self.seed)
        check_device_name(self.device)
        if not 0 < self.window <= 1:
            raise ValueError(f"window must be in (0, 1], but got {self.window}.")
        if self.window * self.n_reports < 1 - 1e-9:
            raise ValueError(
                f"window must be at least 1 / n_reports, since windows end at reports, but got "
                f"{self.window} with n_reports = {self.n_reports}."
            )

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as plain JSON values."""
        return asdict(self)

    @classmethod
    @checked
    def from_dict(cls, values: Mapping[str, Any]) -> TrainConfig:
        """Return the configuration that `to_dict` wrote; absent fields take their defaults."""
        check_keys(cls, values)
        return cls(**values)
