"""Modules, classes and signatures are small enough to be read at one sitting."""

import ast
import inspect
from collections.abc import Iterator
from pathlib import Path

from tests.public import public

ROOT = Path(__file__).parents[1]
TREES = {
    str(path.relative_to(ROOT)): ast.parse(path.read_text())
    for folder in ("optuna_predictor_rl", "dhen_objective", "benchmarks")
    for path in sorted((ROOT / folder).rglob("*.py"))
}


def test_no_module_has_more_than_250_lines() -> None:
    lines = {name: len((ROOT / name).read_text().splitlines()) for name in TREES}
    assert len(lines) > 100
    assert {name: n for name, n in lines.items() if n > 250} == {}


def test_no_class_has_more_than_200_lines_without_its_docstrings() -> None:
    lines = {
        f"{name}: {owner.name}": n_lines(owner) - sum(map(n_lines, docstrings(owner)))
        for name, tree in TREES.items()
        for owner in ast.walk(tree)
        if isinstance(owner, ast.ClassDef)
    }
    assert len(lines) > 100
    assert {owner: n for owner, n in lines.items() if n > 200} == {}


def test_internal_functions_take_at_most_six_arguments() -> None:
    exempt = public_functions()
    assert ("optuna_predictor_rl/comparison/run.py", "compare_searchers") in exempt
    arguments = {
        f"{name}: {qualified}": n_arguments(function)
        for name, tree in TREES.items()
        for qualified, function in functions(tree)
        if (name, qualified) not in exempt and not is_constructor_by_keyword(function)
    }
    assert len(arguments) > 1000
    assert {function: n for function, n in arguments.items() if n > 6} == {}


def public_functions() -> set[tuple[str, str]]:
    """The file and the qualified name of all that users may call."""
    found = set()
    for each in public():
        code = inspect.unwrap(each.code)
        path = Path(code.__code__.co_filename) if inspect.isfunction(code) else None
        if path is not None and path.is_relative_to(ROOT):  # else a dataclass made it
            found.add((str(path.relative_to(ROOT)), code.__qualname__))
    return found


def functions(tree: ast.AST, above: str = "") -> Iterator[tuple[str, ast.FunctionDef]]:
    """All functions with their qualified names; those within functions too."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef):
            yield above + node.name, node
            yield from functions(node, f"{above}{node.name}.<locals>.")
        else:
            within = f"{above}{node.name}." if isinstance(node, ast.ClassDef) else above
            yield from functions(node, within)


def n_arguments(function: ast.FunctionDef) -> int:
    """Without self and cls, `*args` and `**kwargs`."""
    given = function.args
    positional = [argument.arg for argument in (*given.posonlyargs, *given.args)]
    return len(positional) + len(given.kwonlyargs) - (positional[:1] in (["self"], ["cls"]))


def is_constructor_by_keyword(function: ast.FunctionDef) -> bool:
    """Whether it is one whose arguments, but for a first, are named where it is called."""
    return function.name == "__init__" and len(function.args.args) <= 2


def docstrings(owner: ast.ClassDef) -> list[ast.stmt]:
    return [
        node.body[0]
        for node in ast.walk(owner)
        if isinstance(node, ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node)
    ]


def n_lines(node: ast.stmt) -> int:
    return node.end_lineno - node.lineno + 1
