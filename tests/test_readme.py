"""The README's Python runs as it stands."""

import re
from pathlib import Path

import optuna
import pytest

README = Path(__file__).parents[1] / "README.md"
SNIPPETS = re.findall(r"```python\n(.*?)```", README.read_text(), flags=re.DOTALL)


@pytest.mark.parametrize("snippet", range(len(SNIPPETS)))
def test_a_snippet_of_the_readme_runs(snippet: int) -> None:
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    imports = "from optuna_predictor_rl import *\n"
    exec(compile(imports + SNIPPETS[snippet], f"README.md:{snippet}", "exec"), {})
