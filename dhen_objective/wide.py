"""The linear path beside a deep network, and the rule by which it learns."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from dhen_objective.ranges import check_positive

_CHUNK = 64
"""Examples of one step. A step over many more overshoots: their ids and features are common."""

_LEAST_LR = 0.003
"""Step that is never undercut, so that old weights follow drift.

On the flights a lower one tracks worse and a higher one is noisier (`python -m benchmarks dhen
default_network`).
"""

_START = 1.0
"""What the sums of squared gradients start from; a gradient is at most 1."""


class LinearPath(nn.Module):
    """One weight for each id, each dense feature and the bias, all 0 at the start.

    Backpropagation leaves the weights alone: `LinearPathLearner` moves them.

    Shape:
        dense (b, n_dense), standardized, rows (b, n_fields) of the table -> logits (b,)
    """

    def __init__(self, n_ids: int, n_dense: int) -> None:
        super().__init__()
        ids = torch.zeros(n_ids, 1, dtype=torch.float32, device="cpu")
        others = torch.zeros(n_dense + 1, dtype=torch.float32, device="cpu")
        self.ids = nn.Parameter(ids, requires_grad=False)
        self.others = nn.Parameter(others, requires_grad=False)

    def forward(
        self, dense: Float[Tensor, "b n"], rows: Int[Tensor, "b f"]
    ) -> Float[Tensor, " b"]:
        """Return what the path adds to the logits."""
        # sums of products, not a matrix product: autocast would round that to bfloat16
        out: Tensor = (dense * self.others[:-1]).sum(1) + self.others[-1]
        if rows.shape[1]:
            out = out + nn.functional.embedding_bag(rows, self.ids, mode="sum").squeeze(1)
        return out


class LinearPathLearner:
    """Online logistic regression of what the rest of the logit leaves unexplained.

    With e_i = label_i - sigmoid(logit_i) and x_ij the value of feature j, 1 for an id,

        s_j += sum_i (e_i x_ij)^2 over the batch, at its first logits
        w_j += max(lr / sqrt(1 + s_j), least) sum_i e_i x_ij

    where the second line is done for 64 examples after the other, each time with the logits that
    the newest weights yield. The rest of the logit is that of the batch.
    """

    def __init__(self, path: LinearPath, *, lr: float) -> None:
        check_positive(lr=lr)
        self.path = path
        self.lr = lr
        self.id_sums = torch.zeros_like(path.ids[:, 0])
        self.other_sums = torch.zeros_like(path.others)

    @torch.no_grad()
    def step(
        self,
        dense: Float[Tensor, "b n"],
        rows: Int[Tensor, "b f"],
        labels: Float[Tensor, " b"],
        logits: Float[Tensor, " b"],
    ) -> None:
        """Learn from a batch, whose logits are those of the whole network."""
        path, others = self.path, torch.cat([dense, dense.new_ones(len(dense), 1)], dim=1)
        rest = logits - self._logits(others, rows)
        squares = (labels - torch.sigmoid(logits)).square()
        self.id_sums.index_add_(0, rows.flatten(), squares.repeat_interleave(rows.shape[1]))
        self.other_sums += squares @ others.square()
        id_lrs, other_lrs = self._lrs(self.id_sums[rows]), self._lrs(self.other_sums)
        for first in range(0, len(labels), _CHUNK):
            part = slice(first, first + _CHUNK)
            errors = labels[part] - torch.sigmoid(
                rest[part] + self._logits(others[part], rows[part])
            )
            steps = errors.unsqueeze(1) * id_lrs[part]
            path.ids.data.index_add_(0, rows[part].flatten(), steps.view(-1, 1))
            path.others.data.addcmul_(other_lrs, errors @ others[part])

    def _logits(self, others: Float[Tensor, "b n"], rows: Int[Tensor, "b f"]) -> Tensor:
        """Return what the path yields, as a matrix product, which takes half the time."""
        if not rows.shape[1]:
            return others @ self.path.others
        of_ids = nn.functional.embedding_bag(rows, self.path.ids, mode="sum").squeeze(1)
        return torch.addmv(of_ids, others, self.path.others)

    def _lrs(self, sums: Tensor) -> Tensor:
        return (self.lr * (_START + sums).rsqrt()).clamp(min=min(_LEAST_LR, self.lr))

    def state_dict(self) -> dict[str, Tensor]:
        """Return the sums."""
        return {"ids": self.id_sums, "others": self.other_sums}

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Restore what `state_dict` returned."""
        self.id_sums.copy_(state["ids"])
        self.other_sums.copy_(state["others"])
