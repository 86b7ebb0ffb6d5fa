"""The searchers to compare, by name, and how to plug in another one."""

import importlib
import importlib.util
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import optuna
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler

SearchSpace = dict[str, BaseDistribution]
Factory = Callable[[int, SearchSpace], BaseSampler]


@dataclass(frozen=True)
class Peer:
    """How to make a searcher from a seed and a search space, and what has to be installed."""

    make: Factory
    install: str = "optuna"


def _botorch(seed: int, _: SearchSpace) -> BaseSampler:
    from optuna_integration import BoTorchSampler

    sampler: BaseSampler = BoTorchSampler(seed=seed)
    return sampler


def _predictor_rl(seed: int, _: SearchSpace) -> BaseSampler:
    from optuna_predictor_rl import PredictorRLSampler

    sampler: BaseSampler = PredictorRLSampler(seed=seed)
    return sampler


def _predictor_rl_paper(seed: int, _: SearchSpace) -> BaseSampler:
    from optuna_predictor_rl import PolicyConfig, PredictorConfig, PredictorRLSampler

    sampler: BaseSampler = PredictorRLSampler(
        predictor=PredictorConfig.paper(), policy=PolicyConfig.paper(), seed=seed
    )
    return sampler


def _hebo(seed: int, _: SearchSpace) -> BaseSampler:
    import optunahub

    sampler: BaseSampler = optunahub.load_module("samplers/hebo").HEBOSampler(seed=seed)
    return sampler


def _smac(seed: int, space: SearchSpace) -> BaseSampler:
    import optunahub

    sampler: BaseSampler = optunahub.load_module("samplers/smac_sampler").SMACSampler(
        space, n_trials=100, seed=seed, output_directory=tempfile.mkdtemp(prefix="smac-")
    )
    return sampler


PEERS: dict[str, Peer] = {
    "random": Peer(lambda seed, _: optuna.samplers.RandomSampler(seed=seed)),
    "tpe": Peer(lambda seed, _: optuna.samplers.TPESampler(seed=seed)),
    "tpe_multivariate": Peer(
        lambda seed, _: optuna.samplers.TPESampler(multivariate=True, group=True, seed=seed)
    ),
    "gp": Peer(lambda seed, _: optuna.samplers.GPSampler(seed=seed), "torch scipy"),
    "cmaes": Peer(
        lambda seed, _: optuna.samplers.CmaEsSampler(seed=seed, warn_independent_sampling=False),
        "cmaes",
    ),
    "botorch": Peer(_botorch, "optuna-integration botorch"),
    "hebo": Peer(_hebo, "optunahub HEBO"),
    "smac": Peer(_smac, "optunahub smac"),
    "predictor_rl": Peer(_predictor_rl, "optuna-predictor-rl"),
    "predictor_rl_paper": Peer(_predictor_rl_paper, "optuna-predictor-rl"),
}


def _plugged_in(reference: str) -> Factory:
    """Load ``file.py:attribute`` or ``module:attribute``, a callable that takes a seed."""
    where, _, attribute = reference.rpartition(":")
    if where.endswith(".py"):
        path = Path(where).resolve()
        spec = importlib.util.spec_from_file_location(path.stem, path)
        if spec is None or spec.loader is None or not path.is_file():
            raise ValueError(f"samplers must name an existing file, but got {where!r}.")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    else:
        module = importlib.import_module(where)
    factory = getattr(module, attribute)

    def make(seed: int, _: SearchSpace) -> BaseSampler:
        sampler: BaseSampler = factory(seed)
        return sampler

    return make


def label(sampler: str) -> str:
    """Say under which name a sampler's runs are stored: ``shown=file.py:factory`` is ``shown``."""
    return sampler.partition("=")[0]


def find_sampler(sampler: str) -> Peer:
    """Find a peer by name, or plug in ``[shown=]file.py:factory`` or ``[shown=]module:attribute``.

    Raises:
        ValueError: If there is no such peer.
    """
    reference = sampler.partition("=")[2] or sampler
    if ":" in reference:
        return Peer(_plugged_in(reference), "what it imports")
    if reference not in PEERS:
        raise ValueError(
            f"samplers must be among {list(PEERS)} or file.py:factory, but got {sampler!r}."
        )
    return PEERS[reference]


def make_sampler(sampler: str, seed: int, space: SearchSpace) -> BaseSampler:
    """Make a sampler for a study.

    Raises:
        ImportError: If a package is missing, naming what to install.
    """
    peer = find_sampler(sampler)
    try:
        return peer.make(seed, space)
    except ImportError as error:
        raise ImportError(f"{sampler} needs: pip install {peer.install} ({error})") from error
