"""A fixed state of torch, NumPy and SciPy for our numerics, whatever the user has set."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import numpy as np
import scipy
import torch

from optuna_predictor_rl.support.threads import one_thread


@contextmanager
def guarded() -> Iterator[None]:
    """Run a search, a fit or a prediction as in a process that has set nothing.

    Gradients are on, inference mode and autocast are off, floating-point errors are ignored (the
    code expects infinities), and there is one thread (`one_thread`). The user's settings are
    restored afterwards. torch's default device and dtype (which all threads share) stay as they
    are, because our tensors name their own.

    Example:
        >>> with torch.no_grad(), guarded():
        ...     torch.is_grad_enabled()
        True
    """
    with ExitStack() as states:
        states.enter_context(one_thread())
        states.enter_context(torch.inference_mode(False))
        states.enter_context(torch.enable_grad())
        for device in ("cpu", "cuda"):
            if torch.is_autocast_enabled(device):
                states.enter_context(torch.autocast(device, enabled=False))
        states.enter_context(np.errstate(all="ignore"))
        # The ignored error is a misspelling in the stubs.
        states.enter_context(scipy.special.errstate(all="ignore"))  # type: ignore[arg-type]
        yield
