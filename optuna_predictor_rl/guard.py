"""Our numerics in a state of their own, whatever state the user's process is in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import scipy
import torch

from optuna_predictor_rl.threads import one_thread


@contextmanager
def guarded() -> Iterator[None]:
    """Run a search, a fit or a prediction as in a process that has set nothing.

    Gradients are on; inference mode and autocast are off; floating-point errors are ignored (the
    code expects infinities); there is one thread (`one_thread`). All of it is the user's again
    afterwards. Default dtypes and devices, which are whole processes' or hard to leave, are not
    set: our tensors name their own.

    Example:
        >>> with torch.no_grad(), guarded():
        ...     torch.is_grad_enabled()
        True
    """
    with (
        one_thread(),
        torch.inference_mode(False),
        torch.enable_grad(),
        torch.autocast("cpu", enabled=False),
        torch.autocast("cuda", enabled=False),
        np.errstate(all="ignore"),
        scipy.special.errstate(all="ignore"),
    ):
        yield
