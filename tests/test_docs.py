"""The Python of the README and of docs/ runs as it stands, and what they name is there."""

import importlib
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import optuna
import pytest

from benchmarks.__main__ import find_benchmarks

ROOT = Path(__file__).parents[1]
TOP = ("optuna_predictor_rl", "dhen_objective", "benchmarks", "examples")
PAGES = {
    path.name: path.read_text() for path in (ROOT / "README.md", *(ROOT / "docs").glob("*.md"))
}
SNIPPETS = {
    f"{name}:{i}": snippet
    for name, page in PAGES.items()
    for i, snippet in enumerate(re.findall(r"```python\n(.*?)```", page, flags=re.DOTALL))
}


@pytest.mark.parametrize(
    "snippet",
    [
        pytest.param(name, marks=[] if name.startswith("README") else pytest.mark.ci)
        for name in SNIPPETS
    ],
)
def test_a_snippet_runs(snippet: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    imports = "from optuna_predictor_rl import *\n"
    exec(compile(imports + SNIPPETS[snippet], snippet, "exec"), {})


@pytest.mark.parametrize("name", PAGES)
def test_what_a_page_links_to_is_there(name: str) -> None:
    folder = ROOT if name == "README.md" else ROOT / "docs"
    targets = re.findall(r"\]\(([^)#\s]+)", PAGES[name])
    missing = [t for t in targets if "://" not in t and not (folder / t).exists()]
    assert missing == []


@pytest.mark.parametrize("name", PAGES)
def test_scripts_that_a_page_names_are_there(name: str) -> None:
    scripts = re.findall(r"\b((?:benchmarks|examples|tests)/[\w/]+\.py)\b", PAGES[name])
    assert [script for script in scripts if not (ROOT / script).exists()] == []


def test_benchmarks_that_texts_name_are_there() -> None:
    sources = [path for top in TOP for path in (ROOT / top).rglob("*.py")]
    texts = "\n".join([*PAGES.values(), *(path.read_text() for path in sources)])
    named = set(re.findall(r"(?:python -m |`)benchmarks\s+(\w+)\s+(\w+)", texts))
    known = {(found.folder, found.name) for found in find_benchmarks()}
    assert len(named) > 20
    assert named <= known | {("FOLDER", "NAME")}
    by_path = set(re.findall(r"benchmarks/(\w+)/(\w+)\.py", texts))
    assert by_path & known == set(), "a benchmark is named by its command"


def test_modules_that_the_architecture_names_are_there() -> None:
    page = PAGES["architecture.md"]
    tree = re.search(r"```\n(optuna_predictor_rl/.*?)```", page, flags=re.DOTALL)
    assert tree is not None
    folders: list[str] = []
    named = re.findall(r"`((?:core|data|fidelity|search|study|support)/[\w/]+\.py)`", page)
    named = [f"optuna_predictor_rl/{path}" for path in named]
    for line in tree[1].splitlines():
        depth = (len(line) - len(line.lstrip())) // 2
        for word in re.findall(r"([\w/]+(?:/|\.py))(?=\s|$)", line):
            if word.endswith("/") and word == line.split()[0]:
                folders[depth:] = [word]
                named.append("".join(folders))
            elif word.endswith(".py"):
                named.append("".join(folders[:depth]) + word)
    assert len(named) > 60
    assert [path for path in named if not (ROOT / path).exists()] == []


def test_the_architecture_shows_the_layers_of_the_contract() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    layers = contracts["contracts"][0]["layers"]
    assert "\n".join(layers).replace(" | ", ", ") in PAGES["architecture.md"]


def test_code_that_the_method_names_is_there() -> None:
    top = "core|data|fidelity|search|study|sampler|pruner"
    names = re.findall(rf"`((?:{top})(?:\.\w+)+)`", PAGES["method.md"])
    assert len(names) > 20
    for name in names:
        _resolve(f"optuna_predictor_rl.{name}")


@pytest.mark.ci
def test_the_api_reference_is_generated_without_a_warning(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "pdoc", "-d", "google", "-o", str(tmp_path)]
    done = subprocess.run(
        [*command, "optuna_predictor_rl", "dhen_objective"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "Warn" not in done.stderr, done.stderr
    assert "PredictorRLSampler" in (tmp_path / "optuna_predictor_rl.html").read_text()


def _resolve(name: str) -> object:
    """The module, class or function of a dotted name."""
    parent, _, last = name.rpartition(".")
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError:
        return getattr(_resolve(parent), last)
