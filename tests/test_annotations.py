"""Annotations that are written as text can be evaluated, as those that ask for them do."""

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

ONLY_FOR_TYPES = {"pa": pa, "pd": pd}  # imported when first used: importing takes long


def modules_of(package: str) -> Iterator[ModuleType]:
    found = importlib.import_module(package)
    for module in pkgutil.walk_packages(found.__path__, f"{package}."):
        yield importlib.import_module(module.name)


def annotated(owner: ModuleType | type, module: str) -> Iterator[Callable[..., Any]]:
    for member in vars(owner).values():
        member = getattr(member, "fget", None) or getattr(member, "__func__", member)
        if getattr(member, "__module__", None) != module:
            continue
        if inspect.isclass(member):
            yield member
            yield from annotated(member, module)
        elif callable(member) and inspect.isfunction(inspect.unwrap(member)):
            yield inspect.unwrap(member)


@pytest.mark.parametrize("package", ["optuna_predictor_rl", "dhen_objective"])
def test_a_text_annotation_names_a_type(package: str) -> None:
    wrong = []
    n_texts = 0
    for module in modules_of(package):
        for found in annotated(module, module.__name__):
            for text in inspect.get_annotations(found).values():
                if isinstance(text, str):
                    n_texts += 1
                    try:
                        eval(text, vars(module) | ONLY_FOR_TYPES)
                    except (NameError, TypeError, AttributeError) as error:
                        wrong.append(f"{module.__name__}.{found.__qualname__}: {error}")
    assert n_texts > 0
    assert wrong == []
