"""The packages for OptunaHub are what its registry asks for, and run as it loads them."""

import ast
import inspect
import re
import runpy
import sys
from pathlib import Path
from typing import Any

import git
import optuna
import optunahub
import pytest
import yaml

import optuna_predictor_rl

pytestmark = pytest.mark.ci

ROOT = Path(__file__).parents[1]
REGISTRY = ROOT / "examples" / "optunahub" / "package"
PACKAGES = {"samplers/predictor_rl": "sampler", "pruners/low_fidelity": "pruner"}
NAMES = {
    "samplers/predictor_rl": ["PolicyConfig", "PredictorConfig", "PredictorRLSampler"],
    "pruners/low_fidelity": ["LowFidelityPruner"],
}
package = pytest.mark.parametrize("name", PACKAGES)


def load(package: str, **_: Any) -> Any:
    return optunahub.load_local_module(package=package, registry_root=str(REGISTRY))


@package
def test_a_package_has_the_files_that_the_registry_requires(name: str) -> None:
    files = {path.name for path in (REGISTRY / name).iterdir() if path.is_file()}
    assert {"__init__.py", "README.md", "LICENSE", "example.py", "requirements.txt"} <= files
    assert (REGISTRY / name / "LICENSE").read_text() == (ROOT / "LICENSE").read_text()
    assert name.split("/")[1].isidentifier()


@package
def test_the_front_matter_is_complete(name: str) -> None:
    _, front, _ = (REGISTRY / name / "README.md").read_text().split("---\n", 2)
    matter = yaml.safe_load(front)
    keys = ["author", "title", "description", "tags", "optuna_versions", "license"]
    assert list(matter) == keys
    assert all(matter.values())
    assert PACKAGES[name] in matter["tags"]
    assert matter["license"] == "MIT License"


@package
def test_only_relative_imports_reach_into_a_package(name: str) -> None:
    for path in (REGISTRY / name).glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and node.level == 0:
                assert node.module == "optuna_predictor_rl"
            elif isinstance(node, ast.Import):
                assert {alias.name for alias in node.names} <= {"optuna", "optunahub"}


@package
def test_a_loaded_package_gives_the_projects_own_classes(name: str) -> None:
    module = load(name)
    assert module.__name__ == f"optunahub_registry.package.{name.replace('/', '.')}"
    assert module.__all__ == NAMES[name]
    for public in NAMES[name]:
        assert getattr(module, public) is getattr(optuna_predictor_rl, public)


@package
def test_the_example_of_the_page_is_the_file_and_runs(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    example = REGISTRY / name / "example.py"
    page = (REGISTRY / name / "README.md").read_text()
    assert re.findall(r"```python\n(.*?)```", page, flags=re.DOTALL) == [example.read_text()]
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    monkeypatch.setattr(optunahub, "load_module", load)
    study = runpy.run_path(str(example))["study"]
    assert len(study.trials) == 30
    assert capsys.readouterr().out


@package
def test_the_page_names_every_argument_and_its_default(name: str) -> None:
    public = NAMES[name][-1]
    signature = inspect.signature(getattr(optuna_predictor_rl, public))
    plain = [p.replace(annotation=inspect.Parameter.empty) for p in signature.parameters.values()]
    wanted = str(inspect.Signature(plain)).replace("'", '"')
    page = (REGISTRY / name / "README.md").read_text()
    assert re.findall(rf"^- `{public}(\(.*\))`$", page, flags=re.MULTILINE) == [wanted]


def test_a_missing_package_is_named_with_the_command_that_installs_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    load("samplers/predictor_rl")
    monkeypatch.delitem(sys.modules, "optunahub_registry.package.samplers.predictor_rl.sampler")
    monkeypatch.setitem(sys.modules, "optuna_predictor_rl", None)
    with pytest.raises(ImportError, match="pip install optuna-predictor-rl"):
        load("samplers/predictor_rl")


def test_optunahub_is_imported_without_git(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(git.Git, "GIT_PYTHON_GIT_EXECUTABLE", None)  # as at the first import
    assert git.Git.refresh() is False  # it raises, unless it is told to be quiet
