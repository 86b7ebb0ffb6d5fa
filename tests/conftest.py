"""Shapes and types are checked in every test: jaxtyping's annotations, by beartype.

Property tests draw the same examples each time. They do not shrink one that fails, which takes
minutes where an example is a study: `HYPOTHESIS_SHRINK=1` does.
"""

import os

import optuna
import pytest
import torch
from hypothesis import Phase, settings
from jaxtyping import install_import_hook

SHRINKING = (Phase.shrink,) if os.environ.get("HYPOTHESIS_SHRINK") else ()
settings.register_profile(
    "steady",
    deadline=None,
    derandomize=True,
    phases=(Phase.explicit, Phase.generate, *SHRINKING),
)
settings.load_profile("steady")

# optunahub imports GitPython, which refuses to be imported on a machine without git.
os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")

torch.set_num_threads(1)  # small matrices are slower on several

install_import_hook(["optuna_predictor_rl", "dhen_objective"], "beartype.beartype")


@pytest.fixture(autouse=True)
def _logging() -> None:
    """`caplog` sees what Optuna says, and what a test silences is not silent in the next one."""
    optuna.logging.set_verbosity(optuna.logging.INFO)
    optuna.logging.enable_propagation()
