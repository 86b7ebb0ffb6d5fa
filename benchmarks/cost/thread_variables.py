"""Measure in a process with one thread a library, and in one as users start theirs."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable
from typing import TypeVar

VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")

T = TypeVar("T")


def in_a_process(one_thread: bool, function: Callable[..., T], *arguments: object) -> T:
    """Return what a function of a module returns in a fresh process.

    Args:
        one_thread: Whether the thread variables are 1; else they are not set.
        function: The function.
        arguments: Its arguments.
    """
    before = {name: os.environ.pop(name, None) for name in VARIABLES}
    if one_thread:
        os.environ.update(dict.fromkeys(VARIABLES, "1"))
    try:
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            return pool.apply(function, arguments)
    finally:
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value
