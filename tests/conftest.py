"""Shapes and types are checked in every test: jaxtyping's annotations, by beartype."""

import torch
from jaxtyping import install_import_hook

torch.set_num_threads(1)  # small matrices are slower on several

install_import_hook(["optuna_predictor_rl", "dhen_objective"], "beartype.beartype")
