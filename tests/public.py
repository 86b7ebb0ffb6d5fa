"""Every public function, constructor and method of both packages, found by their `__all__`."""

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import FunctionType, ModuleType
from typing import Any

import dhen_objective
import optuna_predictor_rl
from optuna_predictor_rl import dashboard, visualization

MODULES = (optuna_predictor_rl, visualization, dashboard, dhen_objective)


@dataclass(frozen=True)
class Public:
    """A function, a class (its constructor) or a method.

    Attributes:
        name: Such as "PredictorRLSampler.predict".
        function: What has the parameters.
        owner: The class that a method is called on, if it is one.
    """

    name: str
    function: Callable[..., Any]
    owner: type | None = None

    @property
    def code(self) -> Callable[..., Any]:
        """What was written with annotations."""
        found = self.function.__init__ if inspect.isclass(self.function) else self.function
        return getattr(found, "__func__", found)

    @property
    def takes_self(self) -> bool:
        """Whether it is a method of an instance."""
        return "self" in inspect.signature(self.function).parameters

    @property
    def parameters(self) -> list[inspect.Parameter]:
        """Those that a caller gives."""
        parameters = inspect.signature(self.function).parameters.values()
        return [p for p in parameters if p.name not in ("self", "cls")]


def public(modules: tuple[ModuleType, ...] = MODULES) -> Iterator[Public]:
    """All of them, but for methods that fill in an interface of Optuna's or torch's."""
    for module in modules:
        for name in module.__all__:
            found = getattr(module, name)
            if inspect.isfunction(found):
                yield Public(name, found)
            elif inspect.isclass(found) and "__init__" in vars(found):
                yield Public(name, found)
                for method in _own_methods(found):
                    yield Public(f"{name}.{method}", getattr(found, method), found)


def _own_methods(owner: type) -> list[str]:
    ours = ("optuna_predictor_rl", "dhen_objective")
    package = {base: base.__module__.split(".")[0] for base in owner.__mro__}
    others = [base for base in owner.__mro__ if package[base] not in ours]
    # Methods that streams and models inherit are called for each batch, and check nothing.
    checking = [b for b in owner.__mro__ if b is owner or package[b] == "optuna_predictor_rl"]
    members = {name: member for base in checking for name, member in vars(base).items()}
    return [
        name
        for name, member in members.items()
        if isinstance(member, (FunctionType, classmethod, staticmethod))
        and not name.startswith("_")
        and not any(hasattr(base, name) for base in others)
        and len(inspect.signature(getattr(owner, name)).parameters) > 0
    ]
