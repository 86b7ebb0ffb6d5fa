"""Checks of arguments' ranges, with errors that name the argument, the rule and the value."""

from __future__ import annotations

import math

import psutil
import torch

from dhen_objective.checked import check_at_least, check_between


def check_positive(**values: int | float) -> None:
    """Refuse a value that is not positive and finite."""
    for name, value in values.items():
        if not (math.isfinite(value) and value > 0):
            raise ValueError(f"{name} must be positive, but got {value}.")


def check_prior(prior: float) -> None:
    """Refuse a share of positives that is not between 0 and 1."""
    check_between(0, 1, prior=prior)


def check_seed(seed: int) -> None:
    """Refuse a seed that torch's generators do not take."""
    if not 0 <= seed < 2**64:
        raise ValueError(f"seed must be in [0, 2**64), but got {seed}.")


def check_features(*, n_fields: int, n_dense: int) -> None:
    """Refuse negative numbers of features, and none at all."""
    check_at_least(0, n_fields=n_fields, n_dense=n_dense)
    if not n_fields and not n_dense:
        raise ValueError("n_fields must be at least 1 where n_dense is 0, but got 0.")


def check_field_sizes(sizes: tuple[int, ...]) -> None:
    """Refuse a field without ids."""
    for field, size in enumerate(sizes):
        if size < 1:
            raise ValueError(f"field_sizes must be at least 1, but got {size} in field {field}.")


def check_table_memory(sizes: tuple[int, ...], *, dim: int) -> None:
    """Refuse fields whose embeddings, with a sum of Adagrad for each id, do not fit in memory."""
    need, have = 4 * sum(map(int, sizes)) * (dim + 1), psutil.virtual_memory().total
    if need > have:
        raise ValueError(
            f"field_sizes must fit in memory, of which there is {have / 2**30:.3g} GiB, but got "
            f"{sizes}, whose embeddings of width {dim} need {need / 2**30:.3g} GiB."
        )


def check_device_name(device: str | torch.device) -> None:
    """Refuse a name that torch does not know."""
    try:
        torch.device(device)
    except RuntimeError as error:
        raise ValueError(
            f"device must name one of torch's, such as 'cpu' or 'cuda', but got {device!r}."
        ) from error


def check_device(device: str | torch.device) -> None:
    """Refuse a GPU where torch finds none."""
    kind = torch.device(device).type
    if kind == "cuda" and not torch.cuda.is_available():
        raise ValueError(f"device must be there, but got {device!r} without CUDA.")
