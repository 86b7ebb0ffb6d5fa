"""Shapes and types are checked in every test: jaxtyping's annotations, by beartype."""

from jaxtyping import install_import_hook

install_import_hook(["optuna_predictor_rl", "dhen_objective"], "beartype.beartype")
