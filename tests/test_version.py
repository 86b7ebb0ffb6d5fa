"""Both packages name the version of the one distribution that they come in."""

import importlib
import importlib.metadata
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ["optuna_predictor_rl", "dhen_objective"]


@pytest.mark.parametrize("package", PACKAGES)
def test_the_version_is_that_of_pyproject(package: str) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert importlib.import_module(package).__version__ == project["version"]


@pytest.mark.parametrize("package", PACKAGES)
def test_a_checkout_that_was_not_installed_is_imported(
    package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def not_installed(name: str) -> str:
        raise importlib.metadata.PackageNotFoundError(name)

    module = importlib.import_module(package)
    with monkeypatch.context() as patch:
        patch.setattr(importlib.metadata, "version", not_installed)
        assert importlib.reload(module).__version__ == "unknown"
    assert importlib.reload(module).__version__ != "unknown"
