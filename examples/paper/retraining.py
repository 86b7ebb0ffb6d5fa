"""What was found, trained again under other seeds: a single training is a noisy witness."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from active_decisions import NETWORK, TRAINING, config_of

from dhen_objective import (
    ClickStream,
    flops_per_example,
    ne_gain,
    params_of,
    train,
)

Params = Mapping[str, Any]

DEFAULT: Params = params_of(NETWORK, TRAINING, base=NETWORK)
"""One layer, learning rate 3e-4."""
MANUAL: Params = params_of(
    replace(NETWORK, n_layers=2, ln_init=0.1), replace(TRAINING, lr=1e-3), base=NETWORK
)
"""A network as one would write it down first: two layers, learning rate 1e-3."""


class Retraining:
    """Networks on one stream, each trained at most once under a seed.

    Args:
        stream: The examples.
    """

    def __init__(self, stream: ClickStream) -> None:
        self._stream = stream
        self._known: dict[tuple[str, float, int], float] = {}

    def ne(self, params: Params, seed: int) -> float:
        """Return the normalized entropy of the last window; infinite if the training diverged."""
        model, training = config_of(params, seed=seed)
        key = model.to_json(), training.lr, seed
        if key not in self._known:
            result = train(self._stream, model, training)
            ne = result.normalized_entropy
            self._known[key] = float("inf") if result.diverged else ne
        return self._known[key]

    def gain(self, params: Params, seed: int, baseline: Params = DEFAULT) -> float:
        """Return the NE gain against a baseline under the same seed, in %; negative is better."""
        return ne_gain(self.ne(params, seed), self.ne(baseline, seed))

    def flops(self, params: Params) -> int:
        """Return the floating-point operations of an example, forward."""
        model, _ = config_of(params)
        n_fields, n_dense = len(self._stream.field_sizes), self._stream.n_dense
        return flops_per_example(model, n_fields=n_fields, n_dense=n_dense)


def in_words(params: Params) -> str:
    """Return the network and its learning rate as text."""
    model, training = config_of(params)
    return f"{model.n_layers} x ({' + '.join(model.modules)}), lr {training.lr:.1e}"
