"""The deep hierarchical ensemble network: features, layers of interactions, over-MLP."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from dhen_objective.checked import check_at_least, checked
from dhen_objective.config import DHENConfig
from dhen_objective.features import ClickModel, FeatureProcessing
from dhen_objective.interactions import INTERACTIONS, n_layer_embs
from dhen_objective.layers import CountMap, layer_norm, mlp
from dhen_objective.ranges import check_prior
from dhen_objective.wide import LinearPath


@checked
class DHENLayer(nn.Module):
    """One layer: X' = LN(Ensemble_i(I_i(X)) + ShortCut(X)).

    The shortcut is the identity while the number of embeddings stays, and a learned linear map
    over the count axis where it changes.

    Shape:
        (b, m, d) -> (b, l, d)
    """

    def __init__(self, n_in: int, config: DHENConfig) -> None:
        super().__init__()
        check_at_least(1, n_in=n_in)
        self.n_out = n_layer_embs(config)
        self.concat = config.ensemble == "concat"
        self.interactions = nn.ModuleDict(
            {module.value: INTERACTIONS[module](n_in, config) for module in config.modules}
        )
        same = n_in == self.n_out
        self.shortcut: nn.Module = nn.Identity() if same else CountMap(n_in, self.n_out)
        self.norm = layer_norm(config.dim, config.ln_init)

    def forward(self, x: Float[Tensor, "b m d"]) -> Float[Tensor, "b l d"]:
        """Return the embeddings for the next layer."""
        outputs = [interaction(x) for interaction in self.interactions.values()]
        joined = torch.cat(outputs, dim=1) if self.concat else torch.stack(outputs).sum(0)
        out: Tensor = self.norm(joined + self.shortcut(x))
        return out


@checked
class DHEN(ClickModel):
    """A click or conversion model: feature processing, DHEN layers, over-MLP, linear path.

    Gradients do not reach the linear path (`DHENConfig.wide`): `Trainer` moves its weights.

    `torch.compile` takes it whole, without a graph break. The backend "inductor" has no sparse
    gradients: to train with it, compile `layers` and `head`, which hold all of the products.
    The global random state is neither used nor moved.

    Args:
        config: The architecture.
        field_sizes: Number of ids of each sparse field.
        n_dense: Number of dense features.
        prior: Expected share of positives, which the output starts around.
        seed: Seed of the initial weights.

    Shape:
        dense (b, n_dense), sparse (b, n_fields) -> logits (b,)

    Examples:
        >>> from dhen_objective.config import Interaction
        >>> config = DHENConfig(n_layers=1, modules=(Interaction.LINEAR,))
        >>> model = DHEN(config, field_sizes=(10, 20), n_dense=3, prior=0.02)
        >>> model(torch.zeros(5, 3), torch.zeros(5, 2, dtype=torch.long)).shape
        torch.Size([5])
    """

    def __init__(
        self,
        config: DHENConfig,
        *,
        field_sizes: Sequence[int],
        n_dense: int,
        prior: float = 0.5,
        seed: int = 0,
    ) -> None:
        super().__init__()
        check_prior(prior)  # before the table is built, which can be large
        self.config = config
        self.features = FeatureProcessing(field_sizes, n_dense, config)
        counts = [self.features.n_embs, *[n_layer_embs(config)] * config.n_layers]
        self.layers = nn.Sequential(*(DHENLayer(n_in, config) for n_in in counts[:-1]))
        self.head = mlp([counts[-1] * config.dim, *config.head_hidden, 1])
        self.wide = LinearPath(sum(field_sizes), n_dense) if config.wide else None
        self._start(config, self.head[-1], prior=prior, seed=seed)

    def forward(
        self, dense: Float[Tensor, "b n"], sparse: Int[Tensor, "b f"]
    ) -> Float[Tensor, " b"]:
        """Return the logits."""
        normed, rows = self.features.inputs(dense, sparse)
        embedded = self.features.embed(normed, rows)
        out: Tensor = self.head(self.layers(embedded).flatten(1)).squeeze(1)
        return out if self.wide is None else out + self.wide(normed, rows)
