"""Checks of torch devices."""

from __future__ import annotations

import torch


def usable_device(device: str | torch.device) -> torch.device:
    """Return the device if tensors can be put on it on this machine.

    CUDA devices are only counted, because a process that has started CUDA cannot fork.

    Raises:
        ValueError: If torch does not know the device, or the machine does not have it.
    """
    try:
        found = torch.device(device)
        if found.type != "cuda":
            torch.zeros(1, device=found).item()
        elif (found.index or 0) >= torch.cuda.device_count():
            raise RuntimeError(f"torch finds {torch.cuda.device_count()} CUDA devices")
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        reason = str(error).strip().split("\n")[0]
        raise ValueError(
            f"device must be one that can be used here, but got {str(device)!r}: {reason}."
        ) from error
    return found
