"""Small faults of the code, and a stratified sample of them."""

import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import libcst as cst
from libcst.metadata import MetadataWrapper, PositionProvider
from mutmut.mutation import mutators

ROOT = Path(__file__).parents[2]

ROOMS = {
    "predictor": ("optuna_predictor_rl/core/predictor/*.py",),
    "policy": ("optuna_predictor_rl/core/policy/*.py",),
    "curves": ("optuna_predictor_rl/core/curves/*.py",),
    "core": ("optuna_predictor_rl/core/*.py",),
    "search": ("optuna_predictor_rl/search/*.py", "optuna_predictor_rl/sampler.py"),
    "data": ("optuna_predictor_rl/data/*.py",),
    "study": ("optuna_predictor_rl/study/*.py",),
    "comparison": ("optuna_predictor_rl/comparison/*.py",),
    "dhen": ("dhen_objective/metrics.py", "dhen_objective/checkpoints.py"),
    "streams": ("dhen_objective/streams/*.py",),
}

_Operator = Callable[..., Iterable[cst.CSTNode]]

# mutmut's operators, by what they change. Those that change words are left out.
KINDS: dict[str, tuple[tuple[type[cst.CSTNode], _Operator], ...]] = {
    "value": (
        (cst.BaseNumber, mutators.operator_number),
        (cst.Name, mutators.operator_name),
    ),
    "operator": (
        (cst.CSTNode, mutators.operator_swap_op),
        (cst.CSTNode, mutators.operator_keywords),
        (cst.UnaryOperation, mutators.operator_remove_unary_ops),
        (cst.IfExp, mutators.operator_if_exp),
    ),
    "assignment": (
        (cst.Assign, mutators.operator_assignment),
        (cst.AnnAssign, mutators.operator_assignment),
        (cst.AugAssign, mutators.operator_augmented_assignment),
    ),
    "call": ((cst.Call, mutators.operator_arg_removal),),
}

# A fault in one of these changes no behaviour, or nothing can be imported.
_SKIPPED = (cst.Annotation, cst.Decorator, cst.Import, cst.ImportFrom)


@dataclass(frozen=True)
class Mutant:
    """A module with one small fault.

    Attributes:
        path: The module, relative to the repository.
        line: Where the fault is, from 1.
        before: The code that was replaced.
        after: What replaced it.
        text: The whole module with the fault.
    """

    room: str
    kind: str
    path: str
    line: int
    before: str
    after: str
    text: str


@dataclass(frozen=True)
class _Fault:
    kind: str
    line: int
    node: cst.CSTNode
    changed: cst.CSTNode


class _Faults(cst.CSTVisitor):
    """Lists what can be changed, in the order of the code."""

    METADATA_DEPENDENCIES = (PositionProvider,)

    def __init__(self) -> None:
        super().__init__()
        self.found: list[_Fault] = []

    def on_visit(self, node: cst.CSTNode) -> bool:
        if isinstance(node, _SKIPPED):
            return False
        position = self.get_metadata(PositionProvider, node, None)
        if position is not None:
            self.found += [
                _Fault(kind, position.start.line, node, changed)
                for kind, operators in KINDS.items()
                for of_type, change in operators
                if isinstance(node, of_type)
                for changed in change(node)
            ]
        return True


def modules(room: str) -> list[str]:
    """Return the modules of a room, relative to the repository."""
    return [
        str(path.relative_to(ROOT)) for glob in ROOMS[room] for path in sorted(ROOT.glob(glob))
    ]


def read_faults(path: str) -> tuple[cst.Module, list[_Fault]]:
    """Return the code of a module, and each small fault that it could have."""
    module = MetadataWrapper(cst.parse_module((ROOT / path).read_text()), unsafe_skip_copy=True)
    faults = _Faults()
    module.visit(faults)
    return module.module, faults.found


def draw(n: int, seed: int) -> list[Mutant]:
    """Draw `n` mutants at random: as many of a room as it has of the faults, evenly of each kind.

    Evenly, because most faults put None in place of an argument, and nearly any test sees those.
    The order is random, too, so that the first part of a sample is a sample.
    """
    faults = {room: [(path, *read_faults(path)) for path in modules(room)] for room in ROOMS}
    generator = random.Random(seed)
    sizes = {room: sum(len(found) for *_, found in parts) for room, parts in faults.items()}
    drawn = []
    for room, count in _shares(sizes, n).items():
        for kind, wanted in _shares(dict.fromkeys(KINDS, 1), count).items():
            pool = [
                (path, module, fault)
                for path, module, found in faults[room]
                for fault in found
                if fault.kind == kind
            ]
            drawn += [
                _mutant(room, path, module, fault)
                for path, module, fault in generator.sample(pool, min(wanted, len(pool)))
            ]
    generator.shuffle(drawn)
    return drawn


def _shares(sizes: dict[str, int], n: int) -> dict[str, int]:
    """Split `n` in proportion to the sizes, by largest remainders."""
    exact = {name: n * size / sum(sizes.values()) for name, size in sizes.items()}
    shares = {name: int(share) for name, share in exact.items()}
    by_remainder = sorted(exact, key=lambda name: shares[name] - exact[name])
    for name in by_remainder[: n - sum(shares.values())]:
        shares[name] += 1
    return shares


def _mutant(room: str, path: str, module: cst.Module, fault: _Fault) -> Mutant:
    changed = module.deep_replace(fault.node, fault.changed)
    assert isinstance(changed, cst.Module)
    before, after = (
        " ".join(module.code_for_node(node).split()) for node in (fault.node, fault.changed)
    )
    return Mutant(room, fault.kind, path, fault.line, before, after, changed.code)
