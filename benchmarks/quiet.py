"""Settings of a process whose output is a table."""

import logging
import warnings

import optuna


def be_quiet(*, one_thread: bool = True) -> None:
    """Silence Optuna, the package and warnings; by default also keep torch to one thread."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    logging.getLogger("optuna_predictor_rl").setLevel(logging.ERROR)
    warnings.simplefilter("ignore")
    if one_thread:
        import torch

        torch.set_num_threads(1)
